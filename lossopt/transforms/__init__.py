"""Gradient transforms and wrappers, one page each.  ``chain(clip_by_global_norm(), adamw())`` is a spec."""

from __future__ import annotations

from typing import Any

from lossopt import registry


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in registry.names("transform"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return registry.definition(name, "transform")


def __dir__() -> list[str]:
    return registry.names("transform")
