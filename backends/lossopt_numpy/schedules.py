"""The referee's schedules: the spec itself, which computes in float64."""

from __future__ import annotations

from typing import Any

from lossopt.errors import ArgumentError
from lossopt.schedules.spec import ScheduleSpec


def emit(spec: ScheduleSpec, *, optimizer: Any = None, sets: str = "lr") -> ScheduleSpec:
    """The spec: ``schedule(step)``, or for a schedule that waits for a metric ``init()`` and ``update(state, metric)``."""
    if sets != "lr":
        raise ArgumentError(
            f"a numpy schedule sets nothing, it is a function of the step: get_optimizer(..., 'numpy', {sets}=schedule), without sets"
        )
    if optimizer is not None:
        raise ArgumentError(
            "a numpy schedule is a function of the step and takes no optimizer: get_optimizer(..., 'numpy', lr=schedule)"
        )
    return spec
