"""Numbers far out and at the edges: float32 after 100,000 steps, cycles that begin again, ends and peaks of a one-cycle schedule."""

from __future__ import annotations

import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from schedule_runs import plain, same, sgd
from specs import own
from torch.optim import lr_scheduler

from lossopt import get_schedule
from lossopt.definition import schedule
from lossopt.schedules import cosine, exponential, linear

# ------------------------------------------------------------------------------------------------- float32
LONG: dict[str, dict[str, Any]] = {
    "step": dict(step_size=30, gamma=0.97),
    "step, often": dict(step_size=7, gamma=0.999),
    "exponential": dict(gamma=0.9999),
    "exponential, slow": dict(gamma=0.96, step_size=1000),
    "exponential, growing": dict(gamma=1.0001),
    "cosine": dict(T_max=100_000),
    "cosine, climbing back": dict(T_max=777, eta_min=1e-5),
    "cosine, staying": dict(T_max=50_000, eta_min=1e-9, convention="optax"),
    "cosine_warm_restarts": dict(T_0=997, eta_min=1e-7),
    "cosine_warm_restarts, growing": dict(T_0=10, T_mult=2),
    "one_cycle": dict(total_steps=100_000),
    "one_cycle, three": dict(total_steps=77_777, three_phase=True, div_factor=1000.0),
    "one_cycle, linear": dict(total_steps=77_777, anneal_strategy="linear", pct_start=0.123),
    "one_cycle, whole": dict(total_steps=99_999, convention="optax"),
    "constant": dict(lr=0.1, factor=1 / 3, total_iters=500),
    "linear": dict(start_factor=1e-3, total_iters=100_000),
    "linear, to zero": dict(start_factor=1.0, end_factor=0.0, total_iters=100_000),
    "constant_factor": {"total_iters": 77_777},
    "polynomial": {"total_iters": 100_000, "power": 0.9},
    "polynomial, steep": {"total_iters": 100_001, "power": 4, "end_value": 1e-6},
    "polynomial, cycle": {"total_iters": 777, "cycle": True, "power": 2, "end_value": 1e-4},
    "multi_step": {"milestones": tuple(range(1000, 100_000, 1000)), "gamma": 0.93},
    "piecewise_interpolate": {"milestones": (33_333, 50_000, 100_000), "gamma": (1e-3, 7.0, 1e-3)},
    "piecewise_interpolate, cosine": {"milestones": (33_333, 50_000, 100_000), "gamma": (1e-3, 7.0, 1e-3), "interpolation": "cosine"},
    "cyclic": {"lr": 1e-4, "max_lr": 0.1, "step_size_up": 777, "step_size_down": 333},
    "cyclic, triangular2": {"lr": 1e-4, "max_lr": 0.1, "step_size_up": 777, "mode": "triangular2"},
    "cyclic, exp_range": {"lr": 1e-4, "max_lr": 0.1, "step_size_up": 777, "mode": "exp_range", "gamma": 0.9999},
    "lambda_": {"lr_lambda": lambda step: 0.9999**step if step % 2 else min(1.0, step / 5e4), "total_iters": 100_000},
    "multiplicative": {"lr_lambda": lambda step: 0.9999 if step % 2 else 1 - 1 / (step + 1e5), "total_iters": 100_000},
    "chained": {"schedules": (exponential(gamma=0.9999), cosine(T_max=3333, alpha=0.1), linear(total_iters=5000))},
    "swa_lr": {"swa_lr": 1e-3, "anneal_epochs": 100_000},
    "warmup_constant": {"warmup_steps": 99_999},
    "warmup_linear": {"warmup_steps": 4000, "total_steps": 100_000},
    "warmup_cosine": {"warmup_steps": 4000, "decay_steps": 100_000, "eta_min": 1e-7},
    "warmup_cosine, exponent": {"warmup_steps": 4000, "decay_steps": 100_000, "alpha": 1e-3, "exponent": 1.5, "convention": "optax"},
    "warmup_exponential": {"warmup_steps": 4000, "gamma": 0.9999, "transition_begin": 300},
    "wsd": {"warmup_steps": 2000, "stable_steps": 70_000, "decay_steps": 28_000},
    "wsd, cosine": {"warmup_steps": 2000, "stable_steps": 70_000, "decay_steps": 28_000, "decay_shape": "cosine", "end_factor": 1e-4},
    "wsd, 1-sqrt": {"warmup_steps": 2000, "stable_steps": 70_000, "decay_steps": 28_000, "decay_shape": "1-sqrt"},
    "inverse_sqrt": {"warmup_steps": 4000},
    "inverse_sqrt, T5": {"warmup_steps": 10_000, "warmup": "constant", "timescale": 333},
    "noam": {"d_model": 512},
    "exponential, begin": {"gamma": 0.9999, "transition_begin": 12_345, "end_value": 1e-4},
}


