"""Negative log-likelihood of class labels, given log-probabilities."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.labelled,
    conventions={"torch": {}, "optax": {"axis": -1, "ignore_index": None, "reduction": "none"}},
    elsewhere={"torch": "torch.nn.functional.nll_loss, torch.nn.NLLLoss", "also": "negative_log_likelihood"},
)
def nll_loss(ops: LossOps, predictions: Array, targets: Array, *, weight: Any = None, ignore_index: int | None = -100,
             axis: int = 1) -> Any:  # fmt: skip
    """Negative log-likelihood of class labels, given log-probabilities.

        l = -w_y predictions_y          mean = sum(l) / sum(w_y)

    Args:
        predictions: log-probabilities, floating, shape (N, C), (N, C, d1, ...) or (C,): the classes on `axis`.
        targets: integer labels in [0, C), predictions' shape without `axis`.
        weight: one factor per class, a list or an array of shape (C,); None is 1 each.
        ignore_index: the label that counts nowhere; None ignores no label.  The mean where all are ignored is NaN.
        axis: the class axis: 1 in PyTorch (0 for a single sample), -1 by optax's custom.

    Returns:
        With reduction "none" predictions' shape without `axis`, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer predictions, labels outside [0, C).  Labels that cannot be seen
            (traced, or on an accelerator) give NaN where they are outside.

    References:
        Bishop: Pattern Recognition and Machine Learning, 2006, section 4.3.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import nll_loss
        >>> float(nll_loss(np.array([[-0.25, -1.5], [-3.0, -0.05]]), np.array([0, 0])))
        1.625
    """
    axis = parts.class_axis(axis, predictions.shape)
    labels, kept = parts.kept_labels(ops, targets, ignore_index)
    return parts.weighted_nll(ops, predictions, labels, kept, weight, axis)
