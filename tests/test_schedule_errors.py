"""What a schedule refuses, in the exact words: hyperparameters, steps, schedules that do not join, optimizers without an lr."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import optax
import pytest
import torch
from schedule_runs import sgd

from lossopt import get_schedule
from lossopt.errors import ArgumentError, HyperparameterError, InputError, LossoptError
from lossopt.schedules import cosine, warmup_cosine

FACTOR = get_schedule("cosine", T_max=5)
NO_FILE = "must be a function of the step, which is code and has no place in a file, got 'f'"
ERRORS: dict[str, tuple[Callable[[], Any], type[LossoptError], str]] = {
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
    "no function": (lambda: get_schedule("lambda"), ArgumentError,
                    "lambda_() needs lr_lambda (a function of the step): write lambda_(lr_lambda=...)"),
    "a word": (lambda: get_schedule("lambda", lr_lambda="f"), HyperparameterError, f"lambda_: lr_lambda {NO_FILE}"),
    "a word to multiply": (lambda: get_schedule("multiplicative", lr_lambda="f"), HyperparameterError, f"multiplicative: lr_lambda {NO_FILE}"),
    "a word to scale": (lambda: get_schedule("cyclic", max_lr=1.0, scale_fn="f"), HyperparameterError, f"cyclic: scale_fn {NO_FILE}"),
    "no end in JAX": (lambda: get_schedule("multiplicative", "jax", lr_lambda=lambda step: 0.5)(3), ArgumentError,
                      "JAX traces the step, and takes such a function as a table of its values: give total_iters, the last step at which "
                      "the value changes"),
    "factors": (lambda: get_schedule("multi_step", milestones=(1, 2), gamma=(0.5,)), ArgumentError,
                "multi_step: 2 milestones and 1 factors; give one for each, or a number for all"),
    "a factor below 0": (lambda: get_schedule("multi_step", milestones=(1, 2), gamma=(0.5, -1.0)), HyperparameterError,
                         "multi_step: gamma[1] must be positive or zero, and finite, got -1.0"),
    "a milestone below 0": (lambda: get_schedule("multi_step", milestones=(1, -2)), HyperparameterError,
                            "multi_step: milestones[1] must be positive or zero, and finite, got -2"),
    "optax's dictionary": (lambda: get_schedule("multi_step", boundaries_and_scales={3: 0.1}), ArgumentError,
                           "multi_step() has no 'boundaries_and_scales'; 'boundaries_and_scales' is called 'milestones' here. It takes: lr, milestones, gamma"),
    "other factors": (lambda: get_schedule("piecewise_interpolate", milestones=(1, 2), gamma=(0.5,)), ArgumentError,
                      "piecewise_interpolate: 2 milestones and 1 factors; give one for each, or a number for all"),
    "interpolated milestones descend": (lambda: get_schedule("piecewise_interpolate", milestones=(2, 1), gamma=0.5), HyperparameterError,
                                        "piecewise_interpolate: milestones must ascend, got (2, 1)"),
    "an empty chain": (lambda: get_schedule("chained", schedules=()), ArgumentError,
                       "chained: no schedules; give at least one, such as schedules=(linear(), exponential(gamma=0.9))"),
    "a plateau in a chain": (lambda: get_schedule("chained", schedules=(get_schedule("reduce_on_plateau"),)), ArgumentError,
                             "chained: reduce_on_plateau() waits for a metric; schedules of the step can be joined"),
    "a momentum in a chain": (lambda: get_schedule("chained", schedules=(get_schedule("cyclic", max_lr=2.0),)), ArgumentError,
                              "chained joins schedules of lr, and cyclic(max_lr=2.0) has a momentum beside it: write cycle_momentum=False"),
    "lr inside a chain": (lambda: get_schedule("chained", "torch", optimizer=sgd(), schedules=(cosine(lr=0.1, T_max=3),)), ArgumentError,
                          "chained: the joined cosine has lr=0.1 of its own; with an optimizer the base is each group's own lr: "
                          "leave lr out of the joined schedules"),
    "two minima": (lambda: cosine(T_max=3, eta_min=0.1, alpha=0.1), ArgumentError,
                   "cosine: eta_min=0.1 and alpha=0.1 both say the lowest value: leave one out"),
    "two minima after a warm-up": (lambda: warmup_cosine(warmup_steps=1, decay_steps=3, eta_min=0.1, alpha=0.1), ArgumentError,
                                   "warmup_cosine: eta_min=0.1 and alpha=0.1 both say the lowest value: leave one out"),
    "nothing left": (lambda: warmup_cosine(warmup_steps=3, decay_steps=3), HyperparameterError,
                     "warmup_cosine: decay_steps includes the warm-up of 3 steps and is more, got 3; if it does not, write "
                     "includes_warmup=False"),
    "no line left": (lambda: get_schedule("warmup_linear", warmup_steps=5, total_steps=3), HyperparameterError,
                     "warmup_linear: total_steps includes the warm-up of 5 steps and is more, got 3"),
    "a constant from below": (lambda: get_schedule("inverse_sqrt", warmup_steps=5, warmup="constant", start_factor=0.1), HyperparameterError,
                              "inverse_sqrt: start_factor=0.1 is where a linear warm-up begins, and a constant one is at lr: leave it out"),
    "a second end of two": (lambda: get_schedule("one_cycle", total_steps=9, pct_final=0.8), ArgumentError,
                            "one_cycle: pct_final is where the second of three phases ends: write three_phase=True, or leave it out"),
    "an end before the peak": (lambda: get_schedule("one_cycle", total_steps=9, three_phase=True, pct_final=0.2), HyperparameterError,
                               "one_cycle: pct_final must be at least pct_start, 0.3, got 0.2"),
    "nothing for cyclic": (lambda: get_schedule("cyclic", "torch", max_lr=1.0, optimizer=torch.optim.Adagrad([torch.zeros(1)])), ArgumentError,
                           "cyclic: Adagrad has neither momentum nor betas to cycle: write cycle_momentum=False"),
}  # fmt: skip


@pytest.mark.parametrize("label", ERRORS)
def test_errors_say_what_to_do(label: str) -> None:
    act, kind, message = ERRORS[label]
    with pytest.raises(kind) as error:
        act()
    assert str(error.value) == message


TRACED = "; for a step that JAX traces, get_schedule(..., backend='jax')"


@pytest.mark.parametrize("step", [-1, 1.5, math.nan, math.inf, True, "3", None, np.arange(3)], ids=repr)
def test_what_is_no_step(step: Any) -> None:
    with pytest.raises(InputError) as error:
        get_schedule("cosine", T_max=10)(step)
    assert str(error.value) == f"cosine: a step is a whole number, 0 or more, got {step!r}{TRACED}"


def test_a_plain_schedule_under_a_trace_says_where_the_traceable_one_is() -> None:
    with pytest.raises(InputError, match=r"a step is a whole number, 0 or more, got .*backend='jax'"):
        jax.jit(get_schedule("cosine", T_max=10))(3)
