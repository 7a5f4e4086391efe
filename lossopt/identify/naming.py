"""From a fit to a name: which definition says it with the fewest words, and how well each number is known.

A number that the data leave open gets its default; one that they determine gets the roundest value that fits as well.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossopt import registry
from lossopt.definition import Optimizer, Spec
from lossopt.identify.candidates import rule_of, texts, with_lr_fitted
from lossopt.identify.code import code
from lossopt.identify.coordinates import Coordinate
from lossopt.identify.fit import Fit, Target, clipped, descend, jumps
from lossopt.identify.known import Known, as_typed, hardly_typed, interval, numbers_apart, round_values, rounder
from lossopt.identify.replay import CLIP, Rule, as_scheduled, keeping, put, value_of, with_flat
from lossopt.identify.ties import Ties, ties

SIGMAS = 5.0
"""How far a number may be moved from the fit."""

ARITHMETIC = 3e-4
"""Relative: how far float32 arithmetic may pull a number from what was typed."""

LOST = 1e-4
"""Relative, of updates: what float32 arithmetic may lose where it loses more than roundings, as in 1 - 0.999."""

FINEST = 4e-7
"""Relative, of updates that were recorded themselves: several roundings of float32, which say nothing."""

ONE_LESS = 3.2e-8
"""Half the spacing of float32 below 1: what 1 - lr * weight_decay may be off by."""

UNTOLD = 0.05**2
"""Of a rounding, squared: a difference that says nothing.  JAX multiplies by lr in float32, which is up to 6e-8 from the lr that is
recorded, and a momentum of 2e-8 follows that: 0.1442 roundings in the place of 0.1456."""

ELSEWHERE = 0.05
"""Relative, of updates: how far off a switch may be set with the numbers of the other side, and still be fitted with numbers of its own.
A decay before Adafactor's scale makes 1 - weight_decay of the learning rate."""

FINISHED = 3
"""Names of as few words that are compared once their numbers are round."""

SYSTEMATIC = 1.5
"""A residual above this is not rounding alone; then the fit's own errors are too small by `INFLATED`."""
INFLATED = 10.0
HIDDEN = 1.25
"""Where it is not rounding alone, a residual so little above the fit's is as good: optax's 1 - beta**t in float32 is off by 1e-5, as
much as a decay of 1e-4 adds to an update of Adam's, and the fit follows it to 1.1e-4."""

FEWER, STILL_GOOD = 3.0, 100.0
"""A rule with fewer numbers is as good as the best where its residual is within this factor, and no more than so many roundings."""

PREFERRED = {"torch": ("torch", "optax", "keras"), "jax": ("optax", "torch", "keras")}


@dataclass(frozen=True)
class Named:
    """A fit under the name that needs the fewest words.

    Attributes:
        spec: what can be emitted.
        residual, relative: as in `Fit`, with the reported numbers.
        words: how many numbers differ from the convention's defaults, lr aside.
        known: of every number what the data say.
        rule, x: the fit.
        before: the transform that changes gradients first; None where there is none.
    """

    spec: Spec
    residual: float
    relative: float
    words: int
    known: tuple[Known, ...]
    rule: Rule
    x: np.ndarray
    before: Spec | None = None

    @property
    def name(self) -> str:
        return self.spec.definition.name

    @property
    def convention(self) -> str:
        return self.spec.convention

    def code(self, framework: str) -> str:
        """What to type for it in a framework."""
        return code(self.spec, framework, self.before)


def family_of(fits: Sequence[Fit]) -> tuple[list[Fit], list[Fit]]:
    """The fits that are as good as the best, and the others.

    Where arithmetic in float32 loses more than roundings, further numbers follow the loss: those with fewer are as good then.
    """
    bound = max(1.1 * fits[0].residual, fits[0].residual + 0.05)
    simple = max(bound, min(FEWER * fits[0].residual, STILL_GOOD))
    least = len(fits[0].rule.free)
    within = [fit.residual <= (simple if len(fit.rule.free) < least else bound) for fit in fits]
    same, others = ([fit for fit, own in zip(fits, within, strict=True) if own is kind] for kind in (True, False))
    return same, others


