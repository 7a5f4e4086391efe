"""MADGRAD: dual averaging with momentum, over the cube root of summed squares."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Fraction, NonNegative, Positive
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


def madgrad_start(ops: Ops, param: Array) -> State:
    return State(grad_sum_sq=ops.zeros_like(param), s=ops.zeros_like(param), x0=param)


@optimizer(
    start=madgrad_start,
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "torch": "madgrad.MADGRAD; its decouple_decay is not expressed here",
        "optax": "optax.contrib.madgrad; no default lr; it takes the root of the step in float32, for float64 parameters too",
    },
)
def madgrad(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-2, momentum: Fraction = 0.9,
            weight_decay: NonNegative = 0.0, eps: Positive = 1e-6) -> Update:  # fmt: skip
    """MADGRAD: from the start along a weighted sum of all gradients, over the cube root of that of their squares.

    Formula, at step t = 1, 2, ..., with x0 the parameter at the start::

        g = grad + weight_decay * param
        k = (lr + eps) * sqrt(t)
        s = s + k * g
        G = G + k * g**2
        z = x0 - s / (cbrt(G) + eps)
        update = (1 - momentum) * (z - param)

    Args:
        lr: the learning rate, at least 0; eps is added to it, so that 0 does not divide by 0.
        momentum: how much of the parameter stays at each step, in [0, 1).
        weight_decay: at least 0; L2 regularization.  What suits SGD is too much here.
        eps: positive; bounds the step where gradients are tiny.

    Shapes: any, elementwise.  State: ``grad_sum_sq`` (G), ``s`` and ``x0``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Aaron Defazio, Samy Jelassi. Adaptivity without Compromise: A Momentumized, Adaptive, Dual Averaged Gradient Method
        for Stochastic Optimization. 2021. arXiv:2101.11075

    Example:
        >>> import lossopt, numpy as np
        >>> madgrad = lossopt.get_optimizer("madgrad", backend="numpy", lr=0.125, momentum=0.5)
        >>> params = np.array([1.0, -8.0])
        >>> updates, state = madgrad.update(params, madgrad.init(params), params)
        >>> updates.round(4)
        array([-0.125,  0.25 ])
    """
    grad = grad + weight_decay * param
    size = (lr + eps) * ops.sqrt(step)
    grad_sum_sq = state.grad_sum_sq + size * grad * grad
    s = state.s + size * grad
    z = state.x0 - s / (grad_sum_sq ** (1 / 3) + eps)
    return (1 - momentum) * (z - param), state.replace(grad_sum_sq=grad_sum_sq, s=s)
