"""A linear warm-up, then cosine annealing."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import schedule
from lossopt.errors import ArgumentError, HyperparameterError
from lossopt.hyper import REQUIRED, Count, NaturalNumber, NonNegative, Number, Positive
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.anneal import cosine_decay, lowest, since, warm_up


def check(*, warmup_steps: int, decay_steps: int, includes_warmup: bool, eta_min: float, alpha: float | None) -> None:
    """There is something left after the warm-up, and one lowest value."""
    if includes_warmup and warmup_steps >= decay_steps:
        raise HyperparameterError(
            f"warmup_cosine: decay_steps includes the warm-up of {warmup_steps} steps and is more, got {decay_steps}; "
            "if it does not, write includes_warmup=False"
        )
    if alpha is not None and eta_min != 0:
        raise ArgumentError(f"warmup_cosine: eta_min={eta_min!r} and alpha={alpha!r} both say the lowest value: leave one out")


@schedule(
    check=check,
    conventions={"torch": {}, "optax": {"past_end": "stay"}, "keras": {"past_end": "stay", "includes_warmup": False}},
    spellings={"peak_value": "lr", "warmup_target": "lr", "end_value": "eta_min", "min_lr": "eta_min", "min_lr_rate": "alpha",
               "num_warmup_steps": "warmup_steps", "num_training_steps": "decay_steps"},
    elsewhere={
        "torch": "none; SequentialLR of LinearLR and CosineAnnealingLR, which past the end climbs back",
        "optax": "optax.warmup_cosine_decay_schedule; peak_value is lr, init_value is lr * start_factor, end_value is eta_min; "
                 "decay_steps includes the warm-up",
        "keras": "keras.optimizers.schedules.CosineDecay; with warmup_target, which is lr: initial_learning_rate is lr * start_factor; "
                 "decay_steps comes after the warm-up",
        "also": "cosine_with_warmup, get_cosine_schedule_with_warmup, cosine_with_min_lr, get_cosine_with_min_lr_schedule_with_warmup",
    },
)  # fmt: skip
def warmup_cosine(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, warmup_steps: NaturalNumber = REQUIRED,
                  decay_steps: Count = REQUIRED, start_factor: NonNegative = 0.0, eta_min: NonNegative = 0.0,
                  alpha: NonNegative | None = None, exponent: Positive = 1.0, past_end: Literal["climb", "stay"] = "climb",
                  includes_warmup: bool = True) -> Number:  # fmt: skip
    """A line from lr * start_factor up to lr in warmup_steps steps, then half a cosine down to eta_min.

    Formula, at step t = 0, 1, ... for a warm-up of W steps; the cosine is C = decay_steps - W steps long, or decay_steps
    where that does not include the warm-up::

        value = lr * (start_factor + (1 - start_factor) * t / W)                            for t < W
        value = eta_min + (lr - eta_min) * ((1 + cos(pi * (t - W) / C)) / 2) ** exponent    from then on
        eta_min = alpha * lr where alpha is given

    Past the end, a switch: ``past_end="climb"`` follows the cosine back up and down (torch), ``"stay"`` keeps eta_min
    (optax, keras).  From ``start_factor=0`` the first update is one of size 0.

    Args:
        lr: the peak, at least 0; with a torch optimizer each group's own lr.
        warmup_steps: the length of the warm-up, a whole number; 0 is none.
        decay_steps: the length of both together, a whole number, above warmup_steps; or of the cosine alone (keras).
        start_factor: the first value as a fraction of lr, at least 0.
        eta_min: the lowest value, at least 0; absolute, not a fraction of lr.
        alpha: the lowest value as a fraction of lr, at least 0, in the place of eta_min.
        exponent: of the falling cosine, positive; above 1 it falls faster at first.
        past_end: ``"climb"`` or ``"stay"``.
        includes_warmup: whether decay_steps counts the warm-up.

    Raises:
        ArgumentError: warmup_steps or decay_steps is missing, or eta_min and alpha are both given.
        HyperparameterError: a hyperparameter is outside its range, or the warm-up is as long as the whole.

    References:
        Ilya Loshchilov, Frank Hutter. SGDR: Stochastic Gradient Descent with Warm Restarts. 2017. arXiv:1608.03983
        Priya Goyal and others. Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour (the warm-up). 2017. arXiv:1706.02677

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("warmup_cosine", lr=0.8, warmup_steps=4, decay_steps=12)
        >>> [round(schedule(t), 12) for t in (0, 2, 4, 8, 12)]
        [0.0, 0.4, 0.8, 0.4, 0.0]
    """
    length = decay_steps - warmup_steps if includes_warmup else decay_steps
    low = lowest(lr, eta_min, alpha)
    falling = cosine_decay(ops, since(ops, step, warmup_steps), lr, length, low, exponent, past_end)
    return warm_up(ops, step, lr, warmup_steps, start_factor, falling)
