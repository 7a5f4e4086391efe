"""Absolute error."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.regression,
    conventions={"torch": {}, "optax": {"reduction": "none"}, "keras": {}},
    elsewhere={
        "torch": "torch.nn.functional.l1_loss, torch.nn.L1Loss",
        "keras": "keras.losses.MeanAbsoluteError; targets first",
        "also": "l1, mae, mae_loss, mean_absolute_error",
    },
)
def l1_loss(ops: LossOps, predictions: Array, targets: Array, *, weight: Any = None) -> Any:
    """Absolute error, element by element; its mean is the mean absolute error.

        l = weight |x - t|,   with derivative 0 where x = t          mean = sum(l) / sum(weight)

    Args:
        predictions: x, floating, any shape.
        targets: t, floating, the same shape: nothing broadcasts.
        weight: a factor on each element, broadcast to predictions' shape; the mean then divides by their sum.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions or targets, a weight that does not fit.

    References:
        Hastie, Tibshirani, Friedman: The Elements of Statistical Learning, 2009, section 10.6.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import l1_loss
        >>> float(l1_loss(np.array([3.0, 0.0]), np.array([1.0, 0.0])))
        1.0
    """
    return parts.weighted(ops, ops.abs(predictions - targets), weight)
