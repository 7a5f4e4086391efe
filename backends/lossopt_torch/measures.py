"""What a recording measures tensors by: norms, checksums, samples, in few operations and without waiting for the device."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lossopt.recording import contents

ROW, LARGE = 4096, 65_536
"""On a CPU PyTorch sums the squares of float32 one after the other: of 4 million elements the norm is off by 1e-4.  The norm of the
norms of rows is right to rounding, and as fast; it stands in for that of large tensors."""

foreach_norm: Any = torch._foreach_norm  # pyright: ignore[reportPrivateImportUsage]  (torch.nn.utils clips with it)
foreach_copy: Any = torch._foreach_copy_  # pyright: ignore[reportPrivateImportUsage]
foreach_sub: Any = torch._foreach_sub_  # pyright: ignore[reportPrivateImportUsage]


class Norms(NamedTuple):
    """The norms of some tensors, in their precision, or float32 where that is half."""

    names: tuple[str, ...]
    values: Tensor


def norms_of_rows(x: Tensor) -> Tensor:
    """The norm of each row of a matrix."""
    return torch.linalg.vector_norm(x, dim=1, dtype=_wider(x))


def norms(names: tuple[str, ...], tensors: Sequence[Tensor]) -> Norms:
    """The norm of each tensor; they are of one device and dtype."""
    dtype = _wider(tensors[0])
    if not on_host(tensors[0]):
        return Norms(names, torch.stack(foreach_norm(tensors, 2, dtype)))
    large = [i for i, x in enumerate(tensors) if x.numel() > LARGE]
    found = list(foreach_norm(tensors, 2, dtype)) if not large else _norms(tensors, set(large), dtype)
    return Norms(names, torch.stack(found))


def _norms(tensors: Sequence[Tensor], large: Collection[int], dtype: torch.dtype | None) -> list[Tensor]:
    small = [x for i, x in enumerate(tensors) if i not in large]
    found = iter(foreach_norm(small, 2, dtype) if small else ())
    return [_by_rows(x, dtype) if i in large else next(found) for i, x in enumerate(tensors)]


def _wider(x: Tensor) -> torch.dtype | None:
    return torch.float32 if x.dtype in (torch.bfloat16, torch.float16) else None


def _by_rows(x: Tensor, dtype: torch.dtype | None) -> Tensor:
    flat = x.reshape(-1)
    whole = flat.numel() // ROW * ROW
    rows = torch.linalg.vector_norm(flat[:whole].view(-1, ROW), dim=1, dtype=dtype)
    rest = torch.linalg.vector_norm(flat[whole:], dtype=dtype)
    return torch.linalg.vector_norm(torch.cat([rows, rest.reshape(1)]))


def on_host(x: Tensor) -> bool:
    """Whether its values can be looked at without waiting."""
    return x.device.type == "cpu"


def wide(x: Tensor) -> Tensor:
    """As float64, or float32 where the device has no float64."""
    return x.to(torch.float32 if x.device.type == "mps" else torch.float64)


def nonfinite(found: Sequence[Norms], grads: Callable[[], Sequence[Tensor]]) -> list[Tensor]:
    """Numbers that add up to how many elements are infinite or NaN on a CPU, where a norm is; elsewhere to how many norms are.

    An accelerator would have to be waited for, or every gradient be read once more.
    """
    if not all(on_host(of_some.values) for of_some in found):
        return [(~of_some.values.isfinite()).sum() for of_some in found]
    if all(math.isfinite(of_some.values.sum().item()) for of_some in found):
        return []
    return [torch.tensor(sum(int((~g.isfinite()).sum()) for g in grads()))]


def checksum(x: Tensor) -> Tensor:
    """As `lossopt.recording.contents.checksum`, on the array's device, in as few operations as can be."""
    flat = wide(x.detach().reshape(-1))
    squares = (flat @ flat).reshape(1)
    if (apart := contents.stride(flat.numel())) == 1:
        sums = _weights(flat.numel(), x.device, flat.dtype) @ flat
        return torch.cat([sums[:1], squares, sums[1:]])
    some = flat[::apart]
    return torch.cat([flat.sum().reshape(1), squares, _weights(some.numel(), x.device, some.dtype)[1:] @ some])


@functools.lru_cache(maxsize=16)
def _weights(count: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Ones, and the two weights of each place."""
    return torch.as_tensor(np.concatenate([np.ones((1, count)), contents.place_weights(count)]), dtype=dtype, device=device)


def is_plain(x: Tensor) -> bool:
    """Whether it is an ordinary tensor, of which this process holds everything."""
    return type(x) in (Tensor, nn.Parameter)


def local(x: Tensor) -> Tensor:
    """Of a sharded tensor what this process holds."""
    if not is_plain(x) and hasattr(x, "to_local"):
        return x.to_local().detach()  # pyright: ignore[reportAttributeAccessIssue]
    return x


def dense(g: Tensor) -> Tensor:
    """What the norm of a gradient is of: of a sparse one its values."""
    return local(g.coalesce().values() if g.is_sparse else g)


def widened(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def tensors(x: Any) -> Iterator[Tensor]:
    """The tensors among nested mappings, lists and tuples, in order."""
    if isinstance(x, Tensor):
        yield x
    elif isinstance(x, Mapping):
        for item in x.values():
            yield from tensors(item)
    elif isinstance(x, list | tuple):
        for item in x:
            yield from tensors(item)
