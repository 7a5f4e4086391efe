"""A factor at each milestone."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence

from lossopt.definition import schedule
from lossopt.errors import ArgumentError
from lossopt.hyper import REQUIRED, NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import scales


def check(*, milestones: Sequence[int], gamma: float | Sequence[float]) -> None:
    """A factor for each milestone, or one for all."""
    if isinstance(gamma, Sequence) and len(gamma) != len(milestones):
        raise ArgumentError(f"multi_step: {len(milestones)} milestones and {len(gamma)} factors; give one for each, or a number for all")


@schedule(
    check=check,
    spellings={"init_value": "lr", "boundaries": "milestones", "scales": "gamma"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.MultiStepLR",
        "optax": "optax.piecewise_constant_schedule; milestones and gamma are the keys and values of boundaries_and_scales",
        "keras": "keras.optimizers.schedules.PiecewiseConstantDecay; its values are absolute, and its boundary is the last step of the old "
                 "value where a milestone is the first of the new: milestones are boundaries + 1",
        "also": "multi_step_lr, piecewise_constant",
    },
)  # fmt: skip
def multi_step(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, milestones: tuple[NaturalNumber, ...] = REQUIRED,
               gamma: NonNegative | tuple[NonNegative, ...] = 0.1) -> Number:  # fmt: skip
    """A piecewise constant: the value is multiplied by gamma, or by a factor of its own, at each milestone.

    Formula, at step t = 0, 1, ... for milestones m1, m2, ... and their factors g1, g2, ... (gamma, if it is one number)::

        value = lr * the product of all g_i with m_i <= t

    Past the end: it stays at the last value.

    Args:
        lr: the base value, at least 0; with a torch optimizer each group's own lr.
        milestones: the first steps of the new values; whole, at least 0, in any order; one given twice counts twice.
        gamma: the factor, at least 0; or one for each milestone.

    Raises:
        ArgumentError: milestones are missing, or the factors are not as many.
        HyperparameterError: a hyperparameter is outside its range.

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("multi_step", lr=0.8, milestones=(30, 80), gamma=0.5)
        >>> schedule(29), schedule(30), schedule(80)
        (0.8, 0.4, 0.2)
        >>> schedule = lossopt.get_schedule("multi_step", lr=0.8, milestones=(30, 80), gamma=(0.5, 0.25))
        >>> schedule(30), schedule(80)
        (0.4, 0.1)
    """
    factors = sorted(zip(milestones, scales(milestones, gamma), strict=True))
    value = lr
    for begin, level in zip((m for m, _ in factors), itertools.accumulate((g for _, g in factors), operator.mul), strict=True):
        value = ops.where(step >= begin, lr * level, value)
    return value
