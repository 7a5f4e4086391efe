"""The sieve: many rules on little evidence, few on much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lossopt.identify.candidates import Excluded, decomposes, rules
from lossopt.identify.evidence import Evidence
from lossopt.identify.fit import Fit, Target, at_usual, awakened, compass, descend, search, starts
from lossopt.identify.replay import Rule

GOOD_RESIDUAL, GOOD_RELATIVE = 6.0, 2e-5
"""A fit is an explanation where it is off by some roundings, or by what float32 arithmetic loses: 1 - 0.999 keeps 4 digits."""

GOOD_DECOMPOSED = 2e-4
"""The same where a matrix is decomposed: eigenvectors in float32 were 2.5e-5 (soap) to 1.1e-4 (shampoo) of an update off."""

ELEMENTS, MORE_ELEMENTS, MOST_ELEMENTS = 256, 500, 3000
"""Of the three sieves; rules that need whole parameters see whole ones up to about as many."""

WIDE, NARROW = 30.0, 8.0
"""How many times the best residual may be exceeded and the next sieve still be reached."""

KEPT = 24
"""At most, after the first sieve, unless more explain the first update as well."""


MOST_FITTED = 6
"""At most, on all of the evidence."""

FIRST_UPDATE = 0.05
"""Relative: a slow rule that is further off at the first update, fitted to it, is left."""

ON_ITS_WAY = 0.02
"""Relative: a rule that comes so close to the first update is searched for on more of them."""

ENOUGH = 0.5
"""A residual with which a fit on some of the evidence is left."""


@dataclass(frozen=True)
class Ranking:
    """Fits from the best on, and the definitions that could not be tried."""

    fits: tuple[Fit, ...]
    excluded: tuple[Excluded, ...]

    @property
    def best(self) -> Fit | None:
        return self.fits[0] if self.fits else None


def good(fit: Fit | None) -> bool:
    """Whether a fit explains the updates."""
    if fit is None:
        return False
    lost = GOOD_DECOMPOSED if decomposes(fit.rule.spec.definition.text) else GOOD_RELATIVE
    return fit.residual < GOOD_RESIDUAL or fit.relative < lost


def rank(evidence: Evidence, *, scaled: bool = False, slow: bool = True, known: Ranking | None = None, anyway: bool = False) -> Ranking:
    """Every rule that the evidence can judge, from the best on.

    Args:
        evidence: what is to be explained.
        scaled: each step's learning rate is unknown.
        slow: try the rules that need whole parameters too, where no other explains the updates.
        known: of the others, the ranking that there is already.
        anyway: try the slow ones though another explains the updates.
    """
    ascending = goes_up(evidence)
    if known is None:
        found, excluded = rules(evidence, quick=True, ascending=ascending)
        fits = sieve(found, evidence, scaled=scaled)
    else:
        fits, excluded = list(known.fits), list(known.excluded)
    if slow and (anyway or not (fits and good(fits[0]))):
        found, _ = rules(evidence, quick=False, ascending=ascending)
        fits = sorted([*fits, *sieve(found, evidence, scaled=scaled)], key=lambda fit: fit.residual)
    return Ranking(tuple(fits), tuple(excluded))


def goes_up(evidence: Evidence) -> bool:
    """Whether the first updates go along the gradient."""
    t = first_move(evidence)
    return sum(float((leaf.u[t] * np.sign(leaf.g[t])).sum()) for leaf in evidence.leaves) > 0


def first_move(evidence: Evidence) -> int:
    return next((t for t in range(evidence.steps) if any(leaf.u[t].any() for leaf in evidence.leaves)), 0)


def part(evidence: Evidence, rule: Rule, count: int) -> Evidence:
    """As much of the evidence as a sieve gives to a rule: elements, whole parameters, or all of it."""
    if rule.together:
        return evidence.some(count)
    return evidence.smallest(3 * count) if rule.separable else evidence


class Targets:
    """The targets of one sieve, by what a rule needs to see."""

    def __init__(self, evidence: Evidence, count: int, scaled: bool) -> None:
        self.evidence, self.count, self.scaled = evidence, count, scaled
        self._made: dict[tuple[bool, bool], Target] = {}

    def of(self, rule: Rule) -> Target:
        key = rule.together, rule.separable
        if key not in self._made:
            self._made[key] = Target(part(self.evidence, rule, self.count), scaled=self.scaled)
        return self._made[key]


def sieve(found: Sequence[Rule], evidence: Evidence, *, scaled: bool = False) -> list[Fit]:
    """The rules that come close, fitted on more and more."""
    move = first_move(evidence) + 1
    first = Targets(evidence.head(move), ELEMENTS, scaled)
    found = _likely(found, evidence.head(move))
    fits = [search(rule, first.of(rule), count=12 if rule.together else 4, best=2 if rule.together else 1, iterations=4, enough=ENOUGH)
            for rule in found]  # fmt: skip
    fits = [_further(fit, first.of(fit.rule)) for fit in near(fits, 10 * WIDE, 2 * KEPT)]
    kept = [fit for fit in near(fits, WIDE, KEPT) if fit.rule.together or fit.relative < FIRST_UPDATE]
    second = Targets(evidence.head(min(move + 5, evidence.steps)), MORE_ELEMENTS, scaled)
    third = Targets(evidence, MOST_ELEMENTS, scaled)
    on, left = _second(kept, second)
    kept = closest(on, NARROW, MOST_FITTED)
    fits = _third(kept, third)
    if not (fits and good(fits[0])) and (explained := [fit.rule for fit in kept if good(fit)]):
        # What explained some steps and not all may have learned nothing yet of its numbers, as before a rectification at the sixth.
        fits += [_far(fit, third.of(fit.rule)) for fit in fits if fit.rule in explained]
        if not good(min(fits, key=lambda fit: fit.residual)):
            fits += _third(closest([_far(fit, second.of(fit.rule)) for fit in left], NARROW, MOST_FITTED), third)
    return sorted(fits, key=lambda fit: fit.residual)


def _third(kept: Sequence[Fit], targets: Targets) -> list[Fit]:
    fits = [polished(descend(fit.rule, targets.of(fit.rule), fit.x), targets.of(fit.rule)) for fit in kept]
    return sorted(fits, key=lambda fit: fit.residual)


def _further(fit: Fit, target: Target) -> Fit:
    return min(fit, descend(fit.rule, target, fit.x, 8, ENOUGH), key=lambda f: f.score)


def _second(kept: Sequence[Fit], targets: Targets) -> tuple[list[Fit], list[Fit]]:
    """The fits on some steps; as soon as one explains them, others that are no simpler are not searched for far away: these too."""
    found, left = list[Fit](), list[Fit]()
    for fit in kept:
        target, explaining = targets.of(fit.rule), [one for one in found if good(one)]
        on = descend(fit.rule, target, fit.x, 8 if explaining else 12, ENOUGH)
        # What would say the same with fewer numbers is worth a search: momentum and a sign, beside two decay rates that are one.
        if not good(on) and all(len(fit.rule.free) < len(one.rule.free) for one in explaining):
            on = _far(on, target)
        elif not good(on):
            left.append(on)
        found.append(on)
    return found, left


def _far(fit: Fit, target: Target) -> Fit:
    """The fit, or a better one from other starting points."""
    again = search(fit.rule, target, count=24 if fit.rule.together else 6, best=2 if fit.rule.together else 1, enough=ENOUGH)
    return polished(min(again, fit, key=lambda f: f.score), target)


def _likely(found: Sequence[Rule], evidence: Evidence) -> list[Rule]:
    """The rules whose first update, whatever its size, has something of the direction of the recorded one.

    Those that need whole parameters only: they are slow, and their defaults tell their direction.
    """
    targets = Targets(evidence, ELEMENTS, True)
    off = {}
    for i, rule in enumerate(found):
        if not rule.together:
            target, points = targets.of(rule), starts(rule, 4)
            off[i] = min(target.judge(rule, x, z).relative for x, z in zip(points, target.residuals(rule, points), strict=True))
    bound = max(0.4, 3 * min(off.values(), default=0.0))
    return [rule for i, rule in enumerate(found) if off.get(i, 0.0) <= bound]


def polished(fit: Fit, target: Target) -> Fit:
    """The fit after a search where slopes do not lead: from other usual values, and with the compass."""
    if not good(fit) and fit.relative < ON_ITS_WAY:
        fit = awakened(fit, target)
    if not fit.rule.together or fit.relative > 0.7 or not fit.rule.free:
        return fit
    fit = at_usual(fit, target)
    if good(fit):
        return fit
    found = compass(fit, target)
    return min(found, descend(fit.rule, target, found.x), key=lambda f: f.score)


def near(fits: Sequence[Fit], factor: float, most: int) -> list[Fit]:
    """The closest, and those that were on their way: one update has no second moment, and rules with many numbers are there at once."""
    chosen = closest(fits, factor, most)
    return [*chosen, *(fit for fit in fits if fit.relative < ON_ITS_WAY and all(fit is not c for c in chosen))]


def closest(fits: Sequence[Fit], factor: float, most: int) -> list[Fit]:
    """The fits within a factor of the best residual; more than `most` only where they explain what they saw."""
    if not fits:
        return []
    ordered = sorted(fits, key=lambda fit: fit.residual)
    bound = factor * max(ordered[0].residual, 3.0)
    kept = [fit for fit in ordered if fit.residual <= bound]
    explained = [fit for fit in kept if good(fit)]
    return kept[: max(most, len(explained))] if len(kept) >= 3 else ordered[:3]
