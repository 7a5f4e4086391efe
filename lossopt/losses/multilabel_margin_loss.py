"""Margin loss of several labels against the classes that are none of them."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.errors import InputError
from lossopt.losses.shared import checks
from lossopt.losses.shared.parts import shape_of
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Any, targets: Any) -> None:
    checks.floating(predictions=predictions)
    if not shape_of(predictions):
        raise InputError("predictions must have the classes on the last axis, got shape (); write predictions.reshape((1, -1))")
    if not checks.is_integer(targets):
        raise InputError(f"targets must be integer class labels, filled up with -1, got {checks.dtype_of(targets)}; "
                         f"write {checks.to_integer('targets', targets)}")  # fmt: skip
    checks.same_shape(predictions=predictions, targets=targets)
    seen, classes = ops.seen(targets), predictions.shape[-1]
    if seen is not None and ((seen < -1) | (seen >= classes)).any():
        wrong = seen[(seen < -1) | (seen >= classes)][0]
        raise InputError(f"targets has the label {wrong}, but there are {classes} classes, 0 to {classes - 1}, "
                         "and -1 ends a sample's labels")  # fmt: skip


@loss(
    check=_check,
    elsewhere={
        "torch": "torch.nn.functional.multilabel_margin_loss, torch.nn.MultiLabelMarginLoss; one or two axes, no second derivative",
    },
)
def multilabel_margin_loss(ops: LossOps, predictions: Array, targets: Array) -> Array:
    """Margin loss of a sample's labels against the classes that are none of them, divided by the number of classes.

        l = (1 / C) sum_{y of the labels} sum_{k none of them} max(0, 1 - x_y + x_k)

    Where the maximum's two sides are equal the derivative is 0, as PyTorch has it here.  Every pair of classes is formed,
    C**2 numbers per sample.

    Args:
        predictions: scores x, floating, shape (N, C) or (C,) or with more axes before: the classes on the last.
        targets: integer labels in [0, C), in predictions' shape: the first -1 ends a sample's labels, and what comes after
            it counts for nothing.  A label that stands twice counts twice.

    Returns:
        With reduction "none" predictions' shape without the last axis, else a scalar, in the floating dtype of predictions.

    Raises:
        InputError: shapes that differ, integer predictions, labels that are neither -1 nor in [0, C).  Labels that cannot be
            seen (traced, or on an accelerator) give NaN where they are outside.

    References:
        Elisseeff, Weston: A kernel method for multi-labelled classification, NIPS 2001.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import multilabel_margin_loss
        >>> print(multilabel_margin_loss(np.array([[0.1, 0.2, 0.4, 0.8]]), np.array([[3, 0, -1, 1]])).round(4))
        0.85
    """
    classes, last = predictions.shape[-1], len(predictions.shape)
    given = ops.cumsum(ops.cast(targets == -1, predictions), last - 1) == 0
    hot = ops.one_hot(ops.where(given, targets, 0), classes, last, predictions)
    times = ops.sum(ops.where(given[..., None], hot, 0.0), -2)  # how often each class is a label
    short = 1 - predictions[..., :, None] + predictions[..., None, :]
    short = ops.where((times[..., None, :] > 0) | (short <= 0), 0.0, short)
    return ops.sum(times * ops.sum(short, -1), -1) / classes
