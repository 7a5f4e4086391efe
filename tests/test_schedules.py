"""A schedule is a function of the step with the numbers of PyTorch and optax, under any name and spelling that it has there."""

from __future__ import annotations

import copy
import doctest
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from schedule_runs import ids, plain, same, sgd, walk
from specs import own

from lossopt import get_schedule, registry
from lossopt.definition import schedule
from lossopt.hyper import REQUIRED
from lossopt.parity.case import ScheduleCase
from lossopt.parity.engine import suite
from lossopt.vector import State

# ------------------------------------------------------------------------------------------------- parity
SCHEDULE_CASES: list[Any] = [case for _, case in suite(["schedule"])]
CLOSED = [c for c in SCHEDULE_CASES if c.name != "reduce_on_plateau"]
"""The functions of the step; a plateau walks on metrics, and is held to both frameworks' own further down."""


@pytest.mark.parametrize("case", [c for c in CLOSED if c.torch], ids=ids)
def test_equals_torch(case: ScheduleCase) -> None:
    theirs = walk(case.torch(torch, sgd(case.options["lr"])), case.steps)
    spec = get_schedule(case.name, **case.options)
    same(plain(spec, case.steps), theirs)
    ours = get_schedule(case.name, "torch", optimizer=sgd(case.options["lr"]), **case.options)
    same(walk(ours, case.steps), theirs)


@pytest.mark.parametrize("case", [c for c in CLOSED if c.optax], ids=ids)
def test_equals_optax(case: ScheduleCase, x64: None) -> None:
    theirs = jax.vmap(case.optax(optax))(jnp.arange(case.steps)) * jnp.ones(case.steps)
    assert theirs.dtype == jnp.float64
    same(plain(get_schedule(case.name, **case.options), case.steps), theirs.tolist())


@pytest.mark.parametrize("case", CLOSED, ids=ids)
def test_every_backend_gives_the_same_in_float64(case: ScheduleCase, x64: None) -> None:
    wanted = plain(get_schedule(case.name, **case.options), case.steps + 50)
    assert plain(get_schedule(case.name, "numpy", **case.options), case.steps + 50) == wanted
    traced = jax.jit(jax.vmap(get_schedule(case.name, "jax", **case.options)))(jnp.arange(case.steps + 50, dtype=jnp.int32))
    assert traced.dtype == jnp.float64
    same(traced.tolist(), wanted)


def test_every_schedule_has_a_row_or_its_own_test() -> None:
    assert {c.name for c in SCHEDULE_CASES} | {"reduce_on_plateau"} == set(own("schedule"))


# ------------------------------------------------------------------------------------------------- a function of the step
@pytest.mark.parametrize("name", own("schedule"))
def test_the_example_on_the_page_runs(name: str) -> None:
    doc = registry.definition(name, "schedule").doc
    found = doctest.DocTestParser().get_doctest(doc, {}, name, None, 0)
    assert found.examples
    assert doctest.DocTestRunner(verbose=False).run(found).failed == 0


@pytest.mark.parametrize(("foreign", "ours"), [
    ("StepLR", "step"), ("ExponentialLR", "exponential"), ("CosineAnnealingLR", "cosine"),
    ("CosineAnnealingWarmRestarts", "cosine_warm_restarts"), ("ReduceLROnPlateau", "reduce_on_plateau"), ("OneCycleLR", "one_cycle"),
    ("ConstantLR", "constant_factor"), ("LinearLR", "linear"), ("SequentialLR", "sequential"), ("linear_warmup", "linear"),
    ("cosine_decay_schedule", "cosine"), ("exponential_decay", "exponential"), ("sgdr_schedule", "cosine_warm_restarts"),
    ("cosine_onecycle_schedule", "one_cycle"), ("linear_onecycle_schedule", "one_cycle"), ("constant_schedule", "constant"),
    ("linear_schedule", "linear"), ("join_schedules", "sequential"), ("optax.contrib.reduce_on_plateau", "reduce_on_plateau"),
    ("torch.optim.lr_scheduler.StepLR", "step"), ("CosineDecay", "cosine"), ("CosineDecayRestarts", "cosine_warm_restarts"),
])  # fmt: skip
def test_names_of_other_frameworks(foreign: str, ours: str) -> None:
    assert registry.definition(foreign, "schedule").name == ours


