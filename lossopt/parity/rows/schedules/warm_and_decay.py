"""Schedules beside the frameworks' own: one row each."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lossopt import get_schedule
from lossopt.parity.case import ScheduleCase


def _torch_warmup_cosine(torch: ModuleType, optimizer: Any) -> Any:
    s = torch.optim.lr_scheduler
    parts = [s.LinearLR(optimizer, 0.1, total_iters=10), s.CosineAnnealingLR(optimizer, 90)]
    return s.SequentialLR(optimizer, parts, [10])


def _torch_three(torch: ModuleType, optimizer: Any) -> Any:
    s = torch.optim.lr_scheduler
    parts = [s.ConstantLR(optimizer, 0.5, total_iters=4), s.ExponentialLR(optimizer, 0.9), s.StepLR(optimizer, 10, 0.5)]
    return s.SequentialLR(optimizer, parts, [7, 30])


WARMUP_COSINE = {
    "lr": 0.1,
    "schedules": (get_schedule("linear", start_factor=0.1, total_iters=10), get_schedule("cosine", T_max=90)),
    "milestones": (10,),
}
WARMUP_COSINE_OPTAX = {
    "lr": 0.1,
    "schedules": (
        get_schedule("linear", start_factor=0.0, total_iters=10),
        get_schedule("cosine", convention="optax", T_max=90, eta_min=1e-3),
    ),
    "milestones": (10,),
}
THREE = {
    "lr": 0.1,
    "schedules": (
        get_schedule("constant", factor=0.5, total_iters=4),
        get_schedule("exponential", gamma=0.9),
        get_schedule("step", step_size=10, gamma=0.5),
    ),
    "milestones": (7, 30),
}

CASES: tuple[ScheduleCase, ...] = (
    ScheduleCase("step", {"lr": 0.1, "step_size": 30, "gamma": 0.1},
                 torch=lambda torch, o: torch.optim.lr_scheduler.StepLR(o, 30, 0.1),
                 optax=lambda optax: optax.exponential_decay(0.1, 30, 0.1, staircase=True)),
    ScheduleCase("exponential", {"lr": 0.1, "gamma": 0.97},
                 torch=lambda torch, o: torch.optim.lr_scheduler.ExponentialLR(o, 0.97),
                 optax=lambda optax: optax.exponential_decay(0.1, 1, 0.97)),
    ScheduleCase("exponential", {"lr": 0.1, "gamma": 0.5, "step_size": 20},
                 optax=lambda optax: optax.exponential_decay(0.1, 20, 0.5)),
    ScheduleCase("exponential", {"lr": 0.1, "gamma": 0.5, "step_size": 20, "staircase": True},
                 torch=lambda torch, o: torch.optim.lr_scheduler.StepLR(o, 20, 0.5),
                 optax=lambda optax: optax.exponential_decay(0.1, 20, 0.5, staircase=True)),
    ScheduleCase("cosine", {"lr": 0.1, "T_max": 50, "eta_min": 1e-3},
                 torch=lambda torch, o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 50, 1e-3)),
    ScheduleCase("cosine", {"lr": 0.1, "T_max": 100}, torch=lambda torch, o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 100)),
    ScheduleCase("cosine", {"convention": "optax", "lr": 0.1, "T_max": 50, "eta_min": 1e-3},
                 optax=lambda optax: optax.cosine_decay_schedule(0.1, 50, alpha=1e-2)),
    ScheduleCase("cosine_warm_restarts", {"lr": 0.1, "T_0": 10, "T_mult": 2, "eta_min": 1e-3},
                 torch=lambda torch, o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 10, 2, 1e-3),
                 optax=lambda optax: optax.join_schedules(
                     [optax.cosine_decay_schedule(0.1, 10 * 2**n, alpha=1e-2) for n in range(4)], [10, 30, 70])),
    ScheduleCase("cosine_warm_restarts", {"lr": 0.1, "T_0": 17},
                 torch=lambda torch, o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 17)),
    ScheduleCase("one_cycle", {"lr": 0.1, "total_steps": 120},
                 torch=lambda torch, o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, 120)),
    ScheduleCase("one_cycle", {"lr": 0.1, "total_steps": 127, "pct_start": 0.43},
                 torch=lambda torch, o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, 127, pct_start=0.43)),
    ScheduleCase("one_cycle", {"lr": 0.1, "total_steps": 127, "anneal_strategy": "linear", "three_phase": True, "div_factor": 10.0},
                 torch=lambda torch, o: torch.optim.lr_scheduler.OneCycleLR(
                     o, 0.1, 127, anneal_strategy="linear", three_phase=True, div_factor=10.0)),
    ScheduleCase("one_cycle", {"convention": "optax", "lr": 0.1, "total_steps": 77},
                 optax=lambda optax: optax.cosine_onecycle_schedule(77, 0.1)),
    ScheduleCase("one_cycle", {"convention": "optax", "lr": 0.1, "total_steps": 77, "three_phase": True, "anneal_strategy": "linear"},
                 optax=lambda optax: optax.linear_onecycle_schedule(77, 0.1, pct_final=0.6)),
    ScheduleCase("constant", {"lr": 0.1, "factor": 1 / 3, "total_iters": 5},
                 torch=lambda torch, o: torch.optim.lr_scheduler.ConstantLR(o),
                 optax=lambda optax: optax.piecewise_constant_schedule(0.1 / 3, {5: 3.0})),
    ScheduleCase("constant", {"lr": 0.1}, optax=lambda optax: optax.constant_schedule(0.1)),
    ScheduleCase("linear", {"lr": 0.1, "start_factor": 0.25, "end_factor": 0.75, "total_iters": 40},
                 torch=lambda torch, o: torch.optim.lr_scheduler.LinearLR(o, 0.25, 0.75, 40),
                 optax=lambda optax: optax.linear_schedule(0.025, 0.075, 40)),
    ScheduleCase("linear", {"lr": 0.1, "start_factor": 0.0, "total_iters": 100}, optax=lambda optax: optax.linear_schedule(0.0, 0.1, 100)),
    ScheduleCase("sequential", WARMUP_COSINE, torch=_torch_warmup_cosine),
    ScheduleCase("sequential", {"convention": "optax", **WARMUP_COSINE_OPTAX},
                 optax=lambda optax: optax.warmup_cosine_decay_schedule(0.0, 0.1, 10, 100, end_value=1e-3)),
    ScheduleCase("sequential", THREE, torch=_torch_three),
    ScheduleCase("reduce_on_plateau", {"lr": 0.1, "factor": 0.5, "patience": 3, "cooldown": 2},
                 torch=lambda torch, o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=3, cooldown=2),
                 steps=60),
    ScheduleCase("reduce_on_plateau", {"convention": "optax", "lr": 0.1, "factor": 0.5, "patience": 3, "cooldown": 2},
                 optax=lambda optax: optax.contrib.reduce_on_plateau(0.5, 3, cooldown=2), steps=60),
)  # fmt: skip
"""Every schedule beside torch.optim.lr_scheduler and optax, past its end where they have a rule there.

The rows of reduce_on_plateau follow the standard problem's metric; its own tests feed random ones to both originals.
"""
