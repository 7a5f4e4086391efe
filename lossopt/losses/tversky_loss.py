"""Tversky loss for segmentation: Dice with false positives and false negatives weighed apart."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.hyper import NonNegative
from lossopt.losses.shared import checks, overlap
from lossopt.losses.shared.overlap import SmoothIn, Weighed
from lossopt.losses.shared.parts import Activation
from lossopt.ops import Array, LossOps


@loss(
    check=checks.segmentation,
    conventions={
        "torch": {},
        "optax": {"alpha": 0.5, "beta": 0.5, "axis": -1, "reduction": "none"},
        "keras": {"alpha": 0.5, "beta": 0.5, "alpha_on": "false_negatives", "smooth": 1e-7, "smooth_in": "denominator",
                  "activation": "none", "axis": None, "batch": True},
    },
    spellings={"class_weights": "weight"},
    elsewhere={
        "optax": "no name of its own; optax.losses.dice_loss with its alpha and beta, 0.5 each; classes on the last axis, no reduction",
        "monai": "monai.losses.TverskyLoss; alpha and beta 0.5, smooth 1e-5, no activation unless asked",
        "keras": "keras.losses.Tversky, keras.losses.tversky; of probabilities, the whole batch as one mask; its alpha weighs false "
        "negatives, though its page says positives; targets first",
    },
)
def tversky_loss(ops: LossOps, predictions: Array, targets: Array, *, alpha: NonNegative = 0.3, beta: NonNegative = 0.7,
                 alpha_on: Weighed = "false_positives", smooth: NonNegative = 1.0, activation: Activation = "auto", weight: Any = None,
                 ignore_background: bool = False, smooth_in: SmoothIn = "both", batch: bool = False,
                 axis: int | None = 1) -> Array:  # fmt: skip
    """Tversky loss for segmentation, one value per sample: the mean over its classes.

        l_c = 1 - (I + smooth) / (I + alpha FP + beta FN + smooth)
        I = sum p t          FP = sum p (1 - t)          FN = sum (1 - p) t

    with the sums over every axis but the samples (0) and the classes, and of the samples too with batch=True.  With
    alpha = beta = 0.5 it is the Dice loss; with more weight on FN it finds more of small structures.

    Args:
        predictions: logits (or with activation "none" probabilities p), floating, shape (N, C, d1, ...): the classes on
            `axis`; with axis=None one binary mask per sample, shape (N, d1, ...).
        targets: masks t in predictions' shape, probabilities or 0 and 1 in any dtype; or integer labels in [0, C)
            without the class axis.
        alpha, beta: what a false positive and a false negative cost, 0 or above.
        alpha_on: what alpha weighs; with "false_negatives" alpha and beta change places, as in keras.
        smooth: added above and below; positive keeps an empty mask from 0 / 0.
        activation: "softmax", "sigmoid" (classes that overlap), "none", or "auto": sigmoid for one class, else softmax.
        weight: one factor per class, a list or an array of shape (C,).
        ignore_background: leave class 0 out of the mean over classes.
        smooth_in: "both" as above; "denominator" adds it below only, so that empty masks cost 1; keras.
        batch: one overlap for the whole batch, its samples together; keras.
        axis: the class axis, 1 by PyTorch's custom, -1 by optax's; None where there is none.

    Returns:
        With reduction "none" shape (N,), or () with batch=True, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer predictions, masks other than 0 and 1, labels outside [0, C).

    References:
        Salehi, Erdogmus, Gholipour: Tversky loss function for image segmentation using 3D fully convolutional deep networks,
        2017, arXiv:1706.05721.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import tversky_loss
        >>> mask = np.array([[1.0, 1.0, 0.0, 0.0]])
        >>> round(float(tversky_loss(np.array([[9.0, 9.0, -9.0, 9.0]]), mask, axis=None)), 4)
        0.091
    """
    if alpha_on == "false_negatives":
        alpha, beta = beta, alpha
    values = overlap.by_class(ops, predictions, targets, axis, activation, alpha=alpha, beta=beta, smooth=smooth,
                              smooth_in=smooth_in, batch=batch)  # fmt: skip
    return overlap.over_classes(ops, values, axis, weight, ignore_background)
