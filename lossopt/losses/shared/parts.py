"""Formulas that several losses share, each stated once."""

from __future__ import annotations

from typing import Any, Literal

from lossopt.errors import InputError
from lossopt.ops import Array, LossOps, Number

Activation = Literal["auto", "softmax", "sigmoid", "none"]


def class_axis(axis: int, shape: tuple[int, ...]) -> int:
    """The class axis of predictions of that shape, counted from the front; one sample alone has its classes on axis 0."""
    ndim = len(shape)
    if ndim == 1 and axis == 1:
        return 0
    if not -ndim <= axis < ndim:
        raise InputError(f"predictions of shape {tuple(shape)} have no axis {axis} for the classes; write axis=-1 for the last")
    return axis % ndim


def kept_labels(ops: LossOps, labels: Array, ignore_index: int | None) -> tuple[Array, Array | None]:
    """Labels with class 0 in place of the ignored ones, and a mask of the others; no mask where nothing is ignored."""
    if ignore_index is None:
        return labels, None
    kept = labels != ignore_index
    return ops.where(kept, labels, 0), kept


def of_kept(ops: LossOps, values: Array, labels: Array, ignore_index: int | None) -> tuple[Array, Array | None]:
    """Values that are 0 where the label is the ignored one, and ones elsewhere to divide their sum by."""
    if ignore_index is None:
        return values, None
    kept = labels != ignore_index
    return ops.where(kept, values, 0.0), ops.cast(kept, values)


def shape_of(values: Any) -> tuple[int, ...]:
    """The shape of an array, of a number, or of lists of numbers."""
    if isinstance(values, list | tuple):
        return (len(values), *(shape_of(values[0]) if values else ()))
    return tuple(getattr(values, "shape", ()))


def per_label(ops: LossOps, values: Any, labels: Array, like: Array) -> Any:
    """A factor as it is, or of one factor per class that of each label."""
    return values if shape_of(values) == () else ops.take(values, labels, like)


def weighted_nll(ops: LossOps, log_probs: Array, labels: Array, kept: Array | None, weight: Any,
                 axis: int) -> tuple[Array, Array | None]:  # fmt: skip
    """``-w_y log p_y``, and ``w_y`` to divide the sum by; both are 0 where a label is ignored."""
    nll = -ops.pick(log_probs, labels, axis)
    weights = None
    if weight is not None:
        weights = ops.take(weight, labels, log_probs)
        nll = nll * weights
    if kept is not None:
        nll = ops.where(kept, nll, 0.0)
        weights = ops.cast(kept, log_probs) if weights is None else ops.where(kept, weights, 0.0)
    return nll, weights


def weighted(ops: LossOps, values: Array, weight: Any) -> Array | tuple[Array, Array]:
    """Values times a weight each, and the weights to divide their sum by; the values alone where there is no weight."""
    if weight is None:
        return values
    weights = ops.array(weight, values) + ops.zeros_like(values)  # in full: their sum counts every element
    return values * weights, weights


def counted(ops: LossOps, where: Any, predictions: Array, targets: Array) -> tuple[Array, Array, Array | None]:
    """Both with 0 in place of the elements that do not count, and which do; all do where `where` is None."""
    if where is None:
        return predictions, targets, None
    counts = ops.array(where, predictions) + ops.zeros_like(predictions) != 0  # in the shape of predictions
    return ops.where(counts, predictions, 0.0), ops.where(counts, targets, 0.0), counts


def summed(ops: LossOps, values: Array, counts: Array | None, axis: int | None) -> Any:
    """The values that count: summed over an axis, or without one all of them, and how many the mean divides by."""
    values = values if counts is None else ops.where(counts, values, 0.0)
    if axis is not None:
        return ops.sum(values, axis)
    return values if counts is None else (values, ops.cast(counts, values))


def signs(ops: LossOps, targets: Array, like: Array) -> Array:
    """Targets of 1 and -1 as numbers, and NaN in the place of any other."""
    given = ops.cast(targets, like)
    return ops.where((given == 1) | (given == -1), given, float("nan"))


def beside(picked: Array, axis: int) -> Array:
    """One number per label with an axis of length 1 for the classes, to be compared with the number of each class."""
    return picked[(slice(None),) * axis + (None,)]


def soft_cross_entropy(ops: LossOps, log_probs: Array, probabilities: Array, weight: Any, axis: int) -> Array:
    """``-sum_k w_k t_k log p_k``."""
    if weight is not None:
        log_probs = log_probs * ops.along(weight, axis, log_probs)
    return -ops.sum(probabilities * log_probs, axis)


def cross_entropy(ops: LossOps, logits: Array, targets: Array, weight: Any, ignore_index: int | None, label_smoothing: Number,
                  axis: int) -> tuple[Array, Array | None]:  # fmt: skip
    """Smoothed and weighted cross-entropy of labels or of class probabilities, and what the mean divides by."""
    log_probs, classes = ops.log_softmax(logits, axis), logits.shape[axis]
    if ops.is_floating(targets):
        smooth = targets * (1 - label_smoothing) + label_smoothing / classes
        return soft_cross_entropy(ops, log_probs, smooth, weight, axis), None
    labels, kept = kept_labels(ops, targets, ignore_index)
    values, weights = weighted_nll(ops, log_probs, labels, kept, weight, axis)
    if label_smoothing:
        spread = soft_cross_entropy(ops, log_probs, label_smoothing / classes, weight, axis)
        values = (1 - label_smoothing) * values + (spread if kept is None else ops.where(kept, spread, 0.0))
    return values, weights


LOGITS_AT_A_TIME = 2**23
"""32 MiB in float32: smaller chunks add up the matrix's gradient more often, larger ones gain nothing."""


def rows_at_a_time(chunk_size: int | None, classes: int) -> int:
    """How many samples a chunk holds."""
    return chunk_size or max(1, LOGITS_AT_A_TIME // classes)


def binary_cross_entropy(ops: LossOps, logits: Array, targets: Array, pos_weight: Any = None) -> Array:
    """``-[pos_weight t log s(x) + (1 - t) log(1 - s(x))]`` with ``s`` the sigmoid, from ``log s(x) = -softplus(-x)``."""
    rise = 1 if pos_weight is None else 1 + (ops.array(pos_weight, logits) - 1) * targets
    return (1 - targets) * logits + rise * ops.softplus(-logits)


def huber(ops: LossOps, error: Array, delta: Number) -> Array:
    """``e**2 / 2`` where ``|e| <= delta``, ``delta (|e| - delta / 2)`` beyond."""
    size = ops.abs(error)
    quadratic = ops.minimum(size, delta)
    return 0.5 * quadratic * quadratic + delta * (size - quadratic)


def activated(ops: LossOps, predictions: Array, activation: Activation, axis: int | None) -> Array:
    """Probabilities from logits; ``auto`` is softmax over several classes and sigmoid over one."""
    if activation == "auto":
        activation = "sigmoid" if axis is None or predictions.shape[axis] == 1 else "softmax"
    if activation == "none":
        return predictions
    return ops.sigmoid(predictions) if activation == "sigmoid" or axis is None else ops.softmax(predictions, axis)


def masks(ops: LossOps, predictions: Array, targets: Array, axis: int | None) -> Array:
    """Targets as one mask per class, in the shape of predictions: as they are, or from integer labels."""
    if axis is None or len(targets.shape) == len(predictions.shape):
        return ops.cast(targets, predictions)
    return ops.one_hot(targets, predictions.shape[axis], axis, predictions)
