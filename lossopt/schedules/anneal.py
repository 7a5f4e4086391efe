"""The two ways from one value to another that several schedules share."""

from __future__ import annotations

from typing import Any

from lossopt.ops import Number, ScheduleOps


def half_cosine(ops: ScheduleOps, start: Number, end: Number, gone: Number, left: Number) -> Any:
    """``end + (start - end) * (1 + cos(pi * gone)) / 2`` for ``gone + left = 1``, as ``start*sin^2 + end*sin^2``.

    Both terms are positive, so nothing cancels: near its end the usual form keeps no digit of a small value in float32.
    """
    falling, rising = ops.sin(ops.pi / 2 * left), ops.sin(ops.pi / 2 * gone)
    return start * (falling * falling) + end * (rising * rising)


def line(ops: ScheduleOps, start: Number, end: Number, gone: Number, left: Number) -> Any:
    """``start + (end - start) * gone`` for ``gone + left = 1``, exact at both ends."""
    return start * left + end * gone
