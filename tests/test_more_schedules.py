"""Schedules with a warm-up, in steps, in cycles, of functions and of others: ends, edges, and other frameworks' own."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from schedule_runs import ids, plain, same, sgd, walk
from specs import own
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR

from lossopt import get_schedule, registry
from lossopt.cli.main import main
from lossopt.errors import ArgumentError, ConfigError
from lossopt.parity.case import ScheduleCase
from lossopt.parity.engine import suite
from lossopt.recipes import Recipe, parse_recipe
from lossopt.schedules import chained, constant_factor, cosine, exponential, lambda_, linear, warmup_cosine

ENDS: dict[str, tuple[dict[str, Any], list[tuple[int, float]]]] = {
    "constant_factor": ({"factor": 0.5, "total_iters": 3}, [(0, 0.5), (2, 0.5), (3, 1.0), (10**6, 1.0)]),
    "polynomial": ({"total_iters": 4, "power": 2.0, "end_value": 0.2}, [(0, 1.0), (2, 0.4), (4, 0.2), (10**6, 0.2)]),
    "polynomial, cycle": ({"total_iters": 4, "cycle": True}, [(0, 1.0), (4, 0.0), (5, 0.375), (8, 0.0), (9, 0.25)]),
    "polynomial, begin": ({"total_iters": 4, "transition_begin": 3}, [(0, 1.0), (3, 1.0), (5, 0.5), (7, 0.0), (8, 0.0)]),
    "polynomial, power 0": ({"total_iters": 4, "power": 0.0}, [(0, 1.0), (4, 1.0), (9, 1.0)]),
    "multi_step": ({"milestones": (5, 2), "gamma": (0.5, 0.1)}, [(1, 1.0), (2, 0.1), (4, 0.1), (5, 0.05), (10**6, 0.05)]),
    "multi_step, twice": ({"milestones": (2, 2), "gamma": 0.5}, [(1, 1.0), (2, 0.25)]),
    "multi_step, none": ({"milestones": ()}, [(0, 1.0), (9, 1.0)]),
    "piecewise_interpolate": ({"milestones": (4, 6), "gamma": (0.5, 0.0)}, [(0, 1.0), (2, 0.75), (4, 0.5), (5, 0.25), (6, 0.0), (99, 0.0)]),
    "piecewise_interpolate, at once": ({"milestones": (0,), "gamma": 0.5}, [(0, 0.5), (9, 0.5)]),
    "piecewise_interpolate, none": ({"milestones": (), "gamma": 0.5}, [(0, 1.0), (9, 1.0)]),
    "cyclic": ({"lr": 0.2, "max_lr": 1.0, "step_size_up": 1, "step_size_down": 2}, [(0, 0.2), (1, 1.0), (2, 0.6), (3, 0.2), (3001, 1.0)]),
    "cyclic, down": ({"max_lr": 0.0, "step_size_up": 2}, [(0, 1.0), (1, 0.5), (2, 0.0), (4, 1.0)]),
    "lambda_": ({"lr_lambda": lambda t: t / 4, "total_iters": 8}, [(0, 0.0), (4, 1.0), (8, 2.0), (10**6, 2.0)]),
    "multiplicative": ({"lr_lambda": lambda t: 2.0, "total_iters": 3}, [(0, 1.0), (1, 2.0), (3, 8.0), (10**6, 8.0)]),
    "chained": ({"schedules": (linear(start_factor=0.5, total_iters=2), constant_factor(factor=0.1, total_iters=2))},
                [(0, 0.05), (1, 0.075), (2, 1.0), (99, 1.0)]),
    "swa_lr": ({"swa_lr": 0.2, "anneal_epochs": 4}, [(0, 1.0), (2, 0.6), (4, 0.2), (10**6, 0.2)]),
    "swa_lr, at once": ({"swa_lr": 0.2, "anneal_epochs": 0}, [(0, 0.2), (1, 0.2)]),
    "warmup_constant": ({"warmup_steps": 4, "start_factor": 0.5}, [(0, 0.5), (2, 0.75), (4, 1.0), (10**6, 1.0)]),
    "warmup_linear": ({"warmup_steps": 2, "total_steps": 6, "end_factor": 0.5}, [(0, 0.0), (2, 1.0), (4, 0.75), (6, 0.5), (10**6, 0.5)]),
    "warmup_linear, none": ({"warmup_steps": 0, "total_steps": 4}, [(0, 1.0), (2, 0.5), (4, 0.0)]),
    "warmup_cosine": ({"warmup_steps": 2, "decay_steps": 6}, [(0, 0.0), (2, 1.0), (4, 0.5), (6, 0.0), (8, 0.5), (10, 1.0)]),
    "warmup_cosine, optax": ({"warmup_steps": 2, "decay_steps": 6, "alpha": 0.1, "convention": "optax"}, [(2, 1.0), (6, 0.1), (10**6, 0.1)]),
    "warmup_cosine, keras": ({"warmup_steps": 2, "decay_steps": 6, "convention": "keras"}, [(2, 1.0), (5, 0.5), (8, 0.0), (99, 0.0)]),
    "warmup_exponential": ({"warmup_steps": 2, "gamma": 0.5, "end_value": 0.2}, [(0, 0.0), (2, 1.0), (3, 0.5), (4, 0.25), (5, 0.2), (99, 0.2)]),
    "wsd": ({"warmup_steps": 2, "stable_steps": 3, "decay_steps": 4, "end_factor": 0.2}, [(1, 0.5), (2, 1.0), (5, 1.0), (7, 0.6), (9, 0.2), (99, 0.2)]),
    "wsd, 1-sqrt": ({"warmup_steps": 0, "stable_steps": 0, "decay_steps": 4, "decay_shape": "1-sqrt", "end_factor": 0.5},
                    [(0, 1.0), (1, 0.75), (4, 0.5), (99, 0.5)]),
    "inverse_sqrt": ({"warmup_steps": 4}, [(0, 0.0), (2, 0.5), (4, 1.0), (16, 0.5), (4 * 10**6, 1e-3)]),
    "inverse_sqrt, T5": ({"warmup_steps": 4, "warmup": "constant"}, [(0, 1.0), (4, 1.0), (16, 0.5)]),
    "inverse_sqrt, no warm-up": ({"warmup_steps": 0}, [(0, 1.0), (30_000, 0.5)]),
    "noam": ({"d_model": 4, "warmup_steps": 4}, [(0, 1 / 16), (3, 1 / 4), (15, 1 / 8), (4 * 10**6 - 1, 2.5e-4)]),
    "cosine": ({"T_max": 4, "alpha": 0.5, "exponent": 2.0}, [(0, 1.0), (2, 0.625), (4, 0.5), (8, 1.0)]),
    "exponential": ({"gamma": 2.0, "transition_begin": 3, "end_value": 5.0}, [(0, 1.0), (3, 1.0), (5, 4.0), (6, 5.0), (10**6, 5.0)]),
    "linear": ({"start_factor": 0.5, "total_iters": 2, "transition_begin": 2}, [(0, 0.5), (2, 0.5), (3, 0.75), (4, 1.0)]),
    "one_cycle": ({"total_steps": 10, "three_phase": True, "pct_final": 0.8, "convention": "optax", "anneal_strategy": "linear",
                   "div_factor": 10.0, "final_div_factor": 10.0}, [(0, 0.1), (3, 1.0), (8, 0.1), (10, 0.01), (99, 0.01)]),
    "one_cycle, torch": ({"total_steps": 10, "three_phase": True, "pct_final": 0.8, "anneal_strategy": "linear",
                          "div_factor": 10.0, "final_div_factor": 10.0}, [(0, 0.1), (2, 1.0), (7, 0.1), (9, 0.01), (99, 0.01)]),
}  # fmt: skip
"""Label -> (options, values at steps): the way, the end, and past it."""


@pytest.mark.parametrize("label", ENDS)
def test_where_it_goes_and_how_it_ends(label: str) -> None:
    options, wanted = ENDS[label]
    spec = get_schedule(label.partition(",")[0], **options)
    same([spec(t) for t, _ in wanted], [value for _, value in wanted])
    traced = jax.jit(get_schedule(spec, "jax"))
    found = [traced(jnp.int32(t)) for t, _ in wanted]
    assert all(x.dtype == jnp.float32 and x.shape == () for x in found)
    np.testing.assert_allclose(found, [value for _, value in wanted], rtol=3e-7, atol=1e-12)


# ------------------------------------------------------------------------------------------------- in torch
NEW = [c for _, c in suite(["schedule"]) if c.torch and c.name != "reduce_on_plateau"]


@pytest.mark.parametrize("case", NEW, ids=ids)
def test_a_saved_scheduler_continues_as_pytorchs_own(case: ScheduleCase) -> None:
    def make() -> tuple[Any, Any]:
        optimizer = sgd(case.options["lr"], momentum=0.9)
        return optimizer, get_schedule(case.name, "torch", optimizer=optimizer, **case.options)

    optimizer, scheduler = make()
    walk(scheduler, 23)
    file = io.BytesIO()
    torch.save([optimizer.state_dict(), scheduler.state_dict()], file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    again, resumed = make()
    again.load_state_dict(saved[0])
    resumed.load_state_dict(saved[1])
    assert case.torch is not None
    theirs = walk(case.torch(torch, sgd(case.options["lr"], momentum=0.9)), min(case.steps, 70))[23:]
    same(walk(resumed, len(theirs)), theirs)


@pytest.mark.parametrize("options", [{}, {"mode": "triangular2"}, {"mode": "exp_range", "gamma": 0.9}, {"step_size_down": 3}], ids=repr)
@pytest.mark.parametrize("make", [lambda p: torch.optim.SGD(p, lr=0.1), lambda p: torch.optim.AdamW(p, lr=0.1)], ids=["sgd", "adamw"])
def test_cyclic_cycles_momentum_as_torch_does(make: Any, options: dict[str, Any]) -> None:
    ours, theirs = (make([torch.nn.Parameter(torch.zeros(1))]) for _ in range(2))
    a = get_schedule("cyclic", "torch", optimizer=ours, max_lr=0.5, step_size_up=6, **options)
    b = lr_scheduler.CyclicLR(theirs, 0.1, 0.5, step_size_up=6, **options)
    for _ in range(40):
        x, y = ours.param_groups[0], theirs.param_groups[0]
        key = "betas" if "betas" in x else "momentum"
        same([*np.ravel(x[key]), x["lr"]], [*np.ravel(y[key]), y["lr"]])
        for o, s in ((ours, a), (theirs, b)):
            o.step()
            s.step()
    spec = get_schedule("cyclic", max_lr=0.5, step_size_up=6)
    assert (spec.momentum(0), spec.momentum(6)) == (0.9, 0.8)
    assert float(get_schedule(spec, "jax").momentum(6)) == pytest.approx(0.8)


def test_swa_begins_from_the_lr_that_another_scheduler_has_left() -> None:
    def run(make_swa: Callable[[Any], Any]) -> list[float]:
        optimizer = sgd(0.1)
        before, swa, found = lr_scheduler.MultiplicativeLR(optimizer, lambda _: 0.9), make_swa(optimizer), []
        for t in range(30):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            (swa if t >= 10 else before).step()
        return found

    theirs = run(lambda o: SWALR(o, swa_lr=0.02, anneal_epochs=8))
    same(run(lambda o: get_schedule("swa_lr", "torch", optimizer=o, swa_lr=0.02, anneal_epochs=8)), theirs)
    assert theirs[-1] == pytest.approx(0.02)


def test_swa_made_when_the_lr_has_been_changed() -> None:
    def run(make_swa: Callable[[Any], Any]) -> list[float]:
        optimizer = sgd(0.1)
        walk(lr_scheduler.StepLR(optimizer, 3), 7)
        return walk(make_swa(optimizer), 20)

    same(run(lambda o: get_schedule("swa_lr", "torch", optimizer=o, swa_lr=0.02)), run(lambda o: SWALR(o, swa_lr=0.02)))


def test_a_cosine_with_a_minimum_in_pytorchs_chain_is_what_pytorchs_is() -> None:
    """PyTorch computes it from the lr that the others have left, which is no product: `chained` says so."""

    def run(make_cosine: Callable[[Any], Any]) -> list[float]:
        optimizer = sgd()
        return walk(lr_scheduler.ChainedScheduler([make_cosine(optimizer), lr_scheduler.ExponentialLR(optimizer, 0.95)]), 29)

    theirs = run(lambda o: lr_scheduler.CosineAnnealingLR(o, 30, 0.01))
    same(run(lambda o: get_schedule("cosine", "torch", optimizer=o, T_max=30, eta_min=0.01)), theirs, rtol=1e-11)
    product = chained(lr=0.1, schedules=(cosine(T_max=30, eta_min=0.1), exponential(gamma=0.95)))
    same(plain(product, 29), [(0.1 * cosine(T_max=30, alpha=0.1)(t)) * 0.95**t for t in range(29)])
    assert max(abs(a - b) for a, b in zip(plain(product, 29), theirs, strict=True)) > 5e-3


def test_multiplicative_calls_its_function_once_a_step_and_never_with_0() -> None:
    calls: list[int] = []

    class Factor:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, step: int) -> float:
            calls.append(step)
            return 0.5

        def __eq__(self, other: object) -> bool:
            return False

    optimizer = sgd(0.8)
    scheduler = get_schedule("multiplicative", "torch", optimizer=optimizer, lr_lambda=Factor())
    assert walk(scheduler, 4) == [0.8, 0.4, 0.2, 0.1]
    assert calls == [1, 2, 3, 4]


def test_functions_are_not_saved_with_a_scheduler() -> None:
    scheduler = get_schedule("lambda", "torch", optimizer=sgd(), lr_lambda=lambda step: 1 / (1 + step))
    assert not any(callable(v) for v in scheduler.state_dict().values())


# ------------------------------------------------------------------------------------------------- in JAX
def test_a_function_is_given_the_traced_count_or_makes_a_table() -> None:
    by_jax = get_schedule("lambda", "jax", lr=0.5, lr_lambda=lambda count: jnp.where(count < 3, 1.0, jnp.exp(-count / 10)))
    assert [float(jax.jit(by_jax)(t)) for t in (2, 20)] == pytest.approx([0.5, 0.5 * math.exp(-2)])
    indexed = get_schedule("lambda", "jax", lr_lambda=lambda count: jnp.array([1.0, 0.5, 0.25])[count])
    assert [float(jax.jit(indexed)(jnp.int32(t))) for t in range(3)] == [1.0, 0.5, 0.25]
    theirs = optax.warmup_cosine_decay_schedule(0.0, 1.0, 5, 20)
    assert float(get_schedule("lambda", "jax", lr_lambda=theirs)(7)) == float(theirs(7))

    def warms_up(step: int) -> float:
        return min(1.0, (step + 1) / 10)

    with pytest.raises(jax.errors.TracerBoolConversionError):
        jax.jit(get_schedule("lambda", "jax", lr_lambda=warms_up))(3)
    table = jax.jit(get_schedule("lambda", "jax", lr_lambda=warms_up, total_iters=9))
    assert [float(table(t)) for t in (0, 4, 9, 100)] == pytest.approx([0.1, 0.5, 1.0, 1.0])
    assert float(table(4.0)) == pytest.approx(0.5)


def test_a_schedule_is_a_function_of_the_step_too() -> None:
    spec = lambda_(lr=0.5, lr_lambda=cosine(T_max=10))
    assert plain(spec, 12) == plain(cosine(lr=0.5, T_max=10), 12)
    np.testing.assert_allclose(jax.vmap(get_schedule(spec, "jax"))(jnp.arange(12)), plain(spec, 12), rtol=1e-6, atol=1e-9)
    power = lambda_(lr_lambda=exponential(gamma=0.9999))
    assert float(jax.jit(get_schedule(power, "jax"))(100_000)) == pytest.approx(power(100_000), rel=1e-6)


# ------------------------------------------------------------------------------------------------- other frameworks' names
@pytest.mark.parametrize(("foreign", "ours"), [
    ("LambdaLR", "lambda_"), ("lambda", "lambda_"), ("ConstantLR", "constant_factor"), ("constant_schedule", "constant"),
    ("PolynomialLR", "polynomial"), ("polynomial_schedule", "polynomial"), ("PolynomialDecay", "polynomial"),
    ("MultiStepLR", "multi_step"), ("piecewise_constant_schedule", "multi_step"), ("PiecewiseConstantDecay", "multi_step"),
    ("piecewise_interpolate_schedule", "piecewise_interpolate"), ("CyclicLR", "cyclic"), ("MultiplicativeLR", "multiplicative"),
    ("ChainedScheduler", "chained"), ("warmup_constant_schedule", "warmup_constant"), ("SWALR", "swa_lr"),
    ("warmup_cosine_decay_schedule", "warmup_cosine"), ("warmup_exponential_decay_schedule", "warmup_exponential"),
    ("get_wsd_schedule", "wsd"), ("warmup_stable_decay", "wsd"), ("get_inverse_sqrt_schedule", "inverse_sqrt"),
    ("get_linear_schedule_with_warmup", "warmup_linear"), ("get_cosine_schedule_with_warmup", "warmup_cosine"),
    ("get_constant_schedule_with_warmup", "warmup_constant"), ("optax.join_schedules", "sequential"), ("optax.linear_schedule", "linear"),
])  # fmt: skip
def test_names_of_other_frameworks(foreign: str, ours: str) -> None:
    assert registry.definition(foreign, "schedule").name == ours


def test_every_schedule_of_torch_and_optax_has_a_name_here() -> None:
    theirs = {n for n, c in vars(lr_scheduler).items() if isinstance(c, type) and c.__module__ == lr_scheduler.__name__ and n[0] != "_"}
    theirs -= {"LRScheduler", "Counter"}
    theirs |= {n for n in dir(optax.schedules) if n.endswith(("_schedule", "_schedules", "_decay")) and n[0] != "_"}
    aliases = registry.aliases("schedule")
    assert {n for n in theirs if n not in aliases} == set()
    assert len(theirs) > 25


@pytest.mark.parametrize(("name", "foreign", "ours"), [
    ("polynomial", {"init_value": 0.1, "end_value": 0.0, "transition_steps": 9}, {"lr": 0.1, "total_iters": 9}),
    ("warmup_cosine", {"peak_value": 0.1, "warmup_steps": 2, "decay_steps": 9, "end_value": 0.01},
     {"lr": 0.1, "warmup_steps": 2, "decay_steps": 9, "eta_min": 0.01}),
    ("warmup_cosine", {"num_warmup_steps": 2, "num_training_steps": 9, "min_lr_rate": 0.1}, {"warmup_steps": 2, "decay_steps": 9, "alpha": 0.1}),
    ("warmup_exponential", {"peak_value": 0.1, "warmup_steps": 2, "transition_steps": 9, "decay_rate": 0.5},
     {"lr": 0.1, "warmup_steps": 2, "step_size": 9, "gamma": 0.5}),
    ("cyclic", {"base_lr": 0.1, "max_lr": 0.5}, {"lr": 0.1, "max_lr": 0.5}),
    ("wsd", {"num_warmup_steps": 1, "num_stable_steps": 2, "num_decay_steps": 3, "decay_type": "1-sqrt", "min_lr_ratio": 0.1},
     {"warmup_steps": 1, "stable_steps": 2, "decay_steps": 3, "decay_shape": "1-sqrt", "end_factor": 0.1}),
    ("chained", {"schedulers": (linear(),)}, {"schedules": (linear(),)}),
])  # fmt: skip
def test_spellings_of_other_frameworks(name: str, foreign: dict[str, Any], ours: dict[str, Any]) -> None:
    assert get_schedule(name, **foreign) == get_schedule(name, **ours)


def test_cycles_of_their_own_peaks_are_optaxs_sgdr_schedule() -> None:
    cycles = [{"init_value": 0.01 * p, "peak_value": p, "warmup_steps": w, "decay_steps": n, "end_value": 1e-3, "exponent": e}
              for p, w, n, e in ((0.1, 5, 30, 1.0), (0.05, 0, 40, 2.0), (0.2, 10, 50, 0.5))]  # fmt: skip
    parts = tuple(warmup_cosine(lr=c["peak_value"], warmup_steps=c["warmup_steps"], decay_steps=c["decay_steps"], start_factor=0.01,
                                eta_min=c["end_value"], exponent=c["exponent"], convention="optax") for c in cycles)  # fmt: skip
    with jax.enable_x64(True):
        theirs = jax.vmap(optax.sgdr_schedule(cycles))(jnp.arange(150)).tolist()
    same(plain(get_schedule("sequential", schedules=parts, milestones=(30, 70)), 150), theirs)


KERAS: dict[str, tuple[str, dict[str, Any]]] = {
    "PolynomialDecay(0.1, 30)": ("polynomial", {"lr": 0.1, "decay_steps": 30}),
    "PolynomialDecay(0.1, 30, 0.02, 2.0)": ("polynomial", {"lr": 0.1, "decay_steps": 30, "end_learning_rate": 0.02, "power": 2.0}),
    "PolynomialDecay(0.1, 30, power=0.5, cycle=True)": ("polynomial", {"lr": 0.1, "decay_steps": 30, "power": 0.5, "cycle": True}),
    "CosineDecay(0.0, 60, warmup_target=0.1, warmup_steps=20)": ("warmup_cosine", {"lr": 0.1, "warmup_steps": 20, "decay_steps": 60}),
    "CosineDecay(0.05, 60, 0.1, warmup_target=0.1, warmup_steps=20)":
        ("warmup_cosine", {"warmup_target": 0.1, "warmup_steps": 20, "decay_steps": 60, "alpha": 0.1, "start_factor": 0.5}),
    "PiecewiseConstantDecay([20, 50], [0.1, 0.05, 0.01])":
        ("multi_step", {"convention": "torch", "lr": 0.1, "boundaries": (21, 51), "gamma": (0.5, 0.2)}),
    "CosineDecay(0.1, 60, alpha=0.2)": ("cosine", {"convention": "optax", "lr": 0.1, "decay_steps": 60, "alpha": 0.2}),
}  # fmt: skip
"""Keras's own schedules, as it is asked for them, and ours."""


