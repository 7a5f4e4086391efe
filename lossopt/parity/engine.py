"""Runs every case in every backend and says how far apart the numbers are."""

from __future__ import annotations

import fnmatch
import functools
import importlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lossopt import registry
from lossopt.definition import Spec
from lossopt.errors import ArgumentError, UnknownNameError, suggest
from lossopt.parity.case import Allowed, LossCase, OptimizerCase, ScheduleCase
from lossopt.parity.problem import Problem, gradient, standard
from lossopt.parity.report import Comparison, ParityReport, Row

Case = OptimizerCase | LossCase | ScheduleCase
Progress = Callable[[int, int, str], None]

KINDS: Mapping[str, tuple[str, str]] = {
    "optimizer": ("optimizer_cases", "OPTIMIZER_CASES"),
    "transform": ("transform_cases", "TRANSFORM_CASES"),
    "loss": ("loss_cases", "LOSS_CASES"),
    "schedule": ("schedule_cases", "SCHEDULE_CASES"),
}
DTYPES = ("float64", "float32", "bfloat16")

FLOAT64 = 1e-12
"""Over 100 steps with feedback, relative to the distance moved so far: a thousandfold of what rounding does (1e-15 to 1e-14)."""

FLOAT32 = 1e-6
"""Relative RMS error of one update: a few float32 roundings (6e-8 each) of moments and factors; Adam measures 1e-7 to 5e-7."""

BFLOAT16_ULP = 2.0
"""Of the larger of the parameter before and after: one rounding of the update, one of the sum."""

FLOAT32_AT = (1, 10, 100)
"""The updates whose float32 error is measured."""


def parity(patterns: Iterable[str] = (), kinds: Iterable[str] = tuple(KINDS), dtypes: Iterable[str] = DTYPES, *,
           cases: Sequence[Case] | None = None, progress: Progress | None = None) -> ParityReport:  # fmt: skip
    """Hold every definition in every backend to the float64 referee, and to PyTorch's and optax's own code.

    Args:
        patterns: names of definitions, with wildcards; none is all.  A composed optimizer is found by any name in it.
        kinds: of ``"optimizer"``, ``"transform"``, ``"loss"``, ``"schedule"``.
        dtypes: of ``"float64"`` (100 steps), ``"float32"`` (one update), ``"bfloat16"`` (one update).
        cases: rows to run instead of the suite's own.
        progress: called with (rows done, rows in all, the next row's label).

    Returns:
        A report; where a framework is not installed it says which columns are absent.

    Raises:
        UnknownNameError: a kind or dtype that there is not, or a pattern that no case matches.

    Example:
        >>> report = parity(["sgd"], dtypes=["float64"])  # doctest: +SKIP
        >>> report.ok, report.summary()  # doctest: +SKIP
    """
    patterns, dtypes = tuple(patterns), tuple(dtypes)
    for given, known, what in ((tuple(kinds), tuple(KINDS), "kind"), (dtypes, DTYPES, "dtype")):
        for name in given:
            if name not in known:
                raise UnknownNameError(f"unknown {what} {name!r}{suggest(name, known)} It is one of: {', '.join(known)}")
    if isinstance(cases, Case):
        raise ArgumentError("cases is a list of cases, got one case: write cases=[case]")
    chosen = select(suite(kinds) if cases is None else cases, patterns)
    bench, began, rows = Bench(dtypes), time.perf_counter(), []
    for i, case in enumerate(chosen):
        if progress:
            progress(i, len(chosen), describe(case)[1])
        rows.append(bench.row(case))
    if progress:
        progress(len(chosen), len(chosen), "")
    return ParityReport(tuple(rows), bench.absent, time.perf_counter() - began)


def suite(kinds: Iterable[str] = tuple(KINDS)) -> list[Case]:
    """The suite's own cases."""
    modules = [(f"lossopt.parity.{KINDS[kind][0]}", KINDS[kind][1]) for kind in kinds]
    return [case for module, name in modules for case in getattr(importlib.import_module(module), name)]


def select(cases: Iterable[Case], patterns: Sequence[str]) -> list[Case]:
    """The cases that a pattern matches."""
    cases = list(cases)
    if not patterns:
        return cases
    known = sorted({name for case in cases for name in names_in(case)})
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            raise UnknownNameError(f"no parity case is named {pattern!r}{suggest(pattern, known)} (lossopt list shows all names)")
    return [c for c in cases if any(fnmatch.filter(names_in(c), p) for p in patterns)]


