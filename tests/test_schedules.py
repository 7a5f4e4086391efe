"""Schedules: the same numbers as torch.optim.lr_scheduler and optax, in every backend, and good citizens in each."""

from __future__ import annotations

import copy
import doctest
import io
import itertools
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

import lossopt
from lossopt import get_optimizer, get_schedule, registry
from lossopt.definition import schedule
from lossopt.errors import ArgumentError, HyperparameterError, InputError, LossoptError
from lossopt.parity.case import ScheduleCase
from lossopt.parity.engine import suite
from lossopt.schedules.spec import ScheduleSpec

RTOL = 1e-12
FLOOR = 1e-16  # of the largest value: what float64 leaves of `1 + cos(x)` near pi, in torch and optax


def ids(case: ScheduleCase) -> str:
    return re.sub(r" at 0x\w+", "", repr(get_schedule(case.name, **case.options)))[:90]  # the same in every worker


def sgd(lr: float = 0.1, **more: Any) -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, **more)


def walk(scheduler: Any, steps: int) -> list[float]:
    """The lr before each step, as the first group sees it."""
    found = []
    for _ in range(steps):
        found.append(float(scheduler.optimizer.param_groups[0]["lr"]))
        scheduler.optimizer.step()
        scheduler.step()
    return found


def same(found: Sequence[float], wanted: Sequence[float], rtol: float = RTOL) -> None:
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=FLOOR * max(map(abs, wanted), default=1.0))


def plain(spec: ScheduleSpec, steps: int) -> list[float]:
    return [spec(t) for t in range(steps)]


@pytest.fixture
def x64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


# ------------------------------------------------------------------------------------------------- parity
SCHEDULE_CASES = [case for _, case in suite(["schedule"])]
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
    assert {c.name for c in SCHEDULE_CASES} | {"reduce_on_plateau"} == set(pages())


LONG = {
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
}


@pytest.mark.parametrize("label", LONG)
def test_float32_stays_within_1e_6_of_the_referee_for_100_000_steps(label: str) -> None:
    spec = get_schedule(label.partition(",")[0], **LONG[label])
    steps = np.arange(0, 100_001, 7)
    wanted = np.array([spec(t) for t in steps])
    found = jax.jit(get_schedule(spec, "jax"))(jnp.asarray(steps, jnp.int32))
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=np.finfo(np.float32).tiny)  # XLA flushes subnormals


def test_optax_itself_is_off_by_more_than_1e_3_there() -> None:
    steps = jnp.arange(0, 100_001, 1000)
    theirs = optax.exponential_decay(1.0, 1, 0.9999)(steps)
    wanted = np.array([get_schedule("exponential", gamma=0.9999)(int(t)) for t in steps])
    assert np.max(np.abs(theirs / wanted - 1)) > 1e-3


# ------------------------------------------------------------------------------------------------- a function of the step
def pages() -> list[str]:
    return [n for n in registry.names("schedule") if registry.definition(n, "schedule").text.__module__.startswith("lossopt.schedules.")]


@pytest.mark.parametrize("name", pages())
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
    assert copy.deepcopy(registry.definition("cosine")).defaults["T_max"] is lossopt.hyper.REQUIRED


@pytest.mark.parametrize("step", [7, np.int64(7), np.asarray(7), 7.0, torch.tensor(7), jnp.asarray(7)], ids=lambda s: type(s).__name__)
def test_a_step_is_any_whole_number(step: Any) -> None:
    value = get_schedule("cosine", T_max=10)(step)
    assert type(value) is float and value == get_schedule("cosine", T_max=10)(7)


TRACED = "; for a step that JAX traces, get_schedule(..., backend='jax')"


@pytest.mark.parametrize("step", [-1, 1.5, math.nan, math.inf, True, "3", None, np.arange(3)], ids=repr)
def test_what_is_no_step(step: Any) -> None:
    with pytest.raises(InputError) as error:
        get_schedule("cosine", T_max=10)(step)
    assert str(error.value) == f"cosine: a step is a whole number, 0 or more, got {step!r}{TRACED}"


def test_a_plain_schedule_under_a_trace_says_where_the_traceable_one_is() -> None:
    with pytest.raises(InputError, match=r"a step is a whole number, 0 or more, got .*backend='jax'"):
        jax.jit(get_schedule("cosine", T_max=10))(3)


