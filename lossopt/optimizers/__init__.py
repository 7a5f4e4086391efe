"""Optimizers, one page each.  ``from lossopt.optimizers import adamw``; ``adamw(lr=1e-3)`` is a spec."""

from __future__ import annotations

from typing import Any

from lossopt import registry


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in registry.names("optimizer"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return registry.definition(name, "optimizer")


def __dir__() -> list[str]:
    return registry.names("optimizer")
