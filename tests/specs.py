"""One spec of every optimizer and wrapper there is, for the contracts that all of them keep."""

from __future__ import annotations

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
}
"""Where the plain defaults would leave out what makes the definition special, or do not fit every parameter."""


def wrapped(name: str) -> Spec:
    made = getattr(transforms, name)
    if name == "route":
        return made(optimizers.lion(), optimizers.adamw(), to=("*.kernel", "*"))
    if "inners" in made.asks:
        return made(transforms.clip_by_global_norm(), optimizers.adamw())
    return made(optimizers.adamw()) if made.wraps else transforms.chain(made(), optimizers.adamw())


def every_spec() -> dict[str, Spec]:
    """Name -> spec, for each optimizer, transform and wrapper in the registry."""
    specs = {n: SPECIAL[n]() if n in SPECIAL else getattr(optimizers, n)() for n in own("optimizer")}
    return {**specs, **{n: wrapped(n) for n in own("transform")}}
