"""Where the search for a schedule begins: what its switches, whole numbers and continuous ones may be, from the shape of the curve."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

import numpy as np

from lossopt.definition import Schedule
from lossopt.hyper import REQUIRED
from lossopt.identify.candidates import without_none
from lossopt.identify.coordinates import Coordinate, coordinate, range_of

MOST = 30
"""Of what one whole number may be."""

BEND = 20.0
"""A slope that changes by so many times what is usual turns."""

WIDTHS = {"d_model": (512, 768, 1024, 256, 128, 64)}
"""Of a number that the curve shows only together with lr, the usual values."""

ROUND_NUMBERS = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000)


# ------------------------------------------------------------------------------------------------- switches and numbers
def switches_of(d: Schedule) -> dict[str, tuple[Any, ...]]:
    """The settings of each switch, the default first; that of a companion such as momentum aside."""
    return {n: options for n in d.defaults if len(options := _options(d, n)) > 1}


def _options(d: Schedule, name: str) -> tuple[Any, ...]:
    annotation, default = d.annotations[name], d.defaults[name]
    if annotation is bool and not name.startswith("cycle_"):
        return (default, not default)
    if get_origin(annotation) is Literal:
        return (default, *(v for v in get_args(annotation) if v != default))
    return (default,)


def real_numbers(d: Schedule) -> list[Coordinate]:
    """The continuous hyperparameters of the learning rate."""
    found = []
    for name, value in d.defaults.items():
        interval = range_of(without_none(d.annotations[name]))
        if "momentum" in name or interval is None or interval.plain or value is None:
            continue
        known = (float(value),) if isinstance(value, float | int) and value is not REQUIRED else ()
        made = coordinate(name, name, None, interval, known)
        found.append(made if name != "lr" else Coordinate(name, None, "log", 0.0, math.inf, (1.0,)))
    return found


def whole_numbers(d: Schedule, y: np.ndarray, offset: int, exact: float) -> dict[str, tuple[int, ...]]:
    """What each whole number may be: the default, where the curve turns, how long its parts are, where it would end."""
    names = [n for n, a in d.annotations.items() if get_origin(a) is Annotated and get_args(a)[0] is int]
    if not names:
        return {}
    likely = landmarks(y, exact)
    shifts = dict.fromkeys((0, offset, 1, -1))
    near = [p + shift for shift in shifts for p in likely] if offset == 0 else [p + shift for p in likely for shift in shifts]
    found = {}
    for name in names:
        default, low = d.defaults[name], 0 if "warm" in name else 1
        known = [*([] if default is REQUIRED or default is None else [default]), *WIDTHS.get(name, ())]
        found[name] = tuple(dict.fromkeys([*known, *([0] if low == 0 else []), *(p for p in near if p >= low)]))[:MOST]
    return found


def lists(d: Schedule, y: np.ndarray, offset: int, exact: float) -> dict[str, tuple[Any, ...]]:
    """Milestones: the steps at which the value changes."""
    milestones = tuple(int(t) + offset for t in changes(y, exact))
    return {"milestones": (milestones,)} if "milestones" in d.defaults and 0 < len(milestones) <= 20 else {}


def beginnings(y: np.ndarray, exact: float) -> dict[str, float]:
    """Where continuous numbers begin: the top, the ends and the ratios of the curve; ``""`` is where any other does."""
    top = float(y.max())
    return {
        "": top,
        "lr": top,
        **dict.fromkeys(("end_value", "min_lr"), float(max(y.min(), 0.0))),
        "start_factor": float(y[0]) / top,
        "end_factor": float(y[-1]) / top,
        "gamma": ratio_of(y, exact),
        "div_factor": top / max(float(y[0]), 1e-12 * top),
        "peak": float(np.argmax(y)),
    }


def started(given: Mapping[str, Any], free: Sequence[Coordinate], real: Sequence[Coordinate], begin: Mapping[str, float]) -> dict[str, Any]:
    """The numbers, the continuous ones where they begin."""
    found = dict(given)
    for c in real:
        if found[c.name] is REQUIRED or (c in free and c.name in begin):
            found[c.name] = begin.get(c.name, begin[""])
        if c.name == "pct_start" and c in free:  # OneCycleLR's peak is at pct_start * total_steps - 1
            found[c.name] = min((begin["peak"] + 1) / found["total_steps"], 1.0)
    return found


# ------------------------------------------------------------------------------------------------- the shape of a curve
def changes(y: np.ndarray, exact: float) -> np.ndarray:
    """The steps at which the value is another than before, by more than the rates are known to."""
    return np.flatnonzero(np.abs(np.diff(y)) > max(1e-9, 2 * exact) * y.max()) + 1


def ratio_of(y: np.ndarray, exact: float) -> float:
    """The usual ratio of a value to the one before, where they differ."""
    at = changes(y, exact)
    ratio = float(np.median(y[at] / np.maximum(y[at - 1], 1e-300))) if len(at) else 0.5
    return min(max(ratio, 1e-4), 1.5)


def landmarks(y: np.ndarray, exact: float) -> list[int]:
    """Steps and lengths that a curve shows, the plainest first."""
    turns, moved = turning_points(y, exact), [int(t) for t in changes(y, exact)]
    bounds = [0, *turns, len(y) - 1]
    halves = [(begin, half_wave(y[begin: end + 1])) for begin, end in itertools.pairwise(bounds)]
    waves = [v for begin, half in halves if half for v in (*rounder(half), *rounder(begin + half))]
    lengths = [b - a for a, b in itertools.pairwise([0, *turns])]
    gaps = [int(v) for v in np.unique(np.diff(moved))[:3]] if len(moved) > 1 else []
    zeros = [v for begin, end in itertools.pairwise(bounds) if (zero := zero_of(y, begin, end)) for v in rounder(zero)]
    ends = [*moved[:1], *moved[-1:], *gaps, len(y) - 1, len(y), len(y) + 1]
    found = [*turns, *waves, *lengths, *zeros, *ends, *[r for r in ROUND_NUMBERS if r >= len(y)][:4]]
    return [v for v in dict.fromkeys(found) if 0 < v < 10**7]


def rounder(value: int) -> list[int]:
    """A length that was estimated, and the round ones near it."""
    near = (int(float(f"{value:.{k}e}")) for k in (2, 1, 0))
    return list(dict.fromkeys([value, *(v for v in near if abs(v - value) <= 0.02 * value)]))


def turning_points(y: np.ndarray, exact: float) -> list[int]:
    """Steps at which the rates begin to do something else: the slope jumps, or changes its sign."""
    slope = np.diff(y) / y.max()
    bends = np.abs(np.diff(slope))
    usual = float(np.median(bends)) + 1e-9
    moving = np.flatnonzero(np.abs(slope) > max(1e-9, 2 * exact))
    flips = moving[1:][np.sign(slope[moving[1:]]) != np.sign(slope[moving[:-1]])]
    turned = bends > max(BEND * usual, 4 * exact)
    turned[flips[flips > 0] - 1] = True
    return [int(t) for t in np.flatnonzero(turned) + 1][:12]


def half_wave(y: np.ndarray) -> int | None:
    """The length of the half cosine that a piece is part of, whatever its height and where it begins; None where it is none.

    Of ``a + b cos(w t)`` the second difference is ``-2 (1 - cos w)`` times ``y - a``, so that of a first difference is too.
    """
    lag = max(1, len(y) // 6)
    first = y[lag:] - y[:-lag]
    if len(first) < 2 * lag + 2:
        return None
    second, middle = first[2 * lag:] - 2 * first[lag:-lag] + first[: -2 * lag], first[lag:-lag]
    size = float(middle @ middle)
    inside = 1 + float(second @ middle) / (2 * size) if size > 0 else 2.0
    if not -1 < inside < 1:
        return None
    half = math.pi * lag / math.acos(inside)
    return round(half) if half < 1e7 else None


def zero_of(y: np.ndarray, begin: int, end: int) -> int | None:
    """The step at which a line through a falling piece ends at 0."""
    fall = y[begin] - y[end]
    return begin + round(y[begin] * (end - begin) / fall) if fall > 1e-9 * y.max() else None
