"""Losses of real numbers, beside the frameworks' own."""

from __future__ import annotations

import numpy as np

from lossopt.parity.case import Allowed, LossCase
from lossopt.parity.loss_rows import KERAS_MEAN, case, own, real, same

WEIGHTS = np.array([[0.5, 2.0, 0.0], [1.0, 0.25, 1.5], [3.0, 1.0, 1.0], [0.1, 0.7, 2.5]])
"""One for each element of an array of shape (4, 3)."""

REGRESSION = tuple(
    row
    for reduction in ("mean", "sum", "none")
    for row in (
        same("mse_loss", real(4, 3, 2), reduction=reduction),
        same("l1_loss", real(4, 3, 2), reduction=reduction),
        same("huber_loss", real(4, 3, 2), delta=0.7, reduction=reduction),
        same("smooth_l1_loss", real(4, 3, 2), beta=0.7, reduction=reduction),
    )
)

WEIGHTED = tuple(
    row
    for reduction in ("mean", "none")
    for row in (
        same("mse_loss", real(4, 3), weight=WEIGHTS, reduction=reduction),
        same("l1_loss", real(4, 3), weight=WEIGHTS, reduction=reduction),
        same("huber_loss", real(4, 3), delta=0.7, weight=WEIGHTS, reduction=reduction),
    )
)

CASES: tuple[LossCase, ...] = (
    *REGRESSION,
    *WEIGHTED,
    case("mse_loss", real(6, 3), weight=(0.5, 2.0, 0.0), reduction="sum"),
    case("l1_loss", real(6, 3), convention="optax", weight=(0.5, 2.0, 0.0), reduction="mean"),
    case("mse_loss", real(6, 3), convention="optax", optax=own("squared_error")),
    case("mse_loss", real(6, 3), convention="keras", keras=lambda k, x, t: k.losses.MeanSquaredError()(t, x), allowed=KERAS_MEAN),
    case("l1_loss", real(6, 3), convention="optax"),
    case("l1_loss", real(6, 3), convention="keras", keras=lambda k, x, t: k.losses.MeanAbsoluteError()(t, x),
         allowed={**KERAS_MEAN,
                  "keras gradient": Allowed(1.0 + 1e-6, "at an error of 0 the slope is 1 in JAX, and so in Keras; PyTorch's is 0")}),
    same("huber_loss", real()),
    case("huber_loss", real(6, 3), convention="optax", delta=0.7, optax=own("huber_loss", delta=0.7)),
    case("huber_loss", real(6, 3), convention="keras", keras=lambda k, x, t: k.losses.Huber()(t, x), allowed=KERAS_MEAN),
    same("smooth_l1_loss", real(6, 3), beta=0.0),
    case("smooth_l1_loss", real(6, 3), convention="optax", optax=own("huber_loss", delta=1.0)),
)  # fmt: skip
