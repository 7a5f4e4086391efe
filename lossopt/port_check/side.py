"""One side of the check: what both frameworks' have in common, and what each must bring."""

from __future__ import annotations

import abc
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lossopt.errors import InputError
from lossopt.port_check.given import Given, parts
from lossopt.port_check.source import told

ARRAYS = 20
"""So many first updates have arrays, for `lossopt.identify` to replay."""


@dataclass(frozen=True)
class Seen:
    """One thing that a model's computation shows.

    Attributes:
        kind: a key of `known.KNOWN`.
        value: a number or a word; a number in PyTorch's terms.
        where: the module's name, where it is known.
    """

    kind: str
    value: float | str
    where: str = ""


class Side(abc.ABC):
    """One side's model, loss, optimizer and batches, and the loop over them: the same in both frameworks but for a step.

    Args:
        given: what the user's function returned.
        label: the function's name, for errors.
    """

    def __init__(self, given: Given, label: str) -> None:
        self.label, self.loss = label, given.call("loss")
        with told(f"{label}: iterating over batches"):
            self._batches = iter(given.batches())
            first = next(self._batches, None)
        if first is None:
            raise InputError(f"{label}: 'batches' is empty; one is needed for each update")
        self._first = parts(first, 0, label)
        self._batches = itertools.chain([first], self._batches)
        self._done = 0
        self._run: Any = None

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the arrays of the first batch."""
        return tuple(tuple(x.shape) for x in self._first)

    def run(self, until: int) -> int:
        """Train until so many updates are made, or the batches end; returns how many.  All but the last are in the folder."""
        while self._done < until:
            with told(f"{self.label}: iterating over batches"):
                batch = next(self._batches, None)
            if batch is None:
                break
            self._step(parts(batch, self._done, self.label))
            self._done += 1
        self._settle()
        return self._done

    def close(self) -> None:
        """End the recording; all updates are in the folder."""
        if self._run is not None:
            self._run.close()

    @abc.abstractmethod
    def begin(self, folder: Path, steps: int, channels_last: Sequence[bool]) -> None:
        """Start the recording; of the arrays of a batch some have their channels last, where the other side has them second."""

    @abc.abstractmethod
    def _step(self, batch: tuple[Any, ...]) -> None:
        """One update."""

    @abc.abstractmethod
    def _settle(self) -> None:
        """Wait until what has been computed is in the folder."""

    @abc.abstractmethod
    def parameters(self) -> dict[str, np.ndarray]:
        """By name."""

    @abc.abstractmethod
    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        """Set some of them."""

    @abc.abstractmethod
    def statistics(self) -> dict[str, np.ndarray]:
        """Running means and variances of normalisations, as ``MODULE.mean`` and ``MODULE.var``."""

    @abc.abstractmethod
    def load_statistics(self, found: Mapping[str, np.ndarray]) -> None:
        """Set some of them."""

    @abc.abstractmethod
    def seen(self) -> list[Seen]:
        """What a forward pass shows.  It may change the model's state, and comes last."""
