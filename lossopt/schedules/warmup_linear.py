"""A linear warm-up, then a line down."""

from __future__ import annotations

from lossopt.definition import schedule
from lossopt.errors import HyperparameterError
from lossopt.hyper import REQUIRED, Count, NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import line, since, warm_up


def check(*, warmup_steps: int, total_steps: int) -> None:
    """There is something left after the warm-up."""
    if warmup_steps >= total_steps:
        raise HyperparameterError(f"warmup_linear: total_steps includes the warm-up of {warmup_steps} steps and is more, got {total_steps}")


@schedule(
    check=check,
    spellings={"peak_value": "lr", "num_warmup_steps": "warmup_steps", "num_training_steps": "total_steps"},
    elsewhere={
        "torch": "none; SequentialLR of two LinearLRs",
        "optax": "none; join_schedules of two linear_schedules",
        "also": "linear_with_warmup, get_linear_schedule_with_warmup, warmup_decay",
    },
)
def warmup_linear(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, warmup_steps: NaturalNumber = REQUIRED,
                  total_steps: Count = REQUIRED, start_factor: NonNegative = 0.0, end_factor: NonNegative = 0.0) -> Number:  # fmt: skip
    """A line from lr * start_factor up to lr in warmup_steps steps, then one down to lr * end_factor at step total_steps.

    Formula, at step t = 0, 1, ... for a warm-up of W steps and T steps in all::

        value = lr * (start_factor + (1 - start_factor) * t / W)                  for t < W
        value = lr * (end_factor + (1 - end_factor) * (T - min(t, T)) / (T - W))  from then on

    Past the end: it stays lr * end_factor.  From ``start_factor=0`` the first update is one of size 0.

    Args:
        lr: the peak, at least 0; with a torch optimizer each group's own lr.
        warmup_steps: the length of the warm-up, a whole number; 0 is none.
        total_steps: the length of both together, a whole number, above warmup_steps.
        start_factor: the first value as a fraction of lr, at least 0.
        end_factor: the last value as a fraction of lr, at least 0.

    Raises:
        ArgumentError: warmup_steps or total_steps is missing.
        HyperparameterError: a hyperparameter is outside its range, or the warm-up is as long as the whole.

    References:
        Jacob Devlin and others. BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding. 2019.
        arXiv:1810.04805

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("warmup_linear", lr=0.8, warmup_steps=4, total_steps=12)
        >>> [round(schedule(t), 12) for t in (0, 2, 4, 8, 12, 100)]
        [0.0, 0.4, 0.8, 0.4, 0.0, 0.0]
    """
    length = total_steps - warmup_steps
    at = ops.minimum(since(ops, step, warmup_steps), length)
    falling = lr * line(ops, 1.0, end_factor, at / length, (length - at) / length)
    return warm_up(ops, step, lr, warmup_steps, start_factor, falling)
