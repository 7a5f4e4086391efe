"""A small PyTorch model, and a loop that gives every optimizer what its step asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from specs import every_spec

from lossopt import get_optimizer

SPECS = every_spec()
EVERY_SPEC = pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
EXECUTORS = ("auto", "replay", "single")
X = torch.linspace(-1, 1, 24).reshape(6, 4)


def model(dtype: torch.dtype = torch.float64) -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2)).to(dtype)


def loss_of(m: torch.nn.Module, t: int = 0) -> torch.Tensor:
    x = X.to(next(m.parameters()).dtype)
    return (m(x) - 0.3).square().mean() + 0.05 * m(x * (t % 3)).sum()


def train(m: torch.nn.Module, opt: Any, steps: range | int, after: Callable[[], Any] | None = None) -> None:
    for t in range(steps) if isinstance(steps, int) else steps:

        def closure(t: int = t) -> torch.Tensor:
            opt.zero_grad()
            loss = loss_of(m, t)
            loss.backward()
            if getattr(getattr(opt, "spec", None), "per_example", False):
                for p in m.parameters():  # two examples with this mean
                    p.grad_sample = torch.stack([0.5 * p.grad, 1.5 * p.grad]) if p.grad is not None else None
            return loss

        asks = getattr(getattr(opt, "spec", None), "asks", frozenset())
        if asks & {"evaluate", "value"}:
            opt.step(closure)
        else:
            closure()
            given = {"metric": 1.0, "hessian": [torch.ones_like(p) for group in opt.param_groups for p in group["params"]]}
            opt.step(**{name: given[name] for name in given if name in asks})
        if after:
            after()


def flat(m: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().double() for p in m.parameters()])


def make(spec: Any, m: torch.nn.Module, executor: str = "auto", **kwargs: Any) -> Any:
    return get_optimizer(spec, "torch", params=m.named_parameters(), executor=executor, **kwargs)


def slots_of(opt: Any) -> dict[tuple[Any, str], torch.Tensor]:
    """Every tensor in an optimizer's state, of parameters and shared."""
    owners = {**dict(enumerate(opt.state.values())), "shared": opt.param_groups[0].get("shared", {})}
    return {(i, n): v for i, own in owners.items() for n, v in own.items() if isinstance(v, torch.Tensor)}
