"""The referee's losses: the vocabulary of a loss in NumPy, float64 whatever comes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lossopt.definition import Loss


class Words:
    """`lossopt.ops.LossOps` in NumPy."""

    sqrt, sign, abs, exp = staticmethod(np.sqrt), staticmethod(np.sign), staticmethod(np.abs), staticmethod(np.exp)
    log, log1p, cumsum = staticmethod(np.log), staticmethod(np.log1p), staticmethod(np.cumsum)
    maximum, minimum = staticmethod(np.maximum), staticmethod(np.minimum)
    where, zeros_like = staticmethod(np.where), staticmethod(np.zeros_like)

    @staticmethod
    def clamp_min(x: Any, low: Any) -> Any:
        return np.maximum(x, low)

    @staticmethod
    def power(x: Any, exponent: Any) -> Any:
        return np.power(x, exponent)

    @staticmethod
    def xlogy(x: Any, y: Any) -> Any:
        return np.where(x == 0, 0.0, x * np.log(y))

    @staticmethod
    def softplus(x: Any) -> Any:
        return np.logaddexp(x, 0.0)

    @staticmethod
    def sigmoid(x: Any) -> Any:
        small = np.exp(-np.abs(x))  # of the side that does not overflow
        return np.where(x >= 0, 1.0, small) / (1.0 + small)

    @staticmethod
    def log_softmax(x: Any, axis: int) -> Any:
        shifted = x - np.max(x, axis=axis, keepdims=True)
        return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))

    @staticmethod
    def softmax(x: Any, axis: int) -> Any:
        grown = np.exp(x - np.max(x, axis=axis, keepdims=True))
        return grown / np.sum(grown, axis=axis, keepdims=True)

    @staticmethod
    def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.sum(x, axis=axis, keepdims=keepdims)

    @staticmethod
    def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.mean(x, axis=axis, keepdims=keepdims)

    @staticmethod
    def norm(x: Any, p: Any, axis: int) -> Any:
        return np.sum(np.abs(x) ** p, axis=axis) ** (1.0 / p)

    @staticmethod
    def sort(x: Any, axis: int) -> Any:
        return np.flip(np.sort(x, axis=axis), axis)

    @staticmethod
    def pick(x: Any, labels: Any, axis: int) -> Any:
        inside = (labels >= 0) & (labels < x.shape[axis])
        found = np.take_along_axis(x, np.expand_dims(np.where(inside, labels, 0), axis), axis)
        return np.where(inside, np.squeeze(found, axis), np.nan)

    @staticmethod
    def one_hot(labels: Any, classes: int, axis: int, like: Any) -> Any:
        inside = (labels >= 0) & (labels < classes)
        hot = np.eye(classes)[np.where(inside, labels, 0)]
        return np.moveaxis(np.where(inside[..., None], hot, np.nan), -1, axis)

    @staticmethod
    def take(values: Any, labels: Any, like: Any) -> Any:
        table = np.asarray(values, np.float64)
        inside = (labels >= 0) & (labels < table.size)
        return np.where(inside, table[np.where(inside, labels, 0)], np.nan)

    @staticmethod
    def along(values: Any, axis: int, like: Any) -> Any:
        return np.asarray(values, np.float64).reshape([-1 if i == axis else 1 for i in range(like.ndim)])

    @staticmethod
    def array(values: Any, like: Any) -> Any:
        return np.asarray(values, np.float64)

    @staticmethod
    def cast(x: Any, like: Any) -> Any:
        return np.asarray(x, np.float64)

    inner = staticmethod(np.inner)

    @staticmethod
    def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.max(x, axis=axis, keepdims=keepdims)

    @staticmethod
    def eye(x: Any, rows: int, columns: int) -> Any:
        return np.eye(rows, columns)

    logaddexp, gather, concat = staticmethod(np.logaddexp), staticmethod(np.take_along_axis), staticmethod(np.concatenate)

    swap_axes = staticmethod(np.swapaxes)

    @staticmethod
    def arange(count: int, like: Any) -> Any:
        return np.arange(count)

    @staticmethod
    def logsumexp(x: Any, axis: int) -> Any:
        return np.logaddexp.reduce(x, axis=axis)

    @staticmethod
    def scan(body: Callable[[Any, Any], Any], carry: Any, xs: tuple[Any, ...]) -> Any:
        outs = []
        for entries in zip(*xs, strict=True):
            carry, out = body(carry, entries)
            outs.append(out)
        return carry, tuple(np.stack(parts) for parts in zip(*outs, strict=True))

    @staticmethod
    def stop_gradient(x: Any) -> Any:
        return x

    @staticmethod
    def is_floating(x: Any) -> bool:
        return x.dtype.name.startswith(("float", "bfloat"))

    @staticmethod
    def seen(x: Any) -> Any:
        return x


words = Words()


def carry(body: Callable[..., Any], inputs: tuple[Any, ...]) -> Any:
    """`body` of the inputs in float64 and int64.  Where it gives inf or NaN it gives them without a warning, as the frameworks do."""
    with np.errstate(all="ignore"):
        return body(*(np.asarray(x, np.float64 if words.is_floating(x) else np.int64) for x in inputs))


def native(definition: Loss, inputs: tuple[Any, ...], hyperparameters: Mapping[str, Any], reduction: str) -> None:
    """NumPy has no losses of its own."""
