"""Schedules that begin with a warm-up, beside optax's own and compositions of PyTorch's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from lossopt.parity.case import ScheduleCase


def _sequence(milestones: Sequence[int], *parts: tuple[str, dict[str, Any]]) -> Callable[[ModuleType, Any], Any]:
    """PyTorch's SequentialLR of its own schedulers."""

    def made(torch: ModuleType, optimizer: Any) -> Any:
        s = torch.optim.lr_scheduler
        return s.SequentialLR(optimizer, [getattr(s, name)(optimizer, **options) for name, options in parts], list(milestones))

    return made


def _factor(fn: Callable[[int], float]) -> Callable[[ModuleType, Any], Any]:
    """A factor of lr, as the papers and the libraries beside PyTorch write it: through LambdaLR."""
    return lambda torch, optimizer: torch.optim.lr_scheduler.LambdaLR(optimizer, fn)


def _warmed(step: int, warmup: int, after: Callable[[int], float]) -> float:
    return step / warmup if step < warmup else after(step)


def _stable(shape: Callable[[float], float], low: float = 0.0) -> Callable[[int], float]:
    """10 steps of warm-up from `low`, 60 stable ones, 40 down to `low`."""

    def fn(step: int) -> float:
        factor = step / 10 if step < 10 else 1.0 if step < 70 else shape(min(step - 70, 40) / 40)
        return factor * (1 - low) + low

    return fn


WARM = ("LinearLR", {"start_factor": 0.1, "total_iters": 10})

