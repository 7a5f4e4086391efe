"""Gradient transforms and wrappers, one page each.  ``chain(clip_by_global_norm(), adamw())`` is a spec."""

from __future__ import annotations

from typing import Any

from lossopt import registry


def __getattr__(name: str) -> Any:
    return registry.attribute(__name__, "transform", name)


def __dir__() -> list[str]:
    return registry.names("transform")
