"""Cross-entropies with a twist and Fenchel-Young losses, one sample at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from published_losses import Values


def _rows(predictions: Any, targets: Any, axis: int) -> Iterator[tuple[Any, Any]]:
    """Each sample's scores beside its class probabilities; a label stands for its one-hot row."""
    axis = 0 if predictions.ndim == 1 else axis
    x = np.moveaxis(predictions, axis, -1).reshape(-1, predictions.shape[axis])
    soft = targets.ndim == predictions.ndim
    t = np.moveaxis(targets, axis, -1).reshape(x.shape) if soft else np.eye(x.shape[1])[np.ravel(targets)]
    return zip(x, t, strict=True)


def _by_class(formula: Callable[..., float]) -> Callable[..., Values]:
    def values(predictions: Any, targets: Any, *, axis: int = -1, **options: Any) -> Values:
        found = [formula(x, t, **options) for x, t in _rows(predictions, targets, axis)]
        shape = np.delete(predictions.shape, 0 if predictions.ndim == 1 else axis)
        return np.reshape(found, tuple(shape)), len(found)

    return values


def _softmax(x: Any) -> list[float]:
    total = sum(math.exp(a) for a in x)
    return [math.exp(a) / total for a in x]


def _entropy(x: Any, t: Any) -> float:
    return -sum(b * math.log(p) for p, b in zip(_softmax(x), t, strict=True) if b)


def _poly(x: Any, t: Any, *, epsilon: float, where: Any) -> float:
    """Leng et al. 2022, equation 5, with P_t the target's expectation."""
    there = np.ones(len(x), bool) if where is None else where
    x, t = x[there], t[there]
    return _entropy(x, t) + epsilon * sum(b * (1 - p) for p, b in zip(_softmax(x), t, strict=True))


def _conjugate_of_gini(x: Any) -> float:
    """max over the simplex of x.p + sum p (1 - p) / 2, by trying every face: on each the best p is x less a shift."""
    best = -math.inf
    for size in range(1, len(x) + 1):
        for face in itertools.combinations(range(len(x)), size):
            part = x[list(face)]
            p = part - (part.sum() - 1) / size
            if (p >= 0).all():
                best = max(best, float(part @ p + (p @ (1 - p)) / 2))
    return best


def _binary_sparsemax(x: float, t: float) -> float:
    """Blondel et al. 2020, section 4.4: the two-class loss of the scores (0, x)."""
    return _conjugate_of_gini(np.array([0.0, x])) - t * x


def sparsemax_loss(predictions: Any, targets: Any) -> Values:
    found = [_binary_sparsemax(float(x), float(t)) for x, t in zip(predictions.ravel(), targets.ravel(), strict=True)]
    return np.reshape(found, predictions.shape), predictions.size


def _fenchel_young(x: Any, t: Any, *, max_fun: str) -> float:
    largest = math.log(sum(math.exp(a) for a in x)) if max_fun == "logsumexp" else max(x)
    return largest - float(x @ t)


PUBLISHED: Mapping[str, Callable[..., Values]] = {
    "make_fenchel_young_loss": _by_class(_fenchel_young),
    "multiclass_sparsemax_loss": _by_class(lambda x, t: _conjugate_of_gini(x) - float(x @ t)),
    "poly_loss_cross_entropy": _by_class(_poly),
    "safe_softmax_cross_entropy": _by_class(_entropy),
    "sparsemax_loss": sparsemax_loss,
}
