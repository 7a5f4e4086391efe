"""A straight line from one factor to another: the linear warm-up, and the linear decay."""

from __future__ import annotations

from lossopt.definition import schedule
from lossopt.hyper import Count, NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import line, since


@schedule(
    spellings={"init_value": "start_factor", "end_value": "end_factor", "transition_steps": "total_iters",
               "warmup_steps": "total_iters", "decay_steps": "total_iters"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.LinearLR; start_factor above 0 and at most 1",
        "optax": "optax.linear_schedule; init_value is lr * start_factor, end_value is lr * end_factor, "
                 "transition_steps is total_iters",
        "also": "linear_warmup, linear_lr; what it is used for most",
    },
)  # fmt: skip
def linear(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, start_factor: NonNegative = 1 / 3,
           end_factor: NonNegative = 1.0, total_iters: Count = 5, transition_begin: NaturalNumber = 0) -> Number:  # fmt: skip
    """A line from lr * start_factor at step 0 to lr * end_factor at step total_iters: the linear warm-up.

    Formula, at step t = 0, 1, ...::

        value = lr * (start_factor + (end_factor - start_factor) * min(s, total_iters) / total_iters)
        s     = max(t - transition_begin, 0)

    Past the end: it stays lr * end_factor.  A warm-up from ``start_factor=0`` makes the first update one of size 0.

    Args:
        lr: the base value, at least 0; with a torch optimizer each group's own lr.
        start_factor: the factor at step 0, at least 0.
        end_factor: the factor from step total_iters on, at least 0; 0 with ``start_factor=1`` is the linear decay.
        total_iters: the length in steps, a whole number, at least 1.
        transition_begin: for how many steps the value stays the first, before the line begins; a whole number, at least 0.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Priya Goyal and others. Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour (the warm-up). 2017. arXiv:1706.02677

    Example:
        >>> import lossopt
        >>> warmup = lossopt.get_schedule("linear_warmup", lr=0.8, start_factor=0.25, total_iters=3)
        >>> [round(warmup(t), 12) for t in (0, 1, 3, 100)]
        [0.2, 0.4, 0.8, 0.8]
    """
    at = ops.minimum(since(ops, step, transition_begin), total_iters)
    return lr * line(ops, start_factor, end_factor, at / total_iters, (total_iters - at) / total_iters)
