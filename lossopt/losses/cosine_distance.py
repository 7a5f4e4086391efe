"""Cosine distance of pairs of vectors: one minus their cosine similarity."""

from __future__ import annotations

from typing import Any, Literal

from lossopt.definition import loss
from lossopt.hyper import NonNegative
from lossopt.losses.shared import checks, embeddings
from lossopt.ops import Array, LossOps


@loss(
    check=checks.vectors,
    conventions={"torch": {}, "optax": {"eps": 0.0, "eps_on": "squared", "reduction": "none"}},
    spellings={"dim": "axis"},
    elsewhere={
        "optax": "optax.losses.cosine_distance; eps bounds the squared length, and is 0: NaN at a zero vector",
        "also": "cosine_distance_loss",
    },
)
def cosine_distance(ops: LossOps, predictions: Array, targets: Array, *, axis: int | None = -1, eps: NonNegative = 1e-8,
                    eps_on: Literal["norm", "squared"] = "norm", where: Any = None) -> Array:  # fmt: skip
    """Cosine distance of pairs of vectors: 0 where they point the same way, 2 where they are opposite.

        l = 1 - p.t / (max(|p|, eps) max(|t|, eps))                           eps_on="norm"
        l = 1 - p.t / sqrt(max(p.p, eps) max(t.t, eps))                       eps_on="squared", optax

    Args:
        predictions: vectors p along `axis`, floating, shape (N, D) or any other.
        targets: vectors t, floating, of the same shape.
        axis: the features; None makes one vector of everything.
        eps: the least length (or squared length) that is divided by, 0 or above.
        eps_on: whether eps bounds the length or its square: eps on the length is eps**2 on the square.
        where: which components count: an array that broadcasts to predictions, 0 or False for those that do not.

    Returns:
        With reduction "none" the shape without `axis`, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer arrays, an axis that is not there.

    A zero vector has distance 1 from everything, and the derivative away from the other vector over eps; with eps=0 both are
    NaN.

    References:
        Salton, Wong, Yang: A vector space model for automatic indexing, Communications of the ACM 18, 1975.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import cosine_distance
        >>> a, b = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 2.0], [-3.0, -3.0]])
        >>> print(cosine_distance(a, b, reduction="none").round(4))
        [1. 2.]
    """
    return 1 - embeddings.cosine(ops, predictions, targets, axis, eps, eps_on, where)
