"""One spec of every optimizer and wrapper there is, for the contracts that all of them keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lossopt import optimizers, registry, transforms
from lossopt.definition import Kind, Spec


def own(kind: Kind) -> list[str]:
    """The names of one kind that lossopt itself defines; tests define some of their own."""
    return registry.own_names(kind)


SPECIAL = {
    "muon": lambda: transforms.route(optimizers.muon(ns_dtype=None), optimizers.adamw(), to=("matrices", "*")),
    "sgd": lambda: optimizers.sgd(momentum=0.9),
    "rmsprop": lambda: optimizers.rmsprop(momentum=0.9, centered=True),
    "lbfgs": lambda: optimizers.lbfgs(history_size=3),
    "soap": lambda: optimizers.soap(precondition_frequency=2),
    "galore": lambda: optimizers.galore(rank=1, update_proj_gap=2),
}
"""Where the plain defaults would leave out what makes the definition special, or do not fit every parameter."""


def wrapped(name: str) -> Spec:
    made = getattr(transforms, name)
    if name == "route":
        return made(optimizers.lion(), optimizers.adamw(), to=("*.kernel", "*"))
    if name == "mechanize":  # as its page says: from 1e-6 of a step of 1e-3 a float32 parameter never moves
        return made(optimizers.adamw(lr=1.0))
    if "inners" in made.asks:
        return made(transforms.clip_by_global_norm(), optimizers.adamw())
    return made(optimizers.adamw()) if made.wraps else transforms.chain(made(), optimizers.adamw())


def every_spec() -> dict[str, Spec]:
    """Name -> spec, for each optimizer, transform and wrapper in the registry."""
    specs = {n: SPECIAL[n]() if n in SPECIAL else getattr(optimizers, n)() for n in own("optimizer")}
    return {**specs, **{n: wrapped(n) for n in own("transform")}}


def with_lr(spec: Spec, change: Callable[[Any], Any]) -> Spec:
    """The spec with every learning rate of its tree changed."""
    own = {n: change(v) if n == "lr" and v is not None else v for n, v in spec.hyperparameters.items()}
    return replace(spec, hyperparameters=own, inner=tuple(with_lr(s, change) for s in spec.inner))
