"""Kullback-Leibler divergence of predicted log-probabilities from targets."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.losses import checks
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Array, targets: Array, *, axis: int | None = None, **_: object) -> None:
    checks.regression(ops, predictions, targets)
    checks.has_axis("predictions", predictions, axis)


@loss(
    check=_check,
    reductions=("none", "mean", "sum", "batchmean"),
    conventions={"torch": {}, "optax": {"axis": -1, "reduction": "none"}},
    elsewhere={
        "torch": "torch.nn.functional.kl_div, torch.nn.KLDivLoss; its mean divides by every element, 'batchmean' by samples",
        "optax": "optax.kl_divergence, optax.losses.kl_divergence_with_log_targets; summed over the last axis, no reduction",
        "keras": "keras.losses.KLDivergence; of probabilities, targets first, summed over the last axis",
        "also": "kl_div_loss, kl_divergence_loss",
    },
)
def kl_div(ops: LossOps, predictions: Array, targets: Array, *, log_target: bool = False, axis: int | None = None) -> Array:
    """Kullback-Leibler divergence of predicted log-probabilities from targets.

        l = t (log t - x)               log_target=False
        l = exp(t) (t - x)              log_target=True

    PyTorch's mean divides by the number of elements, so it is smaller than the divergence by the number of classes;
    reduction="batchmean" divides by the number of samples, which is the mathematical value.

    Args:
        predictions: log-probabilities x, floating, any shape.
        targets: probabilities t, or with log_target their logarithms, in predictions' shape.
        log_target: targets are logarithms.
        axis: sum over this axis, as optax does over the last; None leaves every element, as PyTorch does.

    Returns:
        With reduction "none" predictions' shape (without `axis`, where given), else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions or targets, an axis that is not there.

    A target of 0 adds 0, and its own derivative is NaN; a prediction of -inf gives NaN on a target of 0, a log-target
    of -inf gives NaN.  All of this is PyTorch's.

    References:
        Kullback, Leibler: On Information and Sufficiency, Annals of Mathematical Statistics 22, 1951.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import kl_div
        >>> x, t = np.log([[0.5, 0.5]]), np.array([[0.9, 0.1]])
        >>> round(float(kl_div(x, t)), 4), round(float(kl_div(x, t, reduction="batchmean")), 4)
        (0.184, 0.3681)
    """
    values = ops.exp(targets) * (targets - predictions) if log_target else ops.xlogy(targets, targets) - targets * predictions
    return values if axis is None else ops.sum(values, axis)
