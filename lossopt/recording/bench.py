"""What recording costs: a training step with and without, in one interleaved run."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lossopt import registry
from lossopt.bench import race
from lossopt.errors import ArgumentError, suggest

SIZES: dict[str, tuple[int, int, int]] = {"small": (128, 12, 4096), "many": (128, 40, 1024), "model": (512, 4, 1024)}
"""Width, layers and rows of a chain of layers from 32 numbers: 0.2 M parameters in 24 tensors, 0.6 M in 80, 0.8 M in 8.  A step
takes some 50 ms on one core."""

INPUTS = 32

MODES: dict[str, dict[str, int] | None] = {"plain": None, "recorded": {"first": 0, "every": 0}, "with arrays": {"every": 1}}
"""How `lossopt.record` is called; None for not at all.  The steps with arrays are by default the first 20 and every 100th."""


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one step: without, recorded, and recorded with its arrays; medians."""

    backend: str
    size: str
    parameters: int
    tensors: int
    plain: float
    recorded: float
    with_arrays: float

    @property
    def overhead(self) -> float:
        """Of a step without arrays, in per cent."""
        return 100 * (self.recorded / self.plain - 1)

    @property
    def average(self) -> float:
        """Of a long run with the defaults, where every hundredth step has arrays."""
        return 100 * ((0.99 * self.recorded + 0.01 * self.with_arrays) / self.plain - 1)


def bench(sizes: Sequence[str] = (), *, rounds: int = 60, backends: Sequence[str] = ("torch", "jax"),
          progress: Callable[[str], None] = lambda _: None) -> list[Cost]:  # fmt: skip
    """Time a step of AdamW without and with a recording.

    Args:
        sizes: of `SIZES`; none means all.
        rounds: how many steps of each kind; the median counts.
        backends: ``"torch"``, ``"jax"``.
        progress: called with each size's name.
    """
    for name in sizes:
        if name not in SIZES:
            raise ArgumentError(f"no size {name!r}{suggest(name, SIZES) or '.'} There are: {', '.join(SIZES)}")
    if rounds < 1:
        raise ArgumentError(f"rounds must be at least 1, got {rounds}")
    found = []
    for name in sizes or SIZES:
        for backend in backends:
            progress(f"{name}, {backend}")
            found.append(_cost(backend, name, rounds))
    return found


def _cost(backend: str, name: str, rounds: int) -> Cost:
    width, layers, rows = SIZES[name]
    stepper = registry.backend(backend).part("bench").recorded_stepper
    with tempfile.TemporaryDirectory() as folder:
        made = {mode: stepper(INPUTS, width, layers, rows, options and {"folder": Path(folder) / mode, **options})
                for mode, options in MODES.items()}  # fmt: skip
        times = race({mode: step for mode, (step, _) in made.items()}, rounds, warm_up=5)
        for _, close in made.values():
            close()
    medians = {mode: statistics.median(found) for mode, found in times.items()}
    parameters = (INPUTS + layers + (layers - 1) * width) * width
    return Cost(backend, name, parameters, 2 * layers, medians["plain"], medians["recorded"], medians["with arrays"])


def to_dict(costs: Sequence[Cost]) -> dict[str, Any]:
    """The costs as plain data."""
    return {"rows": [{**asdict(c), "overhead_percent": c.overhead, "average_percent": c.average} for c in costs]}
