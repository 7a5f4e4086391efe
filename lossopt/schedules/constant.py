"""A constant, or a constant factor for the first steps."""

from __future__ import annotations

from lossopt.definition import schedule
from lossopt.hyper import NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps


@schedule(
    spellings={"value": "lr"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.ConstantLR; factor is 1/3 and total_iters 5 by default",
        "optax": "optax.constant_schedule; the plain constant",
        "also": "constant_lr",
    },
)
def constant(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, factor: NonNegative = 1.0,
             total_iters: NaturalNumber = 0) -> Number:  # fmt: skip
    """A constant value; with factor and total_iters a smaller (or larger) one for the first steps.

    Formula, at step t = 0, 1, ...::

        value = lr * factor    for t < total_iters
        value = lr             from then on

    Past the end: it stays lr.

    Args:
        lr: the base value, at least 0; with a torch optimizer each group's own lr.
        factor: what lr is multiplied with at first, at least 0.
        total_iters: for how many steps, a whole number, at least 0.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    Example:
        >>> import lossopt
        >>> lossopt.get_schedule("constant", lr=0.1)(1000)
        0.1
        >>> schedule = lossopt.get_schedule("constant", factor=0.5, total_iters=5)
        >>> schedule(4), schedule(5)
        (0.5, 1.0)
    """
    return lr * ops.where(step < total_iters, factor, 1.0)
