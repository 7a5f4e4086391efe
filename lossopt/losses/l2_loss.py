"""Half the squared error."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.losses.shared import checks
from lossopt.ops import Array, LossOps


@loss(
    check=checks.regression,
    elsewhere={
        "torch": "none of its own; half of torch.nn.functional.mse_loss",
        "optax": "optax.l2_loss; no reduction",
        "also": "half_squared_error, half_mse_loss",
    },
)
def l2_loss(ops: LossOps, predictions: Array, targets: Array) -> Array:
    """Half the squared error, element by element: its derivative is the error.

        l = (x - t)**2 / 2

    It is half of mse_loss, under a name that many use for the whole.

    Args:
        predictions: x, floating, any shape.
        targets: t, floating, the same shape: nothing broadcasts.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions or targets.

    References:
        Bishop: Pattern Recognition and Machine Learning, 2006, section 1.5.5.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import l2_loss
        >>> float(l2_loss(np.array([3.0, 0.0]), np.array([1.0, 0.0])))
        1.0
    """
    error = predictions - targets
    return 0.5 * error * error
