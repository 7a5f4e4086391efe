"""Cosine annealing."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import schedule
from lossopt.errors import ArgumentError
from lossopt.hyper import REQUIRED, Count, NonNegative, Number, Positive
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import cosine_decay, lowest


def check(*, eta_min: float, alpha: float | None) -> None:
    """One lowest value."""
    if alpha is not None and eta_min != 0:
        raise ArgumentError(f"cosine: eta_min={eta_min!r} and alpha={alpha!r} both say the lowest value: leave one out")


@schedule(
    check=check,
    conventions={"torch": {}, "optax": {"past_end": "stay"}},
    spellings={"initial_learning_rate": "lr", "init_value": "lr", "decay_steps": "T_max",
               "min_lr": "eta_min", "min_lr_rate": "alpha"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.CosineAnnealingLR; past T_max it climbs back",
        "optax": "optax.cosine_decay_schedule; decay_steps is T_max; past T_max it stays",
        "keras": "keras.optimizers.schedules.CosineDecay; decay_steps is T_max; past T_max it stays",
        "also": "cosine_annealing, cosine_annealing_lr",
    },
)  # fmt: skip
def cosine(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, T_max: Count = REQUIRED, eta_min: NonNegative = 0.0,
           past_end: Literal["climb", "stay"] = "climb", alpha: NonNegative | None = None, exponent: Positive = 1.0) -> Number:  # fmt: skip
    """Cosine annealing: half a cosine from lr at step 0 to eta_min at step T_max.

    Formula, at step t = 0, 1, ...::

        value = eta_min + (lr - eta_min) * ((1 + cos(pi * t / T_max)) / 2) ** exponent
        eta_min = alpha * lr where alpha is given

    Past the end, a switch: ``past_end="climb"`` follows the cosine back up and down with period 2 * T_max (torch),
    ``"stay"`` keeps eta_min (optax).

    Args:
        lr: the base value, at least 0; with a torch optimizer each group's own lr.
        T_max: the step at which eta_min is reached, a whole number, at least 1.
        eta_min: the lowest value, at least 0; absolute, not a fraction of lr.
        past_end: ``"climb"`` or ``"stay"``.
        alpha: the lowest value as a fraction of lr, at least 0, in the place of eta_min.
        exponent: of the falling cosine, positive; above 1 it falls faster at first.

    Raises:
        ArgumentError: T_max is missing, or eta_min and alpha are both given.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Ilya Loshchilov, Frank Hutter. SGDR: Stochastic Gradient Descent with Warm Restarts. 2017. arXiv:1608.03983

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("cosine", lr=0.1, T_max=100)
        >>> schedule(0), round(schedule(50), 12), schedule(100), round(schedule(150), 12)
        (0.1, 0.05, 0.0, 0.05)
        >>> lossopt.get_schedule("cosine", convention="optax", T_max=100)(150)
        0.0
    """
    return cosine_decay(ops, step, lr, T_max, lowest(lr, eta_min, alpha), exponent, past_end)
