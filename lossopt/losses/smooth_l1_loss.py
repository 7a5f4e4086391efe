"""Smooth L1 loss: absolute error with a rounded corner."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.hyper import NonNegative
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.regression,
    elsewhere={"torch": "torch.nn.functional.smooth_l1_loss, torch.nn.SmoothL1Loss", "also": "smooth_l1"},
)
def smooth_l1_loss(ops: LossOps, predictions: Array, targets: Array, *, beta: NonNegative = 1.0) -> Array:
    """Smooth L1 loss, element by element: the absolute error with a corner rounded within beta.

        l = e**2 / (2 beta)     |e| < beta,   e = x - t
        l = |e| - beta / 2      otherwise

    It is ``huber_loss(delta=beta) / beta``, and for beta = 0 the absolute error.

    Args:
        predictions: x, floating, any shape.
        targets: t, floating, the same shape: nothing broadcasts.
        beta: where the two branches meet, positive or zero, in the units of the error.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions or targets.

    References:
        Girshick: Fast R-CNN, 2015, arXiv:1504.08083.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import smooth_l1_loss
        >>> print(smooth_l1_loss(np.array([0.5, 3.0]), np.array([0.0, 0.0]), beta=2.0, reduction="none"))
        [0.0625 2.    ]
    """
    error = predictions - targets
    return parts.huber(ops, error, beta) / beta if beta else ops.abs(error)
