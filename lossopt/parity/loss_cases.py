"""Losses beside the frameworks' own: one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossopt.parity.case import LossCase

Rng = np.random.Generator
WEIGHT = (0.5, 2.0, 1.0, 0.25, 1.5)
"""One factor for each of the five classes below."""


# ------------------------------------------------------------------------------------------------- inputs
def labelled(*shape: int, axis: int = 1, ignored: int | None = None) -> Callable[[Rng], tuple[Any, ...]]:
    """Logits with classes on `axis`, and labels; every fourth label is the ignored one, where there is one."""

    def make(rng: Rng) -> tuple[Any, ...]:
        logits = rng.normal(size=shape) * 3
        labels = rng.integers(0, shape[axis], np.delete(shape, axis))
        if ignored is not None:
            labels.reshape(-1)[::4] = ignored
        return logits, labels

    return make


def log_labelled(*shape: int, axis: int = 1, ignored: int | None = None) -> Callable[[Rng], tuple[Any, ...]]:
    """The same with log-probabilities."""

    def make(rng: Rng) -> tuple[Any, ...]:
        logits, labels = labelled(*shape, axis=axis, ignored=ignored)(rng)
        return np.log(_softmax(logits, axis)), labels

    return make


def soft(*shape: int, axis: int = 1) -> Callable[[Rng], tuple[Any, ...]]:
    """Logits and class probabilities."""
    return lambda rng: (rng.normal(size=shape) * 3, _softmax(rng.normal(size=shape), axis))


def masked(*shape: int, axis: int | None = 1) -> Callable[[Rng], tuple[Any, ...]]:
    """Logits and masks of 0.0 and 1.0: one-hot along `axis`, or with None and over one class independent."""

    def make(rng: Rng) -> tuple[Any, ...]:
        logits = rng.normal(size=shape) * 3
        if axis is None or shape[axis] == 1:
            return logits, (rng.uniform(size=shape) < 0.4).astype(float)
        labels = rng.integers(0, shape[axis], np.delete(shape, axis))
        return logits, np.moveaxis(np.eye(shape[axis])[labels], -1, axis)

    return make


def real(*shape: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Two arrays of numbers, some entries equal: the kink of an absolute error."""

    def make(rng: Rng) -> tuple[Any, ...]:
        x, t = rng.normal(size=shape) * 2, rng.normal(size=shape)
        x.reshape(-1)[::5] = t.reshape(-1)[::5]
        return x, t

    return make


def binary(*shape: int, whole: bool = False) -> Callable[[Rng], tuple[Any, ...]]:
    """Logits and probabilities, or with `whole` 0.0 and 1.0."""

    def make(rng: Rng) -> tuple[Any, ...]:
        t = rng.uniform(size=shape)
        return rng.normal(size=shape) * 4, np.round(t) if whole else t

    return make


def divergence(*shape: int, log_target: bool = False) -> Callable[[Rng], tuple[Any, ...]]:
    """Log-probabilities, and probabilities with some of exactly 0, or their logarithms."""

    def make(rng: Rng) -> tuple[Any, ...]:
        x, t = np.log(_softmax(rng.normal(size=shape), -1)), _softmax(rng.normal(size=shape), -1)
        if log_target:
            return x, np.log(t)
        t[..., 0] = 0.0
        return x, t / t.sum(-1, keepdims=True)

    return make


def pairs(*shape: int, other: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Two embeddings, and whether each pair is similar (1) or not (`other`)."""

    def make(rng: Rng) -> tuple[Any, ...]:
        return rng.normal(size=shape), rng.normal(size=shape), np.where(np.arange(shape[0]) % 3 == 0, 1, other)

    return make


def triplets(*shape: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Anchors, positives near them and negatives."""

    def make(rng: Rng) -> tuple[Any, ...]:
        anchor = rng.normal(size=shape)
        return anchor, anchor + 0.5 * rng.normal(size=shape), rng.normal(size=shape)

    return make


def _softmax(x: Any, axis: int) -> Any:
    grown = np.exp(x - x.max(axis, keepdims=True))
    return grown / grown.sum(axis, keepdims=True)


# ------------------------------------------------------------------------------------------------- the frameworks' own
def functional(name: str, **options: Any) -> Callable[..., Any]:
    """A function of ``torch.nn.functional``; `weight` and `pos_weight` become tensors."""

    def call(torch: Any, *tensors: Any) -> Any:
        given = {k: torch.tensor(v, dtype=tensors[0].dtype) if k in ("weight", "pos_weight") else v for k, v in options.items()}
        return getattr(torch.nn.functional, name)(*tensors, **given)

    return call


def own(name: str, **options: Any) -> Callable[..., Any]:
    """A function of ``optax.losses``."""
    return lambda optax, jnp, *arrays: getattr(optax.losses, name)(*arrays, **options)


def case(name: str, inputs: Callable[[Rng], tuple[Any, ...]], *, torch: Any = None, optax: Any = None, **options: Any) -> LossCase:
    return LossCase(name, options, inputs, torch, optax)


def same(name: str, inputs: Callable[[Rng], tuple[Any, ...]], **options: Any) -> LossCase:
    """A row whose name and options are PyTorch's own."""
    return case(name, inputs, torch=functional(name, **options), **options)


def _smoothed(optax: Any, jnp: Any, logits: Any, labels: Any) -> Any:
    hot = jnp.eye(logits.shape[-1], dtype=logits.dtype)[labels]
    return optax.losses.softmax_cross_entropy(logits, optax.losses.smooth_labels(hot, 0.1))


def _torchvision_focal(torch: Any, x: Any, t: Any) -> Any:
    """The formula of torchvision.ops.sigmoid_focal_loss at its defaults, with a mean."""
    p = torch.sigmoid(x)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="none")
    missed = 1 - (p * t + (1 - p) * (1 - t))
    return ((0.25 * t + 0.75 * (1 - t)) * missed**2 * entropy).mean()


