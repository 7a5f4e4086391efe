"""What is measured of one case in one backend, and the distances that say how far apart two runs are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import numpy as np

from lossopt import registry
from lossopt.parity.case import Allowed, LossCase, OptimizerCase, ScheduleCase
from lossopt.parity.problem import Problem, flatten, gradient, standard
from lossopt.parity.report import Comparison

FLOAT64 = 1e-12
"""Over 100 steps with feedback, relative to the distance moved so far: a thousandfold of what rounding does (1e-15 to 1e-14)."""

FLOAT32 = 1e-6
"""Relative RMS error of one update: a few float32 roundings (6e-8 each) of moments and factors; Adam measures 1e-7 to 5e-7."""

BFLOAT16_ULP = 2.0
"""Of the larger of the parameter before and after: one rounding of the update, one of the sum."""

FLOAT32_AT = (1, 10, 100)
"""The updates whose float32 error is measured."""


class OptimizerMeasure:
    """An optimizer: a long run in float64, single updates in float32 and bfloat16."""

    def __init__(self, case: OptimizerCase, dtypes: Sequence[str], referee: Any) -> None:
        self.case, self.dtypes, self.referee = case, dtypes, referee
        self.problem = problem_of(case, case.steps)

    def __call__(self, backend: Any) -> Iterator[Comparison]:
        if "float64" in self.dtypes:
            yield from self._float64(backend)
        if "float32" in self.dtypes:
            yield from self._float32(backend)
        if "bfloat16" in self.dtypes and not (self.case.spec.asks or self.case.groups or self.case.spec.per_example):
            yield self._bfloat16(backend)

    def _float64(self, backend: Any) -> Iterator[Comparison]:
        case, start = self.case, flatten(self.problem.start)
        for name, run in backend.runs(case.spec, self.problem, case.groups).items():
            yield held(case.allowed, name, lambda run=run: distance_moved(run(), self.trajectory, start), FLOAT64)
        if backend.has_original(case):
            yield held(case.allowed, backend.ORIGINAL["optimizer"],
                       lambda: distance_moved(backend.original(case, self.problem), self.trajectory, start), FLOAT64)  # fmt: skip
        for name, module in backend.further_originals(case).items():
            yield held(case.allowed, name,
                       lambda m=module: distance_moved(m.optimizer(case, self.problem), self.trajectory, start), FLOAT64)  # fmt: skip

    def _float32(self, backend: Any) -> Iterator[Comparison]:
        case, (problem, gradients, exact) = self.case, self.single
        yield held(case.allowed, f"{backend.NAME} float32",
                   lambda: worst_update(backend.updates(case.spec, problem, gradients, case.groups), exact), FLOAT32)  # fmt: skip
        if backend.has_original(case):  # reported, and not held: it is not ours
            yield held({}, f"{backend.ORIGINAL['optimizer']} float32",
                       lambda: worst_update(backend.original_updates(case, problem, gradients), exact), None)  # fmt: skip

    def _bfloat16(self, backend: Any) -> Comparison:
        case, (problem, grads, exact) = self.case, self.half
        start = flatten(problem.start)
        return held(case.allowed, f"{backend.NAME} bfloat16",
                    lambda: bfloat16_ulps(backend.half(case.spec, problem, grads), exact, start), BFLOAT16_ULP)  # fmt: skip

    @functools.cached_property
    def trajectory(self) -> np.ndarray:
        """The referee's run.

        Raises:
            AssertionError: it does not move, or not to a finite point: nothing could be told from it.
        """
        with np.errstate(all="ignore"):
            found = self.referee.optimizer(self.case.spec, self.problem, self.case.groups)
        if not np.isfinite(found).all() or np.abs(found - flatten(self.problem.start)).max() < 1e-9:
            raise AssertionError("the referee does not move, or not to a finite point")
        return found

    @functools.cached_property
    def single(self) -> tuple[Problem, list[dict[str, np.ndarray]], np.ndarray]:
        """From parameters of zero: a problem and gradients that float32 can hold, and the exact updates."""
        problem = problem_of(replace(self.case, poison=()), max(FLOAT32_AT)).map(through_float32).at_zero()
        gradients = [gradient(problem.start, problem.target, problem.weight, problem.noise_at(t)) for t in range(problem.steps)]
        gradients = [{n: through_float32(g) for n, g in grads.items()} for grads in gradients]
        with np.errstate(all="ignore"):
            return problem, gradients, self.referee.updates(self.case.spec, problem, gradients, self.case.groups)

    @functools.cached_property
    def half(self) -> tuple[Problem, dict[str, np.ndarray], np.ndarray]:
        """One step from parameters and gradients that bfloat16 can hold, and the exact parameters after it."""
        problem = problem_of(replace(self.case, poison=()), 1).map(through_bfloat16)
        grads = gradient(problem.start, problem.target, problem.weight, problem.noise_at(0))
        grads = {n: through_bfloat16(g) for n, g in grads.items()}
        with np.errstate(all="ignore"):
            return problem, grads, flatten(problem.start) + self.referee.updates(self.case.spec, problem, [grads], {})[0]


class LossMeasure:
    """A loss: its values against the referee, its gradients against those of the first backend, as NumPy has none."""

    def __init__(self, case: LossCase, dtypes: Sequence[str], referee: Any, first: str) -> None:
        self.case, self.dtypes, self.first = case, dtypes, first
        inputs = (np.asarray(x) for x in case.inputs(np.random.default_rng(0)))
        self.inputs = tuple(through_float32(x) if x.dtype.kind == "f" else x for x in inputs)  # that float32 runs see the same
        names = registry.definition(case.name, "loss").inputs  # type: ignore[attr-defined]
        self.wrt = tuple(i for i, x in enumerate(self.inputs) if x.dtype.kind == "f" and (i == 0 or names[i] != "targets"))
        self.exact = functools.cache(lambda: referee.loss(case, self.inputs))
        self.slopes: Future[list[np.ndarray] | None] = Future()

    def __call__(self, backend: Any) -> Iterator[Comparison]:
        is_first = self.first == backend.NAME
        value, own = self._value(backend.NAME, backend.loss, "float64")
        if is_first:
            self.slopes.set_result(own)
        if "float64" in self.dtypes:
            yield value
            yield from () if is_first else self._gradient(backend.NAME, own, self.slopes.result())
            if backend.has_original(self.case):
                name = backend.ORIGINAL["loss"]
                value, theirs = self._value(name, backend.original_loss, "float64")
                yield value
                yield from self._gradient(name, theirs, own)
            for name, module in backend.further_originals(self.case).items():
                value, theirs = self._value(name, lambda case, inputs, wrt, _, m=module: m.loss(case, inputs, wrt), "float64")
                yield value
                yield from self._gradient(name, theirs, own)
        if "float32" in self.dtypes:
            value, single = self._value(backend.NAME, backend.loss, "float32")
            yield value
            yield from self._gradient(backend.NAME, single, own, " float32")

    def _value(self, name: str, run: Callable[..., Any], dtype: str) -> tuple[Comparison, list[np.ndarray] | None]:
        """The comparison of values, and the gradients for the next one; None where the run raised."""
        gradients: list[Any] = []

        def measure() -> float:
            value, found = run(self.case, self.inputs, self.wrt, dtype)
            gradients.append(found)
            return relative(value, self.exact())

        single = dtype == "float32"
        compared = held(self.case.allowed, f"{name} float32" if single else name, measure, FLOAT32 if single else FLOAT64)
        return compared, gradients[0] if gradients else None

    def _gradient(self, name: str, found: list[np.ndarray] | None, exact: list[np.ndarray] | None, more: str = "") -> Iterator[Comparison]:
        if found is not None and exact is not None:
            yield held(self.case.allowed, f"{name} gradient{more}", lambda: max(map(relative, found, exact)), FLOAT32 if more else FLOAT64)


class ScheduleMeasure:
    """A schedule: its value at every step."""

    def __init__(self, case: ScheduleCase, dtypes: Sequence[str], referee: Any) -> None:
        self.case, self.dtypes = case, dtypes
        self.metric = standard(case.steps).metric
        self.exact = referee.schedule(case, self.metric)

    def __call__(self, backend: Any) -> Iterator[Comparison]:
        case = self.case
        for dtype, more, bound in (("float64", "", FLOAT64), ("float32", " float32", FLOAT32)):
            if dtype not in self.dtypes or dtype not in backend.SCHEDULE_DTYPES:
                continue
            yield held(case.allowed, f"{backend.NAME}{more}",
                       lambda d=dtype: relative(backend.schedule(case, self.metric, d), self.exact), bound)  # fmt: skip
            if backend.has_original(case):
                yield held(case.allowed, f"{backend.ORIGINAL['schedule']}{more}",
                           lambda d=dtype: relative(backend.original_schedule(case, self.metric, d), self.exact),
                           None if more else bound)  # fmt: skip
        if "float64" in self.dtypes:
            for name, module in backend.further_originals(case).items():
                yield held(case.allowed, name, lambda m=module: relative(m.schedule(case), self.exact), FLOAT64)


# ------------------------------------------------------------------------------------------------- one comparison
def held(allowed: Mapping[str, Allowed], name: str, measure: Callable[[], float], bound: float | None) -> Comparison:
    """Measure, and hold it to its bound.  A run that raises is out of bounds, and says why."""
    try:
        error = measure()
    except Exception as problem:  # whatever a framework raises belongs in the row, not on the caller
        first_line = str(problem).partition("\n")[0]
        return Comparison(name, np.inf, 0.0 if bound is None else bound, note=f"{type(problem).__name__}: {first_line}")
    wider = _allowance(allowed, name)
    if bound is None or error <= bound or wider is None:
        return Comparison(name, error, bound)
    return Comparison(name, error, wider.bound, wider.cause)


def _allowance(allowed: Mapping[str, Allowed], name: str) -> Allowed | None:
    """By the comparison's own name, else by its dtype, or for float64 values by its framework."""
    framework, _, rest = name.partition(" ")
    if rest.endswith(("float32", "bfloat16")):
        keys = (name, rest, rest.rpartition(" ")[2])
    else:
        keys = (name, rest) if rest == "gradient" else (name, framework, framework.partition(".")[0])
    return next((allowed[k] for k in keys if k in allowed), None)


