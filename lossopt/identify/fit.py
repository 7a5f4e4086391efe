"""Fits: the hyperparameters with which a rule comes closest to the recorded updates, and how close that is.

Levenberg-Marquardt with differences in place of derivatives: a rule is a black box that is cheap to run for many
hyperparameters at once.  What is not smooth (the sign of an average, which turns at a certain decay rate) is searched with
a compass that tries both sides of each coordinate.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossopt.identify.evidence import Evidence
from lossopt.identify.replay import CLIP, Rule, predict

FAR_OFF = 1e9
"""A residual that is not a number, in roundings."""

DIFFERENCE = 1e-4
"""Of a coordinate, for a derivative."""

ASLEEP = 1e-12
"""Relative: a coordinate along which the residuals change no more does not move them."""

DAMPINGS = np.array([0.0, 1e-3, 0.1, 10.0])
"""Relative to each other: tried at once in every iteration."""


@dataclass(frozen=True)
class Fit:
    """A rule at the point that was found.

    Attributes:
        x: the point.
        residual: the root mean square of (predicted - recorded) / rounding, a few outliers left out.
        relative: that of (predicted - recorded) over that of the recorded.
        score: what was minimized: the mean logarithm of squared residuals, which outliers hardly move.
    """

    rule: Rule
    x: np.ndarray
    residual: float
    relative: float
    score: float

    @property
    def values(self) -> dict[str, Any]:
        return self.rule.values(self.x)


class Target:
    """What predictions are compared with.

    Args:
        evidence: the recorded updates.
        scaled: the size of each step's update is free, as its learning rate is not known.
    """

    def __init__(self, evidence: Evidence, *, scaled: bool = False) -> None:
        self.evidence, self.scaled = evidence, scaled
        u, unit = evidence.flat
        self.u, self.weight = u, 1 / unit
        self.outliers = max(2, round(1e-4 * u.size))

    def residuals(self, rule: Rule, points: np.ndarray) -> np.ndarray:
        """In roundings, as (points, steps * elements)."""
        return self.residuals_of(predict(rule, points, self.evidence))

    def residuals_of(self, predicted: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            if self.scaled:
                predicted = predicted * scales(predicted, self.u, self.weight)[..., None]
            z = (predicted - self.u) * self.weight
        return np.nan_to_num(z, nan=FAR_OFF, posinf=FAR_OFF, neginf=-FAR_OFF).clip(-FAR_OFF, FAR_OFF).reshape(len(predicted), -1)

    def judge(self, rule: Rule, x: np.ndarray, z: np.ndarray) -> Fit:
        kept = np.partition(np.abs(z), z.size - self.outliers - 1)[: z.size - self.outliers] if z.size > 8 * self.outliers else np.abs(z)
        size = np.sqrt(np.mean((self.u * self.weight) ** 2))
        rms = float(np.sqrt(np.mean(kept * kept)))
        return Fit(rule, x, rms, rms / max(float(size), 1e-300), float(score(z)))


def scales(predicted: np.ndarray, u: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The factor of each step's prediction that brings it closest, as (points, steps)."""
    p = np.nan_to_num(predicted * weight)
    squares = (p * p).sum(-1)
    return (p * (u * weight)).sum(-1) / np.where(squares > 0, squares, 1.0)


def score(z: np.ndarray) -> np.ndarray:
    """How bad residuals are on the whole: that one element in ten is far off counts, how far it is hardly does."""
    return np.mean(np.log1p(z * z), axis=-1)


# ------------------------------------------------------------------------------------------------- starting points
def starts(rule: Rule, count: int, seed: int = 0) -> np.ndarray:
    """Points to begin with: all at their first default, each at its other usual values, then some at random."""
    first = [c.to_x(c.typical[0]) for c in rule.free]
    found = [first]
    for j, c in sorted(enumerate(rule.free), key=lambda item: item[1].name != CLIP):  # a bound is not found by going downhill
        found.extend([*first[:j], c.to_x(value), *first[j + 1:]] for value in c.typical[1:5])
    rng = np.random.default_rng(seed)
    while len(found) < count and rule.free:
        found.append([c.to_x(c.typical[int(rng.integers(len(c.typical)))]) for c in rule.free])
    return np.array(found[:count]) if rule.free else np.empty((1, 0))


