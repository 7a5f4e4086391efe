"""Cross-entropies with a twist and Fenchel-Young losses, whose probabilities can be exactly 0, beside the frameworks' own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossopt.parity.case import LossCase
from lossopt.parity.loss_rows import Rng, case, functional, labelled, own, signed, soft

PRESENT = np.array([True, True, False, True, False])
"""Which of five classes are there."""


def absent(*shape: int, axis: int = 1) -> Callable[[Rng], tuple[Any, ...]]:
    """Logits and class probabilities; the last class has probability 0, and in every other sample the logit -inf."""

    def make(rng: Rng) -> tuple[Any, ...]:
        x, t = (np.moveaxis(a, axis, -1) for a in soft(*shape, axis=axis)(rng))
        t[..., -1] = 0.0
        x[::2, ..., -1] = -np.inf
        return np.moveaxis(x, -1, axis), np.moveaxis(t / t.sum(-1, keepdims=True), -1, axis)

    return make


def _made(max_fun: str, reduction: str = "none") -> Callable[..., Any]:
    """optax's factory with JAX's own maximum of one vector."""

    def call(optax: Any, jnp: Any, x: Any, t: Any) -> Any:
        vector = {"logsumexp": lambda s: jnp.logaddexp.reduce(s), "max": jnp.max}[max_fun]
        values = optax.losses.make_fenchel_young_loss(vector)(x, t)
        return values if reduction == "none" else getattr(values, reduction)()

    return call




CASES: tuple[LossCase, ...] = (
    case("safe_softmax_cross_entropy", soft(8, 5), torch=functional("cross_entropy")),
    case("safe_softmax_cross_entropy", soft(2, 5, 3), reduction="none", torch=functional("cross_entropy", reduction="none")),
    case("safe_softmax_cross_entropy", absent(8, 5), reduction="sum"),
    case("safe_softmax_cross_entropy", soft(8, 5), convention="optax", optax=own("safe_softmax_cross_entropy")),
    case("safe_softmax_cross_entropy", absent(8, 5), convention="optax", optax=own("safe_softmax_cross_entropy")),
    case("safe_softmax_cross_entropy", absent(2, 3, 5, axis=2), convention="optax", optax=own("safe_softmax_cross_entropy")),
    case("poly_loss_cross_entropy", soft(8, 5)),
    case("poly_loss_cross_entropy", labelled(2, 5, 3), epsilon=-1.0, reduction="sum"),
    case("poly_loss_cross_entropy", labelled(8, 5), epsilon=0.0, torch=functional("cross_entropy")),
    case("poly_loss_cross_entropy", soft(8, 5), convention="optax", optax=own("poly_loss_cross_entropy")),
    case("poly_loss_cross_entropy", soft(2, 3, 5, axis=2), convention="optax", epsilon=-1.0,
         optax=own("poly_loss_cross_entropy", epsilon=-1.0)),
    case("poly_loss_cross_entropy", soft(2, 5, 3), convention="optax", axis=1, reduction="mean",
         optax=lambda o, jnp, x, t: o.losses.poly_loss_cross_entropy(x, t, axis=1).mean()),
    case("poly_loss_cross_entropy", soft(8, 5), convention="optax", where=PRESENT,
         optax=lambda o, jnp, x, t: o.losses.poly_loss_cross_entropy(x, t, where=jnp.broadcast_to(PRESENT, x.shape))),
    case("sparsemax_loss", signed(8, 3, zero=True)),
    case("sparsemax_loss", signed(8, 3, zero=True), reduction="sum"),
    case("sparsemax_loss", signed(8, zero=True), reduction="none"),
    case("sparsemax_loss", signed(8, 3, zero=True), convention="optax", optax=own("sparsemax_loss")),
    case("sparsemax_loss", signed(8, zero=True), convention="optax", optax=own("sparsemax_loss")),
    case("sparsemax_loss", signed(8, 3, zero=True), convention="optax", reduction="mean",
         optax=lambda o, jnp, x, t: o.losses.sparsemax_loss(x, t).mean()),
    case("multiclass_sparsemax_loss", labelled(8, 5)),
    case("multiclass_sparsemax_loss", labelled(3, 5, 2), reduction="sum"),
    case("multiclass_sparsemax_loss", labelled(5, axis=0)),
    case("multiclass_sparsemax_loss", labelled(8, 5), convention="optax", optax=own("multiclass_sparsemax_loss")),
    case("multiclass_sparsemax_loss", labelled(64, 5), convention="optax", reduction="mean",
         optax=lambda o, jnp, x, y: o.losses.multiclass_sparsemax_loss(x, y).mean()),
    case("multiclass_sparsemax_loss", lambda rng: (0.2 * rng.normal(size=(8, 7)), rng.integers(0, 7, 8)), convention="optax",
         optax=own("multiclass_sparsemax_loss")),
    case("multiclass_sparsemax_loss", labelled(2, 3, 5, axis=2), convention="optax"),
    case("make_fenchel_young_loss", soft(8, 5, axis=1), max_fun="logsumexp"),
    case("make_fenchel_young_loss", soft(2, 3, 5, axis=2), max_fun="max", reduction="sum"),
    case("make_fenchel_young_loss", lambda rng: (rng.normal(size=(6, 4)), np.eye(4)[rng.integers(0, 4, 6)]), reduction="none",
         torch=lambda torch, x, t: torch.nn.functional.cross_entropy(x, t.argmax(1), reduction="none")),
    case("make_fenchel_young_loss", soft(8, 5), convention="optax", optax=_made("logsumexp")),
    case("make_fenchel_young_loss", soft(2, 3, 5, axis=2), convention="optax", max_fun="max", optax=_made("max")),
    case("make_fenchel_young_loss", soft(2, 3, 5, axis=2), convention="optax", reduction="mean", optax=_made("logsumexp", "mean")),
)  # fmt: skip
