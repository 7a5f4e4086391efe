"""Drop the learning rate when a metric has stopped improving."""

from __future__ import annotations

import math
from typing import Any, Literal

from lossopt.definition import schedule
from lossopt.hyper import NaturalNumber, NonNegative, Number, UnitInterval
from lossopt.ops import ScheduleOps
from lossopt.vector import State


def start(ops: ScheduleOps, *, lr: float, mode: str) -> State:
    """Nothing seen yet: any metric is an improvement."""
    return State(lr=lr, best=math.inf if mode == "min" else -math.inf, num_bad_epochs=0, cooldown_counter=0)


@schedule(
    start=start,
    conventions={"torch": {}, "optax": {"drop_when": "reached", "eps": 0.0}},
    spellings={"rtol": "threshold"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.ReduceLROnPlateau",
        "optax": "optax.contrib.reduce_on_plateau; its patience is one more than torch's; a transformation that scales updates, "
                 "so its min_scale is a factor where min_lr is absolute; no mode 'max'; with patience 0 it drops at good metrics too",
        "keras": "keras.callbacks.ReduceLROnPlateau; min_delta is threshold with threshold_mode='abs'",
        "also": "reduce_lr_on_plateau",
    },
)  # fmt: skip
def reduce_on_plateau(ops: ScheduleOps, state: State, metric: Number, *, lr: NonNegative = 1.0, mode: Literal["min", "max"] = "min",
                      factor: UnitInterval = 0.1, patience: NaturalNumber = 10, threshold: NonNegative = 1e-4,
                      threshold_mode: Literal["rel", "abs"] = "rel", cooldown: NaturalNumber = 0, min_lr: NonNegative = 0.0,
                      eps: NonNegative = 1e-8, drop_when: Literal["exceeded", "reached"] = "exceeded") -> State:  # fmt: skip
    """Reduce on plateau: multiply lr by factor after more than `patience` metrics in a row that are no improvement.

    A transition, not a function of the step: ``state = s.init()``, then ``state = s.update(state, metric)`` after every
    evaluation, and ``state.lr`` is the value.  Both are pure; the jax backend's can be jitted.  Formula::

        good = metric < best * (1 - threshold)      mode "min"; "max": metric > best * (1 + threshold)
        good = metric < best - threshold            threshold_mode "abs"; "max": metric > best + threshold
        bad  = 0 if good or cooling down, else bad + 1
        if bad > patience:  lr = max(lr * factor, min_lr), bad = 0, and cool down for `cooldown` metrics

    Args:
        lr: the first value, at least 0; with a torch optimizer each group's own lr.
        mode: whether the metric is to become small, ``"min"``, or large, ``"max"``.
        factor: what lr is multiplied with, in [0, 1].
        patience: how many bad metrics in a row are borne, a whole number, at least 0.
        threshold: by how much the best must be beaten, at least 0.
        threshold_mode: ``"rel"``, a fraction of the best, or ``"abs"``.
        cooldown: for how many metrics after a drop bad ones are not counted.
        min_lr: never below this, at least 0; absolute.
        eps: a drop of at most this much is not made.
        drop_when: patience ``"exceeded"`` (torch: at the bad metric number patience + 1) or ``"reached"`` (optax: at number
            patience).

    State: ``lr``, ``best``, ``num_bad_epochs``, ``cooldown_counter``.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: it is called with a step.

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("reduce_on_plateau", lr=0.8, factor=0.5, patience=1)
        >>> state = schedule.init()
        >>> for metric in (3.0, 2.0, 2.0, 2.0):
        ...     state = schedule.update(state, metric)
        >>> state.lr
        0.4
    """
    good = _beats(metric, state.best, mode, threshold, threshold_mode)
    cooling = state.cooldown_counter > 0
    bad = ops.where(good | cooling, 0, state.num_bad_epochs + 1)
    drop = bad > (patience if drop_when == "exceeded" else max(patience - 1, 0))
    lower = ops.maximum(state.lr * factor, min_lr)
    return State(
        lr=ops.where(drop & (state.lr - lower > eps), lower, state.lr),
        best=ops.where(good, metric, state.best),
        num_bad_epochs=ops.where(drop, 0, bad),
        cooldown_counter=ops.where(drop, cooldown, ops.where(cooling, state.cooldown_counter - 1, 0)),
    )


def _beats(metric: Number, best: Number, mode: str, threshold: float, threshold_mode: str) -> Any:
    if threshold_mode == "rel":
        return metric < best * (1 - threshold) if mode == "min" else metric > best * (1 + threshold)
    return metric < best - threshold if mode == "min" else metric > best + threshold