def named(fit: Fit, target: Target, framework: str) -> Named:
    """A fit in the fewest words."""
    work = _Work(fit, target)
    definitions = texts().get(fit.rule.spec.definition.text, [fit.rule.spec.definition])
    preference = PREFERRED.get(framework, PREFERRED["torch"])
    labels = [(d, c) for d in definitions if isinstance(d, Optimizer) for c in d.conventions]
    labels.sort(key=lambda label: preference.index(label[1]) if label[1] in preference else len(preference))
    found = [work.under(d, c) for d, c in labels]
    fewest = min(words for words, *_ in found)
    short = [(label, one) for label, one in zip(labels, found, strict=True) if one[0] == fewest][:FINISHED]
    return min((work.finished(*label, rule, x, loose) for label, (_, rule, x, loose) in short), key=lambda n: n.words)


def popularity(d: Optimizer) -> int:
    """In how many frameworks a definition stands: of two names for one thing the better known comes first."""
    own = {"torch": "torch.optim.", "optax": "optax.", "keras": "keras.optimizers."}
    return sum(d.elsewhere.get(k, "").startswith(v) and not d.elsewhere[k].startswith("optax.contrib") for k, v in own.items())


def simplest(found: Sequence[Named]) -> list[Named]:
    """Different names for one thing, the simplest first."""
    unique = {repr(n.spec): n for n in reversed(found)}
    return sorted(unique.values(), key=lambda n: (n.words, -popularity(n.spec.definition), n.name))


