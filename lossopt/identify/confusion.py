"""Does `identify` find what was planted?  Runs of every definition, recorded, identified, and counted.

    python -m lossopt.identify.confusion [NAME ...] [--backends torch,jax] [--json] [--rows FILE] [--page FILE]
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lossopt import registry
from lossopt.definition import Optimizer, Spec
from lossopt.errors import LossoptError
from lossopt.identify import identify
from lossopt.identify.candidates import REASONS, rule_of, takes_vectors, texts, with_habits
from lossopt.identify.confusion_page import page
from lossopt.identify.coordinates import Coordinate
from lossopt.identify.evidence import gather
from lossopt.identify.fit import Target
from lossopt.identify.known import DETERMINED
from lossopt.identify.naming import Named
from lossopt.identify.replay import predict_values, put, value_of, with_flat
from lossopt.identify.search import UNRECORDED
from lossopt.parity.problem import Problem
from lossopt.recording import Parameter, Recording, RunInfo, Step

SHAPES = {"a.kernel": (12, 10), "a.bias": (10,), "b.kernel": (10, 16), "norm.scale": (16,), "c.kernel": (16, 5), "c.bias": (5,)}
STEPS = 20
CONVENTION = {"numpy": "torch", "torch": "torch", "jax": "optax"}
RATE = 3e-3
"""The learning rate of what has none by default, or a very small one."""

TOLD_APART = 0.15
"""Roundings, of the root mean square: what float32 may add to one of two names for the same updates.  Measured: 0.10 of momo_adam's
as adamw's, whose 1 - lr * weight_decay PyTorch rounds: 0.0299955 fits best then, and 0.03 was typed."""


@dataclass(frozen=True)
class Row:
    """One planted run.

    Attributes:
        name, backend, setting: what was planted: a definition, where, with its default numbers (0) or others (1).
        outcome: ``"right"``, ``"same"`` (another name says these
            updates as exactly: the data do not tell them apart), ``"wrong"``, ``"none"``, ``"left out"``.
        said: what was found, or why it was left out.
        worst: the largest relative error of a number that was called determined; of a fraction b that of 1 - b.
        residual: in roundings.
        seconds: of processor time.
    """

    name: str
    backend: str
    setting: int
    outcome: str
    said: str
    worst: float
    residual: float
    seconds: float


def problem(matrices_only: bool, steps: int = STEPS) -> Problem:
    """About 400 elements; gradients that change sign, as those of batches do."""
    rng = np.random.default_rng(3)
    shapes = {n: s for n, s in SHAPES.items() if len(s) == 2 or not matrices_only}
    start = {n: rng.normal(size=s) * 0.4 for n, s in shapes.items()}
    target = {n: rng.normal(size=s) * 0.4 for n, s in shapes.items()}
    weight = {n: 0.2 * np.exp(0.7 * rng.normal(size=s)) for n, s in shapes.items()}
    noise = {n: 0.15 * rng.normal(size=(steps, *s)) * np.exp(0.7 * rng.normal(size=s)) for n, s in shapes.items()}
    return Problem(start, target, weight, noise, np.ones(steps))


def specs(name: str, convention: str) -> Iterator[Spec]:
    """A definition with its defaults, then with other numbers."""
    d = registry.definition(name, "optimizer")
    assert isinstance(d, Optimizer)
    if convention not in d.conventions:
        convention = next(iter(d.conventions))
    lr = d.defaults_of(convention).get("lr", 1.0)
    lr = lr if isinstance(lr, float | int) and lr >= 1e-2 else RATE
    base = d(convention=convention, **({"lr": lr} if "lr" in d.defaults else {}))
    yield base
    rule, flat = rule_of(base), dict(base.flat)
    for c in rule.free:
        put(flat, c, _other(c, value_of(flat, c)))
    if "lr" in flat:
        flat["lr"] = 0.5 * lr
    yield with_flat(base, flat)


def _other(c: Coordinate, value: float) -> float:
    """A value near one that is usual, and not usual itself."""
    if c.kind == "fraction":
        return 0.7 if value == 0 else value if value == 1 else round(1 - 1.4 * (1 - value), 10) if value > 0.4 else 1.3 * value
    if c.name == "weight_decay":
        return 0.03 if value == 0 else 1.7 * value
    return 1.3 * value


def planted(spec: Spec, backend: str) -> Recording:
    """A recorded run of a spec."""
    own = problem(not takes_vectors(spec.definition.text))
    rows = registry.backend(backend).part("planted").planted(spec, own)
    lr = spec.hyperparameters.get("lr")
    told = (float(lr),) if backend != "jax" and lr is not None else ()
    dtype = "float64" if backend == "numpy" else "float32"
    info = RunInfo("jax" if backend == "jax" else "torch", tuple(Parameter(n, x.shape, dtype) for n, x in own.start.items()))
    steps = tuple(Step(t, loss=loss, lr=told) for t, (_, loss) in enumerate(rows))
    return Recording(info, steps, tuple(range(len(rows))), lambda t: rows[t][0], label=f"{spec.definition.name} in {backend}")


