"""Reduction: one separate word, the same for every loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lossopt.errors import InputError
from lossopt.ops import LossOps

REDUCTIONS = ("none", "mean", "sum")
"""What a loss takes unless its page says otherwise; kl_div takes batchmean too."""


@dataclass(frozen=True)
class Averaged:
    """In the place of weights: other values, whose mean is the loss's mean (ctc_loss divides each by its target's length)."""

    values: Any


def reduce(ops: LossOps, values: Any, weights: Any, reduction: str, *, batch: int) -> Any:
    """Values to a number.

    ============  ===========================================================================================
    ``none``      the values as they are
    ``sum``       their sum; 0 for an empty batch
    ``mean``      their mean, or with weights ``sum(values) / sum(weights)``: NaN where every weight is 0,
                  so where every label is the ignored one, as in PyTorch
    ``batchmean`` their sum over the batch size
    ============  ===========================================================================================
    """
    if reduction == "none":
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "batchmean":
        return ops.sum(values) / batch
    if isinstance(weights, Averaged):
        return ops.mean(weights.values)
    return ops.mean(values) if weights is None else ops.sum(values) / ops.sum(weights)


def check_not_empty(name: str, shape: tuple[int, ...], reduction: str) -> None:
    """Raise InputError where a mean would be 0 / 0."""
    if reduction in ("mean", "batchmean") and 0 in tuple(shape):
        raise InputError(
            f"{name} is empty, shape {tuple(shape)}, and the {reduction} of nothing is undefined; skip the batch or write reduction='sum'"
        )
