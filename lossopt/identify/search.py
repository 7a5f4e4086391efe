"""The search for what explains the updates: one rule for all parameters, with groups, with something beside it, or several."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossopt.identify import groups as grouping
from lossopt.identify.candidates import Excluded, rules, takes_vectors
from lossopt.identify.evidence import Evidence, Leaf
from lossopt.identify.fit import Fit, Target, scales
from lossopt.identify.known import hardly_typed
from lossopt.identify.naming import Named, family_of, named, simplest
from lossopt.identify.ranking import Ranking, good, part, rank
from lossopt.identify.replay import predict_values
from lossopt.identify.schedules import ScheduleFit, schedule_of
from lossopt.identify.variations import BETTER, HALF_RELATIVE, accumulated, before, halved, late, uncorrected

READ_OFF = 1e-4
"""Relative to the largest learning rate: how closely a schedule follows rates that were read off updates."""

TEXTS = 4
"""Of so many definitions that explain the data as well, names are looked for."""


@dataclass(frozen=True)
class Part:
    """Some of the parameters and what moves them.

    Attributes:
        names: the parameters.
        family: what explains their updates, the simplest first; empty where nothing does.
        others: further fits, from the best on.
        told: what goes beside the definition, in words.
    """

    names: tuple[str, ...]
    family: tuple[Named, ...]
    others: tuple[Fit, ...]
    told: tuple[str, ...] = ()

    @property
    def best(self) -> Named | None:
        return self.family[0] if self.family else None


@dataclass
class Found:
    """What the search came to: the parts, by parameter (factor of lr, weight decay), what was not tried, the rates that were read off."""

    parts: list[Part]
    treatment: dict[str, tuple[float, float | None]]
    excluded: tuple[Excluded, ...] = ()
    schedule: ScheduleFit | None = None


@dataclass(frozen=True)
class _Quick:
    """What rules say that go element by element.

    Attributes:
        ranking: of them.
        evidence: what they explain: with the learning rates that were read off the updates, where `told` says so.
        told: that.
        plain: the ranking without such rates.
    """

    ranking: Ranking
    evidence: Evidence
    plain: Ranking
    told: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return good(self.ranking.best)

    @functools.cached_property
    def schedule(self) -> ScheduleFit | None:
        """What the rates that were read off follow."""
        rates = self.evidence.leaves[0].lr
        return schedule_of(rates, tolerance=READ_OFF) if self.told and rates is not None else None


def explained(evidence: Evidence) -> Found:
    """All parameters by one rule; by one rule with groups; by a rule and something beside it; by several rules, or slow ones."""
    quick = _quick(evidence)
    if quick.good:
        return _by_what_says_less(evidence, quick)
    fits = quick.ranking.fits
    if (found := _by_lead(evidence, quick.ranking, slow=False) or _beside(evidence, fits)) is not None:
        return found
    ranking = rank(evidence, known=quick.ranking)
    if good(ranking.best):
        return _whole(evidence, ranking)
    if _mixed(evidence) and (found := _by_lead(evidence, quick.ranking, slow=True)) is not None:
        return found
    rounded = [(told, seen, rank(seen, slow=False)) for told, seen in halved(evidence, ranking.fits)]
    for told, seen, own in rounded:
        if good(own.best):
            return _whole(seen, own, (told,))
    if (found := _by_lead(evidence, ranking, slow=True)) is not None:
        return found
    told, seen, own = min(rounded, key=lambda r: r[2].fits[0].relative, default=("", evidence, ranking))
    if told and own.fits[0].relative < min(ranking.fits[0].relative / BETTER, HALF_RELATIVE):
        return _whole(seen, own, (told,))
    return Found([Part(tuple(leaf.name for leaf in evidence.leaves), (), ranking.fits)], {}, ranking.excluded)


def _by_what_says_less(evidence: Evidence, quick: _Quick) -> Found:
    """A quick rule; but where it needs a learning rate for each step that no schedule has, or a number that nobody types, a better one."""
    if quick.told and quick.schedule is None:
        for told, seen in before(evidence):  # plain descent follows clipped gradients with such rates
            if good((clipped := rank(seen, slow=False)).best):
                return _said(_whole(seen, clipped), told, seen)
        if good((slow := rank(evidence, known=quick.plain)).best):
            return _whole(evidence, slow)
    found = replace(_whole(quick.evidence, quick.ranking, quick.told), schedule=quick.schedule)
    best = found.parts[0].best
    if quick.told or best is None or not any(hardly_typed(c, k) for c, k in zip(best.rule.free, best.known, strict=True)):
        return found
    return _whole(evidence, rank(evidence, known=quick.ranking, anyway=True))


def _beside(evidence: Evidence, plain: Sequence[Fit]) -> Found | None:
    """A rule for all, or one with groups, and something beside it; None where that explains nothing."""
    delayed = late(evidence)
    for told, seen in (*([delayed] if delayed else []), uncorrected(evidence, plain), *before(evidence)):
        nothing = Ranking((), ())
        found = _by_lead(seen, nothing, slow=False) if len(seen.leaves) > 1 else None
        if found is None and len(seen.leaves) > 1:
            continue
        if found is None or len({*found.treatment.values()}) == len(found.parts) == 1:  # all alike: all of them say more
            quick = _quick(seen)
            found = replace(_whole(quick.evidence, quick.ranking, quick.told), schedule=quick.schedule) if quick.good else found
        if found is not None:
            return _said(replace(found, excluded=rules(evidence, quick=True)[1]), told, seen)
    return None


def _said(found: Found, told: str, seen: Evidence) -> Found:
    """What was found, and what goes beside it in words."""
    best = found.parts[0].best
    if best is not None and best.before is not None:
        bound = float(next(iter(best.before.hyperparameters.values())))
        told = f"{told}, at {bound:g}"
        if best.rule.clip == "norm" and bound < seen.norms.min() and not seen.has_lr:
            told += "; every step is, and then only lr * max_norm can be told" if best.name == "sgd" else "; every step is"
    return replace(found, parts=[replace(p, told=(told, *p.told)) for p in found.parts])


def _mixed(evidence: Evidence) -> bool:
    """Whether a quick rule explains all that is no matrix: then it was another that moved the matrices."""
    others = [i for i, leaf in enumerate(evidence.leaves) if not leaf.matrix]
    return 0 < len(others) < len(evidence.leaves) and evidence.whole and _quick(evidence.take(others)).good


UNRECORDED = "the learning rate changes from step to step, and was not recorded: it is read off the updates"


def _quick(evidence: Evidence) -> _Quick:
    """The rules that go element by element; where no learning rate was recorded and no constant one will do, with one for each step."""
    ranking = rank(evidence, slow=False)
    if good(ranking.best) or evidence.has_lr:
        return _Quick(ranking, evidence, ranking)
    free = rank(evidence, scaled=True, slow=False)
    if not good(free.best):
        return _Quick(ranking, evidence, ranking)
    best = min(family_of(free.fits)[0], key=lambda fit: (len(fit.rule.free), fit.residual))
    values = {**best.values, **dict.fromkeys(best.rule.lr_names, 1.0)}
    u, unit = evidence.flat
    rates = scales(predict_values(best.rule, values, evidence)[None], u, 1 / unit)[0]
    seen = evidence.with_leaves(replace(leaf, lr=rates) for leaf in evidence.leaves)
    again = rank(seen, slow=False)
    return _Quick(again, seen, ranking, (UNRECORDED,)) if good(again.best) else _Quick(ranking, evidence, ranking)


def _whole(evidence: Evidence, ranking: Ranking, told: Sequence[str] = ()) -> Found:
    """One rule for all parameters."""
    names = tuple(leaf.name for leaf in evidence.leaves)
    p = _part(names, evidence, ranking.fits, told)
    return Found([p], dict.fromkeys(names, (1.0, _decay(p.best))), ranking.excluded)


def _part(names: tuple[str, ...], evidence: Evidence, fits: Sequence[Fit], told: Sequence[str] = ()) -> Part:
    same, others = family_of(fits)
    firsts = {fit.rule.spec.definition.text: fit for fit in reversed(same)}
    chosen = sorted(firsts.values(), key=lambda fit: (len(fit.rule.free), fit.residual))[:TEXTS]
    found = simplest([named(fit, Target(part(evidence, fit.rule, 1000)), evidence.framework) for fit in chosen])
    return Part(names, tuple(found), tuple(others), tuple(told))


def _decay(found: Named | None) -> float | None:
    return None if found is None else found.spec.hyperparameters.get("weight_decay")


def _by_lead(evidence: Evidence, ranking: Ranking, *, slow: bool) -> Found | None:
    """What explains the largest parameter, and with which changes it explains others; the rest by a second rule."""
    if len(evidence.leaves) < 2:
        return None
    order = sorted(range(len(evidence.leaves)), key=lambda i: (-evidence.leaves[i].matrix, -evidence.leaves[i].size))
    lead = evidence.leaves[order[0]]
    one = _one_rule(evidence.take([order[0]]), slow=slow)
    if not one.good:
        return None
    first = _part((lead.name,), one.evidence, one.ranking.fits, one.told)
    best = first.best
    assert best is not None
    treatment: dict[str, tuple[float, float | None]] = {lead.name: (1.0, _decay(best))}
    known = with_rates(evidence, best, one.evidence.leaves[0].lr)
    values, bound, left = found_values(best), max(6.0, 3 * best.residual), []
    for i in order[1:]:
        fitting = grouping.treated(best.rule, values, known.leaves[i], known, bound) if _takes(best, known.leaves[i]) else None
        if fitting is None:
            left.append(i)
        else:
            treatment[known.leaves[i].name] = fitting
    parts = [replace(first, names=tuple(treatment))]
    if left:
        rest = _one_rule(evidence.take(sorted(left)), slow=slow)
        if not rest.good:
            return None
        parts.append(_part(tuple(leaf.name for leaf in rest.evidence.leaves), rest.evidence, rest.ranking.fits, rest.told))
    return Found(parts, treatment, ranking.excluded, one.schedule)


def _one_rule(evidence: Evidence, *, slow: bool) -> _Quick:
    """A quick rule, or where none explains the updates a slow one."""
    quick = _quick(evidence)
    return quick if quick.good or not slow else replace(quick, ranking=rank(evidence, known=quick.ranking))


def _takes(best: Named, leaf: Leaf) -> bool:
    """Whether a rule takes a parameter of this shape."""
    return leaf.matrix or takes_vectors(best.spec.definition.text)


def with_rates(evidence: Evidence, best: Named, rates: np.ndarray | None) -> Evidence:
    """The evidence with the learning rate that was found, where none was recorded."""
    if evidence.has_lr:
        return evidence
    if rates is None:
        rates = np.full(evidence.steps, float(found_values(best)["lr"]))
    return evidence.with_leaves(replace(leaf, lr=rates) for leaf in evidence.leaves)


def found_values(best: Named) -> dict[str, Any]:
    """The flat hyperparameters as they were found, before a group's changes."""
    values = dict(best.rule.spec.flat)
    for known, c in zip(best.known, best.rule.free, strict=True):
        if c.index is None:
            values[c.name] = known.value
        else:
            whole = values[c.name]
            values[c.name] = (*whole[: c.index], known.value, *whole[c.index + 1:])
    return values


# ------------------------------------------------------------------------------------------------- beside a definition
def accumulating(evidence: Evidence, k: int) -> tuple[Found, tuple[str, ...]]:
    """One update for every k gradients; their mean or their sum."""
    tried = []
    for reduction in ("mean", "sum"):
        seen = accumulated(evidence, k, reduction)
        tried.append((explained(seen), f"gradients are gathered over {k} steps ({reduction}), with one update for each {k}"))
        best = tried[-1][0].parts[0].best
        if best is not None and best.words <= 1:
            break
    found, told = min(tried, key=lambda item: _words(item[0]))
    return found, (told,)


def _words(found: Found) -> tuple[int, int]:
    best = found.parts[0].best
    return (1, 0) if best is None else (0, best.words)
