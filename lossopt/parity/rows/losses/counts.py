"""Losses of numbers, counts and probabilities: errors and likelihoods, beside the frameworks' own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossopt.parity.case import LossCase
from lossopt.parity.loss_rows import KERAS_MEAN, Rng, case, chances, functional, own, real, same


def counts(*shape: int, rates: bool = False) -> Callable[[Rng], tuple[Any, ...]]:
    """Logarithms of rates, or the rates, and counts of which some are 0."""

    def make(rng: Rng) -> tuple[Any, ...]:
        x = rng.normal(size=shape)
        return np.exp(x) if rates else x, rng.poisson(2.0, shape)

    return make


def spread(*shape: int, var: tuple[int, ...] | None = None) -> Callable[[Rng], tuple[Any, ...]]:
    """Means, truths and variances, the last in a shape of their own."""
    return lambda rng: (rng.normal(size=shape), rng.normal(size=shape), rng.uniform(0.1, 2.0, shape if var is None else var))


def _log_cosh(torch: Any, x: Any, t: Any) -> Any:
    return torch.log(torch.cosh(x - t))


def _pinball(q: float) -> Callable[..., Any]:
    """The two-sided form that forecasting libraries write."""
    return lambda torch, x, t: torch.maximum(q * (t - x), (q - 1) * (t - x))


def _bce(**options: Any) -> Callable[..., Any]:
    """PyTorch's, which takes floating targets only."""
    return lambda torch, p, t: functional("binary_cross_entropy", **options)(torch, p, t.to(p.dtype))


CASES: tuple[LossCase, ...] = (
    case("l2_loss", real(4, 3, 2), torch=lambda torch, x, t: 0.5 * torch.nn.functional.mse_loss(x, t)),
    case("l2_loss", real(4, 3, 2), reduction="sum", torch=lambda torch, x, t: 0.5 * torch.nn.functional.mse_loss(x, t, reduction="sum")),
    case("l2_loss", real(4, 3), reduction="none", torch=lambda torch, x, t: 0.5 * torch.nn.functional.mse_loss(x, t, reduction="none")),
    case("l2_loss", real(4, 3, 2), convention="optax", optax=own("l2_loss")),
    case("l2_loss", real(), convention="optax", optax=own("l2_loss")),
    case("l2_loss", real(4, 3), convention="optax", reduction="mean", optax=lambda optax, jnp, x, t: optax.l2_loss(x, t).mean()),
    case("log_cosh_loss", real(4, 3, 2), torch=lambda torch, x, t: _log_cosh(torch, x, t).mean()),
    case("log_cosh_loss", real(4, 3, 2), reduction="sum", torch=lambda torch, x, t: _log_cosh(torch, x, t).sum()),
    case("log_cosh_loss", real(4, 3), reduction="none", torch=_log_cosh),
    case("log_cosh_loss", real(4, 3, 2), convention="optax", optax=own("log_cosh")),
    case("log_cosh_loss", real(), convention="optax", optax=own("log_cosh")),
    case("log_cosh_loss", real(4, 3), convention="optax", reduction="mean", optax=lambda optax, jnp, x, t: optax.log_cosh(x, t).mean()),
    case("log_cosh_loss", real(4, 3), convention="keras", keras=lambda k, x, t: k.losses.LogCosh()(t, x), allowed=KERAS_MEAN),
    case("log_cosh_loss", real(4, 3), convention="keras", reduction="sum",
         keras=lambda k, x, t: k.losses.LogCosh(reduction="sum")(t, x) * 3, allowed=KERAS_MEAN),
    case("log_cosh_loss", real(4, 3), convention="keras", reduction="none"),
    same("poisson_nll_loss", counts(4, 3)),
    same("poisson_nll_loss", counts(4, 3), full=True, reduction="sum"),
    same("poisson_nll_loss", counts(4, 3, rates=True), log_input=False, reduction="none"),
    same("poisson_nll_loss", counts(4, 3, rates=True), log_input=False, full=True, eps=0.1),
    case("poisson_nll_loss", counts(4, 3), convention="optax"),
    case("poisson_nll_loss", counts(4, 3), convention="optax", full=True, reduction="sum"),
    case("poisson_nll_loss", counts(4, 3, rates=True), convention="optax", log_input=False),
    case("poisson_nll_loss", counts(4, 3, rates=True), convention="keras", keras=lambda k, x, t: k.losses.Poisson()(t, x),
         allowed=KERAS_MEAN),
    case("poisson_nll_loss", counts(4, 3, rates=True), convention="keras", full=True, reduction="sum"),
    case("poisson_nll_loss", counts(4, 3, rates=True), convention="keras", eps=1e-3, reduction="none"),
    same("gaussian_nll_loss", spread(4, 3)),
    same("gaussian_nll_loss", spread(4, 3), full=True, reduction="sum"),
    same("gaussian_nll_loss", spread(4, 3, var=(4, 1)), reduction="none"),
    same("gaussian_nll_loss", spread(4, 3, var=(4,)), eps=0.5),
    same("gaussian_nll_loss", spread(4, 2, 3, var=(4, 1, 3)), eps=0.5, full=True),
    case("gaussian_nll_loss", spread(4, 3), convention="optax"),
    case("gaussian_nll_loss", spread(4, 3, var=()), convention="optax", eps=1e-2),
    case("gaussian_nll_loss", spread(4, 3), convention="optax", full=True, reduction="sum"),
    case("quantile_loss", real(4, 3), torch=lambda torch, x, t: _pinball(0.5)(torch, x, t).mean()),
    case("quantile_loss", real(4, 3), quantile=0.9, reduction="sum", torch=lambda torch, x, t: _pinball(0.9)(torch, x, t).sum()),
    case("quantile_loss", real(4, 3), quantile=0.05, reduction="none", torch=_pinball(0.05)),
    case("quantile_loss", real(4, 3), convention="optax"),
    case("quantile_loss", real(4, 3), convention="optax", quantile=0.9, reduction="sum"),
    case("quantile_loss", real(4, 3), convention="optax", quantile=0.25, reduction="mean"),
    same("binary_cross_entropy", chances(4, 3)),
    case("binary_cross_entropy", chances(4, 3, whole=True), reduction="sum", torch=_bce(reduction="sum")),
    case("binary_cross_entropy", chances(4, 3, whole=True), weight=(0.5, 2.0, 1.0), torch=_bce(weight=(0.5, 2.0, 1.0))),
    same("binary_cross_entropy", chances(4, 3), weight=(0.5, 2.0, 1.0), reduction="none"),
    case("binary_cross_entropy", chances(4, 3), convention="optax"),
    case("binary_cross_entropy", chances(4, 3, whole=True), convention="optax", reduction="sum"),
    case("binary_cross_entropy", chances(4, 3), convention="optax", clip=0.1),
    case("binary_cross_entropy", chances(4, 3), convention="keras", keras=lambda k, x, t: k.losses.BinaryCrossentropy()(t, x),
         allowed=KERAS_MEAN),
    case("binary_cross_entropy", chances(4, 3, whole=True), convention="keras", reduction="sum",
         keras=lambda k, x, t: k.losses.BinaryCrossentropy(reduction="sum")(t, x) * 3, allowed=KERAS_MEAN),
    case("binary_cross_entropy", chances(4, 3), convention="keras", clip=None, reduction="none"),
)  # fmt: skip
