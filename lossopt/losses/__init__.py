"""Losses, one page each.  ``from lossopt.losses import cross_entropy``; ``cross_entropy(logits, labels)`` takes arrays of any backend."""

from __future__ import annotations

from typing import Any

from lossopt import registry


def __getattr__(name: str) -> Any:
    return registry.attribute(__name__, "loss", name)


def __dir__() -> list[str]:
    return registry.names("loss")
