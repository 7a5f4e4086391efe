"""What a link of the chain found, and how much rounding may do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lossopt.diff.align import Aligned


@dataclass(frozen=True)
class Finding:
    """The first place where one link differs by more than rounding.

    Attributes:
        step: of the run, counted from 0.
        cause: one word of `causes.CAUSES`.
        told: a clause that says what differs, with the names of the two runs.
        parameters: the common names of those that differ; empty where it is none of them, or all.
        size: how much, relative; the ratio's distance from 1 where it is a ratio.
        values: what the first run has and what the second.
        numbers: what was fitted, for ``--json`` and for the remedy: ``{"ratio": 32.0}``.
    """

    step: int
    cause: str
    told: str
    parameters: tuple[str, ...] = ()
    size: float = math.inf
    values: tuple[Any, Any] | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What was looked at in one link.

    Attributes:
        link: its name.
        looked: what was compared, in a few words; why nothing was, where `compared` is 0.
        finding: the first difference; None where there is none, or nothing to compare.
        compared: how many steps.
        until: the last step up to which it is equal to rounding; None where it never is.
        worst: the largest difference that passed as rounding, and its step.
        notes: what differs and does no harm.
    """

    link: str
    looked: str
    finding: Finding | None = None
    compared: int = 0
    until: int | None = None
    worst: tuple[float, int] | None = None
    notes: tuple[str, ...] = ()


class Watch:
    """Keeps the largest difference of a link that passed, and the steps that were compared."""

    def __init__(self, link: str, looked: str) -> None:
        self.link, self.looked, self.compared = link, looked, 0
        self.last: int | None = None
        self.worst: tuple[float, int] | None = None
        self.notes: list[str] = []

    def passed(self, size: float, step: int) -> None:
        self.compared += 1
        self.last = step
        if self.worst is None or size > self.worst[0]:
            self.worst = size, step

    def note(self, told: str) -> None:
        if told not in self.notes:
            self.notes.append(told)

    def done(self, finding: Finding | None = None) -> Outcome:
        compared = self.compared + (finding is not None)
        return Outcome(self.link, self.looked, finding, compared, self.last, self.worst, tuple(self.notes))

    def nothing(self, why: str) -> Outcome:
        return Outcome(self.link, why, notes=tuple(self.notes))


Look = Callable[[Aligned], Outcome]


# ------------------------------------------------------------------------------------------------- rounding
BITS = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}


def unit(aligned: Aligned) -> float:
    """Half a unit in the last place, of the coarsest precision that any parameter or its gradient is computed in.

    A gradient that came out of an autocast region is exactly representable in bfloat16; that tells the precision of the
    computation, which no recording names.
    """
    stored = min(BITS.get(side.dtype, 24) for pair in aligned.pairs.values() for side in pair)
    return 2.0 ** -min(stored, *(bits for bits in computed(aligned)))


def computed(aligned: Aligned) -> tuple[int, int]:
    """The bits of each side's computation: 24, or fewer where the logits or gradients of the first step are shorter numbers."""
    return _bits(aligned, 0), _bits(aligned, 1)


def _bits(aligned: Aligned, side: int) -> int:
    if not aligned.array_steps:
        return 24
    arrays = aligned.whole(aligned.array_steps[0])[side]
    seen = [x for key, x in arrays.items() if key.startswith(("logits/", "grad/")) and x.dtype.kind == "f" and x.size > 3 and np.any(x)]
    short = [bits for x in seen if (bits := next((b for b in (8, 11) if fits(x, b)), 24)) < 24]
    # One tensor may be short by chance or by a cast of its own; half of them are a precision.
    return min(short) if len(short) * 2 >= len(seen) > 0 else 24


def fits(x: np.ndarray, bits: int) -> bool:
    """Whether every number has a significand of so few bits: what bfloat16 (8) or float16 (11) can hold."""
    found = x[np.isfinite(x) & (x != 0)]
    mantissa, _ = np.frexp(found)
    return bool(found.size) and bool(np.all(mantissa * 2.0**bits == np.round(mantissa * 2.0**bits)))


def relative(a: float, b: float) -> float:
    """How far apart two numbers are, of the larger; infinite where one alone is not finite."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    return abs(a - b) / max(abs(a), abs(b))


def apart(x: np.ndarray, y: np.ndarray) -> float:
    """The norm of the difference, of the larger norm."""
    scale = max(float(np.linalg.norm(x)), float(np.linalg.norm(y)))
    return float(np.linalg.norm(x - y)) / scale if scale else 0.0


def short(x: float) -> str:
    """A number as a person would say it: ``0.001``, ``2.5``, ``1e-07``.

    >>> short(0.0009999999), short(32.000001), short(1.2345678), short(1e-7)
    ('0.001', '32', '1.235', '1e-07')
    """
    return f"{x:.4g}"


def listed(names: tuple[str, ...] | list[str], most: int = 3) -> str:
    """``"a, b, c and 4 more"``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