def _torch_focal(torch: Any, x: Any, labels: Any) -> Any:
    """The multiclass focal loss as it is commonly written in PyTorch."""
    entropy = torch.nn.functional.cross_entropy(x, labels, reduction="none")
    return ((1 - torch.exp(-entropy)) ** 2 * entropy).mean()


def _torch_dice(torch: Any, x: Any, truth: Any) -> Any:
    p = torch.softmax(x, 1)
    return (1 - (2 * (p * truth).sum((2, 3)) + 1) / ((p + truth).sum((2, 3)) + 1)).mean()


def _torch_dice_ce(torch: Any, x: Any, truth: Any) -> Any:
    return _torch_dice(torch, x, truth) + torch.nn.functional.cross_entropy(x, truth)


def _torch_contrastive(torch: Any, a: Any, b: Any, y: Any) -> Any:
    d = torch.nn.functional.pairwise_distance(a, b, eps=0.0)
    return torch.where(y == 1, d**2, torch.relu(1 - d) ** 2).mean() / 2


REGRESSION = tuple(
    row
    for reduction in ("mean", "sum", "none")
    for row in (
        same("mse_loss", real(4, 3, 2), reduction=reduction),
        same("l1_loss", real(4, 3, 2), reduction=reduction),
        same("huber_loss", real(4, 3, 2), delta=0.7, reduction=reduction),
        same("smooth_l1_loss", real(4, 3, 2), beta=0.7, reduction=reduction),
    )
)

