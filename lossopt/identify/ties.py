"""How the numbers of a fit go together: what each may be off by, which follow when one is moved, which are known only together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lossopt.identify.fit import ASLEEP, Fit, Target, clipped, descend, slopes
from lossopt.identify.known import DETERMINED
from lossopt.identify.replay import Rule, keeping

FLATTEST = 1e-12
"""Relative: how little the residuals change along what is said to change them least."""

SUSPECT = 1e-5
"""Relative: slopes say of a direction in which the residuals change as little as this that they may not change at all."""

WALK = 5 * DETERMINED
"""How far such a direction is followed: were the numbers determined, the residuals would have changed long before."""

NEAR_NOTHING = 0.1
"""What a linear coordinate is compared with where it is next to 0."""

FAR = 30.0
"""The logarithm of the largest factor by which anything goes with something."""

TAKES_PART = 0.02
"""Relative to the coordinate that goes furthest in a direction."""


@dataclass(frozen=True)
class Ties:
    """The second derivatives of a fit, by label.

    Attributes:
        labels: of the coordinates.
        normal: the products of their slopes.
        units: of a coordinate that goes along itself its size, where that is not next to 0; 0 of the others.
        spread: the standard deviation of each coordinate; infinite where the data say nothing.
        tied: of a coordinate those without which it is not known: their product, or their sum, is.
    """

    labels: tuple[str, ...]
    normal: np.ndarray
    units: np.ndarray
    spread: Mapping[str, float]
    tied: Mapping[str, tuple[str, ...]]

    def following(self, label: str, start: float, end: float, others: Mapping[str, float]) -> dict[str, float]:
        """Where the other coordinates go with one that is moved, so that the residuals change least.

        Coordinates along themselves go in proportion, as the others do that go along logarithms: what has a product keeps it.
        """
        if label not in self.labels or any(name not in self.labels for name in others) or not others:
            return dict(others)
        j, rest = self.labels.index(label), [self.labels.index(name) for name in others]
        in_proportion = self.units > 0
        factor = np.where(in_proportion, self.units, 1.0)
        normal = self.normal * factor[:, None] * factor
        by = math.log(end / start) if in_proportion[j] and start * end > 0 else (end - start) / factor[j]
        scale = np.sqrt(np.maximum(np.diag(normal), 1e-300))
        a = (normal / scale[:, None] / scale)[rest]
        goes = np.nan_to_num(np.linalg.lstsq(a[:, rest], -a[:, j] * scale[j] * by, rcond=1e-9)[0] / scale[rest])
        return {name: x * math.exp(min(max(d, -FAR), FAR)) if in_proportion[i] else x + d
                for (name, x), i, d in zip(others.items(), rest, goes, strict=True)}  # fmt: skip


def ties(fit: Fit, target: Target, noise: float, allowed: float) -> Ties:
    """What the slopes at a fit say; where they cannot tell whether a direction is free, it is walked.

    Args:
        noise: of a residual.
        allowed: by how much the squared residual may grow along what is free.
    """
    rule, x = fit.rule, fit.x
    labels = tuple(c.label for c in rule.free)
    if not labels:
        return Ties((), np.empty((0, 0)), np.empty(0), {}, {})
    jacobian = slopes(rule, target, x, target.residuals(rule, x[None])[0])
    normal = jacobian @ jacobian.T
    scale = np.sqrt(np.diag(normal))
    live = np.flatnonzero(scale > ASLEEP * max(float(scale.max()), 1e-300))
    spread, tied = dict.fromkeys(labels, math.inf), dict[str, tuple[str, ...]]()
    if len(live):
        sizes, directions = np.linalg.eigh(normal[np.ix_(live, live)] / np.outer(scale[live], scale[live]))
        sizes = np.maximum(sizes, FLATTEST * sizes[-1])  # two decays that only their sum tells: neither is known, and not both exactly
        variances = (directions**2 / sizes).sum(axis=1)
        spread |= {labels[j]: noise * math.sqrt(float(variance)) / float(scale[j]) for j, variance in zip(live, variances, strict=True)}
        for size, direction in zip(sizes, directions.T, strict=True):
            by = np.zeros(len(labels))
            by[live] = direction / scale[live]
            if size < SUSPECT * sizes[-1] and (free := _is_free(rule, target, fit, by, allowed)):
                tied |= {name: tuple(sorted({*tied.get(name, ()), *free} - {name})) for name in free}
    along = [abs(own) if c.kind == "linear" and abs(own) > NEAR_NOTHING else 0.0 for c, own in zip(rule.free, x, strict=True)]
    return Ties(labels, normal, np.array(along), spread, tied)


def _is_free(rule: Rule, target: Target, fit: Fit, by: np.ndarray, allowed: float) -> tuple[str, ...]:
    """Which coordinates go along a direction as far as `WALK` without the residuals' growing; none where they grow."""
    unit = np.array([max(abs(own), NEAR_NOTHING) if c.kind == "linear" else 1.0 for c, own in zip(rule.free, fit.x, strict=True)])
    far = int(np.argmax(np.abs(by) / unit))
    by = by * (WALK * unit[far] / max(abs(by[far]), 1e-300))
    for side in (1.0, -1.0):
        start = clipped(rule, (fit.x + side * by)[None])[0]
        if abs(start[far] - fit.x[far]) < WALK / 2 * unit[far]:  # out of range
            continue
        found = descend(keeping(rule, start, {rule.free[far].label}), target, np.delete(start, far), iterations=6)
        if found.residual**2 - fit.residual**2 <= allowed:
            return tuple(c.label for c, size in zip(rule.free, np.abs(by) / unit, strict=True) if size > TAKES_PART * WALK)
    return ()
