"""Where learning-rate schedules of one name differ.

Every schedule is asked for its value at each optimizer step, beginning with the first update.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from lossopt.optimizers import sgd
from lossopt.parity.case import OptimizerCase
from lossopt.parity.disagreements.topic import Side, Topic, keras_schedule, lr_scheduler, optax_schedule, schedule_case
from lossopt.schedules import (
    chained,
    constant_factor,
    cosine,
    cosine_warm_restarts,
    exponential,
    linear,
    multi_step,
    one_cycle,
    polynomial,
    reduce_on_plateau,
    sequential,
    warmup_constant,
    warmup_cosine,
)

STEPS = 20
SINGLE = "Keras computes it in float32"
COUNT = "within an optimizer optax computes it in float32, under x64 too"
CYCLE = one_cycle(lr=0.1, total_steps=STEPS)
CYCLE_OPTAX = one_cycle(lr=0.1, total_steps=STEPS, convention="optax")


def _together(*parts: tuple[str, dict[str, Any]], milestones: Sequence[int] = ()) -> Callable[[ModuleType, Any], Any]:
    """PyTorch's SequentialLR or ChainedScheduler of its own schedulers."""

    def made(torch: ModuleType, optimizer: Any) -> Any:
        s = torch.optim.lr_scheduler
        found = [getattr(s, part)(optimizer, **options) for part, options in parts]
        return s.SequentialLR(optimizer, found, list(milestones)) if milestones else s.ChainedScheduler(found)

    return made


def _steady(step: int) -> float:
    return 0.95


