"""Cosines, and triplets under a distance of one's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from published_losses import Values


def _cosine(a: Any, b: Any, floor: float) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / (max(math.hypot(*a), floor) * max(math.hypot(*b), floor))


def _of_pairs(value: Callable[[float], float]) -> Callable[..., Values]:
    """Salton, Wong, Yang 1975: the cosine of the angle between two vectors, and with no components left out what follows from it."""

    def formula(predictions: Any, targets: Any, *, axis: int | None, eps: float, eps_on: str, where: Any, negate: bool = False) -> Values:
        kept = np.ones(predictions.shape, bool) if where is None else np.asarray(where)
        x, t, kept = (a.reshape(-1) if axis is None else np.moveaxis(a, axis, -1) for a in (predictions, targets, kept.astype(bool)))
        floor = math.sqrt(eps) if eps_on == "squared" else eps
        found = [value(_cosine(x[i][kept[i]], t[i][kept[i]], floor)) for i in np.ndindex(x.shape[:-1])]
        values = np.reshape(found, x.shape[:-1])
        return -values if negate else values, values.size

    return formula


DISTANCES: Mapping[str, Callable[[Any, Any], float]] = {
    "city_block": lambda u, v: sum(abs(a - b) for a, b in zip(u, v, strict=True)),
    "half_angle": lambda u, v: 1 - _cosine(u, v, 0.0),
    "none": lambda u, v: math.hypot(*(u - v + 1e-6)),
}


def triplet_margin_with_distance_loss(anchor: Any, positive: Any, negative: Any, *, distance_function: Any, margin: float,
                                      swap: bool) -> Values:  # fmt: skip
    """Balntas et al. 2016, section 2, with its anchor swap."""
    d = DISTANCES[getattr(distance_function, "__name__", "none")]

    def one(a: Any, p: Any, n: Any) -> float:
        return max(0.0, margin + d(a, p) - (min(d(a, n), d(p, n)) if swap else d(a, n)))

    return np.array([one(*row) for row in zip(anchor, positive, negative, strict=True)]), len(anchor)


PUBLISHED: Mapping[str, Callable[..., Values]] = {
    "cosine_distance": _of_pairs(lambda c: 1 - c),
    "cosine_similarity": _of_pairs(lambda c: c),
    "triplet_margin_with_distance_loss": triplet_margin_with_distance_loss,
}
