"""Schedules, one page each.  ``from lossopt.schedules import cosine``; ``cosine(T_max=100)`` is a function of the step."""

from __future__ import annotations

from typing import Any

from lossopt import registry


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in registry.names("schedule"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return registry.definition(name, "schedule")


def __dir__() -> list[str]:
    return registry.names("schedule")
