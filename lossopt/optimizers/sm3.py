"""SM3: Adagrad with one accumulator for each row, column and further slice."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Fraction, NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


def largest_along(ops: Ops, x: Array, axis: int) -> Array:
    """The largest of each slice along an axis; all other axes have length 1."""
    for other in range(x.ndim):
        if other != axis:
            x = ops.max(x, other)
    return x


def sm3_start(ops: Ops, param: Array, *, momentum: float) -> State:
    zeros = ops.zeros_like(param)
    slots = {f"accumulator_{axis}": largest_along(ops, zeros, axis) for axis in range(max(len(param.shape), 1))}
    return State(**slots, **({"momentum_buffer": zeros} if momentum else {}))


@optimizer(
    start=sm3_start,
    conventions={"torch": {}, "optax": {"lr": 1e-3, "momentum": 0.9, "eps": 1e-8}},
    elsewhere={
        "torch": "pytorch_optimizer.SM3; its decaying accumulators (beta) are not expressed here",
        "optax": "optax.sm3; momentum 0.9, eps 1e-8, no default lr; fails on a parameter without axes",
    },
)
def sm3(ops: Ops, grad: Array, state: State, param: Array, *, lr: NonNegative = 0.1, momentum: Fraction = 0.0,
        eps: NonNegative = 1e-30) -> Update:  # fmt: skip
    """SM3: the sum of squared gradients of an element is bounded by those of its row and its column.

    Formula, with one accumulator a_i for each axis i of the parameter::

        v = min over i of a_i + grad**2                  each a_i stretched along the other axes
        a_i = max of v over all axes but i
        u = grad / sqrt(v + eps)                         (0 where v is 0)
        m = momentum * m + (1 - momentum) * u            (m = u without momentum)
        update = -lr * m

    Args:
        lr: the learning rate, at least 0.
        momentum: decay rate of the moving average, in [0, 1); 0 keeps none.
        eps: at least 0; bounds the direction where gradients are tiny.

    Shapes: any; a vector has one accumulator of its own size, which is Adagrad.  State: ``accumulator_0``, ``accumulator_1``,
    ... with the parameter's length along that axis and 1 along the others; ``momentum_buffer`` where there is momentum.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: momentum is a schedule.

    References:
        Rohan Anil, Vineet Gupta, Tomer Koren, Yoram Singer. Memory-Efficient Adaptive Optimization. 2019. arXiv:1901.11150

    Example:
        >>> import lossopt, numpy as np
        >>> sm3 = lossopt.get_optimizer("sm3", backend="numpy", lr=0.1)
        >>> params = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, 6.0]])
        >>> updates, (count, slots) = sm3.update(params, sm3.init(params), params)
        >>> slots.accumulator_0.leaves[0].ravel(), slots.accumulator_1.leaves[0].ravel()
        (array([ 9., 36.]), array([16., 25., 36.]))
    """
    axes = range(max(len(param.shape), 1))
    total = state.accumulator_0
    for axis in axes[1:]:
        total = ops.minimum(total, getattr(state, f"accumulator_{axis}"))
    total = total + grad * grad
    state = state.replace(**{f"accumulator_{axis}": largest_along(ops, total, axis) for axis in axes})
    seen = total > 0
    direction = ops.where(seen, grad / ops.sqrt(ops.where(seen, total + eps, 1.0)), 0.0)
    if "momentum_buffer" in state:
        direction = ops.lerp(state.momentum_buffer, direction, 1 - momentum)
        state = state.replace(momentum_buffer=direction)
    return -lr * direction, state
