"""Sparsemax loss of one binary score."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.losses.shared import checks
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Any, targets: Any) -> None:
    checks.floating(predictions=predictions)
    checks.same_shape(predictions=predictions, targets=targets)
    if checks.dtype_of(targets) != "bool":
        checks.real(targets=targets)
        checks.one_of(ops, targets, (1, 0), "0 or 1")


@loss(
    check=_check,
    elsewhere={
        "optax": "optax.losses.sparsemax_loss; no reduction, and any target but 0 is 1",
        "also": "binary_sparsemax_loss",
    },
)
def sparsemax_loss(ops: LossOps, predictions: Array, targets: Array) -> Array:
    """Sparsemax loss of one binary score, element by element: a logistic loss that reaches 0.

        l = 0                   m <= -1,   m = (1 - 2 t) x
        l = (m + 1)**2 / 4      -1 < m < 1
        l = m                   m >= 1

    Its derivative in x is p - t with p the score cut to [0, 1] as (x + 1) / 2, and has no jump.

    Args:
        predictions: scores x, floating, any shape.
        targets: t, 0 or 1 in any dtype, in predictions' shape.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of predictions.

    Raises:
        InputError: shapes that differ, integer predictions, other targets.  Targets that cannot be seen (traced, or on an
            accelerator) give NaN where they are neither.

    References:
        Blondel, Martins, Niculae: Learning with Fenchel-Young Losses, 2020, arXiv:1901.02324, section 4.4.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import sparsemax_loss
        >>> print(sparsemax_loss(np.array([2.0, 0.0, -2.0]), np.array([1, 1, 1]), reduction="none"))
        [0.   0.25 2.  ]
    """
    m = ops.where(targets == 0, predictions, ops.where(targets == 1, -predictions, float("nan")))
    bend = ops.abs(m) < 1
    inner = ops.where(bend, m, 0.0)  # the square of a large score would overflow, and take the derivative with it
    return ops.where(m <= -1, 0.0, ops.where(bend, 0.25 * (inner + 1) * (inner + 1), m))
