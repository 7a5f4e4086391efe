"""A linear warm-up, then a constant."""

from __future__ import annotations

from lossopt.definition import schedule
from lossopt.hyper import REQUIRED, NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import warm_up


@schedule(
    spellings={"peak_value": "lr", "num_warmup_steps": "warmup_steps"},
    elsewhere={
        "torch": "none; LinearLR, whose start_factor is above 0",
        "optax": "optax.warmup_constant_schedule; peak_value is lr, init_value is lr * start_factor; "
                 "with warmup_steps=0 it stays init_value",
        "also": "constant_with_warmup, get_constant_schedule_with_warmup",
    },
)  # fmt: skip
def warmup_constant(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, warmup_steps: NaturalNumber = REQUIRED,
                    start_factor: NonNegative = 0.0) -> Number:  # fmt: skip
    """A line from lr * start_factor to lr in warmup_steps steps, then lr.

    Formula, at step t = 0, 1, ...::

        value = lr * (start_factor + (1 - start_factor) * t / warmup_steps)    for t < warmup_steps
        value = lr                                                             from then on

    Past the end: it stays lr.  From ``start_factor=0`` the first update is one of size 0.

    Args:
        lr: the value after the warm-up, at least 0; with a torch optimizer each group's own lr.
        warmup_steps: the length of the warm-up, a whole number; 0 is none.
        start_factor: the first value as a fraction of lr, at least 0.

    Raises:
        ArgumentError: warmup_steps is missing.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Priya Goyal and others. Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour (the warm-up). 2017. arXiv:1706.02677

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("warmup_constant", lr=0.8, warmup_steps=4)
        >>> [round(schedule(t), 12) for t in (0, 1, 4, 100)]
        [0.0, 0.2, 0.8, 0.8]
    """
    return warm_up(ops, step, lr, warmup_steps, start_factor, lr)
