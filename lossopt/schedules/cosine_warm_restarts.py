"""Cosine annealing with warm restarts (SGDR)."""

from __future__ import annotations

from lossopt.definition import schedule
from lossopt.hyper import REQUIRED, Count, NonNegative, Number
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import half_cosine

HORIZON = 2**31
"""Restarts are laid out for as many steps as an int32 count can tell."""


@schedule(
    spellings={"initial_learning_rate": "lr", "first_decay_steps": "T_0", "t_mul": "T_mult"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.CosineAnnealingWarmRestarts",
        "optax": "optax.sgdr_schedule; a finite list of cycles, each with a warm-up, a peak and a length of its own: "
                 "sequential of warmup_cosine",
        "keras": "keras.optimizers.schedules.CosineDecayRestarts; t_mul is 2.0 by default, alpha is eta_min / lr",
        "also": "cosine_warm_restart, cosine_annealing_warm_restarts",
    },
)  # fmt: skip
def cosine_warm_restarts(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, T_0: Count = REQUIRED, T_mult: Count = 1,
                         eta_min: NonNegative = 0.0) -> Number:  # fmt: skip
    """Cosine annealing with warm restarts: cycles of half a cosine, the first T_0 steps long, each T_mult times the last.

    Formula, at step t = 0, 1, ..., where cycle n begins at step ``b = T_0 * (T_mult**n - 1) / (T_mult - 1)`` and is
    ``T = T_0 * T_mult**n`` long::

        value = eta_min + (lr - eta_min) * (1 + cos(pi * (t - b) / T)) / 2

    The step at which a cycle begins has the value lr.  Past the end: there is none; it goes on restarting.

    Args:
        lr: the base value, at least 0; with a torch optimizer each group's own lr.
        T_0: steps of the first cycle, a whole number, at least 1.
        T_mult: the growth of the cycles, a whole number, at least 1.
        eta_min: the lowest value, at least 0; absolute, not a fraction of lr.

    Raises:
        ArgumentError: T_0 is missing.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Ilya Loshchilov, Frank Hutter. SGDR: Stochastic Gradient Descent with Warm Restarts. 2017. arXiv:1608.03983

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("cosine_warm_restarts", T_0=10, T_mult=2)
        >>> [round(schedule(t), 4) for t in (0, 5, 9, 10, 20, 29, 30)]
        [1.0, 0.5, 0.0245, 1.0, 0.5, 0.0062, 1.0]
    """
    at, length = (step % T_0, T_0) if T_mult == 1 else _cycle(ops, step, T_0, T_mult)
    return half_cosine(ops, lr, eta_min, at / length, (length - at) / length)


def _cycle(ops: ScheduleOps, step: Number, first: int, growth: int) -> tuple[Number, Number]:
    """The step within its cycle, and that cycle's length."""
    at, length = step, first
    begins, lasts = first, first * growth
    while begins < HORIZON:
        at = ops.where(step >= begins, step - begins, at)
        length = ops.where(step >= begins, lasts, length)
        begins, lasts = begins + lasts, lasts * growth
    return at, length
