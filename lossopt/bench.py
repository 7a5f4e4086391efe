"""How fast and how lean each executor and each fused loss is, beside the frameworks' own, in one interleaved run.

Every variant has its own parameters, gradients and state, all alive in one process; they are stepped in turn and the
order is rotated, so that what disturbs the machine disturbs all of them.  Quote the ratios, not the milliseconds.
"""

from __future__ import annotations

import ctypes
import gc
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
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

LOSS_SIZES: dict[str, tuple[int, int, int]] = {"model": (8192, 512, 32768), "small": (2048, 128, 8192), "tiny": (64, 16, 100)}
"""Tokens, features and classes of linear_cross_entropy: a language model's step, a smaller one, and one that fits one chunk."""

LOSSES = ("linear_cross_entropy",)
"""Those whose native form is more than the framework's own function."""

OPTIMIZERS = ("adamw", "sgd", "rmsprop", "adagrad", "lion", "lamb")


@dataclass(frozen=True)
class Variant:
    """One way to take a step: of an optimizer, or of a loss its value and gradient.

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

    name: str
    backend: str
    variant: str
    milliseconds: float
    quartiles: tuple[float, float]
    ratio: float
    temporary_megabytes: float | None


def bench(
    names: Sequence[str] = (),
    *,
    what: str = "optimizers",
    size: str = "model",
    rounds: int = 9,
    backends: Sequence[str] = ("torch", "jax"),
    progress: Callable[[str], None] = lambda _: None,
) -> list[Row]:
    """Time one step of every executor, or one value and gradient of a loss, beside the frameworks' own.

    Args:
        names: which, of `OPTIMIZERS` or `LOSSES`; none means all.
        what: ``"optimizers"`` or ``"losses"``.
        size: ``"model"``, ``"tiny"`` or ``"small"``: see `SIZES` and `LOSS_SIZES`.
        rounds: how many times each variant is stepped; the median counts.
        backends: ``"torch"``, ``"jax"``.
        progress: called with each name.
    """
    kinds: dict[str, tuple[Sequence[str], dict[str, Any], int]] = {"optimizers": (OPTIMIZERS, SIZES, 2), "losses": (LOSSES, LOSS_SIZES, 1)}
    if what not in kinds:
        raise ArgumentError(f"no benchmark of {what!r}{suggest(what, kinds) or '.'} There are: {', '.join(kinds)}")
    known, sizes, warm_up = kinds[what]
    if size not in sizes:
        raise ArgumentError(f"unknown size {size!r}{suggest(size, sizes) or '.'} It is one of: {', '.join(sizes)}")
    if rounds < 1:
        raise ArgumentError(f"rounds must be at least 1, got {rounds}")
    for name in names:
        if name not in known:
            raise ArgumentError(f"no benchmark of {name!r}{suggest(name, known) or '.'} There are: {', '.join(known)}")
    rows: list[Row] = []
    for name in names or known:
        progress(name)
        variants = {(b, v.label): v for b in backends for v in _variants(registry.backend(b).part("bench"), what, name, sizes[size])}
        rows += _rows(name, variants, rounds, warm_up)
        del variants
        gc.collect()
    return rows


def _variants(part: ModuleType, what: str, name: str, size: Any) -> list[Variant]:
    return part.variants(name, size) if what == "optimizers" else part.loss_variants(name, *size)


def _rows(name: str, variants: dict[tuple[str, str], Variant], rounds: int, warm_up: int) -> list[Row]:
    times = race({key: v.step for key, v in variants.items()}, rounds, warm_up)
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
        if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
            trim(0)  # what glibc keeps of freed blocks would be taken again unseen
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
