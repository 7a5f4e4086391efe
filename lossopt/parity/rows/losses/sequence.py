"""Losses of sequences, beside the frameworks' own."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossopt.parity.case import LossCase
from lossopt.parity.loss_rows import case

FRAMES, BATCH, CLASSES, LABELS = 7, 4, 6, 3


def sequences(rng: Any) -> tuple[Any, ...]:
    """Log-probabilities, and targets with a repeated label, with fewer labels and with none, padded with -1."""
    logits = rng.normal(size=(FRAMES, BATCH, CLASSES))
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    targets = np.array([[1, 1, 2], [2, 3, -1], [4, 1, 4], [-1, -1, -1]])
    return log_probs, targets, np.array([7, 5, 6, 3]), np.array([3, 2, 3, 0])


def too_short(rng: Any) -> tuple[Any, ...]:
    """The same with a target that its frames cannot say: a repeated label needs a blank between."""
    log_probs, targets, frames, labels = sequences(rng)
    return log_probs, targets, np.where(labels == 3, 3, frames), labels


def _paddings(rng: Any) -> tuple[Any, ...]:
    logits, targets, frames, labels = sequences(rng)
    return (np.swapaxes(logits, 0, 1) * 2, np.where(targets < 0, 0, targets), np.arange(FRAMES) >= frames[:, None],
            np.arange(LABELS) >= labels[:, None])  # fmt: skip


def _torch(**options: Any) -> Any:
    """PyTorch's own, of log-probabilities (the inputs are rounded to float32, so they are normalised once more)."""

    def call(torch: Any, x: Any, t: Any, frames: Any, labels: Any) -> Any:
        return torch.nn.functional.ctc_loss(torch.log_softmax(x, -1), t.clamp_min(0), frames, labels, **options)

    return call


def _optax(**options: Any) -> Any:
    def call(optax: Any, jnp: Any, x: Any, t: Any, frames: Any, labels: Any) -> Any:
        return optax.losses.ctc_loss(x, frames.astype(x.dtype), t, labels.astype(x.dtype), **options)

    return call


CASES: tuple[LossCase, ...] = (
    case("ctc_loss", sequences, torch=_torch()),
    *(case("ctc_loss", sequences, torch=_torch(reduction=reduction), reduction=reduction) for reduction in ("sum", "none")),
    case("ctc_loss", sequences, torch=_torch(blank=CLASSES - 1, reduction="none"), blank=CLASSES - 1, reduction="none"),
    *(case("ctc_loss", too_short, torch=_torch(zero_infinity=True, reduction=reduction), zero_infinity=True, reduction=reduction)
      for reduction in ("mean", "sum", "none")),
    case("ctc_loss", _paddings, convention="optax", optax=_optax()),
    case("ctc_loss", _paddings, convention="optax", blank=5, log_epsilon=-50.0, optax=_optax(blank_id=5, log_epsilon=-50.0)),
    case("ctc_loss", _paddings, convention="optax", reduction="mean"),
)  # fmt: skip