# ------------------------------------------------------------------------------------------------- distances
def distance_moved(found: np.ndarray, referee: np.ndarray, start: np.ndarray) -> float:
    """The worst over the steps of max|difference| / max|distance moved so far|."""
    rows = min(len(referee), len(found))  # an original need not have an eval point, the last row
    moved = np.maximum.accumulate(np.abs(referee[:rows] - start).max(axis=1))
    far = apart(found[:rows], referee[:rows]).max(axis=1)
    return float(np.max(np.where(far == 0, 0.0, far / np.maximum(moved, 1e-300))))


def relative(found: np.ndarray, referee: np.ndarray) -> float:
    """max|difference| / max|referee|."""
    if found.shape != referee.shape:
        raise AssertionError(f"shape {found.shape} instead of {referee.shape}")
    far = apart(found, referee).max(initial=0.0)
    return float(far / max(np.abs(referee[np.isfinite(referee)]).max(initial=0.0), 1e-300)) if far else 0.0


def worst_update(found: np.ndarray, referee: np.ndarray) -> float:
    """The worst over some updates of the relative root-mean-square error of one."""
    return max(rms(found[t - 1], referee[t - 1]) for t in FLOAT32_AT)


def rms(found: np.ndarray, referee: np.ndarray) -> float:
    """The relative root-mean-square error."""
    far = np.sqrt(np.mean(apart(found, referee) ** 2))
    return float(far / max(np.sqrt(np.mean(referee**2)), 1e-300)) if far else 0.0