def _one_cycle_momentum(torch: ModuleType, params: list[Any]) -> Any:
    made = torch.optim.SGD(params, lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(made, 0.1, STEPS + 1)  # it may step once more than it is used

    def hook(*_: Any) -> None:
        scheduler.step()

    made.register_step_post_hook(hook)
    return made


TOPICS: tuple[Topic, ...] = (
    Topic(
        "cosine-past-end",
        "cosine decay, past its end",
        lr_scheduler(cosine(lr=0.1, T_max=10), "CosineAnnealingLR", T_max=10, steps=STEPS),
        optax_schedule(cosine(lr=0.1, T_max=10, convention="optax"), "cosine_decay_schedule", 0.1, 10, steps=STEPS),
        "torch climbs again, optax stays",
        "`past_end='climb'` or `'stay'`",
    ),
    Topic(
        "one-cycle-phases",
        "one cycle of 20 steps",
        lr_scheduler(CYCLE, "OneCycleLR", 0.1, 20, steps=STEPS),
        optax_schedule(CYCLE_OPTAX, "cosine_onecycle_schedule", 20, 0.1, steps=STEPS),
        "phases end at fractional steps of N - 1, or at whole steps of N",
        "`phase_ends='fractional'` or `'whole'`",
    ),
    Topic(
        "one-cycle-linear",
        "one cycle of 20 steps, along lines",
        lr_scheduler(
            one_cycle(lr=0.1, total_steps=20, anneal_strategy="linear"), "OneCycleLR", 0.1, 20, anneal_strategy="linear", steps=STEPS
        ),
        optax_schedule(
            one_cycle(lr=0.1, total_steps=20, anneal_strategy="linear", three_phase=True, pct_final=0.85, convention="optax"),
            "linear_onecycle_schedule",
            20,
            0.1,
            steps=STEPS,
        ),
        "two phases or three",
        "`three_phase=`, `pct_final=`, `phase_ends=`",
        ("pytorch/pytorch#40362",),
    ),
    Topic(
        "one-cycle-momentum",
        "one cycle of 21 steps, and the momentum",
        Side(
            "torch.optim.SGD(lr=0.1, momentum=0.9), OneCycleLR(0.1, 21)",
            OptimizerCase(
                sgd(lr=one_cycle(lr=0.1, total_steps=STEPS + 1), momentum=one_cycle(lr=0.1, total_steps=STEPS + 1).momentum),
                torch=_one_cycle_momentum,
            ),
        ),
        Side(
            "optax.sgd(optax.cosine_onecycle_schedule(21, 0.1), 0.9)",
            OptimizerCase(
                sgd(lr=one_cycle(lr=0.1, total_steps=STEPS + 1, convention="optax"), momentum=0.9, convention="optax"),
                optax=lambda o: o.sgd(o.cosine_onecycle_schedule(STEPS + 1, 0.1), 0.9),
            ),
            COUNT,
        ),
        "torch moves the momentum too, from 0.95 to 0.85 and back, whatever the optimizer was given",
        "`momentum=s.momentum`, or a number",
    ),
    Topic(
        "plateau-patience",
        "reduce on plateau",
        Side(
            "torch.optim.lr_scheduler.ReduceLROnPlateau(patience=5)",
            schedule_case(
                reduce_on_plateau(lr=0.1, patience=5), STEPS, torch=lambda t, o: t.optim.lr_scheduler.ReduceLROnPlateau(o, patience=5)
            ),
        ),
        Side(
            "optax.contrib.reduce_on_plateau(patience=5)",
            schedule_case(
                reduce_on_plateau(lr=0.1, patience=5, convention="optax"), STEPS, optax=lambda o: o.contrib.reduce_on_plateau(patience=5)
            ),
        ),
        "more than `patience` bad metrics, or as many",
        "`drop_when='exceeded'` or `'reached'`",
    ),
    Topic(
        "exponential-float32",
        "exponential decay, 5000 steps of 0.9999 in float32",
        lr_scheduler(exponential(lr=0.1, gamma=0.9999), "ExponentialLR", gamma=0.9999, steps=5000),
        Side(
            "optax.exponential_decay(0.1, 1, 0.9999)",
            schedule_case(exponential(lr=0.1, gamma=0.9999, convention="optax"), 5000, optax=lambda o: o.exponential_decay(0.1, 1, 0.9999)),
            "a power of a rounded rate is not copied",
        ),
        "optax takes the power of a rate rounded to float32, torch's learning rates are Python's",
        "the logarithm in float64, everywhere",
        about="float32",
    ),
    Topic(
        "warmup-first-step",
        "warm-up over 10 steps",
        lr_scheduler(linear(lr=0.1, start_factor=1 / 3, total_iters=10), "LinearLR", total_iters=10, steps=STEPS),
        optax_schedule(warmup_constant(lr=0.1, warmup_steps=10, convention="optax"), "warmup_constant_schedule", 0.0, 0.1, 10, steps=STEPS),
        "torch begins at a third and takes no 0, optax's examples begin at 0: a first update of size 0",
        "`start_factor=`",
    ),
    Topic(
        "warmup-length",
        "a warm-up of 10 steps, then a cosine of 40",
        Side(
            "SequentialLR([LinearLR(1e-3, total_iters=10), CosineAnnealingLR(40)], [10])",
            schedule_case(
                sequential(lr=0.1, schedules=(linear(start_factor=1e-3, total_iters=10), cosine(T_max=40)), milestones=(10,)),
                50,
                torch=_together(
                    ("LinearLR", {"start_factor": 1e-3, "total_iters": 10}), ("CosineAnnealingLR", {"T_max": 40}), milestones=(10,)
                ),
            ),
        ),
        optax_schedule(
            warmup_cosine(lr=0.1, warmup_steps=10, decay_steps=40, start_factor=1e-3, convention="optax"),
            "warmup_cosine_decay_schedule",
            1e-4,
            0.1,
            10,
            40,
            steps=50,
        ),
        "decay_steps counts the warm-up",
        "`warmup_cosine(decay_steps=)`, `includes_warmup=`",
    ),
    Topic(
        "sequential-multiplicative",
        "ExponentialLR for 10 steps, then MultiplicativeLR",
        Side(
            "SequentialLR([ExponentialLR(0.9), MultiplicativeLR(0.95)], [10])",
            schedule_case(
                sequential(
                    lr=0.1,
                    schedules=(
                        exponential(gamma=0.9),
                        chained(schedules=(constant_factor(factor=0.9**9 * 0.95, total_iters=99), exponential(gamma=0.95))),
                    ),
                    milestones=(10,),
                ),
                STEPS,
                torch=_together(("ExponentialLR", {"gamma": 0.9}), ("MultiplicativeLR", {"lr_lambda": _steady}), milestones=(10,)),
            ),
        ),
        Side(
            "optax.join_schedules([exponential_decay(0.1, 1, 0.9), exponential_decay(0.1, 1, 0.95)], [10])",
            schedule_case(
                sequential(lr=0.1, schedules=(exponential(gamma=0.9), exponential(gamma=0.95)), milestones=(10,), convention="optax"),
                STEPS,
                optax=lambda o: o.join_schedules([o.exponential_decay(0.1, 1, 0.9), o.exponential_decay(0.1, 1, 0.95)], [10]),
            ),
        ),
        "torch's MultiplicativeLR goes on from the learning rate that it finds, any other part begins anew",
        "each part begins anew; `chained` with `constant_factor` goes on",
        ("pytorch/pytorch#196243", "pytorch/pytorch#67586"),
    ),
    Topic(
        "chained-cosine",
        "a cosine to 0.01 times a decay, chained",
        Side(
            "ChainedScheduler([CosineAnnealingLR(20, eta_min=0.01), ExponentialLR(0.9)])",
            schedule_case(
                chained(lr=0.1, schedules=(cosine(T_max=20, eta_min=0.1), exponential(gamma=0.9))),
                STEPS,
                torch=_together(("CosineAnnealingLR", {"T_max": 20, "eta_min": 0.01}), ("ExponentialLR", {"gamma": 0.9})),
            ),
            "torch's running form, in which the parts mix, is not copied",
        ),
        Side(
            "cosine_decay_schedule(0.1, 20, 0.1)(t) * exponential_decay(1.0, 1, 0.9)(t), of optax",
            schedule_case(
                chained(lr=0.1, schedules=(cosine(T_max=20, alpha=0.1, convention="optax"), exponential(gamma=0.9)), convention="optax"),
                STEPS,
                optax=lambda o: lambda t: o.cosine_decay_schedule(0.1, 20, 0.1)(t) * o.exponential_decay(1.0, 1, 0.9)(t),
            ),
        ),
        "torch computes the cosine from the learning rate that the other part has changed",
        "`chained` is the product in every convention",
        ("pytorch/pytorch#68332",),
    ),
    Topic(
        "keras-cosine-past-end",
        "cosine decay, past its end",
        lr_scheduler(cosine(lr=0.1, T_max=10), "CosineAnnealingLR", T_max=10, steps=STEPS),
        keras_schedule(cosine(lr=0.1, T_max=10, convention="optax"), "CosineDecay", 0.1, 10, steps=STEPS, unlike=SINGLE),
        "torch climbs again, Keras stays",
        "`past_end='climb'` or `'stay'`",
    ),
    Topic(
        "keras-warmup-length",
        "a warm-up of 10 steps, then a cosine, decay_steps=40",
        optax_schedule(
            warmup_cosine(lr=0.1, warmup_steps=10, decay_steps=40, convention="optax"),
            "warmup_cosine_decay_schedule",
            0.0,
            0.1,
            10,
            40,
            steps=50,
        ),
        keras_schedule(
            warmup_cosine(lr=0.1, warmup_steps=10, decay_steps=40, convention="keras"),
            "CosineDecay",
            0.0,
            40,
            warmup_target=0.1,
            warmup_steps=10,
            steps=50,
            unlike=SINGLE,
        ),
        "decay_steps counts the warm-up, or comes after it",
        "`includes_warmup=`",
    ),
    Topic(
        "keras-piecewise-boundary",
        "a drop at step 10",
        lr_scheduler(multi_step(lr=0.1, milestones=(10,)), "MultiStepLR", [10], steps=STEPS),
        keras_schedule(multi_step(lr=0.1, milestones=(11,)), "PiecewiseConstantDecay", [10], [0.1, 0.01], steps=STEPS),
        "the boundary is the first step of the new value, or the last of the old",
        "`milestones=` are Keras's boundaries plus 1",
    ),
    Topic(
        "keras-polynomial-end",
        "polynomial decay over 10 steps",
        lr_scheduler(polynomial(lr=0.1, total_iters=10), "PolynomialLR", 10, steps=STEPS),
        keras_schedule(polynomial(lr=0.1, total_iters=10, convention="keras"), "PolynomialDecay", 0.1, 10, steps=STEPS),
        "it ends at 0 or at 0.0001",
        "`end_value=`",
    ),
    Topic(
        "keras-restarts-growth",
        "cosine with warm restarts",
        lr_scheduler(cosine_warm_restarts(lr=0.1, T_0=5), "CosineAnnealingWarmRestarts", 5, steps=STEPS),
        keras_schedule(cosine_warm_restarts(lr=0.1, T_0=5, T_mult=2), "CosineDecayRestarts", 0.1, 5, steps=STEPS, unlike=SINGLE),
        "each cycle as long as the last, or twice as long",
        "`T_mult=`",
    ),
)
