"""Errors, weighted errors and likelihoods, one number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from published_losses import Values


def _elementwise(formula: Callable[..., float]) -> Callable[..., Values]:
    def values(predictions: Any, targets: Any, **options: Any) -> Values:
        found = [formula(float(x), float(t), **options) for x, t in zip(np.ravel(predictions), np.ravel(targets), strict=True)]
        return np.reshape(found, np.shape(predictions)), float(np.size(predictions))

    return values


def _weighted(formula: Callable[..., float], *, by_weight: bool) -> Callable[..., Values]:
    """Each value times its weight; the mean divides by the weights' sum, or by the number of values."""
    plain = _elementwise(formula)

    def values(predictions: Any, targets: Any, *, weight: Any, **options: Any) -> Values:
        found, number = plain(predictions, targets, **options)
        factors = np.broadcast_to(1.0 if weight is None else weight, found.shape)
        return found * factors, float(factors.sum()) if by_weight else number

    return values


def _huber(x: float, t: float, *, delta: float) -> float:
    """Huber 1964."""
    return (x - t) ** 2 / 2 if abs(x - t) <= delta else delta * (abs(x - t) - delta / 2)


def _poisson(x: float, t: float, *, log_input: bool, full: bool, eps: float) -> float:
    """-log of rate**t exp(-rate) / t!, without the factorial, or with Stirling's formula in its place."""
    value = math.exp(x) - t * x if log_input else x - t * math.log(x + eps)
    return value + (t * math.log(t / math.e) + math.log(math.sqrt(2 * math.pi * t)) if full and t > 1 else 0.0)


def gaussian_nll_loss(predictions: Any, targets: Any, var: Any, *, full: bool, eps: float) -> Values:
    """-log of the normal density at each target."""
    if np.ndim(var) == np.ndim(predictions) - 1:
        var = np.asarray(var)[..., None]
    variances = np.broadcast_to(var, np.shape(predictions))
    found = []
    for x, t, v in zip(np.ravel(predictions), np.ravel(targets), np.ravel(variances), strict=True):
        deviation = math.sqrt(max(v, eps))
        density = math.exp(-(((x - t) / deviation) ** 2) / 2) / deviation / (math.sqrt(2 * math.pi) if full else 1.0)
        found.append(-math.log(density))
    return np.reshape(found, np.shape(predictions)), np.size(predictions)


def _quantile(x: float, t: float, *, quantile: float) -> float:
    """Koenker and Bassett 1978: the check function of t - x."""
    return quantile * (t - x) if t > x else (1 - quantile) * (x - t)


def binary_cross_entropy(predictions: Any, targets: Any, *, weight: Any, clip: float | None) -> Values:
    def log(p: float) -> float:
        return max(math.log(p), -100.0) if p > 0 else -100.0

    factor = np.broadcast_to(1.0 if weight is None else weight, predictions.shape)
    found = []
    for p, t, w in zip(np.ravel(predictions), np.ravel(targets), np.ravel(factor), strict=True):
        p = p if clip is None else min(max(p, clip), 1 - clip)
        found.append(-w * (t * log(p) + (1 - t) * log(1 - p)))
    return np.reshape(found, predictions.shape), predictions.size


PUBLISHED: Mapping[str, Callable[..., Values]] = {
    "binary_cross_entropy": binary_cross_entropy,
    "gaussian_nll_loss": gaussian_nll_loss,
    "huber_loss": _weighted(_huber, by_weight=False),
    "l1_loss": _weighted(lambda x, t: abs(x - t), by_weight=True),
    "l2_loss": _elementwise(lambda x, t: (x - t) ** 2 / 2),
    "log_cosh_loss": _elementwise(lambda x, t: math.log(math.cosh(x - t))),
    "mse_loss": _weighted(lambda x, t: (x - t) ** 2, by_weight=True),
    "poisson_nll_loss": _elementwise(_poisson),
    "quantile_loss": _elementwise(_quantile),
}
