"""linear_cross_entropy in PyTorch, some samples at a time: the gradient is taken while a chunk's logits are there.

PyTorch's own chunked form (``torch.nn.LinearCrossEntropyOptions``, 2.13) has no label smoothing and no probabilities, is
refused by torch.func, and gives gradients that cannot be differentiated again and do not say so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from lossopt.losses.shared.parts import rows_at_a_time


class Plan(NamedTuple):
    """What is no tensor: samples in a chunk, the smoothing of probabilities, and whether the forward pass takes gradients."""

    rows: int
    smoothing: float
    early: bool


def linear_cross_entropy(x: Any, matrix: Any, targets: Any, *, linear_bias: Any, weight: Any, ignore_index: int | None,
                         label_smoothing: float, chunk_size: int | None, reduction: str) -> Callable[[], Any] | None:  # fmt: skip
    """The loss in chunks, ready to be called; None where one chunk holds it all, or targets or weights are differentiated."""
    rows, lead = rows_at_a_time(chunk_size, matrix.shape[0]), x.shape[:-1]
    bias, weight = (None if v is None else torch.as_tensor(v, dtype=x.dtype, device=x.device) for v in (linear_bias, weight))
    if lead.numel() <= rows or targets.requires_grad or (weight is not None and weight.requires_grad):
        return None

    def chunked() -> Any:
        samples, wanted = x.reshape(-1, x.shape[-1]), targets.reshape(lead.numel(), *targets.shape[len(lead):])
        own, even, counts = None, None, lead.numel()
        if not targets.is_floating_point():
            wanted, own, even, counts = _shares(wanted, weight, ignore_index, label_smoothing, matrix)
        plan = Plan(rows, label_smoothing, reduction != "none" and torch.is_grad_enabled())
        values = Chunked.apply(samples, matrix, bias, wanted, own, even, weight, plan)[0]
        if reduction == "none":
            return values.reshape(lead)
        return values.sum() if reduction == "sum" else values.sum() / counts

    return chunked


def _shares(labels: Any, weight: Any, ignore_index: int | None, smoothing: float, like: Any) -> tuple[Any, Any, Any, Any]:
    """Labels that are classes, each one's own share of the target and that of every class, and the mean's divisor."""
    kept = torch.ones_like(labels, dtype=torch.bool) if ignore_index is None else labels != ignore_index
    labels = torch.where(kept, labels, 0)
    inside = (labels >= 0) & (labels < like.shape[0])
    labels = torch.where(inside, labels, 0)
    kept = torch.where(inside, kept.to(like.dtype), torch.nan)
    counts = kept if weight is None else kept * weight[labels]
    return labels, counts * (1 - smoothing), kept * (smoothing / like.shape[0]) if smoothing else None, counts.sum()


class Chunked(torch.autograd.Function):
    """One value per sample, or with ``plan.early`` their sum; and the gradients of the sum with respect to x, matrix and bias."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any, matrix: Any, bias: Any, targets: Any, own: Any, even: Any, weight: Any, plan: Plan) -> Any:
        with _full_precision(x):
            values, slopes = _run(x, matrix, bias, targets, own, even, weight, plan, None, plan.early)
        return (values.sum() if plan.early else values), *slopes

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
        *tensors, ctx.plan = inputs
        ctx.mark_non_differentiable(*(slope for slope in output[1:] if slope is not None))
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors, *output[1:])

    @staticmethod
    def backward(ctx: Any, *upstreams: Any) -> Any:
        upstream = upstreams[0]
        x, matrix, bias, targets, own, even, weight, *slopes = ctx.saved_tensors
        with _full_precision(x):
            if torch.is_grad_enabled():  # to be differentiated again
                slopes = _slopes(x, matrix, bias, targets, own, even, weight, ctx.plan.smoothing, upstream)
            elif ctx.plan.early:
                slopes = [None if slope is None else upstream * slope for slope in slopes]
            else:
                slopes = _run(x, matrix, bias, targets, own, even, weight, ctx.plan, upstream, True)[1]
        return (*slopes, None, None, None, None, None)


