"""Optimizers, one page each.  ``from lossopt.optimizers import adamw``; ``adamw(lr=1e-3)`` is a spec."""

from __future__ import annotations

from typing import Any

from lossopt import registry


def __getattr__(name: str) -> Any:
    return registry.attribute(__name__, "optimizer", name)


def __dir__() -> list[str]:
    return registry.names("optimizer")
