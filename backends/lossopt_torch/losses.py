"""Losses in PyTorch: the vocabulary of a loss, and PyTorch's own function where it is the same mathematics."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F

from lossopt.definition import Loss
from lossopt_torch import fused


class Words:
    """`lossopt.ops.LossOps` in PyTorch."""

    sqrt, sign, abs, exp = staticmethod(torch.sqrt), staticmethod(torch.sign), staticmethod(torch.abs), staticmethod(torch.exp)
    log, log1p, cumsum = staticmethod(torch.log), staticmethod(torch.log1p), staticmethod(torch.cumsum)
    log_softmax, softmax = staticmethod(torch.log_softmax), staticmethod(torch.softmax)
    where, zeros_like, xlogy = staticmethod(torch.where), staticmethod(torch.zeros_like), staticmethod(torch.xlogy)
    sigmoid, clamp_min = staticmethod(torch.sigmoid), staticmethod(torch.clamp_min)
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
    def sort(x: Any, axis: int) -> Any:
        return torch.sort(x, dim=axis, descending=True).values

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
    def inner(x: Any, y: Any) -> Any:
        with torch.autocast(x.device.type, enabled=False):  # which would round a matrix product's factors to half precision
            return torch.inner(x, y)

    @staticmethod
    def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return torch.amax(x, dim=() if axis is None else axis, keepdim=keepdims)

    @staticmethod
    def eye(x: Any, rows: int, columns: int) -> Any:
        return torch.eye(rows, columns, dtype=x.dtype, device=x.device)

    logaddexp, logsumexp = staticmethod(torch.logaddexp), staticmethod(torch.logsumexp)
    gather, concat, swap_axes = staticmethod(torch.take_along_dim), staticmethod(torch.cat), staticmethod(torch.swapaxes)

    @staticmethod
    def arange(count: int, like: Any) -> Any:
        return torch.arange(count, device=like.device)

    @staticmethod
    def scan(body: Callable[[Any, Any], Any], carry: Any, xs: tuple[Any, ...]) -> Any:
        outs = []
        for entries in zip(*(x.unbind(0) for x in xs), strict=True):
            carry, out = body(carry, entries)
            outs.append(out)
        return carry, tuple(torch.stack(parts) for parts in zip(*outs, strict=True))

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
    return tuple(x.to(dtype) for x in found) if isinstance(found, tuple) else found.to(dtype)


# ------------------------------------------------------------------------------------------------- PyTorch's own
Ready = Callable[[], Any]


def _cross_entropy(x: Any, t: Any, *, weight: Any, ignore_index: int | None, label_smoothing: float, axis: int,
                   reduction: str) -> Ready | None:  # fmt: skip
    if not _classes_second(x, axis) or not (t.is_floating_point() or _looked_at(t)):
        return None
    ignored: dict[str, Any] = {} if t.is_floating_point() else _ignored(ignore_index)
    factors = _like_or_none(weight, x)
    return functools.partial(F.cross_entropy, x, t, factors, label_smoothing=label_smoothing, reduction=reduction, **ignored)


def _nll_loss(x: Any, t: Any, *, weight: Any, ignore_index: int | None, axis: int, reduction: str) -> Ready | None:
    if not _classes_second(x, axis) or not _looked_at(t):
        return None
    return functools.partial(F.nll_loss, x, t, _like_or_none(weight, x), reduction=reduction, **_ignored(ignore_index))


def _binary_cross_entropy(x: Any, t: Any, *, weight: Any, pos_weight: Any, reduction: str) -> Ready:
    factors = {"weight": _like_or_none(weight, x), "pos_weight": _like_or_none(pos_weight, x)}
    return functools.partial(F.binary_cross_entropy_with_logits, x, t.to(x.dtype), reduction=reduction, **factors)


def _ctc_loss(x: Any, t: Any, frames: Any, lengths: Any, *, blank: int, zero_infinity: bool, log_epsilon: float | None,
              lengths_are: str, time_major: bool, mean_per_label: bool, reduction: str) -> Ready | None:  # fmt: skip
    """Of a batch whose lengths can be looked at; PyTorch's kernel differentiates log-probabilities as if they were logits, as we do."""
    plain = (log_epsilon, lengths_are) == (None, "lengths") and (mean_per_label or reduction != "mean")
    if not plain or not (_looked_at(frames) and _looked_at(lengths) and _looked_at(t)):
        return None
    if not x.isfinite().all():  # of a class of probability 0 the kernel's gradient is NaN
        return None
    log_probs = torch.log_softmax(x if time_major else x.transpose(0, 1), -1)
    return functools.partial(F.ctc_loss, log_probs, t, frames, lengths, blank, reduction, zero_infinity)


def _like_or_none(values: Any, like: torch.Tensor) -> torch.Tensor | None:
    return None if values is None else _like(values, like)


def _classes_second(x: torch.Tensor, axis: int) -> bool:
    return x.dim() == 1 or axis % x.dim() == 1


def _looked_at(labels: torch.Tensor) -> bool:
    """Whether the check has seen the labels.

    On others PyTorch's kernels stop the process at a label that is no class; the text gives NaN.
    """
    return words.seen(labels) is not None


def _ignored(ignore_index: int | None) -> dict[str, int]:
    """None ignores no label: of labels that are all classes PyTorch's -100 ignores none either."""
    return {} if ignore_index is None else {"ignore_index": ignore_index}


def _binary_probabilities(x: Any, t: Any, *, weight: Any, clip: float | None, reduction: str) -> Ready | None:
    """PyTorch stops at what is no probability, so only of what the check has seen; its slope in t is infinite at 0 and 1."""
    if clip is not None or t.requires_grad or not (_looked_at(x) and _looked_at(t)):
        return None
    return functools.partial(F.binary_cross_entropy, x, t.to(x.dtype), _like_or_none(weight, x), reduction=reduction)


def _regression(function: Callable[..., Any]) -> Callable[..., Ready | None]:
    """With a weight per element PyTorch composes it too, and before 2.13 its functions do not take one."""

    def row(x: Any, t: Any, *, weight: Any = None, **options: Any) -> Ready | None:
        return functools.partial(function, x, t, **options) if weight is None else None

    return row


NATIVE: Mapping[str, Callable[..., Ready | None]] = {
    "ctc_loss": _ctc_loss,
    "linear_cross_entropy": fused.linear_cross_entropy,
    "cross_entropy": _cross_entropy,
    "nll_loss": _nll_loss,
    "binary_cross_entropy_with_logits": _binary_cross_entropy,
    "binary_cross_entropy": _binary_probabilities,
    "mse_loss": _regression(F.mse_loss),
    "l1_loss": _regression(F.l1_loss),
    "huber_loss": _regression(F.huber_loss),
    "smooth_l1_loss": _regression(F.smooth_l1_loss),
}
"""PyTorch's own function by definition, each equal to the definition's text in value and gradient.

A row is here where PyTorch has a kernel for it: mse, huber, smooth_l1 and binary cross-entropy take a half to a tenth
of the text's time.  kl_div, cosine_embedding_loss and triplet_margin_loss are compositions in PyTorch too, as fast as the text.
The kernels of multi_margin_loss and multilabel_margin_loss have no second derivative, that of soft_margin_loss overflows.
"""


def native(definition: Loss, inputs: tuple[Any, ...], hyperparameters: Mapping[str, Any], reduction: str) -> Ready | None:
    """PyTorch's own function of these inputs, ready to be called; None where it is not the very same mathematics."""
    row = NATIVE.get(definition.name)
    return None if row is None else row(*inputs, **hyperparameters, reduction=reduction)
