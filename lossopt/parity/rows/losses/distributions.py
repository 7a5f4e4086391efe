"""Divergences that need not be normalised or are symmetric, and distillation, beside the frameworks' own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lossopt.parity.case import LossCase
from lossopt.parity.loss_rows import case, divergence, functional, labelled, own


def _taught(*shape: int, axis: int = 1, ignored: int | None = None) -> Callable[[Any], tuple[Any, ...]]:
    """Logits of a student, of a teacher, and labels."""

    def make(rng: Any) -> tuple[Any, ...]:
        logits, labels = labelled(*shape, axis=axis, ignored=ignored)(rng)
        return logits, rng.normal(size=shape) * 3, labels

    return make


def _torch_distillation(temperature: float = 2.0, alpha: float = 0.5, reduction: str = "mean") -> Callable[..., Any]:
    """The usual composition: PyTorch's cross-entropy and its divergence at a temperature."""

    def call(torch: Any, x: Any, z: Any, y: Any) -> Any:
        own = torch.nn.functional
        soft = own.kl_div(own.log_softmax(x / temperature, 1), own.log_softmax(z / temperature, 1), log_target=True, reduction="none")
        values = alpha * own.cross_entropy(x, y, reduction="none") + (1 - alpha) * temperature**2 * soft.sum(1)
        return values if reduction == "none" else getattr(values, reduction)()

    return call


def _optax_distillation(optax: Any, jnp: Any, x: Any, z: Any, y: Any) -> Any:
    hard = optax.losses.softmax_cross_entropy_with_integer_labels(x, y)
    return 0.5 * hard + 0.5 * 4 * optax.losses.kl_divergence_with_log_targets(_log_softmax(jnp, x / 2), _log_softmax(jnp, z / 2))


def _log_softmax(jnp: Any, x: Any) -> Any:
    return x - jnp.log(jnp.exp(x).sum(-1, keepdims=True))


def _torch_jsd(torch: Any, x: Any, t: Any) -> Any:
    own, mixture = torch.nn.functional, torch.log((x.exp() + t) / 2)
    return (own.kl_div(mixture, t, reduction="batchmean") + own.kl_div(mixture, x, log_target=True, reduction="batchmean")) / 2


def _optax_jsd(optax: Any, jnp: Any, x: Any, t: Any) -> Any:
    mixture = jnp.log(0.3 * t + 0.7 * jnp.exp(x))
    own = optax.losses
    return 0.3 * own.kl_divergence(mixture, t) + 0.7 * own.kl_divergence_with_log_targets(mixture, x)


def _torch_generalized(torch: Any, x: Any, t: Any) -> Any:
    return torch.nn.functional.kl_div(x, t) + (x.exp() - t).mean()


CASES: tuple[LossCase, ...] = (
    *(case("kl_divergence_with_log_targets", divergence(6, 4, log_target=True), reduction=reduction,
           torch=functional("kl_div", log_target=True, reduction=reduction)) for reduction in ("mean", "batchmean", "sum", "none")),
    case("kl_divergence_with_log_targets", divergence(6, 4, log_target=True), convention="optax",
         optax=own("kl_divergence_with_log_targets")),
    case("kl_divergence_with_log_targets", divergence(6, 4, log_target=True), convention="optax", axis=0,
         optax=own("kl_divergence_with_log_targets", axis=0)),
    case("kl_divergence_with_log_targets", divergence(6, 4, log_target=True), convention="optax", axis=None, reduction="mean"),
    case("generalized_kl_divergence", divergence(6, 4), torch=_torch_generalized),
    case("generalized_kl_divergence", divergence(6, 4), reduction="batchmean", axis=1),
    case("generalized_kl_divergence", divergence(6, 4), reduction="none"),
    case("generalized_kl_divergence", divergence(6, 4), convention="optax", optax=own("generalized_kl_divergence")),
    case("generalized_kl_divergence", divergence(6, 4), convention="optax", axis=0, optax=own("generalized_kl_divergence", axis=0)),
    case("generalized_kl_divergence", divergence(6, 4), convention="optax", reduction="sum"),
    case("jsd_loss", divergence(6, 4), reduction="batchmean", torch=_torch_jsd),
    case("jsd_loss", divergence(6, 4), beta=0.9),
    case("jsd_loss", divergence(6, 4), beta=0.1, reduction="sum"),
    case("jsd_loss", divergence(6, 4), convention="optax", beta=0.3, optax=_optax_jsd),
    case("jsd_loss", divergence(6, 4), convention="optax"),
    case("jsd_loss", divergence(6, 4), convention="optax", axis=0, beta=0.7),
    case("distillation_loss", _taught(8, 5), torch=_torch_distillation()),
    case("distillation_loss", _taught(2, 5, 3), temperature=4.0, alpha=0.1, reduction="none",
         torch=_torch_distillation(4.0, 0.1, "none")),
    case("distillation_loss", _taught(8, 5), alpha=1.0, reduction="sum", torch=_torch_distillation(alpha=1.0, reduction="sum")),
    case("distillation_loss", _taught(8, 5, ignored=-100)),
    case("distillation_loss", _taught(2, 3, 5, axis=2), convention="optax", optax=_optax_distillation),
    case("distillation_loss", _taught(2, 3, 5, axis=2), convention="optax", alpha=0.0, temperature=1.0, reduction="mean"),
    case("distillation_loss", _taught(2, 3, 5, axis=2), convention="optax", ignore_index=1, reduction="sum"),
)  # fmt: skip
