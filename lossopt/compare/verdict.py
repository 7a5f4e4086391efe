"""What differed first.

Within a step the quantities are compared in causal order: each is computed from those before it.  So the first that
differs, while everything before it agrees, names the culprit: equal gradients and different updates are the
optimizer's doing, whatever becomes of the loss afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from lossopt.compare.side import Step

STAGES: Mapping[str, tuple[str, str]] = {
    "parameters": ("the parameters", "No single step differs by more than the tolerance: rounding has accumulated."),
    "predictions": ("the models' predictions", "The models compute different things from the same parameters and inputs."),
    "loss": ("the loss", "The losses differ on the same predictions: look at the reduction, label smoothing and class weights."),
    "gradient": ("the gradient", "The losses agree and their derivatives do not: look for a detached term, or a kink such as |x| at 0."),
    "schedule": ("the learning rate", "The schedules differ: look at the base value, the number of steps and which step is the first."),
    "update": ("the optimizer's update", "The optimizers differ on the same gradients and learning rate: look at weight decay, eps, bias "
                                         "correction, clipping and momentum."),
}  # fmt: skip
"""In causal order: what each is called, and what follows when it is the first to differ."""


@dataclass(frozen=True)
class Tolerance:
    """How far apart the two may be, relative, and the cause of the distance.

    Attributes:
        bound: for everything but the update.
        update: for the update.
        cause: what was measured.
        others: by stage, bounds of their own.
    """

    bound: float
    update: float
    cause: str
    others: Mapping[str, float] = field(default_factory=dict)

    def of(self, stage: str) -> float:
        """The bound of one quantity."""
        return self.others.get(stage, self.update if stage == "update" else self.bound)


ANY = 2.0
"""The largest relative difference that there is, of two numbers of opposite sign: no claim."""


TOLERANCES = {
    "float64": Tolerance(1e-9, 1e-9, (
        "rounding: on the digits, over 200 steps of SGD, Adam, AdamW, Lion and RMSprop, 1.1e-15 at most in the loss, 3.4e-14 in the "
        "parameters, 4.6e-13 in an update; a model that enlarges rounding needs the rest")),
    "float32": Tolerance(1e-4, 2e-3, (
        "rounding: in the same runs 3.5e-7 at most in the loss, 1.5e-5 in the parameters, and 2.0e-4 in RMSprop's first update, which "
        "divides gradients that are nearly rounding by their own size")),
    "bfloat16": Tolerance(0.1, ANY, (
        "bfloat16 has 8 bits, and the frameworks round different intermediate results to them: in the same runs 9.7e-3 at most in the "
        "loss after 50 steps and 3.9e-2 after 200, 1.3e-2 in the predictions, 0.15 in the parameters.  One gradient agrees within 5e-3; "
        "later ones, of parameters that have parted, and the updates of Adam, Lion and RMSprop, where a small gradient may have either "
        "sign, are not comparable"), {"parameters": 0.5, "gradient": ANY, "schedule": 1e-6}),
    "float16": Tolerance(0.05, ANY, (
        "float16 has 11 bits: in the same runs 1.9e-3 at most in the loss after 50 steps and 1.6e-2 after 200, 6.6e-3 in the predictions, "
        "0.11 in the parameters; one gradient within 1e-3, and later ones as in bfloat16"),
        {"parameters": 0.5, "gradient": ANY, "schedule": 1e-6}),
}  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """How far apart the two sides are in one quantity: relative, at its worst place.

    Attributes:
        stage: which quantity, of `STAGES`.
        size: ``|a - b|`` over the larger of the two; infinite where either is not finite.
        where: the parameter with the worst difference; empty where the quantity is no parameter's.
        values: the two numbers at the worst place.
    """

    stage: str
    size: float
    where: str
    values: tuple[float, float]


@dataclass(frozen=True)
class Breach:
    """The first difference above the tolerance.

    Attributes:
        step: the update, counted from 1.
        difference: what differed, how much and where.
        loss_step: the first step whose loss differs by more than the tolerance; None if none does.
    """

    step: int
    difference: Difference
    loss_step: int | None

    @property
    def explanation(self) -> str:
        """What this means, and where to look."""
        if not all(map(math.isfinite, self.difference.values)):
            return "A number is not finite; from there on nothing can be compared."
        return STAGES[self.difference.stage][1]


Arrays = Mapping[str, np.ndarray]


def differences(before: tuple[Arrays, Arrays], steps: tuple[Step, Step], rounding: Collection[str] = ()) -> dict[str, Difference]:
    """Every quantity of one step, in causal order.

    Args:
        before: both sides' parameters before the step; arrays by common names, in the common layout.
        steps: both sides' step, likewise.
        rounding: parameters whose values and updates are left out: see `rounding_only`.
    """
    a, b = steps
    old_a, old_b = ({n: x for n, x in p.items() if n not in rounding} for p in before)
    updates = tuple({n: s.parameters[n] - p[n] for n in p} for p, s in zip((old_a, old_b), steps, strict=True))
    # What is below the rounding of the stored parameter cannot be seen in an update.
    unseen = {n: 2 * float(np.finfo(a.parameters[n].dtype).eps) * _largest(a.parameters[n]) for n in old_a}
    return {
        "parameters": _of_arrays("parameters", old_a, old_b),
        "predictions": _of_arrays("predictions", {"": a.predictions}, {"": b.predictions}),
        "loss": _of_numbers("loss", a.loss, b.loss),
        "gradient": _of_arrays("gradient", a.gradients, b.gradients),
        "schedule": _of_numbers("schedule", a.lr, b.lr),
        "update": _of_arrays("update", *updates, unseen=unseen),
    }


def rounding_only(steps: tuple[Step, Step], tolerance: Tolerance) -> set[str]:
    """The parameters whose gradient is zero but for rounding: the loss does not depend on them.

    A bias before a normalisation is one.  The two gradients have nothing in common but that they are tiny; an optimizer
    that divides a gradient by its own size makes of them two updates that have nothing in common.  So their updates say
    nothing about the optimizer, and what they do to the loss is seen in the loss.
    """
    a, b = (s.gradients for s in steps)
    negligible = tolerance.bound * SMALL * max((_largest(g) for g in a.values()), default=0.0)
    gaps = {name: float(np.max(np.abs(g - b[name]))) if g.size else 0.0 for name, g in a.items()}
    return {n for n, gap in gaps.items() if tolerance.bound * max(_largest(a[n]), _largest(b[n])) < gap <= negligible}


def first_above(found: Iterable[Difference], tolerance: Tolerance) -> Difference | None:
    """The first difference, in causal order, that is above its bound."""
    return next((d for d in found if d.size > tolerance.of(d.stage)), None)


def _of_numbers(stage: str, a: float, b: float) -> Difference:
    return Difference(stage, _relative(abs(a - b), max(abs(a), abs(b))), "", (a, b))


SMALL = 1e-3
"""A parameter's scale is its largest element, but no less than this part of the largest of all parameters: what is
zero up to rounding (the gradient of a bias before a normalisation) has no relative difference worth telling."""


def _of_arrays(stage: str, a: Arrays, b: Arrays, unseen: Mapping[str, float] | None = None) -> Difference:
    scales = {n: max(_largest(a[n]), _largest(b[n])) for n in a}
    floor = SMALL * max(scales.values(), default=0.0)
    worst = Difference(stage, 0.0, "", (0.0, 0.0))
    for name, x in a.items():
        y = b[name]
        if x.shape != y.shape:
            return Difference(stage, math.inf, name, (float(x.size), float(y.size)))
        if not x.size:
            continue
        with np.errstate(invalid="ignore", over="ignore"):
            gap = np.abs(x.astype(np.float64) - y)
        at = int(np.argmax(gap))  # the first NaN, if there is one
        seen = gap.flat[at] - (unseen[name] if unseen else 0.0)
        size = _relative(max(float(seen), 0.0) if not math.isnan(seen) else math.nan, max(scales[name], floor))
        if size > worst.size or not worst.where:
            worst = Difference(stage, size, name, (float(x.flat[at]), float(y.flat[at])))
    return worst


def _relative(gap: float, scale: float) -> float:
    if not math.isfinite(gap) or not math.isfinite(scale):
        return math.inf
    return gap / scale if gap else 0.0


def _largest(x: np.ndarray) -> float:
    return float(np.max(np.abs(x))) if x.size else 0.0


def size(x: float) -> str:
    """A number in few characters.

    >>> size(0.0), size(3.14159e-13), size(1e-9), size(0.34)
    ('0', '3.1e-13', '1e-9', '0.34')
    """
    if x == 0 or 0.01 <= x < 100:
        return f"{x:.2g}"
    mantissa, _, exponent = f"{x:.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}" if exponent else mantissa
