"""Schedules that hold somebody's function of the step."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from lossopt.ops import Number, ScheduleOps


def call(ops: ScheduleOps, fn: Callable[[Any], Any], step: Number) -> Any:
    """``fn(step)``; a schedule is given the words too."""
    at = getattr(fn, "at", None)
    return ops.call(fn, step) if at is None else at(ops, step)


def tabulated(ops: ScheduleOps, fn: Callable[[int], float], step: Number, last: int | None) -> Any:
    """``fn(min(step, last))`` for a function of Python's whole numbers, which a trace cannot call."""
    return ops.tabulate(fn, step if last is None else ops.minimum(step, last), last)


def product_of(fn: Callable[[int], float]) -> Callable[[int], float]:
    """``step -> fn(1) * ... * fn(step)``."""
    return functools.partial(_product, _Same(fn))


def _product(same: _Same, step: int) -> float:
    known = _products(same)
    while len(known) <= step:
        known.append(known[-1] * float(same.fn(len(known))))
    return known[step]


@functools.lru_cache(maxsize=64)
def _products(same: _Same) -> list[float]:
    """The products so far, which grow: each step costs one call of the function, not one for every step before it."""
    return [1.0]


class _Same:
    """A function as a key of a cache: the object itself, also where it cannot be hashed."""

    def __init__(self, fn: Callable[[int], float]) -> None:
        self.fn = fn

    def __hash__(self) -> int:
        return id(self.fn)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.fn is other.fn
