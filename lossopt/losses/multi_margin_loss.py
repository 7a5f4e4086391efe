"""Margin loss of a label against every other class."""

from __future__ import annotations

from typing import Any, Literal

from lossopt.definition import loss
from lossopt.hyper import Finite
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.labelled,
    conventions={"torch": {}, "optax": {"axis": -1, "reduction": "none"}},
    elsewhere={"torch": "torch.nn.functional.multi_margin_loss, torch.nn.MultiMarginLoss; one or two axes, no second derivative"},
)
def multi_margin_loss(ops: LossOps, predictions: Array, targets: Array, *, p: Literal[1, 2] = 1, margin: Finite = 1.0,
                      weight: Any = None, axis: int = 1) -> Array:  # fmt: skip
    """Margin loss of a label against every other class, summed over the classes and divided by their number.

        l = (w_y / C) sum_{k != y} max(0, margin - x_y + x_k)**p

    It divides by C, not by the C - 1 terms of the sum, and its mean by the number of samples, not by their weights.  Where
    the maximum's two sides are equal the derivative is 0, as PyTorch has it here (and not in its other margin losses).
    multiclass_hinge_loss has the largest term in the place of the sum.

    Args:
        predictions: scores x, floating, shape (N, C), (N, C, d1, ...) or (C,): the classes on `axis`.
        targets: integer labels in [0, C), predictions' shape without `axis`.
        p: the exponent, 1 or 2.
        margin: how much higher the label's score is to be, in units of the scores.
        weight: one factor per class, a list or an array of shape (C,); None is 1 each.
        axis: the class axis: 1 in PyTorch (0 for a single sample), -1 by optax's custom.

    Returns:
        With reduction "none" predictions' shape without `axis`, else a scalar, in the floating dtype of predictions.

    Raises:
        InputError: shapes that do not fit, integer predictions, labels outside [0, C).  Labels that cannot be seen
            (traced, or on an accelerator) give NaN where they are outside.

    References:
        Weston, Watkins: Support Vector Machines for Multi-Class Pattern Recognition, ESANN 1999.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import multi_margin_loss
        >>> print(multi_margin_loss(np.array([[0.1, 0.2, 0.4, 0.8]]), np.array([3]), reduction="none").round(4))
        [0.325]
    """
    axis = parts.class_axis(axis, predictions.shape)
    classes = predictions.shape[axis]
    label = ops.one_hot(targets, classes, axis, predictions) == 1
    short = margin - parts.beside(ops.pick(predictions, targets, axis), axis) + predictions
    short = ops.where(label | (short <= 0), 0.0, short)
    values = ops.sum(short if p == 1 else short * short, axis) / classes
    return values if weight is None else values * ops.take(weight, targets, predictions)
