"""The run: two sides, the same initial weights and the same batches, compared at every step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossopt import registry
from lossopt.compare.side import Side, Step
from lossopt.compare.verdict import Breach, Difference, Tolerance, differences, first_above, rounding_only
from lossopt.errors import ArgumentError, InputError, UnknownNameError
from lossopt.recipes.build import TRAINERS
from lossopt.recipes.recipe import Recipe
from lossopt.tasks import mapping
from lossopt.tasks.task import Data, Task, Weights

SCORES = 50
"""The held-out score is taken about so many times in a run."""


@dataclass(frozen=True)
class Row:
    """One step of both sides.  Numbers by backend; differences by stage.

    Attributes:
        step: the update, counted from 1.
        loss: of the step's batch, before the update.
        gradient_norm: before any clipping.
        lr: what the update used.
        differences: every quantity, in causal order.
        worst: the largest relative difference of the loss up to here.
        score: on the held-out data, after the update; None where it was not taken.
    """

    step: int
    loss: Mapping[str, float]
    gradient_norm: Mapping[str, float]
    lr: Mapping[str, float]
    differences: Mapping[str, Difference]
    worst: float
    score: Mapping[str, float] | None


@dataclass(frozen=True)
class Result:
    """What a run found.

    Attributes:
        rows: one for each step.
        breach: the first difference above the tolerance, or None.
        rounding: parameters whose gradient is zero but for rounding, and the step from which their values and updates are
            not compared (their gradients are).
        sizes: the numbers of training samples, held-out samples and parameters.
        seconds: time spent in each backend, compilation included.
        reports: by backend, what the recipe's `monitoring` and `analysis` found.
    """

    rows: tuple[Row, ...]
    breach: Breach | None
    rounding: Mapping[str, int]
    sizes: Mapping[str, int]
    seconds: Mapping[str, float]
    reports: Mapping[str, Mapping[str, Any]]


class Runner:
    """One side with its parameters under common names."""

    def __init__(self, backend: str, task: Task, recipe: Recipe) -> None:
        self.backend, self.seconds = backend, 0.0
        began = time.perf_counter()
        self.side: Side = registry.backend(backend).part("trainer").Side(task, recipe)
        self.seconds += time.perf_counter() - began
        self.links = mapping.links(task, backend, self.side.shapes)
        self.before = self.parameters()

    def parameters(self) -> Weights:
        return mapping.to_common(self.links, self.side.parameters())

    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        self.side.load(mapping.from_common(self.links, weights))
        self.before = self.parameters()

    def step(self, inputs: np.ndarray, targets: np.ndarray) -> Step:
        began = time.perf_counter()
        own = self.side.step(inputs, targets)
        self.seconds += time.perf_counter() - began
        gradients, parameters = (mapping.to_common(self.links, arrays) for arrays in (own.gradients, own.parameters))
        return replace(own, gradients=gradients, parameters=parameters)


def run(task: Task, recipes: Mapping[str, Recipe], dtype: str, tolerance: Tolerance,
        on_step: Callable[[Row], None] | None = None) -> Result:  # fmt: skip
    """Train both sides and compare them step by step.

    Args:
        task: data and models.
        recipes: for each of two backends its recipe; steps, batch size and seed are the first one's.
        dtype: what is computed in; parameters have the dtype of the recipes' precision.
        tolerance: how far apart the two may be.
        on_step: called with each row.
    """
    recipe = next(iter(recipes.values()))
    data = checked(task.data(), recipe)
    a, b = runners = tuple(Runner(backend, task, own) for backend, own in recipes.items())
    weights = _begin(task, runners, recipe.seed, dtype if recipe.precision is None else recipe.precision.params)
    rows: list[Row] = []
    rounding: dict[str, int] = {}
    breach, worst = None, 0.0
    every = max(1, recipe.steps // SCORES)
    for number, chosen in enumerate(batches(len(data.train[0]), recipe), start=1):
        batch = data.train[0][chosen], data.train[1][chosen]
        steps = a.step(*batch), b.step(*batch)
        rounding |= dict.fromkeys(rounding_only(steps, tolerance) - set(rounding), number)
        found = differences((a.before, b.before), steps, rounding)
        if breach is None and (first := first_above(found.values(), tolerance)):
            breach = Breach(number, first, None)
        if breach is not None and breach.loss_step is None and found["loss"].size > tolerance.bound:
            breach = replace(breach, loss_step=number)
        worst = max(worst, found["loss"].size)
        score = None
        if number % every == 0 or number in (1, recipe.steps):
            score = {r.backend: task.score(r.side.predict(data.test[0]), data.test[1]) for r in runners}
        rows.append(_row(number, runners, steps, found, worst, score))
        for runner, step in zip(runners, steps, strict=True):
            runner.before = dict(step.parameters)
        if on_step:
            on_step(rows[-1])
    sizes = {"train": len(data.train[0]), "test": len(data.test[0]), "parameters": sum(w.size for w in weights.values())}
    reports = {r.backend: found for r in runners if (found := r.side.report())}
    return Result(tuple(rows), breach, rounding, sizes, {r.backend: r.seconds for r in runners}, reports)


def batches(count: int, recipe: Recipe) -> Iterator[np.ndarray]:
    """The indices of each batch: a new order in every epoch, and no short batch at its end."""
    generator = np.random.default_rng(recipe.seed)
    order = np.empty(0, np.intp)
    for _ in range(recipe.steps):
        if len(order) < recipe.batch_size:
            order = generator.permutation(count)
        yield order[: recipe.batch_size]
        order = order[recipe.batch_size:]


def check_backends(backends: Sequence[str]) -> tuple[str, str]:
    """Two different backends that can train a model."""
    for name in backends:
        registry.backend(name)
        if name not in TRAINERS:
            raise UnknownNameError(f"backend {name!r} trains no model; a comparison is between {' and '.join(TRAINERS)}")
    if len(backends) != 2 or backends[0] == backends[1]:
        raise ArgumentError(f"a comparison is between two backends, such as jax,torch; got {', '.join(backends) or 'none'}")
    return backends[0], backends[1]


def checked(data: Data, recipe: Recipe) -> Data:
    """The data, when they can be trained on."""
    for what, (inputs, targets) in (("train", data.train), ("test", data.test)):
        if len(inputs) != len(targets):
            raise InputError(f"the task's {what} data has {len(inputs)} inputs and {len(targets)} targets")
    if recipe.batch_size > len(data.train[0]):
        raise InputError(f"batch_size is {recipe.batch_size}, and there are only {len(data.train[0])} training samples")
    return data


def _begin(task: Task, runners: tuple[Runner, ...], seed: int, dtype: str) -> Weights:
    """Load the same initial weights into both sides, and see that they arrived."""
    a, b = runners
    shapes = tuple({n: p.shape for n, p in r.before.items()} for r in runners)
    mapping.check((a.backend, b.backend), (shapes[0], shapes[1]))
    if task.initial:
        weights = task.initial(shapes[0], np.random.default_rng(seed))
    else:  # the PyTorch model's own
        weights = next((r for r in runners if r.backend == "torch"), a).before
    weights = {name: np.asarray(w, dtype) for name, w in weights.items()}
    for runner in runners:
        runner.load(weights)
        for name, value in runner.before.items():
            if not np.array_equal(value, weights[name]):
                raise InputError(f"{name!r} did not arrive unchanged in {runner.backend}: its Layout's two functions are not inverse")
    return weights


def _row(number: int, runners: tuple[Runner, ...], steps: tuple[Step, Step], found: dict[str, Difference], worst: float,
         score: Any) -> Row:  # fmt: skip
    of = dict(zip((r.backend for r in runners), steps, strict=True))
    return Row(number, {k: s.loss for k, s in of.items()}, {k: norm(s.gradients) for k, s in of.items()},
               {k: s.lr for k, s in of.items()}, found, worst, score)  # fmt: skip


def norm(arrays: Mapping[str, np.ndarray]) -> float:
    """The Euclidean norm over all arrays, summed in float64."""
    return math.sqrt(sum(float(np.vdot(x := g.astype(np.float64), x)) for g in arrays.values()))