def names_in(case: Case) -> list[str]:
    """Every definition that a case is about."""
    if isinstance(case, OptimizerCase):
        return [spec.definition.name for _, spec in case.spec.walk()]
    return [registry.definition(case.name, kind_of(case)).name]


def kind_of(case: Case) -> Any:
    if isinstance(case, OptimizerCase):
        return case.spec.definition.kind
    return "loss" if isinstance(case, LossCase) else "schedule"


def describe(case: Case) -> tuple[str, str, str, str]:
    """(kind, definition, convention, options) of a case."""
    if isinstance(case, OptimizerCase):
        name, convention = case.spec.definition.name, case.spec.convention
        options = repr(case.spec).removeprefix(f"{name}(").removesuffix(")").removesuffix(f"convention={convention!r}").removesuffix(", ")
        if case.groups:
            options += f"; groups={dict(case.groups)!r}"
        return kind_of(case), name, convention, options
    shown = {k: "array" if isinstance(v, np.ndarray) else repr(v) for k, v in case.options.items() if k != "convention"}
    options = ", ".join(f"{k}={v}" for k, v in shown.items())
    return kind_of(case), case.name, case.options.get("convention", "torch"), options


class Bench:
    """Where cases are measured: the backends that are installed, and the standard problem."""

    def __init__(self, dtypes: Sequence[str]) -> None:
        self.dtypes = dtypes
        self.absent = {n: f"needs {' and '.join(m)}" for n in ("jax", "torch") if (m := registry.backend(n).missing)}

    @functools.cached_property
    def numpy(self) -> Any:
        return registry.backend("numpy").part("parity")

    @functools.cached_property
    def jax(self) -> Any:
        return None if "jax" in self.absent else registry.backend("jax").part("parity")

    @functools.cached_property
    def torch(self) -> Any:
        return None if "torch" in self.absent else registry.backend("torch").part("parity")

    def row(self, case: Case) -> Row:
        """Everything that is measured of one case."""
        measured = {OptimizerCase: self._optimizer, LossCase: self._loss, ScheduleCase: self._schedule}[type(case)]
        return Row(*describe(case), tuple(measured(case)))  # type: ignore[operator]

    # -- optimizers
    def _optimizer(self, case: OptimizerCase) -> Iterator[Comparison]:
        problem = problem_of(case)
        if "float64" in self.dtypes:
            yield from self._trajectories(case, problem)
        if "float32" in self.dtypes:
            yield from self._float32(case, problem)
        if "bfloat16" in self.dtypes and not case.spec.asks and not case.groups:
            yield from self._bfloat16(case, problem)

    def _trajectories(self, case: OptimizerCase, problem: Problem) -> Iterator[Comparison]:
        spec, groups = case.spec, case.groups
        referee = self.numpy.optimizer(spec, problem, groups)
        here = functools.partial(distance_moved, referee, start=np.concatenate([x.ravel() for x in problem.start.values()]))
        moved = here(np.zeros_like(referee))
        if not np.isfinite(moved) or moved == 0:
            yield Comparison("numpy", np.inf, FLOAT64, note="the referee does not move, or not to a finite point")
            return
        held = functools.partial(_held, case.allowed, bound=FLOAT64)
        if self.jax:
            yield held("jax", lambda: here(self.jax.optimizer(spec, problem, groups)))
            if case.optax:
                yield held("optax", lambda: here(self.jax.original(case, problem)))
        if self.torch:
            for executor in self.torch.executors(spec, problem, groups):
                yield held(f"torch {executor}", lambda e=executor: here(self.torch.optimizer(spec, problem, groups, e)))
            if case.torch:
                yield held("torch.optim", lambda: here(self.torch.original(case, problem)))

    def _float32(self, case: OptimizerCase, problem: Problem) -> Iterator[Comparison]:
        steps = max(FLOAT32_AT)
        still = problem_of(case, steps=steps).map(_through("float32")).at_zero()
        data = [still.noise_at(t) for t in range(steps)]
        gradients = [{n: _through("float32")(x - still.weight[n] * still.target[n]) for n, x in noise.items()} for noise in data]
        with np.errstate(all="ignore"):
            referee = self.numpy.updates(case.spec, still, gradients, case.groups)
        here = functools.partial(_worst_update, referee)
        held = functools.partial(_held, case.allowed, bound=FLOAT32)
        shown = functools.partial(_held, {}, bound=None)
        if self.jax:
            yield held("jax float32", lambda: here(self.jax.updates(case.spec, still, gradients, case.groups)))
            if case.optax:
                yield shown("optax float32", lambda: here(self.jax.original_updates(case, still, gradients)))
        if self.torch:
            yield held("torch float32", lambda: here(self.torch.updates(case.spec, still, gradients, case.groups)))
            if case.torch:
                yield shown("torch.optim float32", lambda: here(self.torch.original_updates(case, still, gradients)))

    def _bfloat16(self, case: OptimizerCase, problem: Problem) -> Iterator[Comparison]:
        rounded = problem.first(1).map(_through("bfloat16"))
        grads = {n: _through("bfloat16")(g) for n, g in gradient(rounded.start, rounded.target, rounded.weight, rounded.noise_at(0)).items()}
        start = np.concatenate([x.ravel() for x in rounded.start.values()])
        with np.errstate(all="ignore"):
            referee = start + self.numpy.updates(case.spec, rounded, [grads], {})[0]
        for backend in (self.jax, self.torch):
            if backend:
                name = f"{backend.NAME} bfloat16"
                yield _held(case.allowed, name, lambda b=backend: bfloat16_ulps(b.half(case.spec, rounded, grads, {}), referee, start), bound=BFLOAT16_ULP)

    # -- losses
    def _loss(self, case: LossCase) -> Iterator[Comparison]:
        inputs = tuple(np.asarray(x) for x in case.inputs(np.random.default_rng(0)))
        names = registry.definition(case.name, "loss").inputs  # type: ignore[attr-defined]
        floating = [i for i, x in enumerate(inputs) if x.dtype.kind == "f"]
        wrt = tuple(i for i in floating if i == 0 or names[i] != "targets")
        referee = self.numpy.loss(case, inputs)
        gradients: list[np.ndarray] | None = None
        for backend in (self.torch, self.jax):
            if backend is None:
                continue
            if "float64" in self.dtypes:
                found = yield from _loss_pair(case, backend.NAME, FLOAT64, referee, gradients, functools.partial(backend.loss, case, inputs, wrt, "float64"))
                gradients = gradients if gradients is not None else found
                if backend.has_original(case):
                    yield from _loss_pair(case, backend.ORIGINAL["loss"], FLOAT64, referee, found, functools.partial(backend.original_loss, case, inputs, wrt, "float64"))
            if "float32" in self.dtypes:
                single = tuple(_through("float32")(x) if x.dtype.kind == "f" else x for x in inputs)
                exact = self.numpy.loss(case, single)
                slope = _quiet(lambda b=backend, s=single: b.loss(case, s, wrt, "float64")[1])
                yield from _loss_pair(case, backend.NAME, FLOAT32, exact, slope, functools.partial(backend.loss, case, single, wrt, "float32"), " float32")

    # -- schedules
    def _schedule(self, case: ScheduleCase) -> Iterator[Comparison]:
        metric = standard(case.steps).metric
        referee = self.numpy.schedule(case, metric)
        for backend in (self.jax, self.torch):
            if backend is None:
                continue
            for dtype in self.dtypes:
                if dtype == "bfloat16" or (dtype == "float32" and backend is self.torch):  # torch's learning rates are Python floats
                    continue
                more, bound = ("", FLOAT64) if dtype == "float64" else (" float32", FLOAT32)
                if backend.can_schedule(case):
                    yield _held(case.allowed, f"{backend.NAME}{more}", lambda b=backend, d=dtype: relative(b.schedule(case, metric, d), referee), bound=bound)
                if backend.has_original(case):
                    yield _held(case.allowed, f"{backend.ORIGINAL['schedule']}{more}", lambda b=backend, d=dtype: relative(b.original_schedule(case, metric, d), referee),
                                bound=bound if dtype == "float64" else None)  # fmt: skip


