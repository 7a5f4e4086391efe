"""MoMo's step size, from an averaged linear model of the loss that is cut off at a lower bound.  A helper of two pages."""

from __future__ import annotations

from lossopt.ops import Number, Ops

VANISHED = 2.0**-52
"""A squared norm of the averaged gradient up to this moves nothing."""


def step_size(ops: Ops, *, lr: Number, weight_decay: Number, level: Number, slope: Number, square: Number, correction: Number,
              bound: Number, floor: Number, adapt: bool) -> tuple[Number, Number]:  # fmt: skip
    """How far to go along the averaged gradient, and the next lower bound.

    Args:
        ops: the words.
        lr: the largest step, before the correction.
        weight_decay: decoupled.
        level: mean of ``loss - <gradient, params>`` so far: the averaged model at zero.
        slope: ``<averaged gradient, params>``; level + slope is the averaged model here.
        square: the squared norm of the averaged gradient.
        correction: what the averages have seen of 1 so far; 1 where the first gradient entered whole.
        bound: the lower bound so far.
        floor: no bound goes below it.
        adapt: move the bound.
    """
    growth = 1 + lr * weight_decay
    reach = growth * level + slope
    if adapt:
        lowered = ops.maximum(reach / (2 * correction * growth), floor)
        bound = ops.where(reach < growth * correction * bound, lowered, bound)
    gap = ops.maximum(reach - growth * correction * bound, 0.0)
    size = ops.where(square <= VANISHED, 0.0, ops.minimum(lr / correction, gap / ops.maximum(square, VANISHED)))
    if adapt:
        bound = ops.maximum((level + slope - 0.5 * size * square) / correction, floor)
    return size, bound
