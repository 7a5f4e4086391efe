"""SigLIP, the pairwise sigmoid loss of image and text embeddings."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.hyper import Learned, LearnedPositive, NonNegative
from lossopt.losses.shared import embeddings
from lossopt.ops import Array, LossOps


@loss(
    check=embeddings.two_towers,
    conventions={"torch": {}, "optax": {"reduction": "none"}},
    spellings={"t": "logit_scale", "b": "logit_bias"},
    elsewhere={"also": "SigLipLoss, sigmoid_loss_for_language_image_pre_training"},
)
def siglip_loss(ops: LossOps, queries: Array, keys: Array, *, logit_scale: LearnedPositive = 10.0, logit_bias: Learned = -10.0,
                normalize: bool = True, eps: NonNegative = 1e-12) -> Array:  # fmt: skip
    """SigLIP: of every image and every text, whether they belong together, one value per image.

        l_i = sum_j log(1 + exp(-z_ij (logit_scale q_i.k_j + logit_bias)))           z_ij = 1 where i = j, else -1

    with q and k the embeddings at length 1.

    Args:
        queries: floating, shape (N, D), of the images, say.
        keys: floating, shape (N, D), of the texts: row i belongs to row i of queries.
        logit_scale: t of the paper, positive: a number, or an array of one number that is learned (the paper learns its
            logarithm: give its exponential).
        logit_bias: b of the paper: a number, or an array of one number that is learned.
        normalize: bring embeddings to length 1; False for those that are.
        eps: the least length that is divided by, 0 or above.

    Returns:
        With reduction "none" shape (N,), the sum over each image's pairs, whose mean is the paper's loss; else a scalar, in
        the floating dtype of the inputs.

    Raises:
        InputError: embeddings that are no batches of vectors or do not fit each other.

    References:
        Zhai, Mustafa, Kolesnikov, Beyer: Sigmoid Loss for Language Image Pre-Training, 2023, arXiv:2303.15343.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import siglip_loss
        >>> images, texts = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[2.0, 0.0], [1.0, 1.0]])
        >>> print(siglip_loss(images, texts, reduction="none").round(4))
        [0.7452 2.9811]
    """
    logits = embeddings.scaled(ops, embeddings.cosines(ops, queries, keys, eps, normalize), logit_scale)
    logits = logits + embeddings.as_number(ops, logit_bias, logits)
    together = ops.eye(logits, *logits.shape) == 1
    return ops.sum(ops.softplus(ops.where(together, -logits, logits)), 1)