def rescaled(rule: Rule, points: np.ndarray, target: Target) -> np.ndarray:
    """The points with lr set so that the updates have the recorded size."""
    at = next((j for j, c in enumerate(rule.free) if c.name in rule.lr_names), None)
    if at is None or target.scaled:
        return points
    factor = np.median(np.abs(scales(predict(rule, points, target.evidence), target.u, target.weight)), axis=-1)
    moved = points.copy()
    moved[:, at] += np.log(np.clip(np.nan_to_num(factor, nan=1.0), 1e-12, 1e12))
    return clipped(rule, moved)


def clipped(rule: Rule, points: np.ndarray) -> np.ndarray:
    return np.stack([c.clip(points[:, j]) for j, c in enumerate(rule.free)], axis=1) if rule.free else points


# ------------------------------------------------------------------------------------------------- the search
def search(rule: Rule, target: Target, *, count: int = 16, best: int = 2, iterations: int = 12, enough: float = 0.0) -> Fit:
    """The best fit that is found from several starting points."""
    points = rescaled(rule, starts(rule, count), target)
    z = target.residuals(rule, points)
    order = np.argsort(score(z))[:best]
    return min((descend(rule, target, points[i], iterations, enough) for i in order), key=lambda fit: fit.score)


def descend(rule: Rule, target: Target, x: np.ndarray, iterations: int = 12, enough: float = 0.0) -> Fit:
    """Levenberg-Marquardt from one point, until a residual that is enough."""
    z = target.residuals(rule, x[None])[0]
    best = target.judge(rule, x, z)
    if not rule.free:
        return best
    damping = 1e-3
    for _ in range(iterations):
        if enough and np.mean(z * z) < enough**2:
            break
        jacobian = slopes(rule, target, x, z)
        cut = max(10 * float(np.median(np.abs(z))), 10.0)
        kept = 1 / np.maximum(1.0, np.abs(z) / cut)  # Huber's weights: what is far off pulls with a constant force
        normal, pull = (jacobian * kept) @ jacobian.T, (jacobian * kept) @ z
        trials = _trials(rule, x, normal, pull, damping)
        if not len(trials):
            break
        found = target.residuals(rule, trials)
        costs = _cost(found, cut)
        i = int(np.argmin(costs))
        before = float(_cost(z[None], cut)[0])
        if not costs[i] < before:
            damping *= 30
            if damping > 1e6:
                break
            continue
        small = before - costs[i] < 1e-7 * before
        x, z = trials[i], found[i]
        damping = max(damping * max(DAMPINGS[min(i, len(DAMPINGS) - 1)], 0.03), 1e-9)
        if small:
            break
    return target.judge(rule, x, z)


def slopes(rule: Rule, target: Target, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The derivative of every residual, as (coordinates, elements)."""
    ahead = np.array([-DIFFERENCE if c.name == CLIP else DIFFERENCE for c in rule.free])  # below the least norm a bound goes on, not above
    moved = x + np.diag(ahead)
    back = clipped(rule, moved)
    moved = np.where(back == moved, moved, x - np.diag(ahead))
    steps = np.diag(moved - x)
    steps = np.where(steps == 0, np.inf, steps)  # so far out that float64 does not move
    return np.nan_to_num((target.residuals(rule, moved) - z) / steps[:, None])


def _trials(rule: Rule, x: np.ndarray, normal: np.ndarray, pull: np.ndarray, damping: float) -> np.ndarray:
    """The next points for several dampings, each no further than its coordinates' reach."""
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-30))
    alive = np.diag(normal) > 1e-24 * max(float(np.diag(normal).max()), 1e-300)
    if not alive.any():
        return np.empty((0, len(x)))
    a, b = (normal / scale[:, None] / scale)[np.ix_(alive, alive)], (pull / scale)[alive]
    found = []
    for d in damping * DAMPINGS:
        step = np.zeros_like(x)
        step[alive] = -np.linalg.lstsq(a + (d + 1e-13) * np.eye(len(a)), b, rcond=None)[0] / scale[alive]
        reach = np.array([c.reach for c in rule.free])
        found.append(x + np.clip(step, -reach, reach))
    return clipped(rule, np.array(found))


def _cost(z: np.ndarray, cut: float) -> np.ndarray:
    size = np.abs(z)
    return np.where(size <= cut, size * size, 2 * cut * size - cut * cut).sum(-1)


