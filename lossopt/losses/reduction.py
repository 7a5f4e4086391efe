"""Reduction: one separate word, the same for every loss."""

from __future__ import annotations

from typing import Any

from lossopt.ops import LossOps

REDUCTIONS = ("none", "mean", "sum")


def reduce(ops: LossOps, values: Any, weights: Any, reduction: str, *, batch: int) -> Any:
    """Values to a number.

    ============  =======================================================================
    ``none``      the values as they are
    ``sum``       their sum; 0 for an empty batch
    ``mean``      their mean, or with weights ``sum(values) / sum(weights)``; NaN for none
    ``batchmean`` their sum over the batch size
    ============  =======================================================================
    """
    if reduction == "none":
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "batchmean":
        return ops.sum(values) / batch
    return ops.mean(values) if weights is None else ops.sum(values) / ops.sum(weights)
