"""Schedules, one page each.  ``from lossopt.schedules import cosine``; ``cosine(T_max=100)`` is a function of the step."""

from __future__ import annotations

from typing import Any

from lossopt import registry


def __getattr__(name: str) -> Any:
    return registry.attribute(__name__, "schedule", name)


def __dir__() -> list[str]:
    return registry.names("schedule")
