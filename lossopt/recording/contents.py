"""What a recording holds: the run, its steps, and the arrays of some of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray]

NO_STEPS = "has no steps: its run ended before the first update, or was not closed; record one update at least"

VERSION = 1
"""Of the format; a reader refuses what is newer."""

FRAMEWORKS = ("torch", "jax")
"""Of which there are recordings."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of the model.

    Attributes:
        name: as its framework calls it, dotted.
        shape, dtype: its own (``"float32"``, ``"bfloat16"``).
        group: the torch parameter group it is in; 0 where there is one, -1 where the optimizer does not have it.
        samples: how many of its elements the arrays hold; None is all of them, in its shape.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    group: int = 0
    samples: int | None = None


@dataclass(frozen=True)
class RunInfo:
    """What does not change during a run.

    Attributes:
        framework: one of `FRAMEWORKS`.
        parameters: in the framework's order.
        told: what the objects say of themselves (the optimizer's class and groups, versions): shown, never believed.
    """

    framework: str
    parameters: tuple[Parameter, ...]
    told: Mapping[str, Any] = field(default_factory=dict)

    def parameter(self, name: str) -> Parameter:
        return next(p for p in self.parameters if p.name == name)


@dataclass(frozen=True)
class Step:
    """The numbers of one update, counted from 0.

    Attributes:
        step: its number.
        loss: the value whose gradient this is; None where nothing told it.
        losses: where the gradient was accumulated, the value of each backward pass; `loss` is their sum.
        lr: the learning rate of each group, as the optimizer held it when it updated; empty where it has none.
        numbers: likewise of each other number that varies in the run, by what the optimizer calls it (``"momentum"``,
            ``"betas[0]"``; in optax ``"b1"``), its value in each group; NaN in a group that does not have it.  Every step that is
            read has the same labels, and none where nothing but the learning rate varies.  A step that is written is
            given all the numbers there are: which of them vary is known at the end.
        grad_norms: the norm of each parameter's gradient, as the optimizer received it.
        raw_grad_norms: the same as the backward pass left it, before clipping; empty where it is not known.
        update_norms: the norm of what was added to each parameter; of one of more than 4,096 elements it is estimated from
            at least 1,024 of them, the same ones whichever way the parameter lies: within 3 %, where the elements are alike.
        param_norms: the norm of each parameter before the update, estimated likewise.
        nonfinite: how many elements of the gradients were infinite or NaN; of a PyTorch run on an accelerator, in how many
            gradients there were any.
        batch: of each array of the batch four numbers that other data would not have: see `checksum`.
        seconds: since the recording began.
    """

    step: int
    loss: float | None = None
    losses: tuple[float, ...] = ()
    lr: tuple[float, ...] = ()
    grad_norms: Mapping[str, float] = field(default_factory=dict)
    raw_grad_norms: Mapping[str, float] = field(default_factory=dict)
    update_norms: Mapping[str, float] = field(default_factory=dict)
    param_norms: Mapping[str, float] = field(default_factory=dict)
    nonfinite: int = 0
    numbers: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    batch: tuple[tuple[float, ...], ...] = ()
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}


class Recording:
    """A run that was recorded.

    ``arrays(step)`` holds, for the steps in ``array_steps``, by ``kind/name``: ``param/NAME`` before the update,
    ``grad/NAME`` as the optimizer received it, ``update/NAME`` as it was added; and where they were asked for
    ``logits/0``, ``labels/0``, ..., and ``ema/NAME``, averaged weights after the update; and ``buffer/NAME`` after the update,
    what the model keeps beside its parameters, such as the running statistics of batch normalization: the floating-point
    buffers of a torch model, in JAX what ``run.buffers`` was told.  Where a parameter is sampled they are vectors, and
    ``index/NAME`` of the first such step holds the flat (C order) positions in the parameter; those in a buffer are
    ``index/buffer/NAME``.

    Args:
        info: the run.
        steps: in order; a step that crashed half-way is not there.
        array_steps: the steps that have arrays.
        load: ``step -> arrays``; they are read when they are asked for.
        label: what to call the run in reports.
    """

    def __init__(self, info: RunInfo, steps: tuple[Step, ...], array_steps: tuple[int, ...], load: Callable[[int], Arrays],
                 label: str = "run") -> None:  # fmt: skip
        self.info, self.steps, self.array_steps, self._load, self.label = info, steps, array_steps, load, label

    def arrays(self, step: int) -> Arrays:
        """The arrays of one step; each as float64, whatever it was, except whole numbers."""
        return self._load(step)

    def of(self, kind: str, step: int) -> dict[str, np.ndarray]:
        """By parameter one kind of array of a step: ``of("grad", 0)``."""
        return {name.partition("/")[2]: x for name, x in self.arrays(step).items() if name.startswith(f"{kind}/")}

    @property
    def first_steps(self) -> tuple[int, ...]:
        """The steps from 0 that have arrays without a gap: what can be replayed."""
        have, found = set(self.array_steps), []
        while len(found) in have:
            found.append(len(found))
        return tuple(found)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        info = self.info
        return (f"Recording {self.label}: {info.framework}, {len(info.parameters)} parameters, {len(self.steps)} steps, "
                f"arrays of {len(self.array_steps)}")  # fmt: skip


PLACES = 8192
"""How many elements of an array the sums weighted by place are made of, at most."""


def checksum(x: np.ndarray) -> tuple[float, ...]:
    """Sum, sum of squares, and two sums weighted by place: the same data in another order, or another layout, differs.

    They are numbers and not a hash, so that two frameworks' roundings of the same data agree to rounding.  The weighted
    sums of a large array are of `PLACES` of its elements at most, at even distances.
    """
    flat = np.asarray(x, np.float64).ravel()
    some = flat[:: stride(flat.size)]
    # not by @: the threads of NumPy's BLAS wait for more in a loop, on the cores that the step would be computed on
    squares, weighted = np.einsum("i,i->", flat, flat), np.einsum("ij,j->i", place_weights(some.size), some)
    return tuple(float(v) for v in (flat.sum(), squares, *weighted))


def stride(size: int) -> int:
    """The distance of the elements that the weighted sums are made of."""
    return max(1, -(-size // PLACES))


@functools.lru_cache(maxsize=16)
def place_weights(count: int) -> np.ndarray:
    """The two weights of each place, of shape (2, count)."""
    places = np.arange(1, count + 1)
    return np.stack([np.cos(places), np.sin(0.5 * places)])
