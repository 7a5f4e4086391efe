"""Adadelta: steps in the units of the parameters."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Fraction, NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("square_avg", "acc_delta"),
    conventions={"torch": {}, "optax": {}, "keras": {"lr": 1e-3, "rho": 0.95, "eps": 1e-7, "decoupled": True}},
    elsewhere={
        "torch": "torch.optim.Adadelta",
        "optax": "optax.adadelta; its default lr None leaves out the sign, so optax.adadelta() ascends: lr is 1.0 here",
        "keras": "keras.optimizers.Adadelta; lr 1e-3, rho 0.95, eps 1e-7; weight_decay decoupled",
    },
)
def adadelta(ops: Ops, grad: Array, state: State, param: Array, *, lr: NonNegative = 1.0, rho: Fraction = 0.9,
             eps: NonNegative = 1e-6, weight_decay: NonNegative = 0.0, decoupled: bool = False,
             maximize: bool = False) -> Update:  # fmt: skip
    """Adadelta: the gradient times the root mean square of past steps over that of past gradients.

    Formula::

        g = grad + weight_decay * param
        v = rho * v + (1 - rho) * g**2
        d = sqrt(u + eps) / sqrt(v + eps) * g
        u = rho * u + (1 - rho) * d**2
        update = -lr * d

    Args:
        lr: a factor on the step, at least 0; the paper has none, which is 1.
        rho: decay rate of both mean squares, in [0, 1).
        eps: at least 0; the size of the first steps comes from it.
        weight_decay: at least 0; L2 regularization.
        decoupled: decay the parameter, ``update - lr * weight_decay * param``, rather than adding to the gradient.
        maximize: ascend; the gradient is negated before the decay joins it.

    Shapes: any, elementwise.  State: ``square_avg`` (v) and ``acc_delta`` (u), as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Matthew D. Zeiler. ADADELTA: An Adaptive Learning Rate Method. 2012. arXiv:1212.5701

    Example:
        >>> import lossopt, numpy as np
        >>> adadelta = lossopt.get_optimizer("adadelta", backend="numpy")
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = adadelta.update(params, adadelta.init(params), params)
        >>> updates.round(5)
        array([-0.00316,  0.00316])
    """
    if maximize:
        grad = -grad
    if not decoupled:
        grad = grad + weight_decay * param
    square_avg = ops.lerp(state.square_avg, grad * grad, 1 - rho)
    delta = ops.sqrt(state.acc_delta + eps) / ops.sqrt(square_avg + eps) * grad
    acc_delta = ops.lerp(state.acc_delta, delta * delta, 1 - rho)
    update = -lr * delta - lr * weight_decay * param if decoupled else -lr * delta
    return update, state.replace(square_avg=square_avg, acc_delta=acc_delta)
