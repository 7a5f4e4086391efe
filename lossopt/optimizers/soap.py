"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, Count, Fraction, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.optimizers.shared.kronecker import completed, eigenbasis, gram, multiply
from lossopt.vector import State


def merged(shape: tuple[int, ...], largest: int) -> tuple[int, ...]:
    """Neighbouring axes as one, as long as that is no longer than `largest`."""
    found, length = [], 1
    for size in shape:
        if length * size <= largest:
            length *= size
        elif length > 1:
            found, length = [*found, length], size
        else:
            found = [*found, size]
    return (*found, length) if length > 1 or not found else tuple(found)


def working_shape(shape: tuple[int, ...], max_precondition_dim: int, merge_dims: bool) -> tuple[int, ...]:
    """The shape in which a parameter is rotated."""
    return merged(shape, max_precondition_dim) if merge_dims and len(shape) > 1 else shape


def rotated_axes(shape: tuple[int, ...], max_precondition_dim: int, precondition_1d: bool) -> tuple[int, ...]:
    """The axes that have a basis of their own."""
    return tuple(i for i, n in enumerate(shape) if n <= max_precondition_dim and (len(shape) > 1 or precondition_1d))


def soap_start(ops: Ops, param: Array, *, max_precondition_dim: int, merge_dims: bool, precondition_1d: bool) -> State:
    slots = {"exp_avg": ops.zeros_like(param), "exp_avg_sq": ops.zeros_like(param)}
    shape = working_shape(tuple(param.shape), max_precondition_dim, merge_dims)
    for axis in rotated_axes(shape, max_precondition_dim, precondition_1d):
        slots[f"GG_{axis}"], slots[f"Q_{axis}"] = 0.0 * ops.eye(param, shape[axis]), ops.eye(param, shape[axis])
    return State(**slots)


def turned(ops: Ops, x: Array, state: State, axes: tuple[int, ...], *, back: bool = False) -> Array:
    """`x` in the coordinates of the bases; or back from them."""
    for axis in axes:
        basis = getattr(state, f"Q_{axis}")
        x = multiply(ops, basis if back else ops.transpose(basis), x, axis)
    return x


def learned(ops: Ops, gradient: Array, state: State, axes: tuple[int, ...], beta: Number) -> State:
    """The moving averages of the gradient's inner products along each axis."""
    return state.replace(**{
        f"GG_{axis}": ops.lerp(getattr(state, f"GG_{axis}"), gram(ops, gradient, axis), 1 - beta) for axis in axes
    })  # fmt: skip


def refreshed(ops: Ops, state: State, axes: tuple[int, ...], shape: tuple[int, ...]) -> State:
    """Bases after one power iteration, their vectors ordered by eigenvalue; second moments go where their vectors go."""
    second = ops.reshape(state.exp_avg_sq, shape)
    for axis in axes:
        basis = getattr(state, f"Q_{axis}")
        product = getattr(state, f"GG_{axis}") @ basis
        order = ops.argsort(-ops.reshape(ops.sum(basis * product, 0), (shape[axis],)))
        basis, again = completed(ops, *ops.qr(ops.select(product, order, 1)))
        second = ops.select(ops.select(second, order, axis), again, axis)
        state = state.replace(**{f"Q_{axis}": basis})
    return state.replace(exp_avg_sq=ops.reshape(second, tuple(state.exp_avg_sq.shape)))


