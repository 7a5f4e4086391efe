"""The inverse of the root of the step."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import schedule
from lossopt.errors import HyperparameterError
from lossopt.hyper import REQUIRED, Count, NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import since, warm_up

FLAT_FOR = 10_000
"""The timescale without a warm-up."""


def check(*, warmup: str, warmup_steps: int, timescale: int | None, start_factor: float) -> None:
    """A constant warm-up has no first value of its own."""
    if warmup == "constant" and start_factor != 0:
        raise HyperparameterError(
            f"inverse_sqrt: start_factor={start_factor!r} is where a linear warm-up begins, and a constant one is at lr: leave it out"
        )


@schedule(
    check=check,
    spellings={"peak_value": "lr", "num_warmup_steps": "warmup_steps", "warmup_updates": "warmup_steps"},
    elsewhere={
        "torch": "none; LambdaLR",
        "optax": "none; join_schedules of linear_schedule and a function",
        "also": "get_inverse_sqrt_schedule, inverse_square_root, rsqrt",
    },
)
def inverse_sqrt(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, warmup_steps: NaturalNumber = REQUIRED,
                 timescale: Count | None = None, start_factor: NonNegative = 0.0,
                 warmup: Literal["linear", "constant"] = "linear") -> Number:  # fmt: skip
    """The inverse square root of the step, after a warm-up.

    Formula, at step t = 0, 1, ... for a warm-up of W steps and a timescale C, which is W unless it is given, and 10000
    where there is neither::

        value = lr * (start_factor + (1 - start_factor) * t / W)    for t < W, warmup "linear"
        value = lr                                                  for t < W, warmup "constant"
        value = lr * sqrt(C / (t - W + C))                          from then on

    With the timescale left out that is ``lr * sqrt(W / t)``: fairseq's and Hugging Face's schedule with ``"linear"``, T5's
    ``1 / sqrt(max(t, W))`` with ``"constant"`` and ``lr = 1 / sqrt(W)``.

    Past the end: there is none; it goes on.  From ``start_factor=0`` the first update is one of size 0.

    Args:
        lr: the peak, at least 0; with a torch optimizer each group's own lr.
        warmup_steps: the length of the warm-up, a whole number; 0 is none.
        timescale: how slowly it falls, in steps, a whole number, at least 1; None is warmup_steps.
        start_factor: the first value of a linear warm-up as a fraction of lr, at least 0.
        warmup: ``"linear"`` or ``"constant"``.

    Raises:
        ArgumentError: warmup_steps is missing.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Colin Raffel and others. Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer. 2020.
        arXiv:1910.10683

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("inverse_sqrt", lr=0.8, warmup_steps=4)
        >>> [round(schedule(t), 12) for t in (0, 2, 4, 16, 64)]
        [0.0, 0.4, 0.8, 0.4, 0.2]
    """
    scale = timescale or warmup_steps or FLAT_FOR
    falling = lr * ops.sqrt(scale / (since(ops, step, warmup_steps) + scale))
    return warm_up(ops, step, lr, warmup_steps if warmup == "linear" else 0, start_factor, falling)
