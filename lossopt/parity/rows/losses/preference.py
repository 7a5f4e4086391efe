"""Losses of preferences, beside the same formulas in the frameworks' own functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lossopt.parity.case import LossCase
from lossopt.parity.loss_rows import case


def _answers(count: int) -> Callable[[Any], tuple[Any, ...]]:
    """Log-probabilities of chosen and rejected answers under a policy and a reference."""
    return lambda rng: tuple(-10 + 5 * rng.normal(size=count) for _ in range(4))


def _torch(formula: Callable[[Any, Any, Any], Any], reduction: str = "mean") -> Callable[..., Any]:
    """A formula of torch.nn.functional, and c and r."""

    def call(torch: Any, pc: Any, pr: Any, rc: Any, rr: Any) -> Any:
        values = formula(torch.nn.functional, pc - rc, pr - rr)
        return values if reduction == "none" else getattr(values, reduction)()

    return call


def _optax(optax: Any, jnp: Any, pc: Any, pr: Any, rc: Any, rr: Any) -> Any:
    return optax.losses.sigmoid_binary_cross_entropy(0.1 * ((pc - rc) - (pr - rr)), jnp.full_like(pc, 0.8))


FORMULAS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "sigmoid": lambda own, c, r: -own.logsigmoid(0.1 * (c - r)),
    "hinge": lambda own, c, r: own.relu(1 - 0.1 * (c - r)),
    "ipo": lambda own, c, r: (c - r - 5) ** 2,
    "nca_pair": lambda own, c, r: -own.logsigmoid(0.1 * c) - 0.5 * own.logsigmoid(-0.1 * c) - 0.5 * own.logsigmoid(-0.1 * r),
    "apo_zero": lambda own, c, r: 1 - (0.1 * c).sigmoid() + (0.1 * r).sigmoid(),
    "apo_down": lambda own, c, r: (0.1 * c).sigmoid() + 1 - (0.1 * (c - r)).sigmoid(),
    "sppo_hard": lambda own, c, r: (c - 5) ** 2 + (r + 5) ** 2,
}


def _robust(own: Any, c: Any, r: Any) -> Any:
    h = 0.1 * (c - r)
    return (-0.9 * own.logsigmoid(h) + 0.1 * own.logsigmoid(-h)) / 0.8


def _exo(own: Any, c: Any, r: Any) -> Any:
    h = 0.1 * (c - r)
    return h.sigmoid() * (own.logsigmoid(h) - _log(0.9, h)) + (-h).sigmoid() * (own.logsigmoid(-h) - _log(0.1, h))


def _log(number: float, like: Any) -> Any:
    return like.new_tensor(number).log()


CASES: tuple[LossCase, ...] = (
    *(case("dpo_loss", _answers(9), loss_type=name, torch=_torch(formula)) for name, formula in FORMULAS.items()),
    case("dpo_loss", _answers(9), loss_type="sppo_hard", reduction="none", torch=_torch(FORMULAS["sppo_hard"], "none")),
    case("dpo_loss", _answers(9), loss_type="robust", label_smoothing=0.1, torch=_torch(_robust)),
    case("dpo_loss", _answers(9), loss_type="exo_pair", label_smoothing=0.1, reduction="sum", torch=_torch(_exo, "sum")),
    case("dpo_loss", _answers(9), label_smoothing=0.2, beta=0.5, reduction="sum"),
    case("dpo_loss", _answers(9), convention="optax", label_smoothing=0.2, optax=_optax),
    case("dpo_loss", _answers(9), convention="optax", loss_type="hinge"),
    case("dpo_loss", _answers(9), convention="optax", loss_type="ipo", beta=0.3, reduction="mean"),
)  # fmt: skip
