"""Triplet margin loss: the anchor nearer to the positive than to the negative, by a margin."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.hyper import NonNegative, Positive
from lossopt.losses.shared import checks, embeddings
from lossopt.losses.shared.embeddings import Placement
from lossopt.ops import Array, LossOps


@loss(
    check=checks.triplets,
    conventions={"torch": {}, "optax": {"eps_in": "root", "reduction": "none"}},
    spellings={"norm_degree": "p"},
    elsewhere={
        "torch": "torch.nn.functional.triplet_margin_loss, torch.nn.TripletMarginLoss",
        "optax": "optax.losses.triplet_margin_loss; eps under the root; no absolute value, so right for even p only",
        "also": "triplet_loss",
    },
)
def triplet_margin_loss(ops: LossOps, anchor: Array, positive: Array, negative: Array, *, margin: Positive = 1.0, p: Positive = 2.0,
                        eps: NonNegative = 1e-6, swap: bool = False, eps_in: Placement = "difference") -> Array:  # fmt: skip
    """Triplet margin loss: the anchor nearer to the positive than to the negative, by a margin.

        l = max(0, d(anchor, positive) - d(anchor, negative) + margin)
        d(u, v) = (sum |u - v + eps|**p)**(1/p)             eps_in="difference", PyTorch
        d(u, v) = (sum |u - v|**p + eps)**(1/p)             eps_in="root", optax

    Where the maximum's two sides are equal the derivative is that of the distances, as PyTorch's clamp has it.

    Args:
        anchor, positive, negative: embeddings, floating, all of shape (N, D) or (D,); the features are the last axis.
        margin: how much further the negative is to be, positive, in units of the distance.
        p: the norm's degree, positive: 2 is Euclidean, 1 is city-block.
        eps: keeps the distance of equal points from 0, and its derivative finite.
        swap: use the positive's distance to the negative where that is smaller than the anchor's.
        eps_in: where eps is added.

    Returns:
        With reduction "none" shape (N,) or (), else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer embeddings.

    References:
        Schroff, Kalenichenko, Philbin: FaceNet: A Unified Embedding for Face Recognition and Clustering, 2015,
        arXiv:1503.03832.
        Balntas, Riba, Ponsa, Mikolajczyk: Learning local feature descriptors with triplets and shallow convolutional
        neural networks, 2016 (swap).

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import triplet_margin_loss
        >>> anchor, positive, negative = np.array([[0.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([[1.5, 0.0]])
        >>> round(float(triplet_margin_loss(anchor, positive, negative)), 4)
        0.5
    """
    to_positive = embeddings.distance(ops, anchor - positive, p, eps, eps_in)
    to_negative = embeddings.distance(ops, anchor - negative, p, eps, eps_in)
    between = embeddings.distance(ops, positive - negative, p, eps, eps_in) if swap else None
    return embeddings.triplet(ops, to_positive, to_negative, between, margin)
