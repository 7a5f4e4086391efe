"""Contrastive loss of pairs (Hadsell, Chopra, LeCun): similar pairs together, others a margin apart."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.hyper import Positive
from lossopt.losses.shared import checks
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, x1: Array, x2: Array, targets: Array, **_: object) -> None:
    checks.pairs(ops, x1, x2, targets)
    checks.one_of(ops, targets, (1, 0), "1 (similar) or 0 (dissimilar)")


@loss(
    check=_check,
    elsewhere={
        "pytorch-metric-learning": "pytorch_metric_learning.losses.ContrastiveLoss; pairs made from labels, distances not squared",
        "also": "pairwise_contrastive_loss",
    },
)
def contrastive_loss(ops: LossOps, x1: Array, x2: Array, targets: Array, *, margin: Positive = 1.0) -> Array:
    """Contrastive loss of pairs: similar pairs together, dissimilar ones at least a margin apart.

        l = d**2 / 2                        target 1, similar
        l = max(0, margin - d)**2 / 2       target 0, dissimilar
        d = ||x1 - x2||

    The paper's Y is 1 for dissimilar pairs, so its Y is 1 - targets.  The batch loss of SimCLR that is also called
    contrastive (NT-Xent) is another function.

    Args:
        x1, x2: the two embeddings of each pair, floating, shape (N, D) or (D,); the features are the last axis.
        targets: 1 for similar and 0 for dissimilar pairs, any real dtype, shape (N,) or ().
        margin: how far apart dissimilar pairs are pushed, positive, in units of the distance.

    Returns:
        With reduction "none" the shape of targets, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer embeddings, other targets.  Targets that cannot be seen (traced, or on
            an accelerator) give NaN where they are neither.

    Dissimilar pairs at distance 0 have derivative 0: there is no direction in which to part them.

    References:
        Hadsell, Chopra, LeCun: Dimensionality Reduction by Learning an Invariant Mapping, CVPR 2006.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import contrastive_loss
        >>> a, b = np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 0.6]])
        >>> print(contrastive_loss(a, b, np.array([1, 0]), reduction="none").round(4))
        [12.5   0.08]
    """
    difference = x1 - x2
    together = 0.5 * ops.sum(difference * difference, -1)
    short = ops.clamp_min(margin - ops.norm(difference, 2, -1), 0.0)
    return ops.where(targets == 1, together, ops.where(targets == 0, 0.5 * short * short, float("nan")))