class _Work:
    """One fit, and what may be changed of it without its becoming worse."""

    def __init__(self, fit: Fit, target: Target) -> None:
        self.fit, self.target = fit, target
        self.base = self.judge(fit.rule, fit.x)
        self.ties = self._ties_at(self.base)
        self.spread = self.ties.spread

    def judge(self, rule: Rule, x: np.ndarray) -> Fit:
        return self.target.judge(rule, x, self.target.residuals(rule, x[None])[0])

    def _ties_at(self, fit: Fit) -> Ties:
        noise = fit.residual * (INFLATED if fit.residual > SYSTEMATIC else 1.0)
        return ties(fit, self.target, noise, self._allowed(fit))

    def as_good(self, fit: Fit) -> bool:
        """Whether a fit explains the data as well as this one, within what chance may do."""
        inflated = INFLATED if self.base.residual > SYSTEMATIC else 1.0
        count = self.target.u.size
        return fit.residual**2 - self.base.residual**2 <= max((SIGMAS * inflated) ** 2 * self.base.residual**2 / count, UNTOLD)

    # -- one name
    def under(self, d: Optimizer, convention: str) -> tuple[int, Rule, np.ndarray, frozenset[str]]:
        """(words, rule, point, the coordinates that are not at a default) under one name."""
        defaults, rule, x = d.defaults_of(convention), self.fit.rule, self.fit.x
        rule, x, _ = self._switches_of(defaults, rule, x, frozenset())
        stay, loose = set[str](), {c.label for c in rule.free if c.name in defaults and c.name not in rule.lr_names}
        order = sorted((c for c in rule.free if c.label in loose), key=lambda c: -self.spread.get(c.label, math.inf))
        for c in order:
            default = defaults[c.name]
            own = default if c.index is None else default[c.index] if isinstance(default, tuple) else None
            if not isinstance(own, float | int):
                continue
            trial = self.held(rule, x, c, float(own), stay)
            if trial is not None:
                (rule, x), loose, stay = trial, loose - {c.label}, stay | {c.label}
        rule, x, words = self._switches_of(defaults, rule, x, stay)  # again: a decay of nothing is decoupled as well as not
        return words + len(loose), rule, x, frozenset(loose)

    def _switches_of(self, defaults: Mapping[str, Any], rule: Rule, x: np.ndarray, stay: Collection[str]) -> tuple[Rule, np.ndarray, int]:
        """The rule with every switch at its default that may be, and how many are not; the numbers of `stay` stay."""
        free, words = {c.name for c in rule.free}, 0
        for name, default in defaults.items():
            value = rule.spec.hyperparameters[name]
            switch = name not in free or _pattern(value) != _pattern(default)
            if name == "lr" or not switch or value == default:
                continue
            trial = None if name == "maximize" else self.switched(rule, x, name, default, stay)
            rule, x, words = (*trial, words) if trial else (rule, x, words + 1)
        return rule, x, words

    def switched(self, rule: Rule, x: np.ndarray, name: str, value: Any, stay: Collection[str]) -> tuple[Rule, np.ndarray] | None:
        """The rule with a switch set otherwise, where it fits as well."""
        other, point = changed(rule, x, name, value)
        found = self.judge(other, point)
        if not self.as_good(found) and found.relative < ELSEWHERE:
            found = self._refitted(other, point, stay, iterations=5)
        return (other, found.x) if self.as_good(found) else None

    def _refitted(self, rule: Rule, x: np.ndarray, stay: Collection[str], iterations: int) -> Fit:
        """The fit from a point on, some of whose coordinates stay."""
        stays, kept = np.array([c.label in stay for c in rule.free], bool), keeping(rule, x, stay)
        found, whole = descend(kept, self.target, x[~stays], iterations), x.copy()
        whole[~stays] = found.x
        return replace(found, rule=rule, x=whole)

    def held(self, rule: Rule, x: np.ndarray, c: Coordinate, value: float, stay: Collection[str], *,
             refit: bool = True) -> tuple[Rule, np.ndarray] | None:  # fmt: skip
        """The rule with one coordinate at a value, the others but those of `stay` moved where that helps; None where it fits worse."""
        j = next(j for j, own in enumerate(rule.free) if own.label == c.label)
        moved = x.copy()
        moved[j] = c.to_x(value)
        if c.name == CLIP:
            return self._clipped_at(rule, x, moved, moved[j] - x[j])
        fixed = replace(rule, free=(*rule.free[:j], *rule.free[j + 1:]), spec=_with(rule.spec, c, value))
        rest = np.delete(x, j)
        found = self.judge(fixed, rest)
        if not self.as_good(found) and refit and self.spread.get(c.label, math.inf) > 1e-5:
            followed = self._following(fixed, rest, c.label, x[j], moved[j], stay)
            start = min((found, self.judge(fixed, followed)), key=lambda f: f.score).x
            found = self._refitted(fixed, start, stay, iterations=12 if rule.clip else 4)  # a bound goes far with what it scales
        near = abs(moved[j] - x[j]) <= ARITHMETIC * max(1.0 if c.kind == "log" else abs(x[j]), 1e-12)
        lost = found.relative < LOST if self.base.residual > SYSTEMATIC else found.residual < max(3 * self.base.residual, 1.0)
        there = float(c.to_value(x[j]))
        typed = self._one_less(c, value, there) or abs(value - there) <= 1.2e-7 * abs(value)  # what float32 keeps of the number itself
        arithmetic = not self.target.evidence.on_grid and found.relative < FINEST
        hidden = self.base.residual > SYSTEMATIC and found.relative < LOST and found.residual <= HIDDEN * self.base.residual
        tolerable = hidden or (near and lost) or (typed and found.relative < LOST) or arithmetic
        if not (self.as_good(found) or tolerable):
            return None
        whole = np.insert(found.x, j, moved[j])
        return replace(rule, spec=fixed.spec), whole

    def _following(self, rule: Rule, x: np.ndarray, label: str, start: float, end: float, stay: Collection[str]) -> np.ndarray:
        """Where the other coordinates go with one that is moved."""
        others = {c.label: float(own) for c, own in zip(rule.free, x, strict=True) if c.label not in stay}
        goes = self.ties.following(label, start, end, others)
        return clipped(rule, np.array([[goes.get(c.label, own) for c, own in zip(rule.free, x, strict=True)]]))[0]

    def _clipped_at(self, rule: Rule, x: np.ndarray, moved: np.ndarray, by: float) -> tuple[Rule, np.ndarray] | None:
        """Another bound, with the learning rate that goes with it where every step is clipped."""
        found, before = self.judge(rule, moved), self.judge(rule, x)
        if self.as_good(found) or (abs(by) < 0.02 and found.residual < 1.5 * before.residual):
            return rule, moved
        other = moved - by * np.array([c.name in rule.lr_names for c in rule.free])
        return (rule, other) if rule.lr_fitted and self.judge(rule, other).residual <= 1.01 * before.residual else None

    def _one_less(self, c: Coordinate, value: float, found: float) -> bool:
        """Whether 1 - lr * value is what PyTorch makes of 1 - lr * found: decoupled decay multiplies by a float32 near 1."""
        lrs = [leaf.lr for leaf in self.target.evidence.leaves if leaf.lr is not None]
        if c.label != "weight_decay" or not lrs or not self.target.evidence.on_grid:
            return False
        return abs(value - found) * float(np.mean(lrs)) <= ONE_LESS

    # -- the numbers that are left
    def finished(self, d: Optimizer, convention: str, rule: Rule, x: np.ndarray, loose: frozenset[str]) -> Named:
        """The rule with round numbers where they fit as well, and what is known of each."""
        fixed = {c.label: float(c.to_value(np.asarray(own))) for c, own in zip(rule.free, x, strict=True)}
        for c in rule.free:
            if c.label not in loose and c.name not in rule.lr_names and c.name != CLIP:
                fixed[c.label] = value_of(d.defaults_of(convention), c)  # exactly, and not as its logarithm brings it back
        rule, x, loose = self._together(rule, x, loose, fixed)
        left = [c for c in rule.free if c.label in loose or c.name in (*rule.lr_names, CLIP)]
        stay = {c.label for c in rule.free} - {c.label for c in left}
        for c in sorted(left, key=lambda c: (c.name != CLIP, self.spread.get(c.label, 0))):
            j = next(j for j, own in enumerate(rule.free) if own.label == c.label)
            fixed[c.label] = float(c.to_value(x[j]))
            usual = [1.0] if c.name == CLIP else []
            for value in [*usual, *round_values(c, fixed[c.label])]:
                trial = self.held(rule, x, c, value, stay, refit=abs(c.to_x(value) - x[j]) < 0.3)
                if trial is not None:
                    (rule, x), fixed[c.label] = trial, value
                    break
            stay |= {c.label}
        at_end = self._ties_at(self.judge(rule, x))
        known = self._wander(rule, x, tuple(self._known(rule, x, c, fixed[c.label], at_end) for c in rule.free))
        if sum(c.label in loose and not k.determined for c, k in zip(rule.free, known, strict=True)) == 1:  # several go together
            known = tuple(rounder(c, k) if c.label in loose else k for c, k in zip(rule.free, known, strict=True))
        fixed |= {k.label: k.value for k in known}
        flat = dict(rule.spec.flat)
        for c in rule.free:
            put(flat, c, fixed[c.label])
        flat = dict(as_scheduled(flat, self.target.evidence, 0))
        given = {n: flat[n] for n in d.defaults if n != "lr" and flat[n] != d.defaults_of(convention)[n]}
        lr = flat["lr"] if rule.lr_fitted else self._recorded_lr()
        spec = d(convention=convention, **given, **({} if lr is None else {"lr": lr}))
        final = self.judge(rule, x)
        words = sum(numbers_apart(value, d.defaults_of(convention)[n]) for n, value in given.items())
        words += sum(hardly_typed(c, k) for c, k in zip(rule.free, known, strict=True) if c.label in loose)
        return Named(spec, final.residual, final.relative, words, known, rule, x, _before(rule, fixed.get(CLIP, 0.0)))

    def _together(self, rule: Rule, x: np.ndarray, loose: frozenset[str],
                  fixed: dict[str, float]) -> tuple[Rule, np.ndarray, frozenset[str]]:  # fmt: skip
        """Round numbers for what moves by jumps, all at once: two decay rates under one sign go together."""
        jumping = [(j, c) for j, c in enumerate(rule.free) if c.label in loose and math.isinf(self.spread.get(c.label, 0.0))]
        if len(jumping) < 2:
            return rule, x, loose
        each = [round_values(c, float(c.to_value(x[j]))) for j, c in jumping]
        for values in sorted(itertools.product(*each), key=lambda vs: sum(len(f"{v:.12g}") for v in vs)):
            point, spec = x.copy(), rule.spec
            for (j, c), v in zip(jumping, values, strict=True):
                point[j], spec = c.to_x(v), _with(spec, c, v)
            if self.as_good(self.judge(rule, point)):
                fixed |= {c.label: v for (_, c), v in zip(jumping, values, strict=True)}
                return replace(rule, spec=spec), point, loose - {c.label for _, c in jumping}
        return rule, x, loose

    def _recorded_lr(self) -> float | None:
        lrs = np.stack([leaf.lr for leaf in self.target.evidence.leaves if leaf.lr is not None])
        return as_typed(float(lrs.flat[0])) if lrs.size else None

    def _known(self, rule: Rule, x: np.ndarray, c: Coordinate, value: float, at_end: Ties) -> Known:
        """How far a coordinate may go on either side: by the fit's own errors, or where nothing changes, until something does."""
        j = next(j for j, own in enumerate(rule.free) if own.label == c.label)
        offsets = np.concatenate([[0.0], np.geomspace(1e-5, 30.0, 40)])
        ends = []
        for side in (-1.0, 1.0):
            trials = np.repeat(x[None], len(offsets), axis=0)
            trials[:, j] = c.clip(x[j] + side * offsets)
            if c.kind == "linear":
                trials[:, j] = c.clip(x[j] + side * offsets * max(abs(x[j]), 1e-3))
            fits = [self.target.judge(rule, t, z) for t, z in zip(trials, self.target.residuals(rule, trials), strict=True)]
            here = fits[0]
            worse = [i for i, fit in enumerate(fits) if fit.residual**2 - here.residual**2 > self._allowed(here)]
            if worse:
                ends.append(float(c.to_value(trials[max(worse[0] - 1, 0), j])))
            else:
                ends.append(0.0 if side < 0 and c.low >= 0 else side * math.inf)
        spread = at_end.spread.get(c.label, 0.0)
        if np.isfinite(spread):  # what goes with other numbers may go further
            reach = x[j] + min(SIGMAS * spread, c.reach) * np.array([-1.0, 1.0])  # no further than slopes can be trusted
            wider = c.to_value(np.array([float(c.clip(np.asarray(r))) for r in reach]))
            ends = [min(ends[0], float(wider[0])), max(ends[1], float(wider[1]))]
        if c.label == "weight_decay" and self._one_less(c, value, float(c.to_value(x[j]))):
            lr = float(np.mean([leaf.lr for leaf in self.target.evidence.leaves if leaf.lr is not None]))
            ends = [max(min(ends[0], value - ONE_LESS / lr), c.low), max(ends[1], value + ONE_LESS / lr)]
        found = interval(c, value, ends[0], ends[1])
        return replace(found, determined=False, tied=at_end.tied[c.label]) if c.label in at_end.tied else found

    def _wander(self, rule: Rule, x: np.ndarray, known: tuple[Known, ...]) -> tuple[Known, ...]:
        """The intervals of what moves by jumps, widened by how far it can go together: by a walk among what fits as well."""
        jumping = jumps(rule, self.target, x) if rule.free else np.zeros(0, bool)
        if jumping.sum() < 2 or not rule.together:
            return known
        rng, here = np.random.default_rng(0), self.judge(rule, x)
        inside = x[None]
        for _ in range(16):
            steps = rng.normal(size=(32, len(x))) * jumping * 10.0 ** rng.uniform(-3, -0.5, size=(32, 1))
            trials = clipped(rule, inside[rng.integers(len(inside), size=32)] + steps)
            z = self.target.residuals(rule, trials)
            squares = np.array([self.target.judge(rule, t, own).residual ** 2 for t, own in zip(trials, z, strict=True)])
            inside = np.concatenate([inside, trials[squares - here.residual**2 <= self._allowed(here)]])
        widened = []
        for j, (c, k) in enumerate(zip(rule.free, known, strict=True)):
            low, high = (float(c.to_value(v)) for v in (inside[:, j].min(), inside[:, j].max()))
            widened.append(interval(c, k.value, min(k.low, low), max(k.high, high)) if jumping[j] else k)
        return tuple(widened)

    def _allowed(self, here: Fit) -> float:
        inflated = INFLATED if here.residual > SYSTEMATIC else 1.0
        return max((SIGMAS * inflated * here.residual) ** 2 / self.target.u.size, UNTOLD)


