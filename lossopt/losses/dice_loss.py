"""Soft Dice loss for segmentation, binary or over several classes."""

from __future__ import annotations

from typing import Any, Literal

from lossopt.definition import loss
from lossopt.hyper import NonNegative
from lossopt.losses.shared import checks, overlap
from lossopt.losses.shared.overlap import SmoothIn
from lossopt.losses.shared.parts import Activation
from lossopt.ops import Array, LossOps


@loss(
    check=checks.segmentation,
    conventions={
        "torch": {},
        "optax": {"smooth_on": "mean", "axis": -1, "reduction": "none"},
        "keras": {"smooth": 1e-7, "smooth_in": "denominator", "activation": "none", "axis": None, "batch": True},
    },
    spellings={"class_weights": "weight", "squared_pred": "squared"},
    elsewhere={
        "optax": "optax.losses.dice_loss; smooth on the mean size, classes on the last axis, no reduction; its alpha and beta are "
        "tversky_loss's",
        "monai": "monai.losses.DiceLoss; smooth 1e-5, no activation unless asked",
        "keras": "keras.losses.Dice, keras.losses.dice; of probabilities, the whole batch as one mask; targets first; "
        "its axis=(1, 2, ...) is batch=False",
    },
)
def dice_loss(ops: LossOps, predictions: Array, targets: Array, *, smooth: NonNegative = 1.0, squared: bool = False,
              activation: Activation = "auto", weight: Any = None, ignore_background: bool = False,
              smooth_on: Literal["sum", "mean"] = "sum", smooth_in: SmoothIn = "both", batch: bool = False,
              axis: int | None = 1) -> Array:  # fmt: skip
    """Soft Dice loss for segmentation, one value per sample: the mean over its classes.

        l_c = 1 - (2 sum p t + smooth) / (sum p + sum t + smooth)               squared=False
        l_c = 1 - (2 sum p t + smooth) / (sum p**2 + sum t**2 + smooth)         squared=True

    with the sums over every axis but the samples (0) and the classes, and of the samples too with batch=True.

    Args:
        predictions: logits (or with activation "none" probabilities p), floating, shape (N, C, d1, ...): the classes on
            `axis`; with axis=None one binary mask per sample, shape (N, d1, ...).
        targets: masks t in predictions' shape, probabilities or 0 and 1 in any dtype; or integer labels in [0, C)
            without the class axis.
        smooth: added above and below; positive keeps an empty mask from 0 / 0.
        squared: squares in the denominator, as V-Net has them.
        activation: "softmax", "sigmoid" (classes that overlap), "none", or "auto": sigmoid for one class, else softmax.
        weight: one factor per class, a list or an array of shape (C,).
        ignore_background: leave class 0 out of the mean over classes.
        smooth_on: "sum" as above, "mean" adds smooth to sum p t over the half of the sizes, so twice as much; optax.
        smooth_in: "both" as above; "denominator" adds it below only, so that empty masks cost 1; keras.
        batch: one overlap for the whole batch, its samples together; keras.
        axis: the class axis, 1 by PyTorch's custom, -1 by optax's; None where there is none.

    Returns:
        With reduction "none" shape (N,), or () with batch=True, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer predictions, masks other than 0 and 1, labels outside [0, C).

    References:
        Milletari, Navab, Ahmadi: V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation,
        2016, arXiv:1606.04797.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import dice_loss
        >>> mask = np.array([[1.0, 1.0, 0.0, 0.0]])
        >>> round(float(dice_loss(np.array([[9.0, 9.0, -9.0, 9.0]]), mask, axis=None)), 4)
        0.1667
    """
    smooth = smooth / 2 if smooth_on == "sum" else smooth
    values = overlap.by_class(ops, predictions, targets, axis, activation, alpha=0.5, beta=0.5, smooth=smooth, squared=squared,
                              smooth_in=smooth_in, batch=batch)  # fmt: skip
    return overlap.over_classes(ops, values, axis, weight, ignore_background)


binary_dice_loss = dice_loss.variant(
    "binary_dice_loss",
    axis=None,
    conventions={"torch": {}, "optax": {"smooth_on": "mean", "reduction": "none"}},
    elsewhere={"optax": "optax.losses.binary_dice_loss; smooth on the mean size, no reduction"},
    doc="""Soft Dice loss of binary masks, one value per sample.

    l = 1 - (2 sum p t + smooth) / (sum p + sum t + smooth)

with the sums over every axis but the samples (0): dice_loss with axis=None.

Args:
    predictions: logits (or with activation "none" probabilities p), floating, shape (N, d1, ...).
    targets: masks t in predictions' shape, probabilities or 0 and 1 in any dtype.
    smooth: added above and below; positive keeps an empty mask from 0 / 0.
    squared: squares in the denominator, as V-Net has them.
    activation: "auto" and "sigmoid" are the sigmoid, "none" takes probabilities.
    weight, ignore_background: of classes, so of use with an axis only.
    smooth_on: "sum" as above, "mean" adds smooth to sum p t over the half of the sizes, so twice as much; optax.
    smooth_in: "both" as above; "denominator" adds it below only, so that empty masks cost 1.
    batch: one overlap for the whole batch, its samples together.
    axis: None: there is no class axis.

Returns:
    With reduction "none" shape (N,), or () with batch=True, else a scalar, in the floating dtype of the inputs.

Raises:
    InputError: shapes that differ, integer predictions, masks other than 0 and 1.

References:
    Milletari, Navab, Ahmadi: V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation,
    2016, arXiv:1606.04797.

Example:
    >>> import numpy as np
    >>> from lossopt.losses import binary_dice_loss
    >>> mask = np.array([[1.0, 1.0, 0.0, 0.0]])
    >>> round(float(binary_dice_loss(np.array([[9.0, 9.0, -9.0, 9.0]]), mask)), 4)
    0.1667
""",
)
