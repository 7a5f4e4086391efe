"""One side's initial weights given to the other, through the names and layouts that `lossopt.diff` lines parameters up by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lossopt.diff.align import Aligned, align
from lossopt.diff.finding import listed
from lossopt.errors import InputError
from lossopt.port_check.side import Side
from lossopt.recording import Parameter, Recording, RunInfo


def copy(source: str, torch: Side, jax: Side, rules: Mapping[str, str] | None) -> str:
    """Copy all parameters, and running statistics where both have them.

    Returns:
        What was copied, in words.

    Raises:
        InputError: a parameter of one side has no counterpart of its shape on the other.
    """
    weights = torch.parameters(), jax.parameters()
    al = align(_named("torch", weights[0]), _named("jax", weights[1]), rules)
    for who, names in (("torch", al.only_a), ("jax", al.only_b)):
        if names:
            raise InputError(f"--copy-weights {source}: {listed(names)} of {who} {'have' if len(names) > 1 else 'has'} no counterpart; "
                             "say which parameter is which in a YAML file, {JAX's name: PyTorch's}, and give it as --map FILE")  # fmt: skip
    for name, (x, y) in al.pairs.items():
        if x.shape != y.shape:
            raise InputError(f"--copy-weights {source}: {al.names(name)} is {x.shape} in torch and {y.shape} in jax, both in PyTorch's "
                             "layout; give both models the same sizes")  # fmt: skip
    of_source = 0 if source == "torch" else 1
    found: dict[str, np.ndarray] = {}
    for pair in al.pairs.values():
        here, there = pair[of_source], pair[1 - of_source]
        found |= there.link.from_torch(here.link.to_torch(weights[of_source]))
    (jax if source == "torch" else torch).load(found)
    also = _copy_statistics(al, source, torch, jax)
    return f"{len(found)} parameters{f' and {also} running statistics' if also else ''} of {source} were copied to the other side"


def _named(framework: str, weights: Mapping[str, np.ndarray]) -> Recording:
    """A recording of no step: parameters by name and shape are all that lining up needs."""
    info = RunInfo(framework, tuple(Parameter(name, x.shape, str(x.dtype)) for name, x in weights.items()))
    return Recording(info, (), (), lambda _: {}, framework)


def _copy_statistics(al: Aligned, source: str, torch: Side, jax: Side) -> int:
    """Those of the modules whose parameters are paired."""
    modules = {x.own.rpartition(".")[0]: y.own.rpartition(".")[0] for x, y in al.pairs.values()}
    of_torch, of_jax = torch.statistics(), jax.statistics()
    pairs = [(f"{m}.{k}", f"{n}.{k}") for m, n in modules.items() for k in ("mean", "var")]
    both = [(x, y) for x, y in pairs if x in of_torch and y in of_jax and of_torch[x].shape == of_jax[y].shape]
    if source == "torch":
        jax.load_statistics({y: of_torch[x] for x, y in both})
    else:
        torch.load_statistics({x: of_jax[y] for x, y in both})
    return len(both)
