"""InfoNCE of two batches of embeddings, in one direction; and in both, CLIP's loss."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.hyper import LearnedPositive, NonNegative
from lossopt.losses.shared import embeddings
from lossopt.ops import Array, LossOps


@loss(
    check=embeddings.two_towers,
    elsewhere={"also": "InfoNCE, multiple_negatives_ranking_loss"},
)
def info_nce_loss(ops: LossOps, queries: Array, keys: Array, *, temperature: LearnedPositive = 0.07,
                  logit_scale: LearnedPositive | None = None, symmetric: bool = False, normalize: bool = True,
                  eps: NonNegative = 1e-12) -> Array:  # fmt: skip
    """InfoNCE: each query to find its own key among all keys of the batch, one value per query.

        l_i = -log(exp(s_ii) / sum_j exp(s_ij))                          symmetric=False
        l_i = the mean of that and of  -log(exp(s_ii) / sum_j exp(s_ji))          symmetric=True, CLIP
        s_ij = logit_scale q_i.k_j

    with q and k the embeddings at length 1.

    Args:
        queries: floating, shape (N, D).
        keys: floating, shape (N, D), row i being the key of query i.  Without `symmetric` there may be more rows: further
            negatives.
        temperature: positive; logit_scale is 1 / temperature.
        logit_scale: the factor itself, positive, in place of the temperature: a number, or an array of one number that is learned.
        symmetric: keys look for their queries too.
        normalize: bring embeddings to length 1; False for those that are, or for plain products.
        eps: the least length that is divided by, 0 or above.

    Returns:
        With reduction "none" shape (N,), else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: embeddings that are no batches of vectors or do not fit each other.

    References:
        van den Oord, Li, Vinyals: Representation Learning with Contrastive Predictive Coding, 2018, arXiv:1807.03748.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import info_nce_loss
        >>> q, k = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[2.0, 0.0], [1.0, 1.0]])
        >>> print(info_nce_loss(q, k, temperature=0.5, reduction="none").round(4))
        [0.4425 0.2176]
    """
    logits = embeddings.cosines(ops, queries, keys, eps, normalize)
    logits = logits / embeddings.as_number(ops, temperature, logits) if logit_scale is None else embeddings.scaled(ops, logits, logit_scale)
    shifted, log_total = embeddings.compared(ops, logits)
    found = log_total[:, 0] - embeddings.on_diagonal(ops, shifted)
    if not symmetric:
        return found
    shifted, log_total = embeddings.compared(ops, logits, axis=0)
    return 0.5 * (found + log_total[0] - embeddings.on_diagonal(ops, shifted, axis=0))


clip_loss = info_nce_loss.variant(
    "clip_loss",
    symmetric=True,
    conventions={"torch": {}, "optax": {"reduction": "none"}},
    elsewhere={"also": "ClipLoss, contrastive_language_image_loss"},
    doc="""CLIP's loss: each image to find its text among all texts of the batch, and each text its image, one value per pair.

    l_i = (-log(exp(s_ii) / sum_j exp(s_ij)) - log(exp(s_ii) / sum_j exp(s_ji))) / 2
    s_ij = logit_scale q_i.k_j

with q and k the embeddings at length 1: info_nce_loss with symmetric=True.

Args:
    queries: floating, shape (N, D), of the images, say.
    keys: floating, shape (N, D), of the texts: row i belongs to row i of queries.
    temperature: positive; logit_scale is 1 / temperature.
    logit_scale: the factor itself, positive, in place of the temperature: a number, or an array of one number that is
        learned (CLIP learns its logarithm: give its exponential).
    symmetric: both directions; False is info_nce_loss.
    normalize: bring embeddings to length 1; False for those that are, or for plain products.
    eps: the least length that is divided by, 0 or above.

Returns:
    With reduction "none" shape (N,), else a scalar, in the floating dtype of the inputs.

Raises:
    InputError: embeddings that are no batches of vectors or do not fit each other.

References:
    Radford, Kim, Hallacy et al.: Learning Transferable Visual Models From Natural Language Supervision, 2021,
    arXiv:2103.00020.

Example:
    >>> import numpy as np
    >>> from lossopt.losses import clip_loss
    >>> images, texts = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[2.0, 0.0], [1.0, 1.0]])
    >>> print(clip_loss(images, texts, temperature=0.5, reduction="none").round(4))
    [0.2847 0.4554]
""",
)
