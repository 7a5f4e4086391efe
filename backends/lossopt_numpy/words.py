"""The optimizer's vocabulary in NumPy, float64.  Numbers are Python floats."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossopt.ops import HostNumbers


class Words(HostNumbers):
    """`lossopt.ops.Ops` in NumPy."""

    sqrt, sign, abs, exp = staticmethod(np.sqrt), staticmethod(np.sign), staticmethod(np.abs), staticmethod(np.exp)
    log = staticmethod(np.log)
    maximum, minimum, sum, max = staticmethod(np.maximum), staticmethod(np.minimum), staticmethod(np.sum), staticmethod(np.max)
    zeros_like, full_like, eigh = staticmethod(np.zeros_like), staticmethod(np.full_like), staticmethod(np.linalg.eigh)

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
    def mean(x: Any, axis: int | None = None) -> Any:
        return np.mean(x, axis=axis, keepdims=axis is not None)

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


words = Words()