def changed(rule: Rule, x: np.ndarray, name: str, value: Any) -> tuple[Rule, np.ndarray]:
    """The rule with a switch set otherwise, and the same point in what it searches for then."""
    flat = {**rule.values(x), name: value}
    spec = with_flat(rule.spec, flat)
    made = rule_of(spec)
    made = with_lr_fitted(made) if rule.lr_fitted else made
    if rule.clip:
        made = replace(made, free=(*made.free, rule.free[-1]), clip=rule.clip)
    made = replace(made, together=rule.together, separable=rule.separable, half=rule.half, uncorrected=rule.uncorrected)
    before = dict(zip((c.label for c in rule.free), x, strict=True))
    return made, np.array([before[c.label] if c.label in before else c.to_x(value_of(flat, c)) for c in made.free])


def _before(rule: Rule, bound: float) -> Spec | None:
    """The clipping that a rule has before it."""
    if rule.clip is None:
        return None
    name, argument = {"norm": ("clip_by_global_norm", "max_norm"), "value": ("clip_by_value", "max_value")}[rule.clip]
    made = registry.definition(name, "transform")
    assert isinstance(made, Optimizer)
    options: dict[str, Any] = {argument: bound}
    return made(**options)


def _with(spec: Spec, c: Coordinate, value: float) -> Spec:
    flat = dict(spec.flat)
    put(flat, c, value)
    return with_flat(spec, flat)


def _pattern(value: Any) -> Any:
    return tuple(v is None for v in value) if isinstance(value, tuple) else value is None
