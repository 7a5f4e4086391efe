"""Schedules at the same time: the product of their factors."""

from __future__ import annotations

from typing import Any

from lossopt.definition import schedule
from lossopt.errors import ArgumentError
from lossopt.hyper import REQUIRED, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.parts import check_parts


def check(*, schedules: Any) -> None:
    """The schedules are functions of the step, and there is at least one."""
    check_parts("chained", schedules)
    if not schedules:
        raise ArgumentError("chained: no schedules; give at least one, such as schedules=(linear(), exponential(gamma=0.9))")


@schedule(
    check=check,
    spellings={"schedulers": "schedules"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.ChainedScheduler; schedulers is schedules; there CosineAnnealingLR with eta_min is computed "
                 "from the lr that the others have changed, which is no product",
        "optax": "none; lambda step: f(step) * g(step)",
        "also": "chained_scheduler, product",
    },
)  # fmt: skip
def chained(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, schedules: tuple[Any, ...] = REQUIRED) -> Number:
    """Schedules at the same time: lr times the product of what each gives from 1.

    Formula, at step t = 0, 1, ... for schedules s0, s1, ...::

        value = lr * s0(t) * s1(t) * ...

    An absolute number of a part (cosine's eta_min, cyclic's max_lr) is a fraction of lr here, because each part begins
    from 1: the order of the parts says nothing.

    Past the end: each part goes on by its own rule.

    Args:
        lr: the base value, at least 0; each part's own lr (1.0 unless given) multiplies it.  With a torch optimizer it
            is each group's own lr.
        schedules: made schedules of the step, such as ``(linear(total_iters=10), exponential(gamma=0.99))``.

    Raises:
        ArgumentError: schedules are missing, or a part waits for a metric.
        HyperparameterError: a hyperparameter is outside its range.

    Example:
        >>> import lossopt
        >>> from lossopt.schedules import exponential, linear
        >>> schedule = lossopt.get_schedule("chained", lr=0.8, schedules=(linear(start_factor=0.5, total_iters=2), exponential(gamma=0.5)))
        >>> [round(schedule(t), 12) for t in (0, 1, 2, 3)]
        [0.4, 0.3, 0.2, 0.1]
    """
    value = lr
    for part in schedules:
        value = value * part.at(ops, step)
    return value
