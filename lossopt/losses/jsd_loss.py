"""Generalized Jensen-Shannon divergence of predicted log-probabilities from targets."""

from __future__ import annotations

from typing import Annotated

from lossopt.definition import loss
from lossopt.hyper import Range
from lossopt.losses.shared import checks
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Array, targets: Array, *, axis: int | None = None, **_: object) -> None:
    checks.regression(ops, predictions, targets)
    checks.has_axis("predictions", predictions, axis)


@loss(
    check=_check,
    reductions=("none", "mean", "sum", "batchmean"),
    conventions={"torch": {}, "optax": {"axis": -1, "reduction": "none"}},
    elsewhere={"also": "js_divergence, jensen_shannon_divergence, generalized_jsd_loss"},
)
def jsd_loss(ops: LossOps, predictions: Array, targets: Array, *, beta: Annotated[float, Range(0, 1, open_low=True, open_high=True)] = 0.5,
             axis: int | None = None) -> Array:  # fmt: skip
    """Generalized Jensen-Shannon divergence of predicted log-probabilities from targets.

        l = beta t log(t / m) + (1 - beta) p log(p / m),      m = beta t + (1 - beta) p,   p = exp(x)

    Summed over the classes it is symmetric at beta = 1/2 and at most log 2 there; towards beta = 0 it behaves as beta times the
    forward divergence of kl_div, towards 1 as the reverse one.

    Args:
        predictions: log-probabilities x, floating, any shape.
        targets: probabilities t, zero and above, in predictions' shape.
        beta: the targets' share of the mixture, in (0, 1).
        axis: sum over this axis; None leaves every element, as kl_div does in PyTorch.

    Returns:
        With reduction "none" predictions' shape (without `axis`, where given), else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions or targets, an axis that is not there.

    A target of 0 adds ``(1 - beta) p log(1 / (1 - beta))``, and its own derivative is NaN.  A prediction of -inf adds
    ``beta t log(1 / beta)``.

    References:
        Lin: Divergence Measures Based on the Shannon Entropy, IEEE Transactions on Information Theory 37, 1991.
        Agarwal, Vieillard, Zhou et al.: On-Policy Distillation of Language Models: Learning from Self-Generated
        Mistakes, 2023, arXiv:2306.13649.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import jsd_loss
        >>> x, t = np.log([[0.5, 0.5]]), np.array([[1.0, 0.0]])
        >>> round(float(jsd_loss(x, t, reduction="batchmean")), 4)
        0.2158
    """
    p = ops.exp(predictions)
    mixture = beta * targets + (1 - beta) * p
    log_mixture = ops.log(ops.where(mixture > 0, mixture, 1.0))  # where it is 0, so is what multiplies its logarithm
    forward = ops.xlogy(targets, targets) - targets * log_mixture
    backward = p * (ops.where(p > 0, predictions, 0.0) - log_mixture)
    values = beta * forward + (1 - beta) * backward
    return values if axis is None else ops.sum(values, axis)
