"""Supervised contrastive loss (Khosla et al.), with views and classes by label."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.hyper import NonNegative, Positive
from lossopt.losses.shared import embeddings as between
from lossopt.ops import Array, LossOps


@loss(
    check=between.grouped,
    conventions={"torch": {}, "optax": {"reduction": "none"}},
    elsewhere={
        "pytorch-metric-learning": "pytorch_metric_learning.losses.SupConLoss; without base_temperature, and 0.1",
        "also": "supervised_contrastive_loss, SupConLoss",
    },
)
def supcon_loss(ops: LossOps, embeddings: Array, labels: Array, *, temperature: Positive = 0.07, base_temperature: Positive = 0.07,
                normalize: bool = True, eps: NonNegative = 1e-12) -> Any:  # fmt: skip
    """Supervised contrastive loss, one value per sample: L_out of the paper, its equation 2.

        l_i = -(temperature / base_temperature) mean over p in P(i) of  s_ip - log sum_{a != i} exp(s_ia)
        s_ij = z_i.z_j / temperature                      mean = sum(l) / number of samples with P(i) not empty

    with P(i) the other samples of i's label, and z the embeddings at length 1.

    Args:
        embeddings: floating, shape (N, D): every view of every image in one batch.
        labels: integers, shape (N,).  Views of one image share a label; so do images of one class.
        temperature: positive; the smaller it is, the more the nearest samples weigh.
        base_temperature: positive: the temperature at which the gradient has its own size; equal to temperature, no factor.
        normalize: bring embeddings to length 1; False for those that are.
        eps: the least length that is divided by, 0 or above.

    Returns:
        With reduction "none" shape (N,), else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: embeddings that are no batch of vectors, labels that are no integers or of another number.

    A sample without positives costs 0 and does not count in the mean.  Where none has any, the sum is 0 and the mean NaN.

    References:
        Khosla, Teterwak, Wang, Sarna, Tian, Isola, Maschinot, Liu, Krishnan: Supervised Contrastive Learning, 2020,
        arXiv:2004.11362.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import supcon_loss
        >>> views = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
        >>> round(float(supcon_loss(views, np.array([0, 0, 1, 1]), temperature=0.5, base_temperature=0.5)), 4)
        0.2395
    """
    logits = between.cosines(ops, embeddings, embeddings, eps, normalize) / temperature
    alike, apart = between.positives(ops, labels, logits)
    shifted, log_total = between.compared(ops, logits, among=alike | apart)
    count = ops.sum(ops.cast(alike, logits), 1)
    costs = ops.sum(ops.where(alike, log_total - shifted, 0.0), 1) / ops.clamp_min(count, 1.0)
    return (temperature / base_temperature) * costs, ops.cast(count > 0, logits)
