"""Polynomial decay."""

from __future__ import annotations

from typing import Any

from lossopt.definition import schedule
from lossopt.hyper import Count, NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import since


@schedule(
    conventions={"torch": {}, "optax": {}, "keras": {"end_value": 1e-4}},
    spellings={"init_value": "lr", "initial_learning_rate": "lr", "end_learning_rate": "end_value", "lr_end": "end_value",
               "transition_steps": "total_iters", "decay_steps": "total_iters"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.PolynomialLR; end_value is 0; its running product divides 0 by 0 where power is 0",
        "optax": "optax.polynomial_schedule; transition_steps is total_iters; no defaults",
        "keras": "keras.optimizers.schedules.PolynomialDecay; decay_steps is total_iters, end_learning_rate is end_value, 1e-4 by default",
        "also": "polynomial_lr, poly, polynomial_decay",
    },
)  # fmt: skip
def polynomial(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, total_iters: Count = 5, power: NonNegative = 1.0,
               end_value: NonNegative = 0.0, transition_begin: NaturalNumber = 0, cycle: bool = False) -> Number:  # fmt: skip
    """A power of the time that is left: from lr at step 0 to end_value at step total_iters.

    Formula, at step t = 0, 1, ..., with ``s = max(t - transition_begin, 0)``::

        value = end_value + (lr - end_value) * (1 - min(s, total_iters) / total_iters) ** power
        value = end_value + (lr - end_value) * (1 - s / n) ** power,
                n the first multiple of total_iters that is not below s, and not 0         (cycle)

    Past the end: it stays end_value; with cycle it climbs to a lower peak and falls again, as often as it ends.

    Args:
        lr: the base value, at least 0; with a torch optimizer each group's own lr.
        total_iters: the length in steps, a whole number, at least 1.
        power: at least 0; 1 is a line, above 1 it falls faster at first.
        end_value: the last value, at least 0; absolute, not a fraction of lr.
        transition_begin: for how many steps the value is lr, before it begins to fall; a whole number, at least 0.
        cycle: begin again past the end (keras).

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("polynomial", lr=0.8, total_iters=4, power=2.0)
        >>> [round(schedule(t), 12) for t in (0, 1, 2, 4, 100)]
        [0.8, 0.45, 0.2, 0.0, 0.0]
    """
    at = since(ops, step, transition_begin)
    left = _left_of_cycle(ops, at, total_iters) if cycle else (total_iters - ops.minimum(at, total_iters)) / total_iters
    weight = ops.power(left, power)
    return lr * weight + end_value * (1 - weight)


def _left_of_cycle(ops: ScheduleOps, step: Number, length: int) -> Any:
    """``1 - step / n``, the difference a whole number: it is exact."""
    missing = ops.where(step < 1, length, (-step) % length)
    ends = ops.maximum((step + (length - 1)) // length, 1)
    return missing / length / ends
