"""The frameworks' own optimizers, where more than one call is needed to make them.

No framework is imported here: each original receives its module.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any


def from_torch(name: str, **options: Any) -> Callable[[ModuleType, list[Any]], Any]:
    """``torch.optim.<name>(params, **options)``."""
    return lambda torch, params: getattr(torch.optim, name)(params, **options)


def lion_pytorch(**options: Any) -> Callable[[ModuleType, list[Any]], Any]:
    """PyTorch ships no Lion; its author's port is the original."""
    return lambda torch, params: importlib.import_module("lion_pytorch").Lion(params, **options)


def decayed(optax: ModuleType, weight_decay: float, then: Any) -> Any:
    """L2 regularization, which optax's aliases leave to the user."""
    return optax.chain(optax.add_decayed_weights(weight_decay), then)


def ascending(optax: ModuleType, *then: Any) -> Any:
    """maximize=True: flip the gradient before anything that adds the decay."""
    return optax.chain(optax.scale(-1.0), *then)


class Together:
    """Several torch optimizers as one: what a user of torch.optim.Muon writes."""

    def __init__(self, *optimizers: Any) -> None:
        self.optimizers = optimizers

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return [group for o in self.optimizers for group in o.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        for o in self.optimizers:
            o.zero_grad(set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = closure() if closure else None
        for o in self.optimizers:
            o.step()
        return loss


def newton_schulz(grad: Any, coefficients: tuple[float, float, float], steps: int, eps: float) -> Any:
    """torch.optim.Muon's iteration, in the gradient's precision instead of bfloat16."""
    a, b, c = coefficients
    tall = grad.size(0) > grad.size(1)
    x = grad.T if tall else grad
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


def muon_and_adamw(torch: ModuleType, params: list[Any], rest: dict[str, Any], full_precision: bool = True, **options: Any) -> Any:
    """torch.optim.Muon for matrices, torch.optim.AdamW for the rest."""
    module: Any = importlib.import_module("torch.optim._muon")

    class FullPrecision(torch.optim.Muon):
        def step(self, closure: Any = None) -> Any:
            own = module._zeropower_via_newtonschulz
            module._zeropower_via_newtonschulz = newton_schulz
            try:
                return super().step(closure)
            finally:
                module._zeropower_via_newtonschulz = own

    matrices, others = [p for p in params if p.ndim == 2], [p for p in params if p.ndim != 2]
    chosen = FullPrecision if full_precision else torch.optim.Muon
    return Together(chosen(matrices, **options), torch.optim.AdamW(others, **rest))


def optax_muon_and_adamw(optax: ModuleType, rest: Any, *args: Any, **options: Any) -> Any:
    """optax.contrib.muon for matrices, `rest` for the others."""
    tree = importlib.import_module("jax").tree
    by_shape = functools.partial(tree.map, lambda p: "matrices" if p.ndim == 2 else "rest")
    return optax.partition({"matrices": optax.contrib.muon(*args, **options), "rest": rest}, by_shape)


def torch_lbfgs(**options: Any) -> Callable[[ModuleType, list[Any]], Any]:
    """One direction for each step, whatever the gradient: no inner iterations, no tolerances, no line search."""
    return from_torch("LBFGS", max_iter=1, tolerance_grad=0, tolerance_change=0, **options)
