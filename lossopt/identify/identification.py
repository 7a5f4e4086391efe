"""The whole of it: which rule made a recording's updates, under which numbers, for which parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossopt.definition import Spec
from lossopt.identify import groups as grouping
from lossopt.identify.candidates import Excluded
from lossopt.identify.clipping import Clipping, clipping
from lossopt.identify.evidence import Evidence, Gathered, gather
from lossopt.identify.fit import Fit
from lossopt.identify.groups import Group
from lossopt.identify.naming import Named
from lossopt.identify.replay import CLIP, with_flat
from lossopt.identify.schedules import ScheduleFit, identify_schedule
from lossopt.identify.search import Part, accumulating, explained
from lossopt.identify.variations import period
from lossopt.recording.contents import Recording


@dataclass(frozen=True)
class Identification:
    """What made the updates of a recording.  Prints itself; `to_dict` is for programs.

    Attributes:
        label: of the recording.
        parts: one for each rule; the first moves most of the elements.
        groups: parameters that are treated differently under the first rule, and those that are frozen.
        schedule: what the learning rates follow; None where they were not recorded, or nothing fits.
        clipping: what was done to gradients between the backward pass and the optimizer.
        excluded: the definitions that could not be tried, and why.
        notes: what else was seen.
        steps: how many steps were replayed.
    """

    label: str
    parts: tuple[Part, ...]
    groups: tuple[Group, ...]
    schedule: ScheduleFit | None
    clipping: Clipping | None
    excluded: tuple[Excluded, ...]
    notes: tuple[str, ...] = ()
    steps: int = 0

    @property
    def best(self) -> Named | None:
        """The simplest of what explains the updates; None where nothing does."""
        return self.parts[0].best

    @property
    def family(self) -> tuple[Named, ...]:
        """All that coincide on these data."""
        return self.parts[0].family

    @property
    def ranking(self) -> tuple[Named | Fit, ...]:
        """What was tried, the best first."""
        return (*self.parts[0].family, *self.parts[0].others)

    def options(self) -> dict[str, dict[str, float]]:
        """The groups as `lossopt.get_optimizer(..., groups=...)` takes them."""
        best = self.best
        if best is None:
            return {}
        found: dict[str, dict[str, float]] = {}
        for group in self.groups:
            if group.patterns == ("*",) or group.frozen:
                continue
            changes: dict[str, float] = {}
            lr = best.spec.hyperparameters.get("lr")
            if group.lr_factor != 1 and isinstance(lr, float | int):
                changes["lr"] = group.lr_factor * lr
            if group.weight_decay is not None and group.weight_decay != best.spec.hyperparameters.get("weight_decay"):
                changes["weight_decay"] = group.weight_decay
            if changes:
                found |= dict.fromkeys(group.patterns, changes)
        return found

    def to_dict(self) -> dict[str, Any]:
        from lossopt.identify.report import to_dict

        return to_dict(self)

    def __str__(self) -> str:
        from lossopt.identify.report import text

        return text(self)

    __repr__ = __str__


def identification(recording: Recording) -> Identification:
    """See `lossopt.identify`."""
    gathered = gather(recording)
    evidence, notes = gathered.evidence, _notes(gathered)
    k = period(gathered)
    if k is not None:
        found, told = accumulating(evidence, k)
    else:
        found, told = explained(evidence), ()
    parts = [replace(p, told=(*told, *p.told)) for p in found.parts]
    treatment = _with_recorded_rates(found.treatment, evidence)
    sizes = {p.name: math.prod(p.shape) for p in recording.info.parameters}
    several = len(set(treatment.values())) > 1 or gathered.frozen
    made = grouping.grouped(treatment, gathered.frozen, sizes) if several else ()
    schedule = identify_schedule(recording) or found.schedule
    if schedule is not None and schedule.spec.definition.name != "constant" and schedule.spec.hyperparameters.get("lr") is not None:
        parts[0] = replace(parts[0], family=tuple(_with(n, "lr", schedule.spec.hyperparameters["lr"]) for n in parts[0].family))
    return Identification(recording.label, tuple(parts), made, schedule, clipping(recording), found.excluded, tuple(notes), evidence.steps)


def _with_recorded_rates(treatment: dict[str, tuple[float, float | None]], evidence: Evidence) -> dict[str, tuple[float, float | None]]:
    """The factors of the learning rate with those between the recorded rates of groups."""
    rates = {leaf.name: leaf.lr for leaf in evidence.leaves if leaf.lr is not None and leaf.lr.any()}
    if not treatment or not all(n in rates for n in treatment):
        return treatment
    base = rates[next(iter(treatment))]
    at = int(np.flatnonzero(base)[0])
    return {n: (float(f"{f * rates[n][at] / base[at]:.10g}"), wd) for n, (f, wd) in treatment.items()}


def _notes(gathered: Gathered) -> list[str]:
    notes = []
    if gathered.stopped is not None:
        notes.append(f"a gradient is not finite at step {gathered.stopped}: the steps before it are explained")
    if gathered.idle:
        notes.append(f"without a gradient and never moved: {', '.join(gathered.idle)}")
    for (name, index), series in gathered.evidence.scheduled.items():
        label = name if index is None else f"{name}[{index}]"
        span = f"{series.min():.4g} to {series.max():.4g} in {len(series)} steps"
        notes.append(f"{label} varies as it was recorded: {series[0]:.4g} at first, {span}")
    return notes


def _with(n: Named, name: str, value: float) -> Named:
    """The same with another number; unchanged where it has none of that name."""
    if name not in n.spec.hyperparameters:
        return n
    return replace(n, spec=replace(n.spec, hyperparameters={**n.spec.hyperparameters, name: value}))


def spec_of(fit: Fit) -> Spec:
    """A fit as a spec, its numbers in as many digits as they are known to: 0.9 for 0.89999999."""
    return with_flat(fit.rule.spec, {n: _short(v) for n, v in fit.values.items() if n != CLIP})


def _short(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_short, value))
    if not isinstance(value, float):
        return value
    return float(f"{value:.5g}") if 0.99 < value < 1 else float(f"{value:.3g}")


__all__ = ["Identification", "Part", "identification", "spec_of"]
