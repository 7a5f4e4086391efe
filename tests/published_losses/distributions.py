"""Divergences beside kl_div, and distillation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from published_losses import Values


def _term(a: float, b: float) -> float:
    """a log(a / b), and 0 for a of 0."""
    return a * math.log(a / b) if a else 0.0


def _each(formula: Callable[[float, float], float], predictions: Any, targets: Any, axis: int | None) -> Values:
    """Of log-probabilities and probabilities."""
    values = np.reshape([formula(math.exp(x), t) for x, t in zip(predictions.ravel(), targets.ravel(), strict=True)], predictions.shape)
    values = values if axis is None else values.sum(axis)
    return values, values.size


def kl_divergence_with_log_targets(predictions: Any, targets: Any, *, log_target: bool, axis: int | None, **_: Any) -> Values:
    """Kullback and Leibler 1951."""
    assert log_target
    return _each(lambda p, t: _term(t, p), predictions, np.exp(targets), axis)


def generalized_kl_divergence(predictions: Any, targets: Any, *, axis: int | None, **_: Any) -> Values:
    """Bregman 1967: f(t) - f(p) - f'(p) (t - p) of f(x) = x log x - x."""

    def bregman(p: float, t: float) -> float:
        return (_term(t, 1.0) - t) - (_term(p, 1.0) - p) - math.log(p) * (t - p)

    return _each(bregman, predictions, targets, axis)


def jsd_loss(predictions: Any, targets: Any, *, beta: float, axis: int | None, **_: Any) -> Values:
    """Agarwal et al. 2023, equation 1."""

    def mixed(p: float, t: float) -> float:
        m = beta * t + (1 - beta) * p
        return beta * _term(t, m) + (1 - beta) * _term(p, m)

    return _each(mixed, predictions, targets, axis)


def distillation_loss(predictions: Any, teacher: Any, targets: Any, *, temperature: float, alpha: float, ignore_index: Any,
                      axis: int) -> Values:  # fmt: skip
    """Hinton et al. 2015, equation 1 and section 2."""

    def softened(logits: Any, t: float) -> Any:
        weights = [math.exp(z / t) for z in logits]
        return [w / sum(weights) for w in weights]

    def one(student: Any, wanted: Any, y: int) -> float:
        if y == ignore_index:
            return 0.0
        soft = sum(_term(q, p) for q, p in zip(softened(wanted, temperature), softened(student, temperature), strict=True))
        return -alpha * math.log(softened(student, 1.0)[y]) + (1 - alpha) * temperature**2 * soft

    x, z = (np.moveaxis(a, axis, -1).reshape(-1, a.shape[axis]) for a in (predictions, teacher))
    values = [one(*row) for row in zip(x, z, targets.ravel(), strict=True)]
    return np.reshape(values, targets.shape), int((targets != ignore_index).sum())


PUBLISHED: Mapping[str, Callable[..., Values]] = {
    "distillation_loss": distillation_loss,
    "generalized_kl_divergence": generalized_kl_divergence,
    "jsd_loss": jsd_loss,
    "kl_divergence_with_log_targets": kl_divergence_with_log_targets,
}
