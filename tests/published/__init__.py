"""The published algorithms in plain NumPy, as their papers write them: what the definitions are held to.

Nothing here is shared with the definitions.  A module of this folder states a family's algorithms; each function takes the
start, the gradient and the hyperparameters, and yields the parameters after every step.  Where a paper states an algorithm in
another form than libraries compute it (Nesterov's two points, sums instead of means, a dense inverse Hessian, singular
values), the paper's form stands.  ``ROWS`` says which definition each is, and what is drawn.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

Vector = np.ndarray
Gradient = Callable[[Vector, int], Vector]
"""(point, step counted from 0) -> gradient."""
Points = Iterator[Vector]

STEPS = 50
MATRIX, VECTOR = (4, 3), (5,)

RATES = st.floats(1e-4, 0.1)
DECAYS = st.floats(0.0, 0.3)
FRACTIONS = st.floats(0.0, 0.97)
EPSILONS = st.floats(1e-8, 1e-2)
BETAS = st.tuples(st.floats(0.0, 0.97), st.floats(0.5, 0.999))


@dataclass(frozen=True)
class Published:
    """One published algorithm and the definition that states it.

    Attributes:
        name: the definition.
        algorithm: the published algorithm.
        drawn: the published hyperparameters, and where they come from.
        ours: the same in the definition's words.
        shapes: of the parameters; an algorithm over all parameters as one is run on a vector.
        still: the loss does not change from step to step.
        steps: how many updates.
    """

    name: str
    algorithm: Callable[..., Any]
    drawn: Mapping[str, st.SearchStrategy[Any]]
    ours: Callable[..., dict[str, Any]] = field(default=lambda **h: h)
    shapes: tuple[tuple[int, ...], ...] = (MATRIX, VECTOR)
    still: bool = False
    steps: int = STEPS


def examples(gradient: Vector) -> Vector:
    """Gradients of three examples with this mean, for algorithms that take each."""
    return np.stack([0.25 * gradient - 0.5, 0.75 * gradient, 2.0 * gradient + 0.5])


def rows() -> dict[str, Published]:
    """Every family's rows, by label."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return {label: row for module in modules for label, row in getattr(module, "ROWS", {}).items()}
