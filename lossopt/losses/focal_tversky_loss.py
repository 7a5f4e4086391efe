"""Focal Tversky loss for segmentation: the Tversky loss with more weight on what is missed most."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.hyper import NonNegative, Positive
from lossopt.losses.shared import checks, overlap
from lossopt.losses.shared.overlap import Weighed
from lossopt.losses.shared.parts import Activation
from lossopt.ops import Array, LossOps


@loss(
    check=checks.segmentation,
    conventions={"torch": {}, "optax": {"axis": -1, "reduction": "none"}},
    spellings={"class_weights": "weight"},
    elsewhere={"also": "FocalTverskyLoss"},
)
def focal_tversky_loss(ops: LossOps, predictions: Array, targets: Array, *, alpha: NonNegative = 0.3, beta: NonNegative = 0.7,
                       gamma: Positive = 4 / 3, alpha_on: Weighed = "false_positives", smooth: NonNegative = 1.0,
                       activation: Activation = "auto", weight: Any = None, ignore_background: bool = False, batch: bool = False,
                       axis: int | None = 1) -> Array:  # fmt: skip
    """Focal Tversky loss for segmentation, one value per sample: the mean over its classes.

        l_c = (1 - (I + smooth) / (I + alpha FP + beta FN + smooth))**(1 / gamma)
        I = sum p t          FP = sum p (1 - t)          FN = sum (1 - p) t

    with the sums over every axis but the samples (0) and the classes, and of the samples too with batch=True.  The paper sums
    over the classes.  At l_c = 0 the derivative is 0.

    Args:
        predictions: logits (or with activation "none" probabilities p), floating, shape (N, C, d1, ...): the classes on
            `axis`; with axis=None one binary mask per sample, shape (N, d1, ...).
        targets: masks t in predictions' shape, probabilities or 0 and 1 in any dtype; or integer labels in [0, C)
            without the class axis.
        alpha, beta: what a false positive and a false negative cost, 0 or above.
        gamma: positive, by the paper in [1, 3]; 1 is the Tversky loss.  Some write the exponent itself, 0.75, as gamma.
        alpha_on: what alpha weighs; "false_negatives" is the paper, whose alpha is 0.7.
        smooth: added above and below; positive keeps an empty mask from 0 / 0.
        activation: "softmax", "sigmoid" (classes that overlap), "none", or "auto": sigmoid for one class, else softmax.
        weight: one factor per class, a list or an array of shape (C,).
        ignore_background: leave class 0 out of the mean over classes.
        batch: one overlap for the whole batch, its samples together.
        axis: the class axis, 1 by PyTorch's custom, -1 by optax's; None where there is none.

    Returns:
        With reduction "none" shape (N,), or () with batch=True, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer predictions, masks other than 0 and 1, labels outside [0, C).

    References:
        Abraham, Khan: A Novel Focal Tversky loss function with improved Attention U-Net for lesion segmentation, 2018,
        arXiv:1810.07842.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import focal_tversky_loss
        >>> mask = np.array([[1.0, 1.0, 0.0, 0.0]])
        >>> round(float(focal_tversky_loss(np.array([[9.0, 9.0, -9.0, 9.0]]), mask, axis=None)), 4)
        0.1656
    """
    if alpha_on == "false_negatives":
        alpha, beta = beta, alpha
    values = overlap.by_class(ops, predictions, targets, axis, activation, alpha=alpha, beta=beta, smooth=smooth, batch=batch)
    return overlap.over_classes(ops, ops.power(values, 1 / gamma), axis, weight, ignore_background)
