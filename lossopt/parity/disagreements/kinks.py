"""Where a function has two slopes or none, and the frameworks choose differently: derivatives, not values."""

from __future__ import annotations

from typing import Any

from lossopt.parity.disagreements.losses import jnp_loss, optax_loss, torch_loss
from lossopt.parity.disagreements.topic import Topic
from lossopt.parity.loss_rows import Rng

JAX_HALF = "half a slope at the kink is not copied"
JAX_ABS = "a slope of 1 at 0 is not copied"


def _equal(rng: Rng) -> tuple[Any, ...]:
    x = rng.normal(size=(8, 5))
    return x, x.copy()


def _at_the_margin(rng: Rng) -> tuple[Any, ...]:
    """Pairs of scores that are a margin of 1 apart."""
    x = rng.integers(-3, 3, 6).astype(float)
    return x + 1.0, x, [1] * 6


def _coinciding(rng: Rng) -> tuple[Any, ...]:
    """Anchors that are their own positives, and near negatives."""
    x = rng.normal(size=(8, 5))
    return x, x.copy(), x + 0.1


def _unit_scores(rng: Rng) -> tuple[Any, ...]:
    """Scores of exactly the sign that is wanted."""
    signs = [1, -1, 1, 1, -1]
    return [float(s) for s in signs], signs


TOPICS: tuple[Topic, ...] = (
    Topic(
        "absolute-error-slope",
        "absolute error, where it is 0",
        torch_loss(
            "F.l1_loss(x, x, reduction='sum')", lambda F, x, y: F.l1_loss(x, y, reduction="sum"), _equal, "l1_loss", reduction="sum"
        ),
        jnp_loss("jnp.abs(x - x).sum()", lambda jnp, x, y: jnp.abs(x - y).sum(), _equal, "l1_loss", JAX_ABS, reduction="sum"),
        "the slope of abs at 0 is 0, or 1",
        "`l1_loss`: 0",
        ("jax-ml/jax#37820", "jax-ml/jax#37821"),
        about="gradient",
    ),
    Topic(
        "maximum-slope",
        "margin ranking, at the margin",
        torch_loss(
            "F.margin_ranking_loss(a, b, t, margin=1, reduction='sum')",
            lambda F, a, b, t: F.margin_ranking_loss(a, b, t, margin=1.0, reduction="sum"),
            _at_the_margin,
            "margin_ranking_loss",
            margin=1.0,
            reduction="sum",
        ),
        jnp_loss(
            "jnp.maximum(1 - t * (a - b), 0).sum()",
            lambda jnp, a, b, t: jnp.maximum(1 - t * (a - b), 0).sum(),
            _at_the_margin,
            "margin_ranking_loss",
            JAX_HALF,
            margin=1.0,
            reduction="sum",
        ),
        "the slope of a maximum at a tie is that of the rising side, or half of it",
        "the rising side",
        ("jax-ml/jax#37820", "jax-ml/jax#37821"),
        about="gradient",
    ),
    Topic(
        "hinge-slope",
        "hinge loss, at the margin",
        torch_loss(
            "(1 - t * x).clamp(min=0).sum()", lambda F, x, t: (1 - t * x).clamp(min=0).sum(), _unit_scores, "hinge_loss", reduction="sum"
        ),
        optax_loss(
            "optax.losses.hinge_loss(x, t).sum()",
            lambda o, x, t: o.hinge_loss(x, t).sum(),
            _unit_scores,
            "hinge_loss",
            JAX_HALF,
            reduction="sum",
        ),
        "the slope of the rising side, or half of it",
        "the rising side",
        ("jax-ml/jax#37820", "jax-ml/jax#37821"),
        about="gradient",
    ),
    Topic(
        "norm-slope",
        "triplet margin without eps, where anchor and positive are one",
        torch_loss(
            "F.triplet_margin_loss(a, a, n, eps=0)",
            lambda F, a, p, n: F.triplet_margin_loss(a, p, n, eps=0.0),
            _coinciding,
            "triplet_margin_loss",
            eps=0.0,
        ),
        optax_loss(
            "optax.losses.triplet_margin_loss(a, a, n, eps=0).mean()",
            lambda o, a, p, n: o.triplet_margin_loss(a, p, n, eps=0.0).mean(),
            _coinciding,
            "triplet_margin_loss",
            "a NaN is not copied",
            eps=0.0,
            reduction="mean",
            convention="optax",
        ),
        "the slope of a norm at 0 is 0, or NaN",
        "`triplet_margin_loss`: 0",
        ("jax-ml/jax#3058", "jax-ml/jax#4177", "jax-ml/jax#21723", "jax-ml/jax!39792"),
        about="gradient",
    ),
)
