"""Sparsemax loss over several classes: a cross-entropy whose probabilities can be exactly 0."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.labelled,
    conventions={"torch": {}, "optax": {"axis": -1, "reduction": "none"}},
    elsewhere={"optax": "optax.losses.multiclass_sparsemax_loss; scores of shape (N, C), no reduction"},
)
def multiclass_sparsemax_loss(ops: LossOps, predictions: Array, targets: Array, *, axis: int = 1) -> Array:
    """Sparsemax loss over several classes: 0 as soon as the label's score is 1 above every other.

        l = (1 + sum_{k in S} (x_k**2 - tau**2)) / 2 - x_y
        p = max(x - tau, 0),   tau such that p sums to 1,   S = {k: p_k > 0}

    Its derivative is p - one_hot(y), with p the projection of the scores onto the simplex, which is sparse.

    Args:
        predictions: scores x, floating, shape (N, C), (N, C, d1, ...) or (C,): the classes on `axis`.
        targets: integer labels y in [0, C), predictions' shape without `axis`.
        axis: the class axis: 1 by PyTorch's custom (0 for a single sample), -1 in optax.

    Returns:
        With reduction "none" predictions' shape without `axis`, else a scalar, in the floating dtype of predictions.

    Raises:
        InputError: shapes that do not fit, integer predictions, labels outside [0, C).  Labels that cannot be seen
            (traced, or on an accelerator) give NaN where they are outside.

    A score of -inf is a class of probability 0, whose label costs inf; scores that are all -inf give NaN.

    References:
        Martins, Astudillo: From Softmax to Sparsemax: A Sparse Model of Attention and Multi-Label Classification, 2016,
        arXiv:1602.02068.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import multiclass_sparsemax_loss
        >>> print(multiclass_sparsemax_loss(np.array([[1.5, 0.0], [0.0, 0.0]]), np.array([0, 1]), reduction="none"))
        [0.   0.25]
    """
    axis = parts.class_axis(axis, predictions.shape)
    # A shift of all scores changes nothing; seen from the largest, those of S lie in (-1, 0] and lose no digits.
    scores = predictions - ops.stop_gradient(ops.max(predictions, axis, keepdims=True))
    support = scores > _threshold(ops, ops.stop_gradient(scores), axis)
    chosen = ops.where(support, scores, 0.0)
    size = ops.sum(ops.cast(support, scores), axis)
    tau = (ops.sum(chosen, axis) - 1) / size
    return 0.5 * (1 + ops.sum(chosen * chosen, axis) - size * tau * tau) - ops.pick(scores, targets, axis)


def _threshold(ops: LossOps, scores: Array, axis: int) -> Array:
    """The tau above which the parts of the scores add up to 1: those that count are the first of the sorted ones."""
    ordered = ops.sort(scores, axis)
    rank = ops.cumsum(ops.zeros_like(ordered) + 1, axis)
    counts = 1 + rank * ordered > ops.cumsum(ordered, axis)
    total = ops.sum(ops.where(counts, ordered, 0.0), axis, keepdims=True)
    return (total - 1) / ops.sum(ops.cast(counts, scores), axis, keepdims=True)
