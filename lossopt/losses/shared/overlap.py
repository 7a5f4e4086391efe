"""How far masks overlap: what the Dice and Tversky losses share."""

from __future__ import annotations

from typing import Any, Literal

from lossopt.losses.shared import parts
from lossopt.losses.shared.parts import Activation
from lossopt.ops import Array, LossOps, Number

SmoothIn = Literal["both", "denominator"]
Weighed = Literal["false_positives", "false_negatives"]


def tversky(ops: LossOps, probabilities: Array, truth: Array, axis: int | None, *, alpha: Number, beta: Number, smooth: Number,
            squared: bool = False, smooth_in: SmoothIn = "both", batch: bool = False) -> Array:  # fmt: skip
    """``1 - (I + smooth) / (I + alpha FP + beta FN + smooth)``, summed over every axis but the samples and the classes.

    I is ``sum p t``, FP ``sum p (1 - t)`` and FN ``sum t (1 - p)``.  The Dice loss has 1/2 for alpha and beta; with `squared`
    its sizes are those of the squares.  Written with the errors in the numerator, nothing cancels and nothing is below 0.

    Returns:
        Shape (N, C), or (N,) where there is no class axis; with `batch` the samples are summed over too.
    """
    over = tuple(i for i in range(0 if batch else 1, len(probabilities.shape)) if i != axis)
    extra, missed = (probabilities - truth, truth - probabilities) if squared else (1 - truth, 1 - probabilities)
    wrong = alpha * ops.sum(probabilities * extra, over) + beta * ops.sum(truth * missed, over)
    lacking = wrong + smooth if smooth_in == "denominator" else wrong
    return lacking / (ops.sum(probabilities * truth, over) + wrong + smooth)


def by_class(ops: LossOps, predictions: Array, targets: Array, axis: int | None, activation: Activation, **how: Any) -> Array:
    """`tversky` of predictions, and of targets that are masks or labels."""
    axis = None if axis is None else parts.class_axis(axis, predictions.shape)
    probabilities = parts.activated(ops, predictions, activation, axis)
    return tversky(ops, probabilities, parts.masks(ops, predictions, targets, axis), axis, **how)


def over_classes(ops: LossOps, values: Array, axis: int | None, weight: Any, ignore_background: bool) -> Array:
    """The mean over the classes, which are the last axis, of values times their class's weight; class 0 may be left out."""
    if axis is None:
        return values
    last, classes = len(values.shape) - 1, values.shape[-1]
    if weight is not None:
        values = values * ops.along(weight, last, values)
    if ignore_background and classes > 1:
        values = values * ops.along([0.0] + [classes / (classes - 1)] * (classes - 1), last, values)
    return ops.mean(values, last)
