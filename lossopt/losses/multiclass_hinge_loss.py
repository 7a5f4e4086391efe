"""Hinge loss over several classes: a label against its strongest rival."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.labelled,
    conventions={
        "torch": {},
        "optax": {"axis": -1, "reduction": "none"},
        "keras": {"axis": -1, "rival_at_least_zero": True},
    },
    elsewhere={
        "torch": "none of its own; torch.nn.functional.multi_margin_loss sums over the rivals",
        "optax": "optax.losses.multiclass_hinge_loss; classes on the last axis, no reduction, half the slope at the margin",
        "keras": "keras.losses.CategoricalHinge; of one-hot targets first, and no rival counts less than 0",
        "also": "crammer_singer_loss",
    },
)
def multiclass_hinge_loss(ops: LossOps, predictions: Array, targets: Array, *, rival_at_least_zero: bool = False,
                          axis: int = 1) -> Array:  # fmt: skip
    """Hinge loss over several classes: a label against its strongest rival.

        l = max(0, 1 + r - x_y),   r = max_{k != y} x_k

    Rivals of equal score share the derivative equally.  At the margin, x_y = 1 + r, it is that of the rising side.

    Args:
        predictions: scores x, floating, shape (N, C), (N, C, d1, ...) or (C,): the classes on `axis`.
        targets: integer labels in [0, C), predictions' shape without `axis`.
        rival_at_least_zero: r is 0 where every rival's score is negative, as in keras.
        axis: the class axis: 1 by PyTorch's custom (0 for a single sample), -1 in optax and keras.

    Returns:
        With reduction "none" predictions' shape without `axis`, else a scalar, in the floating dtype of predictions.

    Raises:
        InputError: shapes that do not fit, integer predictions, labels outside [0, C).  Labels that cannot be seen
            (traced, or on an accelerator) give NaN where they are outside.

    References:
        Crammer, Singer: On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines, JMLR 2, 2001.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import multiclass_hinge_loss
        >>> print(multiclass_hinge_loss(np.array([[2.0, 0.5, 0.0], [2.0, 0.5, 0.0]]), np.array([0, 1]), reduction="none"))
        [0.  2.5]
    """
    axis = parts.class_axis(axis, predictions.shape)
    label = ops.one_hot(targets, predictions.shape[axis], axis, predictions) == 1
    rivals = ops.where(label, 0.0 if rival_at_least_zero else -float("inf"), predictions)
    return ops.clamp_min(1 + ops.max(rivals, axis) - ops.pick(predictions, targets, axis), 0.0)
