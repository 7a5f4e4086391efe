"""The numbers of an optimizer's groups beside the learning rates: a line of a recording says those that have changed.

The first line says all of them, and every later line those that are others than at the step before, in every group.  So
a run that ends anywhere has said what its steps were made with, and a run in which nothing changes says it once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Numbers = Mapping[str, tuple[float, ...]]


def changed(now: Numbers, before: Numbers) -> dict[str, list[float | None]]:
    """What the line of a step says, for JSON: null is NaN, a number that a group does not have."""
    gone = {label: (math.nan,) * len(values) for label, values in before.items() if label not in now}
    new = {label: values for label, values in now.items() if before.get(label) != values}
    return {label: [None if math.isnan(x) else x for x in values] for label, values in {**new, **gone}.items()}


def said(line: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    """What a line says, as numbers.

    Raises:
        TypeError: it says something else.
    """
    found = {label: tuple(math.nan if x is None else x for x in values) for label, values in line.items()}
    if not all(isinstance(x, int | float) for values in found.values() for x in values):
        raise TypeError
    return found


def filled(lines: Sequence[Numbers]) -> list[dict[str, tuple[float, ...]]]:
    """The numbers that each step was made with, of those that vary from step to step.

    A number varies where it is another than the first that the same group had.  One that is whole at every step does not:
    it counts something.  Before a label is first said, it is NaN.

    Example:
        >>> filled([{"momentum": (0.9,), "eps": (1e-8,), "k": (0,)}, {"k": (1,)}, {"momentum": (0.8,), "k": (2,)}])
        [{'momentum': (0.9,)}, {'momentum': (0.9,)}, {'momentum': (0.8,)}]
    """
    begun, varying, fractional = dict[tuple[str, int], float](), set[str](), set[str]()
    held: dict[str, tuple[float, ...]] = {}
    for label, values in (item for line in lines for item in line.items()):
        held.setdefault(label, (math.nan,) * len(values))
        for group, x in enumerate(values):
            if math.isnan(x):
                continue
            if begun.setdefault((label, group), x) != x:
                varying.add(label)
            if isinstance(x, float):
                fractional.add(label)
    held = {label: nothing for label, nothing in held.items() if label in varying and label in fractional}
    found = []
    for line in lines:
        held = {label: tuple(map(float, line.get(label, values))) for label, values in held.items()}
        found.append(held)
    return found


OF_OPTAX = {"b1": "betas[0]", "b2": "betas[1]", "b3": "betas[2]"}


def common(label: str) -> str:
    """What both frameworks' numbers are called by: torch's ``betas[0]`` for optax's ``b1``."""
    return OF_OPTAX.get(label, label)