def _full_precision(x: Any) -> Any:
    """Without autocast, which would round a matrix product's factors to half precision."""
    return torch.autocast(x.device.type, enabled=False)


def _run(x: Any, matrix: Any, bias: Any, targets: Any, own: Any, even: Any, weight: Any, plan: Plan, upstream: Any,
         differentiate: bool) -> tuple[Any, tuple[Any, Any, Any]]:  # fmt: skip
    """The values, and the gradients of their sum (of ``values @ upstream``)."""
    values, of_x, of_matrix, of_bias = [], [], None, None
    for start in range(0, len(x), plan.rows):
        part = slice(start, start + plan.rows)
        logits = x[part] @ matrix.T if bias is None else torch.addmm(bias, x[part], matrix.T)
        own_part, even_part = (None if share is None else share[part] for share in (own, even))
        target = _Target(targets[part], own_part, even_part, weight, plan.smoothing)
        values.append(_value_of(logits, target, differentiate))
        if differentiate:
            if upstream is not None:
                logits.mul_(upstream[part, None])
            of_x.append(logits @ matrix)
            of_matrix = logits.T @ x[part] if of_matrix is None else of_matrix.addmm_(logits.T, x[part])
            if bias is not None:
                of_bias = logits.sum(0) if of_bias is None else of_bias.add_(logits.sum(0))
    return torch.cat(values), (torch.cat(of_x) if of_x else None, of_matrix, of_bias)


class _Target(NamedTuple):
    """A chunk's target distribution: ``own`` at each label and ``even * weight`` everywhere, or smoothed probabilities."""

    targets: Any
    own: Any
    even: Any
    weight: Any
    smoothing: float

    def probabilities(self, classes: int) -> Any:
        smooth = self.targets * (1 - self.smoothing) + self.smoothing / classes
        return smooth if self.weight is None else smooth * self.weight

    def spread(self, classes: int) -> Any:
        """What every class gets, one number or one for each."""
        return self.even[:, None] if self.weight is None else self.even[:, None] * self.weight


def _value_of(logits: Any, target: _Target, differentiate: bool) -> Any:
    """``-sum_k q_k log p_k`` of each row; `logits` is overwritten, with the value's gradient if that is wanted."""
    logits.sub_(logits.amax(1, keepdim=True))
    labels, own, even, weight, _ = target
    probabilities = None
    if own is None:
        probabilities = target.probabilities(logits.shape[1])
        mass, linear = probabilities.sum(1), (probabilities * logits).sum(1)
    else:
        mass, linear = own, own * logits.gather(1, labels[:, None])[:, 0]
        if even is not None:
            mass = mass + even * (logits.shape[1] if weight is None else weight.sum())
            linear = linear + even * (logits.sum(1) if weight is None else logits @ weight)
    total = logits.exp_().sum(1)
    if differentiate:
        logits.mul_((mass / total)[:, None])
        if own is None:
            logits.sub_(probabilities)
        else:
            logits.scatter_add_(1, labels[:, None], -own[:, None])
            if even is not None:
                logits.sub_(target.spread(logits.shape[1]))
    return torch.where(mass == 0, 0.0, mass * total.log() - linear)


def _slopes(x: Any, matrix: Any, bias: Any, targets: Any, own: Any, even: Any, weight: Any, smoothing: float, upstream: Any) -> Any:
    """The gradients once more, of all logits and by operations that PyTorch can differentiate."""
    logits = x @ matrix.T if bias is None else torch.addmm(bias, x, matrix.T)
    target = _Target(targets, own, even, weight, smoothing)
    if own is None:
        wanted = target.probabilities(logits.shape[1])
    else:
        wanted = torch.zeros_like(logits).scatter_add(1, targets[:, None], own[:, None])
        wanted = wanted if even is None else wanted + target.spread(logits.shape[1])
    slope = upstream[..., None] * (wanted.sum(1, keepdim=True) * torch.softmax(logits, 1) - wanted)
    return slope @ matrix, slope.T @ x, None if bias is None else slope.sum(0)
