"""Dice and cross-entropy together, for segmentation."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.hyper import NonNegative, UnitInterval
from lossopt.losses.shared import checks, overlap, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.segmentation,
    conventions={"torch": {}, "optax": {"axis": -1, "reduction": "none"}},
    spellings={"squared_pred": "squared"},
    elsewhere={
        "monai": "monai.losses.DiceCELoss; smooth 1e-5, with softmax=True, or sigmoid=True for one class",
        "also": "dice_cross_entropy_loss",
    },
)
def dice_ce_loss(ops: LossOps, predictions: Array, targets: Array, *, lambda_dice: NonNegative = 1.0, lambda_ce: NonNegative = 1.0,
                 smooth: NonNegative = 1.0, squared: bool = False, label_smoothing: UnitInterval = 0.0,
                 axis: int | None = 1) -> Array:  # fmt: skip
    """Dice and cross-entropy together, one value per sample.

        l = lambda_dice dice + lambda_ce (mean over the sample's positions of the cross-entropy)

    Its mean is ``lambda_dice * dice_loss + lambda_ce * cross_entropy``, with binary cross-entropy where there is one
    class.  Class weights and ignored labels belong to those two, which can be added: ``dice_loss + cross_entropy``.

    Args:
        predictions: logits, floating, shape (N, C, d1, ...): the classes on `axis`; with axis=None binary, (N, d1, ...).
        targets: masks in predictions' shape, or integer labels in [0, C) without the class axis.
        lambda_dice, lambda_ce: the factor of each term.
        smooth, squared: as dice_loss has them.
        label_smoothing: the share of the cross-entropy's target that is spread over all classes; several classes only.
        axis: the class axis, 1 by PyTorch's custom, -1 by optax's; None where there is none.

    Returns:
        With reduction "none" shape (N,), else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer predictions, masks other than 0 and 1, labels outside [0, C).

    References:
        Isensee, Jaeger, Kohl, Petersen, Maier-Hein: nnU-Net: a self-configuring method for deep learning-based biomedical
        image segmentation, Nature Methods 18, 2021, arXiv:1809.10486.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import dice_ce_loss
        >>> round(float(dice_ce_loss(np.array([[[4.0, -4.0], [-4.0, 4.0]]]), np.array([[0, 1]]))), 6)
        0.000559
    """
    axis = None if axis is None else parts.class_axis(axis, predictions.shape)
    truth = parts.masks(ops, predictions, targets, axis)
    probabilities = parts.activated(ops, predictions, "auto", axis)
    dice = overlap.tversky(ops, probabilities, truth, axis, alpha=0.5, beta=0.5, smooth=smooth / 2, squared=squared)
    if axis is None or predictions.shape[axis] == 1:
        entropy = parts.binary_cross_entropy(ops, predictions, truth)
    else:
        soft = truth * (1 - label_smoothing) + label_smoothing / predictions.shape[axis]
        entropy = parts.soft_cross_entropy(ops, ops.log_softmax(predictions, axis), soft, None, axis)
    dice = dice if axis is None else ops.mean(dice, 1)
    return lambda_dice * dice + lambda_ce * ops.mean(entropy, tuple(range(1, len(entropy.shape))))
