"""Adagrad: the gradient over the root of the sum of all its squares."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


def adagrad_start(ops: Ops, param: Array, *, initial_accumulator_value: float) -> State:
    return State(sum=ops.full_like(param, initial_accumulator_value))


@optimizer(
    start=adagrad_start,
    conventions={
        "torch": {},
        "optax": {"initial_accumulator_value": 0.1, "eps": 1e-7, "eps_inside_root": True},
        "keras": {"lr": 1e-3, "initial_accumulator_value": 0.1, "eps": 1e-7, "eps_inside_root": True, "decoupled": True},
    },
    elsewhere={
        "torch": "torch.optim.Adagrad",
        "optax": "optax.adagrad; the sum starts at 0.1, eps 1e-7 inside the root, no lr_decay, no weight_decay, no default lr",
        "keras": "keras.optimizers.Adagrad; lr 1e-3, the sum starts at 0.1, eps 1e-7 inside the root, decoupled decay",
    },
)
def adagrad(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-2, lr_decay: NonNegative = 0.0,
            weight_decay: NonNegative = 0.0, initial_accumulator_value: NonNegative = 0.0, eps: NonNegative = 1e-10,
            eps_inside_root: bool = False, decoupled: bool = False, maximize: bool = False) -> Update:  # fmt: skip
    """Adagrad: coordinates with small gradients so far take large steps.

    Formula, at step t = 1, 2, ...::

        g = grad + weight_decay * param
        s = s + g**2                                     (s = initial_accumulator_value before t = 1)
        update = -lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    Args:
        lr: the learning rate, at least 0.
        lr_decay: at least 0; the rate falls as ``1 / (1 + (t - 1) * lr_decay)``.
        weight_decay: at least 0; L2 regularization.
        initial_accumulator_value: at least 0; where the sum starts.
        eps: at least 0; bounds the step where gradients are tiny.
        eps_inside_root: divide by ``sqrt(s + eps)`` (optax, keras); where s is 0 the step is then 0, whatever eps is.
        decoupled: decay the parameter, ``update - lr * weight_decay * param``, rather than adding to the gradient.
        maximize: ascend; the gradient is negated before the decay joins it.

    Shapes: any, elementwise.  State: ``sum``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: initial_accumulator_value is a schedule.

    References:
        John Duchi, Elad Hazan, Yoram Singer. Adaptive Subgradient Methods for Online Learning and Stochastic Optimization.
        2011. jmlr.org/papers/v12/duchi11a

    Example:
        >>> import lossopt, numpy as np
        >>> adagrad = lossopt.get_optimizer("adagrad", backend="numpy", lr=0.1)
        >>> params = np.array([3.0, -4.0])
        >>> updates, state = adagrad.update(params, adagrad.init(params), params)
        >>> updates.round(6)
        array([-0.1,  0.1])
    """
    if maximize:
        grad = -grad
    if not decoupled:
        grad = grad + weight_decay * param
    total = state.sum + grad * grad
    direction = ops.where(total > 0, grad / ops.sqrt(total + eps), 0.0) if eps_inside_root else grad / (ops.sqrt(total) + eps)
    update = -(lr / (1 + (step - 1) * lr_decay)) * direction
    return (update - lr * weight_decay * param if decoupled else update), state.replace(sum=total)
