"""Runs every case in every backend and says how far apart the numbers are."""

from __future__ import annotations

import fnmatch
import importlib
import importlib.util
import pkgutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np

from lossopt import registry
from lossopt.errors import ArgumentError, UnknownNameError, suggest
from lossopt.parity.case import LossCase, OptimizerCase, ScheduleCase
from lossopt.parity.measures import LossMeasure, OptimizerMeasure, ScheduleMeasure
from lossopt.parity.report import Comparison, ParityReport, Row

Case = OptimizerCase | LossCase | ScheduleCase
Progress = Callable[[int, int, str], None]

FOLDERS: Mapping[str, str] = {"optimizer": "optimizers", "transform": "transforms", "loss": "losses", "schedule": "schedules"}
"""Where in `lossopt.parity.rows` the suite's own cases stand, by kind."""

DTYPES = ("float64", "float32", "bfloat16")


def parity(patterns: Iterable[str] = (), kinds: Iterable[str] = tuple(FOLDERS), dtypes: Iterable[str] = DTYPES, *,
           cases: Sequence[Case] | None = None, every: bool = True, progress: Progress | None = None) -> ParityReport:  # fmt: skip
    """Hold every definition in every backend to the float64 referee, and to PyTorch's and optax's own code.

    Args:
        patterns: names of definitions, with wildcards; none is all.  A composed optimizer is found by any name in it.
        kinds: of ``"optimizer"``, ``"transform"``, ``"loss"``, ``"schedule"``.
        dtypes: of ``"float64"`` (100 steps), ``"float32"`` (one update), ``"bfloat16"`` (one update).
        cases: rows to run instead of the suite's own.
        every: all rows, or only the `furthest` of each definition and convention.
        progress: called with (rows done, rows in all, the name of the row done last).

    Returns:
        A report; where a framework is not installed it says which columns are absent.

    Raises:
        UnknownNameError: a kind or dtype that there is not, or a pattern that no case matches.

    Example:
        >>> parity(["constant"], kinds=["schedule"], dtypes=["float64"]).ok
        True
    """
    patterns, kinds, dtypes = tuple(patterns), tuple(kinds), tuple(dtypes)
    for given, known, what in ((kinds, tuple(FOLDERS), "kind"), (dtypes, DTYPES, "dtype")):
        for name in given:
            if name not in known:
                raise UnknownNameError(f"unknown {what} {name!r}{suggest(name, known) or '.'} It is one of: {', '.join(known)}")
    if isinstance(cases, Case):
        raise ArgumentError("cases is a list of cases, got one: write cases=[case]")
    chosen = select(suite(kinds) if cases is None else [(kind_of(case), case) for case in cases], patterns)
    chosen = chosen if every else furthest(chosen)
    bench, began, rows = Bench(dtypes), time.perf_counter(), []
    for row in bench.rows(chosen):
        rows.append(row)
        if progress:
            progress(len(rows), len(chosen), row.definition)
    return ParityReport(tuple(rows), bench.absent, time.perf_counter() - began)


