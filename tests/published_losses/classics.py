"""Regression, classification, Dice, divergence, and losses of pairs and triplets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from published_losses import Values


def _rows(predictions: Any, targets: Any, axis: int) -> Iterator[tuple[Any, Any]]:
    """Each sample's class vector beside its label (or its class probabilities)."""
    axis = 0 if predictions.ndim == 1 else axis
    rows = np.moveaxis(predictions, axis, -1).reshape(-1, predictions.shape[axis])
    soft = targets.dtype.kind == "f"
    return zip(rows, np.moveaxis(targets, axis, -1).reshape(rows.shape) if soft else targets.reshape(-1), strict=True)


def _without(predictions: Any, axis: int) -> tuple[int, ...]:
    return tuple(np.delete(predictions.shape, 0 if predictions.ndim == 1 else axis))


def _probabilities(logits: Any) -> Any:
    weights = [math.exp(x - max(logits)) for x in logits]
    return np.array(weights) / sum(weights)


def cross_entropy(predictions: Any, targets: Any, *, weight: Any, ignore_index: Any, label_smoothing: float, axis: int) -> Values:
    """Szegedy et al. 2015, equation for the smoothed label distribution q'(k) = (1 - e) q(k) + e / K."""
    values, total = [], 0.0
    for logits, target in _rows(predictions, targets, axis):
        p, classes = _probabilities(logits), len(logits)
        factor = np.ones(classes) if weight is None else np.asarray(weight)
        if np.ndim(target) == 0 and target == ignore_index:
            values.append(0.0)
            continue
        q = np.eye(classes)[target] if np.ndim(target) == 0 else target
        q = (1 - label_smoothing) * q + label_smoothing / classes
        values.append(-sum(factor[k] * q[k] * math.log(p[k]) for k in range(classes)))
        total += factor[target] if np.ndim(target) == 0 else 1.0
    return np.reshape(values, _without(predictions, axis)), total


def nll_loss(predictions: Any, targets: Any, *, weight: Any, ignore_index: Any, axis: int) -> Values:
    factor = np.ones(predictions.shape[axis]) if weight is None else np.asarray(weight)
    rows = list(_rows(predictions, targets, axis))
    values = [0.0 if y == ignore_index else -factor[y] * x[y] for x, y in rows]
    return np.reshape(values, _without(predictions, axis)), sum(0.0 if y == ignore_index else factor[y] for _, y in rows)


def focal_loss(predictions: Any, targets: Any, *, alpha: Any, gamma: float, ignore_index: Any, axis: int) -> Values:
    """Lin et al. 2017, equation 5, with p_t the softmax probability of the label."""
    values, kept = [], 0
    for logits, y in _rows(predictions, targets, axis):
        if y == ignore_index:
            values.append(0.0)
            continue
        p = _probabilities(logits)[y]
        values.append(-(alpha if np.ndim(alpha) == 0 else alpha[y]) * (1 - p) ** gamma * math.log(p))
        kept += 1
    return np.reshape(values, _without(predictions, axis)), kept


def _elementwise(formula: Callable[..., float]) -> Callable[..., Values]:
    def values(predictions: Any, targets: Any, **options: Any) -> Values:
        found = [formula(float(x), float(t), **options) for x, t in zip(np.ravel(predictions), np.ravel(targets), strict=True)]
        return np.reshape(found, np.shape(predictions)), float(np.size(predictions))

    return values


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def binary_cross_entropy_with_logits(predictions: Any, targets: Any, *, weight: Any, pos_weight: Any) -> Values:
    factor = np.broadcast_to(1.0 if weight is None else weight, predictions.shape)
    positive = np.broadcast_to(1.0 if pos_weight is None else pos_weight, predictions.shape)
    p = np.array([_sigmoid(x) for x in predictions.ravel()]).reshape(predictions.shape)
    return -factor * (positive * targets * np.log(p) + (1 - targets) * np.log(1 - p)), predictions.size


def _sigmoid_focal(x: float, t: float, *, alpha: float | None, gamma: float) -> float:
    """Lin et al. 2017, equation 5; for soft targets the cross-entropy, as torchvision and optax have it."""
    p = _sigmoid(x)
    missed = 1 - (p * t + (1 - p) * (1 - t))
    factor = 1.0 if alpha is None else alpha * t + (1 - alpha) * (1 - t)
    return factor * missed**gamma * -(t * math.log(p) + (1 - t) * math.log(1 - p))


def _smooth_l1(x: float, t: float, *, beta: float) -> float:
    """Girshick 2015, equation 3, with its 1 made beta."""
    return (x - t) ** 2 / (2 * beta) if abs(x - t) < beta else abs(x - t) - beta / 2


