"""Generalized Kullback-Leibler divergence: of densities that need not sum to 1."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Array, targets: Array, *, axis: int | None = None, where: Any = None) -> None:
    checks.regression(ops, predictions, targets)
    checks.has_axis("predictions", predictions, axis)
    checks.multiplies("where", where, predictions)


@loss(
    check=_check,
    reductions=("none", "mean", "sum", "batchmean"),
    conventions={"torch": {}, "optax": {"axis": -1, "reduction": "none"}},
    elsewhere={
        "optax": "optax.losses.generalized_kl_divergence, optax.losses.convex_kl_divergence; the second is the first's deprecated name",
    },
)
def generalized_kl_divergence(ops: LossOps, predictions: Array, targets: Array, *, axis: int | None = None,
                              where: Any = None) -> Any:  # fmt: skip
    """Generalized Kullback-Leibler divergence: of densities that need not sum to 1.

        l = t log t - t x + exp(x) - t

    It is the Bregman divergence of ``t log t - t``, jointly convex, and where both sum to 1 kl_div summed.

    Args:
        predictions: logarithms x of densities, floating, any shape.
        targets: densities t, zero and above, in predictions' shape.
        axis: sum over this axis, as optax does over the last; None leaves every element, as kl_div does in PyTorch.
        where: which elements count, in the sums and with axis=None in the mean: an array that broadcasts to predictions, 0 or
            False for those that do not.

    Returns:
        With reduction "none" predictions' shape (without `axis`, where given), else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions or targets, an axis that is not there.

    A target of 0 adds exp(x), and its own derivative is NaN; a prediction of -inf gives NaN on a target of 0, as in kl_div.

    References:
        Bregman: The relaxation method of finding the common point of convex sets and its application to the solution of
        problems in convex programming, USSR Computational Mathematics and Mathematical Physics 7, 1967.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import generalized_kl_divergence
        >>> x, t = np.log([[0.5, 0.5]]), np.array([[0.9, 0.3]])
        >>> round(float(generalized_kl_divergence(x, t, reduction="sum")), 4)
        0.1758
    """
    predictions, targets, counts = parts.counted(ops, where, predictions, targets)
    values = ops.xlogy(targets, targets) - targets * predictions + ops.exp(predictions) - targets
    return parts.summed(ops, values, counts, axis)
