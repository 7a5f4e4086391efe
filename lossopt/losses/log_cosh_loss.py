"""Logarithm of the hyperbolic cosine of the error."""

from __future__ import annotations

import math

from lossopt.definition import loss
from lossopt.losses.shared import checks
from lossopt.ops import Array, LossOps


@loss(
    check=checks.regression,
    conventions={"torch": {}, "optax": {"reduction": "none"}, "keras": {}},
    elsewhere={
        "optax": "optax.losses.log_cosh; no reduction, and it broadcasts",
        "keras": "keras.losses.LogCosh; targets first",
        "also": "logcosh, log_cosh_error",
    },
)
def log_cosh_loss(ops: LossOps, predictions: Array, targets: Array) -> Array:
    """Logarithm of the hyperbolic cosine of the error, element by element: a smooth absolute error.

        l = log cosh(e) = |e| + log(1 + exp(-2 |e|)) - log 2,   e = x - t

    Near 0 it is e**2 / 2, far from 0 it is |e| - log 2, and its derivative is tanh(e).  The second form overflows nowhere;
    it is exact to a rounding of log 2, so that an error below the root of that rounding costs 0 or as little.

    Args:
        predictions: x, floating, any shape.
        targets: t, floating, the same shape: nothing broadcasts.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions or targets.

    References:
        Chen, Chen, Bao, Yang, Chen: Log Hyperbolic Cosine Loss Improves Variational Auto-Encoder, 2019.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import log_cosh_loss
        >>> print(log_cosh_loss(np.array([1.0, 20.0]), np.array([0.0, 0.0]), reduction="none").round(4))
        [ 0.4338 19.3069]
    """
    size = ops.abs(predictions - targets)
    return size + ops.softplus(-2.0 * size) - math.log(2.0)
