"""One schedule fitted to learning rates: its switches and whole numbers are tried, its continuous numbers descend."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lossopt.definition import Schedule, keywords
from lossopt.errors import LossoptError
from lossopt.hyper import REQUIRED
from lossopt.identify.coordinates import Coordinate
from lossopt.identify.schedule_starts import beginnings, lists, real_numbers, started, switches_of, whole_numbers
from lossopt.schedules.spec import ScheduleSpec

LOOKED_AT, GLANCED_AT = 160, 24
"""Steps at most that a fit looks at, and that a first score looks at; all of them judge it."""

COMBINATIONS = 1500
"""Of whole numbers, at most; the likely ones first."""

DESCENDED = 6
"""Of the combinations, the best so many are fitted, where a first score is below `HOPELESS`."""
HOPELESS = 0.5

DIGIT, DIGITS = 0.25, 6
"""What a significant digit costs, of a number that costs 1; one with more than so many was hardly typed, and counts twice."""


class ManySteps:
    """`lossopt.ops.ScheduleOps` on an array of steps: all of a curve at once."""

    pi = math.pi
    sqrt, sin, cos = staticmethod(np.sqrt), staticmethod(np.sin), staticmethod(np.cos)
    exp, log, floor = staticmethod(np.exp), staticmethod(np.log), staticmethod(np.floor)
    minimum, maximum, where = staticmethod(np.minimum), staticmethod(np.maximum), staticmethod(np.where)

    @staticmethod
    def power(base: Any, exponent: Any) -> Any:
        return np.power(np.asarray(base, float), exponent)


class Curve:
    """One definition beside the rates that it may follow.

    Args:
        d: the schedule.
        y: the rates.
        offset: how many steps the schedule is ahead.
    """

    def __init__(self, d: Schedule, y: np.ndarray, offset: int) -> None:
        self.d, self.y, self.offset, self.top = d, y, offset, float(y.max())
        self.takes, self.checked = keywords(d.text), keywords(d.spec_check) if d.spec_check else ()
        self.whole = np.arange(len(y))
        self.some = np.unique(np.linspace(0, len(y) - 1, LOOKED_AT).astype(int))
        self.few = self.some[:: max(1, len(self.some) // GLANCED_AT)]

    def values(self, given: Mapping[str, Any], at: np.ndarray) -> np.ndarray | None:
        """What it says at some steps; None where these numbers do not go together."""
        try:
            if self.d.spec_check:
                self.d.spec_check(**{n: given[n] for n in self.checked})
            with np.errstate(all="ignore"):
                found = self.d.text(ManySteps, np.maximum(at + self.offset, 0), **{n: given[n] for n in self.takes})
        except (LossoptError, ArithmeticError, ValueError, TypeError):
            return None
        found = np.broadcast_to(np.asarray(found, float), at.shape)
        return found if np.isfinite(found).all() else None

    def error(self, given: Mapping[str, Any], at: np.ndarray) -> float:
        """The largest difference, relative to the largest rate."""
        found = self.values(given, at)
        return math.inf if found is None else float(np.abs(found - self.y[at]).max() / self.top)

    def glance(self, given: Mapping[str, Any], *, lowest: bool) -> float:
        """A first score: the error as it is, with another lr, or where that is open with another lowest value."""
        found, y = self.values(given, self.few), self.y[self.few]
        if found is None:
            return math.inf
        plain = np.abs(found - y).max()
        if lowest:
            found, y = found - found.mean(), y - y.mean()
        moved = found * (float(found @ y) / max(float(found @ found), 1e-300))
        return float(min(plain, np.abs(moved - y).max()) / self.top)


def fit_of(d: Schedule, y: np.ndarray, offset: int, exact: float) -> tuple[ScheduleSpec, float] | None:
    """The schedule with numbers that follow the rates, and its error; None where there are none.

    Args:
        d: the definition.
        y: the rates at steps 0, 1, ...
        offset: how many steps it is ahead of them.
        exact: the error that is allowed, relative to the largest rate.
    """
    curve, defaults = Curve(d, y, offset), d.defaults_of("torch")
    whole = {**whole_numbers(d, y, offset, exact), **lists(d, y, offset, exact)}
    numbers = [dict(zip(whole, each, strict=True)) for each in _likely_first(list(whole.values()))]
    switches = switches_of(d)
    choices = [dict(zip(switches, each, strict=True)) for each in itertools.product(*switches.values())]
    real, begin = real_numbers(d), beginnings(y, exact)
    for free in _freedoms(real):
        tried = []
        for choice, number in itertools.product(choices, numbers):
            start = started({**defaults, **choice, **number}, free, real, begin)
            score = curve.glance(start, lowest=any(c.name == "eta_min" for c in free))
            if score < HOPELESS:
                tried.append((int(score / exact), len(tried), start))  # what differs by less than the rates are known to is equal
        tried.sort(key=lambda t: t[:2])
        fitted = (_descend(curve, start, free) for *_, start in tried[:DESCENDED])
        exactly = [found for values, error in fitted if error < 30 * exact and (found := _spelt(curve, values, real, exact)) is not None]
        if exactly:
            return min(exactly, key=lambda found: spelling(found[0]))
    return None


def spelling(spec: ScheduleSpec) -> float:
    """How much must be said: the numbers that are not at a default, and a little for each of their digits."""
    defaults = spec.definition.defaults_of(spec.convention)
    said = [v for n, v in spec.hyperparameters.items() if n != "lr" and v != defaults[n]]
    return sum(map(words, said)) + words(spec.hyperparameters["lr"]) - 1 + (spec.convention != "torch")


def words(value: Any) -> float:
    if isinstance(value, tuple):
        return sum(map(words, value))
    if isinstance(value, bool) or not isinstance(value, float | int):
        return 1.0
    digits = len(f"{value:.12e}".partition("e")[0].rstrip("0").replace(".", "").replace("-", ""))
    return 1 + DIGIT * digits + (digits > DIGITS)


def _freedoms(real: Sequence[Coordinate]) -> list[list[Coordinate]]:
    """What is searched for: lr; what else most runs set; everything."""
    each = [[c for c in real if c.name == "lr"], [c for c in real if c.name in ("lr", "eta_min", "gamma")], list(real)]
    return [free for i, free in enumerate(each) if free not in each[:i]]


def _likely_first(each: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Combinations, those whose members stand near the front of their lists first."""
    places = sorted(itertools.product(*(range(len(values)) for values in each)), key=sum)[:COMBINATIONS]
    return [tuple(values[i] for values, i in zip(each, place, strict=True)) for place in places]


