"""What a run may do beside a definition: clip inside, keep moments in bfloat16, leave out a correction, come a step late, gather."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lossopt.definition import Optimizer
from lossopt.identify.candidates import rules, texts
from lossopt.identify.evidence import Evidence, Gathered
from lossopt.identify.fit import Fit
from lossopt.identify.naming import popularity
from lossopt.identify.ranking import goes_up, good, sieve
from lossopt.identify.replay import CLIP, Rule, with_clip

KNOWN_WELL = 2
"""In how many frameworks a definition stands that is tried with every variation."""

BETTER = 3.0
"""How many times closer a variation must come than no variation, where it does not explain all."""

HALF_RELATIVE = 4e-3
"""Relative, of updates: an explanation where bfloat16 is somewhere in between, whose rounding is 2**-9 of a number."""


NEARLY = 0.1
"""Relative, of updates: how close a rule is whose state only is rounded."""


@dataclass(frozen=True)
class Varied:
    """Fits under one variation.

    Attributes:
        told: the variation in words.
        evidence: what the fits explain, which may not be what was recorded.
        fits: from the best on.
    """

    told: str
    evidence: Evidence
    fits: tuple[Fit, ...]


def variations(evidence: Evidence, plain: Sequence[Fit]) -> Varied | None:
    """The first variation that explains the updates, or the one that comes much closer than none; None where none does."""
    closest = min((fit.relative for fit in plain), default=np.inf)
    found: list[Varied] = []
    for told, seen, tried in _each(evidence, plain):
        fits = sieve(tried, seen)
        if fits and good(fits[0]):
            return Varied(told, seen, tuple(fits))
        if fits:
            found.append(Varied(told, seen, tuple(fits)))
    best = min(found, key=lambda v: v.fits[0].relative, default=None)
    if best is not None and best.fits[0].relative < min(closest / BETTER, HALF_RELATIVE):
        return best
    return None


def one_step_late(evidence: Evidence) -> Varied | None:
    """The rules that explain updates which begin a step after the gradients; None where they begin with them, or nothing does."""
    if any(leaf.u[0].any() for leaf in evidence.leaves):
        return None
    seen = late(evidence)
    fits = sieve(well_known(seen), seen)
    told = "updates come one step late: each belongs to the gradient before"
    return Varied(told, seen, tuple(fits)) if fits and good(fits[0]) else None


def _each(evidence: Evidence, plain: Sequence[Fit]) -> Iterator[tuple[str, Evidence, list[Rule]]]:
    """(in words, the evidence, the rules to try) of each variation, the cheapest first."""
    known = well_known(evidence)
    near = list(dict.fromkeys([*(fit.rule for fit in plain[:4] if fit.rule.together), *known]))
    yield "the bias of the moments is not corrected", evidence, [replace(rule, uncorrected=True) for rule in near if _has_step(rule)]
    gradients = evidence.joined("g")
    for how, told in (("norm", "gradients are clipped by their global norm first"), ("value", "gradients are clipped by value first")):
        yield told, evidence, [with_clip(rule, how, evidence.norms, gradients) for rule in known]
    if min((fit.relative for fit in plain), default=1.0) < NEARLY:
        yield "the first moment is kept in bfloat16", evidence, [replace(rule, half=(s,)) for rule in near if (s := first_slot(rule))]
        yield "its state is kept in bfloat16", evidence, [replace(rule, half=("*",)) for rule in near]


def well_known(evidence: Evidence) -> list[Rule]:
    """The rules of definitions that several frameworks have."""
    chosen = {ds[0].name for ds in texts().values() if max(popularity(d) for d in ds if isinstance(d, Optimizer)) >= KNOWN_WELL}
    found, _ = rules(evidence, quick=True, ascending=goes_up(evidence))
    return [rule for rule in found if rule.spec.definition.name in chosen]


def _has_step(rule: Rule) -> bool:
    return "step" in rule.spec.definition.asks


def first_slot(rule: Rule) -> str | None:
    """The slot of the first moment, or of the momentum."""
    slots = [s.name for s in rule.spec.definition.slots]
    return next((s for s in slots if s in ("exp_avg", "momentum_buffer")), None)


def late(evidence: Evidence) -> Evidence:
    """Every update beside the gradient of the step before."""
    leaves = [replace(leaf, p=leaf.p[1:], g=leaf.g[:-1], u=leaf.u[1:], unit=leaf.unit[1:], lr=None if leaf.lr is None else leaf.lr[1:])
              for leaf in evidence.leaves]  # fmt: skip
    value = None if evidence.value is None else evidence.value[:-1]
    return replace(evidence, leaves=tuple(leaves), value=value, norms=evidence.norms[:-1])


def period(gathered: Gathered) -> int | None:
    """k where the parameters move at every k-th step only, beginning with the k-th."""
    still, steps = set(gathered.idle_steps), gathered.evidence.steps
    for k in range(2, steps // 3 + 1):
        if still == {t for t in range(steps) if t % k != k - 1}:
            return k
    return None


def accumulated(evidence: Evidence, k: int, reduction: str) -> Evidence:
    """Each update beside the mean or the sum of the k gradients before it."""
    last = slice(k - 1, evidence.steps - evidence.steps % k, k)
    leaves = []
    for leaf in evidence.leaves:
        blocks = leaf.g[: evidence.steps - evidence.steps % k].reshape(-1, k, *leaf.g.shape[1:])
        g = blocks.mean(1) if reduction == "mean" else blocks.sum(1)
        lr = None if leaf.lr is None else leaf.lr[last]
        leaves.append(replace(leaf, p=leaf.p[last], g=g, u=leaf.u[last], unit=leaf.unit[last], lr=lr))
    norms = np.sqrt(sum((leaf.g.reshape(len(leaf.g), -1) ** 2).sum(1) for leaf in leaves))
    return replace(evidence, leaves=tuple(leaves), value=None if evidence.value is None else evidence.value[last], norms=np.asarray(norms))


__all__ = ["CLIP", "Varied", "accumulated", "late", "one_step_late", "period", "variations", "well_known"]
