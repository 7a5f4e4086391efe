"""A constant, or a constant factor for the first steps (ConstantLR), which are one text."""

from __future__ import annotations

from lossopt.definition import schedule
from lossopt.hyper import NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps


@schedule(
    spellings={"value": "lr"},
    elsewhere={
        "torch": "none; the optimizer without a scheduler",
        "optax": "optax.constant_schedule",
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


constant_factor = constant.variant(
    "constant_factor",
    factor=1 / 3,
    total_iters=5,
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.ConstantLR; it divides by factor at the end, so 0 cannot come back",
        "optax": "none; piecewise_constant_schedule(factor * lr, {total_iters: 1 / factor})",
        "also": "constant_lr",
    },
    doc="""A constant factor for the first steps, then the base value: `constant` with PyTorch's defaults.

Formula, at step t = 0, 1, ...::

    value = lr * factor    for t < total_iters
    value = lr             from then on

Past the end: it stays lr.

Args:
    lr: the base value, at least 0; with a torch optimizer each group's own lr.
    factor: what lr is multiplied with at first, at least 0; 1/3 by default.
    total_iters: for how many steps, a whole number, at least 0; 5 by default.

Raises:
    HyperparameterError: a hyperparameter is outside its range.

Example:
    >>> import lossopt
    >>> schedule = lossopt.get_schedule("ConstantLR", lr=0.3)
    >>> round(schedule(4), 12), schedule(5)
    (0.1, 0.3)""",
)
