"""Divergences between distributions, beside the frameworks' own."""

from __future__ import annotations

from typing import Any

from lossopt.parity.case import LossCase
from lossopt.parity.loss_rows import case, divergence, own, same

MASK = ((1, 1, 0, 1), (1, 0, 1, 1), (1, 1, 1, 1), (0, 1, 1, 0), (1, 1, 1, 1), (0, 1, 0, 1))


def _masked(name: str) -> Any:
    return lambda optax, jnp, x, t: getattr(optax.losses, name)(x, t, where=jnp.asarray(MASK, bool))


CASES: tuple[LossCase, ...] = (
    *(same("kl_div", divergence(6, 4), reduction=reduction) for reduction in ("mean", "batchmean", "sum", "none")),
    same("kl_div", divergence(6, 4, log_target=True), log_target=True, reduction="batchmean"),
    case("kl_div", divergence(6, 4), where=MASK),
    case("kl_div", divergence(6, 4), convention="optax", optax=own("kl_divergence")),
    case("kl_div", divergence(6, 4), convention="optax", where=MASK, optax=_masked("kl_divergence")),
    case("kl_div", divergence(6, 4, log_target=True), convention="optax", log_target=True, where=MASK,
         optax=_masked("kl_divergence_with_log_targets")),
    case("kl_div", divergence(6, 4, log_target=True), convention="optax", log_target=True, optax=own("kl_divergence_with_log_targets")),
)  # fmt: skip
