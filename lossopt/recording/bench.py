"""What recording costs: a training step with and without, in one interleaved run."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lossopt import registry
from lossopt.bench import race
from lossopt.errors import ArgumentError, suggest

SIZES: dict[str, tuple[int, int]] = {"small": (128, 12), "many": (128, 40), "model": (512, 4)}
"""Width and layers of a chain of layers from 32 numbers: 0.2 M parameters in 24 tensors, 0.6 M in 80, 0.8 M in 8."""

INPUTS = 32

STEP = 50.0
"""Milliseconds of a step without recording: a batch has as many rows as take about so long, which one framework has more of than
the other."""

TRIED, MOST = 1024, 65_536
"""Rows of the batch by which that is found out, and how many there may be."""

MODES: dict[str, dict[str, int] | None] = {"plain": None, "recorded": {"first": 0, "every": 0}, "with arrays": {"every": 1}}
"""How `lossopt.record` is called; None for not at all.  The steps with arrays are by default the first 20 and every 100th."""


WARM_UP = 5


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one step: without, recorded, and recorded with its arrays; medians.

    Attributes:
        rows: of a batch.
        cpu: what a recorded step takes more of the time of all cores than one without, in per cent of the latter: it counts
            what other threads do meanwhile, and hardly what else the machine does.
    """

    backend: str
    size: str
    parameters: int
    tensors: int
    rows: int
    plain: float
    recorded: float
    with_arrays: float
    cpu: float

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
    width, layers = SIZES[name]
    stepper = registry.backend(backend).part("bench").recorded_stepper
    rows = _rows(lambda rows: stepper(INPUTS, width, layers, rows, None)[0])
    with tempfile.TemporaryDirectory() as folder:
        made = {mode: stepper(INPUTS, width, layers, rows, options and {"folder": Path(folder) / mode, **options})
                for mode, options in MODES.items()}  # fmt: skip
        on_cores: dict[str, list[float]] = {mode: [] for mode in MODES}
        times = race({mode: _timed(step, on_cores[mode]) for mode, (step, _) in made.items()}, rounds, warm_up=WARM_UP)
        for _, close in made.values():
            close()
    medians = {mode: statistics.median(found) for mode, found in times.items()}
    cores = {mode: statistics.median(found[WARM_UP:]) for mode, found in on_cores.items()}
    parameters = (INPUTS + layers + (layers - 1) * width) * width
    return Cost(backend, name, parameters, 2 * layers, rows, medians["plain"], medians["recorded"], medians["with arrays"],
                100 * (cores["recorded"] / cores["plain"] - 1))  # fmt: skip


def _rows(make: Callable[[int], Callable[[], None]]) -> int:
    """How many rows of a batch make a step of `STEP` milliseconds: in proportion, twice, for some of a step is for no row."""
    rows = TRIED
    for _ in range(2):
        fastest = min(race({rows: make(rows)}, rounds=10, warm_up=WARM_UP)[rows])
        rows = min(MOST, max(1, round(rows * STEP / fastest)))
    return rows


def _timed(step: Callable[[], None], found: list[float]) -> Callable[[], None]:
    """The step; it appends what it took of all cores."""

    def timed() -> None:
        began = time.process_time()
        step()
        found.append(time.process_time() - began)

    return timed


def to_dict(costs: Sequence[Cost]) -> dict[str, Any]:
    """The costs as plain data."""
    return {"rows": [{**asdict(c), "overhead_percent": c.overhead, "average_percent": c.average} for c in costs]}
