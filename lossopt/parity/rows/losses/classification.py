"""Losses of classes, beside the frameworks' own."""

from __future__ import annotations

from typing import Any

from lossopt.parity.case import LossCase
from lossopt.parity.loss_rows import KERAS_MEAN, WEIGHT, binary, case, functional, labelled, log_labelled, own, same, soft


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


CASES: tuple[LossCase, ...] = (
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
    case("cross_entropy", labelled(2, 3, 5, axis=2), convention="keras",
         keras=lambda k, x, t: k.losses.SparseCategoricalCrossentropy(from_logits=True)(t, x)),
    case("cross_entropy", soft(2, 3, 5, axis=2), convention="keras", label_smoothing=0.1,
         keras=lambda k, x, t: k.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)(t, x)),
    case("cross_entropy", labelled(2, 3, 5, axis=2, ignored=1), convention="keras", ignore_class=1,
         keras=lambda k, x, t: k.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)(t, x)),
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
    case("binary_cross_entropy_with_logits", binary(6, 3), convention="keras",
         keras=lambda k, x, t: k.losses.BinaryCrossentropy(from_logits=True)(t, x), allowed=KERAS_MEAN),
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
    case("sigmoid_focal_loss", binary(6, 3), convention="keras",
         keras=lambda k, x, t: k.losses.BinaryFocalCrossentropy(from_logits=True, apply_class_balancing=True, alpha=0.3)(t, x), alpha=0.3,
         allowed=KERAS_MEAN),
    case("sigmoid_focal_loss", binary(6, 3), convention="keras", gamma=1.5,
         keras=lambda k, x, t: k.losses.BinaryFocalCrossentropy(from_logits=True, gamma=1.5)(t, x), allowed=KERAS_MEAN),
    case("sigmoid_focal_loss", binary(6, 3), convention="keras", reduction="sum"),
)  # fmt: skip
