"""From the numbers that a backend brings to the lines and files of a recording."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import lossopt
from lossopt.recording.contents import Parameter, RunInfo, Step
from lossopt.recording.folder import FolderWriter
from lossopt.recording.plan import Plan, count, distances

CHECKSUM = 4
"""How many numbers `lossopt.recording.contents.checksum` makes of an array."""


@dataclass(frozen=True)
class Part:
    """What some of a step's numbers are: a backend brings all of them in one array.

    Attributes:
        field: of `Step`.
        names: of what the field maps to a number each, and ``numbers`` to as many as there are of the name; empty where it holds
            the numbers themselves.
        count: how many numbers.
        factors: what to multiply them by; empty for nothing.
    """

    field: str
    names: tuple[str, ...] = ()
    count: int = 1
    factors: tuple[float, ...] = ()

    @classmethod
    def by_name(cls, field: str, names: Iterable[str], factors: Mapping[str, float] | None = None) -> Part:
        names = tuple(names)
        return cls(field, names, len(names), () if factors is None else tuple(factors[name] for name in names))


def fields_of(parts: Sequence[Part], numbers: Iterable[float]) -> dict[str, Any]:
    """The fields of a step; what comes in several parts is put together."""
    given, found = iter(numbers), {}
    for part in parts:
        values = list(islice(given, part.count))
        if part.factors:
            values = [x * factor for x, factor in zip(values, part.factors, strict=True)]
        if part.field == "numbers":  # the same name in each group
            of_groups = found.setdefault(part.field, {})
            for name, x in zip(part.names, values, strict=True):
                of_groups[name] = (*of_groups.get(name, ()), x)
        elif part.names:
            found.setdefault(part.field, {}).update(zip(part.names, values, strict=True))
        elif part.field == "nonfinite":
            found[part.field] = found.get(part.field, 0) + int(values[0])
        elif part.field == "batch":
            found[part.field] = (*found.get(part.field, ()), *zip(*[iter(values)] * CHECKSUM, strict=True))
        else:
            found[part.field] = (*found.get(part.field, ()), *values)
    return found


def with_loss(found: dict[str, Any]) -> dict[str, Any]:
    """The fields with ``losses`` told as `Step` has them: their sum, and they themselves where there are several."""
    losses = tuple(found.pop("losses", ()))
    return {**found, "loss": sum(losses) if losses else None, "losses": losses if len(losses) > 1 else ()}


class Log:
    """The folder of one run, and the plan of its arrays.

    `positions` are the places of each parameter that its arrays hold; None is all.  `distances` say how far apart the elements lie by
    which it is measured at every step; their norm times a factor of `factors` is that of all.

    Args:
        folder, overwrite: as `FolderWriter` has them.
        framework: whose run it is.
        plan: which steps have arrays.
        writes: False makes a log that takes everything and keeps nothing: of several processes one writes.
    """

    def __init__(self, folder: str | Path, framework: str, plan: Plan, *, overwrite: bool = False, writes: bool = True) -> None:
        self.folder, self.framework, self.plan = Path(folder), framework, plan
        self._writer = FolderWriter(folder, overwrite=overwrite) if writes else None
        self._began = time.perf_counter()
        self._index: dict[str, np.ndarray] = {}
        self._buffers: dict[str, np.ndarray] = {}
        self._said: set[str] = set()
        self._size = 0
        self.positions: dict[str, np.ndarray | None] = {}
        self.distances: dict[str, tuple[int, ...]] = {}
        self.factors: dict[str, float] = {}
        self.written = 0

    @property
    def open(self) -> bool:
        return self._writer is not None

    def begin(self, parameters: Sequence[Parameter], told: Mapping[str, Any]) -> None:
        """Say which parameters there are; again when there are others."""
        self.positions = self.plan.positions({p.name: p.shape for p in parameters})
        self.distances = {p.name: distances(p.shape) for p in parameters}
        sizes = {p.name: int(np.prod(p.shape, dtype=np.int64)) for p in parameters}
        counts = {p.name: count(p.shape, self.distances[p.name]) for p in parameters}
        self.factors = {name: float(np.sqrt(size / counts[name])) if size else 1.0 for name, size in sizes.items()}
        self._index = {f"index/{name}": places for name, places in self.positions.items() if places is not None}
        self._said, self._size = set(), sum(sizes.values())
        if self._writer is None:
            return
        sampled = [Parameter(p.name, p.shape, p.dtype, p.group, None if (at := self.positions[p.name]) is None else at.size)
                   for p in parameters]  # fmt: skip
        self._writer.begin(RunInfo(self.framework, tuple(sampled), {"lossopt": lossopt.__version__, **told}))

    def buffers(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray | None]:
        """The places of each buffer that arrays hold; None is all."""
        found = self.plan.of_buffers(shapes, self._size)
        self._buffers = {f"index/buffer/{name}": places for name, places in found.items() if places is not None}
        return found

    def seconds(self) -> float:
        """Since the recording began."""
        return time.perf_counter() - self._began

    def write(self, step: Step, arrays: Mapping[str, np.ndarray]) -> None:
        """One step; the first that has arrays says where the samples stand."""
        if self._writer is None:
            return
        if arrays:
            new = {name: places for name, places in {**self._index, **self._buffers}.items() if name not in self._said}
            self._said |= new.keys()
            arrays = {**arrays, **new}
        self._writer.write(step, arrays)
        self.written += 1

    def close(self) -> None:
        """What comes later is not written."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def plain(x: Any) -> Any:
    """What JSON can hold of a hyperparameter: numbers, words and tuples as they are, else how it calls itself."""
    if isinstance(x, float) and not np.isfinite(x):
        return str(x)
    if x is None or isinstance(x, bool | int | float | str):
        return x
    if isinstance(x, list | tuple):
        return [plain(v) for v in x]
    return {str(k): plain(v) for k, v in x.items()} if isinstance(x, Mapping) else repr(x)