def bfloat16_ulps(found: np.ndarray, referee: np.ndarray, start: np.ndarray) -> float:
    """The worst difference in bfloat16 ulps of the larger of the parameter before and after."""
    scale = np.maximum(np.maximum(np.abs(referee), np.abs(start)), 1e-30)
    return float(np.max(apart(found, referee) / 2.0 ** (np.floor(np.log2(scale)) - 7)))


def apart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|x - y|; equal infinities, or NaN in both, are no difference; NaN in one is an infinite one."""
    with np.errstate(invalid="ignore"):
        far = np.abs(x - y)
    far = np.where((x == y) | (np.isnan(x) & np.isnan(y)), 0.0, far)
    return np.where(np.isnan(far), np.inf, far)


# ------------------------------------------------------------------------------------------------- numbers
def problem_of(case: OptimizerCase, steps: int) -> Problem:
    """The standard problem as a case wants it."""
    problem = standard().first(steps)
    problem = problem.still() if case.still else problem
    return problem.poisoned(case.poison) if case.poison else problem


def through_float32(x: np.ndarray) -> np.ndarray:
    """Rounded to float32, and said in float64 again."""
    return x.astype(np.float32).astype(np.float64)


def through_bfloat16(x: np.ndarray) -> np.ndarray:
    """Cut to the upper half of float32, which is bfloat16, and said in float64 again."""
    return (x.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)
