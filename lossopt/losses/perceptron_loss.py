"""Perceptron loss of scores and signs."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(check=checks.signed, elsewhere={"optax": "optax.losses.perceptron_loss; no reduction, half the slope at 0"})
def perceptron_loss(ops: LossOps, predictions: Array, targets: Array) -> Array:
    """Perceptron loss of scores and signs, element by element: the hinge loss without its margin.

        l = max(0, -t x)

    At x = 0 the derivative is -t, that of the rising side, so that a model begun at 0 moves.

    Args:
        predictions: scores x, floating, any shape.
        targets: t, 1 or -1 in any real dtype, in predictions' shape.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of predictions.

    Raises:
        InputError: shapes that differ, integer predictions, targets other than 1 and -1.  Targets that cannot be seen (traced,
            or on an accelerator) give NaN where they are neither.

    References:
        Rosenblatt: The perceptron: A probabilistic model for information storage and organization in the brain,
        Psychological Review 65, 1958.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import perceptron_loss
        >>> print(perceptron_loss(np.array([2.0, -0.5, 0.5]), np.array([1, 1, -1]), reduction="none"))
        [0.  0.5 0.5]
    """
    return ops.clamp_min(-parts.signs(ops, targets, predictions) * predictions, 0.0)
