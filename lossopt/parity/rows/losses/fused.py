"""linear_cross_entropy, whole and in chunks, and z_loss, beside the frameworks' own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossopt.parity.case import LossCase
from lossopt.parity.loss_rows import WEIGHT, case, labelled

BIAS = (0.1, -0.3, 0.0, 0.7, -1.2)


def _projected(*lead: int, ignored: int | None = None, soft: bool = False) -> Callable[[Any], tuple[Any, ...]]:
    """Features of width 4, a projection onto five classes, and labels (every fourth ignored) or probabilities."""

    def make(rng: Any) -> tuple[Any, ...]:
        targets = rng.dirichlet(np.ones(5), lead) if soft else rng.integers(0, 5, lead)
        if ignored is not None:
            targets.reshape(-1)[::4] = ignored
        return rng.normal(size=(*lead, 4)), rng.normal(size=(5, 4)), targets

    return make


def _torch(chunk: int | None = None, **options: Any) -> Callable[..., Any]:
    """PyTorch's own, whole or in its own chunks."""

    def call(torch: Any, x: Any, matrix: Any, targets: Any) -> Any:
        given = {k: torch.tensor(v, dtype=x.dtype) if k in ("weight", "linear_bias") else v for k, v in options.items()}
        chunks = None if chunk is None else torch.nn.LinearCrossEntropyOptions(batch_chunk_size=chunk)
        return torch.nn.functional.linear_cross_entropy(x, matrix, targets, options=chunks, **given)

    return call


def _row(inputs: Callable[[Any], tuple[Any, ...]], chunk: int | None = None, theirs: bool = True, **options: Any) -> LossCase:
    """A row whose options are PyTorch's own; its chunks have neither smoothing nor probabilities."""
    return case("linear_cross_entropy", inputs, torch=_torch(chunk if theirs else None, **options), chunk_size=chunk, **options)


def _optax(**options: Any) -> Callable[..., Any]:
    def call(optax: Any, jnp: Any, x: Any, matrix: Any, labels: Any) -> Any:
        return optax.losses.softmax_cross_entropy_with_integer_labels(x @ matrix.T + jnp.asarray(options.get("linear_bias", 0.0)), labels)

    return call


def _torch_z(torch: Any, x: Any, labels: Any) -> Any:
    kept = labels != -100
    return (torch.logsumexp(x, 1) ** 2 * kept).sum() / kept.sum()


CASES: tuple[LossCase, ...] = (
    _row(_projected(11)),
    *(_row(_projected(11, ignored=-100), 3, weight=WEIGHT, linear_bias=BIAS, reduction=r) for r in ("mean", "sum", "none")),
    *(_row(_projected(11, ignored=2), 4, False, label_smoothing=0.1, weight=WEIGHT, linear_bias=BIAS, ignore_index=2, reduction=r)
      for r in ("mean", "sum", "none")),
    *(_row(_projected(11, soft=True), 4, False, label_smoothing=0.1, weight=WEIGHT, reduction=r) for r in ("mean", "sum", "none")),
    _row(_projected(11, soft=True), 2, False),
    _row(_projected(8), 4),
    case("linear_cross_entropy", _projected(2, 5), chunk_size=3, label_smoothing=0.1),
    case("linear_cross_entropy", _projected(11), convention="optax", linear_bias=BIAS, optax=_optax(linear_bias=BIAS)),
    case("linear_cross_entropy", _projected(2, 5), convention="optax", chunk_size=3, optax=_optax()),
    case("linear_cross_entropy", _projected(11), convention="optax", chunk_size=5, reduction="mean", weight=WEIGHT),
    case("z_loss", labelled(8, 5, ignored=-100), torch=_torch_z),
    case("z_loss", labelled(2, 5, 3), reduction="sum"),
    case("z_loss", labelled(8, 5), reduction="none", torch=lambda torch, x, _: torch.logsumexp(x, 1) ** 2),
    case("z_loss", labelled(2, 3, 5, axis=2), convention="optax", optax=lambda optax, jnp, x, _: jnp.log(jnp.exp(x).sum(-1)) ** 2),
    case("z_loss", labelled(2, 3, 5, axis=2), convention="optax", reduction="mean"),
    case("z_loss", labelled(2, 3, 5, axis=2), convention="optax", ignore_index=0),
)  # fmt: skip
