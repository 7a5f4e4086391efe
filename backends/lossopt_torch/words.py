"""The optimizer's vocabulary in PyTorch.

A number is a Python float on the host: float64, rounded once when it meets a tensor, and no device is ever asked for
it.  In a plural rule a reduction gives a 0-d tensor, which stays on its device.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lossopt.ops import HostNumbers


def _either(on_number: Callable[..., Any], on_tensor: Callable[..., Any]) -> staticmethod[..., Any]:
    """A word that is arithmetic on the host for numbers, and torch's for tensors."""

    def word(*args: Any) -> Any:
        return on_tensor(*args) if any(isinstance(a, Tensor) for a in args) else on_number(*args)

    return staticmethod(word)


def _tensors(fn: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Any, Any], Tensor]:
    """torch.maximum and minimum take no numbers; a number becomes a 0-d tensor where the other one lives."""

    def call(x: Any, y: Any) -> Tensor:
        like = x if isinstance(x, Tensor) else y
        return fn(*(v if isinstance(v, Tensor) else like.new_tensor(v) for v in (x, y)))

    return call


def _lerp(start: Any, end: Any, weight: Any) -> Any:
    if isinstance(start, Tensor) and isinstance(end, Tensor) and not isinstance(weight, Tensor):
        return torch.lerp(start, end, weight)
    return start + weight * (end - start)


def _where(condition: Any, x: Any, y: Any) -> Any:
    if not isinstance(condition, Tensor):
        return x if condition else y
    if not isinstance(x, Tensor) and not isinstance(y, Tensor):  # else torch would choose the default dtype
        x = torch.tensor(x, dtype=torch.float64, device=condition.device)
    return torch.where(condition, x, y)


class Words(HostNumbers):
    """`lossopt.ops.Ops` in PyTorch."""

    sqrt, exp, log = _either(math.sqrt, torch.sqrt), _either(math.exp, torch.exp), _either(math.log, torch.log)
    maximum, minimum = _either(max, _tensors(torch.maximum)), _either(min, _tensors(torch.minimum))
    abs = _either(abs, torch.abs)
    sum, max, norm = staticmethod(torch.sum), staticmethod(torch.amax), staticmethod(torch.linalg.vector_norm)
    zeros_like, full_like, eigh = staticmethod(torch.zeros_like), staticmethod(torch.full_like), staticmethod(torch.linalg.eigh)
    lerp, where = staticmethod(_lerp), staticmethod(_where)

    @staticmethod
    def sign(x: Tensor) -> Tensor:
        """torch.sign(nan) is 0, which would make a NaN gradient a silent step of nothing; here NaN stays NaN."""
        return torch.where(x.isnan(), x, torch.sign(x))

    @staticmethod
    def cast(x: Tensor, dtype: Any) -> Tensor:
        return x.to(getattr(torch, dtype) if isinstance(dtype, str) else dtype)

    @staticmethod
    def eye(x: Tensor, size: int) -> Tensor:
        return torch.eye(size, dtype=x.dtype, device=x.device)

    @staticmethod
    def array(values: Any, like: Any) -> Tensor:
        first = like.leaves[0]
        return torch.tensor(values, dtype=torch.promote_types(first.dtype, torch.float32), device=first.device)

    @classmethod
    def number(cls, value: float, like: Any = None) -> Any:
        """Of one parameter: the host's.  Shared by all: a 0-d tensor on their device, so that nothing has to wait."""
        return float(value) if like is None else cls.array(value, like)

    @staticmethod
    def mean(x: Tensor, axis: int | None = None) -> Tensor:
        return x.mean() if axis is None else x.mean(axis, keepdim=True)

    @staticmethod
    def dot(x: Tensor, y: Tensor) -> Tensor:
        return (x * y).sum()

    @staticmethod
    def is_finite(x: Tensor) -> Tensor:
        return torch.isfinite(x).all()

    is_finite_number = staticmethod(torch.isfinite)

    @staticmethod
    def transpose(x: Tensor) -> Tensor:
        return x.mT


words = Words()
