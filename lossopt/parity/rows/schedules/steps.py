"""Schedules that fall in steps or along a power, and functions of one's own, beside the frameworks' own."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from lossopt.parity.case import ScheduleCase

MILESTONES = {20: 0.5, 45: 0.1, 80: 4.0}


def _lr_scheduler(name: str, *arguments: Any, **options: Any) -> Callable[[ModuleType, Any], Any]:
    return lambda torch, optimizer: getattr(torch.optim.lr_scheduler, name)(optimizer, *arguments, **options)


def _halves(step: Any) -> Any:
    return 1 / (1 + step)


def _alternates(step: int) -> float:
    return 0.95 if step % 3 else 1.02


def _warms_up(step: int) -> float:
    return min(1.0, (step + 1) / 10)  # a comparison that no trace allows: a table in JAX


CASES: tuple[ScheduleCase, ...] = (
    ScheduleCase("constant_factor", {"lr": 0.1}, torch=_lr_scheduler("ConstantLR"),
                 optax=lambda optax: optax.piecewise_constant_schedule(0.1 / 3, {5: 3.0})),
    ScheduleCase("constant_factor", {"lr": 0.1, "factor": 0.5, "total_iters": 30}, torch=_lr_scheduler("ConstantLR", 0.5, 30)),
    ScheduleCase("constant_factor", {"convention": "optax", "lr": 0.1, "factor": 2.0, "total_iters": 0},
                 optax=lambda optax: optax.constant_schedule(0.1)),
    ScheduleCase("polynomial", {"lr": 0.1}, torch=_lr_scheduler("PolynomialLR"),
                 optax=lambda optax: optax.polynomial_schedule(0.1, 0.0, 1.0, 5)),
    ScheduleCase("polynomial", {"lr": 0.1, "total_iters": 90, "power": 0.9}, torch=_lr_scheduler("PolynomialLR", 90, 0.9)),
    ScheduleCase("polynomial", {"lr": 0.1, "total_iters": 100, "power": 3.0}, torch=_lr_scheduler("PolynomialLR", 100, 3.0)),
    ScheduleCase("polynomial", {"convention": "optax", "lr": 0.1, "total_iters": 70, "power": 2.5, "end_value": 1e-3,
                                "transition_begin": 20},
                 optax=lambda optax: optax.polynomial_schedule(0.1, 1e-3, 2.5, 70, 20)),
    ScheduleCase("polynomial", {"convention": "optax", "lr": 0.1, "total_iters": 70, "power": 2, "end_value": 0.4},
                 optax=lambda optax: optax.polynomial_schedule(0.1, 0.4, 2, 70)),
    ScheduleCase("polynomial", {"convention": "keras", "lr": 0.1, "total_iters": 30, "power": 0.5, "cycle": True}),
    ScheduleCase("linear", {"lr": 0.1, "start_factor": 1.0, "end_factor": 0.25, "total_iters": 50, "transition_begin": 30},
                 optax=lambda optax: optax.linear_schedule(0.1, 0.025, 50, 30)),
    ScheduleCase("multi_step", {"lr": 0.1, "milestones": (20, 45, 80)}, torch=_lr_scheduler("MultiStepLR", [20, 45, 80]),
                 optax=lambda optax: optax.piecewise_constant_schedule(0.1, dict.fromkeys(MILESTONES, 0.1))),
    ScheduleCase("multi_step", {"lr": 0.1, "milestones": (45, 0, 45, 20), "gamma": 0.5},
                 torch=_lr_scheduler("MultiStepLR", [45, 0, 45, 20], 0.5)),
    ScheduleCase("multi_step", {"convention": "optax", "lr": 0.1, "milestones": tuple(MILESTONES), "gamma": tuple(MILESTONES.values())},
                 optax=lambda optax: optax.piecewise_constant_schedule(0.1, MILESTONES)),
    ScheduleCase("multi_step", {"convention": "optax", "lr": 0.1, "milestones": (60, 0, 20), "gamma": (0.0, 0.5, 3.0)},
                 optax=lambda optax: optax.piecewise_constant_schedule(0.1, {60: 0.0, 0: 0.5, 20: 3.0})),
    ScheduleCase("exponential", {"lr": 0.1, "gamma": 0.5, "step_size": 20, "transition_begin": 15, "end_value": 0.01},
                 optax=lambda optax: optax.exponential_decay(0.1, 20, 0.5, 15, end_value=0.01)),
    ScheduleCase("exponential", {"lr": 0.1, "gamma": 1.5, "step_size": 20, "staircase": True, "transition_begin": 7, "end_value": 0.3},
                 optax=lambda optax: optax.exponential_decay(0.1, 20, 1.5, 7, True, 0.3)),
    ScheduleCase("lambda_", {"lr": 0.1, "lr_lambda": lambda step: 0.97**step}, torch=_lr_scheduler("LambdaLR", lambda step: 0.97**step),
                 optax=lambda optax: lambda count: 0.1 * 0.97**count),
    ScheduleCase("lambda_", {"lr": 0.1, "lr_lambda": _halves}, torch=_lr_scheduler("LambdaLR", _halves)),
    ScheduleCase("lambda_", {"lr": 0.1, "lr_lambda": _warms_up, "total_iters": 30}, torch=_lr_scheduler("LambdaLR", _warms_up),
                 optax=lambda optax: optax.linear_schedule(0.01, 0.1, 9)),
    ScheduleCase("multiplicative", {"lr": 0.1, "lr_lambda": lambda step: 0.95, "total_iters": 120},
                 torch=_lr_scheduler("MultiplicativeLR", lambda step: 0.95), optax=lambda optax: optax.exponential_decay(0.1, 1, 0.95)),
    ScheduleCase("multiplicative", {"lr": 0.1, "lr_lambda": _alternates, "total_iters": 200},
                 torch=_lr_scheduler("MultiplicativeLR", _alternates)),
    ScheduleCase("multiplicative", {"lr": 0.1, "lr_lambda": _alternates, "total_iters": 40},
                 torch=_lr_scheduler("MultiplicativeLR", lambda step: _alternates(step) if step <= 40 else 1.0)),
)  # fmt: skip
"""A table in JAX (total_iters) ends, where PyTorch's scheduler does not: rows with one go no farther, or stop PyTorch's too."""
