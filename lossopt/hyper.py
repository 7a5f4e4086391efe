"""Types of hyperparameters, with their ranges: what a signature's annotations mean.

A definition's keyword-only signature is its schema.  ``lr: NonNegative = 1e-3`` says name, type, range and default in
one place; help, errors, configuration and documentation are read from it.  A hyperparameter without an annotation
takes the meaning that its name has in the field (``WELL_KNOWN``), else any value of its default's type.
"""

from __future__ import annotations

import math
import numbers
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from lossopt.errors import HyperparameterError


@dataclass(frozen=True)
class Range:
    """An interval of numbers, and how to say it.

    `plain` ones are known when the object is built, and no schedule; `learned` ones may be an array in a loss too.
    """

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    finite: bool = True
    plain: bool = False
    learned: bool = False

    def __contains__(self, x: float) -> bool:
        if math.isnan(x) or (self.finite and math.isinf(x)):
            return False
        above = x > self.low if self.open_low else x >= self.low
        return above and (x < self.high if self.open_high else x <= self.high)

    def __str__(self) -> str:
        finite = ", and finite" if self.finite and math.isinf(self.high) else ""
        if self.low == 0 and math.isinf(self.high):
            return ("positive" if self.open_low else "positive or zero") + finite
        if math.isinf(self.low) and math.isinf(self.high):
            return "finite" if self.finite else "a number"
        if math.isinf(self.high):
            return f"{'above' if self.open_low else 'at least'} {self.low:g}{finite}"
        return f"in {'(' if self.open_low else '['}{self.low:g}, {self.high:g}{')' if self.open_high else ']'}"


Number: TypeAlias = float
"""A scalar: a Python float, or where a framework traces it, a 0-d array that answers the same operators."""

Finite = Annotated[float, Range()]
Real = Annotated[float, Range(finite=False)]
NonNegative = Annotated[float, Range(low=0)]
Positive = Annotated[float, Range(low=0, open_low=True)]
Learned = Annotated[float, Range(learned=True)]
LearnedPositive = Annotated[float, Range(low=0, open_low=True, learned=True)]
Fraction = Annotated[float, Range(0, 1, open_high=True)]
"""A decay rate: 0 forgets at once, 1 would never forget and is refused."""
UnitInterval = Annotated[float, Range(0, 1)]
Betas = tuple[Fraction, Fraction]
Count = Annotated[int, Range(low=1)]
Seed = Annotated[int, Range(0, 2**32 - 1, plain=True)]
NaturalNumber = Annotated[int, Range(low=0)]
StepFunction = Callable[[Any], Any]
"""A function of the step, which is code: it has no place in a file."""


class _Required:
    def __repr__(self) -> str:
        return "required"

    def __reduce__(self) -> str:
        return "REQUIRED"  # by its name, so that a copy is the same object


REQUIRED: Any = _Required()
"""The default of a hyperparameter that must be given: ``T_max: Count = REQUIRED``."""

WELL_KNOWN: Mapping[str, Any] = {
    "lr": NonNegative,
    "betas": Betas,
    "eps": NonNegative,
    "weight_decay": NonNegative,
    "momentum": Fraction,
    "every": Count,
}


def check(owner: str, name: str, value: Any, annotation: Any) -> None:
    """Raise HyperparameterError unless `value` is one that `annotation` allows.

    A schedule (a callable) or an array that a framework traces stands for numbers that are not known yet, and passes
    wherever a number may stand.
    """
    problem = _problem(value, annotation)
    if problem:
        gap = "" if problem.startswith("[") else " "
        raise HyperparameterError(f"{owner}: {name}{gap}{problem}")


