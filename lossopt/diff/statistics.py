"""Running statistics (``buffer/NAME``): what batch normalization keeps of its batches, and evaluates with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lossopt.diff.align import Aligned
from lossopt.diff.finding import Finding, Watch, listed, short
from lossopt.recording import Recording

APART = 1e-4
"""Relative: statistics of equal activations by one rule."""

OF_FLAX = {"running_mean": "mean", "running_var": "var"}


def kept(run: Recording) -> list[int]:
    """The steps with running statistics."""
    return [s for s in run.array_steps if any(name.startswith("buffer/") for name in run.arrays(s))]


def statistics(al: Aligned, watch: Watch) -> Finding | None:
    """The first step at which the statistics part; `watch` is told of those before."""
    for step in sorted({*kept(al.a)} & {*kept(al.b)}):
        pairs = _paired(al, step)
        sizes = {n: _apart(x, y) for n, (x, y) in pairs.items()}
        if off := {n: size for n, size in sizes.items() if size > APART}:
            return _why(al, step, pairs, off)
        if sizes:
            watch.passed(max(sizes.values()), step)
    return None


def _paired(al: Aligned, step: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By the first run's name both arrays; modules correspond as their parameters do."""
    modules = {x.own.rpartition(".")[0]: y.own.rpartition(".")[0] for x, y in al.pairs.values()}
    of_b = {(module, kind): x for (module, kind), (_, x) in _by_module(al.b, step).items()}
    found = {}
    for (module, kind), (name, x) in _by_module(al.a, step).items():
        y = of_b.get((modules.get(module, module), kind), of_b.get((module, kind)))
        if y is not None and x.shape == y.shape:
            found[name] = x, y
    return found


def _by_module(run: Recording, step: int) -> Mapping[tuple[str, str], tuple[str, np.ndarray]]:
    """Of whole buffers the name and the array, by module and ``"mean"`` or ``"var"``."""
    arrays = run.arrays(step)
    found = {}
    for name, x in run.of("buffer", step).items():
        module, _, kind = name.rpartition(".")
        if f"index/buffer/{name}" not in arrays:
            found[module, OF_FLAX.get(kind, kind)] = name, x
    return found


def _why(al: Aligned, step: int, pairs: Mapping[str, tuple[np.ndarray, np.ndarray]], off: Mapping[str, float]) -> Finding:
    a, b = al.called
    names, size = listed(sorted(off)), max(off.values())
    means = [name for name in pairs if not name.endswith("var")]
    if step == 0 and means and all(name in off for name in means):  # they begin at 0: the first is momentum * the batch's
        x, y = (np.concatenate([pairs[name][side].ravel() for name in means]) for side in (0, 1))
        ratio = float(x @ y) / max(float(y @ y), 1e-300)
        if ratio > 0 and _apart(x, ratio * y) < APART:
            more, less, times = (a, b, ratio) if ratio > 1 else (b, a, 1 / ratio)
            told = f"the running statistics of {more} take {short(times)} times as much of a batch as those of {less} ({names})"
            return Finding(step, "running statistics", told, tuple(off), size, numbers={"ratio": ratio})
    if not any(name in off for name in means):
        told = f"the running variances differ, by {short(100 * size)} %, and the running means are equal ({names})"
        return Finding(step, "running variance", told, tuple(off), size)
    return Finding(step, "running statistics", f"the running statistics differ ({names})", tuple(off), size)


def _apart(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.linalg.norm(x - y)) / max(float(np.linalg.norm(x)), float(np.linalg.norm(y)), 1e-300)