# ------------------------------------------------------------------------------------------------- errors
FACTOR = get_schedule("cosine", T_max=5)
ERRORS: dict[str, tuple[Any, type[LossoptError], str]] = {
    "no T_max": (
        lambda: get_schedule("cosine"),
        ArgumentError,
        "cosine() needs T_max (a whole number, at least 1, and finite): write cosine(T_max=...)",
    ),
    "no total_steps": (
        lambda: get_schedule("one_cycle", lr=0.1),
        ArgumentError,
        "one_cycle() needs total_steps (a whole number, at least 2, and finite): write one_cycle(total_steps=...)",
    ),
    "no gamma": (
        lambda: get_schedule("exponential"),
        ArgumentError,
        "exponential() needs gamma (positive or zero, and finite): write exponential(gamma=...)",
    ),
    "fractional T_max": (
        lambda: get_schedule("cosine", T_max=10.5),
        HyperparameterError,
        "cosine: T_max must be a whole number, got 10.5",
    ),
    "negative lr": (
        lambda: get_schedule("step", lr=-0.1, step_size=3),
        HyperparameterError,
        "step: lr must be positive or zero, and finite, got -0.1",
    ),
    "strategy": (
        lambda: get_schedule("one_cycle", total_steps=10, anneal_strategy="cosine"),
        HyperparameterError,
        "one_cycle: anneal_strategy must be 'cos' or 'linear', got 'cosine'",
    ),
    "milestones missing": (
        lambda: get_schedule("sequential", schedules=(FACTOR, FACTOR), milestones=()),
        ArgumentError,
        "sequential: 2 schedules and 0 milestones; give one milestone fewer than schedules, the step at which each next one begins",
    ),
    "no schedules": (
        lambda: get_schedule("sequential", schedules=(), milestones=()),
        ArgumentError,
        "sequential: 0 schedules and 0 milestones; give one milestone fewer than schedules, the step at which each next one begins",
    ),
    "milestones descend": (
        lambda: get_schedule("sequential", schedules=(FACTOR,) * 3, milestones=(5, 5)),
        HyperparameterError,
        "sequential: milestones must ascend, got (5, 5)",
    ),
    "plateau in a sequence": (
        lambda: get_schedule("sequential", schedules=(FACTOR, get_schedule("reduce_on_plateau")), milestones=(5,)),
        ArgumentError,
        "sequential: reduce_on_plateau() waits for a metric; schedules of the step can be joined",
    ),
    "momentum in a sequence": (
        lambda: get_schedule("sequential", schedules=(get_schedule("one_cycle", total_steps=9),), milestones=()),
        ArgumentError,
        "sequential joins schedules of lr, and one_cycle(total_steps=9) has a momentum beside it: write cycle_momentum=False",
    ),
    "a name in a sequence": (
        lambda: get_schedule("sequential", schedules=("cosine",), milestones=()),
        ArgumentError,
        "sequential: schedules are made ones such as cosine(T_max=100), got 'cosine'",
    ),
    "plateau at a step": (
        lambda: get_schedule("reduce_on_plateau")(3),
        ArgumentError,
        "reduce_on_plateau waits for a metric, so it has no value at a step: state = s.init(); "
        "state = s.update(state, metric); state.lr",
    ),
    "plateau at a count": (
        lambda: get_schedule("reduce_on_plateau", "jax")(3),
        ArgumentError,
        "reduce_on_plateau waits for a metric, so it has no value at a step: state = s.init(); "
        "state = s.update(state, metric); state.lr",
    ),
    "no plateau": (
        lambda: FACTOR.init(),
        ArgumentError,
        "cosine has no init: it is a function of the step, schedule(step)",
    ),
    "no momentum": (
        lambda: FACTOR.momentum,
        ArgumentError,
        "cosine schedules no momentum: only its lr",
    ),
    "momentum off": (
        lambda: get_schedule("one_cycle", total_steps=9, cycle_momentum=False).momentum,
        ArgumentError,
        "one_cycle schedules no momentum: cycle_momentum is False",
    ),
    "optimizer for jax": (
        lambda: get_schedule(FACTOR, "jax", optimizer=sgd()),
        ArgumentError,
        "a JAX schedule is a function of the count and takes no optimizer: get_optimizer(..., 'jax', lr=schedule), "
        "or learning_rate=schedule in optax",
    ),
    "optimizer for numpy": (
        lambda: get_schedule(FACTOR, "numpy", optimizer=sgd()),
        ArgumentError,
        "a numpy schedule is a function of the step and takes no optimizer: get_optimizer(..., 'numpy', lr=schedule)",
    ),
    "no optimizer": (
        lambda: get_schedule(FACTOR, "torch", optimizer=optax.sgd(0.1)),
        ArgumentError,
        "cosine drives a torch.optim.Optimizer, got GradientTransformationExtraArgs: "
        "get_schedule('cosine', 'torch', optimizer=optimizer, ...)",
    ),
    "no optimizer for the factory": (
        lambda: get_schedule("reduce_on_plateau", "torch")(None),
        ArgumentError,
        "reduce_on_plateau drives a torch.optim.Optimizer, got NoneType: "
        "get_schedule('reduce_on_plateau', 'torch', optimizer=optimizer, ...)",
    ),
    "another lr": (
        lambda: get_schedule("one_cycle", "torch", optimizer=sgd(0.01), max_lr=0.1, total_steps=9),
        ArgumentError,
        "one_cycle: lr=0.1 is given, but group 0 of the optimizer has lr=0.01; with an optimizer the base is each group's own lr: "
        "leave lr out, or give the optimizer lr=0.1",
    ),
    "another lr inside": (
        lambda: get_schedule("sequential", "torch", optimizer=sgd(0.1), schedules=(FACTOR.with_lr(0.1),), milestones=()),
        ArgumentError,
        "sequential: the joined cosine has lr=0.1 of its own; with an optimizer the base is each group's own lr: "
        "leave lr out of the joined schedules",
    ),
    "nothing to cycle": (
        lambda: get_schedule("one_cycle", "torch", optimizer=torch.optim.Adagrad([torch.nn.Parameter(torch.zeros(1))]), total_steps=9),
        ArgumentError,
        "one_cycle: Adagrad has neither momentum nor betas to cycle: write cycle_momentum=False",
    ),
}


