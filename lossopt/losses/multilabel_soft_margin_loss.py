"""Binary cross-entropy of several labels, one value per sample."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.errors import InputError
from lossopt.losses.shared import checks, parts
from lossopt.losses.shared.parts import shape_of
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Any, targets: Any, *, weight: Any = None) -> None:
    checks.binary(ops, predictions, targets, weight=weight)
    if not shape_of(predictions):
        raise InputError("predictions must have the classes on the last axis, got shape (); write predictions.reshape((1, -1))")


@loss(
    check=_check,
    elsewhere={"torch": "torch.nn.functional.multilabel_soft_margin_loss, torch.nn.MultiLabelSoftMarginLoss"},
)
def multilabel_soft_margin_loss(ops: LossOps, predictions: Array, targets: Array, *, weight: Any = None) -> Array:
    """Binary cross-entropy of several labels: the mean over a sample's classes.

        l = -(1 / C) sum_k w_k [t_k log s(x_k) + (1 - t_k) log(1 - s(x_k))],   s(x) = 1 / (1 + exp(-x))

    Args:
        predictions: logits x, floating, shape (N, C) or (C,) or with more axes before: the classes on the last.
        targets: probabilities t in [0, 1], or 0 and 1 in any dtype, in predictions' shape.
        weight: a factor per class, or on each element, broadcast to predictions' shape; the mean still divides by C.

    Returns:
        With reduction "none" predictions' shape without the last axis, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions, integer targets other than 0 and 1.

    References:
        PyTorch, torch.nn.MultiLabelSoftMarginLoss, https://docs.pytorch.org/docs/stable/nn.html.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import multilabel_soft_margin_loss
        >>> print(multilabel_soft_margin_loss(np.array([[0.0, 2.0, -2.0]]), np.array([[1, 1, 0]]), reduction="none").round(4))
        [0.3157]
    """
    values = parts.binary_cross_entropy(ops, predictions, ops.cast(targets, predictions))
    return ops.mean(values if weight is None else values * ops.array(weight, predictions), -1)
