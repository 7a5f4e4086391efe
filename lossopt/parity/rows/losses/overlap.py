"""Tversky and generalized Dice losses, and Dice as Keras has it, beside the frameworks' own."""

from __future__ import annotations

from typing import Any

from lossopt.parity.case import LossCase
from lossopt.parity.loss_rows import case, labelled, masked, own, probable


def _torch_tversky(alpha: float, beta: float, smooth: float = 1.0, power: float = 1.0, reduction: str = "mean") -> Any:
    def call(torch: Any, x: Any, t: Any) -> Any:
        p, over = torch.softmax(x, 1), tuple(range(2, x.dim()))
        found, extra, missed = (p * t).sum(over), (p * (1 - t)).sum(over), ((1 - p) * t).sum(over)
        values = ((1 - (found + smooth) / (found + alpha * extra + beta * missed + smooth)) ** power).mean(1)
        return {"none": values, "mean": values.mean(), "sum": values.sum()}[reduction]

    return call


def _torch_generalized(torch: Any, x: Any, t: Any) -> Any:
    p, positions = torch.softmax(x, 1), tuple(range(2, x.dim()))
    weights = 1 / (t.sum((0, *positions)) ** 2 + 1e-7)
    dice = 1 - ((p * t).sum(positions) + 1) / (0.5 * (p + t).sum(positions) + 1)
    return (dice * weights / weights.sum() * x.shape[1]).mean()


def _keras(name: str, **options: Any) -> Any:
    return lambda keras, x, t: getattr(keras.losses, name)(**options)(t, x)


CASES: tuple[LossCase, ...] = (
    case("dice_loss", probable(2, 4, 5), convention="keras", keras=_keras("Dice")),
    case("dice_loss", probable(2, 4, 5, 3), convention="keras", keras=_keras("Dice")),
    case("dice_loss", probable(3, 4, 5), convention="keras", batch=False, reduction="none",
         keras=_keras("Dice", axis=(1, 2), reduction="none")),
    case("dice_loss", masked(3, 2, 4, 5), batch=True, squared=True),
    case("binary_dice_loss", masked(3, 4, 5, axis=None)),
    case("binary_dice_loss", masked(3, 4, axis=None), squared=True, smooth=0.1, reduction="none"),
    case("binary_dice_loss", masked(3, 4, 5, axis=None), reduction="sum", smooth_on="mean"),
    case("binary_dice_loss", masked(3, 4, 5, axis=None), convention="optax", optax=own("binary_dice_loss")),
    case("binary_dice_loss", masked(3, 4, 5, 1, axis=None), convention="optax", smooth=0.2, optax=own("binary_dice_loss", smooth=0.2)),
    case("binary_dice_loss", masked(3, axis=None), convention="optax", optax=own("binary_dice_loss")),
    case("tversky_loss", masked(2, 3, 4, 5), torch=_torch_tversky(0.3, 0.7)),
    case("tversky_loss", masked(2, 3, 6), alpha=0.6, beta=0.1, smooth=1e-3, reduction="none",
         torch=_torch_tversky(0.6, 0.1, 1e-3, reduction="none")),
    case("tversky_loss", masked(2, 3, 6), alpha_on="false_negatives", reduction="sum", torch=_torch_tversky(0.7, 0.3, reduction="sum")),
    case("tversky_loss", labelled(2, 3, 4, 5), batch=True, ignore_background=True, weight=(1.0, 2.0, 0.5)),
    case("tversky_loss", masked(2, 4, 5, 3, axis=3), convention="optax", optax=own("dice_loss")),
    case("tversky_loss", masked(2, 4, 5, 3, axis=3), convention="optax", alpha=0.2, beta=0.9, optax=own("dice_loss", alpha=0.2, beta=0.9)),
    case("tversky_loss", masked(2, 4, 3, axis=2), convention="optax", alpha=1.5, smooth=0.1, ignore_background=True,
         optax=own("dice_loss", alpha=1.5, smooth=0.1, ignore_background=True)),
    case("tversky_loss", probable(2, 4, 5), convention="keras", keras=_keras("Tversky")),
    case("tversky_loss", probable(2, 4, 5), convention="keras", alpha=0.2, beta=0.9, keras=_keras("Tversky", alpha=0.2, beta=0.9)),
    case("tversky_loss", probable(3, 4, 5), convention="keras", alpha=0.9, batch=False, reduction="none",
         keras=_keras("Tversky", alpha=0.9, axis=(1, 2), reduction="none")),
    case("focal_tversky_loss", masked(2, 3, 4, 5), torch=_torch_tversky(0.3, 0.7, power=0.75)),
    case("focal_tversky_loss", masked(2, 3, 6), alpha=0.7, beta=0.3, gamma=2.0, reduction="none",
         torch=_torch_tversky(0.7, 0.3, power=0.5, reduction="none")),
    case("focal_tversky_loss", masked(2, 3, 6), alpha=0.7, beta=0.3, alpha_on="false_negatives", gamma=1.0, reduction="sum",
         torch=_torch_tversky(0.3, 0.7, reduction="sum")),
    case("focal_tversky_loss", masked(2, 5, 3, axis=2), convention="optax"),
    case("focal_tversky_loss", masked(2, 5, 1, axis=2), convention="optax", gamma=0.75),
    case("focal_tversky_loss", masked(2, 5, axis=None), convention="optax", axis=None, batch=True, reduction="mean"),
    case("multiclass_generalized_dice_loss", masked(2, 3, 4, 5), torch=_torch_generalized),
    case("multiclass_generalized_dice_loss", labelled(2, 3, 6), smooth=0.1, reduction="none"),
    case("multiclass_generalized_dice_loss", masked(2, 3, 6), ignore_background=True, activation="sigmoid", eps=1e-3),
    case("multiclass_generalized_dice_loss", masked(2, 4, 5, 3, axis=3), convention="optax",
         optax=own("multiclass_generalized_dice_loss")),
    case("multiclass_generalized_dice_loss", masked(2, 8, 3, axis=2), convention="optax", smooth=0.1,
         optax=own("multiclass_generalized_dice_loss", smooth=0.1)),
    case("multiclass_generalized_dice_loss", masked(2, 8, 3, axis=2), convention="optax", ignore_background=True,
         optax=own("multiclass_generalized_dice_loss", ignore_background=True)),
)  # fmt: skip
