"""Schedule-free averaging: gradients at y, between a fast sequence z and its average x.  A helper of several pages."""

from __future__ import annotations

from typing import Annotated

from lossopt.hyper import Number, Range
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State

Inside = Annotated[float, Range(0, 1, open_low=True, open_high=True)]
"""y's place between z and x: at 0 x could not be told from y and z, at 1 z would have no say."""


def average_of(ops: Ops, state: State, y: Array, beta: Number) -> Array:
    """x, which is not stored: ``y = (1 - beta) * z + beta * x``, solved for x."""
    return ops.lerp(state.z, y, 1 / beta)


def moved(ops: Ops, state: State, y: Array, change: Array, *, lr: Number, beta: Number, power: Number) -> Update:
    """The step of y when z takes the step `change`, and the state after it.

    With ``c = w / (sum of all w so far)`` and ``w = (largest lr so far)**power``, x moves to ``(1 - c) * x + c * z``.
    """
    lr_max = ops.maximum(state.lr_max, lr)
    weight = lr_max**power
    weight_sum = state.weight_sum + weight
    share = weight / ops.maximum(weight_sum, 1e-30)  # a warm-up from lr=0 begins with 0 / 0
    update = share * (state.z - y) + (1 - beta * (1 - share)) * change
    return update, state.replace(z=state.z + change, weight_sum=weight_sum, lr_max=lr_max)
