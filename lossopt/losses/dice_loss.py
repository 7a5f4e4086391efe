"""Soft Dice loss for segmentation, binary or over several classes."""

from __future__ import annotations

from typing import Any, Literal

from lossopt.definition import loss
from lossopt.hyper import NonNegative
from lossopt.losses import checks, parts
from lossopt.losses.parts import Activation
from lossopt.ops import Array, LossOps


@loss(
    check=checks.segmentation,
    conventions={"torch": {}, "optax": {"smooth_on": "mean", "axis": -1, "reduction": "none"}},
    spellings={"class_weights": "weight", "squared_pred": "squared"},
    elsewhere={
        "optax": "optax.losses.dice_loss; smooth on the mean size, classes on the last axis, no reduction; "
        "optax.losses.binary_dice_loss is axis=None",
        "monai": "monai.losses.DiceLoss; smooth 1e-5, no activation unless asked",
        "keras": "keras.losses.Dice; of probabilities; smooth 1e-7",
    },
)
def dice_loss(ops: LossOps, predictions: Array, targets: Array, *, smooth: NonNegative = 1.0, squared: bool = False,
              activation: Activation = "auto", weight: Any = None, ignore_background: bool = False,
              smooth_on: Literal["sum", "mean"] = "sum", axis: int | None = 1) -> Array:  # fmt: skip
    """Soft Dice loss for segmentation, one value per sample: the mean over its classes.

        l_c = 1 - (2 sum p t + smooth) / (sum p + sum t + smooth)               squared=False
        l_c = 1 - (2 sum p t + smooth) / (sum p**2 + sum t**2 + smooth)         squared=True

    with the sums over every axis but the samples (0) and the classes.

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
        axis: the class axis, 1 by PyTorch's custom, -1 by optax's; None where there is none.

    Returns:
        With reduction "none" shape (N,), else a scalar, in the floating dtype of the inputs.

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
    axis = None if axis is None else parts.class_axis(axis, predictions.shape)
    truth = parts.masks(ops, predictions, targets, axis)
    probabilities = parts.activated(ops, predictions, activation, axis)
    by_class = parts.soft_dice(ops, probabilities, truth, axis, smooth if smooth_on == "sum" else 2 * smooth, squared)
    if axis is None:
        return by_class
    if weight is not None:
        by_class = by_class * ops.along(weight, 1, by_class)
    classes = predictions.shape[axis]
    if ignore_background and classes > 1:
        by_class = by_class * ops.along([0.0] + [classes / (classes - 1)] * (classes - 1), 1, by_class)
    return ops.mean(by_class, 1)
