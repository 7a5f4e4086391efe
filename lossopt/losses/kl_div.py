"""Kullback-Leibler divergence of predicted log-probabilities from targets."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Array, targets: Array, *, axis: int | None = None, where: Any = None, **_: object) -> None:
    checks.regression(ops, predictions, targets)
    checks.has_axis("predictions", predictions, axis)
    checks.multiplies("where", where, predictions)


@loss(
    check=_check,
    reductions=("none", "mean", "sum", "batchmean"),
    conventions={"torch": {}, "optax": {"axis": -1, "reduction": "none"}},
    elsewhere={
        "torch": "torch.nn.functional.kl_div, torch.nn.KLDivLoss; its mean divides by every element, 'batchmean' by samples",
        "optax": "optax.kl_divergence; summed over the last axis, no reduction",
        "keras": "keras.losses.KLDivergence; of probabilities, targets first, summed over the last axis",
        "also": "kl_div_loss, kl_divergence_loss",
    },
)
def kl_div(ops: LossOps, predictions: Array, targets: Array, *, log_target: bool = False, axis: int | None = None,
           where: Any = None) -> Any:  # fmt: skip
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
        where: which elements count, in the sums and with axis=None in the mean: an array that broadcasts to predictions, 0 or
            False for those that do not.

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
    predictions, targets, counts = parts.counted(ops, where, predictions, targets)
    values = ops.exp(targets) * (targets - predictions) if log_target else ops.xlogy(targets, targets) - targets * predictions
    return parts.summed(ops, values, counts, axis)


kl_divergence_with_log_targets = kl_div.variant(
    "kl_divergence_with_log_targets",
    log_target=True,
    conventions={"torch": {}, "optax": {"axis": -1, "reduction": "none"}},
    elsewhere={
        "torch": "torch.nn.functional.kl_div; with log_target=True",
        "optax": "optax.losses.kl_divergence_with_log_targets; summed over the last axis, no reduction",
    },
    doc="""Kullback-Leibler divergence of predicted log-probabilities from targets that are logarithms too: kl_div(log_target=True).

    l = exp(t) (t - x)              log_target=True

Args:
    predictions: log-probabilities x, floating, any shape.
    targets: logarithms t of probabilities, in predictions' shape.
    log_target: False makes it kl_div.
    axis: sum over this axis, as optax does over the last; None leaves every element, as PyTorch does.
    where: which elements count, as in kl_div.

Returns:
    With reduction "none" predictions' shape (without `axis`, where given), else a scalar, in the floating dtype of the inputs.

Raises:
    InputError: shapes that differ, integer predictions or targets, an axis that is not there.

A log-target of -inf gives NaN, as in PyTorch and optax.

References:
    Kullback, Leibler: On Information and Sufficiency, Annals of Mathematical Statistics 22, 1951.

Example:
    >>> import numpy as np
    >>> from lossopt.losses import kl_divergence_with_log_targets
    >>> x, t = np.log([[0.5, 0.5]]), np.log([[0.9, 0.1]])
    >>> round(float(kl_divergence_with_log_targets(x, t, reduction="batchmean")), 4)
    0.3681
""",
)
