"""From one value to the next, with a milestone at each."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Literal

from lossopt.definition import schedule
from lossopt.errors import ArgumentError, HyperparameterError
from lossopt.hyper import REQUIRED, NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import half_cosine, line, scales, through


def check(*, milestones: Sequence[int], gamma: float | Sequence[float]) -> None:
    """The milestones ascend, and there is a factor for each or one for all."""
    if isinstance(gamma, Sequence) and len(gamma) != len(milestones):
        raise ArgumentError(
            f"piecewise_interpolate: {len(milestones)} milestones and {len(gamma)} factors; give one for each, or a number for all"
        )
    if list(milestones) != sorted(set(milestones)):
        raise HyperparameterError(f"piecewise_interpolate: milestones must ascend, got {tuple(milestones)!r}")


@schedule(
    check=check,
    spellings={"init_value": "lr", "boundaries": "milestones", "scales": "gamma", "interpolate_type": "interpolation"},
    elsewhere={
        "torch": "none; SequentialLR of LinearLRs",
        "optax": "optax.piecewise_interpolate_schedule; milestones and gamma are the keys and values of boundaries_and_scales",
    },
)
def piecewise_interpolate(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, milestones: tuple[NaturalNumber, ...] = REQUIRED,
                          gamma: NonNegative | tuple[NonNegative, ...] = REQUIRED,
                          interpolation: Literal["linear", "cosine"] = "linear") -> Number:  # fmt: skip
    """Values joined by lines or half cosines: each milestone's is the one before it times a factor.

    Formula, for milestones m1 < m2 < ... and their factors g1, g2, ...::

        value at step m_i = lr * g1 * ... * g_i, and lr at step 0
        between two of them: a line, or half a cosine

    Past the end: it stays at the last value.

    Args:
        lr: the base value, at least 0; with a torch optimizer each group's own lr.
        milestones: the steps at which the values are reached; whole, ascending, at least 0.
        gamma: the factors, each at least 0; one for each milestone, or a number for all.
        interpolation: ``"linear"`` or ``"cosine"``.

    Raises:
        ArgumentError: milestones or gamma are missing, or the factors are not as many.
        HyperparameterError: a hyperparameter is outside its range, or milestones do not ascend.

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("piecewise_interpolate", lr=0.1, milestones=(4, 8), gamma=(4.0, 0.0))
        >>> [round(schedule(t), 12) for t in (0, 2, 4, 6, 8, 100)]
        [0.1, 0.25, 0.4, 0.2, 0.0, 0.0]
    """
    factors = list(itertools.accumulate((1.0, *scales(milestones, gamma)), operator.mul))
    if not milestones or milestones[-1] == 0:  # no way to go: a value from the first step on
        return lr * factors[-1]
    return lr * through(ops, step, factors, milestones, half_cosine if interpolation == "cosine" else line)
