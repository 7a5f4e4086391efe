"""Exponential decay."""

from __future__ import annotations

from lossopt.definition import schedule
from lossopt.hyper import REQUIRED, Count, NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import exponential_decay, since


@schedule(
    spellings={"initial_learning_rate": "lr", "init_value": "lr", "transition_steps": "step_size", "decay_steps": "step_size",
               "decay_rate": "gamma"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.ExponentialLR; step_size is 1",
        "optax": "optax.exponential_decay; transition_steps is step_size, decay_rate is gamma, and 0 there is no decay; "
                 "in float32 off by 1.7e-3 after 100,000 steps of 0.9999",
        "keras": "keras.optimizers.schedules.ExponentialDecay; decay_steps is step_size, decay_rate is gamma",
        "also": "exponential_lr",
    },
)  # fmt: skip
def exponential(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, gamma: NonNegative = REQUIRED, step_size: Count = 1,
                staircase: bool = False, transition_begin: NaturalNumber = 0, end_value: NonNegative | None = None) -> Number:  # fmt: skip
    """Exponential decay: the value is multiplied by gamma in the course of every step_size steps.

    Formula, at step t = 0, 1, ...::

        value = lr * gamma ** (max(t - transition_begin, 0) / step_size)

    Past the end: there is none; it goes on, or with end_value it stays there.

    Args:
        lr: the base value, at least 0; with a torch optimizer each group's own lr.
        gamma: the factor, at least 0.
        step_size: the steps that one factor takes, a whole number, at least 1.
        staircase: round ``t / step_size`` down, which makes it the schedule `step`.
        transition_begin: for how many steps the value is lr, before it begins to decay; a whole number, at least 0.
        end_value: no value is below it (above it, for gamma of 1 and more), at least 0; absolute; None is no end.

    Raises:
        ArgumentError: gamma is missing.
        HyperparameterError: a hyperparameter is outside its range.

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("exponential", gamma=0.5, step_size=2)
        >>> schedule(0), round(schedule(1), 6), schedule(2)
        (1.0, 0.707107, 0.5)
    """
    return exponential_decay(ops, since(ops, step, transition_begin), lr, gamma, step_size, staircase, end_value)
