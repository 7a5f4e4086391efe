"""Perceptron loss over several classes."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.labelled,
    conventions={"torch": {}, "optax": {"axis": -1, "reduction": "none"}},
    elsewhere={"optax": "optax.losses.multiclass_perceptron_loss; classes on the last axis, no reduction"},
)
def multiclass_perceptron_loss(ops: LossOps, predictions: Array, targets: Array, *, axis: int = 1) -> Array:
    """Perceptron loss over several classes: how far the best score is above the label's.

        l = max_k x_k - x_y

    Best scores that are equal share the derivative of the maximum equally.

    Args:
        predictions: scores x, floating, shape (N, C), (N, C, d1, ...) or (C,): the classes on `axis`.
        targets: integer labels in [0, C), predictions' shape without `axis`.
        axis: the class axis: 1 by PyTorch's custom (0 for a single sample), -1 in optax.

    Returns:
        With reduction "none" predictions' shape without `axis`, else a scalar, in the floating dtype of predictions.

    Raises:
        InputError: shapes that do not fit, integer predictions, labels outside [0, C).  Labels that cannot be seen
            (traced, or on an accelerator) give NaN where they are outside.

    References:
        Collins: Discriminative Training Methods for Hidden Markov Models: Theory and Experiments with Perceptron
        Algorithms, EMNLP 2002.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import multiclass_perceptron_loss
        >>> print(multiclass_perceptron_loss(np.array([[2.0, 0.5], [2.0, 0.5]]), np.array([0, 1]), reduction="none"))
        [0.  1.5]
    """
    axis = parts.class_axis(axis, predictions.shape)
    return ops.max(predictions, axis) - ops.pick(predictions, targets, axis)
