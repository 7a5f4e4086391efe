"""COCOB: learning as betting on a coin, without a learning rate."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import NonNegative, Positive
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


def cocob_start(ops: Ops, param: Array, *, eps: float) -> State:
    return State(
        p0=param, grad_sum=ops.zeros_like(param), scale=ops.full_like(param, eps), abs_sum=ops.zeros_like(param),
        reward=ops.zeros_like(param),
    )  # fmt: skip


@optimizer(
    start=cocob_start,
    conventions={"torch": {}, "optax": {}},
    elsewhere={"optax": "optax.contrib.cocob"},
)
def cocob(ops: Ops, grad: Array, state: State, param: Array, *, lr: NonNegative = 1.0, alpha: NonNegative = 100.0, eps: Positive = 1e-8,
          weight_decay: NonNegative = 0.0) -> Update:  # fmt: skip
    """COCOB: each coordinate bets a part of what it has won so far on the sign of its next gradient.

    Formula, with p0 the parameter at the start::

        g = lr * (grad + weight_decay * param)
        L = max(L, abs(g))                                   (eps at first: the largest gradient)
        A = A + abs(g)
        R = max(R - g * (param - p0), 0)                     (the reward)
        C = C + g
        update = p0 - C / (L * max(A + L, alpha * L)) * (L + R) - param

    Args:
        lr: a factor on the gradient, at least 0; the algorithm has none, and leaves it at 1.
        alpha: at least 0; how small the first bets are: the first step moves about ``1 / alpha``.
        eps: positive; the largest gradient before the first.
        weight_decay: at least 0; L2 regularization.

    Shapes: any, elementwise.  State: ``p0``, ``grad_sum`` (C), ``scale`` (L), ``abs_sum`` (A) and ``reward`` (R), as the
    parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: eps is a schedule.

    References:
        Francesco Orabona, Tatiana Tommasi. Training Deep Networks without Learning Rates Through Coin Betting. 2017.
        arXiv:1705.07795

    Example:
        >>> import lossopt, numpy as np
        >>> cocob = lossopt.get_optimizer("cocob", backend="numpy", alpha=10.0)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = cocob.update(params, cocob.init(params), params)
        >>> updates.round(6)
        array([-0.1,  0.1])
    """
    grad = lr * (grad + weight_decay * param)
    scale = ops.maximum(state.scale, ops.abs(grad))
    abs_sum = state.abs_sum + ops.abs(grad)
    reward = ops.maximum(state.reward - grad * (param - state.p0), 0.0)
    grad_sum = state.grad_sum + grad
    bet = grad_sum / (scale * ops.maximum(abs_sum + scale, alpha * scale))
    update = state.p0 - bet * (scale + reward) - param
    return update, state.replace(grad_sum=grad_sum, scale=scale, abs_sum=abs_sum, reward=reward)