def describe(annotation: Any) -> str:
    """The range of a hyperparameter in words: ``"positive or zero, and finite"``."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        kind = "a whole number, " if parts[0] is int else ""
        return kind + ", ".join(str(p) for p in parts[1:])
    if origin is Literal:
        return " or ".join(repr(p) for p in parts)
    if origin is tuple and parts == (str, Ellipsis):
        return "a tuple of strings"
    if origin is tuple:
        inside = [describe(p) for p in parts if p is not Ellipsis]
        return (f"{len(inside)} numbers, each {inside[0]}" if len(set(inside)) == 1 and Ellipsis not in parts
                else "numbers: " + "; ".join(inside))  # fmt: skip
    if origin in (Union, types.UnionType):
        return " or ".join(describe(p) for p in parts)
    if origin is Callable:
        return "a function of the step"
    if annotation is bool:
        return "True or False"
    if annotation is Callable:
        return "a function"
    if annotation in (None, type(None)):
        return "None"
    return {float: "a number", int: "a whole number", str: "a string"}.get(annotation, "any")


def _problem(value: Any, annotation: Any) -> str | None:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        found = [_problem(value, p) for p in parts]
        if None in found:
            return None
        if Callable in parts:
            return f"must be {describe(annotation)}, got {value!r}"
        if isinstance(value, tuple | list):
            return next((f for f, p in zip(found, parts, strict=True) if get_origin(p) is tuple), found[0])
        numeric = isinstance(value, numbers.Real) and not isinstance(value, bool)
        of_number = (f for f, p in zip(found, parts, strict=True) if get_origin(p) is Annotated or p in (int, float))
        return next(of_number, found[0]) if numeric else found[0]
    if origin is Annotated:
        return _number_problem(value, whole=parts[0] is int, allowed=parts[1:])
    if origin is Literal:
        return None if any(value == p and type(value) is type(p) for p in parts) else (
            f"must be {describe(annotation)}, got {value!r}")  # fmt: skip
    if origin is tuple:
        return _tuple_problem(value, annotation, parts)
    if origin is Callable:
        return None if callable(value) else f"must be a function of the step, which is code and has no place in a file, got {value!r}"
    if annotation is bool:
        return None if isinstance(value, bool) else f"must be True or False, got {value!r}"
    if annotation is Callable:
        return None if callable(value) else f"must be a function, got {value!r}"
    if annotation in (None, type(None)):
        return None if value is None else f"must be None, got {value!r}"
    if annotation in (float, int):
        return _number_problem(value, whole=annotation is int, allowed=())
    if annotation is str:
        return None if isinstance(value, str) else f"must be a string, got {value!r}"
    return None


def _tuple_problem(value: Any, annotation: Any, parts: tuple[Any, ...]) -> str | None:
    if not isinstance(value, tuple | list):
        return f"must be {describe(annotation)}, got {value!r}"
    if Ellipsis in parts:
        parts = (parts[0],) * len(value)
    if len(value) != len(parts):
        return f"must be {describe(annotation)}, got {value!r}"
    for i, (item, part) in enumerate(zip(value, parts, strict=True)):
        if problem := _problem(item, part):
            return f"[{i}] {problem}"
    return None


def _number_problem(value: Any, *, whole: bool, allowed: tuple[Any, ...]) -> str | None:
    noun = "a whole number" if whole else "a number"
    if is_live(value):
        return f"must be {noun} that is known now, not a schedule or an array" if any(r.plain for r in allowed) else None
    if isinstance(value, str):
        hint = f": write {value} without quotes" if _looks_numeric(value) else ""
        return f"must be {noun}, got {value!r}, a string{hint}"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return f"must be {noun}, got {value!r}"
    if whole and not (isinstance(value, numbers.Integral) or float(value).is_integer()):
        return f"must be a whole number, got {value!r}"
    for interval in allowed:
        if float(value) not in interval:
            return f"must be {interval}, got {value!r}"
    return None


def is_live(value: Any) -> bool:
    """True for a schedule or a framework's array: a number that is not known when the object is built."""
    return isinstance(value, Callable) or (hasattr(value, "shape") and not isinstance(value, numbers.Real))


def _looks_numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
