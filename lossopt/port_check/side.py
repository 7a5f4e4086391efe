"""What the check needs of a framework: a side that trains, and what its forward pass shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

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


class Side(Protocol):
    """``lossopt_torch.port_check.Side`` and ``lossopt_jax.port_check.Side``: made from what the user's function returned."""

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the arrays of the first batch."""
        ...

    def parameters(self) -> dict[str, np.ndarray]:
        """By name."""
        ...

    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        """Set some of them."""
        ...

    def statistics(self) -> dict[str, np.ndarray]:
        """Running means and variances of normalisations, as ``MODULE.mean`` and ``MODULE.var``."""
        ...

    def load_statistics(self, found: Mapping[str, np.ndarray]) -> None:
        """Set some of them."""
        ...

    def begin(self, folder: Path, steps: int, channels_last: Sequence[bool]) -> None:
        """Start the recording; of the arrays of a batch some have their channels last, where the other side has them second."""
        ...

    def run(self, until: int) -> int:
        """Train until so many updates are made, or the batches end; returns how many.  All but the last are in the folder."""
        ...

    def close(self) -> None:
        """End the recording; all updates are in the folder."""
        ...

    def seen(self) -> list[Seen]:
        """What a forward pass shows.  It may change the model's state, and comes last."""
        ...