# ------------------------------------------------------------------------------------------------- what is not smooth
def compass(fit: Fit, target: Target, *, scattered: int = 192, tries: int = 32, last: float = 1e-3, longest: int = 70) -> Fit:
    """The best point along the coordinates that move few elements and those by a jump: decay rates under a sign.

    First anywhere, then near the best three in random directions, as two decay rates under one sign make a narrow valley.
    """
    rule = fit.rule
    jumping = jumps(rule, target, fit.x)
    if not jumping.any():
        return fit
    rng = np.random.default_rng(0)
    spread = np.array([{"fraction": 8.0, "log": 6.0, "linear": 1.0}[c.kind] for c in rule.free])
    low = np.array([0.0 if c.kind == "fraction" else own - 0.5 * s for c, own, s in zip(rule.free, fit.x, spread, strict=True)])
    anywhere = np.where(jumping, low + spread * rng.uniform(size=(scattered, len(fit.x))), fit.x)
    points = clipped(rule, np.concatenate([fit.x[None], anywhere]))
    found = np.concatenate([score(target.residuals(rule, some)) for some in np.array_split(points, 8)])
    best = [_wander(rule, target, points[i], jumping, rng, tries, last, longest) for i in np.argsort(found)[:3]]
    return min((fit, *best), key=lambda f: f.score)


def at_usual(fit: Fit, target: Target, most: int = 64) -> Fit:
    """The fit, or a better one where what moves by jumps has usual values: many pairs of decay rates give nearly the same signs."""
    rule = fit.rule
    jumping = np.flatnonzero(jumps(rule, target, fit.x))
    if not len(jumping):
        return fit
    each = [[rule.free[j].to_x(v) for v in rule.free[j].typical] for j in jumping]
    points = np.repeat(fit.x[None], min(most, math.prod(map(len, each))), axis=0)
    points[:, jumping] = list(itertools.islice(itertools.product(*each), most))
    z = target.residuals(rule, points)
    i = int(np.argmin(score(z)))
    return min(fit, target.judge(rule, points[i], z[i]), key=lambda f: f.score)


def awakened(fit: Fit, target: Target) -> Fit:
    """The fit from another usual value of what moves nothing where it is: slopes do not lead away from an eps of 1e-30."""
    rule = fit.rule
    if not rule.free:
        return fit
    z = target.residuals(rule, fit.x[None])[0]
    sizes = np.abs(slopes(rule, target, fit.x, z)).max(axis=1)
    asleep = np.flatnonzero(sizes <= ASLEEP * max(float(sizes.max()), 1e-300))
    points = [[*fit.x[:j], rule.free[j].to_x(v), *fit.x[j + 1:]] for j in asleep for v in rule.free[j].typical]
    if not points:
        return fit
    scores = score(target.residuals(rule, np.array(points)))
    i = int(np.argmin(scores))
    if not scores[i] < fit.score:
        return fit
    return min(fit, descend(rule, target, np.array(points[i])), key=lambda f: f.score)


def jumps(rule: Rule, target: Target, x: np.ndarray) -> np.ndarray:
    """Of each coordinate whether it moves some elements, and most not at all."""
    step = 0.3 * np.eye(len(x))
    trials = clipped(rule, np.concatenate([x[None], x + step, x - step]))
    z = target.residuals(rule, trials)
    moved = (z[1:] != z[0]).mean(axis=1).reshape(2, -1).max(axis=0)
    return (moved > 0) & (moved < 0.5)


def _wander(rule: Rule, target: Target, x: np.ndarray, jumping: np.ndarray, rng: np.random.Generator, tries: int, last: float,
            longest: int) -> Fit:  # fmt: skip
    step, best = 0.5, float(score(target.residuals(rule, x[None]))[0])
    for _ in range(longest):
        directions = rng.normal(size=(tries, len(x))) * jumping
        trials = clipped(rule, x + step * directions * rng.choice([1.0, 0.3], size=(tries, 1)))
        scores = score(target.residuals(rule, trials))
        i = int(np.argmin(scores))
        if scores[i] < best - 1e-12:
            x, best = trials[i], float(scores[i])
            continue
        step *= 0.65
        if step < last:
            break
    return target.judge(rule, x, target.residuals(rule, x[None])[0])