def _spelt(curve: Curve, values: dict[str, Any], free: Sequence[Coordinate], exact: float) -> tuple[ScheduleSpec, float] | None:
    """The fit with round numbers, under the convention that needs the fewest of them; None where it is not exact."""
    values = _rounded(curve, values, free, exact)
    error = curve.error(values, curve.whole)
    if error > exact:
        return None
    d = curve.d
    given = {c: {n: v for n, v in values.items() if n == "lr" or v != d.defaults_of(c)[n]} for c in d.conventions}
    convention = min(given, key=lambda c: len(given[c]) + (c != "torch"))
    try:
        return ScheduleSpec.make(d, convention, given[convention]), error
    except LossoptError:
        return None


def _descend(curve: Curve, start: dict[str, Any], real: Sequence[Coordinate]) -> tuple[dict[str, Any], float]:
    """Gauss-Newton over the continuous hyperparameters."""
    free = [c for c in real if isinstance(start[c.name], float | int) and not isinstance(start[c.name], bool)]
    at, y = curve.some, curve.y[curve.some]

    def values(point: np.ndarray) -> dict[str, Any]:
        return {**start, **{c.name: float(c.to_value(c.clip(np.asarray(p)))) for c, p in zip(free, point, strict=True)}}

    def residual(point: np.ndarray) -> np.ndarray | None:
        found = curve.values(values(point), at)
        return None if found is None else (found - y) / curve.top

    x = np.array([c.to_x(float(start[c.name])) for c in free])
    z = residual(x)
    if z is None:
        return start, math.inf
    for _ in range(12):
        if np.abs(z).max() < 1e-12:
            break
        moved = (residual(x + 1e-6 * row) for row in np.eye(len(x)))
        columns = [np.zeros_like(z) if m is None else (m - z) / 1e-6 for m in moved]
        step = np.linalg.lstsq(np.stack(columns, axis=1), -z, rcond=1e-9)[0] if columns else np.zeros(0)
        step = np.clip(step, [-c.reach for c in free], [c.reach for c in free])
        better = ((size, trial) for size in (1.0, 0.3, 0.03) if (trial := residual(x + size * step)) is not None
                  and trial @ trial < z @ z * (1 - 1e-9))  # fmt: skip
        found = next(better, None)
        if found is None:
            break
        x, z = x + found[0] * step, found[1]
    return values(x), float(np.abs(z).max())


def _rounded(curve: Curve, values: dict[str, Any], real: Sequence[Coordinate], exact: float) -> dict[str, Any]:
    """Defaults and round numbers wherever they fit as well."""
    bound = max(2 * curve.error(values, curve.whole), 0.2 * exact)
    for c in real:
        value = values[c.name]
        if not isinstance(value, float):
            continue
        default = curve.d.defaults[c.name]
        tried = [float(default)] if isinstance(default, float | int) and default is not REQUIRED and c.name != "lr" else []
        inverse = [float(f"{1 / float(f'{1 / value:.{k}e}'):.12g}") for k in range(3)] if value else []
        for v in [*tried, *(float(f"{value:.{k}e}") for k in range(11)), *inverse]:
            if curve.error({**values, c.name: v}, curve.whole) <= bound:
                values = {**values, c.name: v}
                break
    return values
