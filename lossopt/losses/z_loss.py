"""The z-loss: the squared logarithm of the softmax's normaliser."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


@loss(
    check=checks.labelled,
    conventions={"torch": {}, "optax": {"axis": -1, "ignore_index": None, "reduction": "none"}},
    elsewhere={"also": "logsumexp_penalty"},
)
def z_loss(ops: LossOps, predictions: Array, targets: Array, *, ignore_index: int | None = -100, axis: int = 1) -> Array:
    """The z-loss: the squared logarithm of the softmax's normaliser, which keeps logits from drifting.

        l = (log sum_k exp(x_k))**2                    mean = sum(l) / number of labels that are not ignored

    It takes what cross_entropy takes, so that the two add up: ``cross_entropy + 1e-4 * z_loss``.

    Args:
        predictions: logits x, floating, shape (N, C), (N, C, d1, ...) or (C,): the classes on `axis`.
        targets: integer labels in [0, C), predictions' shape without `axis`; only which are ignored matters.
        ignore_index: the label that counts nowhere, neither in the sum nor in the mean; None ignores no label.  The
            mean where every label is ignored is NaN.
        axis: the class axis: 1 in PyTorch (0 for a single sample), -1 in optax.

    Returns:
        With reduction "none" predictions' shape without `axis`, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer predictions, labels outside [0, C).

    References:
        Chowdhery, Narang, Devlin et al.: PaLM: Scaling Language Modeling with Pathways, 2022, arXiv:2204.02311
        (section 5, with factor 1e-4).
        Zoph, Bello, Kumar et al.: ST-MoE: Designing Stable and Transferable Sparse Expert Models, 2022, arXiv:2202.08906.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import cross_entropy, z_loss
        >>> logits, labels = np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([0, 1])
        >>> print(z_loss(logits, labels, reduction="none").round(4))
        [4.5238 0.4805]
        >>> round(float((cross_entropy + 1e-4 * z_loss)(logits, labels)), 4)
        0.4103
    """
    axis = parts.class_axis(axis, predictions.shape)
    normaliser = ops.logsumexp(predictions, axis)
    return parts.of_kept(ops, normaliser * normaliser, targets, ignore_index)
