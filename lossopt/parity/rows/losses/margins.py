"""Losses of scores and signs, of labels and rivals, and of ranks, beside the frameworks' own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossopt.parity.case import LossCase
from lossopt.parity.loss_rows import KERAS_MEAN, WEIGHT, Rng, binary, case, labelled, own, same, signed

THERE = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [0, 1, 0, 1, 1]], bool)
"""Which of five items are in each of four lists."""


def sets(*shape: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Scores, and labels filled up with -1: none, one, several, one twice."""

    def make(rng: Rng) -> tuple[Any, ...]:
        classes = shape[-1]
        labels = np.full((int(np.prod(shape[:-1])), classes), -1)
        for i, row in enumerate(labels):
            row[: i % classes] = rng.permutation(classes)[: i % classes]
            row[-1] = rng.integers(classes)  # after the end, so it counts for nothing
        if len(labels) > 2:
            labels[2, 1] = labels[2, 0]
        return rng.normal(size=shape), labels.reshape(shape)

    return make


def ordered(*shape: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Pairs of scores, and which is to be the higher."""
    return lambda rng: (rng.normal(size=shape), rng.normal(size=shape), np.where(rng.uniform(size=shape) < 0.5, 1, -1))


def lists(*shape: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Scores and grades of relevance from 0 to 4."""
    return lambda rng: (rng.normal(size=shape) * 2, rng.integers(0, 5, shape))


def _one_hot(keras_loss: Callable[[Any], Any]) -> Callable[..., Any]:
    """Keras's categorical losses take one-hot targets."""
    return lambda k, x, y: keras_loss(k)(k.ops.one_hot(y, x.shape[-1], dtype="float64"), x)


def _ranking(reduce_fn: str | None = "mean", **options: Any) -> Callable[..., Any]:
    def call(optax: Any, jnp: Any, x: Any, t: Any) -> Any:
        given = {k: jnp.asarray(v) for k, v in options.items()}
        return optax.losses.ranking_softmax_loss(x, t, **given, reduce_fn=None if reduce_fn is None else getattr(jnp, reduce_fn))

    return call


CASES: tuple[LossCase, ...] = (
    same("multi_margin_loss", labelled(8, 5)),
    same("multi_margin_loss", labelled(8, 5), p=2, reduction="sum"),
    same("multi_margin_loss", labelled(8, 5), margin=0.3, weight=WEIGHT),
    same("multi_margin_loss", labelled(8, 5), p=2, margin=2.0, weight=WEIGHT, reduction="none"),
    same("multi_margin_loss", labelled(5, axis=0)),
    case("multi_margin_loss", labelled(2, 3, 5, axis=2), convention="optax"),
    case("multi_margin_loss", labelled(2, 3, 5, axis=2), convention="optax", p=2, reduction="sum"),
    case("multi_margin_loss", labelled(2, 3, 5, axis=2), convention="optax", weight=WEIGHT),
    same("multilabel_margin_loss", sets(8, 5)),
    same("multilabel_margin_loss", sets(8, 5), reduction="sum"),
    same("multilabel_margin_loss", sets(8, 5), reduction="none"),
    same("multilabel_margin_loss", lambda rng: (rng.normal(size=4), np.array([2, 0, -1, 1]))),
    case("multilabel_margin_loss", sets(8, 5), convention="optax"),
    case("multilabel_margin_loss", sets(2, 4, 5), convention="optax"),
    case("multilabel_margin_loss", sets(8, 5), convention="optax", reduction="sum"),
    same("multilabel_soft_margin_loss", binary(6, 3)),
    same("multilabel_soft_margin_loss", binary(6, 3, whole=True), reduction="sum"),
    same("multilabel_soft_margin_loss", binary(6, 3), weight=(0.5, 2.0, 1.0), reduction="none"),
    case("multilabel_soft_margin_loss", binary(6, 3), convention="optax",
         optax=lambda optax, jnp, x, t: optax.sigmoid_binary_cross_entropy(x, t).mean(-1)),
    case("multilabel_soft_margin_loss", binary(2, 4, 3), convention="optax",
         optax=lambda optax, jnp, x, t: optax.sigmoid_binary_cross_entropy(x, t).mean(-1)),
    case("multilabel_soft_margin_loss", binary(6, 3), convention="optax", reduction="mean", weight=(0.5, 2.0, 1.0)),
    same("soft_margin_loss", signed(6, 3)),
    same("soft_margin_loss", signed(6, 3), reduction="sum"),
    same("soft_margin_loss", signed(6, 3), reduction="none"),
    case("soft_margin_loss", signed(6, 3), convention="optax",
         optax=lambda optax, jnp, x, t: optax.sigmoid_binary_cross_entropy(x, (t + 1) / 2)),
    case("soft_margin_loss", signed(6, 3), convention="optax", reduction="mean",
         optax=lambda optax, jnp, x, t: optax.sigmoid_binary_cross_entropy(x, (t + 1) / 2).mean()),
    case("soft_margin_loss", signed(6), convention="optax", reduction="sum"),
    case("hinge_loss", signed(6, 3), torch=lambda torch, x, t: torch.clamp(1 - t * x, min=0).mean()),
    case("hinge_loss", signed(6, 3), reduction="sum", torch=lambda torch, x, t: torch.clamp(1 - t * x, min=0).sum()),
    case("hinge_loss", signed(6, 3, zero=True), zero_is_negative=True, reduction="none"),
    case("hinge_loss", signed(6, 3), convention="optax", optax=own("hinge_loss")),
    case("hinge_loss", signed(6, 3), convention="optax", reduction="mean", optax=lambda o, jnp, x, t: o.losses.hinge_loss(x, t).mean()),
    case("hinge_loss", signed(6, 3, zero=True), convention="optax", zero_is_negative=True,
         optax=lambda o, jnp, x, t: o.losses.hinge_loss(x, 2 * t - 1)),
    case("hinge_loss", signed(6, 3), convention="keras", keras=lambda k, x, t: k.losses.Hinge()(t, x), allowed=KERAS_MEAN),
    case("hinge_loss", signed(6, 3, zero=True), convention="keras", keras=lambda k, x, t: k.losses.Hinge()(t, x), allowed=KERAS_MEAN),
    case("hinge_loss", signed(6, 3, zero=True), convention="keras", reduction="sum",
         keras=lambda k, x, t: k.losses.Hinge(reduction="sum")(t, x) * 3, allowed=KERAS_MEAN),
    case("multiclass_hinge_loss", labelled(8, 5)),
    case("multiclass_hinge_loss", labelled(2, 5, 3), reduction="sum"),
    case("multiclass_hinge_loss", labelled(5, axis=0)),
    case("multiclass_hinge_loss", labelled(8, 5), convention="optax", optax=own("multiclass_hinge_loss")),
    case("multiclass_hinge_loss", labelled(2, 3, 5, axis=2), convention="optax", optax=own("multiclass_hinge_loss")),
    case("multiclass_hinge_loss", labelled(8, 5), convention="optax", reduction="mean",
         optax=lambda o, jnp, x, y: o.losses.multiclass_hinge_loss(x, y).mean()),
    case("multiclass_hinge_loss", labelled(8, 5), convention="keras", keras=_one_hot(lambda k: k.losses.CategoricalHinge())),
    case("multiclass_hinge_loss", labelled(2, 3, 5, axis=2), convention="keras", reduction="sum",
         keras=_one_hot(lambda k: k.losses.CategoricalHinge(reduction="sum"))),
    case("multiclass_hinge_loss", labelled(8, 5), convention="keras", reduction="none",
         keras=_one_hot(lambda k: k.losses.CategoricalHinge(reduction=None))),
    case("perceptron_loss", signed(6, 3), torch=lambda torch, x, t: torch.clamp(-t * x, min=0).mean()),
    case("perceptron_loss", signed(6, 3), reduction="sum", torch=lambda torch, x, t: torch.clamp(-t * x, min=0).sum()),
    case("perceptron_loss", signed(6, 3), reduction="none", torch=lambda torch, x, t: torch.clamp(-t * x, min=0)),
    case("perceptron_loss", signed(6, 3), convention="optax", optax=own("perceptron_loss")),
    case("perceptron_loss", signed(6), convention="optax", optax=own("perceptron_loss")),
    case("perceptron_loss", signed(6, 3), convention="optax", reduction="mean",
         optax=lambda o, jnp, x, t: o.losses.perceptron_loss(x, t).mean()),
    case("multiclass_perceptron_loss", labelled(8, 5)),
    case("multiclass_perceptron_loss", labelled(2, 5, 3), reduction="sum"),
    case("multiclass_perceptron_loss", labelled(5, axis=0)),
    case("multiclass_perceptron_loss", labelled(8, 5), convention="optax", optax=own("multiclass_perceptron_loss")),
    case("multiclass_perceptron_loss", labelled(2, 3, 5, axis=2), convention="optax", optax=own("multiclass_perceptron_loss")),
    case("multiclass_perceptron_loss", labelled(8, 5), convention="optax", reduction="mean",
         optax=lambda o, jnp, x, y: o.losses.multiclass_perceptron_loss(x, y).mean()),
    same("margin_ranking_loss", ordered(6, 3)),
    same("margin_ranking_loss", ordered(6, 3), margin=0.5, reduction="sum"),
    same("margin_ranking_loss", ordered(6, 3), margin=-0.2, reduction="none"),
    case("margin_ranking_loss", ordered(6, 3), convention="optax"),
    case("margin_ranking_loss", ordered(6, 3), convention="optax", margin=0.5,
         optax=lambda o, jnp, a, b, t: 0.5 * o.losses.hinge_loss(2 * (a - b), t)),
    case("margin_ranking_loss", ordered(6), convention="optax", margin=1.0, reduction="sum",
         optax=lambda o, jnp, a, b, t: o.losses.hinge_loss(a - b, t).sum()),
    same("hinge_embedding_loss", signed(6, 3)),
    same("hinge_embedding_loss", signed(6, 3), margin=0.5, reduction="sum"),
    same("hinge_embedding_loss", signed(6, 3), margin=2.0, reduction="none"),
    case("hinge_embedding_loss", signed(6, 3), convention="optax"),
    case("hinge_embedding_loss", signed(6, 3), convention="optax", margin=0.5, reduction="sum"),
    case("hinge_embedding_loss", signed(6), convention="optax", margin=2.0),
    case("ranking_softmax_loss", lists(4, 5), torch=lambda torch, x, t: torch.nn.functional.cross_entropy(x, t.to(x.dtype))),
    case("ranking_softmax_loss", lists(4, 5), weight=WEIGHT, reduction="sum",
         torch=lambda torch, x, t: torch.nn.functional.cross_entropy(x, t.to(x.dtype), weight=x.new_tensor(WEIGHT), reduction="sum")),
    case("ranking_softmax_loss", lists(4, 5), where=THERE, weight=WEIGHT),
    case("ranking_softmax_loss", lists(4, 5), convention="optax", optax=_ranking()),
    case("ranking_softmax_loss", lists(4, 5), convention="optax", where=THERE, optax=_ranking(where=THERE)),
    case("ranking_softmax_loss", lists(4, 5), convention="optax", weights=WEIGHT, reduction="none",
         optax=_ranking(None, weights=WEIGHT)),
    case("ranking_softmax_loss", lists(4, 5), convention="optax", where=THERE, weights=WEIGHT, reduction="none",
         optax=_ranking(None, where=THERE, weights=WEIGHT)),
    case("ranking_softmax_loss", lists(2, 4, 5), convention="optax", where=THERE, reduction="sum",
         optax=_ranking("sum", where=[THERE] * 2)),
)  # fmt: skip