LOSS_CASES: tuple[LossCase, ...] = (
    *REGRESSION,
    case("mse_loss", real(6, 3), convention="optax", optax=own("squared_error")),
    case("mse_loss", real(6, 3), convention="keras"),
    case("l1_loss", real(6, 3), convention="optax"),
    case("l1_loss", real(6, 3), convention="keras"),
    same("huber_loss", real()),
    case("huber_loss", real(6, 3), convention="optax", delta=0.7, optax=own("huber_loss", delta=0.7)),
    case("huber_loss", real(6, 3), convention="keras"),
    same("smooth_l1_loss", real(6, 3), beta=0.0),
    case("smooth_l1_loss", real(6, 3), convention="optax", optax=own("huber_loss", delta=1.0)),
    same("cross_entropy", labelled(8, 5)),
    same("cross_entropy", labelled(8, 5), reduction="sum"),
    same("cross_entropy", labelled(8, 5), reduction="none"),
    same("cross_entropy", labelled(5, axis=0)),
    same("cross_entropy", labelled(2, 5, 3, 4)),
    same("cross_entropy", labelled(8, 5), weight=WEIGHT),
    same("cross_entropy", labelled(8, 5, ignored=-100)),
    same("cross_entropy", labelled(2, 5, 3, ignored=4), weight=WEIGHT, ignore_index=4),
    same("cross_entropy", labelled(8, 5), label_smoothing=0.1),
    same("cross_entropy", labelled(8, 5, ignored=-100), weight=WEIGHT, label_smoothing=0.1),
    same("cross_entropy", labelled(8, 5, ignored=-100), weight=WEIGHT, label_smoothing=0.1, reduction="none"),
    same("cross_entropy", soft(8, 5)),
    same("cross_entropy", soft(2, 5, 3), weight=WEIGHT, label_smoothing=0.1),
    same("cross_entropy", soft(2, 5, 3), weight=WEIGHT, reduction="none"),
    case("cross_entropy", labelled(2, 3, 5, axis=2), convention="optax", optax=own("softmax_cross_entropy_with_integer_labels")),
    case("cross_entropy", soft(2, 3, 5, axis=2), convention="optax", optax=own("softmax_cross_entropy")),
    case("cross_entropy", soft(2, 5, 3), convention="optax", axis=1, optax=own("softmax_cross_entropy", axis=1)),
    case("cross_entropy", labelled(8, 5), convention="optax", label_smoothing=0.1, optax=_smoothed),
    case("cross_entropy", labelled(2, 3, 5, axis=2), convention="keras"),
    same("nll_loss", log_labelled(8, 5)),
    same("nll_loss", log_labelled(2, 5, 3, ignored=-100), weight=WEIGHT),
    same("nll_loss", log_labelled(8, 5), weight=WEIGHT, reduction="sum"),
    same("nll_loss", log_labelled(8, 5, ignored=1), ignore_index=1, reduction="none"),
    case("nll_loss", log_labelled(2, 3, 5, axis=2), convention="optax"),
    same("binary_cross_entropy_with_logits", binary(6, 3)),
    same("binary_cross_entropy_with_logits", binary(6, 3, whole=True), reduction="sum"),
    same("binary_cross_entropy_with_logits", binary(6, 3), weight=(0.5, 2.0, 1.0), pos_weight=(3.0, 1.0, 0.5)),
    same("binary_cross_entropy_with_logits", binary(6, 3), pos_weight=2.0, reduction="none"),
    case("binary_cross_entropy_with_logits", binary(6, 3), convention="optax", optax=own("sigmoid_binary_cross_entropy")),
    case("binary_cross_entropy_with_logits", binary(6, 3), convention="keras"),
    case("focal_loss", labelled(8, 5), torch=_torch_focal),
    case("focal_loss", labelled(8, 5), gamma=0.0, torch=functional("cross_entropy")),
    case("focal_loss", labelled(2, 5, 3, ignored=-100), alpha=WEIGHT, gamma=0.5),
    case("focal_loss", labelled(2, 3, 5, axis=2), convention="optax", gamma=1.0),
    case("focal_loss", labelled(2, 3, 5, axis=2), convention="keras"),
    case("sigmoid_focal_loss", binary(6, 3, whole=True), torch=_torchvision_focal),
    case("sigmoid_focal_loss", binary(6, 3), torch=_torchvision_focal),
    case("sigmoid_focal_loss", binary(6, 3), convention="optax", optax=own("sigmoid_focal_loss")),
    case("sigmoid_focal_loss", binary(6, 3), convention="optax", alpha=0.3, gamma=0.5,
         optax=own("sigmoid_focal_loss", alpha=0.3, gamma=0.5)),
    case("sigmoid_focal_loss", binary(6, 3), convention="keras", reduction="sum"),
    case("dice_loss", masked(2, 3, 4, 5), torch=_torch_dice),
    case("dice_loss", labelled(2, 3, 4, 5)),
    case("dice_loss", masked(2, 1, 4, 5), squared=True, smooth=1e-5),
    case("dice_loss", masked(2, 4, 5, axis=None), axis=None, reduction="sum"),
    case("dice_loss", masked(2, 3, 4), activation="sigmoid", weight=(1.0, 2.0, 0.5), ignore_background=True, reduction="none"),
    case("dice_loss", masked(2, 4, 5, 3, axis=3), convention="optax", optax=own("dice_loss")),
    case("dice_loss", masked(2, 4, 5, 1, axis=3), convention="optax", optax=own("dice_loss")),
    case("dice_loss", masked(2, 4, 5, axis=None), convention="optax", axis=None, optax=own("binary_dice_loss")),
    case("dice_loss", masked(2, 4, 3, axis=2), convention="optax", smooth=0.5, ignore_background=True,
         optax=own("dice_loss", smooth=0.5, ignore_background=True)),
    case("dice_ce_loss", masked(2, 3, 4, 5), torch=_torch_dice_ce),
    case("dice_ce_loss", labelled(2, 3, 4), lambda_dice=0.3, lambda_ce=0.7, label_smoothing=0.1, squared=True),
    case("dice_ce_loss", masked(2, 1, 4), reduction="none"),
    case("dice_ce_loss", masked(2, 4, 3, axis=2), convention="optax"),
    *(same("kl_div", divergence(6, 4), reduction=reduction) for reduction in ("mean", "batchmean", "sum", "none")),
    same("kl_div", divergence(6, 4, log_target=True), log_target=True, reduction="batchmean"),
    case("kl_div", divergence(6, 4), convention="optax", optax=own("kl_divergence")),
    case("kl_div", divergence(6, 4, log_target=True), convention="optax", log_target=True, optax=own("kl_divergence_with_log_targets")),
    same("cosine_embedding_loss", pairs(6, 4, other=-1)),
    same("cosine_embedding_loss", pairs(6, 4, other=-1), margin=0.3, reduction="sum"),
    same("cosine_embedding_loss", pairs(6, 4, other=-1), margin=-0.5, reduction="none"),
    case("cosine_embedding_loss", pairs(6, 4, other=-1), convention="optax"),
    same("triplet_margin_loss", triplets(6, 4)),
    same("triplet_margin_loss", triplets(6, 4), margin=2.0, p=1.0, reduction="none"),
    same("triplet_margin_loss", triplets(6, 4), p=3.0, eps=1e-3, swap=True, reduction="sum"),
    case("triplet_margin_loss", triplets(6, 4), convention="optax", optax=own("triplet_margin_loss")),
    case("triplet_margin_loss", triplets(6, 4), convention="optax", p=4.0, margin=0.3,
         optax=own("triplet_margin_loss", norm_degree=4, margin=0.3)),
    case("contrastive_loss", pairs(6, 4, other=0), torch=_torch_contrastive),
    case("contrastive_loss", pairs(6, 4, other=0), margin=3.0, reduction="sum"),
    case("contrastive_loss", pairs(6, 4, other=0), margin=3.0, convention="optax"),
)  # fmt: skip