class Bench:
    """Where cases are measured: the backends that are installed, each in threads of its own, so many as it allows.

    Most of the time is XLA's, which compiles without Python's lock: two threads keep two cores busy.
    """

    def __init__(self, dtypes: Sequence[str]) -> None:
        self.dtypes = dtypes
        self.referee = registry.backend("numpy").part("parity")
        missing = {name: registry.backend(name).missing for name in ("torch", "jax")}
        self.absent = {name: f"needs {' and '.join(needs)}, which is not installed" for name, needs in missing.items() if needs}
        self.backends = [registry.backend(name).part("parity") for name in missing if name not in self.absent]
        if importlib.util.find_spec("keras") is None:
            self.absent["keras"] = "needs keras, which is not installed"

    def rows(self, cases: Sequence[tuple[str, Case]]) -> Iterator[Row]:
        """A row for each case, as soon as every backend has it."""
        pools = [ThreadPoolExecutor(backend.THREADS) for backend in self.backends]
        try:
            waiting = []
            for kind, case in cases:
                measure = self._measure(case)
                waiting.append((kind, case, [p.submit(_listed, measure, b) for p, b in zip(pools, self.backends, strict=True)]))
            for kind, case, parts in waiting:
                yield Row(*describe(kind, case), tuple(c for part in parts for c in part.result()))
        finally:
            for pool in pools:
                pool.shutdown(cancel_futures=True)

    def _measure(self, case: Case) -> Callable[[Any], Iterator[Comparison]]:
        if isinstance(case, OptimizerCase):
            return OptimizerMeasure(case, self.dtypes, self.referee)
        if isinstance(case, ScheduleCase):
            return ScheduleMeasure(case, self.dtypes, self.referee)
        return LossMeasure(case, self.dtypes, self.referee, first=self.backends[0].NAME if self.backends else "")


def _listed(measure: Callable[[Any], Iterator[Comparison]], backend: Any) -> list[Comparison]:
    return list(measure(backend))


# ------------------------------------------------------------------------------------------------- cases
def suite(kinds: Iterable[str] = tuple(FOLDERS)) -> list[tuple[str, Case]]:
    """The suite's own cases, each with its kind."""
    return [(kind, case) for kind in kinds for module in _modules(FOLDERS[kind]) for case in module.CASES]


def _modules(folder: str) -> Iterator[ModuleType]:
    package = importlib.import_module(f"lossopt.parity.rows.{folder}")
    for found in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{found.name}")


def furthest(cases: Sequence[tuple[str, Case]]) -> list[tuple[str, Case]]:
    """The last case of every definition under every convention: tables begin with the defaults and go away from them."""
    return list({describe(kind, case)[:3]: (kind, case) for kind, case in cases}.values())


def select(cases: Sequence[tuple[str, Case]], patterns: Sequence[str]) -> list[tuple[str, Case]]:
    """The cases that a pattern matches."""
    if not patterns:
        return list(cases)
    known = sorted({name for _, case in cases for name in names_in(case)})
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            raise UnknownNameError(f"no parity case is named {pattern!r}{suggest(pattern, known)} (lossopt list shows all names)")
    return [(kind, c) for kind, c in cases if any(fnmatch.filter(names_in(c), p) for p in patterns)]


def names_in(case: Case) -> list[str]:
    """Every definition that a case is about."""
    if isinstance(case, OptimizerCase):
        return [spec.definition.name for _, spec in case.spec.walk()]
    return [registry.definition(case.name, kind_of(case)).name]


def kind_of(case: Case) -> Any:
    if isinstance(case, OptimizerCase):
        return case.spec.definition.kind
    return "loss" if isinstance(case, LossCase) else "schedule"


def describe(kind: str, case: Case) -> tuple[str, str, str, str]:
    """(kind, definition, convention, options) of a case."""
    if isinstance(case, OptimizerCase):
        inside = [s for _, s in case.spec.walk() if s.definition.kind == kind]
        about = next((s for s in inside if s.definition.name != "chain"), inside[0])  # a chain is about what it begins with
        name, convention, options = about.definition.name, about.convention, repr(case.spec)
        if about is case.spec:
            options = options.removeprefix(f"{name}(").removesuffix(")").removesuffix(f"convention={convention!r}").removesuffix(", ")
        for word, value in (("groups", dict(case.groups)), ("infinite at", case.poison)):
            options += f"; {word} {value!r}" if value else ""
        return kind, name, convention, options
    shown = {k: "array" if isinstance(v, np.ndarray) else getattr(v, "__name__", None) or repr(v)
             for k, v in case.options.items() if k != "convention"}  # fmt: skip
    return kind, case.name, case.options.get("convention", "torch"), ", ".join(f"{k}={v}" for k, v in shown.items())
