"""Margin loss of pairs of scores: the one that ranks higher above the other."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.hyper import Finite
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, x1: Any, x2: Any, targets: Any, **_: Any) -> None:
    checks.floating(x1=x1, x2=x2)
    checks.same_shape(x1=x1, x2=x2, targets=targets)
    checks.real(targets=targets)
    checks.one_of(ops, targets, (1, -1), "1 (x1 ranks higher) or -1 (x2 does)")


@loss(
    check=_check,
    elsewhere={
        "torch": "torch.nn.functional.margin_ranking_loss, torch.nn.MarginRankingLoss; it broadcasts, and any number is a target",
        "also": "pairwise_hinge_loss",
    },
)
def margin_ranking_loss(ops: LossOps, x1: Array, x2: Array, targets: Array, *, margin: Finite = 0.0) -> Array:
    """Margin loss of pairs of scores, element by element: the one that ranks higher above the other, by a margin.

        l = max(0, margin - t (x1 - x2))

    Where the maximum's two sides are equal the derivative is that of the rising side, as PyTorch's clamp has it; so with
    margin 0 equal scores are parted.

    Args:
        x1, x2: the two scores of each pair, floating, one shape.
        targets: t, 1 where x1 is to rank higher and -1 where x2 is, any real dtype, the same shape.
        margin: how far apart the two are to be, in units of the scores.

    Returns:
        With reduction "none" the shape of targets, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer scores, other targets.  Targets that cannot be seen (traced, or on an
            accelerator) give NaN where they are neither.

    References:
        Joachims: Optimizing Search Engines using Clickthrough Data, KDD 2002.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import margin_ranking_loss
        >>> first, second, order = np.array([2.0, 2.0]), np.array([1.0, 1.0]), np.array([1, -1])
        >>> print(margin_ranking_loss(first, second, order, margin=0.5, reduction="none"))
        [0.  1.5]
    """
    return ops.clamp_min(margin - parts.signs(ops, targets, x1) * (x1 - x2), 0.0)
