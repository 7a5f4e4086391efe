"""Losses of masks, beside the frameworks' own."""

from __future__ import annotations

from typing import Any

from lossopt.parity.case import LossCase
from lossopt.parity.loss_rows import case, labelled, masked, own


def _torch_dice(torch: Any, x: Any, truth: Any) -> Any:
    p = torch.softmax(x, 1)
    return (1 - (2 * (p * truth).sum((2, 3)) + 1) / ((p + truth).sum((2, 3)) + 1)).mean()


def _torch_dice_ce(torch: Any, x: Any, truth: Any) -> Any:
    return _torch_dice(torch, x, truth) + torch.nn.functional.cross_entropy(x, truth)


CASES: tuple[LossCase, ...] = (
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
)  # fmt: skip
