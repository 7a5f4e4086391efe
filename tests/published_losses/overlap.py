"""Dice and Tversky losses: the overlap of two sets, position by position."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from published_losses import Values


def _masks(predictions: Any, targets: Any, axis: int | None, activation: str) -> tuple[Any, Any]:
    """Probabilities and masks of shape (N, C, P): the classes on axis 1, every position on the last."""
    x = predictions[:, None] if axis is None else np.moveaxis(predictions, axis, 1)
    if targets.ndim < predictions.ndim:
        t = np.stack([targets == k for k in range(x.shape[1])], 1).astype(float)
    else:
        t = targets[:, None] if axis is None else np.moveaxis(targets, axis, 1)
    x, t = (a.reshape(len(a), a.shape[1], -1) for a in (x, t))
    if activation == "none":
        return x, t
    if activation == "sigmoid" or (activation == "auto" and x.shape[1] == 1):
        return 1 / (1 + np.exp(-x)), t
    return np.exp(x) / np.exp(x).sum(1, keepdims=True), t


def _sets(p: Any, t: Any, batch: bool) -> list[list[tuple[Any, Any]]]:
    """For each sample (or for the batch as one) and each class what is predicted and what is true, position by position."""
    if batch:
        return [[(p[:, c].ravel(), t[:, c].ravel()) for c in range(p.shape[1])]]
    return [list(zip(p[n], t[n], strict=True)) for n in range(len(p))]


def _similarity(p: Any, t: Any, extra: float, missed: float, smooth: float, above: bool = True) -> float:
    """Salehi et al. 2017, equation 3: the Tversky index of two fuzzy sets."""
    both = sum(a * b for a, b in zip(p, t, strict=True))
    wrong = sum(extra * a * (1 - b) + missed * (1 - a) * b for a, b in zip(p, t, strict=True))
    return (both + (smooth if above else 0.0)) / (both + wrong + smooth)


def _mean(values: list[list[float]], weight: Any, ignore_background: bool, shape: tuple[int, ...]) -> Values:
    """The mean over the classes of each set's values."""
    first = 1 if ignore_background else 0
    found = [np.mean([v * (1.0 if weight is None else weight[c]) for c, v in enumerate(row)][first:]) for row in values]
    return np.reshape(found, shape), len(found)


def tversky_loss(predictions: Any, targets: Any, *, alpha: float, beta: float, alpha_on: str, smooth: float, activation: str, weight: Any,
                 ignore_background: bool, smooth_in: str, batch: bool, axis: int | None) -> Values:  # fmt: skip
    extra, missed = (alpha, beta) if alpha_on == "false_positives" else (beta, alpha)
    sets = _sets(*_masks(predictions, targets, axis, activation), batch)
    values = [[1 - _similarity(p, t, extra, missed, smooth, smooth_in == "both") for p, t in row] for row in sets]
    return _mean(values, weight, ignore_background, () if batch else (len(sets),))


def focal_tversky_loss(predictions: Any, targets: Any, *, alpha: float, beta: float, gamma: float, alpha_on: str, smooth: float,
                       activation: str, weight: Any, ignore_background: bool, batch: bool, axis: int | None) -> Values:  # fmt: skip
    """Abraham and Khan 2018, equation 4."""
    extra, missed = (alpha, beta) if alpha_on == "false_positives" else (beta, alpha)
    sets = _sets(*_masks(predictions, targets, axis, activation), batch)
    values = [[(1 - _similarity(p, t, extra, missed, smooth)) ** (1 / gamma) for p, t in row] for row in sets]
    return _mean(values, weight, ignore_background, () if batch else (len(sets),))


def _dice(p: Any, t: Any, smooth: float, squared: bool, above: bool) -> float:
    """Milletari et al. 2016, equation of D, and the form without squares."""
    sizes = math.fsum(p**2) + math.fsum(t**2) if squared else math.fsum(p) + math.fsum(t)
    return 1 - (2 * math.fsum(p * t) + (smooth if above else 0.0)) / (sizes + smooth)


def dice_loss(predictions: Any, targets: Any, *, smooth: float, squared: bool, activation: str, weight: Any, ignore_background: bool,
              smooth_on: str, smooth_in: str, batch: bool, axis: int | None) -> Values:  # fmt: skip
    sets = _sets(*_masks(predictions, targets, axis, activation), batch)
    smooth = 2 * smooth if smooth_on == "mean" else smooth
    values = [[_dice(p, t, smooth, squared, smooth_in == "both") for p, t in row] for row in sets]
    return _mean(values, weight, ignore_background, () if batch else (len(sets),))


def multiclass_generalized_dice_loss(predictions: Any, targets: Any, *, smooth: float, activation: str, ignore_background: bool, eps: float,
                                     axis: int) -> Values:  # fmt: skip
    """Sudre et al. 2017: a class weighs the inverse of its squared volume; here the batch's volume, and optax's place for the weight."""
    p, t = _masks(predictions, targets, axis, activation)
    classes = range(p.shape[1])
    weight = [1 / (math.fsum(t[:, c].ravel()) ** 2 + eps) for c in classes]
    weight = [len(classes) * w / sum(weight) for w in weight]
    values = [[_dice(a, b, 2 * smooth, False, True) for a, b in row] for row in _sets(p, t, batch=False)]
    return _mean(values, weight, ignore_background, (len(p),))


PUBLISHED: Mapping[str, Callable[..., Values]] = {
    "binary_dice_loss": dice_loss,
    "dice_loss": dice_loss,
    "focal_tversky_loss": focal_tversky_loss,
    "multiclass_generalized_dice_loss": multiclass_generalized_dice_loss,
    "tversky_loss": tversky_loss,
}
