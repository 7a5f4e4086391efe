"""Which steps of a recording have arrays, and which elements of a large parameter they hold.

The elements are chosen by the lengths of the axes alone, so that a parameter that lies as (out, in) in one framework and as
(in, out) in the other is sampled at the same places, whatever it is called.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lossopt.errors import ArgumentError

KINDS = ("param", "grad", "update")
"""What the arrays of a step hold of each parameter."""

EXACT, WATCHED = 4096, 1024
"""Up to so many elements, the norms of a parameter and of its update are those of all of them, else they are estimated from so many.
PyTorch says nothing of an update: to see one, what it moves must be copied before it."""


@dataclass(frozen=True)
class Plan:
    """When to keep arrays, and how much.

    Attributes:
        first: the steps from 0 that have arrays; they are what `lossopt identify` replays.
        every: after those, every so many steps; 0 for none.
        budget: bytes that one such step may hold of whole parameters, gradients and updates, and then of buffers, counted in float32.
        samples: how many elements of each parameter it holds where the whole is over the budget.
    """

    first: int = 20
    every: int = 100
    budget: int = 16 * 2**20
    samples: int = 4096

    def __post_init__(self) -> None:
        for f in fields(self):
            value, least = getattr(self, f.name), 1 if f.name == "samples" else 0
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ArgumentError(f"record: {f.name} is a whole number from {least}, got {value!r}")

    def has_arrays(self, step: Any) -> Any:
        """Whether a step has arrays; the step may be traced."""
        begins = step < self.first
        return begins | (step % self.every == 0) if self.every else begins

    def positions(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray | None]:
        """Of each parameter the flat (C order) places that arrays hold, ascending; None holds it whole."""
        return self._positions(shapes, len(KINDS) * _sizes(shapes))

    def of_buffers(self, shapes: Mapping[str, tuple[int, ...]], parameters: int) -> dict[str, np.ndarray | None]:
        """Likewise of buffers, which have what the `parameters` numbers of the model leave of the budget."""
        return self._positions(shapes, len(KINDS) * parameters + _sizes(shapes))

    def _positions(self, shapes: Mapping[str, tuple[int, ...]], numbers: int) -> dict[str, np.ndarray | None]:
        if 4 * numbers <= self.budget:
            return dict.fromkeys(shapes)
        return {name: None if _size(shape) <= self.samples else places(shape, self.samples) for name, shape in shapes.items()}


def thinned(x: Any, distances: tuple[int, ...]) -> Any:
    """The elements of an array at these distances along its axes."""
    return x[tuple(slice(None, None, d) for d in distances)] if max(distances, default=1) > 1 else x


@functools.cache
def distances(shape: tuple[int, ...]) -> tuple[int, ...]:
    """How far apart, along each axis, the elements lie by which a parameter is measured at every step; 1 is all of them.

    Axes of one length have one distance, so that arrays whose axes are the same in another order are measured by the same
    elements.  Distances are odd: what repeats along an axis does so at powers of 2.

    Example:
        >>> distances((64, 64)), distances((128, 256)), distances((256, 128))
        ((1, 1), (3, 7), (7, 3))
    """
    apart = dict.fromkeys(shape, 1)
    while _size(shape) > EXACT:
        longest = max(apart, key=lambda n: (-(-n // apart[n]), n))
        further = {**apart, longest: apart[longest] + 2}
        if count(shape, tuple(further[n] for n in shape)) < WATCHED:
            break
        apart = further
    return tuple(apart[n] for n in shape)


def count(shape: tuple[int, ...], distances: tuple[int, ...]) -> int:
    """How many elements lie so far apart."""
    return _size(tuple(-(-n // d) for n, d in zip(shape, distances, strict=True)))


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _sizes(shapes: Mapping[str, tuple[int, ...]]) -> int:
    return sum(map(_size, shapes.values()))


@functools.cache
def places(shape: tuple[int, ...], count: int) -> np.ndarray:
    """At least `count` flat (C order) places in a larger array of this shape, ascending.

    Arrays whose axes are the same in another order have the same places, moved as their axes are; axes of length 1 do not
    count.  For that, places come with their images under every exchange of axes of equal length: so there can be a few more
    than `count`.

    Example:
        >>> a = np.arange(6 * 4).reshape(6, 4)
        >>> sorted(a.ravel()[places((6, 4), 5)]) == sorted(a.T.ravel()[places((4, 6), 5)])
        True
    """
    axes = _numbered(tuple(sorted(n for n in shape if n != 1)))
    lengths = tuple(n for n, _ in axes)
    many = 16 if np.prod(lengths, dtype=np.float64) < 8 * count else 2  # of few places, most draws give one that was drawn
    drawn = np.stack([_hash(many * count, *axis) for axis in axes])
    for n in set(lengths):  # of a place and its images the one whose coordinates ascend stands for all
        alike = [i for i, length in enumerate(lengths) if length == n]
        drawn[alike] = np.sort(drawn[alike], axis=0)
    flat = np.ravel_multi_index(tuple(drawn), lengths)
    drawn = drawn[:, np.sort(np.unique(flat, return_index=True)[1])[:count]]
    images = np.stack([drawn[order] for order in _exchanges(axes)])
    orbits = np.sort([np.ravel_multi_index(tuple(image), lengths) for image in images], axis=0)
    sizes = 1 + np.count_nonzero(np.diff(orbits, axis=0), axis=0)
    enough = int(np.searchsorted(np.cumsum(sizes), count)) + 1
    found = np.concatenate([image[:, :enough] for image in images], axis=1)
    column = {axis: i for i, axis in enumerate(axes)}
    own = tuple(found[column[axis]] if axis in column else np.zeros(found.shape[1], np.int64) for axis in _numbered(shape))
    return np.unique(np.ravel_multi_index(own, shape))


def _hash(count: int, length: int, nth: int) -> np.ndarray:
    """`count` places along the nth axis of one length: splitmix64 of their number, the length, and n."""
    x = np.arange(count, dtype=np.uint64) + np.uint64((length * 0x9E3779B97F4A7C15 + nth * 0xD1B54A32D192ED03) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return ((x ^ (x >> np.uint64(31))) % np.uint64(length)).astype(np.int64)


def _numbered(lengths: tuple[int, ...]) -> list[tuple[int, int]]:
    """Each axis as its length and how many of that length stand before it."""
    return [(n, lengths[:i].count(n)) for i, n in enumerate(lengths)]


def _exchanges(axes: list[tuple[int, int]]) -> list[list[int]]:
    """Every order of ascending axes that leaves their lengths as they are."""
    alike = [[i for i, axis in enumerate(axes) if axis[0] == n] for n in sorted({n for n, _ in axes})]
    return [[i for part in parts for i in part] for parts in itertools.product(*map(itertools.permutations, alike))]
