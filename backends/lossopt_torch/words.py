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

from lossopt.noise import normal_pairs
from lossopt.ops import HostNumbers, log_of_number

BLOCK = 1 << 15
"""Pairs of random numbers made at a time: some hundred operations on whole numbers that stay in the cache."""


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


def _like(x: Tensor, like: Tensor, *, whole: bool = False) -> Tensor:
    """A tensor that every process has made alike, as a DTensor where `like` is one: sharded as it, or `whole` in each process."""
    if type(like) in (Tensor, torch.nn.Parameter) or (whole and x.ndim == 0):
        return x
    mesh, placements = getattr(like, "device_mesh", None), getattr(like, "placements", None)
    if mesh is None or placements is None:
        return x
    from torch.distributed.tensor import Replicate, distribute_tensor

    # src_data_rank=None: nothing is sent, each process takes its part of what it has
    return distribute_tensor(x, mesh, [Replicate()] * mesh.ndim if whole else placements, src_data_rank=None)


def _nan_of_nan(decompose: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    """NaN where a number is not finite: LAPACK would raise.  A decomposition waits for its device anyway."""

    def word(x: Tensor) -> Any:
        if bool(torch.isfinite(x).all()):
            return decompose(x)
        return tuple(torch.full_like(part, math.nan) for part in decompose(torch.zeros_like(x)))

    return word


class Words(HostNumbers):
    """`lossopt.ops.Ops` in PyTorch."""

    sqrt, exp, log = _either(math.sqrt, torch.sqrt), _either(math.exp, torch.exp), _either(log_of_number, torch.log)
    maximum, minimum = _either(max, _tensors(torch.maximum)), _either(min, _tensors(torch.minimum))
    abs = _either(abs, torch.abs)
    norm = staticmethod(torch.linalg.vector_norm)
    zeros_like, full_like = staticmethod(torch.zeros_like), staticmethod(torch.full_like)
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
        return _like(torch.eye(size, dtype=x.dtype, device=x.device), x, whole=True)

    @staticmethod
    def array(values: Any, like: Any) -> Tensor:
        first = like.leaves[0]
        return _like(torch.tensor(values, dtype=torch.promote_types(first.dtype, torch.float32), device=first.device), first, whole=True)

    @classmethod
    def number(cls, value: float, like: Any = None) -> Any:
        """Of one parameter: the host's.  Shared by all: a 0-d tensor on their device, so that nothing has to wait."""
        return float(value) if like is None else cls.array(value, like)

    @staticmethod
    def sum(x: Tensor, axis: int | None = None) -> Tensor:
        return x.sum() if axis is None else x.sum(axis, keepdim=True)

    @staticmethod
    def max(x: Tensor, axis: int | None = None) -> Tensor:
        return x.amax() if axis is None else x.amax(axis, keepdim=True)

    @staticmethod
    def mean(x: Tensor, axis: int | None = None) -> Tensor:
        return x.mean() if axis is None else x.mean(axis, keepdim=True)

    @staticmethod
    def normal(like: Tensor, key: tuple[int, int], step: float) -> Tensor:
        """Standard normals shaped like a parameter; see `lossopt.noise`."""
        count = (like.numel() + 1) // 2
        block = BLOCK if like.device.type == "cpu" else max(count, 1)
        both = torch.empty(2, count, dtype=like.dtype, device=like.device)
        for start in range(0, count, block):
            pair = torch.arange(start, min(start + block, count), device=like.device)
            for row, part in zip(both, normal_pairs(torch, key, (pair, int(step)), lambda x: x.to(like.dtype)), strict=True):
                row[start : start + block] = part
        return _like(both.flatten()[: like.numel()].reshape(like.shape), like)

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

    reshape, move_axis, triu = staticmethod(torch.reshape), staticmethod(torch.movedim), staticmethod(torch.triu)

    @staticmethod
    def select(x: Tensor, order: Any, axis: int) -> Tensor:
        return x.index_select(axis, order if isinstance(order, Tensor) else torch.tensor(list(order), device=x.device))

    @staticmethod
    def argsort(x: Tensor) -> Tensor:
        return torch.argsort(x, stable=True)

    @staticmethod
    @_nan_of_nan
    def eigh(x: Tensor) -> Any:
        return torch.linalg.eigh(x)

    @staticmethod
    @_nan_of_nan
    def qr(x: Tensor) -> Any:
        q, r = torch.linalg.qr(x)
        sign = torch.where(r.diagonal() < 0, -1.0, 1.0).to(x.dtype)
        return q * sign, r * sign[:, None]

    @staticmethod
    @_nan_of_nan
    def svd(x: Tensor) -> Any:
        u, s, vh = torch.linalg.svd(x, full_matrices=False)
        sign = torch.where(u.take_along_dim(u.abs().argmax(0)[None], 0)[0] < 0, -1.0, 1.0).to(x.dtype)
        return u * sign, s, vh * sign[:, None]

    @staticmethod
    def solve_triangular(lower: Tensor, x: Tensor) -> Tensor:
        return torch.linalg.solve_triangular(lower, x, upper=False)


words = Words()
