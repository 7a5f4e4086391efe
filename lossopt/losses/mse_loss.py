"""Squared error."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.regression,
    conventions={"torch": {}, "optax": {"reduction": "none"}, "keras": {}},
    elsewhere={
        "torch": "torch.nn.functional.mse_loss, torch.nn.MSELoss",
        "optax": "optax.squared_error; no reduction; l2_loss is half of it",
        "keras": "keras.losses.MeanSquaredError; targets first",
        "also": "mse, mean_squared_error",
    },
)
def mse_loss(ops: LossOps, predictions: Array, targets: Array, *, weight: Any = None) -> Any:
    """Squared error, element by element; its mean is the mean squared error.

        l = weight (x - t)**2           mean = sum(l) / sum(weight)

    Args:
        predictions: x, floating, any shape.
        targets: t, floating, the same shape: nothing broadcasts.
        weight: a factor on each element, broadcast to predictions' shape; the mean then divides by their sum.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions or targets, a weight that does not fit.

    References:
        Bishop: Pattern Recognition and Machine Learning, 2006, section 1.5.5 (with a half).

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import mse_loss
        >>> float(mse_loss(np.array([3.0, 0.0]), np.array([1.0, 0.0])))
        2.0
    """
    error = predictions - targets
    return parts.weighted(ops, error * error, weight)
