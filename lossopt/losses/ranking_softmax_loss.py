"""Softmax loss of a ranked list."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.errors import InputError
from lossopt.losses.shared import checks
from lossopt.losses.shared.parts import shape_of
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Any, targets: Any, *, where: Any = None, weight: Any = None) -> None:
    checks.floating(predictions=predictions)
    if not shape_of(predictions):
        raise InputError("predictions must have the items on the last axis, got shape (); write predictions.reshape((1, -1))")
    checks.same_shape(predictions=predictions, targets=targets)
    checks.real(targets=targets)
    checks.multiplies("where", where, predictions)
    checks.multiplies("weight", weight, predictions)


@loss(
    check=_check,
    conventions={"torch": {}, "optax": {}},
    spellings={"weights": "weight"},
    elsewhere={
        "optax": "optax.losses.ranking_softmax_loss; weights for weight, reduce_fn for reduction, a mean by default",
        "also": "listwise_softmax_loss, listnet_loss",
    },
)
def ranking_softmax_loss(ops: LossOps, predictions: Array, targets: Array, *, where: Any = None,
                         weight: Any = None) -> tuple[Array, Array]:  # fmt: skip
    """Softmax loss of a ranked list, one value per list: the items of high relevance to the top.

        l = -sum_i weight_i t_i log p_i,   p = softmax of a list's scores          mean = sum(l) / number of lists with an item

    Args:
        predictions: scores, floating, shape (..., items): a list on the last axis.
        targets: the relevance t of each item, any real dtype, in predictions' shape.
        where: False (or 0) at items that are not there, in a shape that broadcasts to predictions'.  A list without items
            costs 0 and does not count in the mean; where every list is so the mean is 0.
        weight: a factor on each item's relevance, in a shape that broadcasts to predictions'.

    Returns:
        With reduction "none" predictions' shape without the last axis, else a scalar, in the floating dtype of predictions.

    Raises:
        InputError: shapes that do not fit, integer predictions, targets that are no numbers.

    A score of -inf gives NaN unless `where` leaves it out.

    References:
        Cao, Qin, Liu, Tsai, Li: Learning to Rank: From Pairwise Approach to Listwise Approach, ICML 2007.
        Bruch, Wang, Bendersky, Najork: An Analysis of the Softmax Cross Entropy Loss for Learning-to-Rank with Binary
        Relevance, ICTIR 2019.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import ranking_softmax_loss
        >>> scores, relevance = np.array([[2.0, 1.0, 0.0], [1.0, 0.5, 1.5]]), np.array([[1, 0, 0], [0, 0, 1]])
        >>> there = [[True, True, False], [True, True, True]]
        >>> round(float(ranking_softmax_loss(scores, relevance, where=there)), 3)
        0.497
    """
    relevance = ops.cast(targets, predictions)
    if weight is not None:
        relevance = relevance * ops.array(weight, predictions)
    there = ops.array(True if where is None else where, predictions) + ops.zeros_like(predictions) != 0
    log_probs = ops.log_softmax(ops.where(there, predictions, -float("inf")), -1)
    values = -ops.sum(ops.where(there, relevance * log_probs, 0.0), -1)
    lists = ops.max(ops.cast(there, predictions), -1)
    return values, ops.where(ops.sum(lists) == 0, 1.0, lists)  # 0 / 0 is 0 here, as in optax
