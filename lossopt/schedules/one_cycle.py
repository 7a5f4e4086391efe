"""The one-cycle policy: up to a peak and down again, the momentum the other way round."""

from __future__ import annotations

from typing import Annotated, Literal

from lossopt.definition import schedule
from lossopt.errors import ArgumentError, HyperparameterError
from lossopt.hyper import REQUIRED, Fraction, NonNegative, Number, Positive, Range, UnitInterval
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import half_cosine, line, through

Strategy = Literal["cos", "linear"]
PhaseEnds = Literal["fractional", "whole"]


def momentum(ops: ScheduleOps, step: Number, *, total_steps: int, pct_start: float, anneal_strategy: Strategy, three_phase: bool,
             base_momentum: float, max_momentum: float, phase_ends: PhaseEnds, pct_final: float | None) -> Number:  # fmt: skip
    """From max_momentum down to base_momentum while lr climbs, and back; in a third phase it rests at max_momentum."""
    levels = (max_momentum, base_momentum, max_momentum, max_momentum)[: 4 if three_phase else 3]
    ends = _ends(total_steps, pct_start, pct_final, three_phase, phase_ends)
    return through(ops, step, levels, ends, half_cosine if anneal_strategy == "cos" else line)


def check(*, three_phase: bool, pct_start: float, pct_final: float | None) -> None:
    """A second of three phases has an end of its own, after the first's."""
    if pct_final is not None and not three_phase:
        raise ArgumentError("one_cycle: pct_final is where the second of three phases ends: write three_phase=True, or leave it out")
    if pct_final is not None and pct_final < pct_start:
        raise HyperparameterError(f"one_cycle: pct_final must be at least pct_start, {pct_start!r}, got {pct_final!r}")


@schedule(
    check=check,
    conventions={"torch": {}, "optax": {"phase_ends": "whole"}},
    spellings={"max_lr": "lr", "peak_value": "lr", "transition_steps": "total_steps"},
    also={"momentum": momentum},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.OneCycleLR; max_lr is lr, and replaces the optimizer's own; "
                 "one step past the end it climbs a little, at the next it raises",
        "optax": "optax.cosine_onecycle_schedule, optax.linear_onecycle_schedule; peak_value is lr, transition_steps is total_steps; "
                 "phases end at whole steps, one later than in torch; the linear one has three_phase=True, "
                 "anneal_strategy='linear', and pct_final=0.85 by default",
        "also": "one_cycle_lr",
    },
)  # fmt: skip
def one_cycle(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, total_steps: Annotated[int, Range(low=2)] = REQUIRED,
              pct_start: UnitInterval = 0.3, anneal_strategy: Strategy = "cos", div_factor: Positive = 25.0,
              final_div_factor: Positive = 1e4, three_phase: bool = False, cycle_momentum: bool = True,
              base_momentum: Fraction = 0.85, max_momentum: Fraction = 0.95, phase_ends: PhaseEnds = "fractional",
              pct_final: UnitInterval | None = None) -> Number:  # fmt: skip
    """One cycle: from lr / div_factor up to the peak lr, then down to a value far below the first.

    Formula: from each level to the next, in each phase along half a cosine (or a line)::

        levels        lr / div_factor,  lr,  lr / div_factor / final_div_factor
        three_phase   lr / div_factor,  lr,  lr / div_factor,  lr / div_factor / final_div_factor
        phases end at pct_start * total_steps - 1, (2 * pct_start * total_steps - 2,) total_steps - 1     (fractional)
                      floor(pct_start * total_steps), (floor(2 * pct_start * total_steps),) total_steps   (whole)
        with pct_final, the second of three at pct_final * total_steps - 1, or floor(pct_final * total_steps)

    Past the end: it stays at the last value.

    `lr` is the peak, torch's ``max_lr`` (accepted as a spelling): the base value is the highest, as in every other
    schedule that decays.  So with a torch optimizer each group's own lr is its peak, where OneCycleLR ignores it.

    The momentum that goes with it is ``schedule.momentum``, from max_momentum down to base_momentum and back:
    ``get_optimizer("sgd", "jax", lr=s, momentum=s.momentum)`` or ``betas=(s.momentum, 0.999)``.  Emitted for a torch
    optimizer, the scheduler sets ``momentum``, or the first of ``betas``, in every group.

    Args:
        lr: the peak, at least 0; with a torch optimizer each group's own lr.
        total_steps: the length of the cycle in steps, a whole number, at least 2.
        pct_start: the fraction of the cycle spent climbing, in [0, 1].
        anneal_strategy: ``"cos"`` or ``"linear"``.
        div_factor: the first value is lr / div_factor; positive.
        final_div_factor: the last value is the first over this; positive.
        three_phase: go down as steeply as up, then from the first value to the last.
        cycle_momentum: whether there is a momentum schedule beside it.
        base_momentum: the momentum at the peak of lr, in [0, 1).
        max_momentum: the momentum at both ends, in [0, 1).
        phase_ends: ``"fractional"`` (torch: between two steps, the last at total_steps - 1) or ``"whole"`` (optax).
        pct_final: where the second of three phases ends, as a fraction of the cycle, in [0, 1]; None is as far from the
            peak as that is from the start.

    Raises:
        ArgumentError: total_steps is missing, or pct_final is given without three phases.
        HyperparameterError: a hyperparameter is outside its range, or pct_final before pct_start.

    References:
        Leslie N. Smith, Nicholay Topin. Super-Convergence: Very Fast Training of Neural Networks Using Large Learning
        Rates. 2017. arXiv:1708.07120

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("one_cycle", lr=0.1, total_steps=100)
        >>> [round(schedule(t), 6) for t in (0, 29, 99)], round(schedule.momentum(29), 12)
        ([0.004, 0.1, 0.0], 0.85)
    """
    first = lr / div_factor
    levels = (first, lr, first, first / final_div_factor) if three_phase else (first, lr, first / final_div_factor)
    ends = _ends(total_steps, pct_start, pct_final, three_phase, phase_ends)
    return through(ops, step, levels, ends, half_cosine if anneal_strategy == "cos" else line)


def _ends(total_steps: int, pct_start: float, pct_final: float | None, three_phase: bool, phase_ends: PhaseEnds) -> tuple[float, ...]:
    """The step at which each phase ends."""
    up = pct_start * total_steps
    down = 2 * up if pct_final is None else pct_final * total_steps
    if phase_ends == "whole":
        return (int(up), int(down), total_steps) if three_phase else (int(up), total_steps)
    return (up - 1, down - (2 if pct_final is None else 1), total_steps - 1) if three_phase else (up - 1, total_steps - 1)
