"""Focal loss over several classes: cross-entropy that turns down what is already classified well."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.hyper import NonNegative
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.labelled,
    conventions={
        "torch": {},
        "optax": {"axis": -1, "ignore_index": None, "reduction": "none"},
        "keras": {"alpha": 0.25, "axis": -1, "ignore_index": None},
    },
    elsewhere={
        "keras": "keras.losses.CategoricalFocalCrossentropy; with from_logits=True and one-hot targets first; alpha 0.25",
        "monai": "monai.losses.FocalLoss; with use_softmax=True and to_onehot_y=True",
    },
)
def focal_loss(ops: LossOps, predictions: Array, targets: Array, *, alpha: NonNegative | tuple[NonNegative, ...] = 1.0,
               gamma: NonNegative = 2.0, ignore_index: int | None = -100, axis: int = 1) -> Any:  # fmt: skip
    """Focal loss over several classes: cross-entropy that turns down what is already classified well.

        l = -alpha_y (1 - p_y)**gamma log p_y,   p = softmax(predictions)          mean = sum(l) / number of kept labels

    With alpha = 1 and gamma = 0 it is the cross-entropy.  ``1 - p_y`` is the sum of the other classes' probabilities,
    which keeps its digits, and its gradient, where p_y rounds to 1.

    Args:
        predictions: logits, floating, shape (N, C), (N, C, d1, ...) or (C,): the classes on `axis`.
        targets: integer labels in [0, C), predictions' shape without `axis`.
        alpha: a factor, or one factor per class as a list or an array of shape (C,).  The mean does not divide by it.
        gamma: the exponent of the modulating factor, positive or zero.
        ignore_index: the label that counts nowhere; None ignores no label.  The mean where all are ignored is NaN.
        axis: the class axis: 1 by PyTorch's custom (0 for a single sample), -1 by optax's and keras's.

    Returns:
        With reduction "none" predictions' shape without `axis`, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer predictions, labels outside [0, C).  Labels that cannot be seen
            (traced, or on an accelerator) give NaN where they are outside.

    References:
        Lin, Goyal, Girshick, He, Dollar: Focal Loss for Dense Object Detection, 2017, arXiv:1708.02002.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import focal_loss
        >>> print(focal_loss(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([0, 1]), reduction="none").round(4))
        [0.0018 0.1733]
    """
    axis = parts.class_axis(axis, predictions.shape)
    labels, kept = parts.kept_labels(ops, targets, ignore_index)
    nll, counts = parts.weighted_nll(ops, ops.log_softmax(predictions, axis), labels, kept, None, axis)
    others = 1 - ops.one_hot(labels, predictions.shape[axis], axis, predictions)
    missed = ops.sum(ops.softmax(predictions, axis) * others, axis)
    return parts.per_label(ops, alpha, labels, predictions) * ops.power(missed, gamma) * nll, counts
