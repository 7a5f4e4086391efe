"""A linear warm-up, then exponential decay."""

from __future__ import annotations

from lossopt.definition import schedule
from lossopt.hyper import REQUIRED, Count, NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import exponential_decay, since, warm_up


@schedule(
    spellings={"peak_value": "lr", "transition_steps": "step_size", "decay_rate": "gamma", "num_warmup_steps": "warmup_steps"},
    elsewhere={
        "torch": "none; SequentialLR of LinearLR and ExponentialLR",
        "optax": "optax.warmup_exponential_decay_schedule; peak_value is lr, init_value is lr * start_factor, "
                 "transition_steps is step_size, decay_rate is gamma, and 0 there is no decay",
        "also": "exponential_with_warmup",
    },
)  # fmt: skip
def warmup_exponential(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, warmup_steps: NaturalNumber = REQUIRED,
                       gamma: NonNegative = REQUIRED, step_size: Count = 1, start_factor: NonNegative = 0.0, staircase: bool = False,
                       transition_begin: NaturalNumber = 0, end_value: NonNegative | None = None) -> Number:  # fmt: skip
    """A line from lr * start_factor up to lr in warmup_steps steps, then exponential decay.

    Formula, at step t = 0, 1, ... for a warm-up of W steps::

        value = lr * (start_factor + (1 - start_factor) * t / W)                for t < W
        value = lr * gamma ** (max(t - W - transition_begin, 0) / step_size)    from then on

    Past the end: there is none; it goes on, or with end_value it stays there.  From ``start_factor=0`` the first update is
    one of size 0.

    Args:
        lr: the peak, at least 0; with a torch optimizer each group's own lr.
        warmup_steps: the length of the warm-up, a whole number; 0 is none.
        gamma: the factor, at least 0.
        step_size: the steps that one factor takes, a whole number, at least 1.
        start_factor: the first value as a fraction of lr, at least 0.
        staircase: round the exponent down to a whole number.
        transition_begin: for how many steps the value stays lr after the warm-up; a whole number, at least 0.
        end_value: no value after the warm-up is below it (above it, for gamma of 1 and more), at least 0; absolute; None is
            no end.

    Raises:
        ArgumentError: warmup_steps or gamma is missing.
        HyperparameterError: a hyperparameter is outside its range.

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("warmup_exponential", lr=0.8, warmup_steps=4, gamma=0.5)
        >>> [round(schedule(t), 12) for t in (0, 2, 4, 5, 7)]
        [0.0, 0.4, 0.8, 0.4, 0.1]
    """
    falling = exponential_decay(ops, since(ops, step, warmup_steps + transition_begin), lr, gamma, step_size, staircase, end_value)
    return warm_up(ops, step, lr, warmup_steps, start_factor, falling)
