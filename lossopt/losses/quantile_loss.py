"""Quantile loss: an absolute error that charges the two sides differently."""

from __future__ import annotations

from typing import Annotated

from lossopt.definition import loss
from lossopt.hyper import Range
from lossopt.losses.shared import checks
from lossopt.ops import Array, LossOps


@loss(
    check=checks.regression,
    spellings={"q": "quantile", "alpha": "quantile", "tau": "quantile"},
    elsewhere={
        "sklearn": "sklearn.metrics.mean_pinball_loss; alpha for quantile, targets first",
        "also": "pinball_loss, mean_pinball_loss, check_loss",
    },
)
def quantile_loss(ops: LossOps, predictions: Array, targets: Array, *,
                  quantile: Annotated[float, Range(0, 1, open_low=True, open_high=True)] = 0.5) -> Array:  # fmt: skip
    """Quantile (pinball) loss, element by element: least where x is that quantile of t.

        l = max(q e, (q - 1) e),   e = t - x

    At e = 0 the derivative in x is 1/2 - q, the middle of the two sides; at q = 1/2 the loss is half the absolute error.

    Args:
        predictions: x, floating, any shape.
        targets: t, floating, the same shape: nothing broadcasts.
        quantile: q in (0, 1); above 1/2 it costs more to predict too little.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions or targets.

    References:
        Koenker, Bassett: Regression Quantiles, Econometrica 46, 1978.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import quantile_loss
        >>> print(quantile_loss(np.array([1.0, 1.0]), np.array([3.0, 0.0]), quantile=0.9, reduction="none").round(4))
        [1.8 0.1]
    """
    error = targets - predictions
    return ops.maximum(quantile * error, (quantile - 1) * error)
