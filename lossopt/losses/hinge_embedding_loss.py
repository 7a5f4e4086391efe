"""Hinge embedding loss of distances: similar pairs to 0, others beyond a margin."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.hyper import Finite
from lossopt.losses.shared import checks
from lossopt.ops import Array, LossOps


@loss(
    check=checks.signed,
    elsewhere={"torch": "torch.nn.functional.hinge_embedding_loss, torch.nn.HingeEmbeddingLoss; it broadcasts"},
)
def hinge_embedding_loss(ops: LossOps, predictions: Array, targets: Array, *, margin: Finite = 1.0) -> Array:
    """Hinge embedding loss of distances, element by element: similar pairs to 0, others beyond a margin.

        l = x                       target 1, similar
        l = max(0, margin - x)      target -1

    At x = margin the derivative of a dissimilar pair is -1, as PyTorch's clamp has it.

    Args:
        predictions: distances x, floating, any shape.
        targets: 1 for similar and -1 for dissimilar pairs, any real dtype, in predictions' shape.
        margin: the distance beyond which a dissimilar pair costs nothing.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of predictions.

    Raises:
        InputError: shapes that differ, integer predictions, other targets.  Targets that cannot be seen (traced, or on an
            accelerator) give NaN where they are neither.

    References:
        Hadsell, Chopra, LeCun: Dimensionality Reduction by Learning an Invariant Mapping, CVPR 2006 (with squares).

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import hinge_embedding_loss
        >>> print(hinge_embedding_loss(np.array([0.25, 0.25, 3.0]), np.array([1, -1, -1]), reduction="none"))
        [0.25 0.75 0.  ]
    """
    apart = ops.where(targets == -1, ops.clamp_min(margin - predictions, 0.0), float("nan"))
    return ops.where(targets == 1, predictions, apart)
