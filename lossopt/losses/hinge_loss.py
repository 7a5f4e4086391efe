"""Hinge loss of scores and signs: the loss of support vector machines."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Any, targets: Any, *, zero_is_negative: bool = False) -> None:
    if zero_is_negative:
        checks.floating(predictions=predictions)
        checks.same_shape(predictions=predictions, targets=targets)
        checks.real(targets=targets)
        checks.one_of(ops, targets, (1, -1, 0), "1, -1 or 0")
    else:
        checks.signed(ops, predictions, targets)


@loss(
    check=_check,
    conventions={"torch": {}, "optax": {"reduction": "none"}, "keras": {"zero_is_negative": True}},
    elsewhere={
        "torch": "none of its own; torch.nn.functional.hinge_embedding_loss is another function",
        "optax": "optax.losses.hinge_loss; no reduction, it broadcasts, half the slope at the margin",
        "keras": "keras.losses.Hinge; targets first, and where all are 0 or 1 a 0 stands for -1",
    },
)
def hinge_loss(ops: LossOps, predictions: Array, targets: Array, *, zero_is_negative: bool = False) -> Array:
    """Hinge loss of scores and signs, element by element.

        l = max(0, 1 - t x)

    At t x = 1 the derivative is -t, that of the rising side, as PyTorch's clamp has it.

    Args:
        predictions: scores x, floating, any shape.
        targets: t, 1 or -1 in any real dtype, in predictions' shape.
        zero_is_negative: a target of 0 stands for -1, as keras reads labels of 0 and 1.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of predictions.

    Raises:
        InputError: shapes that differ, integer predictions, other targets.  Targets that cannot be seen (traced, or on an
            accelerator) give NaN where they are none of these.

    References:
        Cortes, Vapnik: Support-Vector Networks, Machine Learning 20, 1995.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import hinge_loss
        >>> print(hinge_loss(np.array([2.0, 0.5, 0.5]), np.array([1, 1, -1]), reduction="none"))
        [0.  0.5 1.5]
    """
    if zero_is_negative:
        targets = ops.where(targets == 0, -1, targets)
    return ops.clamp_min(1 - parts.signs(ops, targets, predictions) * predictions, 0.0)
