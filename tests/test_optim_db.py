"""The configurations that PyTorch tests its own optimizers with: each of them, here, to 1e-12 over the same steps.

Of the referee and of every executor in PyTorch; JAX would have to compile each, and is held to the referee with options of
every definition by the parity suite.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.testing._internal import common_optimizers  # needs expecttest, which only the test extra brings

from lossopt import optimizers, registry
from lossopt.parity.case import OptimizerCase
from lossopt.parity.measures import OptimizerMeasure
from lossopt.parity.originals import muon_and_adamw
from lossopt.parity.rows.optimizers.muon import ORTHOGONAL, matrices_by
from lossopt.parity.rows.optimizers.root_mean_square import CENTERED
from lossopt.registry import definition

ELSEWHERE = {
    "LBFGS": "one step() of torch.optim.LBFGS is up to 20 iterations; ours is one, and its rows are in the parity suite",
    "SparseAdam": "the standard problem has dense gradients; tests/test_adam_family.py holds it to torch.optim with sparse ones",
}
"""What the same problem cannot say, and who says it instead."""


def number(x: Any) -> Any:
    return x.item() if isinstance(x, torch.Tensor) else x


def configurations() -> list[Any]:
    found = []
    for info in common_optimizers.optim_db:
        name = info.optim_cls.__name__
        for given in info.optim_inputs_func(device="cpu"):
            options = {k: number(v) for k, v in given.kwargs.items()}
            found.append(pytest.param(name, options, id=f"{name}-{given.desc.replace(' ', '_')}"))
    return found


def case_of(name: str, options: dict[str, Any]) -> OptimizerCase:
    steps = 20 if options.get("maximize") else 100  # uphill the problem overflows soon
    if name == "Muon":
        rest = {"lr": 0.01}
        return OptimizerCase(matrices_by(optimizers.muon(ns_dtype=None, **options), optimizers.adamw(**rest)),
                             lambda t, p: muon_and_adamw(t, p, rest, **options), allowed=ORTHOGONAL)  # fmt: skip
    ours = definition(name, "optimizer")
    return OptimizerCase(ours(**options), lambda t, p: getattr(t.optim, name)(p, **options), steps=steps,
                         allowed=CENTERED if options.get("centered") else {})  # fmt: skip


@pytest.mark.parametrize(("name", "options"), [p for p in configurations() if p.values[0] not in ELSEWHERE])
def test_pytorchs_own_configuration(name: str, options: dict[str, Any]) -> None:
    referee, torch_side = (registry.backend(backend).part("parity") for backend in ("numpy", "torch"))
    comparisons = list(OptimizerMeasure(case_of(name, options), ["float64"], referee)(torch_side))
    assert [c for c in comparisons if not c.ok] == []
    assert {"torch.optim", "torch single"} <= {c.name for c in comparisons}


def test_every_class_in_the_table_is_run_or_has_a_reason() -> None:
    names = {p.values[0] for p in configurations()}
    assert set(ELSEWHERE) < names
    assert {definition(n, "optimizer").name for n in names} <= set(optimizers.__dir__())
