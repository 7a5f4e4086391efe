"""Which schedule a sequence of learning rates follows: definition, numbers, and where it began."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossopt import registry
from lossopt.definition import Schedule
from lossopt.identify.schedule_fits import fit_of, spelling, words
from lossopt.identify.schedule_starts import changes
from lossopt.recording.contents import Recording
from lossopt.schedules.spec import ScheduleSpec

EXACT, LOOSE = 1e-10, 3e-6
"""Relative to the largest learning rate: what is left where it was computed in float64, step by step, and in float32."""

PLAIN = 4.0
"""What costs no more words is not looked for further."""

WITHOUT = ("lambda_", "multiplicative", "sequential", "chained", "piecewise_interpolate")
"""What holds code or other schedules and would fit anything."""


@dataclass(frozen=True)
class ScheduleFit:
    """A schedule that was found.

    Attributes:
        spec: the schedule, with its hyperparameters.
        offset: how many steps it is ahead: at step t it stands where the definition has t + offset.
        every: it moves once in so many steps (per epoch); 1 is every step.
        error: the largest difference, relative to the largest learning rate.
        also: others that follow the same rates.
        length: how many steps were looked at.
    """

    spec: ScheduleSpec
    offset: int
    every: int
    error: float
    also: tuple[str, ...] = ()
    length: int = 0

    def __call__(self, step: int) -> float:
        return self.spec(max(step // self.every + self.offset, 0))

    def __str__(self) -> str:
        moved = f", {abs(self.offset)} step{'s' * (abs(self.offset) > 1)} {'ahead' if self.offset > 0 else 'behind'}" if self.offset else ""
        per = f", one value for every {self.every} steps (per epoch)" if self.every > 1 else ""
        return f"{self.spec!r}{per}{moved}"

    def to_dict(self) -> dict[str, Any]:
        told = {k: v if isinstance(v, int | float | str | tuple | None) else repr(v) for k, v in self.spec.hyperparameters.items()}
        return {"name": self.spec.definition.name, "convention": self.spec.convention, "hyperparameters": told, "offset": self.offset,
                "every": self.every, "error": self.error, "also": list(self.also), "text": repr(self.spec)}  # fmt: skip


def identify_schedule(recording: Recording) -> ScheduleFit | None:
    """The schedule of a recording's first group; None where no learning rate was recorded, or nothing fits."""
    steps = [s for s in recording.steps if s.lr]
    if len(steps) < 3 or [s.step for s in steps] != list(range(len(steps))):
        return None
    return schedule_of([s.lr[0] for s in steps])


def schedule_of(rates: Sequence[float] | np.ndarray, *, tolerance: float | None = None) -> ScheduleFit | None:
    """The simplest schedule that has these values at steps 0, 1, ...; None where none has.

    Args:
        rates: the learning rates.
        tolerance: how far they may be off, relative to the largest; None is the rounding of the precision that they have.

    Example:
        >>> from lossopt.schedules import cosine
        >>> print(schedule_of([cosine(lr=0.1, T_max=50)(t) for t in range(60)]))
        cosine(lr=0.1, T_max=50)
    """
    y = np.asarray(rates, float)
    if len(y) < 3 or not np.isfinite(y).all() or y.max() <= 0:
        return None
    if np.ptp(y) <= 1e-12 * y.max():
        made = registry.definition("constant", "schedule")
        assert isinstance(made, Schedule)
        own = {"lr": float(y[0]), **({"factor": 1.0} if "factor" in made.defaults else {})}
        return ScheduleFit(ScheduleSpec.make(made, "torch", own), 0, 1, 0.0, length=len(y))
    exact = tolerance or (LOOSE if _in_float32(y) else EXACT)
    found: list[tuple[tuple[float, ...], ScheduleFit]] = []
    for offset, every in itertools.product((0, 1, -1), dict.fromkeys((1, block(y, exact)))):
        if any(cost[0] <= PLAIN for cost, _ in found) and offset:
            break
        for spec, error in _fits(y[::every], offset, exact):
            fit = ScheduleFit(spec, offset, every, error, length=len(y))
            found.append((_cost(fit), fit))
    if not found:
        return None
    found.sort(key=lambda item: item[0])
    best = found[0][1]
    near = (fit for cost, fit in found[1:] if cost[0] <= found[0][0][0] + 1)
    also = tuple(dict.fromkeys(str(fit) for fit in near if fit.spec.definition.name != best.spec.definition.name))
    return ScheduleFit(best.spec, best.offset, best.every, best.error, also[:3], best.length)


def _fits(y: np.ndarray, offset: int, exact: float) -> Iterator[tuple[ScheduleSpec, float]]:
    """Every definition that follows y."""
    for name in registry.own_names("schedule"):
        d = registry.definition(name, "schedule")
        assert isinstance(d, Schedule)
        if d.start is None and name not in WITHOUT and "lr" in d.defaults and (fit := fit_of(d, y, offset, exact)) is not None:
            yield fit


def _in_float32(y: np.ndarray) -> bool:
    return bool(np.all(y.astype(np.float32).astype(np.float64) == y))


def block(y: np.ndarray, exact: float = EXACT) -> int:
    """The length of the blocks of equal values; 1 where neighbours differ, or all are equal."""
    moved = changes(y, exact)
    return int(np.gcd.reduce(moved)) if len(moved) > 1 else 1


def _cost(fit: ScheduleFit) -> tuple[float, ...]:
    """How much must be said, then how well it is known."""
    d, beside = fit.spec.definition, words(fit.every) * (fit.every > 1) + words(abs(fit.offset)) * (fit.offset != 0)
    known = sum(not where.startswith("none") for k, where in d.elsewhere.items() if k != "also")
    return spelling(fit.spec) + beside, beside, -known, len(d.name), fit.error