# ------------------------------------------------------------------------------------------------- measures
def problem_of(case: OptimizerCase, steps: int | None = None) -> Problem:
    """The standard problem as a case wants it."""
    problem = standard().first(case.steps if steps is None else steps)
    problem = problem.still() if case.still else problem
    return problem.poisoned(tuple(t for t in case.poison if t < problem.steps)) if case.poison and steps is None else problem


def distance_moved(referee: np.ndarray, found: np.ndarray, *, start: np.ndarray) -> float:
    """The worst over the steps of max|difference| / max|distance moved so far|."""
    rows = min(len(referee), len(found))
    moved = np.maximum.accumulate(np.abs(referee[:rows] - start).max(axis=1))
    apart = _apart(found[:rows], referee[:rows]).max(axis=1)
    return float(np.max(np.where(apart == 0, 0.0, apart / np.maximum(moved, 1e-300))))


def relative(found: np.ndarray, referee: np.ndarray) -> float:
    """max|difference| / max|referee|."""
    if found.shape != referee.shape:
        raise AssertionError(f"shape {found.shape} instead of {referee.shape}")
    if not referee.size:
        return 0.0
    finite = np.abs(referee[np.isfinite(referee)])
    return float(_apart(found, referee).max() / max(finite.max(initial=0.0), 1e-300)) if _apart(found, referee).max() else 0.0


