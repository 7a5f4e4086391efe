"""What is known of a number, and which one was typed: intervals, and round values near a fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossopt.identify.coordinates import Coordinate

TYPED = 4
"""Significant digits: a determined number that needs more was hardly typed, and counts twice."""

UNUSUAL = 1e3
"""A number so many times larger or smaller than every usual one is hardly what was typed: it counts twice."""

NOTHING = 1e-5
"""A number that is 0, and less than this in any case, is not called open."""

DETERMINED = 0.01
"""Relative: a number known to this is determined."""


@dataclass(frozen=True)
class Known:
    """What the data say of one number.

    Attributes:
        label: its name, ``betas[1]`` for an entry of a tuple.
        value: the one that is reported.
        low, high: what fits as well, the others held; infinite where there is no end.
        determined: the interval is within a percent of the value.
        tied: the numbers without which it is not known: with others of them another of it fits as well.
    """

    label: str
    value: float
    low: float
    high: float
    determined: bool
    tied: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.determined:
            return f"{self.label} {self.value:g}"
        if self.low > 0 and self.high - self.low < self.value < math.inf:
            each = ((f"{self.low:.{d}g}", f"{self.high:.{d}g}") for d in (2, 3, 4, 5))
            low, high = next((ends for ends in each if ends[0] != ends[1]), (f"{self.low:g}", f"{self.high:g}"))
            return f"{self.label} {self.value:g} ({low} to {high} fits)"
        if math.isinf(self.high) and self.low <= 0:
            return f"{self.label}: any value fits"
        if self.low <= 0:
            return f"{self.label}: anything up to {self.high:.2g} fits"
        if math.isinf(self.high):
            return f"{self.label}: anything from {self.low:.2g} on fits"
        return f"{self.label}: anything from {self.low:.4g} to {self.high:.4g} fits"


def left_open(known: Sequence[Known]) -> list[str]:
    """What the data do not determine, in words; numbers that are known only together in one clause.

    Example:
        >>> left_open([Known("lr", 0.1, 0.09, 0.2, False, ("alpha",)), Known("alpha", 1.0, 0.9, 1.1, False, ("lr",)),
        ...            Known("eps", 0.0, 0.0, 2e-9, False)])
        ['lr 0.1, alpha 1 (known together only: others fit as well if they change together)']
    """
    found: list[str] = []
    told: set[str] = set()
    for k in known:
        if k.tied and k.label not in told:
            group = [other for other in known if other.label == k.label or other.label in k.tied]
            told |= {other.label for other in group}
            numbers = ", ".join(f"{other.label} {other.value:g}" for other in group)
            found.append(f"{numbers} (known together only: others fit as well if they change together)")
        elif not (k.determined or k.tied) and not (k.value == 0 and k.high < NOTHING):
            found.append(str(k))
    return found


def as_typed(value: float) -> float:
    """The shortest number that float32 keeps as this one, where it is one of float32's: 0.003 of 0.003000000026077032."""
    return float(str(np.float32(value))) if float(np.float32(value)) == value else value


def interval(c: Coordinate, value: float, low: float, high: float) -> Known:
    """What is known of a value between two ends."""
    size = (1 - value) if c.kind == "fraction" and value < 1 else abs(value)
    determined = value != 0 and max(high - value, value - low) <= DETERMINED * max(size, 1e-30)
    if c.high < math.inf and high >= c.high * (1 - 1e-6):
        high = c.high
    return Known(c.label, value, low, high, bool(determined))


def hardly_typed(c: Coordinate, known: Known) -> bool:
    """Whether nobody types it: an eps of 1e8, a first sum of 0.0999999."""
    value = known.value
    if known.determined and value != float(f"{value:.{TYPED - 1}e}") and 1 - value != float(f"{1 - value:.{TYPED - 1}e}"):
        return True
    return c.kind == "log" and not min(c.typical) / UNUSUAL <= value <= max(c.typical) * UNUSUAL


def numbers_apart(value: Any, default: Any) -> int:
    """How many numbers of a hyperparameter are not at their default: of a tuple each counts."""
    if isinstance(value, tuple) and isinstance(default, tuple) and len(value) == len(default):
        return sum(v != own for v, own in zip(value, default, strict=True))
    return 1


def rounder(c: Coordinate, known: Known) -> Known:
    """Of a number that is not determined the roundest that fits; the others held, each fits as well."""
    if known.determined or known.tied or not known.low <= known.value <= known.high:
        return known
    value = next((v for v in round_values(c, known.value) if v and known.low <= v <= known.high), known.value)
    return replace(known, value=value)


def round_values(c: Coordinate, value: float) -> list[float]:
    """Values near a number that one would type, the roundest first: 0, then one digit, two, three; of a fraction also of 1 - it."""
    found = [0.0] if c.low <= 0 and c.kind != "log" else []
    near: list[float] = []
    for digits in (1, 2, 3, 4):
        near.append(float(f"{value:.{digits - 1}e}"))
        if c.kind == "fraction" and value < 1:
            near.append(float(f"{1 - float(f'{1 - value:.{digits - 1}e}'):.12g}"))
    found += sorted(near, key=lambda v: (len(f"{v:.12g}".strip("0").replace(".", "").replace("-", "")), abs(v - value)))
    inside = [v for v in dict.fromkeys((*found, float(f"{value:.5g}"))) if c.low <= v <= c.high]
    return [*inside, value]  # 1 - 1e-9 rounds to 1, which no decay rate may be
