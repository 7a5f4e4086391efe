"""A hyperparameter as a coordinate to search along: its range, its scale, and the values that it usually has."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

import numpy as np

from lossopt import registry
from lossopt.hyper import Range

LOWEST, HIGHEST = 1e-30, 1e8
FAR = 21.0
"""Along a fraction: where it is 1, and never forgets."""


@dataclass(frozen=True)
class Coordinate:
    """One continuous hyperparameter, or one entry of a tuple of them.

    A fraction b is searched along -log(1 - b), which tells 0.99 from 0.999 as clearly as 0.9 from 0.99; a positive number
    along its logarithm; one whose default is 0 along itself, as it may be nothing at all.

    Attributes:
        name: the flat name of the hyperparameter.
        index: its place in a tuple.
        kind: ``"fraction"``, ``"log"`` or ``"linear"``.
        low, high: of its values.
        typical: the values that definitions have by default.
    """

    name: str
    index: int | None
    kind: str
    low: float
    high: float
    typical: tuple[float, ...]

    @property
    def label(self) -> str:
        return self.name if self.index is None else f"{self.name}[{self.index}]"

    @property
    def scale(self) -> float:
        """What counts as a small change along a linear coordinate."""
        return max((abs(v) for v in self.typical), default=0.0) or 0.1

    @property
    def reach(self) -> float:
        """The longest step that a linear model is trusted for."""
        return {"log": 3.0, "fraction": 1.5, "linear": math.inf}[self.kind]

    def to_x(self, value: float) -> float:
        if self.kind == "fraction":
            return -math.log1p(-min(max(value, self.low), 1 - 1e-9)) if value < 1 else FAR
        if self.kind == "log":
            return math.log(min(max(value, LOWEST), HIGHEST))
        return value / self.scale

    def to_value(self, x: np.ndarray) -> np.ndarray:
        if self.kind == "fraction":
            inside = np.clip(-np.expm1(-np.maximum(x, 0.0)), self.low, min(self.high, 1 - 1e-9))
            return np.where(np.asarray(x) >= FAR, self.high, inside)
        if self.kind == "log":
            return np.clip(np.exp(np.clip(x, math.log(LOWEST), math.log(HIGHEST))), max(self.low, LOWEST), self.high)
        return np.clip(np.asarray(x) * self.scale, self.low, self.high)

    def clip(self, x: np.ndarray) -> np.ndarray:
        """x brought back to where its value is in range."""
        if self.kind == "fraction":
            return np.clip(x, self.to_x(self.low), FAR)
        if self.kind == "log":
            return np.clip(x, math.log(max(self.low, LOWEST)), math.log(min(self.high, HIGHEST)))
        return np.clip(x, self.low / self.scale, self.high / self.scale)


def range_of(annotation: Any) -> Range | None:
    """The interval of a real number's annotation; None for anything else."""
    if get_origin(annotation) is Annotated and get_args(annotation)[0] is float:
        return next((a for a in get_args(annotation)[1:] if isinstance(a, Range)), None)
    return Range() if annotation is float else None


def coordinate(flat: str, name: str, index: int | None, interval: Range, defaults: tuple[float, ...]) -> Coordinate:
    """The coordinate of a hyperparameter `name`, whose flat name is `flat`, with these defaults under the conventions."""
    typical = tuple(dict.fromkeys((*defaults, *usual(name, index))))
    inside = tuple(v for v in typical if v in interval)
    inside = inside if defaults else inside[:1]
    if interval.low == 0 and interval.high == 1:
        low, high = 1e-6 if interval.open_low else 0.0, 1 - 1e-9 if interval.open_high else 1.0
        return Coordinate(flat, index, "fraction", low, high, inside or (0.9,))
    if interval.low >= 0 and 0.0 not in defaults and name != "weight_decay":
        return Coordinate(flat, index, "log", interval.low + (1e-6 if interval.low else 0.0), interval.high,
                          tuple(v for v in inside if v) or (1e-3,))  # fmt: skip
    return Coordinate(flat, index, "linear", interval.low, interval.high, inside or (0.0,))


@functools.cache
def usual(name: str, index: int | None) -> tuple[float, ...]:
    """The defaults that all optimizers and transforms have for a hyperparameter of this name."""
    found: dict[float, None] = {}
    for kind in ("optimizer", "transform"):
        for owner in registry.own_names(kind):
            definition = registry.definition(owner, kind)
            for convention in definition.conventions:
                value = definition.defaults_of(convention).get(name)
                if index is not None:
                    value = value[index] if isinstance(value, tuple) and index < len(value) else None
                if isinstance(value, float | int) and not isinstance(value, bool):
                    found[float(value)] = None
    return tuple(found)