def rms(found: np.ndarray, referee: np.ndarray) -> float:
    """The relative root-mean-square error of one update."""
    apart = np.sqrt(np.mean(_apart(found, referee) ** 2))
    return float(apart / max(np.sqrt(np.mean(referee**2)), 1e-300)) if apart else 0.0


def bfloat16_ulps(found: np.ndarray, referee: np.ndarray, start: np.ndarray) -> float:
    """How many bfloat16 ulps of the parameter apart."""
    scale = np.maximum(np.abs(referee), np.abs(start))
    ulp = 2.0 ** (np.floor(np.log2(np.maximum(scale, 1e-30))) - 7)
    return float(np.max(_apart(found, referee) / ulp))


def _worst_update(referee: np.ndarray, found: np.ndarray) -> float:
    return max(rms(found[t - 1], referee[t - 1]) for t in FLOAT32_AT)


def _apart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|x - y|; equal infinities and NaN in both are no difference, NaN in one is an infinite one."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(x - y)
    apart = np.where((x == y) | (np.isnan(x) & np.isnan(y)), 0.0, apart)
    return np.where(np.isnan(apart), np.inf, apart)


def _through(dtype: str) -> Callable[[np.ndarray], np.ndarray]:
    """Rounds float64 numbers to another dtype, and says them in float64 again."""
    if dtype == "float32":
        return lambda x: x.astype(np.float32).astype(np.float64)
    return lambda x: (x.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)


# ------------------------------------------------------------------------------------------------- one comparison
def _held(allowed: Mapping[str, Allowed], name: str, measure: Callable[[], float], *, bound: float | None) -> Comparison:
    """Measure, and hold it to its bound.  A run that raises is out of bounds, and says why."""
    wider = _allowance(allowed, name) if bound is not None else None
    if wider is not None:
        bound = max(wider.bound, bound or 0.0)
    try:
        error = measure()
    except Exception as problem:  # whatever a framework raises belongs in the row, not on the caller
        return Comparison(name, np.inf, bound, note=f"{type(problem).__name__}: {str(problem).splitlines()[0] if str(problem) else ''}")
    return Comparison(name, error, bound, wider.cause if wider else "")


def _allowance(allowed: Mapping[str, Allowed], name: str) -> Allowed | None:
    """By the comparison's own name, else by its dtype, or for float64 by its framework."""
    first, _, rest = name.partition(" ")
    if rest.endswith(("float32", "bfloat16")):
        keys = (name, rest, rest.rpartition(" ")[2])
    elif rest == "gradient":
        keys = (name, "gradient")
    else:
        keys = (name, first, first.partition(".")[0])
    return next((allowed[k] for k in keys if k in allowed), None)


def _loss_pair(case: LossCase, name: str, bound: float, referee: np.ndarray, gradients: list[np.ndarray] | None,
               run: Callable[[], tuple[np.ndarray, list[np.ndarray]]], more: str = "") -> Any:  # fmt: skip
    """Value and gradient of one run; gives its gradients back."""
    found: list[Any] = [None]

    def value() -> float:
        found[0] = run()
        return relative(found[0][0], referee)

    yield _held(case.allowed, f"{name}{more}", value, bound=bound)
    if found[0] is None:
        return None
    if gradients is not None:
        yield _held(case.allowed, f"{name} gradient{more}", lambda: max(map(relative, found[0][1], gradients)), bound=bound)
    return found[0][1]


def _quiet(measure: Callable[[], Any]) -> Any:
    try:
        return measure()
    except Exception:  # told by the float64 column
        return None
