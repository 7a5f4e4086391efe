"""Negative log-likelihood of counts under a Poisson distribution."""

from __future__ import annotations

import math
from typing import Any

from lossopt.definition import loss
from lossopt.hyper import NonNegative
from lossopt.losses.shared import checks
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Any, targets: Any, **_: Any) -> None:
    checks.floating(predictions=predictions)
    checks.same_shape(predictions=predictions, targets=targets)
    checks.real(targets=targets)


@loss(
    check=_check,
    conventions={"torch": {}, "optax": {"reduction": "none"}, "keras": {"log_input": False, "eps": 1e-7}},
    elsewhere={
        "torch": "torch.nn.functional.poisson_nll_loss, torch.nn.PoissonNLLLoss",
        "keras": "keras.losses.Poisson; of rates, eps 1e-7, targets first",
        "also": "poisson_loss",
    },
)
def poisson_nll_loss(ops: LossOps, predictions: Array, targets: Array, *, log_input: bool = True, full: bool = False,
                     eps: NonNegative = 1e-8) -> Array:  # fmt: skip
    """Negative log-likelihood of counts under a Poisson distribution, element by element.

        l = exp(x) - t x                log_input=True, x the logarithm of the rate
        l = x - t log(x + eps)          log_input=False, x the rate

    and with `full`, where t > 1, Stirling's approximation of log t!:

        + t log t - t + log(2 pi t) / 2

    Args:
        predictions: x, floating, any shape; rates are positive or zero.
        targets: the counts t, positive or zero, of any real dtype, in predictions' shape.
        log_input: predictions are logarithms of the rate.
        full: add the term that does not depend on the predictions.
        eps: added to a rate of which the logarithm is taken, positive or zero.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of predictions.

    Raises:
        InputError: shapes that differ, integer predictions, targets that are no numbers.

    A rate below -eps gives NaN, as in PyTorch.

    References:
        Cameron, Trivedi: Regression Analysis of Count Data, 2013, section 3.2.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import poisson_nll_loss
        >>> round(float(poisson_nll_loss(np.array([0.0, 1.0]), np.array([1, 3]))), 4)
        0.3591
    """
    counts = ops.cast(targets, predictions)
    if log_input:
        values = ops.exp(predictions) - counts * predictions
    else:
        values = predictions - counts * ops.log(predictions + eps)
    if not full:
        return values
    above_one = ops.where(counts > 1, counts, 1.0)  # the logarithm of a count of 0 would make its derivative NaN
    stirling = above_one * ops.log(above_one) - above_one + 0.5 * ops.log(2 * math.pi * above_one)
    return values + ops.where(counts > 1, stirling, 0.0)
