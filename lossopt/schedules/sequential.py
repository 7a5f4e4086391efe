"""Schedules one after the other."""

from __future__ import annotations

from typing import Any

from lossopt.definition import schedule
from lossopt.errors import ArgumentError, HyperparameterError
from lossopt.hyper import REQUIRED, Count, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.parts import check_parts


def check(*, schedules: Any, milestones: Any) -> None:
    """The schedules are functions of the step, and there is an ascending milestone between any two."""
    check_parts("sequential", schedules)
    if not schedules or len(schedules) != len(milestones) + 1:
        raise ArgumentError(
            f"sequential: {len(schedules)} schedules and {len(milestones)} milestones; "
            "give one milestone fewer than schedules, the step at which each next one begins"
        )
    if list(milestones) != sorted(set(milestones)):
        raise HyperparameterError(f"sequential: milestones must ascend, got {tuple(milestones)!r}")


@schedule(
    check=check,
    spellings={"schedulers": "schedules", "boundaries": "milestones"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.SequentialLR; schedulers is schedules; before a MultiplicativeLR it keeps the lr it has, "
                 "where each part here begins from lr",
        "optax": "optax.join_schedules; boundaries is milestones; each part's init_value is lr times its own lr",
        "also": "sequential_lr",
    },
)  # fmt: skip
def sequential(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, schedules: tuple[Any, ...] = REQUIRED,
               milestones: tuple[Count, ...] = REQUIRED) -> Number:  # fmt: skip
    """Schedules one after the other: each begins at its milestone with its own step 0.

    Formula, at step t = 0, 1, ... for schedules s0, s1, ... and milestones m1 < m2 < ...::

        value = s0(t)         for t < m1
        value = s1(t - m1)    for m1 <= t < m2, and so on

    Past the end: the last schedule goes on by its own rule.

    Args:
        lr: the base value of every part, at least 0: each part's own lr (1.0 unless given) is multiplied by it.  With a
            torch optimizer it is each group's own lr.
        schedules: made schedules of the step, such as ``(linear(total_iters=10), cosine(T_max=90))``.
        milestones: the steps at which the second, third, ... begin; whole, ascending, one fewer than schedules.

    Raises:
        ArgumentError: schedules or milestones are missing, or their numbers do not match, or a part waits for a metric.
        HyperparameterError: milestones that do not ascend.

    Example:
        >>> import lossopt
        >>> from lossopt.schedules import cosine, linear
        >>> parts = (linear(start_factor=0.25, total_iters=3), cosine(T_max=4))
        >>> schedule = lossopt.get_schedule("sequential", lr=0.8, schedules=parts, milestones=(3,))
        >>> [round(schedule(t), 12) for t in (0, 2, 3, 5, 7)]
        [0.2, 0.6, 0.8, 0.4, 0.0]
    """
    value = _part(ops, step, lr, schedules[0])
    for begin, part in zip(milestones, schedules[1:], strict=True):
        value = ops.where(step >= begin, _part(ops, ops.maximum(step - begin, 0), lr, part), value)
    return value


def _part(ops: ScheduleOps, step: Number, lr: Number, part: Any) -> Any:
    return part.with_lr(lr * part.hyperparameters["lr"]).at(ops, step)
