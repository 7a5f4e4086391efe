"""Schedules as traceable functions of the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lossopt.schedules.spec import ScheduleSpec


def traceable(spec: ScheduleSpec, dtype: Any) -> Callable[[Any], Any]:
    """The schedule as a function of a traced count, in one floating dtype."""
    raise LookupError
