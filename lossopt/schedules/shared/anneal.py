"""What several schedules are made of: the ways from one value to another, a warm-up, a decay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from lossopt.ops import Number, ScheduleOps

PastEnd = Literal["climb", "stay"]


def half_cosine(ops: ScheduleOps, start: Number, end: Number, gone: Number, left: Number, exponent: float = 1.0) -> Any:
    """``end + (start - end) * ((1 + cos(pi * gone)) / 2)**exponent`` for ``gone + left = 1``, as ``start*sin^2 + end*sin^2``.

    Both terms are positive, so nothing cancels: near its end the usual form keeps no digit of a small value in float32.
    """
    falling, rising = ops.sin(ops.pi / 2 * left), ops.sin(ops.pi / 2 * gone)
    if exponent == 1:
        return start * (falling * falling) + end * (rising * rising)
    weight = ops.power(falling * falling, exponent)
    return start * weight + end * (1 - weight)


def line(ops: ScheduleOps, start: Number, end: Number, gone: Number, left: Number) -> Any:
    """``start + (end - start) * gone`` for ``gone + left = 1``, exact at both ends."""
    return start * left + end * gone


def through(ops: ScheduleOps, step: Number, levels: Sequence[Any], ends: Sequence[float], between: Callable[..., Any]) -> Any:
    """From level to level along `between`, one phase after the other; a phase without length is left out.

    Args:
        levels: one more than `ends`; the first at step 0.
        ends: the step at which each next level is reached, ascending.
    """
    at = ops.minimum(step, ends[-1])
    value: Any = None
    for begin, end, start, stop in reversed(list(zip((0, *ends), ends, levels, levels[1:], strict=False))):
        length = end - begin
        if length > 0:
            here = between(ops, start, stop, (at - begin) / length, (end - at) / length)
            value = here if value is None else ops.where(at <= end, here, value)
    return value


def warm_up(ops: ScheduleOps, step: Number, lr: Number, warmup_steps: int, start_factor: float, after: Any) -> Any:
    """A line from ``lr * start_factor`` to lr in warmup_steps steps, then the value `after`."""
    if warmup_steps == 0:
        return after
    at = ops.minimum(step, warmup_steps)
    rising = line(ops, start_factor, 1.0, at / warmup_steps, (warmup_steps - at) / warmup_steps)
    return ops.where(step < warmup_steps, lr * rising, after)


def since(ops: ScheduleOps, step: Number, begin: int) -> Any:
    """The steps since `begin`, 0 before it."""
    return ops.maximum(step - begin, 0) if begin else step


def cosine_decay(ops: ScheduleOps, step: Number, lr: Number, length: int, low: Number, exponent: float, past_end: PastEnd) -> Any:
    """Half a cosine from lr to `low` in `length` steps."""
    at = ops.minimum(step, length) if past_end == "stay" else step % (2 * length)
    return half_cosine(ops, lr, low, at / length, (length - at) / length, exponent)


def lowest(lr: Number, eta_min: float, alpha: float | None) -> Any:
    """The lowest value: absolute, or where alpha is given that fraction of lr."""
    return eta_min if alpha is None else alpha * lr


def exponential_decay(ops: ScheduleOps, step: Number, lr: Number, gamma: float, step_size: int, staircase: bool,
                      end_value: float | None) -> Any:  # fmt: skip
    """``lr * gamma**(step / step_size)``, and no farther than end_value."""
    value = lr * ops.power(gamma, step // step_size if staircase else step / step_size)
    if end_value is None:
        return value
    return ops.maximum(value, end_value) if gamma < 1 else ops.minimum(value, end_value)


def scales(milestones: Sequence[int], gamma: float | Sequence[float]) -> Sequence[float]:
    """A factor for each milestone, where one may stand for all."""
    return gamma if isinstance(gamma, Sequence) else [gamma] * len(milestones)