@pytest.fixture(scope="module")
def of_keras() -> dict[str, list[float]]:
    """The values of each, from a process of its own: one process holds Keras on one backend, and this one's is JAX,
    where `keras.ops.cos` works in float32 whatever Keras's floatx."""
    code = ("import json, keras, keras.optimizers.schedules as theirs; keras.config.set_floatx('float64');"
            f"print(json.dumps({{call: [float(eval('theirs.' + call)(t)) for t in range(100)] for call in {list(KERAS)!r}}}))")  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "KERAS_BACKEND": "torch"}, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.parametrize("theirs", KERAS)
def test_equals_keras(theirs: str, of_keras: dict[str, list[float]]) -> None:
    name, options = KERAS[theirs]
    same(plain(get_schedule(name, **{"convention": "keras", **options}), 100), of_keras[theirs])


# ------------------------------------------------------------------------------------------------- recipes and pictures
SHORT = "loss: mse_loss\noptimizer: {name: sgd, lr: 0.1, momentum: 0.9}\nschedule: "


@pytest.mark.parametrize("schedule", [
    "{name: multi_step, milestones: [30, 80], gamma: [0.5, 0.1]}", "{name: polynomial, total_iters: 50, power: 0.9}",
    "{name: cyclic, max_lr: 0.5, step_size_up: 20}", "{name: wsd, warmup_steps: 5, stable_steps: 20, decay_steps: 10, decay_shape: 1-sqrt}",
    "{name: warmup_cosine, warmup_steps: 5, decay_steps: 50, convention: optax}",
    "{name: chained, schedules: [{name: linear, total_iters: 5}, {name: exponential, gamma: 0.9}]}",
])  # fmt: skip
def test_a_recipe_holds_it(schedule: str) -> None:
    recipe = parse_recipe(SHORT + schedule)
    assert parse_recipe(recipe.to_yaml()) == recipe


