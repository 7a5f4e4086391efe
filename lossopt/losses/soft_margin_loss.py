"""Logistic loss of scores and signs."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.signed,
    elsewhere={
        "torch": "torch.nn.functional.soft_margin_loss, torch.nn.SoftMarginLoss; inf below a score of -89 in float32; takes any target",
        "also": "logistic_loss",
    },
)
def soft_margin_loss(ops: LossOps, predictions: Array, targets: Array) -> Array:
    """Logistic loss of scores and signs, element by element.

        l = log(1 + exp(-t x))

    It is binary_cross_entropy_with_logits of the targets (1 + t) / 2, and finite for every finite score.

    Args:
        predictions: scores x, floating, any shape.
        targets: t, 1 or -1 in any real dtype, in predictions' shape.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of predictions.

    Raises:
        InputError: shapes that differ, integer predictions, targets other than 1 and -1.  Targets that cannot be seen (traced,
            or on an accelerator) give NaN where they are neither.

    References:
        Hastie, Tibshirani, Friedman: The Elements of Statistical Learning, 2009, section 10.6.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import soft_margin_loss
        >>> print(soft_margin_loss(np.array([0.0, -200.0]), np.array([1, 1]), reduction="none").round(4))
        [  0.6931 200.    ]
    """
    return ops.softplus(-parts.signs(ops, targets, predictions) * predictions)
