"""Focal loss of independent binary logits."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.hyper import NonNegative, UnitInterval
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.binary,
    conventions={"torch": {}, "optax": {"alpha": None, "reduction": "none"}, "keras": {"alpha": None}},
    elsewhere={
        "torch": "torchvision.ops.sigmoid_focal_loss; its reduction is 'none' by default, and its alpha=-1 is None here",
        "optax": "optax.sigmoid_focal_loss; alpha None by default, no reduction",
        "keras": "keras.losses.BinaryFocalCrossentropy; with from_logits=True; targets first; alpha 0.25 with apply_class_balancing=True",
    },
)
def sigmoid_focal_loss(ops: LossOps, predictions: Array, targets: Array, *, alpha: UnitInterval | None = 0.25,
                       gamma: NonNegative = 2.0) -> Array:  # fmt: skip
    """Focal loss of independent binary logits, element by element.

        l = -alpha_t (1 - p_t)**gamma log p_t,   p_t = t p + (1 - t)(1 - p),   alpha_t = t alpha + (1 - t)(1 - alpha)

    with p = sigmoid(predictions), and for soft targets the binary cross-entropy in the place of -log p_t.  1 - p_t is
    formed from sigmoid(x) and sigmoid(-x), so that value and gradient stay finite and precise for large logits.

    Args:
        predictions: logits, floating, any shape.
        targets: probabilities t in [0, 1], or 0 and 1 in any dtype, in predictions' shape.
        alpha: the weight of the positives in [0, 1]; None leaves both sides unweighted.
        gamma: the exponent of the modulating factor, positive or zero.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions, integer targets other than 0 and 1.

    References:
        Lin, Goyal, Girshick, He, Dollar: Focal Loss for Dense Object Detection, 2017, arXiv:1708.02002.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import sigmoid_focal_loss
        >>> print(sigmoid_focal_loss(np.array([0.0, 3.0]), np.array([1, 0]), reduction="none").round(4))
        [0.0433 2.0747]
    """
    targets = ops.cast(targets, predictions)
    missed = targets * ops.sigmoid(-predictions) + (1 - targets) * ops.sigmoid(predictions)
    values = ops.power(missed, gamma) * parts.binary_cross_entropy(ops, predictions, targets)
    return values if alpha is None else (alpha * targets + (1 - alpha) * (1 - targets)) * values
