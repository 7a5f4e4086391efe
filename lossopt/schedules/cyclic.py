"""Up and down between two values, again and again."""

from __future__ import annotations

from typing import Any, Literal

from lossopt.definition import schedule
from lossopt.hyper import REQUIRED, Count, Fraction, NonNegative, Number, StepFunction
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import line
from lossopt.schedules.shared.functions import call

Mode = Literal["triangular", "triangular2", "exp_range"]


def momentum(ops: ScheduleOps, step: Number, *, step_size_up: int, step_size_down: int | None, mode: Mode, gamma: float,
             scale_fn: Any, scale_mode: str, base_momentum: float, max_momentum: float) -> Number:  # fmt: skip
    """From max_momentum down to base_momentum while lr climbs, and back."""
    height = _height(ops, step, step_size_up, step_size_down, mode, gamma, scale_fn, scale_mode)
    return line(ops, max_momentum, base_momentum, height, 1 - height)


@schedule(
    spellings={"base_lr": "lr"},
    also={"momentum": momentum},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.CyclicLR; base_lr is lr, and replaces the optimizer's own; numbers for each group are not taken",
        "optax": "none; join_schedules of linear_schedules",
        "also": "cyclic_lr, triangular",
    },
)
def cyclic(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, max_lr: NonNegative = REQUIRED, step_size_up: Count = 2000,
           step_size_down: Count | None = None, mode: Mode = "triangular", gamma: NonNegative = 1.0,
           scale_fn: StepFunction | None = None, scale_mode: Literal["cycle", "iterations"] = "cycle", cycle_momentum: bool = True,
           base_momentum: Fraction = 0.8, max_momentum: Fraction = 0.9) -> Number:  # fmt: skip
    """Cyclical learning rate: from lr up to max_lr in step_size_up steps, down in step_size_down, again and again.

    Formula, at step t = 0, 1, ..., where c = 1, 2, ... is the number of the cycle and h climbs from 0 to 1 and falls back
    within it along two lines::

        value = lr + (max_lr - lr) * h * scale
        scale = 1              triangular
        scale = 1 / 2**(c - 1) triangular2
        scale = gamma**t       exp_range
        scale = scale_fn(c)    with scale_fn; scale_fn(t) for scale_mode "iterations"

    Past the end: there is none; it goes on.

    The momentum that goes with it is ``schedule.momentum``, from max_momentum down to base_momentum and back:
    ``get_optimizer("sgd", "jax", lr=s, momentum=s.momentum)`` or ``betas=(s.momentum, 0.999)``.  Emitted for a torch
    optimizer, the scheduler sets ``momentum``, or the first of ``betas``, in every group.

    Args:
        lr: the lowest value, torch's base_lr, at least 0; with a torch optimizer each group's own lr.
        max_lr: the value at the peak of the first cycle, at least 0; absolute.
        step_size_up: steps from lr to max_lr, a whole number, at least 1.
        step_size_down: steps back; None is as many.
        mode: ``"triangular"``, ``"triangular2"`` or ``"exp_range"``; says nothing where scale_fn is given.
        gamma: of ``"exp_range"``, at least 0.
        scale_fn: a function of the cycle's number (from 1) or of the step, in the place of a mode; code, which a recipe's
            file cannot hold.
        scale_mode: what scale_fn is given: ``"cycle"`` or ``"iterations"``.
        cycle_momentum: whether there is a momentum schedule beside it.
        base_momentum: the momentum at the first peak of lr, in [0, 1).
        max_momentum: the momentum where lr is lowest, in [0, 1).

    Raises:
        ArgumentError: max_lr is missing.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Leslie N. Smith. Cyclical Learning Rates for Training Neural Networks. 2017. arXiv:1506.01186

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("cyclic", lr=0.2, max_lr=1.0, step_size_up=2, mode="triangular2")
        >>> [round(schedule(t), 12) for t in range(7)], round(schedule.momentum(2), 12)
        ([0.2, 0.6, 1.0, 0.6, 0.2, 0.4, 0.6], 0.8)
    """
    height = _height(ops, step, step_size_up, step_size_down, mode, gamma, scale_fn, scale_mode)
    return line(ops, lr, max_lr, height, 1 - height)


def _height(ops: ScheduleOps, step: Number, up: int, down: int | None, mode: Mode, gamma: float, scale_fn: Any, scale_mode: str) -> Any:
    """How far up it is: 0 at the foot, 1 at the peak of the first cycle."""
    down = up if down is None else down
    at, cycle = step % (up + down), step // (up + down)
    height = ops.where(at <= up, at / up, (up + down - at) / down)
    if scale_fn is not None:
        return height * call(ops, scale_fn, cycle + 1 if scale_mode == "cycle" else step)
    if mode == "triangular":
        return height
    return height * (ops.power(0.5, cycle) if mode == "triangular2" else ops.power(gamma, step))
