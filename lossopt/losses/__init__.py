"""Losses, one page each.  ``from lossopt.losses import cross_entropy``; ``cross_entropy(logits, labels)`` takes arrays of any backend."""

from __future__ import annotations

from typing import Any

from lossopt import registry

FUNCTIONS = ("smooth_labels", "ctc_loss_with_forward_probs")
"""Of arrays of any backend too, and no losses: they are not reduced, and take no convention."""


def __getattr__(name: str) -> Any:
    if name == "combine_losses":
        from lossopt.losses.spec import combine_losses

        return combine_losses
    if name in FUNCTIONS:
        from lossopt.losses import functions

        return getattr(functions, name)
    return registry.attribute(__name__, "loss", name)


def __dir__() -> list[str]:
    return [*registry.names("loss"), "combine_losses", *FUNCTIONS]
