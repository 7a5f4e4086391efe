"""Losses in PyTorch: the vocabulary of a loss, and PyTorch's own function where it is the same mathematics."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812

from lossopt.definition import Loss


class Words:
    """`lossopt.ops.LossOps` in PyTorch."""

    sqrt, sign, abs, exp, log = map(staticmethod, (torch.sqrt, torch.sign, torch.abs, torch.exp, torch.log))
    where, zeros_like, sigmoid, xlogy = map(staticmethod, (torch.where, torch.zeros_like, torch.sigmoid, torch.xlogy))
    log_softmax, softmax, clamp_min = map(staticmethod, (torch.log_softmax, torch.softmax, torch.clamp_min))
    norm = staticmethod(torch.linalg.vector_norm)

    @staticmethod
    def maximum(x: Any, y: Any) -> Any:
        return torch.maximum(x, _like(y, x))

    @staticmethod
    def minimum(x: Any, y: Any) -> Any:
        return torch.minimum(x, _like(y, x))

    @staticmethod
    def power(x: Any, exponent: Any) -> Any:
        return torch.where(x == 0, 0.0**exponent, torch.where(x == 0, 1.0, x) ** exponent)

    @staticmethod
    def softplus(x: Any) -> Any:
        return -F.logsigmoid(-x)  # F.softplus turns linear above 20 and so drops 2e-9 there

    @staticmethod
    def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return x if axis == () else torch.sum(x, dim=axis, keepdim=keepdims)  # to PyTorch no axes are all axes

    @staticmethod
    def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return x if axis == () else torch.mean(x, dim=axis, keepdim=keepdims)

    @staticmethod
    def pick(x: Any, labels: Any, axis: int) -> Any:
        inside = (labels >= 0) & (labels < x.shape[axis])
        found = torch.gather(x, axis, torch.where(inside, labels, 0).unsqueeze(axis)).squeeze(axis)
        return torch.where(inside, found, torch.nan)

    @staticmethod
    def one_hot(labels: Any, classes: int, axis: int, like: Any) -> Any:
        labels = labels.unsqueeze(axis)
        shape = [classes if i == axis else 1 for i in range(labels.dim())]
        hot = (labels == torch.arange(classes, device=labels.device).reshape(shape)).to(like.dtype)
        return torch.where((labels >= 0) & (labels < classes), hot, torch.nan)

    @staticmethod
    def take(values: Any, labels: Any, like: Any) -> Any:
        table = _like(values, like)
        inside = (labels >= 0) & (labels < table.shape[0])
        return torch.where(inside, table[torch.where(inside, labels, 0)], torch.nan)

    @staticmethod
    def along(values: Any, axis: int, like: Any) -> Any:
        return _like(values, like).reshape([-1 if i == axis else 1 for i in range(like.dim())])

    @staticmethod
    def array(values: Any, like: Any) -> Any:
        return _like(values, like)

    @staticmethod
    def cast(x: Any, like: Any) -> Any:
        return x.to(like.dtype)

    @staticmethod
    def stop_gradient(x: Any) -> Any:
        return x.detach()

    @staticmethod
    def is_floating(x: Any) -> bool:
        return x.is_floating_point()

    @staticmethod
    def seen(x: Any) -> Any:
        if torch.compiler.is_compiling() or x.device.type != "cpu" or type(x) not in (torch.Tensor, torch.nn.Parameter):
            return None
        try:
            return x.detach().numpy() if x.dtype != torch.bfloat16 else x.detach().float().numpy()
        except RuntimeError:  # under torch.func's transforms a tensor has no values to look at
            return None


words = Words()


def _like(values: Any, like: torch.Tensor) -> torch.Tensor:
    return torch.as_tensor(values, dtype=like.dtype, device=like.device)


def carry(body: Callable[..., Any], inputs: tuple[Any, ...]) -> Any:
    """`body` of the inputs in one floating dtype: half precision is computed in float32, and the result rounded once."""
    dtype = functools.reduce(torch.promote_types, [x.dtype for x in inputs if x.is_floating_point()])
    wide = torch.promote_types(dtype, torch.float32)
    found = body(*(x.to(wide if x.is_floating_point() else torch.int64) for x in inputs))
    return found.to(dtype)


# ------------------------------------------------------------------------------------------------- PyTorch's own
def _cross_entropy(x: Any, t: Any, reduction: str, *, weight: Any, ignore_index: int | None, label_smoothing: float, axis: int) -> Any:
    if not _classes_second(x, axis):
        return None
    if t.is_floating_point():
        ignore_index = None
    elif words.seen(t) is None:
        return None
    return F.cross_entropy(x, t, _weight(weight, x), ignore_index=_ignored(ignore_index), reduction=reduction, label_smoothing=label_smoothing)


def _nll_loss(x: Any, t: Any, reduction: str, *, weight: Any, ignore_index: int | None, axis: int) -> Any:
    if not _classes_second(x, axis) or words.seen(t) is None:
        return None
    return F.nll_loss(x, t, _weight(weight, x), ignore_index=_ignored(ignore_index), reduction=reduction)


def _kl_div(x: Any, t: Any, reduction: str, *, log_target: bool, axis: int | None) -> Any:
    return F.kl_div(x, t, reduction=reduction, log_target=log_target) if axis is None and x.dim() else None


def _cosine_embedding_loss(x1: Any, x2: Any, t: Any, reduction: str, *, margin: float) -> Any:
    if x1.dim() > 2 or words.seen(t) is None:
        return None
    return F.cosine_embedding_loss(x1, x2, t, margin=margin, reduction=reduction)


def _triplet_margin_loss(anchor: Any, positive: Any, negative: Any, reduction: str, *, margin: float, p: float, eps: float, swap: bool,
                         eps_in: str) -> Any:  # fmt: skip
    if eps_in != "difference":
        return None
    return F.triplet_margin_loss(anchor, positive, negative, margin=margin, p=p, eps=eps, swap=swap, reduction=reduction)


def _binary_cross_entropy(x: Any, t: Any, reduction: str, *, weight: Any, pos_weight: Any) -> Any:
    return F.binary_cross_entropy_with_logits(x, t.to(x.dtype), _weight(weight, x), pos_weight=_weight(pos_weight, x), reduction=reduction)


def _weight(weight: Any, like: torch.Tensor) -> torch.Tensor | None:
    return None if weight is None else _like(weight, like)


def _classes_second(x: torch.Tensor, axis: int) -> bool:
    return x.dim() == 1 or axis % x.dim() == 1


def _ignored(ignore_index: int | None) -> int:
    """Labels that were looked at and found to be classes are never -100: nothing is ignored."""
    return -100 if ignore_index is None else ignore_index


NATIVE: Mapping[str, Callable[..., Any]] = {
    "cross_entropy": _cross_entropy,
    "nll_loss": _nll_loss,
    "kl_div": _kl_div,
    "cosine_embedding_loss": _cosine_embedding_loss,
    "triplet_margin_loss": _triplet_margin_loss,
    "binary_cross_entropy_with_logits": _binary_cross_entropy,
    "mse_loss": lambda x, t, reduction: F.mse_loss(x, t, reduction=reduction),
    "l1_loss": lambda x, t, reduction: F.l1_loss(x, t, reduction=reduction),
    "huber_loss": lambda x, t, reduction, *, delta: F.huber_loss(x, t, reduction=reduction, delta=delta),
    "smooth_l1_loss": lambda x, t, reduction, *, beta: F.smooth_l1_loss(x, t, reduction=reduction, beta=beta),
}
"""PyTorch's own functions by definition, each equal to the definition's text in value and gradient; None where it does not cover the case.

Labels that cannot be looked at (on an accelerator, or compiled) go to the text: PyTorch's kernels stop the process on
a label that is no class, the text gives NaN.
"""


def native(definition: Loss, inputs: tuple[Any, ...], hyperparameters: Mapping[str, Any], reduction: str) -> Callable[[], Any] | None:
    """PyTorch's own function of these inputs, ready to be called, where it is the very same mathematics."""
    function = NATIVE.get(definition.name)
    if function is None:
        return None
    found = function(*inputs, reduction, **hyperparameters)
    return None if found is None else lambda: found
