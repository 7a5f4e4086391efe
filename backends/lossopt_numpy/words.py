"""The optimizer's vocabulary in NumPy, float64.  Numbers are Python floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossopt.noise import normal_pairs
from lossopt.ops import HostNumbers, log_of_number


def _nan_of_nan(decompose: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """NaN where a number is not finite: LAPACK would raise, or not return."""

    def word(x: Any) -> Any:
        if np.isfinite(x).all():
            return decompose(x)
        return tuple(np.full_like(part, np.nan) for part in decompose(np.zeros_like(x)))

    return word


class Words(HostNumbers):
    """`lossopt.ops.Ops` in NumPy."""

    sqrt, sign, abs, exp = staticmethod(np.sqrt), staticmethod(np.sign), staticmethod(np.abs), staticmethod(np.exp)
    maximum, minimum = staticmethod(np.maximum), staticmethod(np.minimum)
    zeros_like, full_like = staticmethod(np.zeros_like), staticmethod(np.full_like)

    @staticmethod
    def log(x: Any) -> Any:
        return log_of_number(x) if isinstance(x, float) else np.log(x)

    @staticmethod
    def where(condition: Any, x: Any, y: Any) -> Any:
        if isinstance(condition, bool | np.bool_):
            return x if condition else y
        return np.where(condition, x, y)

    @staticmethod
    def lerp(start: Any, end: Any, weight: Any) -> Any:
        return start + weight * (end - start)

    @staticmethod
    def cast(x: Any, dtype: Any) -> Any:
        """The referee stays in float64 whatever precision a rule asks for; a mask becomes numbers."""
        return np.asarray(x, np.float64)

    @staticmethod
    def eye(x: Any, size: int) -> Any:
        return np.eye(size, dtype=x.dtype)

    @staticmethod
    def number(value: Any, like: Any = None) -> Any:
        return np.float64(value)

    @staticmethod
    def array(values: Any, like: Any) -> Any:
        return np.asarray(values, np.float64)

    @staticmethod
    def sum(x: Any, axis: int | None = None) -> Any:
        return np.sum(x, axis=axis, keepdims=axis is not None)

    @staticmethod
    def max(x: Any, axis: int | None = None) -> Any:
        return np.max(x, axis=axis, keepdims=axis is not None)

    @staticmethod
    def mean(x: Any, axis: int | None = None) -> Any:
        return np.mean(x, axis=axis, keepdims=axis is not None)

    @staticmethod
    def normal(like: Any, key: tuple[int, int], step: Any) -> Any:
        """Standard normals shaped like a parameter; see `lossopt.noise`."""
        counter = np.arange((like.size + 1) // 2, dtype=np.uint32), np.full(1, step, np.uint32)
        both = np.concatenate(normal_pairs(np, key, counter, lambda x: x.astype(np.float64), np.uint32))
        return both[: like.size].reshape(like.shape)

    @staticmethod
    def dot(x: Any, y: Any) -> Any:
        return np.sum(x * y)

    @staticmethod
    def norm(x: Any) -> Any:
        return np.sqrt(np.sum(x * x))

    @staticmethod
    def is_finite(x: Any) -> Any:
        return bool(np.isfinite(x).all())

    @staticmethod
    def is_finite_number(x: Any) -> Any:
        return bool(np.isfinite(x))

    @staticmethod
    def transpose(x: Any) -> Any:
        return np.swapaxes(x, -1, -2)

    reshape, move_axis, triu = staticmethod(np.reshape), staticmethod(np.moveaxis), staticmethod(np.triu)

    @staticmethod
    def select(x: Any, order: Any, axis: int) -> Any:
        return np.take(x, np.asarray(order), axis)

    @staticmethod
    def argsort(x: Any) -> Any:
        return np.argsort(x, kind="stable")

    @staticmethod
    @_nan_of_nan
    def eigh(x: Any) -> Any:
        return np.linalg.eigh(x)

    @staticmethod
    @_nan_of_nan
    def qr(x: Any) -> Any:
        q, r = np.linalg.qr(x)
        sign = np.where(np.diagonal(r) < 0, -1.0, 1.0)
        return q * sign, r * sign[:, None]

    @staticmethod
    @_nan_of_nan
    def svd(x: Any) -> Any:
        u, s, vh = np.linalg.svd(x, full_matrices=False)
        sign = np.where(np.take_along_axis(u, np.abs(u).argmax(0)[None], 0)[0] < 0, -1.0, 1.0)
        return u * sign, s, vh * sign[:, None]

    @staticmethod
    def solve_triangular(lower: Any, x: Any) -> Any:
        return np.linalg.solve(lower, x)


words = Words()
