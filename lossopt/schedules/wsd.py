"""Warm-up, stable, decay."""

from __future__ import annotations

from typing import Any, Literal

from lossopt.definition import schedule
from lossopt.hyper import REQUIRED, Count, NaturalNumber, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import half_cosine, line, since, warm_up

Shape = Literal["linear", "cosine", "1-sqrt"]


@schedule(
    spellings={"peak_value": "lr", "num_warmup_steps": "warmup_steps", "num_stable_steps": "stable_steps", "num_decay_steps": "decay_steps",
               "decay_type": "decay_shape", "min_lr_ratio": "end_factor"},
    elsewhere={
        "torch": "none; SequentialLR of LinearLR, ConstantLR and LinearLR",
        "optax": "none; join_schedules of linear_schedule, constant_schedule and linear_schedule",
        "also": "warmup_stable_decay, get_wsd_schedule, trapezoidal",
    },
)  # fmt: skip
def wsd(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, warmup_steps: NaturalNumber = REQUIRED,
        stable_steps: NaturalNumber = REQUIRED, decay_steps: Count = REQUIRED, decay_shape: Shape = "linear",
        start_factor: NonNegative = 0.0, end_factor: NonNegative = 0.0) -> Number:  # fmt: skip
    """Warm-up, stable, decay: a line up to lr, lr for stable_steps steps, then a cool-down to lr * end_factor.

    Formula, at step t = 0, 1, ... for a warm-up of W steps, S stable ones and D of decay, ``a = min(t - W - S, D) / D``::

        value = lr * (start_factor + (1 - start_factor) * t / W)    for t < W
        value = lr                                                  for W <= t < W + S
        value = lr * (end_factor + (1 - end_factor) * f)            from then on
        f     = 1 - a  ("linear"),  (1 + cos(pi * a)) / 2  ("cosine"),  1 - sqrt(a)  ("1-sqrt")

    Past the end: it stays lr * end_factor.  From ``start_factor=0`` the first update is one of size 0.

    Args:
        lr: the value between warm-up and decay, at least 0; with a torch optimizer each group's own lr.
        warmup_steps: the length of the warm-up, a whole number; 0 is none.
        stable_steps: the steps at lr, a whole number, at least 0.
        decay_steps: the length of the cool-down, a whole number, at least 1.
        decay_shape: ``"linear"``, ``"cosine"`` or ``"1-sqrt"``.
        start_factor: the first value as a fraction of lr, at least 0.
        end_factor: the last value as a fraction of lr, at least 0.

    Raises:
        ArgumentError: warmup_steps, stable_steps or decay_steps is missing.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Shengding Hu and others. MiniCPM: Unveiling the Potential of Small Language Models with Scalable Training Strategies.
        2024. arXiv:2404.06395
        Alexander Haegele and others. Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations (1-sqrt). 2024.
        arXiv:2405.18392

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("wsd", lr=0.8, warmup_steps=4, stable_steps=10, decay_steps=4, decay_shape="1-sqrt")
        >>> [round(schedule(t), 12) for t in (0, 2, 4, 14, 15, 18, 100)]
        [0.0, 0.4, 0.8, 0.8, 0.4, 0.0, 0.0]
    """
    at = ops.minimum(since(ops, step, warmup_steps + stable_steps), decay_steps)
    falling = _cool_down(ops, decay_shape, end_factor, at / decay_steps, (decay_steps - at) / decay_steps)
    return warm_up(ops, step, lr, warmup_steps, start_factor, lr * falling)


def _cool_down(ops: ScheduleOps, shape: Shape, end: float, gone: Number, left: Number) -> Any:
    """From 1 to `end`."""
    if shape == "cosine":
        return half_cosine(ops, 1.0, end, gone, left)
    if shape == "linear":
        return line(ops, 1.0, end, gone, left)
    root = ops.sqrt(gone)
    return left / (1 + root) + end * root  # 1 - sqrt(gone) without cancellation
