"""To the learning rate of stochastic weight averaging."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import schedule
from lossopt.hyper import REQUIRED, NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import half_cosine, line


@schedule(
    spellings={"end_value": "swa_lr"},
    elsewhere={
        "torch": "torch.optim.swa_utils.SWALR; anneal_epochs counts calls of step(); a swa_lr for each group is not taken",
        "optax": "none; cosine_decay_schedule or linear_schedule",
        "also": "swa",
    },
)
def swa_lr(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, swa_lr: NonNegative = REQUIRED, anneal_epochs: NaturalNumber = 10,
           anneal_strategy: Literal["cos", "linear"] = "cos") -> Number:  # fmt: skip
    """From lr to a constant swa_lr, at which weights are averaged.

    Formula, at step t = 0, 1, ..., with ``a = min(t, anneal_epochs) / anneal_epochs``::

        value = swa_lr + (lr - swa_lr) * (1 + cos(pi * a)) / 2    "cos"
        value = swa_lr + (lr - swa_lr) * (1 - a)                  "linear"

    Past the end: it stays swa_lr.

    Beside another scheduler of a torch optimizer, it starts from the lr that the group has when its own `step` is called
    for the first time.

    Args:
        lr: the base value, at least 0; with a torch optimizer each group's own lr.
        swa_lr: the last value, at least 0; absolute; it may be above lr.
        anneal_epochs: the steps on the way, a whole number; with 0 the value is swa_lr from the first step on.
        anneal_strategy: ``"cos"`` or ``"linear"``.

    Raises:
        ArgumentError: swa_lr is missing.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Pavel Izmailov and others. Averaging Weights Leads to Wider Optima and Better Generalization. 2018. arXiv:1803.05407

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("swa_lr", lr=0.4, swa_lr=0.1, anneal_epochs=4)
        >>> [round(schedule(t), 12) for t in (0, 2, 4, 100)]
        [0.4, 0.25, 0.1, 0.1]
    """
    if anneal_epochs == 0:
        return lr * 0.0 + swa_lr
    at = ops.minimum(step, anneal_epochs)
    between = half_cosine if anneal_strategy == "cos" else line
    return between(ops, lr, swa_lr, at / anneal_epochs, (anneal_epochs - at) / anneal_epochs)