CASES: tuple[ScheduleCase, ...] = (
    ScheduleCase("warmup_constant", {"lr": 0.1, "warmup_steps": 10, "start_factor": 0.1},
                 torch=lambda torch, o: torch.optim.lr_scheduler.LinearLR(o, 0.1, total_iters=10),
                 optax=lambda optax: optax.warmup_constant_schedule(0.01, 0.1, 10)),
    ScheduleCase("warmup_constant", {"lr": 0.1, "warmup_steps": 37}, torch=_factor(lambda t: _warmed(t, 37, lambda _: 1.0)),
                 optax=lambda optax: optax.warmup_constant_schedule(0.0, 0.1, 37)),
    ScheduleCase("warmup_constant", {"convention": "optax", "lr": 0.1, "warmup_steps": 100, "start_factor": 3.0},
                 optax=lambda optax: optax.warmup_constant_schedule(0.3, 0.1, 100)),
    ScheduleCase("warmup_constant", {"lr": 0.1, "warmup_steps": 0}, optax=lambda optax: optax.constant_schedule(0.1)),
    ScheduleCase("warmup_linear", {"lr": 0.1, "warmup_steps": 10, "total_steps": 100},
                 torch=_factor(lambda t: _warmed(t, 10, lambda t: max(0.0, (100 - t) / 90))),
                 optax=lambda optax: optax.join_schedules(
                     [optax.linear_schedule(0.0, 0.1, 10), optax.linear_schedule(0.1, 0.0, 90)], [10])),
    ScheduleCase("warmup_linear", {"lr": 0.1, "warmup_steps": 10, "total_steps": 100, "start_factor": 0.1, "end_factor": 0.2},
                 torch=_sequence([10], WARM, ("LinearLR", {"start_factor": 1.0, "end_factor": 0.2, "total_iters": 90}))),
    ScheduleCase("warmup_linear", {"convention": "optax", "lr": 0.1, "warmup_steps": 0, "total_steps": 77},
                 torch=_factor(lambda t: max(0.0, (77 - t) / 77)), optax=lambda optax: optax.linear_schedule(0.1, 0.0, 77)),
    ScheduleCase("warmup_cosine", {"lr": 0.1, "warmup_steps": 10, "decay_steps": 100, "start_factor": 0.1},
                 torch=_sequence([10], WARM, ("CosineAnnealingLR", {"T_max": 90}))),
    ScheduleCase("warmup_cosine", {"lr": 0.1, "warmup_steps": 10, "decay_steps": 60, "start_factor": 0.1, "eta_min": 1e-3},
                 torch=_sequence([10], WARM, ("CosineAnnealingLR", {"T_max": 50, "eta_min": 1e-3}))),
    ScheduleCase("warmup_cosine", {"lr": 0.1, "warmup_steps": 10, "decay_steps": 60, "alpha": 0.1},
                 torch=_factor(lambda t: _warmed(t, 10, lambda t: 0.1 + 0.9 * (1 + math.cos(math.pi * (t - 10) / 50)) / 2))),
    ScheduleCase("warmup_cosine", {"convention": "optax", "lr": 0.1, "warmup_steps": 10, "decay_steps": 100, "eta_min": 1e-3},
                 optax=lambda optax: optax.warmup_cosine_decay_schedule(0.0, 0.1, 10, 100, 1e-3)),
    ScheduleCase("warmup_cosine", {"convention": "optax", "lr": 0.1, "warmup_steps": 31, "decay_steps": 97, "start_factor": 0.2,
                                   "alpha": 0.05, "exponent": 2.5},
                 optax=lambda optax: optax.warmup_cosine_decay_schedule(0.02, 0.1, 31, 97, 0.005, 2.5)),
    ScheduleCase("warmup_cosine", {"convention": "optax", "lr": 0.1, "warmup_steps": 0, "decay_steps": 80},
                 optax=lambda optax: optax.cosine_decay_schedule(0.1, 80)),
    ScheduleCase("warmup_cosine", {"convention": "keras", "lr": 0.1, "warmup_steps": 20, "decay_steps": 80, "alpha": 0.1},
                 optax=lambda optax: optax.warmup_cosine_decay_schedule(0.0, 0.1, 20, 100, 0.01)),
    ScheduleCase("cosine", {"convention": "optax", "lr": 0.1, "T_max": 50, "alpha": 0.2, "exponent": 3.0},
                 optax=lambda optax: optax.cosine_decay_schedule(0.1, 50, 0.2, 3.0)),
    ScheduleCase("cosine", {"lr": 0.1, "T_max": 50, "alpha": 0.2},
                 torch=lambda torch, o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 50, 0.02)),
    ScheduleCase("warmup_exponential", {"lr": 0.1, "warmup_steps": 10, "gamma": 0.97, "start_factor": 0.1},
                 torch=_sequence([10], WARM, ("ExponentialLR", {"gamma": 0.97}))),
    ScheduleCase("warmup_exponential", {"convention": "optax", "lr": 0.1, "warmup_steps": 10, "gamma": 0.5, "step_size": 20},
                 optax=lambda optax: optax.warmup_exponential_decay_schedule(0.0, 0.1, 10, 20, 0.5)),
    ScheduleCase("warmup_exponential", {"convention": "optax", "lr": 0.1, "warmup_steps": 10, "gamma": 0.5, "step_size": 20,
                                        "start_factor": 0.5, "staircase": True, "transition_begin": 15, "end_value": 0.02},
                 optax=lambda optax: optax.warmup_exponential_decay_schedule(0.05, 0.1, 10, 20, 0.5, 15, True, 0.02)),
    ScheduleCase("warmup_exponential", {"convention": "optax", "lr": 0.1, "warmup_steps": 0, "gamma": 1.1, "end_value": 0.3},
                 optax=lambda optax: optax.exponential_decay(0.1, 1, 1.1, end_value=0.3)),
    ScheduleCase("wsd", {"lr": 0.1, "warmup_steps": 10, "stable_steps": 60, "decay_steps": 40}, torch=_factor(_stable(lambda a: 1 - a)),
                 optax=lambda optax: optax.join_schedules(
                     [optax.linear_schedule(0.0, 0.1, 10), optax.linear_schedule(0.1, 0.0, 40, 60)], [10])),
    ScheduleCase("wsd", {"lr": 0.1, "warmup_steps": 10, "stable_steps": 60, "decay_steps": 40, "start_factor": 0.1, "end_factor": 0.1,
                         "decay_shape": "cosine"},
                 torch=_factor(_stable(lambda a: (1 + math.cos(math.pi * a)) / 2, 0.1))),
    ScheduleCase("wsd", {"lr": 0.1, "warmup_steps": 10, "stable_steps": 60, "decay_steps": 40, "decay_shape": "1-sqrt"},
                 torch=_factor(_stable(lambda a: 1 - math.sqrt(a)))),
    ScheduleCase("wsd", {"convention": "optax", "lr": 0.1, "warmup_steps": 10, "stable_steps": 0, "decay_steps": 90, "end_factor": 0.01,
                         "decay_shape": "cosine"},
                 optax=lambda optax: optax.warmup_cosine_decay_schedule(0.0, 0.1, 10, 100, 1e-3)),
    ScheduleCase("inverse_sqrt", {"lr": 0.1, "warmup_steps": 16}, torch=_factor(lambda t: _warmed(t, 16, lambda t: math.sqrt(16 / t)))),
    ScheduleCase("inverse_sqrt", {"lr": 0.1, "warmup_steps": 16, "timescale": 50},
                 torch=_factor(lambda t: _warmed(t, 16, lambda t: 1 / math.sqrt((t + 34) / 50)))),
    ScheduleCase("inverse_sqrt", {"lr": 0.1, "warmup_steps": 40, "warmup": "constant"},
                 torch=_factor(lambda t: math.sqrt(40) / math.sqrt(max(t, 40)))),
    ScheduleCase("inverse_sqrt", {"convention": "optax", "lr": 0.1, "warmup_steps": 0},
                 optax=lambda optax: lambda count: 0.1 / ((count + 10_000) / 10_000) ** 0.5),
    ScheduleCase("noam", {"lr": 1.0, "d_model": 512, "warmup_steps": 50},
                 torch=_factor(lambda t: 512**-0.5 * min((t + 1) ** -0.5, (t + 1) * 50**-1.5))),
    ScheduleCase("noam", {"lr": 2.0, "d_model": 64}, torch=_factor(lambda t: 64**-0.5 * min((t + 1) ** -0.5, (t + 1) * 4000**-1.5))),
    ScheduleCase("noam", {"convention": "optax", "lr": 0.5, "d_model": 1, "warmup_steps": 1},
                 optax=lambda optax: lambda count: 0.5 / (count + 1.0) ** 0.5),
)  # fmt: skip
"""What PyTorch has no class for stands beside a LambdaLR with the paper's or the library's own formula."""
