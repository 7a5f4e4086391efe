"""Cross-entropy of logits and class probabilities in which 0 log 0 is 0."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Any, targets: Any, *, axis: int = 1) -> None:
    checks.floating(targets=targets)
    checks.classification(ops, predictions, targets, axis=axis)


@loss(
    check=_check,
    conventions={"torch": {}, "optax": {"axis": -1, "reduction": "none"}},
    elsewhere={
        "torch": "none of its own; torch.nn.functional.cross_entropy is NaN there",
        "optax": "optax.losses.safe_softmax_cross_entropy; classes on the last axis, no reduction, and its derivative in a target of 0 "
        "on a logit of -inf is inf",
    },
)
def safe_softmax_cross_entropy(ops: LossOps, predictions: Array, targets: Array, *, axis: int = 1) -> Array:
    """Cross-entropy of logits and class probabilities in which a class of probability 0 may have the logit -inf.

        l = -sum_k t_k log p_k,   p = softmax(predictions),   0 log 0 = 0

    It is cross_entropy of probabilities, except that a target of 0 on a logit of -inf adds 0 rather than NaN: masks may
    be written into the logits.

    Args:
        predictions: logits, floating, shape (N, C), (N, C, d1, ...) or (C,): the classes on `axis`.
        targets: class probabilities t, floating, in predictions' shape.
        axis: the class axis: 1 by PyTorch's custom (0 for a single sample), -1 in optax.

    Returns:
        With reduction "none" predictions' shape without `axis`, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer predictions or targets.

    A positive target on a logit of -inf costs inf; logits that are all -inf give NaN.

    References:
        Blondel, Martins, Niculae: Learning with Fenchel-Young Losses, 2020, arXiv:1901.02324.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import safe_softmax_cross_entropy
        >>> print(safe_softmax_cross_entropy(np.array([[0.0, 0.0, -np.inf]]), np.array([[1.0, 0.0, 0.0]])).round(4))
        0.6931
    """
    axis = parts.class_axis(axis, predictions.shape)
    log_probs = ops.log_softmax(predictions, axis)
    nothing = (targets == 0) & (log_probs == -float("inf"))
    return -ops.sum(targets * ops.where(nothing, 0.0, log_probs), axis)