@pytest.mark.parametrize("label", LONG)
def test_float32_stays_within_1e_6_of_the_referee_for_100_000_steps(label: str) -> None:
    spec = get_schedule(label.partition(",")[0], **LONG[label])
    steps = np.arange(0, 100_001, 7)
    wanted = np.array([spec(t) for t in steps])
    found = jax.jit(get_schedule(spec, "jax"))(jnp.asarray(steps, jnp.int32))
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=np.finfo(np.float32).tiny)  # XLA flushes subnormals


def test_every_schedule_is_held_to_the_referee() -> None:
    """A sequence is of those that are, and a plateau walks on metrics."""
    assert {label.partition(",")[0] for label in LONG} | {"sequential", "reduce_on_plateau"} == set(own("schedule"))


def test_optax_itself_is_off_by_more_than_1e_3_there() -> None:
    steps = jnp.arange(0, 100_001, 1000)
    theirs = optax.exponential_decay(1.0, 1, 0.9999)(steps)
    wanted = np.array([get_schedule("exponential", gamma=0.9999)(int(t)) for t in steps])
    assert np.max(np.abs(theirs / wanted - 1)) > 1e-3


def test_one_trace_serves_every_step() -> None:
    for label, options in LONG.items():
        traced, traces = get_schedule(label.partition(",")[0], "jax", **options), []

        def value(count: Any, traced: Any = traced, traces: list[Any] = traces) -> Any:
            traces.append(1)
            return traced(count)

        jitted = jax.jit(value)
        for t in (0, 1, 99_999):
            jitted(jnp.int32(t))
        assert len(traces) == 1, label


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.lists(st.integers(0, 1000), min_size=1, max_size=20), st.integers(0, 2**31 - 1))
def test_the_step_stays_whole_in_float32(every: int, steps: list[int], late: int) -> None:
    @schedule
    def mixed(ops, step, *, lr=1.0, every=10):
        return ops.where(step / every >= 2.5, ops.floor(step / every) - step // every, lr + (step % every) / every)

    spec = mixed(every=every)
    for t in [*steps, late]:
        assert float(get_schedule(spec, "jax")(t)) == pytest.approx(spec(t), rel=3e-7)


# ------------------------------------------------------------------------------------------------- cycles
@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 4), st.integers(0, 500))
def test_warm_restarts_begin_at_the_peak_exactly_where_the_cycles_do(first: int, growth: int, step: int) -> None:
    begins, length = 0, first
    while begins + length <= step:
        begins, length = begins + length, length * growth
    spec = get_schedule("cosine_warm_restarts", lr=0.3, T_0=first, T_mult=growth)
    assert spec(begins) == pytest.approx(0.3, rel=1e-15)
    same([spec(step)], [0.3 * (1 + math.cos(math.pi * (step - begins) / length)) / 2], rtol=1e-9)
    traced = get_schedule(spec, "jax")
    assert float(traced(begins)) == pytest.approx(0.3, rel=1e-6)
    assert float(traced(step)) == pytest.approx(spec(step), rel=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 300), st.floats(0, 1), st.sampled_from(["cos", "linear"]), st.booleans(), st.sampled_from(["torch", "optax"]))
def test_one_cycle_stays_between_its_ends_and_its_peak_without_a_jump(
    total: int, pct: float, strategy: str, three: bool, convention: str
) -> None:
    spec = get_schedule("one_cycle", convention=convention, total_steps=total, pct_start=pct, anneal_strategy=strategy, three_phase=three)
    values, momenta = plain(spec, total + 5), plain(spec.momentum, total + 5)
    assert all(0.04 / 1e4 * (1 - 1e-12) <= v <= 1 + 1e-12 for v in values)
    assert all(0.85 - 1e-12 <= m <= 0.95 + 1e-12 for m in momenta)
    assert len(set(values[total:])) == 1  # past the end it stays
    ends = [e for e in (pct * total - 1, 2 * pct * total - 2, total - 1) if e > 0]
    shortest = min([b - a for a, b in zip([0, *sorted(ends)], sorted(ends), strict=False) if b > a], default=1)
    assume(shortest >= 1 and convention == "torch")
    assert max(abs(a - b) for a, b in itertools.pairwise(values)) <= min(1.0, math.pi / 2 / shortest) + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 200), st.floats(0.05, 0.95), st.sampled_from(["cos", "linear"]), st.booleans())
def test_one_cycle_equals_torch_with_its_momentum(total: int, pct: float, strategy: str, three: bool) -> None:
    assume(abs(pct * total - 1) > 1e-3 and abs(2 * pct * total - 1 - total) > 1e-3)  # torch divides by a phase's length
    options = dict(total_steps=total, pct_start=pct, anneal_strategy=strategy, three_phase=three)
    optimizer = sgd(0.1, momentum=0.5)
    theirs = lr_scheduler.OneCycleLR(optimizer, 0.1, **options)
    spec = get_schedule("one_cycle", lr=0.1, **options)
    for t in range(total):
        same([spec(t), spec.momentum(t)], [optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]], rtol=1e-11)
        optimizer.step()
        theirs.step()
