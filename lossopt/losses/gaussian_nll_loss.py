"""Negative log-likelihood of numbers under a normal distribution whose variance is predicted too."""

from __future__ import annotations

import math
from typing import Any

from lossopt.definition import loss
from lossopt.errors import InputError
from lossopt.hyper import Positive
from lossopt.losses.shared import checks
from lossopt.losses.shared.parts import shape_of
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Any, targets: Any, var: Any, **_: Any) -> None:
    checks.floating(predictions=predictions, targets=targets, var=var)
    checks.same_shape(predictions=predictions, targets=targets)
    have, want = shape_of(var), shape_of(predictions)
    last_is_one = len(have) == len(want) and all(a in (b, 1) for a, b in zip(have, want, strict=True))
    if have not in ((), want[:-1]) and not last_is_one:
        raise InputError(f"var must have the shape of predictions, {want}, or 1 in the place of an axis, or no last axis, {want[:-1]}, "
                         f"or be one number, (); got {have}")  # fmt: skip
    seen = ops.seen(var)
    if seen is not None and (seen < 0).any():
        raise InputError(f"var must be positive or zero, got {float(seen.min()):g}; of its logarithm, write exp(var)")


@loss(
    check=_check,
    elsewhere={"torch": "torch.nn.functional.gaussian_nll_loss, torch.nn.GaussianNLLLoss", "also": "gaussian_nll, normal_nll_loss"},
)
def gaussian_nll_loss(ops: LossOps, predictions: Array, targets: Array, var: Array, *, full: bool = False,
                      eps: Positive = 1e-6) -> Array:  # fmt: skip
    """Negative log-likelihood under a normal distribution whose mean and variance are predicted, element by element.

        l = (log v + (x - t)**2 / v) / 2,   v = max(var, eps)

    and with `full` log(2 pi) / 2 more.  The maximum is not differentiated: below eps the derivative is that of v.

    Args:
        predictions: the mean x, floating, any shape.
        targets: t, floating, the same shape.
        var: the variance, floating, positive or zero: predictions' shape, or with 1 in the place of an axis (or without
            the last axis, or one number of shape ()) where entries share it.
        full: add the constant.
        eps: the smallest variance, positive.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer arrays, a negative variance.  A variance that cannot be seen (traced, or
            on an accelerator) gives NaN where it is negative.

    References:
        Nix, Weigend: Estimating the mean and variance of the target probability distribution, ICNN 1994.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import gaussian_nll_loss
        >>> mean, truth, variance = np.array([0.0, 2.0]), np.array([1.0, 2.0]), np.array([1.0, 4.0])
        >>> print(gaussian_nll_loss(mean, truth, variance, reduction="none").round(4))
        [0.5    0.6931]
    """
    if len(var.shape) == len(predictions.shape) - 1:
        var = var[..., None]
    least = eps + (var - ops.stop_gradient(var))
    v = ops.where(var < 0, float("nan"), ops.where(var < eps, least, var))
    error = predictions - targets
    values = 0.5 * (ops.log(v) + error * error / v)
    return values + 0.5 * math.log(2 * math.pi) if full else values
