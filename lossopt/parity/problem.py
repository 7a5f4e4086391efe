"""The standard problem: what every optimizer is run on, in every framework, to be compared.

Four parameters of different shapes; a smooth loss that is not quadratic; a new linear term at every step, so that no
two gradients are alike.  Each run computes its gradients at its own parameters: a disagreement feeds back and grows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Arrays = dict[str, Any]

SHAPES: Mapping[str, tuple[int, ...]] = {"dense.kernel": (4, 3), "dense.bias": (3,), "tall.kernel": (5, 2), "norm.scale": (3,)}


def value(params: Arrays, target: Arrays, weight: Arrays, noise: Arrays) -> Any:
    """The loss, in arrays of any framework."""
    total: Any = 0.0
    for n, p in params.items():
        total = total + (0.5 * weight[n] * (p - target[n]) ** 2 + 0.1 * p**4 + noise[n] * p).sum()
    return total


def gradient(params: Arrays, target: Arrays, weight: Arrays, noise: Arrays) -> Arrays:
    """Its gradient, written out."""
    return {n: weight[n] * (p - target[n]) + 0.4 * p**3 + noise[n] for n, p in params.items()}


def curvature(params: Arrays, weight: Arrays) -> Arrays:
    """Its Hessian, which is diagonal."""
    return {n: weight[n] + 1.2 * p**2 for n, p in params.items()}


EXAMPLES = ((0.25, -0.5), (0.75, 0.0), (2.0, 0.5))
"""What the gradient is multiplied with, and what is added to it, for each of three examples whose mean it is."""


def of_examples(grads: Arrays, stack: Callable[[list[Any]], Any]) -> Arrays:
    """Gradients of single examples, of different norms, on a leading axis: for rules that take those."""
    return {n: stack([factor * g + shift for factor, shift in EXAMPLES]) for n, g in grads.items()}


@dataclass(frozen=True)
class Problem:
    """The numbers of the standard problem, as float64 NumPy arrays by parameter name.

    Attributes:
        start: the parameters before the first update.
        target, weight: of the quadratic part.
        noise: the linear term at each step, stacked along the first axis.
        metric: what a plateau schedule is told at each step.
    """

    start: Arrays
    target: Arrays
    weight: Arrays
    noise: Arrays
    metric: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.metric)

    def noise_at(self, step: int) -> Arrays:
        return {n: x[step] for n, x in self.noise.items()}

    def map(self, fn: Callable[[np.ndarray], Any]) -> Problem:
        """The same problem with ``fn`` of every array: rounded, or moved to a framework."""
        return Problem(*({n: fn(x) for n, x in arrays.items()} for arrays in (self.start, self.target, self.weight, self.noise)),
                       metric=fn(self.metric))  # fmt: skip

    def first(self, steps: int) -> Problem:
        """Its first steps."""
        return replace(self, noise={n: x[:steps] for n, x in self.noise.items()}, metric=self.metric[:steps])

    def still(self) -> Problem:
        """The same loss at every step, for line searches and quasi-Newton methods."""
        return replace(self, noise={n: np.broadcast_to(x[:1], x.shape).copy() for n, x in self.noise.items()})

    def poisoned(self, steps: tuple[int, ...]) -> Problem:
        """A gradient element is infinite at some steps."""
        noise = {n: x.copy() for n, x in self.noise.items()}
        for step in steps:
            noise["dense.bias"][step, 0] = np.inf
        return replace(self, noise=noise)

    def at_zero(self) -> Problem:
        """The same problem from parameters of zero, where an update is not blurred by the parameter it is added to."""
        return replace(self, start={n: np.zeros_like(x) for n, x in self.start.items()})


def standard(steps: int = 100, seed: int = 0) -> Problem:
    """The standard problem."""
    rng = np.random.default_rng(seed)
    start = {n: rng.normal(size=s) for n, s in SHAPES.items()}
    target = {n: rng.normal(size=s) for n, s in SHAPES.items()}
    weight = {n: rng.uniform(0.5, 2.0, size=s) for n, s in SHAPES.items()}
    noise = {n: 0.3 * rng.normal(size=(steps, *s)) for n, s in SHAPES.items()}
    metric = 1 / (1 + np.arange(steps)) + 0.2 * (np.arange(steps) > 8)  # falls, jumps, falls again: a plateau
    return Problem(start, target, weight, noise, metric)


def flatten(params: Mapping[str, Any]) -> np.ndarray:
    """All parameters as one float64 vector, in the order of their names: JAX sorts its dicts."""
    return np.concatenate([np.asarray(params[n], np.float64).ravel() for n in sorted(params)])
