"""Cross-entropy of logits with class labels or class probabilities."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.hyper import UnitInterval
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.classification,
    conventions={
        "torch": {},
        "optax": {"axis": -1, "ignore_index": None, "reduction": "none"},
        "keras": {"axis": -1, "ignore_index": None},
    },
    spellings={"ignore_class": "ignore_index", "class_weight": "weight"},
    elsewhere={
        "torch": "torch.nn.functional.cross_entropy, torch.nn.CrossEntropyLoss",
        "optax": "optax.softmax_cross_entropy_with_integer_labels, optax.softmax_cross_entropy; "
        "classes on the last axis, no reduction; a label of -1 is its last class, here an error",
        "keras": "keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalCrossentropy; "
        "with from_logits=True; targets first",
        "also": "cross_entropy_loss, softmax_cross_entropy_loss",
    },
)
def cross_entropy(ops: LossOps, predictions: Array, targets: Array, *, weight: Any = None, ignore_index: int | None = -100,
                  label_smoothing: UnitInterval = 0.0, axis: int = 1) -> Any:  # fmt: skip
    """Cross-entropy of logits with class labels or class probabilities.

    For labels y, with a = label_smoothing, K classes and log p = log_softmax(predictions):

        l = -(1 - a) w_y log p_y - (a / K) sum_k w_k log p_k          mean = sum(l) / sum(w_y)

    and for probabilities t:

        l = -sum_k w_k ((1 - a) t_k + a / K) log p_k                  mean = sum(l) / number of samples

    Args:
        predictions: logits, floating, shape (N, C), (N, C, d1, ...) or (C,): the classes on `axis`.
        targets: integer labels in [0, C), predictions' shape without `axis`; or probabilities in predictions' shape.
        weight: one factor per class, a list or an array of shape (C,); None is 1 each.
        ignore_index: the label that counts nowhere, neither in the sum nor in the mean; None ignores no label.  The
            mean where every label is ignored is NaN.
        label_smoothing: a in [0, 1], the share of the target that is spread over all classes.
        axis: the class axis: 1 in PyTorch (0 for a single sample), -1 in optax and keras.

    Returns:
        With reduction "none" predictions' shape without `axis`, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer predictions, labels outside [0, C).  Labels that cannot be seen
            (traced, or on an accelerator) give NaN where they are outside.

    A logit of -inf is a class of probability 0: its label costs inf, and so does any label under smoothing; a
    probability target of 0 on it gives 0 * inf, NaN, as in PyTorch and optax (safe_softmax_cross_entropy has 0).

    References:
        Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: Rethinking the Inception Architecture for Computer Vision, 2015,
        arXiv:1512.00567 (label smoothing).

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import cross_entropy
        >>> logits, labels = np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([0, 1])
        >>> print(cross_entropy(logits, labels, reduction="none").round(4))
        [0.1269 0.6931]
    """
    axis = parts.class_axis(axis, predictions.shape)
    return parts.cross_entropy(ops, predictions, targets, weight, ignore_index, label_smoothing, axis)
