"""The chain of what a training step is made of, in the order in which each follows from those before it.

Every link is a function of two recordings lined up: what it looked at, and the first step at which it differs by more than
rounding.  The first link that breaks is the one of the earliest step and, within a step, the earliest of the chain: equal
gradients and different updates are the optimizer's doing, whatever becomes of the loss afterwards.
"""

from __future__ import annotations

import math

import numpy as np

from lossopt.diff.align import Aligned
from lossopt.diff.before import initial_weights, parameters
from lossopt.diff.data import data
from lossopt.diff.finding import Finding, Look, Outcome, Watch, short
from lossopt.diff.forward import clipping, gradient, loss
from lossopt.diff.schedule import schedule
from lossopt.diff.statistics import kept, statistics
from lossopt.diff.update import update

EVALUATION = 1e-4
"""Of averaged weights that are made of equal weights by the same rule."""


def evaluation(al: Aligned) -> Outcome:
    """Whether what is evaluated with is the same: running statistics, and averages (``ema/NAME``) of equal weights."""
    both = all(kept(run) for run in (al.a, al.b))
    watch = Watch("evaluation", "running statistics, averaged weights" if both else "averaged weights")
    if (parted := statistics(al, watch)) is not None:
        return watch.done(parted)
    if alone := _alone(al):
        watch.note(alone)
    a, b = al.called
    averaged = [{s for s in run.array_steps if any(k.startswith("ema/") for k in run.arrays(s))} for run in (al.a, al.b)]
    if not averaged[0] and not averaged[1]:
        return watch.done() if watch.compared else watch.nothing("neither recording has averaged weights (ema/NAME)")
    if not averaged[0] or not averaged[1]:
        has, lacks = (a, b) if averaged[0] else (b, a)
        # An average differs from the weights themselves from the second step on, however it begins.
        told = f"{has} keeps an average of its weights to evaluate, and {lacks} does not"
        return watch.done(Finding(min(averaged[0] | averaged[1]), "missing EMA", told, size=1.0))
    for step in sorted(averaged[0] & averaged[1]):
        averages, params = al.arrays("ema", step), al.arrays("param", step)
        weights = max((_apart(*params[n]) for n in averages if n in params), default=0.0)
        size = max((_apart(x, y) for x, y in averages.values()), default=0.0)
        if size > EVALUATION + 4 * weights:
            rates = [decay(al, side) for side in (0, 1)]
            said = [f"decay {short(r)}" if r is not None else "an average of another kind" for r in rates]
            numbers = {k: r for k, r in (("decay_a", rates[0]), ("decay_b", rates[1])) if r is not None}
            return watch.done(
                Finding(
                    step, "EMA decay", f"the averages of the weights differ: {said[0]} in {a}, {said[1]} in {b}", size=size, numbers=numbers
                )
            )
        watch.passed(size, step)
    return watch.done()


def _alone(al: Aligned) -> str:
    """Who has running statistics where the other has none."""
    has = [bool(kept(run)) for run in (al.a, al.b)]
    if has[0] == has[1]:
        return ""
    own, other = (al.a, al.b) if has[0] else (al.b, al.a)
    how = "; in JAX call run.buffers(batch_stats) after each step" if other.info.framework == "jax" else ""
    return f"running statistics are recorded of {own.label} alone{how}"


def decay(al: Aligned, side: int) -> float | None:
    """The d of ``average = d * average + (1 - d) * weights``, where that is what a run's averages follow."""
    run = (al.a, al.b)[side]
    for t in run.first_steps[2:-1]:
        old, now, weights = run.of("ema", t - 1), run.of("ema", t), run.of("param", t + 1)
        names = [n for n in now if n in old and n in weights]
        if not names:
            return None
        moved = np.concatenate([(now[n] - weights[n]).ravel() for n in names])
        before = np.concatenate([(old[n] - weights[n]).ravel() for n in names])
        if (size := float(before @ before)) > 0:
            d = float(moved @ before) / size
            fits = float(np.linalg.norm(moved - d * before)) < 1e-2 * float(np.linalg.norm(before))
            return d if fits and 0 <= d <= 1 else None
    return None


def _apart(x: np.ndarray, y: np.ndarray) -> float:
    scale = max(float(np.linalg.norm(x)), float(np.linalg.norm(y)))
    return float(np.linalg.norm(x - y)) / scale if scale and x.shape == y.shape else math.inf if scale else 0.0


CHAIN: tuple[Look, ...] = (parameters, initial_weights, data, loss, gradient, clipping, schedule, update, evaluation)
"""In causal order.  The learning rate stands before the update that it is part of."""


def walk(al: Aligned) -> list[Outcome]:
    """Every link, in the order of the chain."""
    return [look(al) for look in CHAIN]


def first(outcomes: list[Outcome]) -> Outcome | None:
    """The first link that breaks; None where all are equal to rounding."""
    broken = [(o.finding.step, i) for i, o in enumerate(outcomes) if o.finding is not None]
    return outcomes[min(broken)[1]] if broken else None
