"""PolyLoss: cross-entropy with another coefficient on its first polynomial term."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.hyper import Finite
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Any, targets: Any, *, axis: int = 1, where: Any = None, **_: Any) -> None:
    checks.classification(ops, predictions, targets, axis=axis)
    checks.multiplies("where", where, predictions)


@loss(
    check=_check,
    conventions={"torch": {}, "optax": {"axis": -1, "reduction": "none"}},
    elsewhere={
        "optax": "optax.losses.poly_loss_cross_entropy; of class probabilities only, classes on the last axis, no reduction",
        "also": "poly_loss, poly1_cross_entropy",
    },
)
def poly_loss_cross_entropy(ops: LossOps, predictions: Array, targets: Array, *, epsilon: Finite = 2.0, where: Any = None,
                            axis: int = 1) -> Array:  # fmt: skip
    """PolyLoss: cross-entropy with epsilon more on the first term of its expansion in powers of 1 - p.

        l = sum_k t_k (-log p_k + epsilon (1 - p_k)),   p = softmax(predictions)

    Args:
        predictions: logits, floating, shape (N, C), (N, C, d1, ...) or (C,): the classes on `axis`.
        targets: class probabilities t in predictions' shape; or integer labels in [0, C) without `axis`.
        epsilon: the coefficient; the paper has 2 for classification and -1 for detection.
        where: False (or 0) at classes that are not there for a sample, in a shape that broadcasts to predictions'.  A
            sample without classes costs 0.
        axis: the class axis: 1 by PyTorch's custom (0 for a single sample), -1 in optax.

    Returns:
        With reduction "none" predictions' shape without `axis`, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer predictions, labels outside [0, C).  Labels that cannot be seen
            (traced, or on an accelerator) give NaN where they are outside.

    References:
        Leng, Tan, Liu, Cubuk, Shi, Cheng, Anguelov: PolyLoss: A Polynomial Expansion Perspective of Classification Loss
        Functions, 2022, arXiv:2204.12511.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import poly_loss_cross_entropy
        >>> print(poly_loss_cross_entropy(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([0, 1]), reduction="none").round(4))
        [0.3653 1.6931]
    """
    axis = parts.class_axis(axis, predictions.shape)
    truth = targets if ops.is_floating(targets) else ops.one_hot(targets, predictions.shape[axis], axis, predictions)
    present = None if where is None else ops.array(where, predictions) != 0
    logits = predictions if present is None else ops.where(present, predictions, -float("inf"))
    terms = truth * (epsilon * (1 - ops.softmax(logits, axis)) - ops.log_softmax(logits, axis))
    return ops.sum(terms if present is None else ops.where(present, terms, 0.0), axis)
