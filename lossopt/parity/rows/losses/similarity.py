"""Cosines and distances of pairs and triplets, beside the frameworks' own."""

from __future__ import annotations

from typing import Any

from lossopt.ops import Array, LossOps
from lossopt.parity.case import Allowed, LossCase
from lossopt.parity.loss_rows import case, own, real, triplets

MASK = ((1, 1, 0, 1), (1, 0, 1, 1), (1, 1, 1, 1), (0, 1, 1, 0), (1, 1, 1, 1))


def city_block(ops: LossOps, u: Array, v: Array) -> Array:
    return ops.sum(ops.abs(u - v), -1)


def half_angle(ops: LossOps, u: Array, v: Array) -> Array:
    return 1 - ops.sum(u * v, -1) / ops.sqrt(ops.sum(u * u, -1) * ops.sum(v * v, -1))


def _torch_cosine(reduce: str | None = None, **options: Any) -> Any:
    def call(torch: Any, x: Any, t: Any) -> Any:
        found = torch.nn.functional.cosine_similarity(x, t, **options)
        return getattr(found, reduce)() if reduce else found

    return call


def _torch_distance(torch: Any, x: Any, t: Any) -> Any:
    return (1 - torch.nn.functional.cosine_similarity(x, t, dim=-1)).mean()


def _optax_masked(name: str) -> Any:
    return lambda optax, jnp, x, t: getattr(optax.losses, name)(x, t, where=jnp.asarray(MASK, bool))


def _keras_cosine(axis: int = -1, reduction: str = "sum_over_batch_size") -> Any:
    return lambda keras, x, t: keras.losses.CosineSimilarity(axis=axis, reduction=reduction)(t, x)


def _torch_triplet(distance: str | None = None, **options: Any) -> Any:
    def call(torch: Any, *tensors: Any) -> Any:
        fns = {"city_block": lambda u, v: (u - v).abs().sum(-1), "half_angle": lambda u, v: 1 - torch.cosine_similarity(u, v, dim=-1)}
        fn = fns[distance] if distance else None
        return torch.nn.functional.triplet_margin_with_distance_loss(*tensors, distance_function=fn, **options)

    return call


BELOW_EPS = Allowed(1.0, "PyTorch bounds the length outside autograd, so below eps its gradient is not that of its value: its own "
                         "gradcheck finds 0.087 for 0.158 at (0.3, 0.4) towards (1, 3) with eps=2")  # fmt: skip

CASES: tuple[LossCase, ...] = (
    case("cosine_similarity", real(6, 4), reduction="mean", torch=_torch_cosine("mean")),
    case("cosine_similarity", real(6, 4), torch=_torch_cosine()),
    case("cosine_similarity", real(3, 4, 5), eps=2.0, torch=_torch_cosine(eps=2.0), allowed={"torch.nn.functional gradient": BELOW_EPS}),
    case("cosine_similarity", real(3, 4, 5), axis=-1, reduction="sum", torch=_torch_cosine("sum", dim=-1)),
    case("cosine_similarity", real(3, 4), axis=None, reduction="mean"),
    case("cosine_similarity", real(6, 4), convention="optax", optax=own("cosine_similarity")),
    case("cosine_similarity", real(6, 4), convention="optax", eps=3.0, axis=0, optax=own("cosine_similarity", epsilon=3.0, axis=0)),
    case("cosine_similarity", real(5, 4), convention="optax", where=MASK, optax=_optax_masked("cosine_similarity")),
    case("cosine_similarity", real(6, 4), convention="keras", keras=_keras_cosine()),
    case("cosine_similarity", real(3, 4, 5), convention="keras", axis=1, reduction="sum", keras=_keras_cosine(1, "sum")),
    case("cosine_similarity", real(3, 4, 5), convention="keras", reduction="none", keras=_keras_cosine(reduction="none")),
    case("cosine_distance", real(6, 4), torch=_torch_distance),
    case("cosine_distance", real(3, 4, 5), axis=1, eps=2.0, reduction="sum"),
    case("cosine_distance", real(5, 4), where=MASK, reduction="none", optax=_optax_masked("cosine_distance")),
    case("cosine_distance", real(6, 4), convention="optax", optax=own("cosine_distance")),
    case("cosine_distance", real(6, 4), convention="optax", eps=3.0, optax=own("cosine_distance", epsilon=3.0)),
    case("cosine_distance", real(6, 4), convention="optax", axis=0, optax=own("cosine_distance", axis=0)),
    case("triplet_margin_with_distance_loss", triplets(6, 4), torch=_torch_triplet()),
    case("triplet_margin_with_distance_loss", triplets(6, 4), distance_function=city_block, margin=2.0, reduction="none",
         torch=_torch_triplet("city_block", margin=2.0, reduction="none")),
    case("triplet_margin_with_distance_loss", triplets(6, 4), distance_function=half_angle, margin=0.2, swap=True, reduction="sum",
         torch=_torch_triplet("half_angle", margin=0.2, swap=True, reduction="sum")),
    case("triplet_margin_with_distance_loss", triplets(6, 4), convention="optax"),
    case("triplet_margin_with_distance_loss", triplets(6, 4), convention="optax", distance_function=city_block),
    case("triplet_margin_with_distance_loss", triplets(6, 4), convention="optax", swap=True, margin=0.5),
)  # fmt: skip
