"""Schedules made of others, beside the frameworks' own ways to put them together."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from lossopt import get_schedule
from lossopt.parity.case import ScheduleCase


def _chain(*parts: tuple[str, dict[str, Any]]) -> Callable[[ModuleType, Any], Any]:
    """PyTorch's ChainedScheduler of its own schedulers."""

    def made(torch: ModuleType, optimizer: Any) -> Any:
        s = torch.optim.lr_scheduler
        return s.ChainedScheduler([getattr(s, name)(optimizer, **options) for name, options in parts])

    return made


def _product(*factors: Callable[[ModuleType], Any]) -> Callable[[ModuleType], Any]:
    """The product of optax's own schedules."""

    def made(optax: ModuleType) -> Any:
        parts = [factor(optax) for factor in factors]

        def value(count: Any) -> Any:
            found = 0.1
            for part in parts:
                found = found * part(count)
            return found

        return value

    return made


CYCLES = tuple({"init_value": 0.0, "peak_value": 0.1, "warmup_steps": w, "decay_steps": n, "end_value": 1e-3}
               for w, n in ((5, 30), (0, 40), (10, 50)))  # fmt: skip
"""Of optax.sgdr_schedule: each cycle with a warm-up and a length of its own."""

CASES: tuple[ScheduleCase, ...] = (
    ScheduleCase("chained", {"lr": 0.1, "schedules": (get_schedule("constant_factor"), get_schedule("exponential", gamma=0.97))},
                 torch=_chain(("ConstantLR", {}), ("ExponentialLR", {"gamma": 0.97})),
                 optax=_product(lambda optax: optax.piecewise_constant_schedule(1 / 3, {5: 3.0}),
                                lambda optax: optax.exponential_decay(1.0, 1, 0.97))),
    ScheduleCase("chained", {"lr": 0.1, "schedules": (get_schedule("linear", total_iters=20), get_schedule("cosine", T_max=70),
                                                      get_schedule("multi_step", milestones=(30, 60), gamma=0.5))},
                 torch=_chain(("LinearLR", {"total_iters": 20}), ("CosineAnnealingLR", {"T_max": 70}),
                              ("MultiStepLR", {"milestones": [30, 60], "gamma": 0.5})), steps=70),
    ScheduleCase("chained", {"convention": "optax", "lr": 0.1,
                             "schedules": (get_schedule("cosine", T_max=50, alpha=0.1, convention="optax"),
                                           get_schedule("warmup_constant", warmup_steps=10))},
                 optax=_product(lambda optax: optax.cosine_decay_schedule(1.0, 50, 0.1),
                                lambda optax: optax.warmup_constant_schedule(0.0, 1.0, 10))),
    ScheduleCase("chained", {"lr": 0.1, "schedules": (get_schedule("polynomial", total_iters=100, power=2.0),)},
                 torch=_chain(("PolynomialLR", {"total_iters": 100, "power": 2.0}))),
    ScheduleCase("sequential", {"convention": "optax", "lr": 0.1, "schedules": tuple(
                     get_schedule("warmup_cosine", convention="optax", warmup_steps=c["warmup_steps"], decay_steps=c["decay_steps"],
                                  eta_min=c["end_value"]) for c in CYCLES), "milestones": (30, 70)},
                 optax=lambda optax: optax.sgdr_schedule([dict(c) for c in CYCLES])),
    ScheduleCase("sequential", {"convention": "optax", "lr": 0.1, "schedules": (
                     get_schedule("polynomial", total_iters=20, power=2.0, end_value=0.05),
                     get_schedule("constant_factor", factor=0.5, total_iters=99),
                     get_schedule("exponential", gamma=0.9)), "milestones": (20, 60)},
                 optax=lambda optax: optax.join_schedules([
                     optax.polynomial_schedule(0.1, 0.05, 2.0, 20), optax.constant_schedule(0.05), optax.exponential_decay(0.1, 1, 0.9)],
                     [20, 60])),
    ScheduleCase("cosine_warm_restarts", {"lr": 0.1, "T_0": 20, "T_mult": 2, "eta_min": 1e-3},
                 optax=lambda optax: optax.sgdr_schedule([
                     {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 0, "decay_steps": 20 * 2**n, "end_value": 1e-3}
                     for n in range(3)])),
)  # fmt: skip
"""PyTorch's chain with CosineAnnealingLR ends at the step that its running product makes 0 and does not leave: 70 steps."""
