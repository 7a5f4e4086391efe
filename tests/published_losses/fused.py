"""The cross-entropy of a projection, and the z-loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from published_losses import Values
from published_losses.classics import cross_entropy


def linear_cross_entropy(features: Any, matrix: Any, targets: Any, *, linear_bias: Any, weight: Any, ignore_index: Any,
                         label_smoothing: float, chunk_size: Any) -> Values:  # fmt: skip
    """Wijmans et al. 2024, equation 1: the loss of logits C^T E, whatever is held at a time."""
    bias = np.zeros(len(matrix)) if linear_bias is None else np.asarray(linear_bias)
    rows = features.reshape(-1, features.shape[-1])
    logits = np.array([[float(row @ matrix[k]) + bias[k] for k in range(len(matrix))] for row in rows])
    soft = targets.dtype.kind == "f"
    values, divisor = cross_entropy(logits, targets.reshape(logits.shape if soft else -1), weight=weight, ignore_index=ignore_index,
                                    label_smoothing=label_smoothing, axis=1)  # fmt: skip
    return values.reshape(features.shape[:-1]), divisor


def z_loss(predictions: Any, targets: Any, *, ignore_index: Any, axis: int) -> Values:
    """Chowdhery et al. 2022, section 5: log^2 Z."""
    rows = np.moveaxis(predictions, axis, -1).reshape(-1, predictions.shape[axis])
    values = [0.0 if y == ignore_index else math.log(sum(math.exp(x) for x in row)) ** 2
              for row, y in zip(rows, targets.ravel(), strict=True)]  # fmt: skip
    return np.reshape(values, targets.shape), int((targets != ignore_index).sum())


PUBLISHED: Mapping[str, Callable[..., Values]] = {"linear_cross_entropy": linear_cross_entropy, "z_loss": z_loss}
