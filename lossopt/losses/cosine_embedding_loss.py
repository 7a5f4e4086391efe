"""Cosine embedding loss: similar pairs to cosine 1, dissimilar ones to at most the margin."""

from __future__ import annotations

from typing import Annotated

from lossopt.definition import loss
from lossopt.hyper import Range
from lossopt.losses.shared import checks
from lossopt.ops import Array, LossOps

EPS = 9.999999960041972e-13
"""Added to each squared length: PyTorch's constant, which is the float32 nearest to 1e-12 in float64 too."""


def _check(ops: LossOps, x1: Array, x2: Array, targets: Array, **_: object) -> None:
    checks.pairs(ops, x1, x2, targets)
    checks.one_of(ops, targets, (1, -1), "1 (similar) or -1 (dissimilar)")


@loss(
    check=_check,
    elsewhere={
        "torch": "torch.nn.functional.cosine_embedding_loss, torch.nn.CosineEmbeddingLoss",
    },
)
def cosine_embedding_loss(ops: LossOps, x1: Array, x2: Array, targets: Array, *,
                          margin: Annotated[float, Range(-1, 1)] = 0.0) -> Array:  # fmt: skip
    """Cosine embedding loss: similar pairs to cosine 1, dissimilar ones to at most the margin.

        l = 1 - cos                     target 1
        l = max(0, cos - margin)        target -1
        cos = x1.x2 / sqrt((x1.x1 + 1e-12) (x2.x2 + 1e-12))

    At cos = margin the derivative is the slope of the rising side, as PyTorch's clamp has it.

    Args:
        x1, x2: the two embeddings of each pair, floating, shape (N, D) or (D,); the features are the last axis.
        targets: 1 for similar and -1 for dissimilar pairs, any real dtype, shape (N,) or ().
        margin: the cosine that a dissimilar pair may have, in [-1, 1].

    Returns:
        With reduction "none" the shape of targets, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer embeddings, other targets.  Targets that cannot be seen (traced, or on
            an accelerator) give NaN where they are neither.

    A zero vector has cosine 0 with everything.  cosine_distance is the loss of similar pairs, with another eps.

    References:
        PyTorch, torch.nn.CosineEmbeddingLoss.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import cosine_embedding_loss
        >>> a, b = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 1.0]])
        >>> print(cosine_embedding_loss(a, b, np.array([1, -1]), reduction="none").round(4))
        [1.     0.7071]
    """
    lengths = (ops.sum(x1 * x1, -1) + EPS) * (ops.sum(x2 * x2, -1) + EPS)
    cosine = ops.sum(x1 * x2, -1) / ops.sqrt(lengths)
    apart = ops.where(targets == -1, ops.clamp_min(cosine - margin, 0.0), float("nan"))
    return ops.where(targets == 1, 1 - cosine, apart)
