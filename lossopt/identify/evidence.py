"""What a recording offers to a replay: parameters, gradients and updates of its first steps, and how finely they are rounded."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lossopt.errors import InputError
from lossopt.recording.contents import NO_STEPS, Recording, Step
from lossopt.recording.numbers import common

EPSILON = {"float64": 2.0**-40, "float32": 2.0**-23, "bfloat16": 2.0**-7, "float16": 2.0**-10}
"""The spacing of numbers near 1.  Of float64 it is coarser than it could be, as no fit of hyperparameters ends closer."""

LEAST_STEPS = 3
"""Fewer steps tell no second moment from a first."""


@dataclass(frozen=True)
class Leaf:
    """One parameter over the steps; arrays are (steps, *shape), or (steps, samples).

    Attributes:
        whole: all of its elements are there.
        p, g, u: before the update, the gradient, and what was added.
        unit: the rounding of each element of u: what a residual is counted in.
        lr: its learning rate at each step, where one was recorded.
    """

    name: str
    group: int
    whole: bool
    p: np.ndarray
    g: np.ndarray
    u: np.ndarray
    unit: np.ndarray
    lr: np.ndarray | None = None

    @property
    def size(self) -> int:
        return self.p[0].size

    @property
    def matrix(self) -> bool:
        return self.whole and self.p.ndim == 3

    def head(self, steps: int) -> Leaf:
        lr = None if self.lr is None else self.lr[:steps]
        return replace(self, p=self.p[:steps], g=self.g[:steps], u=self.u[:steps], unit=self.unit[:steps], lr=lr)

    def some(self, count: int, rng: np.random.Generator) -> Leaf:
        """Some of its elements, for a rule that goes element by element."""
        if count >= self.size:
            return self
        chosen = rng.choice(self.size, count, replace=False)
        p, g, u, unit = (x.reshape(len(x), -1)[:, chosen] for x in (self.p, self.g, self.u, self.unit))
        return replace(self, whole=False, p=p, g=g, u=u, unit=unit)


@dataclass(frozen=True)
class Evidence:
    """The parameters that moved, of each step the loss, where it was recorded, and the norm of all
    gradients, whether updates were recorded as differences of rounded parameters, the rules to try where not all are, and by
    hyperparameter and place (None outside a tuple) the numbers beside lr that were recorded to vary, at each step."""

    leaves: tuple[Leaf, ...]
    value: np.ndarray | None = None
    framework: str = "torch"
    norms: np.ndarray = field(default_factory=lambda: np.empty(0))
    on_grid: bool = False
    tried: tuple[Any, ...] | None = None
    scheduled: Mapping[tuple[str, int | None], np.ndarray] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return len(self.leaves[0].p)

    @property
    def size(self) -> int:
        return sum(leaf.size for leaf in self.leaves)

    @property
    def whole(self) -> bool:
        return all(leaf.whole for leaf in self.leaves)

    @property
    def has_lr(self) -> bool:
        return all(leaf.lr is not None for leaf in self.leaves)

    def with_leaves(self, leaves: Iterable[Leaf]) -> Evidence:
        return replace(self, leaves=tuple(leaves))

    def take(self, chosen: Iterable[int]) -> Evidence:
        return self.with_leaves(self.leaves[i] for i in chosen)

    def head(self, steps: int) -> Evidence:
        value = None if self.value is None else self.value[:steps]
        return replace(self, leaves=tuple(leaf.head(steps) for leaf in self.leaves), value=value, norms=self.norms[:steps])

    def some(self, count: int, seed: int = 0) -> Evidence:
        """About `count` elements, of every parameter its share and at least a few."""
        rng = np.random.default_rng(seed)
        return self.with_leaves(leaf.some(max(8, round(count * leaf.size / self.size)), rng) for leaf in self.leaves)

    def smallest(self, count: int) -> Evidence:
        """Whole parameters up to about `count` elements, one of every number of axes at least."""
        kept: list[int] = []
        total, axes = 0, set()
        for i in sorted(range(len(self.leaves)), key=lambda i: self.leaves[i].size):
            leaf = self.leaves[i]
            if total + leaf.size <= count or leaf.p.ndim not in axes:
                kept.append(i)
                total, axes = total + leaf.size, axes | {leaf.p.ndim}
        return self.take(sorted(kept))

    @functools.cached_property
    def flat(self) -> tuple[np.ndarray, np.ndarray]:
        """u and its unit as (steps, elements), in the order in which predictions come."""
        return tuple(self.joined(kind) for kind in ("u", "unit"))  # type: ignore[return-value]

    def joined(self, kind: str) -> np.ndarray:
        return np.concatenate([getattr(leaf, kind).reshape(self.steps, -1) for leaf in self.leaves], axis=1)

    def slices(self) -> list[slice]:
        """Where each parameter stands among the elements."""
        ends = np.cumsum([0, *(leaf.size for leaf in self.leaves)])
        return [slice(a, b) for a, b in itertools.pairwise(ends)]


@dataclass(frozen=True)
class Gathered:
    """What was found before any fit.

    Attributes:
        evidence: the parameters that moved.
        frozen: those that have a gradient and did not move.
        idle: those without a gradient, which did not move.
        idle_steps: the steps at which nothing moved.
        stopped: the step at which a gradient was not finite, where the evidence ends before it.
        on_grid: the recorded updates are differences of rounded parameters.
    """

    evidence: Evidence
    frozen: tuple[str, ...]
    idle: tuple[str, ...]
    idle_steps: tuple[int, ...]
    stopped: int | None
    on_grid: bool


def gather(recording: Recording) -> Gathered:
    """What the first steps of a recording offer.

    Raises:
        InputError: there are too few steps with arrays, or no parameter moved.
    """
    steps = recording.first_steps
    have = [{kind: recording.of(kind, t) for kind in ("param", "grad", "update")} for t in steps]
    stopped = next((t for t, x in enumerate(have) if not all(np.isfinite(a).all() for k in x.values() for a in k.values())), None)
    have = have[:stopped]
    if len(have) < LEAST_STEPS:
        why = f"; at step {stopped} a number is not finite" if stopped is not None else ""
        if not recording.steps:
            raise InputError(f"{recording.label} {NO_STEPS}")
        count = f"{len(have)} step{'s' * (len(have) != 1)}"
        raise InputError(f"{recording.label} has arrays of {count} from step 0 on, and {LEAST_STEPS} or more are needed{why}: "
                         "record the first 20 with lossopt.record(..., first=20)")  # fmt: skip
    told = {s.step: s for s in recording.steps}
    leaves, frozen, idle = [], [], []
    for parameter in recording.info.parameters:
        name = parameter.name
        if not all(name in x["update"] and name in x["param"] for x in have):
            continue
        p, u = (np.stack([x[kind][name] for x in have]) for kind in ("param", "update"))
        g = np.stack([x["grad"][name] if name in x["grad"] else np.zeros_like(p[0]) for x in have])
        if not u.any():
            (frozen if g.any() else idle).append(name)
            continue
        lrs = [told[t].lr for t in range(len(have))] if all(t in told for t in range(len(have))) else []
        own = [lr[parameter.group if parameter.group < len(lr) else 0] for lr in lrs if lr]
        lr = np.array(own) if len(own) == len(have) else None
        whole = parameter.samples is None
        leaves.append((Leaf(name, parameter.group, whole, p, g, u, np.empty(0), lr), parameter.dtype))
    if not leaves:
        raise InputError(f"{recording.label}: no parameter moved in the first {len(have)} steps, so there is no optimizer to be found")
    on_grid = _on_grid([(leaf.p, leaf.u, dtype) for leaf, dtype in leaves])
    rounded = tuple(replace(leaf, unit=unit_of(leaf.p, leaf.u, dtype, on_grid)) for leaf, dtype in leaves)
    losses = [told[t].loss if t in told else None for t in range(len(have))]
    value = None if None in losses else np.array(losses, float)
    moved = np.array([any(leaf.u[t].any() for leaf in rounded) for t in range(len(have))])
    still = tuple(int(t) for t in np.flatnonzero(~moved))
    norms = np.array([_norm(told.get(t), x["grad"]) for t, x in enumerate(have)])
    scheduled = _scheduled([told[t].numbers for t in range(len(have))]) if all(t in told for t in range(len(have))) else {}
    evidence = Evidence(rounded, value, recording.info.framework, norms, on_grid, scheduled=scheduled)
    return Gathered(evidence, tuple(frozen), tuple(idle), still, stopped, on_grid)


def _scheduled(numbers: Sequence[Mapping[str, tuple[float, ...]]]) -> dict[tuple[str, int | None], np.ndarray]:
    """What varies, where every group that has it has the same."""
    found = {}
    for label in numbers[0]:
        each = [{v for v in step[label] if not np.isnan(v)} for step in numbers]
        if all(len(values) == 1 for values in each):
            series = np.array([values.pop() for values in each])
            if np.ptp(series) > 0:
                found[_place(label)] = series
    return found


def _place(label: str) -> tuple[str, int | None]:
    """``("betas", 0)`` for ``betas[0]``."""
    name, _, index = common(label).rstrip("]").partition("[")
    return name, int(index) if index else None


def _norm(step: Step | None, grads: Mapping[str, np.ndarray]) -> float:
    """The norm of all gradients: as it was recorded, as arrays may be samples."""
    if step is not None and step.grad_norms:
        return float(np.sqrt(sum(v * v for v in step.grad_norms.values())))
    return float(np.sqrt(sum((g * g).sum() for g in grads.values())))


def rounded_to(x: np.ndarray, dtype: str) -> np.ndarray:
    """x in the precision of a dtype, still as float64."""
    if dtype in ("float32", "float16"):
        return x.astype(dtype).astype(np.float64)
    if dtype == "bfloat16":
        mantissa, exponent = np.frexp(x)
        return np.ldexp(np.rint(mantissa * 256) / 256, exponent)
    return x


def _on_grid(each: list[tuple[np.ndarray, np.ndarray, str]]) -> bool:
    """Whether p + u is a number of p's precision nearly everywhere where that says something: then u is a difference."""
    same = total = 0
    for p, u, dtype in each:
        telling = np.abs(p) > 4 * np.abs(u)
        after = (p + u)[telling]
        same, total = same + int((rounded_to(after, dtype) == after).sum()), total + after.size
    return total > 0 and same > 0.95 * total


def unit_of(p: np.ndarray, u: np.ndarray, dtype: str, on_grid: bool) -> np.ndarray:
    """One rounding of the update, and where it is a difference of parameters one of theirs."""
    axes = tuple(range(1, u.ndim))
    rms = np.sqrt(np.mean(u * u, axis=axes, keepdims=True))
    least = max(float(rms.max()), 1e-30) * 1e-6
    own = EPSILON["float32" if dtype in ("bfloat16", "float16") else dtype]
    unit = own * np.maximum(np.maximum(np.abs(u), rms), least)
    if on_grid:
        largest = np.maximum(np.abs(p), np.abs(p + u))
        unit = unit + EPSILON[dtype] * 2.0 ** np.floor(np.log2(np.maximum(largest, 1e-38)))
    return unit
