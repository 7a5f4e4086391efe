"""What a run may do beside a definition: clip inside, keep moments in bfloat16, leave out a correction, come a step late, gather."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lossopt.definition import Optimizer
from lossopt.identify.candidates import rules, texts
from lossopt.identify.evidence import Evidence, Gathered
from lossopt.identify.fit import Fit
from lossopt.identify.naming import popularity
from lossopt.identify.ranking import goes_up
from lossopt.identify.replay import Rule, with_clip

KNOWN_WELL = 2
"""In how many frameworks a definition stands that is tried with every variation."""

BETTER = 3.0
"""How many times closer a rounded state must come than none, where it does not explain all."""

HALF_RELATIVE = 4e-3
"""Relative, of updates: an explanation where bfloat16 is somewhere in between, whose rounding is 2**-9 of a number."""

NEARLY = 0.1
"""Relative, of updates: how close a rule is whose state only is rounded."""


def late(evidence: Evidence) -> tuple[str, Evidence] | None:
    """Every update beside the gradient of the step before; None where updates begin with the gradients."""
    if any(leaf.u[0].any() for leaf in evidence.leaves):
        return None
    leaves = [replace(leaf, p=leaf.p[1:], g=leaf.g[:-1], u=leaf.u[1:], unit=leaf.unit[1:], lr=None if leaf.lr is None else leaf.lr[1:])
              for leaf in evidence.leaves]  # fmt: skip
    value = None if evidence.value is None else evidence.value[:-1]
    scheduled = {k: series[1:] for k, series in evidence.scheduled.items()}
    seen = replace(evidence, leaves=tuple(leaves), value=value, norms=evidence.norms[:-1], scheduled=scheduled)
    return "updates come one step late: each belongs to the gradient before", replace(seen, tried=tuple(well_known(seen)))


def before(evidence: Evidence) -> Iterator[tuple[str, Evidence]]:
    """(in words, the evidence with the rules to try) of what may be done to gradients before a rule sees them."""
    gradients, known = evidence.joined("g"), well_known(evidence)
    for how, told in (("norm", "gradients are clipped by their global norm first"), ("value", "gradients are clipped by value first")):
        yield told, replace(evidence, tried=tuple(with_clip(rule, how, evidence.norms, gradients) for rule in known))


def uncorrected(evidence: Evidence, plain: Sequence[Fit]) -> tuple[str, Evidence]:
    """The same of moments that are not corrected for their start."""
    tried = tuple(replace(rule, uncorrected=True) for rule in _near(evidence, plain) if "step" in rule.spec.definition.asks)
    return "the bias of the moments is not corrected", replace(evidence, tried=tried)


def halved(evidence: Evidence, plain: Sequence[Fit]) -> Iterator[tuple[str, Evidence]]:
    """The same of states that are kept in bfloat16, where a rule comes near without."""
    if min((fit.relative for fit in plain), default=1.0) >= NEARLY:
        return
    near = _near(evidence, plain)
    first = tuple(replace(rule, half=(s,)) for rule in near if (s := first_slot(rule)))
    yield "the first moment is kept in bfloat16", replace(evidence, tried=first)
    yield "its state is kept in bfloat16", replace(evidence, tried=tuple(replace(rule, half=("*",)) for rule in near))


def _near(evidence: Evidence, plain: Sequence[Fit]) -> list[Rule]:
    """The rules that came closest without, and the well-known ones."""
    return list(dict.fromkeys([*(fit.rule for fit in plain[:4] if fit.rule.together), *well_known(evidence)]))


def well_known(evidence: Evidence) -> list[Rule]:
    """The rules of definitions that several frameworks have."""
    chosen = {ds[0].name for ds in texts().values() if max(popularity(d) for d in ds if isinstance(d, Optimizer)) >= KNOWN_WELL}
    found, _ = rules(evidence, quick=True, ascending=goes_up(evidence))
    return [rule for rule in found if rule.spec.definition.name in chosen]


def first_slot(rule: Rule) -> str | None:
    """The slot of the first moment, or of the momentum."""
    slots = [s.name for s in rule.spec.definition.slots]
    return next((s for s in slots if s in ("exp_avg", "momentum_buffer")), None)


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
    value = None if evidence.value is None else evidence.value[last]
    scheduled = {k: series[last] for k, series in evidence.scheduled.items()}
    return replace(evidence, leaves=tuple(leaves), value=value, norms=np.asarray(norms), scheduled=scheduled)
