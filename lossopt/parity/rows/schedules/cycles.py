"""Schedules that go up and down, and to the learning rate of weight averaging, beside the frameworks' own."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from lossopt.parity.case import ScheduleCase


def _cyclic(**options: Any) -> Callable[[ModuleType, Any], Any]:
    return lambda torch, o: torch.optim.lr_scheduler.CyclicLR(o, 0.1, 0.5, **options)


def _swa(**options: Any) -> Callable[[ModuleType, Any], Any]:
    return lambda torch, o: torch.optim.swa_utils.SWALR(o, **options)


def _thirds(x: float) -> float:
    return 1 / (1 + x / 3)


CASES: tuple[ScheduleCase, ...] = (
    ScheduleCase("cyclic", {"lr": 0.1, "max_lr": 0.5, "step_size_up": 17}, torch=_cyclic(step_size_up=17),
                 optax=lambda optax: optax.join_schedules(
                     [optax.linear_schedule(*((0.5, 0.1) if n % 2 else (0.1, 0.5)), 17) for n in range(8)],
                     [17 * n for n in range(1, 8)])),
    ScheduleCase("cyclic", {"lr": 0.1, "max_lr": 0.5, "step_size_up": 7, "step_size_down": 19, "mode": "triangular2"},
                 torch=_cyclic(step_size_up=7, step_size_down=19, mode="triangular2")),
    ScheduleCase("cyclic", {"lr": 0.1, "max_lr": 0.5, "step_size_up": 10, "mode": "exp_range", "gamma": 0.99},
                 torch=_cyclic(step_size_up=10, mode="exp_range", gamma=0.99)),
    ScheduleCase("cyclic", {"lr": 0.1, "max_lr": 0.5, "step_size_up": 10, "scale_fn": _thirds},
                 torch=_cyclic(step_size_up=10, scale_fn=_thirds)),
    ScheduleCase("cyclic", {"lr": 0.1, "max_lr": 0.5, "step_size_up": 10, "scale_fn": _thirds, "scale_mode": "iterations"},
                 torch=_cyclic(step_size_up=10, scale_fn=_thirds, scale_mode="iterations")),
    ScheduleCase("swa_lr", {"lr": 0.1, "swa_lr": 0.02}, torch=_swa(swa_lr=0.02),
                 optax=lambda optax: optax.cosine_decay_schedule(0.1, 10, 0.2)),
    ScheduleCase("swa_lr", {"lr": 0.1, "swa_lr": 0.3, "anneal_epochs": 60, "anneal_strategy": "linear"},
                 torch=_swa(swa_lr=0.3, anneal_epochs=60, anneal_strategy="linear"),
                 optax=lambda optax: optax.linear_schedule(0.1, 0.3, 60)),
    ScheduleCase("swa_lr", {"lr": 0.1, "swa_lr": 0.02, "anneal_epochs": 0}, torch=_swa(swa_lr=0.02, anneal_epochs=0),
                 optax=lambda optax: optax.constant_schedule(0.02)),
    ScheduleCase("one_cycle", {"convention": "optax", "lr": 0.1, "total_steps": 77, "three_phase": True, "anneal_strategy": "linear",
                               "pct_final": 0.85},
                 optax=lambda optax: optax.linear_onecycle_schedule(77, 0.1)),
    ScheduleCase("one_cycle", {"convention": "optax", "lr": 0.1, "total_steps": 99, "pct_start": 0.4, "div_factor": 10.0,
                               "final_div_factor": 100.0},
                 optax=lambda optax: optax.cosine_onecycle_schedule(99, 0.1, 0.4, 10.0, 100.0)),
    ScheduleCase("piecewise_interpolate", {"lr": 0.1, "milestones": (20, 50, 90), "gamma": (3.0, 0.1, 0.5)},
                 optax=lambda optax: optax.piecewise_interpolate_schedule("linear", 0.1, {20: 3.0, 50: 0.1, 90: 0.5})),
    ScheduleCase("piecewise_interpolate", {"convention": "optax", "lr": 0.1, "milestones": (20, 50, 90), "gamma": (3.0, 0.1, 0.0),
                                           "interpolation": "cosine"},
                 optax=lambda optax: optax.piecewise_interpolate_schedule("cosine", 0.1, {20: 3.0, 50: 0.1, 90: 0.0})),
    ScheduleCase("piecewise_interpolate", {"convention": "optax", "lr": 0.1, "milestones": (0, 40), "gamma": 0.5},
                 optax=lambda optax: optax.piecewise_interpolate_schedule("linear", 0.1, {0: 0.5, 40: 0.5})),
    ScheduleCase("piecewise_interpolate", {"lr": 0.1, "milestones": (40,), "gamma": 0.25},
                 torch=lambda torch, o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.25, 40)),
)  # fmt: skip
"""CyclicLR's base_lr is its optimizer's lr here, as the lowest value is ours."""
