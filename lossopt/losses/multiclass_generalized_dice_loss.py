"""Generalized Dice loss for segmentation: rare classes weigh more, by their frequency in the batch."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.hyper import NonNegative, Positive
from lossopt.losses.shared import checks, overlap, parts
from lossopt.losses.shared.parts import Activation
from lossopt.ops import Array, LossOps


@loss(
    check=checks.segmentation,
    conventions={"torch": {}, "optax": {"axis": -1}},
    elsewhere={
        "optax": "optax.losses.multiclass_generalized_dice_loss; classes on the last axis",
        "monai": "monai.losses.GeneralizedDiceLoss; the paper's, with the weights inside both sums",
        "also": "generalized_dice_loss",
    },
)
def multiclass_generalized_dice_loss(ops: LossOps, predictions: Array, targets: Array, *, smooth: NonNegative = 1.0,
                                     activation: Activation = "auto", ignore_background: bool = False, eps: Positive = 1e-7,
                                     axis: int = 1) -> Array:  # fmt: skip
    """Generalized Dice loss for segmentation, one value per sample: the weighted mean over its classes.

        l_c = C w_c / (sum of all w) (1 - (sum p t + smooth) / ((sum p + sum t) / 2 + smooth))
        w_c = 1 / (f_c**2 + eps)                    f_c = sum t of class c in the whole batch

    The weights are optax's, of each class's loss; in the paper they stand in the numerator and in the denominator of one
    quotient, which gives another number.  A class that the batch lacks has weight 1 / eps, and so all the weight there is:
    ignore_background, or a batch that shows every class.

    Args:
        predictions: logits (or with activation "none" probabilities p), floating, shape (N, C, d1, ...): the classes on
            `axis`.
        targets: masks t in predictions' shape, probabilities or 0 and 1 in any dtype; or integer labels in [0, C)
            without the class axis.
        smooth: added above and below; positive keeps an empty mask from 0 / 0.
        activation: "softmax", "sigmoid" (classes that overlap), "none", or "auto": sigmoid for one class, else softmax.
        ignore_background: leave class 0 out of the mean over classes; it keeps its share of the weights.
        eps: added to the squared frequency, positive.
        axis: the class axis, 1 by PyTorch's custom, -1 by optax's.

    Returns:
        With reduction "none" shape (N,), else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer predictions, masks other than 0 and 1, labels outside [0, C).

    References:
        Sudre, Li, Vercauteren, Ourselin, Cardoso: Generalised Dice overlap as a deep learning loss function for highly
        unbalanced segmentations, 2017, arXiv:1707.03237.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import multiclass_generalized_dice_loss
        >>> logits, labels = np.array([[[2.0, 2.0, 2.0, -2.0], [-2.0, -2.0, -2.0, -2.0]]]), np.array([[0, 0, 0, 1]])
        >>> round(float(multiclass_generalized_dice_loss(logits, labels)), 4)
        0.1468
    """
    axis = parts.class_axis(axis, predictions.shape)
    truth = parts.masks(ops, predictions, targets, axis)
    found = ops.sum(truth, tuple(i for i in range(len(truth.shape)) if i != axis))
    weights = 1 / (found * found + eps)
    share = predictions.shape[axis] * weights / ops.sum(weights)
    values = overlap.by_class(ops, predictions, truth, axis, activation, alpha=0.5, beta=0.5, smooth=smooth)
    return overlap.over_classes(ops, values * share, axis, None, ignore_background)
