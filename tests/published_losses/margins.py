"""Losses of scores and signs, of labels and rivals, and of ranks, one sample at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from published_losses import Values


def _rows(predictions: Any, labels: Any, axis: int) -> Iterator[tuple[list[float], int]]:
    """Each sample's scores beside its label."""
    axis = 0 if predictions.ndim == 1 else axis
    scores = np.moveaxis(predictions, axis, -1).reshape(-1, predictions.shape[axis])
    return ((list(map(float, row)), int(y)) for row, y in zip(scores, np.ravel(labels), strict=True))


def _labelled(formula: Callable[..., float]) -> Callable[..., Values]:
    """A formula of one sample's scores and its label."""

    def values(predictions: Any, targets: Any, *, axis: int, **options: Any) -> Values:
        found = [formula(x, y, **options) for x, y in _rows(predictions, targets, axis)]
        return np.reshape(found, targets.shape), len(found)

    return values


def _elementwise(formula: Callable[..., float]) -> Callable[..., Values]:
    def values(*arrays: Any, **options: Any) -> Values:
        found = [formula(*map(float, row), **options) for row in zip(*map(np.ravel, arrays), strict=True)]
        return np.reshape(found, arrays[0].shape), len(found)

    return values


def _per_row(formula: Callable[..., float]) -> Callable[..., Values]:
    def values(predictions: Any, targets: Any, **options: Any) -> Values:
        rows = zip(predictions.reshape(-1, predictions.shape[-1]), targets.reshape(-1, targets.shape[-1]), strict=True)
        found = [formula(x, t, **options) for x, t in rows]
        return np.reshape(found, predictions.shape[:-1]), len(found)

    return values


def _multi_margin(x: list[float], y: int, *, p: int, margin: float, weight: Any) -> float:
    total = sum(max(0.0, margin - x[y] + x[k]) ** p for k in range(len(x)) if k != y)
    return (1.0 if weight is None else weight[y]) * total / len(x)


def _multilabel_margin(x: Any, t: Any) -> float:
    labels = []
    for y in t:
        if y == -1:
            break
        labels.append(y)
    others = [k for k in range(len(x)) if k not in labels]
    return sum(max(0.0, 1 - (x[y] - x[k])) for y in labels for k in others) / len(x)


def _multilabel_soft_margin(x: Any, t: Any, *, weight: Any) -> float:
    factor = np.ones(len(x)) if weight is None else weight
    p = [1 / (1 + math.exp(-a)) for a in x]
    return -sum(w * (b * math.log(q) + (1 - b) * math.log(1 - q)) for w, b, q in zip(factor, t, p, strict=True)) / len(x)


def _hinge(x: float, t: float, *, zero_is_negative: bool) -> float:
    t = -1.0 if zero_is_negative and t == 0 else t
    return max(0.0, 1 - t * x)


def _crammer_singer(x: list[float], y: int, *, rival_at_least_zero: bool) -> float:
    """Crammer and Singer 2001, equation 4; Keras sets the label's own score to 0 among the rivals."""
    rivals = [*(a for k, a in enumerate(x) if k != y), *([0.0] if rival_at_least_zero else [])]
    return max(0.0, 1 + max(rivals) - x[y])


def _embedding(x: float, t: float, *, margin: float) -> float:
    return x if t == 1 else max(0.0, margin - x)


def ranking_softmax_loss(predictions: Any, targets: Any, *, where: Any, weight: Any) -> Values:
    """Cao et al. 2007, equation 5 with top-one probabilities, of relevances that are not normalized."""
    there = np.broadcast_to(True if where is None else where, predictions.shape).reshape(-1, predictions.shape[-1])
    factor = np.broadcast_to(1.0 if weight is None else weight, predictions.shape).reshape(there.shape)
    found = []
    for x, t, w, m in zip(predictions.reshape(there.shape), targets.reshape(there.shape), factor, there, strict=True):
        total = sum(math.exp(a) for a in x[m])
        found.append(-sum(b * c * math.log(math.exp(a) / total) for a, b, c in zip(x[m], t[m], w[m], strict=True)))
    return np.reshape(found, predictions.shape[:-1]), float(there.any(1).sum())


PUBLISHED: Mapping[str, Callable[..., Values]] = {
    "hinge_embedding_loss": _elementwise(_embedding),
    "hinge_loss": _elementwise(_hinge),
    "margin_ranking_loss": _elementwise(lambda a, b, t, *, margin: max(0.0, -t * (a - b) + margin)),
    "multi_margin_loss": _labelled(_multi_margin),
    "multiclass_hinge_loss": _labelled(_crammer_singer),
    "multiclass_perceptron_loss": _labelled(lambda x, y: max(x) - x[y]),
    "multilabel_margin_loss": _per_row(_multilabel_margin),
    "multilabel_soft_margin_loss": _per_row(_multilabel_soft_margin),
    "perceptron_loss": _elementwise(lambda x, t: max(0.0, -t * x)),
    "ranking_softmax_loss": ranking_softmax_loss,
    "soft_margin_loss": _elementwise(lambda x, t: math.log(1 + math.exp(-t * x))),
}
