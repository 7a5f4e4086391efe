"""NT-Xent, the normalized temperature-scaled cross-entropy of SimCLR, with positives by label."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.hyper import NonNegative, Positive
from lossopt.losses.shared import embeddings as between
from lossopt.ops import Array, LossOps


@loss(
    check=between.grouped,
    conventions={"torch": {}, "optax": {"eps": 2.0**-26}},
    elsewhere={
        "optax": "optax.losses.ntxent; its eps is the root of the machine epsilon, so 2**-26 in float64 and 3.5e-4 in float32",
        "pytorch-metric-learning": "pytorch_metric_learning.losses.NTXentLoss",
    },
)
def ntxent_loss(ops: LossOps, embeddings: Array, labels: Array, *, temperature: Positive = 0.07, eps: NonNegative = 1e-8) -> Any:
    """NT-Xent: samples of one label together, away from those of other labels, one value per sample.

        l_i = sum over j of one label with i of  -log(exp(s_ij) / (exp(s_ij) + sum_k exp(s_ik)))
        s_ij = cos(i, j) / temperature                    mean = sum(l) / number of pairs (i, j)

    with k over the samples of other labels.  Two views of one image have one label, its number in the batch.

    Args:
        embeddings: floating, shape (N, D); their lengths do not matter.
        labels: integers, shape (N,): which samples belong together.
        temperature: positive; the smaller it is, the more the nearest negatives weigh.
        eps: the least length that is divided by, 0 or above.

    Returns:
        With reduction "none" shape (N,), each sample's sum over its positives; else a scalar, in the floating dtype of
        the inputs.

    Raises:
        InputError: embeddings that are no batch of vectors, labels that are no integers or of another number.

    A sample without positives counts nowhere.  Where none has any, the sum is 0 and the mean NaN, as in optax.  Without
    negatives l is 0.

    References:
        Chen, Kornblith, Norouzi, Hinton: A Simple Framework for Contrastive Learning of Visual Representations, 2020,
        arXiv:2002.05709.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import ntxent_loss
        >>> views = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
        >>> round(float(ntxent_loss(views, np.array([0, 0, 1, 1]), temperature=0.5)), 4)
        0.2395
    """
    logits = between.cosines(ops, embeddings, embeddings, eps) / temperature
    alike, apart = between.positives(ops, labels, logits)
    shifted, log_total = between.compared(ops, logits, among=apart)
    pairs = ops.where(alike, ops.softplus(log_total - shifted), 0.0)
    return ops.sum(pairs, 1), ops.sum(ops.cast(alike, logits), 1)