@pytest.mark.parametrize(("name", "foreign", "ours"), [
    ("cosine", dict(init_value=0.1, decay_steps=10), dict(lr=0.1, T_max=10)),
    ("cosine", dict(learning_rate=0.1, decay_steps=10), dict(lr=0.1, T_max=10)),
    ("step", dict(initial_learning_rate=0.1, transition_steps=3, decay_rate=0.5), dict(lr=0.1, step_size=3, gamma=0.5)),
    ("exponential", dict(transition_steps=3, decay_rate=0.5), dict(step_size=3, gamma=0.5)),
    ("one_cycle", dict(max_lr=0.1, total_steps=10), dict(lr=0.1, total_steps=10)),
    ("one_cycle", dict(peak_value=0.1, transition_steps=10), dict(lr=0.1, total_steps=10)),
    ("linear", dict(init_value=0.0, end_value=0.1, transition_steps=10), dict(start_factor=0.0, end_factor=0.1, total_iters=10)),
    ("cosine_warm_restarts", dict(first_decay_steps=3, t_mul=2), dict(T_0=3, T_mult=2)),
    ("reduce_on_plateau", dict(rtol=0.1), dict(threshold=0.1)),
])  # fmt: skip
def test_spellings_of_other_frameworks(name: str, foreign: dict[str, Any], ours: dict[str, Any]) -> None:
    assert get_schedule(name, **foreign) == get_schedule(name, **ours)


def test_a_spec_is_a_value() -> None:
    a = get_schedule("sequential", lr=0.1, schedules=[get_schedule("linear"), get_schedule("cosine", T_max=9)], milestones=[5])
    assert repr(a) == "sequential(lr=0.1, schedules=(linear(), cosine(T_max=9)), milestones=(5,))"
    for b in (copy.copy(a), copy.deepcopy(a)):
        assert a == b and hash(a) == hash(b) and repr(a) == repr(b)
    assert a != a.with_lr(0.2) and a.with_lr(0.2)(5) == 0.2
    assert repr(get_schedule("cosine", convention="optax", T_max=4)) == "cosine(T_max=4, convention='optax')"
    one = get_schedule("one_cycle", total_steps=5)
    assert repr(one.momentum) == "one_cycle(total_steps=5).momentum" and one.momentum != one
    assert copy.deepcopy(registry.definition("cosine")).defaults["T_max"] is REQUIRED


@pytest.mark.parametrize("step", [7, np.int64(7), np.asarray(7), 7.0, torch.tensor(7), jnp.asarray(7)], ids=lambda s: type(s).__name__)
def test_a_step_is_any_whole_number(step: Any) -> None:
    value = get_schedule("cosine", T_max=10)(step)
    assert type(value) is float and value == get_schedule("cosine", T_max=10)(7)


# ------------------------------------------------------------------------------------------------- custom schedules
def test_a_custom_schedule_is_carried_everywhere() -> None:
    @schedule
    def warmup_inverse_sqrt(ops, step, *, lr=1.0, warmup=10):
        """Linear warm-up, then the inverse root of the step."""
        return lr * ops.minimum((step + 1) / warmup, ops.sqrt(warmup / (step + 1)))

    wanted = [0.5 * min((t + 1) / 10, math.sqrt(10 / (t + 1))) for t in range(50)]
    spec = warmup_inverse_sqrt(lr=0.5)
    same(plain(spec, 50), wanted)
    same(walk(get_schedule("warmup_inverse_sqrt", "torch", optimizer=sgd(0.5)), 50), wanted)
    same(jax.vmap(get_schedule(spec, "jax"))(jnp.arange(50)).tolist(), wanted, rtol=1e-6)


def test_a_custom_transition_is_carried_everywhere() -> None:
    @schedule(start=lambda ops, *, lr: State(lr=lr, seen=0))
    def halve_on_bad(ops, state, metric, *, lr=1.0, bad=1.0):
        return State(lr=ops.where(metric > bad, state.lr / 2, state.lr), seen=state.seen + 1)

    spec, metrics = halve_on_bad(lr=0.8), [0.5, 2.0, 0.1, 3.0]
    traced, driven = get_schedule(spec, "jax"), get_schedule(spec, "torch", optimizer=sgd(0.8))
    a, b = spec.init(), traced.init()
    for m in metrics:
        a, b = spec.update(a, m), jax.jit(traced.update)(b, m)
        driven.step(m)
    assert a.lr == 0.2 and a.seen == 4 and float(b.lr) == pytest.approx(0.2) and int(b.seen) == 4
    assert driven.optimizer.param_groups[0]["lr"] == 0.2 and driven.seen == 4
