"""Parameters that are treated differently: not decayed, frozen, with a learning rate of their own."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossopt.identify.evidence import Evidence, Leaf
from lossopt.identify.fit import Target, descend, scales
from lossopt.identify.known import round_values
from lossopt.identify.ranking import GOOD_RELATIVE
from lossopt.identify.replay import CLIP, Rule, predict_values, with_flat

FACTOR = 1e-3
"""Relative: learning rates closer than this are one."""


@dataclass(frozen=True)
class Group:
    """Parameters that are treated alike.

    Attributes:
        names: the parameters.
        patterns: shell patterns that match these and no others; ``("*",)`` is all that no other group names.
        lr_factor: of the learning rate that the rule has (or that was recorded).
        weight_decay: None where the rule has none.
        frozen: never moved, whatever the gradient.
    """

    names: tuple[str, ...]
    patterns: tuple[str, ...]
    lr_factor: float = 1.0
    weight_decay: float | None = None
    frozen: bool = False

    def __str__(self) -> str:
        if self.frozen:
            said = "frozen: never updated"
        else:
            own = [*([] if self.lr_factor == 1 else [f"lr x {self.lr_factor:g}"]),
                   *([] if self.weight_decay is None else [f"weight_decay {self.weight_decay:g}"])]  # fmt: skip
            said = ", ".join(own) or "as the others"
        where = "the others" if self.patterns == ("*",) else " and ".join(self.patterns)
        return f"{where}: {said}"

    def to_dict(self) -> dict[str, Any]:
        return {"names": list(self.names), "patterns": list(self.patterns), "lr_factor": self.lr_factor,
                "weight_decay": self.weight_decay, "frozen": self.frozen}  # fmt: skip


def treated(rule: Rule, values: Mapping[str, Any], leaf: Leaf, evidence: Evidence, bound: float) -> tuple[float, float | None] | None:
    """(factor of lr, weight decay) with which a rule explains one parameter; None where none do.

    Args:
        rule, values: what explains other parameters.
        leaf: the parameter, with a learning rate at each step.
        evidence: whence the loss at each step comes.
        bound: the residual that is an explanation.
    """
    alone = evidence.with_leaves([leaf])
    decays = "weight_decay" in values
    own = float(values["weight_decay"]) if decays else None
    fixed = replace(rule, free=(), lr_fitted=False)
    if _explains(fixed, values, alone, bound):
        return 1.0, own
    decay = next((c for c in rule.free if c.label == "weight_decay"), None)
    tried = [own] if decay is None else [own, 0.0, *_decays(rule, values, alone, decay)]
    found = []
    for wd in tried:
        now = values if wd is None else {**values, "weight_decay": wd}
        factor = _factor(fixed, now, alone)
        for f in dict.fromkeys((1.0, *nice(factor), factor)):
            fits = _explains(fixed, now, _scaled(alone, f), bound)
            if fits:
                found.append((f, wd))
                break
        if found:
            return found[0]
    return None


def _decays(rule: Rule, values: Mapping[str, Any], alone: Evidence, decay: Any) -> list[float]:
    """Weight decays for which a parameter's updates have the right shape, whatever their size."""
    held = replace(rule, spec=_spec(rule, values), free=(decay,), lr_fitted=False, clip_at=values.get(CLIP))
    target = Target(alone, scaled=True)
    fit = min((descend(held, target, np.array([decay.to_x(v)])) for v in (float(values["weight_decay"]), 0.01)), key=lambda f: f.score)
    value = float(decay.to_value(fit.x[0]))
    return [*(v for v in round_values(decay, value) if abs(v - value) <= 0.02 * value), value]


def _spec(rule: Rule, values: Mapping[str, Any]) -> Any:
    return with_flat(rule.spec, {n: values[n] for n in rule.spec.flat})


def _factor(rule: Rule, values: Mapping[str, Any], alone: Evidence) -> float:
    u, unit = alone.flat
    return float(np.median(scales(predict_values(rule, values, alone)[None], u, 1 / unit)))


def nice(factor: float) -> list[float]:
    """Round factors near one."""
    near = [float(f"{factor:.{d}e}") for d in (0, 1, 2)]
    near += [float(f"{1 / float(f'{1 / factor:.{d}e}'):.10g}") for d in (0, 1) if factor]
    return [v for v in near if factor and abs(v / factor - 1) < 3 * FACTOR]


def _scaled(alone: Evidence, factor: float) -> Evidence:
    return alone.with_leaves(replace(leaf, lr=None if leaf.lr is None else factor * leaf.lr) for leaf in alone.leaves)


def _explains(rule: Rule, values: Mapping[str, Any], alone: Evidence, bound: float) -> bool:
    target = Target(alone)
    predicted = predict_values(replace(rule, spec=_spec(rule, values)), values, alone)
    fit = target.judge(rule, np.empty(0), target.residuals_of(predicted[None])[0])
    return fit.residual < bound or fit.relative < GOOD_RELATIVE


def grouped(treatment: Mapping[str, tuple[float, float | None]], frozen: Sequence[str], sizes: Mapping[str, int]) -> tuple[Group, ...]:
    """The groups that there are, that with the most elements first and as ``*``; `sizes` are of all parameters."""
    everything = list(sizes)
    kinds: dict[tuple[float, float | None], list[str]] = {}
    for name, kind in treatment.items():
        near = next((k for k in kinds if k[1] == kind[1] and abs(k[0] / kind[0] - 1) < FACTOR), kind)
        kinds.setdefault(near, []).append(name)
    ordered = sorted(kinds.items(), key=lambda item: -sum(sizes[n] for n in item[1]))
    found = [Group(tuple(names), ("*",) if i == 0 else patterns(names, everything), *kind) for i, (kind, names) in enumerate(ordered)]
    if frozen:
        found.append(Group(tuple(frozen), patterns(frozen, everything), frozen=True))
    return tuple(found)


def patterns(names: Sequence[str], everything: Sequence[str]) -> tuple[str, ...]:
    """Few shell patterns that match some names and no others.

    >>> patterns(["a.bias", "b.bias", "norm.weight"], ["a.bias", "a.weight", "b.bias", "b.weight", "norm.weight"])
    ('*.bias', 'norm.*')
    """
    others, left, found = [n for n in everything if n not in names], list(names), []
    while left:
        possible = [p for name in left for p in _patterns_of(name) if not any(fnmatch.fnmatchcase(o, p) for o in others)]
        of = {p: sum(fnmatch.fnmatchcase(n, p) for n in left) for p in possible}
        best = max(possible, key=lambda p: (of[p], "*" in p, p.startswith("*."), -len(p)), default=left[0])
        found.append(best)
        left = [n for n in left if not fnmatch.fnmatchcase(n, best) and n != best]
    return tuple(found)


def _patterns_of(name: str) -> list[str]:
    parts = name.split(".")
    ends = [f"*.{'.'.join(parts[i:])}" for i in range(1, len(parts))]
    begins = [f"{'.'.join(parts[:i])}.*" for i in range(1, len(parts))]
    inside = [f"*{'.'.join(parts[i:j])}.*" for i in range(1, len(parts)) for j in range(i + 1, len(parts))]
    return [*ends, *begins, *inside, name]