def judged(spec: Spec, backend: str, setting: int) -> Row:
    """One run, planted and identified."""
    name = spec.definition.name
    if "hessian" in spec.asks or spec.per_example:
        why = REASONS["hessian" if "hessian" in spec.asks else "example_grads"]
        return Row(name, backend, setting, "left out", why, math.nan, math.nan, 0.0)
    begun = time.process_time()
    try:
        recording = planted(spec, backend)
        found = identify(recording)
    except LossoptError as error:
        return Row(name, backend, setting, "none", str(error), math.nan, math.nan, time.process_time() - begun)
    seconds, best = time.process_time() - begun, found.best
    if best is None or len(found.parts) > 1:
        return Row(name, backend, setting, "none", str(found).partition("\n")[0], math.nan, math.nan, seconds)
    own = texts()[spec.definition.text]
    beside = [told for part in found.parts for told in part.told if told != UNRECORDED]
    if beside:  # nothing was planted there
        return Row(name, backend, setting, "wrong", f"{best.spec!r}, and {'; '.join(beside)}", math.nan, best.residual, seconds)
    if best.name == name or best.spec.definition in own:
        return Row(name, backend, setting, "right", repr(best.spec), worst_error(best, spec), best.residual, seconds)
    same = any(n.spec.definition in own for n in found.family) or explains_no_less(best, spec, recording)
    return Row(name, backend, setting, "same" if same else "wrong", repr(best.spec), math.nan, best.residual, seconds)


def explains_no_less(best: Named, spec: Spec, recording: Recording) -> bool:
    """Whether what was named is as close to the recorded updates as what made them: then these data do not tell the two apart."""
    evidence = gather(recording).evidence
    truth = with_habits(rule_of(spec))
    target = Target(evidence)
    own = target.judge(truth, np.empty(0), target.residuals_of(predict_values(truth, spec.flat, evidence)[None])[0])
    return best.residual <= max(1.1 * own.residual, own.residual + TOLD_APART)


def worst_error(best: Named, spec: Spec) -> float:
    """The largest error of a number that the data are said to determine."""
    flat, errors = spec.flat, [0.0]
    for known, c in zip(best.known, best.rule.free, strict=True):
        true = flat.get(c.name) if c.index is None else flat[c.name][c.index]
        if not known.determined or not isinstance(true, float | int):
            continue
        size = 1 - true if c.kind == "fraction" and 0 < true < 1 else abs(true)
        errors.append(abs(known.value - true) / max(size, 1e-12))
    return max(errors)


def table(rows: Sequence[Row]) -> str:
    """What a person reads: counts, then everything that is not right."""
    count = {o: sum(r.outcome == o for r in rows) for o in ("right", "same", "wrong", "none", "left out")}
    tried = len(rows) - count["left out"]
    off = [r for r in rows if r.outcome == "right" and r.worst > DETERMINED]
    lines = [f"{tried} runs: {count['right']} named right, {count['same']} under a simpler name with the same updates, "
             f"{count['wrong']} wrong, {count['none']} not explained; {len(off)} with a determined number off by more than 1 %; "
             f"{max((r.seconds for r in rows), default=0.0):.0f} s at most"]  # fmt: skip
    lines += [f"  {r.outcome:8} {r.name} {r.backend} {r.setting}: {r.said}" for r in rows if r.outcome in ("wrong", "none", "same")]
    lines += [f"  off      {r.name} {r.backend} {r.setting}: {r.worst:.2%}: {r.said}" for r in off]
    lines += [f"  left out {name}: {why}" for name, why in dict.fromkeys((r.name, r.said) for r in rows if r.outcome == "left out")]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 1 where something was named wrong or not at all."""
    parser = argparse.ArgumentParser(prog="python -m lossopt.identify.confusion", description=str(__doc__).partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="globs of definitions; all where none is given")
    parser.add_argument("--backends", default="torch,jax", help="where to plant")
    parser.add_argument("--json", action="store_true", help="every row as JSON")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="what --json wrote before: its rows stand where nothing is run again")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the page of the whole table")
    args = parser.parse_args(argv)
    rows, before = list[Row](), [] if args.rows is None else [Row(**row) for row in json.loads(args.rows.read_text(encoding="utf-8"))]
    for name in registry.own_names("optimizer"):
        again = args.backends.split(",") if not args.names or any(fnmatch.fnmatchcase(name, glob) for glob in args.names) else []
        rows += [row for row in before if row.name == name and row.backend not in again]
        for backend in again:
            for setting, spec in enumerate(specs(name, CONVENTION[backend])):
                rows.append(judged(spec, backend, setting))
                sys.stderr.write(f"{line(rows[-1])}\n")
    if args.page:
        elements = sum(math.prod(shape) for shape in SHAPES.values())
        args.page.write_text(page(rows, steps=STEPS, elements=elements), encoding="utf-8")
    sys.stdout.write((json.dumps([asdict(row) for row in rows], indent=1) if args.json else table(rows)) + "\n")
    return int(any(r.outcome in ("wrong", "none") for r in rows))


def line(row: Row) -> str:
    """One run, for who waits."""
    return f"{row.outcome:8} {row.seconds:5.0f} s  {row.name} {row.backend} {row.setting}: {row.said}"


if __name__ == "__main__":
    sys.exit(main())
