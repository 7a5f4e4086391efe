"""Binary cross-entropy of logits."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.binary,
    conventions={"torch": {}, "optax": {"reduction": "none"}, "keras": {}},
    elsewhere={
        "torch": "torch.nn.functional.binary_cross_entropy_with_logits, torch.nn.BCEWithLogitsLoss; refuses integer targets",
        "optax": "optax.sigmoid_binary_cross_entropy; no weights, no reduction",
        "keras": "none of its own; keras.losses.BinaryCrossentropy with from_logits=True, targets first",
        "also": "bce_with_logits, sigmoid_cross_entropy",
    },
)
def binary_cross_entropy_with_logits(ops: LossOps, predictions: Array, targets: Array, *, weight: Any = None,
                                     pos_weight: Any = None) -> Array:  # fmt: skip
    """Binary cross-entropy of logits, element by element.

        l = -weight [pos_weight t log s(x) + (1 - t) log(1 - s(x))],   s(x) = 1 / (1 + exp(-x))

    Args:
        predictions: logits x, floating, any shape.
        targets: probabilities t in [0, 1], or 0 and 1 in any dtype, in predictions' shape.
        weight: a factor on each element, broadcast to predictions' shape; the mean still divides by their number.
        pos_weight: a factor on the positive term, one number or one per entry of the last axes; above 1 it favours
            recall, below 1 precision.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions, integer targets other than 0 and 1.

    Finite for every finite logit; a logit of inf or -inf gives NaN, as in PyTorch.

    References:
        Goodfellow, Bengio, Courville: Deep Learning, 2016, section 6.2.2.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import binary_cross_entropy_with_logits
        >>> round(float(binary_cross_entropy_with_logits(np.array([0.0, 2.0]), np.array([1, 1]), pos_weight=3.0)), 4)
        1.2301
    """
    values = parts.binary_cross_entropy(ops, predictions, ops.cast(targets, predictions), pos_weight)
    return values if weight is None else values * ops.array(weight, predictions)
