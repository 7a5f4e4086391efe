"""PSGD with Kronecker factors: a triangular preconditioner for each axis, learned by descent on a criterion of its own."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import optimizer
from lossopt.hyper import Count, Fraction, NaturalNumber, NonNegative, Positive, Seed, UnitInterval
from lossopt.ops import Array, Noise, Number, Ops, Update
from lossopt.optimizers.shared.kronecker import fold, gram, multiply, scale, squares, unfold
from lossopt.vector import State

TINY = 2.0**-126
"""Keeps a division by 0 away; the smallest normal number of float32."""
LARGEST_RMS = 1.1
"""Of a preconditioned gradient, which is white, with a root mean square of 1, once the preconditioner is learned."""


def triangular_axes(shape: tuple[int, ...], max_size_triangular: int, min_ndim_triangular: int,
                    memory_save_mode: str | None) -> tuple[bool, ...]:  # fmt: skip
    """For each axis whether its factor is a matrix."""
    order = sorted(range(len(shape)), key=lambda axis: shape[axis])
    longest = order[-1]
    alone = len(shape) > 1 and shape[longest] > shape[order[-2]]
    saved = memory_save_mode == "one_diag" or (memory_save_mode == "smart_one_diag" and alone)
    return tuple(
        1 < size <= max_size_triangular and len(shape) >= min_ndim_triangular and memory_save_mode != "all_diag"
        and not (saved and axis == longest)
        for axis, size in enumerate(shape)
    )  # fmt: skip


def psgd_kron_start(ops: Ops, param: Array, *, max_size_triangular: int, min_ndim_triangular: int, memory_save_mode: str | None,
                    precond_init_scale: float) -> State:  # fmt: skip
    shape = tuple(param.shape) or (1,)
    matrices = triangular_axes(shape, max_size_triangular, min_ndim_triangular, memory_save_mode)
    start, flat = precond_init_scale ** (1 / len(shape)), ops.reshape(param, shape)
    factors = {
        f"Q_{axis}": start * ops.eye(param, shape[axis]) if matrix else ops.full_like(squares(ops, flat, axis), start)
        for axis, matrix in enumerate(matrices)
    }
    return State(momentum_buffer=ops.zeros_like(param), waited=ops.number(0.0), updates=ops.number(0.0), **factors)


def along(ops: Ops, q: Array, x: Array, axis: int) -> Array:
    """A factor, a square matrix or the column of a diagonal, times `x` along its axis."""
    return multiply(ops, q, x, axis) if q.shape[0] == q.shape[1] else scale(ops, q, x, axis)


def transposed(ops: Ops, q: Array) -> Array:
    return ops.transpose(q) if q.shape[0] == q.shape[1] else q


def solved(ops: Ops, q: Array, x: Array, axis: int) -> Array:
    """The inverse of the transposed factor times `x` along its axis."""
    rows = unfold(ops, x, axis)
    return fold(ops, ops.solve_triangular(ops.transpose(q), rows) if q.shape[0] == q.shape[1] else rows / q, x, axis)


def norm_bound(ops: Ops, matrix: Array) -> Number:
    """A lower bound of the largest eigenvalue of a positive semi-definite matrix: from its longest column."""
    largest = ops.max(ops.abs(matrix))
    unit = matrix / ops.maximum(largest, TINY)
    order = ops.argsort(-ops.reshape(ops.sum(unit * unit, 1), (matrix.shape[0],)))
    x = unit @ ops.select(unit, ops.select(order, range(1), 0), 1)
    return largest * ops.norm(unit @ (x / ops.maximum(ops.norm(x), TINY)))


def learned(ops: Ops, factors: tuple[Array, ...], gradient: Array, probe: Array, lr: Number) -> tuple[Array, ...]:
    """Factors after one step of descent towards a preconditioned gradient that is white."""
    whitened, dual = gradient, probe
    for axis, q in enumerate(factors):
        whitened, dual = along(ops, q, whitened, axis), solved(ops, q, dual, axis)
    return tuple(descended(ops, q, whitened, dual, axis, lr) for axis, q in enumerate(factors))


def descended(ops: Ops, q: Array, whitened: Array, dual: Array, axis: int, lr: Number) -> Array:
    """One factor after its step."""
    if q.shape[0] == q.shape[1]:
        ours, theirs = gram(ops, whitened, axis), gram(ops, dual, axis)
        return q - lr / (norm_bound(ops, ours + theirs) + TINY) * ops.triu(ours - theirs) @ q
    ours, theirs = squares(ops, whitened, axis), squares(ops, dual, axis)
    return q - lr / (ops.max(ours + theirs) + TINY) * (ours - theirs) * q


def balanced(ops: Ops, factors: tuple[Array, ...]) -> tuple[Array, ...]:
    """Factors whose largest entries are alike; their product is what it was."""
    sizes = [ops.max(ops.abs(q)) for q in factors]
    mean = 1.0
    for size in sizes:
        mean = mean * size ** (1 / len(sizes))
    return tuple(mean / size * q for q, size in zip(factors, sizes, strict=True))


@optimizer(
    start=psgd_kron_start,
    conventions={"torch": {}, "optax": {}},
    spellings={"b1": "momentum", "preconditioner_lr": "precond_lr"},
    elsewhere={
        "torch": "kron_torch.Kron; of github.com/evanatyourservice/kron_torch; balances at random, draws other probes, and "
                 "takes its preconditioner in float32",
        "optax": "psgd_jax.kron; of github.com/evanatyourservice/psgd_jax; its stacked layers are not expressed here",
        "also": "Kron, ForeachPSGDKron",
    },
)  # fmt: skip
def psgd_kron(ops: Ops, grad: Array, state: State, param: Array, step: Number, noise: Noise, *, lr: NonNegative = 1e-3,
              momentum: Fraction = 0.9, weight_decay: NonNegative = 0.0, precond_lr: Positive = 0.1, precond_init_scale: Positive = 1.0,
              update_probability: tuple[UnitInterval, Positive, NonNegative, NaturalNumber] = (1.0, 0.03, 0.001, 500),
              max_size_triangular: NaturalNumber = 8192, min_ndim_triangular: Count = 2,
              memory_save_mode: Literal["one_diag", "smart_one_diag", "all_diag"] | None = None,
              momentum_into_precond_update: bool = True, balance_every: Count = 100, seed: Seed = 0,
              maximize: bool = False) -> Update:  # fmt: skip
    """PSGD Kron: momentum times Q^T Q, with Q a Kronecker product of triangular matrices that is learned to make it white.

    Formula, with x' for x multiplied by Q_i along every axis i, and <x, x>_i the inner products of slices along axis i::

        m = momentum * m + (1 - momentum) * grad;   g = m / (1 - momentum**t)
        where Q is due, with v standard normal and w = v multiplied by every Q_i^-T:
            A_i = <g', g'>_i;   B_i = <w, w>_i
            Q_i = Q_i - precond_lr / bound(A_i + B_i) * triu(A_i - B_i) Q_i
        d = g' multiplied by Q_i^T along every axis
        update = -lr * (min(1, 1.1 / rms(d)) * d + weight_decay * param)

    bound is a lower bound of the largest eigenvalue.  Q is due once as many updates have passed as 1 over a probability, which
    is at most p for the first updates, then ``p * exp(-decay * (t - 1 - flat))``, and at least the least:
    ``update_probability=(p, least, decay, flat)``.

    Vectors have a diagonal Q unless min_ndim_triangular is 1, numbers one number.  Of more than two axes each has its factor.

    Args:
        lr: the learning rate, at least 0; about a third of Adam's.
        momentum: decay rate of m, in [0, 1).
        weight_decay: at least 0; decoupled, for parameters of two axes and more.
        precond_lr: the step by which Q is learned, positive.
        precond_init_scale: of Q at first, positive.
        update_probability: ``(p, least, decay, flat)``, of which nothing is drawn; p and least in [0, 1], least not 0.
        max_size_triangular: a longer axis has a diagonal factor; at least 0.
        min_ndim_triangular: parameters of fewer axes have diagonal factors; at least 1.
        memory_save_mode: a diagonal factor for the longest axis (``"one_diag"``), for it where it is longer than each other
            (``"smart_one_diag"``), for all (``"all_diag"``), or None.
        momentum_into_precond_update: learn Q from g rather than from the gradient.
        balance_every: how many steps of Q, at least 1, lie between two at which the sizes of its factors are made alike.
        seed: of v, a whole number; v is a function of it, the parameter's name and the step.
        maximize: ascend.

    Shapes: any.  State: ``momentum_buffer``, as the parameter; ``Q_i`` for each axis, a matrix or a column; ``waited`` and
    ``updates``, counts.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: a hyperparameter that decides the shape of Q, or precond_init_scale, is a schedule.

    References:
        Xi-Lin Li. Preconditioned Stochastic Gradient Descent. 2015. arXiv:1512.04202
        Xi-Lin Li. Black Box Lie Group Preconditioners for SGD. 2022. arXiv:2211.04422
        Omead Pooladzandi, Xi-Lin Li. Curvature-Informed SGD via General Purpose Lie-Group Preconditioners. 2024. arXiv:2402.04553

    Example:
        >>> import lossopt, numpy as np
        >>> kron = lossopt.get_optimizer("psgd_kron", backend="numpy", lr=0.1)
        >>> params = np.array([[3.0, 0.1], [0.2, -4.0]])
        >>> state = kron.init(params)
        >>> for _ in range(300):
        ...     updates, state = kron.update(params, state, params)
        ...     params = params + updates
        >>> bool(np.abs(params).max() < 1.0)
        True
    """
    if maximize:
        grad = -grad
    shape = tuple(param.shape) or (1,)
    buffer = ops.lerp(state.momentum_buffer, grad, 1 - momentum)
    mean = ops.reshape(buffer / ops.bias_correction(momentum, step), shape)
    seen = mean if momentum_into_precond_update else ops.reshape(grad, shape)
    before = tuple(getattr(state, f"Q_{axis}") for axis in range(len(shape)))

    most, least, decay, flat = update_probability
    probability = ops.maximum(most * ops.exp(ops.minimum(-decay * (step - 1 - flat), 0.0)), least)
    due = (state.waited + 1) * probability >= 1
    waited, updates = ops.where(due, 0.0, state.waited + 1), ops.where(due, state.updates + 1, state.updates)

    def after() -> tuple[Array, ...]:
        factors = ops.cond(updates % balance_every < 1, lambda: balanced(ops, before), lambda: before)
        return learned(ops, factors, seen, ops.reshape(noise(seed, step), shape), precond_lr)

    new = ops.cond(due, after, lambda: before)
    direction = mean
    for axis, q in enumerate(new):
        direction = along(ops, transposed(ops, q), along(ops, q, direction, axis), axis)
    size = ops.sqrt(ops.mean(direction * direction))
    direction = ops.reshape(ops.minimum(LARGEST_RMS / (size + 1e-6), 1.0) * direction, tuple(param.shape))
    if len(param.shape) > 1:
        direction = direction + weight_decay * param
    state = state.replace(momentum_buffer=buffer, waited=waited, updates=updates, **{f"Q_{axis}": q for axis, q in enumerate(new)})
    return -lr * direction, state
