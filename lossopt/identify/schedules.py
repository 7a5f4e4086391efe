"""Which schedule a sequence of learning rates follows: definition, numbers, and where it began."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

import numpy as np

from lossopt import registry
from lossopt.definition import Schedule
from lossopt.errors import LossoptError
from lossopt.hyper import REQUIRED
from lossopt.identify.candidates import _without_none
from lossopt.identify.coordinates import Coordinate, coordinate, range_of
from lossopt.recording.contents import Recording
from lossopt.schedules.spec import ScheduleSpec

EXACT, LOOSE = 1e-10, 3e-6
"""Relative to the largest learning rate: what is left where it was computed in float64, step by step, and in float32."""

LOOKED_AT = 160
"""Steps at most that a fit looks at; all of them judge it."""

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
    every = block(y)
    found: list[tuple[tuple[float, ...], ScheduleFit]] = []
    for per in dict.fromkeys((1, every)):
        for offset in (0, 1, -1):
            for spec, error in _fits(y[::per], offset, exact):
                simple = (per > 1, abs(offset), *_size(spec), error > 1e-7, error)
                found.append((simple, ScheduleFit(spec, offset, per, error, length=len(y))))
            if found:
                break
        if found:
            break
    if not found:
        return None
    found.sort(key=lambda item: item[0])
    best = found[0][1]
    also = tuple(dict.fromkeys(str(fit) for _, fit in found[1:] if fit.spec.definition.name != best.spec.definition.name))
    return ScheduleFit(best.spec, best.offset, best.every, best.error, also[:3], best.length)


def block(y: np.ndarray) -> int:
    """The length of the blocks of equal values; 1 where neighbours differ, or all are equal."""
    changes = np.flatnonzero(np.abs(np.diff(y)) > 1e-9 * y.max()) + 1
    if not len(changes):
        return 1
    k = int(np.gcd.reduce(changes))
    return k if len(changes) > 1 else 1


# ------------------------------------------------------------------------------------------------- the fits
def _fits(y: np.ndarray, offset: int, exact: float) -> Iterator[tuple[ScheduleSpec, float]]:
    """Every definition that follows y."""
    for name in registry.own_names("schedule"):
        d = registry.definition(name, "schedule")
        assert isinstance(d, Schedule)
        if d.start is not None or name in WITHOUT or "lr" not in d.defaults:
            continue
        for convention in d.conventions:
            fit = _fit(d, convention, y, offset, exact)
            if fit is not None:
                yield fit
                break


def _fit(d: Schedule, convention: str, y: np.ndarray, offset: int, exact: float) -> tuple[ScheduleSpec, float] | None:
    """The best setting of one definition under one convention."""
    defaults = d.defaults_of(convention)
    whole = {n: _whole_numbers(n, y, offset, d) for n, a in d.annotations.items() if get_origin(a) is Annotated and get_args(a)[0] is int}
    switches = {n: _switch(d, n, defaults[n]) for n in d.defaults if n not in whole}
    switches = {n: v for n, v in switches.items() if len(v) > 1}
    real = [c for n in d.defaults for c in _real(d, n, defaults)]
    lists = _lists(d, y, offset)
    at = np.unique(np.linspace(0, len(y) - 1, LOOKED_AT).astype(int))
    few = [c for c in real if c.name in ("lr", "eta_min", "gamma")]
    for free in dict.fromkeys((tuple(c for c in real if c.name == "lr"), tuple(few), tuple(real))):
        best: tuple[float, dict[str, Any]] | None = None
        for chosen in itertools.islice(itertools.product(*switches.values()), 48):
            scored = []
            for numbers in itertools.islice(itertools.product(*whole.values(), *lists.values()), 900):
                given = {**defaults, **dict(zip(switches, chosen, strict=True)), **dict(zip((*whole, *lists), numbers, strict=True))}
                start = _started(given, list(free), real, y)
                error = _error(d, start, y, at[:: max(1, len(at) // 24)], offset)
                if error is not None:
                    scored.append((error, len(scored), start))
            scored.sort(key=lambda s: s[:2])
            for _, _, start in scored[:8]:
                values, error = _descend(d, start, list(free), y, at, offset)
                if best is None or error < best[0]:
                    best = error, values
                if error < exact:
                    break
            if best is not None and best[0] < exact:
                break
        if best is None or best[0] > 30 * exact:
            continue
        values = _rounded(d, best[1], list(free), y, offset, exact)
        error = _error(d, values, y, np.arange(len(y)), offset)
        if error is None or error > exact:
            continue
        try:
            return ScheduleSpec.make(d, convention, {n: v for n, v in values.items() if n == "lr" or v != defaults[n]}), error
        except LossoptError:
            continue
    return None


def _in_float32(y: np.ndarray) -> bool:
    return bool(np.all(y.astype(np.float32).astype(np.float64) == y))


def _values(d: Schedule, given: Mapping[str, Any], at: np.ndarray, offset: int) -> np.ndarray | None:
    spec = ScheduleSpec(d, given)
    try:
        if d.spec_check:
            from lossopt.definition import keywords

            d.spec_check(**{n: given[n] for n in keywords(d.spec_check)})
        return np.array([spec(max(int(t) + offset, 0)) for t in at])
    except (LossoptError, ArithmeticError, ValueError, TypeError):
        return None


def _error(d: Schedule, given: Mapping[str, Any], y: np.ndarray, at: np.ndarray, offset: int) -> float | None:
    found = _values(d, given, at, offset)
    return None if found is None or not np.isfinite(found).all() else float(np.abs(found - y[at]).max() / y.max())


def _descend(d: Schedule, start: dict[str, Any], real: list[Coordinate], y: np.ndarray, at: np.ndarray,
             offset: int) -> tuple[dict[str, Any], float]:  # fmt: skip
    """Gauss-Newton over the continuous hyperparameters."""
    free = [c for c in real if isinstance(start[c.name], float | int) and not isinstance(start[c.name], bool)]
    x = np.array([c.to_x(float(start[c.name])) for c in free])

    def values(point: np.ndarray) -> dict[str, Any]:
        return {**start, **{c.name: float(c.to_value(c.clip(np.asarray(p)))) for c, p in zip(free, point, strict=True)}}

    def residual(point: np.ndarray) -> np.ndarray | None:
        found = _values(d, values(point), at, offset)
        return None if found is None or not np.isfinite(found).all() else (found - y[at]) / y.max()

    z = residual(x)
    if z is None:
        return start, math.inf
    for _ in range(12):
        if np.abs(z).max() < 1e-12:
            break
        columns = []
        for j in range(len(x)):
            moved = residual(x + 1e-6 * np.eye(len(x))[j])
            columns.append(np.zeros_like(z) if moved is None else (moved - z) / 1e-6)
        step = np.linalg.lstsq(np.stack(columns, axis=1), -z, rcond=1e-9)[0] if columns else np.zeros(0)
        step = np.clip(step, [-c.reach for c in free], [c.reach for c in free])
        for size in (1.0, 0.3, 0.03):
            trial = residual(x + size * step)
            if trial is not None and trial @ trial < z @ z * (1 - 1e-9):
                x, z = x + size * step, trial
                break
        else:
            break
    return values(x), float(np.abs(z).max())


def _rounded(d: Schedule, values: dict[str, Any], real: list[Coordinate], y: np.ndarray, offset: int, exact: float) -> dict[str, Any]:
    """Defaults and round numbers wherever they fit as well."""
    at = np.arange(len(y))
    base = _error(d, values, y, at, offset)
    bound = max(2 * (base or 0.0), 0.2 * exact)
    for c in real:
        value = values[c.name]
        if not isinstance(value, float):
            continue
        default = d.defaults[c.name]
        tried = [default] if isinstance(default, float | int) and default is not REQUIRED and c.name != "lr" else []
        inverse = (float(f"{1 / float(f'{1 / value:.{k}e}'):.12g}") for k in range(3) if value)
        for v in [*tried, *(float(f"{value:.{k}e}") for k in range(7)), *inverse]:
            error = _error(d, {**values, c.name: v}, y, at, offset)
            if error is not None and error <= bound:
                values = {**values, c.name: v}
                break
    return values


# ------------------------------------------------------------------------------------------------- where to begin
def _switch(d: Schedule, name: str, default: Any) -> tuple[Any, ...]:
    annotation = d.annotations[name]
    if annotation is bool and not name.startswith("cycle_"):
        return (default, not default)
    if get_origin(annotation) is Literal:
        return (default, *(v for v in get_args(annotation) if v != default))
    return (default,)


def _real(d: Schedule, name: str, defaults: Mapping[str, Any]) -> list[Coordinate]:
    if "momentum" in name:
        return []
    value, interval = defaults[name], range_of(_without_none(d.annotations[name]))
    if interval is None or interval.plain or value is None:
        return []
    known = (float(value),) if isinstance(value, float | int) and value is not REQUIRED else ()
    made = coordinate(name, name, None, interval, known)
    return [made if name != "lr" else Coordinate(name, None, "log", 0.0, math.inf, (1.0,))]


def turning_points(y: np.ndarray) -> list[int]:
    """Steps at which the rates begin to do something else."""
    scale = y.max()
    slope = np.diff(y) / scale
    bends = np.abs(np.diff(slope))
    usual = float(np.median(bends)) + 1e-9
    steps = np.flatnonzero(bends > 20 * usual) + 1
    return [int(t) for t in steps[:12]]


def _whole_numbers(name: str, y: np.ndarray, offset: int, d: Schedule) -> tuple[int, ...]:
    """What a whole number may be: the default, the ends of the curve, and where it turns."""
    default = d.defaults[name]
    n = len(y)
    changes = np.flatnonzero(np.abs(np.diff(y)) > 1e-9 * y.max()) + 1
    turns = turning_points(y)
    points = [int(np.argmax(y)), int(np.argmin(y)), n - 1, n, n + 1, *turns, *(b - a for a, b in itertools.pairwise(turns))]
    if len(changes):
        points += [int(changes[0]), int(changes[-1]), *(int(v) for v in np.unique(np.diff(changes))[:3])]
    points += _extrapolated(y)
    near = [p + shift for p in dict.fromkeys(points) for shift in (0, offset, 1, -1)]
    known = [] if default is REQUIRED or default is None else [default]
    low = 0 if "warm" in name else 1
    return tuple(dict.fromkeys([*known, *(p for p in near if p >= low)]))[:40]


def _extrapolated(y: np.ndarray) -> list[int]:
    """Where a curve that is cut off would end: a line from its last slope, a half cosine from its shape."""
    found, tail = [], y[int(np.argmax(y)):]
    begin = len(y) - len(tail)
    if len(tail) > 3 and tail[-1] < tail[0]:
        slope = (tail[-1] - tail[0]) / (len(tail) - 1)
        found.append(begin + round(-tail[0] / slope))
        inside = np.clip(2 * tail[-1] / tail[0] - 1, -1, 1)
        angle = math.acos(inside)
        if angle > 1e-4:
            found.append(begin + round(math.pi * (len(tail) - 1) / angle))
            found.append(round(math.pi * (len(tail) - 1) / angle))
        round_numbers = [50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000]
        found += [r for r in round_numbers if r >= len(y)][:4]
    return [int(v) for v in found if 0 < v < 10**7]


def _lists(d: Schedule, y: np.ndarray, offset: int) -> dict[str, tuple[Any, ...]]:
    """Milestones: the steps at which the value changes."""
    changes = tuple(int(t) + offset for t in np.flatnonzero(np.abs(np.diff(y)) > 1e-9 * y.max()) + 1)
    if "milestones" in d.defaults and 0 < len(changes) <= 20:
        return {"milestones": (changes,)}
    return {}


def _started(given: dict[str, Any], free: list[Coordinate], real: list[Coordinate], y: np.ndarray) -> dict[str, Any]:
    """Where the continuous ones begin: the top, the bottom and the ratios of the curve."""
    found = dict(given)
    top, low = float(y.max()), float(max(y.min(), 0.0))
    changed = y[1:][np.abs(np.diff(y)) > 1e-9 * top]
    before = y[:-1][np.abs(np.diff(y)) > 1e-9 * top]
    ratio = float(np.median(changed / np.maximum(before, 1e-300))) if len(changed) else 0.5
    for c in real:
        if c not in free and found[c.name] is not REQUIRED:
            continue
        if c.name == "lr":
            found["lr"] = top
        elif c.name in ("eta_min", "end_value", "min_lr"):
            found[c.name] = low
        elif c.name == "start_factor":
            found[c.name] = float(y[0]) / top
        elif c.name == "end_factor":
            found[c.name] = float(y[-1]) / top
        elif c.name == "gamma":
            found[c.name] = min(max(ratio, 1e-4), 1.5)
        elif c.name == "div_factor":
            found[c.name] = top / max(float(y[0]), 1e-12 * top)
        elif found[c.name] is REQUIRED:
            found[c.name] = top
    return found


def _size(spec: ScheduleSpec) -> tuple[int, int, int, int]:
    """How much must be said: the numbers that differ from the defaults, then how well it is known."""
    defaults = spec.definition.defaults_of(spec.convention)
    given = [n for n, v in spec.hyperparameters.items() if n != "lr" and v != defaults[n]]
    long = sum(len(v) for v in spec.hyperparameters.values() if isinstance(v, tuple))
    known = sum(not where.startswith("none") for k, where in spec.definition.elsewhere.items() if k != "also")
    return len(given) + long, -known, 0 if spec.convention == "torch" else 1, len(spec.definition.name)