@pytest.mark.parametrize("label", ERRORS)
def test_errors_say_what_to_do(label: str) -> None:
    act, kind, message = ERRORS[label]
    with pytest.raises(kind) as error:
        act()
    assert str(error.value) == message


# ------------------------------------------------------------------------------------------------- ranges and shapes
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


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.lists(st.integers(0, 1000), min_size=1, max_size=20), st.integers(0, 2**31 - 1))
def test_the_step_stays_whole_in_float32(every: int, steps: list[int], late: int) -> None:
    @schedule
    def mixed(ops, step, *, lr=1.0, every=10):
        return ops.where(step / every >= 2.5, ops.floor(step / every) - step // every, lr + (step % every) / every)

    spec = mixed(every=every)
    for t in [*steps, late]:
        assert float(get_schedule(spec, "jax")(t)) == pytest.approx(spec(t), rel=3e-7)


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
    from lossopt.vector import State

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


# ------------------------------------------------------------------------------------------------- in JAX
def test_a_new_step_does_not_retrace_and_scan_takes_it() -> None:
    traced = get_schedule("sequential", "jax", schedules=(get_schedule("linear"), get_schedule("cosine", T_max=20)), milestones=(5,))
    traces = []

    @jax.jit
    def value(count):
        traces.append(count)
        return traced(count)

    found = [float(value(jnp.int32(t))) for t in range(30)]
    assert len(traces) == 1
    _, scanned = jax.lax.scan(lambda count, _: (count + 1, traced(count)), jnp.int32(0), length=30)
    np.testing.assert_allclose(scanned, found, rtol=3e-7)
    assert repr(traced) == "jax schedule sequential(schedules=(linear(), cosine(T_max=20)), milestones=(5,))"


def test_optax_takes_it_as_a_learning_rate() -> None:
    spec = get_schedule("one_cycle", lr=0.1, total_steps=20)
    traced = get_schedule(spec, "jax")
    tx = optax.inject_hyperparams(optax.sgd)(learning_rate=traced, momentum=traced.momentum)
    params = jnp.ones(2)
    state = tx.init(params)
    for t in range(5):
        _, state = jax.jit(tx.update)(params, state, params)
        assert float(state.hyperparams["learning_rate"]) == pytest.approx(spec(t), rel=1e-6)
        assert float(state.hyperparams["momentum"]) == pytest.approx(spec.momentum(t), rel=1e-6)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_an_optimizer_takes_a_schedule_and_its_momentum(backend: str, x64: None) -> None:
    spec = get_schedule("one_cycle", lr=0.1, total_steps=20)
    tx = get_optimizer("adam", backend, lr=spec, betas=(spec.momentum, 0.999))
    reference = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    theirs = torch.optim.Adam([reference], lr=0.1)
    scheduler = lr_scheduler.OneCycleLR(theirs, 0.1, 20)
    params = jnp.ones(3, jnp.float64) if backend == "jax" else np.ones(3)
    state = tx.init(params)
    for t in range(20):
        reference.grad = torch.full((3,), math.cos(t), dtype=torch.float64)
        updates, state = tx.update(params * 0 + math.cos(t), state, params)
        params = params + updates
        theirs.step()
        scheduler.step()
        np.testing.assert_allclose(params, reference.detach().numpy(), rtol=RTOL)


# ------------------------------------------------------------------------------------------------- in torch
def test_each_group_keeps_its_own_base() -> None:
    p, q = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    optimizer = torch.optim.SGD([{"params": [p], "lr": 0.1}, {"params": [q], "lr": 0.02}])
    scheduler = get_schedule("cosine", "torch", T_max=10, eta_min=0.001)(optimizer)
    assert isinstance(scheduler, lr_scheduler.LRScheduler)
    for t in range(15):
        wanted = [get_schedule("cosine", lr=lr, T_max=10, eta_min=0.001)(t) for lr in (0.1, 0.02)]
        assert scheduler.get_last_lr() == [g["lr"] for g in optimizer.param_groups] == wanted
        assert scheduler.last_epoch == t
        optimizer.step()
        scheduler.step()
    r = torch.nn.Parameter(torch.zeros(1))
    optimizer.add_param_group({"params": [r], "lr": 0.5})
    scheduler.step()
    assert optimizer.param_groups[2]["lr"] == get_schedule("cosine", lr=0.5, T_max=10, eta_min=0.001)(16)


def test_a_tensor_lr_is_filled_in_place() -> None:
    lr = torch.tensor(0.1)
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    held = optimizer.param_groups[0]["lr"]
    scheduler = get_schedule("linear", "torch", optimizer=optimizer, total_iters=4)
    assert walk(scheduler, 6) == pytest.approx(plain(get_schedule("linear", lr=0.1, total_iters=4), 6), rel=1e-6)
    assert optimizer.param_groups[0]["lr"] is held
    plateau = get_schedule("reduce_on_plateau", "torch", optimizer=optimizer, patience=0)
    plateau.step(1.0)
    plateau.step(1.0)
    assert optimizer.param_groups[0]["lr"] is held and float(held) == pytest.approx(0.01)


@pytest.mark.parametrize("make", [lambda p: torch.optim.SGD(p, lr=0.1), lambda p: torch.optim.AdamW(p, lr=0.1)], ids=["sgd", "adamw"])
def test_one_cycle_cycles_momentum_as_torch_does(make: Any) -> None:
    ours, theirs = (make([torch.nn.Parameter(torch.zeros(1))]) for _ in range(2))
    a = get_schedule("one_cycle", "torch", optimizer=ours, total_steps=30)
    b = lr_scheduler.OneCycleLR(theirs, 0.1, 30)
    for _ in range(30):
        x, y = ours.param_groups[0], theirs.param_groups[0]
        key = "betas" if "betas" in x else "momentum"
        same(np.ravel(x[key]).tolist(), np.ravel(y[key]).tolist())
        same([x["lr"]], [y["lr"]])
        for o, s in ((ours, a), (theirs, b)):
            o.step()
            s.step()
    steady = make([torch.nn.Parameter(torch.zeros(1))])
    before = steady.param_groups[0].get("betas", steady.param_groups[0].get("momentum"))
    get_schedule("one_cycle", "torch", optimizer=steady, total_steps=30, cycle_momentum=False)
    assert steady.param_groups[0].get("betas", steady.param_groups[0].get("momentum")) == before


def test_it_takes_part_in_sequential_lr() -> None:
    linear, cosine = get_schedule("linear", total_iters=5), get_schedule("cosine", T_max=20)
    optimizer = sgd()
    parts = [get_schedule(s, "torch", optimizer=optimizer) for s in (linear, cosine)]
    theirs = lr_scheduler.SequentialLR(optimizer, parts, [5])
    joined = get_schedule("sequential", schedules=(linear, cosine), milestones=(5,))
    same(walk(theirs, 40), plain(joined.with_lr(0.1), 40), rtol=1e-15)
    assert parts[0].outside == parts[1].outside == [1.0]


def test_it_takes_part_in_a_chain_with_torch_s_own() -> None:
    optimizer, reference = sgd(), sgd()
    chain = lr_scheduler.ChainedScheduler([
        get_schedule("linear", "torch", optimizer=optimizer, total_iters=5),
        lr_scheduler.ExponentialLR(optimizer, 0.9),
        get_schedule("step", "torch", optimizer=optimizer, step_size=4, gamma=0.5),
    ])
    theirs = lr_scheduler.ChainedScheduler([
        lr_scheduler.LinearLR(reference, total_iters=5),
        lr_scheduler.ExponentialLR(reference, 0.9),
        lr_scheduler.StepLR(reference, 4, 0.5),
    ])
    same(walk(chain, 120), walk(theirs, 120))


def test_an_edited_lr_stays_as_a_factor_as_with_torch_s_own() -> None:
    optimizer, reference = sgd(), sgd()
    ours, theirs = get_schedule("step", "torch", optimizer=optimizer, step_size=4), lr_scheduler.StepLR(reference, 4)
    for scheduler in (ours, theirs):
        walk(scheduler, 2)
        scheduler.optimizer.param_groups[0]["lr"] *= 0.5
    same(walk(ours, 10), walk(theirs, 10))


@pytest.mark.parametrize("name, options", [
    ("cosine", dict(T_max=20)), ("one_cycle", dict(total_steps=40)),
    ("sequential", dict(schedules=(get_schedule("linear"), get_schedule("exponential", gamma=0.9)), milestones=(5,))),
], ids=lambda v: v if isinstance(v, str) else "")  # fmt: skip
def test_a_saved_scheduler_continues_exactly(name: str, options: dict[str, Any]) -> None:
    def make() -> tuple[Any, Any]:
        optimizer = sgd(0.1, momentum=0.9)
        return optimizer, get_schedule(name, "torch", optimizer=optimizer, **options)

    optimizer, scheduler = make()
    walk(scheduler, 13)
    file = io.BytesIO()
    torch.save({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    rest = walk(scheduler, 25)
    again, resumed = make()
    again.load_state_dict(saved["optimizer"])
    resumed.load_state_dict(saved["scheduler"])
    assert resumed.last_epoch == 13
    assert walk(resumed, 25) == rest
    assert again.param_groups[0]["momentum"] == optimizer.param_groups[0]["momentum"]


def test_the_factory_and_the_scheduler_say_what_they_are() -> None:
    factory = get_schedule("cosine", "torch", T_max=10)
    assert repr(factory) == "torch scheduler cosine(T_max=10), which takes an optimizer"
    assert repr(factory(sgd())) == "torch scheduler cosine(T_max=10)"
    assert repr(get_schedule("reduce_on_plateau", "jax")) == "jax schedule reduce_on_plateau()"
    assert repr(get_schedule("reduce_on_plateau", "torch", optimizer=sgd(1.0))) == "torch scheduler reduce_on_plateau()"


# ------------------------------------------------------------------------------------------------- reduce_on_plateau
METRICS = st.lists(st.one_of(st.floats(-10, 10), st.sampled_from([0.0, 1.0, -1.0, math.nan, math.inf])), min_size=1, max_size=60)
OPTIONS = st.fixed_dictionaries(dict(
    mode=st.sampled_from(["min", "max"]), factor=st.sampled_from([0.1, 0.5, 0.9]), patience=st.integers(0, 4),
    threshold=st.sampled_from([0.0, 1e-4, 0.1]), threshold_mode=st.sampled_from(["rel", "abs"]), cooldown=st.integers(0, 3),
    min_lr=st.sampled_from([0.0, 0.01, 0.2]), eps=st.sampled_from([1e-8, 1e-2]),
))  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(METRICS, OPTIONS)
def test_plateau_equals_torch_s_own_on_any_metrics(metrics: list[float], options: dict[str, Any]) -> None:
    reference, optimizer = sgd(0.1), sgd(0.1)
    theirs = lr_scheduler.ReduceLROnPlateau(reference, **options)
    ours = get_schedule("reduce_on_plateau", "torch", optimizer=optimizer, **options)
    assert isinstance(ours, lr_scheduler.ReduceLROnPlateau)
    spec = get_schedule("reduce_on_plateau", lr=0.1, **options)
    state = spec.init()
    for metric in metrics:
        theirs.step(metric)
        ours.step(metric)
        state = spec.update(state, metric)
        assert state.lr == optimizer.param_groups[0]["lr"] == reference.param_groups[0]["lr"]
        for name in ("best", "num_bad_epochs", "cooldown_counter", "in_cooldown", "last_epoch", "patience", "mode"):
            np.testing.assert_equal(getattr(ours, name), getattr(theirs, name))
        assert ours.get_last_lr() == theirs.get_last_lr()


@pytest.mark.parametrize("patience", [1, 2, 4])
@pytest.mark.parametrize("cooldown", [0, 2])
def test_plateau_with_optax_s_convention_equals_optax(patience: int, cooldown: int, x64: None) -> None:
    metrics = np.random.default_rng(patience).normal(size=120).round(1)
    theirs = optax.contrib.reduce_on_plateau(factor=0.5, patience=patience, cooldown=cooldown, min_scale=1e-6)
    options = dict(factor=0.5, patience=patience, cooldown=cooldown, min_lr=1e-6)
    ours = get_schedule("reduce_on_plateau", "jax", convention="optax", **options)
    shifted = get_schedule("reduce_on_plateau", **{**options, "patience": patience - 1, "eps": 0.0})
    params = jnp.zeros(1, jnp.float64)
    step = jax.jit(lambda state, metric: theirs.update(params, state, value=metric)[1])
    update = jax.jit(ours.update)
    a, b, c = theirs.init(params), ours.init(), shifted.init()
    for metric in metrics:
        a, b, c = step(a, metric), update(b, metric), shifted.update(c, metric)
        assert float(a.scale) == pytest.approx(float(b.lr), rel=RTOL)
        assert c.lr == pytest.approx(float(b.lr), rel=RTOL)


def test_plateau_in_jax_hands_its_lr_to_an_optimizer_without_a_recompilation() -> None:
    tx = get_optimizer("sgd", "jax", lr=0.8)
    plateau = get_schedule("reduce_on_plateau", "jax", lr=0.8, factor=0.5, patience=1)
    params, traces = {"w": jnp.ones(2)}, []
    opt_state, state = tx.init(params), plateau.init()

    @jax.jit
    def step(params, opt_state, state, metric):
        traces.append(1)
        state = plateau.update(state, metric)
        opt_state.hyperparams["learning_rate"] = state.lr
        updates, opt_state = tx.update({"w": jnp.ones(2)}, opt_state, params)
        return updates, opt_state, state

    seen = []
    for metric in (3.0, 2.0, 2.0, 2.0, 2.0, 2.0):
        updates, opt_state, state = step(params, opt_state, state, jnp.float32(metric))
        seen.append(-float(updates["w"][0]))
    assert seen == pytest.approx([0.8, 0.8, 0.8, 0.4, 0.4, 0.2])
    assert len(traces) == 1
    assert [x.dtype for x in jax.tree.leaves(state)] == [jnp.float32, jnp.float32, jnp.int32, jnp.int32]
    last, _ = jax.lax.scan(lambda s, m: (plateau.update(s, m), s.lr), plateau.init(), jnp.ones(5))
    assert float(last.lr) == pytest.approx(0.2)


def test_plateau_keeps_each_group_s_lr_and_resumes() -> None:
    def make() -> tuple[Any, Any]:
        groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (0.1, 0.02)]
        optimizer = torch.optim.SGD(groups)
        return optimizer, get_schedule("reduce_on_plateau", "torch", optimizer=optimizer, factor=0.5, patience=1, min_lr=0.01)

    def run(optimizer: Any, scheduler: Any, metrics: list[float]) -> list[list[float]]:
        found = []
        for m in metrics:
            scheduler.step(torch.tensor(m))
            found.append([g["lr"] for g in optimizer.param_groups])
        return found

    optimizer, scheduler = make()
    assert run(optimizer, scheduler, [1.0, 1.0, 1.0])[-1] == [0.05, 0.01]
    file = io.BytesIO()
    torch.save({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    rest = run(optimizer, scheduler, [1.0, 1.0, 0.5, 0.6, 0.6])
    again, resumed = make()
    again.load_state_dict(saved["optimizer"])
    resumed.load_state_dict(saved["scheduler"])
    assert run(again, resumed, [1.0, 1.0, 0.5, 0.6, 0.6]) == rest
    with pytest.raises(AttributeError, match="'PlateauScheduler' has no attribute 'paticence'"):
        _ = resumed.paticence
