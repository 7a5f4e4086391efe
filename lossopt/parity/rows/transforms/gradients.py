"""Transforms of gradients one by one: clipping by blocks and units, centring, scaling, NaN, beside the frameworks' own."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lossopt.optimizers import adamw, sgd
from lossopt.parity.case import OptimizerCase
from lossopt.transforms import (
    adaptive_grad_clip,
    centralize,
    chain,
    clip_by_block_rms,
    conditionally_transform,
    freeze,
    masked,
    normalize_by_update_norm,
    scale_by_trust_ratio,
    skip_large_updates,
    zero_nans,
)
from lossopt.transforms import clip_by_value as clip

Case = OptimizerCase
LR = 0.05


def then_sgd(name: str, *args: Any, **options: Any) -> Any:
    """An optax transform before SGD."""
    return lambda o: o.chain(getattr(o, name)(*args, **options), o.sgd(LR))


def unless_large(optax: ModuleType, inner: Any, max_squared_norm: float) -> Any:
    """optax.MultiSteps over one step, with the predicate that skips."""

    def skip(updates: Any, step: Any, params: Any) -> Any:
        return optax.skip_large_updates(updates, step, params, max_squared_norm)

    return optax.MultiSteps(inner, 1, should_skip_update_fn=skip)


def kernels(params: Any) -> Any:
    return {n: n.endswith(".kernel") for n in params}


def some(optax: ModuleType, when: Any, inner: Any, hold: bool = False) -> Any:
    return (optax.conditionally_mask if hold else optax.conditionally_transform)(inner, when)


def without_biases(torch: ModuleType, params: list[Any]) -> Any:
    return torch.optim.AdamW([params[0], params[2], params[3]], lr=LR)


CASES: tuple[OptimizerCase, ...] = (
    Case(chain(clip_by_block_rms(), sgd(lr=LR)), optax=then_sgd("clip_by_block_rms", 1.0)),
    Case(chain(clip_by_block_rms(max_rms=0.3), sgd(lr=LR, momentum=0.9)),
         optax=lambda o: o.chain(o.clip_by_block_rms(0.3), o.sgd(LR, 0.9))),
    Case(chain(adamw(lr=LR), clip_by_block_rms(max_rms=1e-2, convention="optax")),
         optax=lambda o: o.chain(o.adamw(LR, weight_decay=1e-2), o.clip_by_block_rms(1e-2))),
    Case(chain(adaptive_grad_clip(), sgd(lr=LR))),
    Case(chain(adaptive_grad_clip(clipping=0.3, eps=0.1), sgd(lr=LR, momentum=0.9))),
    Case(chain(adaptive_grad_clip(convention="optax"), sgd(lr=LR)), optax=then_sgd("adaptive_grad_clip", 0.01)),
    Case(chain(adaptive_grad_clip(clipping=0.5, eps=1.0, convention="optax"), sgd(lr=LR)),
         optax=then_sgd("adaptive_grad_clip", 0.5, eps=1.0)),
    Case(chain(adaptive_grad_clip(clipping=0.1, convention="optax"), adamw(lr=LR)),
         optax=lambda o: o.chain(o.adaptive_grad_clip(0.1), o.adamw(LR, weight_decay=1e-2))),
    Case(chain(centralize(), sgd(lr=LR)), optax=then_sgd("centralize")),
    Case(chain(centralize(), sgd(lr=LR, momentum=0.9)), optax=lambda o: o.chain(o.centralize(), o.sgd(LR, 0.9))),
    Case(chain(centralize(convention="optax"), adamw(lr=LR)), optax=lambda o: o.chain(o.centralize(), o.adamw(LR, weight_decay=1e-2))),
    Case(chain(zero_nans(), sgd(lr=LR)), optax=then_sgd("zero_nans")),
    Case(chain(zero_nans(), clip(max_value=0.5), sgd(lr=LR)),
         optax=lambda o: o.chain(o.zero_nans(), o.clip(0.5), o.sgd(LR)), poison=(3, 9)),
    Case(chain(zero_nans(convention="optax"), adamw(lr=LR)), optax=lambda o: o.chain(o.zero_nans(), o.adamw(LR, weight_decay=1e-2))),
    Case(skip_large_updates(sgd(lr=LR, momentum=0.9), max_squared_norm=120.0), optax=lambda o: unless_large(o, o.sgd(LR, 0.9), 120.0)),
    Case(skip_large_updates(adamw(lr=LR), max_squared_norm=120.0, convention="optax"),
         optax=lambda o: unless_large(o, o.adamw(LR, weight_decay=1e-2), 120.0)),
    Case(skip_large_updates(adamw(lr=LR), max_squared_norm=120.0, max_consecutive_errors=2), poison=(50,)),
    Case(chain(scale_by_trust_ratio(), sgd(lr=LR)), optax=then_sgd("scale_by_trust_ratio")),
    Case(chain(scale_by_trust_ratio(min_norm=1e-3, trust_coefficient=0.5, eps=1e-2), sgd(lr=LR)),
         optax=then_sgd("scale_by_trust_ratio", 1e-3, 0.5, 1e-2)),
    Case(chain(scale_by_trust_ratio(trust_coefficient=0.1, convention="optax"), sgd(lr=LR, momentum=0.9)),
         optax=lambda o: o.chain(o.scale_by_trust_ratio(trust_coefficient=0.1), o.sgd(LR, 0.9))),
    Case(chain(normalize_by_update_norm(), sgd(lr=LR)), optax=then_sgd("normalize_by_update_norm")),
    Case(chain(normalize_by_update_norm(scale_factor=3.0, eps=0.1), sgd(lr=LR)), optax=then_sgd("normalize_by_update_norm", 3.0, 0.1)),
    Case(chain(normalize_by_update_norm(eps=0.0, convention="optax"), sgd(lr=LR)),
         optax=lambda o: o.chain(o.contrib.normalize(), o.sgd(LR))),
    # at some steps, and for some parameters
    Case(chain(conditionally_transform(clip(max_value=0.3), last=9), sgd(lr=LR)),
         optax=lambda o: o.chain(some(o, lambda t: t <= 9, o.clip(0.3)), o.sgd(LR))),
    Case(conditionally_transform(sgd(lr=LR, momentum=0.9), first=5, every=3, otherwise="hold"),
         optax=lambda o: some(o, lambda t: (t >= 5) & ((t - 5) % 3 == 0), o.sgd(LR, 0.9), hold=True)),
    Case(chain(conditionally_transform(clip(max_value=0.3), first=10, every=2, convention="optax"), adamw(lr=LR)),
         optax=lambda o: o.chain(some(o, lambda t: (t >= 10) & (t % 2 == 0), o.clip(0.3)), o.adamw(LR, weight_decay=1e-2))),
    Case(chain(masked(clip(max_value=0.3), only=("*.kernel",)), sgd(lr=LR)),
         optax=lambda o: o.chain(o.masked(o.clip(0.3), kernels), o.sgd(LR))),
    Case(chain(masked(normalize_by_update_norm(), only=("*.kernel", "norm.*")), adamw(lr=LR))),
    Case(chain(masked(centralize(), only=("dense.kernel",), convention="optax"), sgd(lr=LR)),
         optax=lambda o: o.chain(o.masked(o.centralize(), lambda p: {n: n == "dense.kernel" for n in p}), o.sgd(LR))),
    Case(freeze(adamw(lr=LR), frozen=("*.bias",)), without_biases),
    Case(freeze(sgd(lr=LR, momentum=0.9), frozen=("norm.*", "tall.*")),
         lambda torch, p: torch.optim.SGD(p[:2], lr=LR, momentum=0.9)),
    Case(freeze(adamw(lr=LR), frozen=("*.kernel",), convention="optax"),
         optax=lambda o: o.chain(o.adamw(LR, weight_decay=1e-2), o.freeze({n: n.endswith(".kernel") for n in (
             "dense.kernel", "dense.bias", "tall.kernel", "norm.scale")}))),
)  # fmt: skip