def test_a_function_has_no_place_in_a_recipes_file() -> None:
    for name, key, more in (("lambda", "lr_lambda", ""), ("multiplicative", "lr_lambda", ""), ("cyclic", "scale_fn", "max_lr: 1, ")):
        with pytest.raises(ConfigError) as error:
            parse_recipe(SHORT + f"{{name: {name}, {more}{key}: f}}")
        assert str(error.value).endswith(
            f"schedule.{key}: must be a function of the step, which is code and has no place in a file, got 'f'"
        )
    recipe = Recipe("mse_loss", "sgd", lambda_(lr_lambda=lambda step: 0.9**step))
    with pytest.raises(ArgumentError, match=r"lr_lambda is a function, .*, and code has no place in a file"):
        recipe.to_yaml()


DRAWN = {
    "chained": ["schedules=[{name: linear, total_iters: 5}, {name: cosine, T_max: 20}]"],
    "sequential": ["schedules=[{name: linear, total_iters: 5}, {name: cosine, T_max: 20}]", "milestones=[5]"],
    "constant": [], "constant_factor": [], "cosine": ["T_max=20"], "cosine_warm_restarts": ["T_0=5"], "exponential": ["gamma=0.9"],
    "linear": [], "one_cycle": ["total_steps=20"], "step": ["step_size=5"], "polynomial": ["total_iters=20", "power=2"],
    "multi_step": ["milestones=[5, 10]", "gamma=[0.5, 0.1]"], "piecewise_interpolate": ["milestones=[5, 10]", "gamma=[2, 0.1]"],
    "cyclic": ["max_lr=2", "step_size_up=5"], "swa_lr": ["swa_lr=0.1"], "warmup_constant": ["warmup_steps=5"],
    "warmup_linear": ["warmup_steps=5", "total_steps=20"], "warmup_cosine": ["warmup_steps=5", "decay_steps=20"],
    "warmup_exponential": ["warmup_steps=5", "gamma=0.9"], "wsd": ["warmup_steps=5", "stable_steps=5", "decay_steps=10"],
    "inverse_sqrt": ["warmup_steps=5"], "noam": ["d_model=64", "warmup_steps=5"],
}  # fmt: skip
NOT_DRAWN = {"lambda_", "multiplicative", "reduce_on_plateau"}
"""Code, and what waits for a metric."""


@pytest.mark.parametrize("name", DRAWN)
def test_plot_schedule_draws_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot-schedule", name, *DRAWN[name], "--steps", "20", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["learning rate"]) == 20 and all(map(math.isfinite, told["learning rate"]))
    assert main(["plot-schedule", name, *DRAWN[name], "--steps", "20"]) == 0
    assert capsys.readouterr().out.startswith(f"learning rate: {told['schedule'][:20]}")


def test_every_schedule_that_can_be_drawn_is() -> None:
    assert set(DRAWN) | NOT_DRAWN == set(own("schedule"))
