"""What `sequential` and `chained` are made of: schedules of the step that share one lr."""

from __future__ import annotations

from typing import Any

from lossopt.errors import ArgumentError


def check_parts(owner: str, schedules: Any) -> None:
    """The schedules are made ones, functions of the step, and of lr alone."""
    for part in schedules:
        if not hasattr(part, "with_lr"):
            raise ArgumentError(f"{owner}: schedules are made ones such as cosine(T_max=100), got {part!r}")
        if part.waits_for_metric:
            raise ArgumentError(f"{owner}: {part!r} waits for a metric; schedules of the step can be joined")
        if part.companions():
            raise ArgumentError(f"{owner} joins schedules of lr, and {part!r} has a momentum beside it: write cycle_momentum=False")
        if "lr" not in part.hyperparameters:
            raise ArgumentError(f"{owner}: {part!r} has no hyperparameter lr, which the joined schedules share")
