"""Parameters that neither names nor the rules between frameworks pair: by their place, by equal weights, by their module, by shape.

Every pair that is found so is told, with its reason.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lossopt.errors import InputError
from lossopt.recording import Parameter, Recording
from lossopt.tasks.mapping import KERNEL, SAME, Link
from lossopt.tasks.task import Layout

SEQUENTIAL = re.compile(r"(?:^|(?<=\.))layers\.(?=\d)")
"""What nnx.Sequential puts before its numbers, and nn.Sequential does not."""


@dataclass(frozen=True)
class Lined:
    """One parameter of a recording under its common name: how it lies, and which of its elements are recorded."""

    link: Link
    parameters: tuple[Parameter, ...]

    @functools.cached_property
    def shape(self) -> tuple[int, ...]:
        """In the common layout, without making an array of that size."""
        shapes = [layout.to_torch(np.broadcast_to(np.float32(0), p.shape)).shape
                  for layout, p in zip(self.link.layouts, self.parameters, strict=True)]  # fmt: skip
        first = shapes[0]
        return first if len(shapes) == 1 else (sum(s[0] for s in shapes), *first[1:])

    @property
    def dtype(self) -> str:
        return self.parameters[0].dtype

    @property
    def group(self) -> int:
        return self.parameters[0].group

    @property
    def sampled(self) -> bool:
        return any(p.samples is not None for p in self.parameters)

    @property
    def own(self) -> str:
        """Its name in its framework."""
        return " and ".join(self.link.own)


def guess(left_a: Sequence[Lined], left_b: Sequence[Lined], a: Recording, b: Recording) -> list[tuple[Lined, Lined, str]]:
    """Pairs of what is left on both sides, each of which fits no other, with what paired them."""
    found: list[tuple[Lined, Lined, str]] = []

    def take(why: str, fit: Callable[[Lined, Lined], bool]) -> None:
        taken = {z.own for x, y, _ in found for z in (x, y)}
        free_a, free_b = ([z for z in left if z.own not in taken] for left in (left_a, left_b))
        found.extend((x, y, why) for x, y in _only(free_a, free_b, fit))

    take("by their place in a sequence", lambda x, y: _plain(x) == _plain(y))
    if 0 in a.array_steps and 0 in b.array_steps and left_a and left_b:
        of_a, of_b = a.arrays(0), b.arrays(0)
        take("because their initial weights are equal", lambda x, y: _same(x, y, (a, b), of_a, of_b))
    for why, fit in (("by their module", lambda x, y: _module(x, y, found)), ("because no others have their shapes", _shape)):
        take(why, fit)
        take("by their module", lambda x, y: _module(x, y, found))
    return found


def _only(left_a: Sequence[Lined], left_b: Sequence[Lined], fit: Callable[[Lined, Lined], bool]) -> list[tuple[Lined, Lined]]:
    pairs = [(x, y) for x in left_a for y in left_b if fit(x, y)]
    return [(x, y) for x, y in pairs if sum(x is u for u, _ in pairs) == 1 == sum(y is v for _, v in pairs)]


def _plain(side: Lined) -> str:
    return SEQUENTIAL.sub("", side.link.name)


def _parts(side: Lined) -> tuple[str, str]:
    module, _, leaf = side.link.name.rpartition(".")
    return module, leaf


def _shape(x: Lined, y: Lined) -> bool:
    return x.shape == y.shape and _parts(x)[1] == _parts(y)[1]


def _module(x: Lined, y: Lined, found: Sequence[tuple[Lined, Lined, str]]) -> bool:
    """Whether another parameter of x's module is one of y's: a bias goes with its weight."""
    return _shape(x, y) and any(_parts(x)[0] == _parts(u)[0] and _parts(y)[0] == _parts(v)[0] for u, v, _ in found)


def _same(x: Lined, y: Lined, runs: tuple[Recording, Recording], of_a: Mapping[str, np.ndarray], of_b: Mapping[str, np.ndarray]) -> bool:
    if x.shape != y.shape or x.sampled != y.sampled:
        return False
    if not all(f"param/{own}" in have for side, have in ((x, of_a), (y, of_b)) for own in side.link.own):
        return False
    if x.sampled:
        at = [recorded(side, run) for side, run in zip((x, y), runs, strict=True)]
        u, v = (np.concatenate([have[f"param/{own}"].ravel() for own in side.link.own])[np.argsort(places)]
                for side, have, places in ((x, of_a, at[0]), (y, of_b, at[1])))  # fmt: skip
        if not np.array_equal(np.sort(at[0]), np.sort(at[1])):
            return False
    else:
        u, v = (side.link.to_torch({own: have[f"param/{own}"] for own in side.link.own}) for side, have in ((x, of_a), (y, of_b)))
    return bool(np.any(u != u.flat[0])) and bool(np.allclose(u, v, rtol=1e-6, atol=0))


# ------------------------------------------------------------------------------------------------- places
def recorded(side: Lined, run: Recording) -> np.ndarray:
    """The common flat position of every recorded element of a sampled parameter."""
    first = run.arrays(run.array_steps[0])
    found, before = [], 0
    for layout, p in zip(side.link.layouts, side.parameters, strict=True):
        size = int(np.prod(p.shape))
        if p.samples is not None and f"index/{p.name}" not in first:
            raise InputError(f"{run.label}: the arrays of its first steps are not there, and they say which elements of {p.name} the "
                             "others hold; record the run again")  # fmt: skip
        at = np.asarray(first[f"index/{p.name}"]).astype(np.int64).ravel() if p.samples is not None else np.arange(size)
        found.append(before + _to_common(at, p.shape, layout))
        before += size
    return np.concatenate(found)


def _to_common(at: np.ndarray, shape: tuple[int, ...], layout: Layout) -> np.ndarray:
    """Flat positions in a framework's layout as flat positions in the common one."""
    if layout is SAME:
        return at
    if layout is KERNEL:
        places = np.unravel_index(at, shape)
        return np.ravel_multi_index((places[-1], places[-2], *places[:-2]), (shape[-1], shape[-2], *shape[:-2]))
    everywhere = layout.to_torch(np.arange(int(np.prod(shape))).reshape(shape)).ravel()
    back = np.empty_like(everywhere)
    back[everywhere] = np.arange(everywhere.size)
    return back[at]
