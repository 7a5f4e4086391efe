"""`lossopt identify` on learning rates: the schedule and its numbers, as they were computed, in float32, or read off updates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lossopt import schedules
from lossopt.identify.schedules import identify_schedule, schedule_of
from lossopt.recording import Recording, RunInfo, Step

MADE: list[tuple[Any, int]] = [
    (schedules.cosine(lr=0.1, T_max=60), 60),
    (schedules.cosine(lr=0.1, T_max=200, eta_min=1e-4), 60),
    (schedules.step(lr=0.1, step_size=15, gamma=0.5), 60),
    (schedules.multi_step(lr=0.1, milestones=(7, 31)), 60),
    (schedules.exponential(lr=0.1, gamma=0.97), 60),
    (schedules.linear(lr=0.1, start_factor=0.1, total_iters=20), 60),
    (schedules.polynomial(lr=0.1, total_iters=40, power=2.0), 60),
    (schedules.warmup_constant(lr=1e-3, warmup_steps=20), 60),
    (schedules.warmup_cosine(lr=0.1, warmup_steps=10, decay_steps=50), 60),
    (schedules.warmup_linear(lr=1e-3, warmup_steps=20, total_steps=120), 100),
    (schedules.one_cycle(lr=0.1, total_steps=100, pct_start=0.2), 100),
    (schedules.inverse_sqrt(lr=0.1, warmup_steps=10), 60),
    (schedules.noam(lr=1.0, d_model=512, warmup_steps=20), 60),
    (schedules.cosine_warm_restarts(lr=0.1, T_0=8, T_mult=2), 60),
    (schedules.cyclic(lr=0.01, max_lr=0.1, step_size_up=10), 60),
    (schedules.wsd(lr=0.1, warmup_steps=5, stable_steps=20, decay_steps=20), 60),
]


def values(made: Any, steps: int) -> np.ndarray:
    return np.array([made(t) for t in range(steps)])


@pytest.mark.parametrize(("made", "steps"), MADE, ids=lambda x: getattr(getattr(x, "definition", None), "name", None))
def test_a_schedule_is_found_with_its_numbers(made: Any, steps: int) -> None:
    assert str(schedule_of(values(made, steps))) == repr(made)


@pytest.mark.parametrize("made", [MADE[0][0], MADE[2][0], MADE[8][0], MADE[15][0]], ids=lambda made: made.definition.name)
def test_it_is_found_in_float32_and_from_rates_that_were_read_off(made: Any) -> None:
    y = values(made, 60)
    assert str(schedule_of(y.astype(np.float32).astype(float))) == repr(made)
    noise = 1 + 1e-5 * np.random.default_rng(0).normal(size=60)
    assert str(schedule_of(y * noise, tolerance=1e-4)) == repr(made)


def test_a_schedule_that_is_a_step_ahead_or_behind_or_moves_per_epoch() -> None:
    warm = schedules.warmup_cosine(lr=0.1, warmup_steps=10, decay_steps=50)
    assert str(schedule_of([warm(t + 1) for t in range(45)])) == f"{warm!r}, 1 step ahead"
    assert str(schedule_of([warm(max(t - 1, 0)) for t in range(45)])) == f"{warm!r}, 1 step behind"
    cosine = schedules.cosine(lr=0.1, T_max=10)
    assert str(schedule_of([cosine(t // 5) for t in range(50)])) == f"{cosine!r}, one value for every 5 steps (per epoch)"


def test_what_follows_no_schedule_is_not_named() -> None:
    assert schedule_of(0.1 + 0.05 * np.random.default_rng(0).uniform(size=40)) is None
    assert schedule_of([0.0, 0.0, 0.0]) is None
    assert schedule_of([0.1, 0.1]) is None


def test_the_first_groups_rates_are_read_and_gaps_are_not_guessed() -> None:
    def run(steps: list[int]) -> Recording:
        return Recording(RunInfo("torch", ()), tuple(Step(t, lr=(0.1 * 0.5**t, 1.0)) for t in steps), (), dict)

    assert str(identify_schedule(run([0, 1, 2, 3, 4]))) == "exponential(lr=0.1, gamma=0.5)"
    assert identify_schedule(run([0, 1, 3, 4])) is None