@optimizer(
    start=soap_start,
    conventions={"torch": {}, "optax": {}},
    spellings={"precond_frequency": "precondition_frequency", "max_precond_dim": "max_precondition_dim", "normalize_grads": "normalize"},
    elsewhere={
        "torch": "soap.SOAP; of github.com/nikhilvyas/SOAP; its basis of a null space is LAPACK's",
        "optax": "soap_jax.soap; of github.com/haydn-jones/SOAP_JAX; its qr and eigh are JAX's",
    },
)
def soap(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 3e-3, betas: Betas = (0.95, 0.95),
         shampoo_beta: Fraction | None = None, eps: NonNegative = 1e-8, weight_decay: NonNegative = 1e-2,
         precondition_frequency: Count = 10, max_precondition_dim: Count = 10000, merge_dims: bool = False,
         precondition_1d: bool = False, normalize: bool = False, correct_bias: bool = True, maximize: bool = False) -> Update:  # fmt: skip
    """SOAP: Adam on the gradient as it looks in the eigenvectors of its second moments along each axis.

    Formula, with <g, g>_i the inner products of the slices of g along axis i, and x' for x turned by every Q_i::

        first update:   G_i = (1 - beta) * <g, g>_i;   Q_i = eigenvectors of G_i;   nothing moves
        update t + 1:   m = betas[0] * m + (1 - betas[0]) * g
                        v = betas[1] * v + (1 - betas[1]) * g'**2
                        d = m' / (sqrt(v) + eps), turned back
                        p = param - lr * sqrt(1 - betas[1]**t) / (1 - betas[0]**t) * d
                        update = p * (1 - lr * weight_decay) - param
                        G_i = beta * G_i + (1 - beta) * <g, g>_i
        every precondition_frequency of these:   order Q_i by diag(Q_i^T G_i Q_i), largest first, v with it;
                        Q_i = q of the QR decomposition of G_i Q_i

    A vector is not turned, which is Adam, unless precondition_1d; a number never is.  Of more than two axes each has its
    basis.  Where a G_i has a null space yet (few gradients of fewer columns than rows) its basis there is a fixed one, so that every
    framework has the same; the authors' is LAPACK's.

    Args:
        lr: the learning rate, at least 0.
        betas: decay rates of m and v, each in [0, 1).
        shampoo_beta: decay rate of the G_i, in [0, 1); None is ``betas[1]``.
        eps: at least 0; added to ``sqrt(v)``.
        weight_decay: at least 0; decoupled, of the parameter after the step.
        precondition_frequency: how many updates from one basis to the next, at least 1.
        max_precondition_dim: an axis longer than this, at least 1, is not turned.
        merge_dims: take neighbouring axes as one up to max_precondition_dim; convolutions of PyTorch's layout gain by it.
        precondition_1d: turn vectors too.
        normalize: divide d by its root mean square.
        correct_bias: correct for m and v starting at zero.
        maximize: ascend.

    Shapes: any.  State: ``exp_avg`` and ``exp_avg_sq``, as the parameter; for each axis that is turned the matrices ``GG_i`` and
    ``Q_i``.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: max_precondition_dim, merge_dims or precondition_1d is a schedule.

    References:
        Nikhil Vyas, Depen Morwani, Rosie Zhao, Mujin Kwun, Itai Shapira, David Brandfonbrener, Lucas Janson, Sham Kakade. SOAP:
        Improving and Stabilizing Shampoo using Adam. 2024. arXiv:2409.11321

    Example:
        >>> import lossopt, numpy as np
        >>> soap = lossopt.get_optimizer("soap", backend="numpy", lr=0.1, weight_decay=0.0)
        >>> params = np.array([[3.0, 0.0], [0.0, -4.0]])
        >>> state = soap.init(params)
        >>> for _ in range(2):
        ...     updates, state = soap.update(params, state, params)
        ...     params = params + updates
        >>> params.round(6) + 0.0
        array([[ 2.9,  0. ],
               [ 0. , -3.9]])
    """
    if maximize:
        grad = -grad
    beta = betas[1] if shampoo_beta is None else shampoo_beta
    shape = working_shape(tuple(param.shape), max_precondition_dim, merge_dims)
    axes = rotated_axes(shape, max_precondition_dim, precondition_1d)
    gradient, taken = ops.reshape(grad, shape), step - 1

    def first() -> Update:
        known = learned(ops, gradient, state, axes, beta)
        return ops.zeros_like(param), known.replace(**{f"Q_{i}": eigenbasis(ops, getattr(known, f"GG_{i}")) for i in axes})

    def later() -> Update:
        average = ops.lerp(state.exp_avg, grad, 1 - betas[0])
        square = ops.lerp(ops.reshape(state.exp_avg_sq, shape), turned(ops, gradient, state, axes) ** 2, 1 - betas[1])
        scaled = turned(ops, ops.reshape(average, shape), state, axes) / (ops.sqrt(square) + eps)
        direction = ops.reshape(turned(ops, scaled, state, axes, back=True), tuple(param.shape))
        if normalize:
            direction = direction / (1e-30 + ops.sqrt(ops.mean(direction * direction)))
        size = lr
        if correct_bias:
            size = lr * ops.sqrt(ops.bias_correction(betas[1], taken)) / ops.bias_correction(betas[0], taken)
        moved = size * direction
        known = state.replace(exp_avg=average, exp_avg_sq=ops.reshape(square, tuple(param.shape)))
        known = learned(ops, gradient, known, axes, beta)
        known = ops.cond(taken % precondition_frequency < 1, lambda: refreshed(ops, known, axes, shape), lambda: known)
        return -moved - lr * weight_decay * (param - moved), known

    return ops.cond(step > 1, later, first)
