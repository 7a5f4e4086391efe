"""Huber loss: squared near 0, absolute beyond."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.hyper import Positive
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.regression,
    conventions={"torch": {}, "optax": {"reduction": "none"}, "keras": {}},
    elsewhere={
        "torch": "torch.nn.functional.huber_loss, torch.nn.HuberLoss",
        "optax": "optax.huber_loss; no reduction, and it broadcasts",
        "keras": "keras.losses.Huber; targets first",
        "also": "huber",
    },
)
def huber_loss(ops: LossOps, predictions: Array, targets: Array, *, delta: Positive = 1.0, weight: Any = None) -> Array:
    """Huber loss, element by element: squared up to delta, absolute beyond.

        l = e**2 / 2                    |e| <= delta,   e = x - t
        l = delta (|e| - delta / 2)     |e| > delta

    It is ``delta * smooth_l1_loss(beta=delta)``.

    Args:
        predictions: x, floating, any shape.
        targets: t, floating, the same shape: nothing broadcasts.
        delta: where the two branches meet, positive, in the units of the error.
        weight: a factor on each element, broadcast to predictions' shape; the mean still divides by their number, as
            PyTorch's does here and does not in mse_loss and l1_loss.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions or targets, a weight that does not fit.

    References:
        Huber: Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35, 1964.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import huber_loss
        >>> print(huber_loss(np.array([0.5, 3.0]), np.array([0.0, 0.0]), reduction="none"))
        [0.125 2.5  ]
    """
    values = parts.huber(ops, predictions - targets, delta)
    return values if weight is None else values * ops.array(weight, predictions)
