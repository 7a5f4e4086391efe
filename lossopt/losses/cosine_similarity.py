"""Cosine similarity of pairs of vectors."""

from __future__ import annotations

from typing import Any, Literal

from lossopt.definition import loss
from lossopt.hyper import NonNegative
from lossopt.losses.shared import checks, embeddings
from lossopt.ops import Array, LossOps


@loss(
    check=checks.vectors,
    conventions={
        "torch": {"reduction": "none"},
        "optax": {"axis": -1, "eps": 0.0, "eps_on": "squared", "reduction": "none"},
        "keras": {"axis": -1, "eps": 1e-7, "negate": True},
    },
    spellings={"dim": "axis"},
    elsewhere={
        "torch": "torch.nn.functional.cosine_similarity, torch.nn.CosineSimilarity; broadcasts; for a vector shorter than eps, but "
        "not 0, its gradient is not that of its value",
        "optax": "optax.losses.cosine_similarity; eps bounds the squared length, and is 0: NaN at a zero vector",
        "keras": "keras.losses.CosineSimilarity, keras.losses.cosine_similarity; the negative, a loss to minimize; targets first",
    },
)
def cosine_similarity(ops: LossOps, predictions: Array, targets: Array, *, axis: int | None = 1, eps: NonNegative = 1e-8,
                      eps_on: Literal["norm", "squared"] = "norm", negate: bool = False, where: Any = None) -> Array:  # fmt: skip
    """Cosine similarity of pairs of vectors: 1 where they point the same way, -1 where they are opposite.

        l = p.t / (max(|p|, eps) max(|t|, eps))                               eps_on="norm", PyTorch and keras
        l = p.t / sqrt(max(p.p, eps) max(t.t, eps))                           eps_on="squared", optax

    To train towards similarity, minimize its negative (negate=True, keras) or cosine_distance.

    Args:
        predictions: vectors p along `axis`, floating, shape (N, D) or any other.
        targets: vectors t, floating, of the same shape.
        axis: the features: 1 in PyTorch, -1 in optax and keras; None makes one vector of everything.
        eps: the least length (or squared length) that is divided by, 0 or above.
        eps_on: whether eps bounds the length or its square: eps on the length is eps**2 on the square.
        negate: -l, as keras has it.
        where: which components count: an array that broadcasts to predictions, 0 or False for those that do not.

    Returns:
        With reduction "none" the shape without `axis`, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer arrays, an axis that is not there.

    A zero vector has similarity 0 with everything, and the derivative towards the other vector over eps; with eps=0 both are
    NaN.

    References:
        Salton, Wong, Yang: A vector space model for automatic indexing, Communications of the ACM 18, 1975.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import cosine_similarity
        >>> a, b = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 2.0], [3.0, 3.0]])
        >>> print(cosine_similarity(a, b).round(4))
        [0. 1.]
    """
    found = embeddings.cosine(ops, predictions, targets, axis, eps, eps_on, where)
    return -found if negate else found