def kl_div(predictions: Any, targets: Any, *, log_target: bool, axis: int | None, where: Any) -> Values:
    """Kullback and Leibler 1951: sum of p log(p / q)."""
    p = np.exp(targets) if log_target else targets
    counts = np.broadcast_to(True if where is None else where, p.shape).astype(bool)
    rows = zip(p.ravel(), predictions.ravel(), counts.ravel(), strict=True)
    values = np.reshape([a * (math.log(a) - x) if a and counted else 0.0 for a, x, counted in rows], p.shape)
    return (values, float(counts.sum())) if axis is None else (values.sum(axis), float(values.sum(axis).size))


def _dice_of(p: Any, t: Any, smooth: float, squared: bool) -> float:
    """Milletari et al. 2016 (squared), and the form without squares; p and t of one sample and class."""
    overlap = float((p * t).sum())
    sizes = float((p**2).sum() + (t**2).sum()) if squared else float(p.sum() + t.sum())
    return 1 - (2 * overlap + smooth) / (sizes + smooth)


def _classes(predictions: Any, targets: Any, axis: int | None) -> tuple[Any, Any]:
    """Logits and masks with the classes on axis 1 and every position in one last axis: (N, C, P)."""
    x = predictions[:, None] if axis is None else np.moveaxis(predictions, axis, 1)
    if targets.ndim < predictions.ndim:
        t = np.stack([targets == k for k in range(x.shape[1])], 1).astype(float)
    else:
        t = targets[:, None] if axis is None else np.moveaxis(targets, axis, 1)
    return x.reshape(*x.shape[:2], -1), t.reshape(*x.shape[:2], -1).astype(float)


def dice_ce_loss(predictions: Any, targets: Any, *, lambda_dice: float, lambda_ce: float, smooth: float, squared: bool,
                 label_smoothing: float, axis: int | None) -> Values:  # fmt: skip
    x, t = _classes(predictions, targets, axis)
    p = np.stack([np.vectorize(_sigmoid)(s) if x.shape[1] == 1 else np.apply_along_axis(_probabilities, 0, s) for s in x])
    dice = np.array([np.mean([_dice_of(p[n, c], t[n, c], smooth, squared) for c in range(x.shape[1])]) for n in range(len(x))])
    if x.shape[1] == 1:
        entropy, _ = binary_cross_entropy_with_logits(x, t, weight=None, pos_weight=None)
    else:
        entropy, _ = cross_entropy(x, t, weight=None, ignore_index=None, label_smoothing=label_smoothing, axis=1)
    return lambda_dice * dice + lambda_ce * entropy.reshape(len(x), -1).mean(1), len(x)


def cosine_embedding_loss(x1: Any, x2: Any, targets: Any, *, margin: float) -> Values:
    def one(a: Any, b: Any, y: float) -> float:
        cosine = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
        return 1 - cosine if y == 1 else max(0.0, cosine - margin)

    return np.array([one(*row) for row in zip(x1, x2, targets, strict=True)]), len(x1)


def triplet_margin_loss(anchor: Any, positive: Any, negative: Any, *, margin: float, p: float, eps: float, swap: bool,
                        eps_in: str) -> Values:  # fmt: skip
    def distance(u: Any, v: Any) -> float:
        if eps_in == "root":
            return float((np.abs(u - v) ** p).sum() + eps) ** (1 / p)
        return float(np.linalg.norm(u - v + eps, ord=p))

    def one(a: Any, b: Any, c: Any) -> float:
        away = min(distance(a, c), distance(b, c)) if swap else distance(a, c)
        return max(0.0, distance(a, b) - away + margin)

    return np.array([one(*row) for row in zip(anchor, positive, negative, strict=True)]), len(anchor)


def contrastive_loss(x1: Any, x2: Any, targets: Any, *, margin: float) -> Values:
    """Hadsell et al. 2006, equation 4, whose Y is 0 for similar pairs."""

    def one(a: Any, b: Any, y: float) -> float:
        distance = math.dist(a, b)
        return (1 - y) * distance**2 / 2 + y * max(0.0, margin - distance) ** 2 / 2

    return np.array([one(a, b, 1 - y) for a, b, y in zip(x1, x2, targets, strict=True)]), len(x1)


PUBLISHED: Mapping[str, Callable[..., Values]] = {
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "contrastive_loss": contrastive_loss,
    "cosine_embedding_loss": cosine_embedding_loss,
    "cross_entropy": cross_entropy,
    "dice_ce_loss": dice_ce_loss,
    "focal_loss": focal_loss,
    "kl_div": kl_div,
    "nll_loss": nll_loss,
    "sigmoid_focal_loss": _elementwise(_sigmoid_focal),
    "smooth_l1_loss": _elementwise(_smooth_l1),
    "triplet_margin_loss": triplet_margin_loss,
}
