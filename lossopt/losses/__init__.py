"""Losses, one page each.  ``from lossopt.losses import cross_entropy``; ``cross_entropy(logits, labels)`` takes arrays of any backend."""

from __future__ import annotations

from typing import Any

from lossopt import registry


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in registry.names("loss"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return registry.definition(name, "loss")


def __dir__() -> list[str]:
    return registry.names("loss")
