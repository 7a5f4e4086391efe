"""How fast and how lean each executor is, beside the frameworks' own optimizers, in one interleaved run.

Every variant has its own parameters, gradients and state, all alive in one process; they are stepped in turn and the
order is rotated, so that what disturbs the machine disturbs all of them.  Quote the ratios, not the milliseconds.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lossopt import registry
from lossopt.errors import ArgumentError, suggest

SIZES: dict[str, tuple[tuple[int, ...], ...]] = {
    "model": tuple(
        shape
        for _ in range(8)
        for shape in ((1536, 512), (1536,), (512, 512), (512,), (2048, 512), (2048,), (512, 2048), *[(512,)] * 5)
    ),
    "tiny": ((64,),) * 1000,
    "small": ((256, 256), (256,)) * 8,
}
"""Shapes of the parameters: a transformer of 25 M parameters in 96 tensors, a thousand tiny tensors, a small MLP."""

OPTIMIZERS = ("adamw", "sgd", "rmsprop", "adagrad", "lion", "lamb")


@dataclass(frozen=True)
class Variant:
    """One way to take a step.

    Attributes:
        label: what it is: ``"torch.optim.AdamW"``, ``"lossopt replay"``.
        step: takes one step and waits until it is done.
        baseline: the framework's own, to which the others of that framework are compared.
        temporary: bytes that a step needs beside parameters, gradients and state, where the framework itself knows.
    """

    label: str
    step: Callable[[], None]
    baseline: bool = False
    temporary: int | None = None


@dataclass(frozen=True)
class Row:
    """What was measured of one variant; `ratio` is the baseline's time over this one's: above 1 is faster."""

    optimizer: str
    backend: str
    variant: str
    milliseconds: float
    quartiles: tuple[float, float]
    ratio: float
    temporary_megabytes: float | None


def bench(
    optimizers: Sequence[str] = (),
    *,
    size: str = "model",
    rounds: int = 9,
    backends: Sequence[str] = ("torch", "jax"),
    progress: Callable[[str], None] = lambda _: None,
) -> list[Row]:
    """Time one step of every executor beside the frameworks' own.

    Args:
        optimizers: which, of `OPTIMIZERS`; none means all.
        size: ``"model"`` (25 M parameters in 96 tensors), ``"tiny"`` (1,000 tensors of 64) or ``"small"``.
        rounds: how many times each variant is stepped; the median counts.
        backends: ``"torch"``, ``"jax"``.
        progress: called with each optimizer's name.
    """
    if size not in SIZES:
        raise ArgumentError(f"unknown size {size!r}{suggest(size, SIZES) or '.'} It is one of: {', '.join(SIZES)}")
    if rounds < 1:
        raise ArgumentError(f"rounds must be at least 1, got {rounds}")
    for name in optimizers:
        if name not in OPTIMIZERS:
            raise ArgumentError(f"no benchmark of {name!r}{suggest(name, OPTIMIZERS) or '.'} There are: {', '.join(OPTIMIZERS)}")
    rows: list[Row] = []
    for name in optimizers or OPTIMIZERS:
        progress(name)
        variants = {(b, v.label): v for b in backends for v in registry.backend(b).part("bench").variants(name, SIZES[size])}
        rows += _rows(name, variants, rounds)
        del variants
        gc.collect()
    return rows


def _rows(name: str, variants: dict[tuple[str, str], Variant], rounds: int) -> list[Row]:
    times = race({key: v.step for key, v in variants.items()}, rounds)
    temporary = {key: v.temporary if v.temporary is not None else peak_of(v.step) for key, v in variants.items()}
    median = {key: statistics.median(found) for key, found in times.items()}
    base = {b: median[b, label] for (b, label), v in variants.items() if v.baseline}
    return [
        Row(
            name, backend, label, median[backend, label], _quartiles(times[backend, label]),
            base.get(backend, float("nan")) / median[backend, label],
            None if (found := temporary[backend, label]) is None else found / 1e6,
        )
        for backend, label in variants
    ]  # fmt: skip


def race(steps: dict[Any, Callable[[], None]], rounds: int, warm_up: int = 2) -> dict[Any, list[float]]:
    """Milliseconds of each step: in every round each is called once, the order rotated."""
    for _ in range(warm_up):
        for step in steps.values():
            step()
    times: dict[Any, list[float]] = {key: [] for key in steps}
    keys = list(steps)
    gc.disable()
    try:
        for r in range(rounds):
            turn = r % len(keys)
            for key in keys[turn:] + keys[:turn]:
                began = time.perf_counter()
                steps[key]()
                times[key].append(1e3 * (time.perf_counter() - began))
    finally:
        gc.enable()
    return times


def peak_of(step: Callable[[], None]) -> int | None:
    """How far one step raises this process's resident memory, in bytes; None where the system cannot tell (not Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
        before = _status("VmHWM:")
        step()
        return max(0, _status("VmHWM:") - before)
    except (OSError, KeyError):
        return None


def _status(field: str) -> int:
    for line in Path(f"/proc/{os.getpid()}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def _quartiles(values: Iterable[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return ordered[len(ordered) // 4], ordered[3 * len(ordered) // 4]


def to_dict(rows: Sequence[Row]) -> dict[str, Any]:
    """The rows as plain data."""
    return {"rows": [asdict(r) for r in rows]}
