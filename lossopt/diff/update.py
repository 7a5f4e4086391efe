"""The optimizer's link: what equal gradients, weights and learning rates are made into."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lossopt.diff.align import Aligned
from lossopt.diff.finding import Finding, Outcome, Watch, listed, relative, short, unit
from lossopt.diff.schedule import FLOOR, RATE

UPDATE = 2e-4
"""Of an element of an update, beyond what its gradients and its storage explain.  Measured with them, of the middle element, on 189
pairs of real loops (``python -m planted.rounding``): 1.7e-4 at most of RMSprop and 7e-5 of AdamW behind a normalisation, where
gradients have parted; 1.7e-5 otherwise; 8e-5 of Adam with a decay rate of 0.9999, since optax computes 1 - b**t in float32."""

SCALE = 2e-3
"""A common factor so close to 1 is float32's: 1 - 0.99999**t is off by 7e-4 in optax."""

GAIN = 30.0
"""An optimizer may enlarge what gradients differ by: an element's update moves by so many times the largest difference that its
gradient has had, relative to the root mean square that it has had."""

CONDITIONED = 1e-3
"""An element whose gradients have differed by more than this part of their size is not compared: the rest of a gradient that
cancels, or a rectifier that opened on one side."""

FEW = 2e-3
"""So many elements of a parameter may be anything: a sign that turns over at a moment near 0."""

STORED = 4.0
"""Half units in the last place of a parameter, by which its recorded update may be off: it is a difference of stored numbers."""

UNSEEN = 2.0**-20
"""Of a parameter: an update of less may be lost in it whole, where stored numbers are subtracted to see it."""

STEADY = 1e-5
"""Elements whose gradients have differed by more than this part say nothing about a decay: what they differ by stays in the
moments, and is no noise."""

DECAY = 5e-8
"""Of the part of an update that goes with the parameter itself: ``1 - lr * weight_decay`` rounded to float32 moves it by 3e-8
at most.  Measured: 1.6e-8 of torch.optim.AdamW against optax.adamw, 5e-9 of the others."""

DRIFT = 0.1
"""A ratio of updates that changes by more from one step to the next is no factor: another decay rate, or no bias correction."""

SIGMAS = 8.0
"""And so many standard errors of the fit; 4 were seen where there is none."""


@dataclass
class History:
    """What an element's gradients have been like up to a step."""

    gap: np.ndarray
    squares: np.ndarray
    largest: np.ndarray
    steps: int = 0

    def add(self, g: np.ndarray, h: np.ndarray, u: np.ndarray, v: np.ndarray) -> None:
        self.steps += 1
        self.gap = np.maximum(self.gap, np.abs(g - h))
        self.squares = self.squares + np.maximum(g * g, h * h)
        self.largest = np.maximum(self.largest, np.maximum(np.abs(u), np.abs(v)))

    @property
    def condition(self) -> np.ndarray:
        """How much of itself the gradient has differed by; infinite where it was always 0 on one side alone."""
        size = np.sqrt(self.squares / max(self.steps, 1))
        return np.divide(self.gap, size, out=np.where(self.gap > 0, np.inf, 0.0), where=size > 0)


def update(al: Aligned) -> Outcome:
    """Whether equal gradients make equal updates, element by element; by the norms alone where no arrays are recorded."""
    watch = Watch("update", "every recorded element whose gradients have agreed" if al.array_steps else "norms")
    if found := _stopped(al):
        watch.passed(0.0, found.step)
        watch.last = found.step - 1 if found.step else None
        first = found
    else:
        first = None
    found = _by_elements(al, watch) if al.array_steps else _by_norms(al, watch)
    both = [f for f in (first, found) if f is not None]
    if not both and not watch.compared:
        recorded = any(al.norms("update_norms", steps) for steps in al.steps)
        return watch.nothing("no gradients that agree" if recorded else "no step has gradients and updates in both recordings")
    return watch.done(min(both, key=lambda f: f.step) if both else None)


def _stopped(al: Aligned) -> Finding | None:
    """A parameter that one run updates and the other leaves, though both have a gradient for it."""
    a, b = al.called
    for steps in al.steps:
        moved, grads, rates = al.norms("update_norms", steps), al.norms("grad_norms", steps), al.lr(steps)
        largest = max((max(v) for v in moved.values()), default=0.0)
        sizes = al.norms("param_norms", steps)
        off = [
            n for n, (x, y) in moved.items()
            if (x == 0) != (y == 0) and max(x, y) > max(1e-3 * largest, UNSEEN * max(sizes.get(n, (0.0,))))
            and min(grads.get(n, (1.0, 1.0))) > 0 and min(rates.get(n, (1.0, 1.0))) > 0
        ]  # fmt: skip
        if off:
            run = [n for n in off if (moved[n][0] == 0) == (moved[off[0]][0] == 0)]
            who = a if moved[off[0]][0] == 0 else b
            if all(0 in v for n, v in moved.items()) and len(run) == len(moved):
                return Finding(
                    steps[0].step, "skipped step", f"{who} skips the update of step {steps[0].step}", tuple(run), 1.0, moved[run[0]]
                )
            return Finding(steps[0].step, "frozen layer", f"{listed([al.names(n) for n in run])} of {who} "
                                                          f"{'are' if len(run) > 1 else 'is'} not updated, "
                           "though there is a gradient", tuple(run), 1.0, moved[run[0]])  # fmt: skip
    return None


# ------------------------------------------------------------------------------------------------- by elements
@dataclass(frozen=True)
class Seen:
    """One parameter's updates at one step, of the elements that can be compared.

    Attributes:
        u, v: what was added.
        of: the largest that either has been at any step.
        allowed: how far apart rounding may bring them.
        param: the parameter before.
        steady: where the gradients have been equal to rounding at every step.
    """

    u: np.ndarray
    v: np.ndarray
    of: np.ndarray
    allowed: np.ndarray
    param: np.ndarray
    steady: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        return self.u - self.v

    @property
    def ratios(self) -> np.ndarray:
        """Of the elements that moved nearly as much as they ever did."""
        much = np.minimum(np.abs(self.u), np.abs(self.v)) > 0.3 * self.of
        return self.u[much] / self.v[much]

    @property
    def excess(self) -> np.ndarray:
        """By how much of itself an update differs, beyond what rounding explains."""
        return np.maximum(np.abs(self.gap) - self.allowed, 0.0) / np.maximum(self.of, 1e-300)


def _by_elements(al: Aligned, watch: Watch) -> Finding | None:
    history: dict[str, History] = {}
    coarse = unit(al)
    sums: dict[str, Sums] = {}
    scales: list[float] = []
    first = None
    whole = al.array_steps[: next((i for i, s in enumerate(al.array_steps) if s != i), len(al.array_steps))]
    for step in whole:
        grads, moved, params = (al.arrays(kind, step) for kind in ("grad", "update", "param"))
        if any(not math.isclose(x, y, rel_tol=RATE, abs_tol=FLOOR * max(x, y)) for x, y in _rates(al, step).values()):
            break
        seen: dict[str, Seen] = {}
        for name, (u, v) in moved.items():
            if name not in grads or name not in params:
                continue
            (g, h), p = grads[name], params[name][0]
            if u.shape != v.shape or g.shape != u.shape or g.shape != h.shape:
                continue
            past = history.setdefault(name, History(np.zeros(g.shape), np.zeros(g.shape), np.zeros(g.shape)))
            past.add(g, h, u, v)
            good = (past.condition < max(CONDITIONED, 16 * coarse)) & np.isfinite(u) & np.isfinite(v) & (past.largest > 0)
            if good.sum() * 3 < g.size:
                continue
            size = past.largest[good]
            allowed = STORED * 2.0**-24 * (np.abs(p) + np.abs(u))[good] + GAIN * (past.condition[good] + coarse) * size
            seen[name] = Seen(u[good], v[good], size, allowed, p[good], past.condition[good] < STEADY)
        if not seen:
            continue
        first = step if first is None else first
        scale = _middle(np.concatenate([s.ratios for s in seen.values()]), least=8)
        if found := _wide(al, step, seen, scale, coarse, begins=step == first):
            return found
        scales.append(scale)
        if len(scales) >= 5 and abs(np.median(scales) - 1) > max(SCALE, 16 * coarse):
            return _times(al, first, float(np.median(scales)))
        watch.passed(float(np.median(np.concatenate([np.abs(s.gap) / s.of for s in seen.values()]))), step)
        _add_sums(sums, al, seen)
    return _small_decay(al, first or 0, sums)


def _rates(al: Aligned, step: int) -> dict[str, tuple[float, float]]:
    return next((al.lr(steps) for steps in al.steps if steps[0].step == step), {})


def _middle(ratios: np.ndarray, least: int = 1) -> float:
    return float(np.median(ratios)) if ratios.size >= least else 1.0


def _wide(al: Aligned, step: int, seen: Mapping[str, Seen], scale: float, coarse: float, *, begins: bool) -> Finding | None:
    """Whether more than a few elements differ, a common factor near 1 aside."""
    bound = max(UPDATE, 64 * coarse) + (abs(scale - 1) * 1.5 if abs(scale - 1) < 1e-2 else 0.0)
    sizes = {}
    for name, s in seen.items():
        excess = s.excess
        over = excess > bound
        if over.sum() > max(2, FEW * over.size) or 0 < over.size <= 2 < 3 * over.sum():
            sizes[name] = float(np.median(excess[over]))
    if not sizes:
        return None
    off, size = tuple(sizes), max(sizes.values())
    if (
        len(off) == len(seen)
        and abs(scale - 1) > 1e-2
        and all(relative(_middle(s.ratios), scale) < 1e-3 for s in seen.values() if s.ratios.size)
    ):
        return _times(al, step, scale)
    vectors = {n for n in seen if len(al.pairs[n][0].shape) == 1}
    alone = len(seen) > len(off) and set(off) <= vectors
    some = "every parameter" if len(off) == len(seen) else listed([al.names(n) for n in off])
    some += " (vectors alone: biases or normalisations)" if alone else ""
    if (slope := _with_parameter([seen[n] for n in off])) is not None:
        return _decay(al, step, slope, off, some, biases=alone)
    if begins and len(off) > len(seen) / 2 and _is_noise(list(seen.values())):
        return Finding(step, "update noise", f"the updates differ by {short(size)} of their size, at random and around 0: one run's "
                                             "moments are rounded "
                       "(to bfloat16?)", off, size)  # fmt: skip
    return Finding(step, "biases" if alone else "optimizer", f"the updates of {some} differ, by {short(100 * size)} % of their "
                                                             "size, and the gradients "
                   "are equal", off, size)  # fmt: skip


def _with_parameter(seen: list[Seen]) -> float | None:
    """The slope of the difference with the parameter, where nothing else is in it: a decay, added to equal steps."""
    gap, param = np.concatenate([s.gap for s in seen]), np.concatenate([s.param for s in seen])
    if not param.any():
        return None
    slope = float(gap @ param) / float(param @ param)
    rest = np.abs(gap - slope * param) - np.concatenate([s.allowed + UPDATE * s.of for s in seen])
    return slope if np.mean(rest > 0.02 * np.abs(gap)) < 0.02 else None


def _is_noise(seen: list[Seen]) -> bool:
    """Whether the differences are those of a short significand: small, as often up as down, and none of them large."""
    parts = np.concatenate([s.gap * np.sign(s.u + s.v) / s.of for s in seen])
    sizes = np.abs(parts)
    return bool(2.0**-12 < np.median(sizes) < 2.0**-7 and np.quantile(sizes, 0.99) < 2.0**-6 and abs(np.mean(parts)) < 0.2 * np.mean(sizes))


def _times(al: Aligned, step: int, ratio: float) -> Finding:
    a, b = al.called
    times, larger, smaller = (ratio, a, b) if abs(ratio) > 1 else (1 / ratio, b, a)
    if ratio < 0 and abs(abs(ratio) - 1) < 1e-2:
        return Finding(step, "sign", f"{a} and {b} move in opposite directions: one of them climbs", size=2.0, numbers={"ratio": ratio})
    after = _ratio_after(al, step)
    if after is not None and abs(after / ratio - 1) > DRIFT:
        return Finding(step, "optimizer", f"every update of {larger} is {short(times)} times that of {smaller} at first, and "
                                          f"{short(max(after, 1 / after))} times a "
                       "step later, from equal gradients", size=abs(times - 1), numbers={"ratio": ratio, "ratio_after": after})  # fmt: skip
    return Finding(step, "update scale", f"every update of {larger} is {short(times)} times that of {smaller}, from equal gradients",
                   size=abs(times - 1), numbers={"ratio": ratio})  # fmt: skip


def _ratio_after(al: Aligned, step: int) -> float | None:
    """The middle ratio of the updates a step later, of gradients that still have about the same size."""
    if step + 1 not in al.array_steps:
        return None
    grads, moved = al.arrays("grad", step + 1), al.arrays("update", step + 1)
    ratios = []
    for name in moved.keys() & grads.keys():
        (g, h), (u, v) = grads[name], moved[name]
        if g.shape == h.shape == u.shape == v.shape:
            alike = (np.abs(g - h) < 0.3 * np.abs(g)) & (u * v > 0)
            ratios.append((u[alike] / v[alike]).ravel())
    found = np.concatenate(ratios) if ratios else np.zeros(0)
    return float(np.median(found)) if found.size >= 8 else None


# ------------------------------------------------------------------------------------------------- a small decay
@dataclass
class Sums:
    """Of ``difference = slope * parameter + factor * update``, with a factor for each step, the sums that the slope is made of."""

    count: int = 0
    param: float = 0.0
    cross: float = 0.0
    gap: float = 0.0
    stored: float = 0.0
    signs: list[float] = field(default_factory=list)

    def add(self, param: np.ndarray, u: np.ndarray, gap: np.ndarray) -> None:
        size = float(u @ u)
        if param.size < 8 or not size:
            return
        stored = 2.0**-24 * param
        param, gap = param - float(param @ u) / size * u, gap - float(gap @ u) / size * u
        self.count += param.size
        self.param += float(param @ param)
        self.cross += float(param @ gap)
        self.gap += float(gap @ gap)
        self.stored += float(stored @ stored)
        self.signs.append(float(np.sign(param @ gap)))

    @property
    def slope(self) -> tuple[float, float]:
        """And its standard error."""
        slope = self.cross / self.param
        return slope, math.sqrt(max(self.gap - slope * self.cross, 0.0) / self.count / self.param)

    @property
    def sure(self) -> bool:
        """More than rounding; the same way at every step but a few; and with it nothing is left but rounding."""
        if self.count < 32 or not self.param or len(self.signs) < 3:
            return False
        slope, error = self.slope
        rest = max(self.gap - slope * self.cross, 0.0)
        steady = abs(float(np.mean(self.signs))) > 0.8
        return steady and abs(slope) > DECAY + SIGMAS * error and rest < 0.25 * self.gap + STORED * self.stored


def _add_sums(sums: dict[str, Sums], al: Aligned, seen: Mapping[str, Seen]) -> None:
    for kind in ("matrices", "vectors"):
        some = [(s.param[s.steady], s.u[s.steady], s.gap[s.steady]) for n, s in seen.items() if _kind(al, n) == kind]
        if some:
            sums.setdefault(kind, Sums()).add(*(np.concatenate(x) for x in zip(*some, strict=True)))


def _kind(al: Aligned, name: str) -> str:
    return "vectors" if len(al.pairs[name][0].shape) == 1 else "matrices"


def _small_decay(al: Aligned, step: int, sums: Mapping[str, Sums]) -> Finding | None:
    """A decay too small for any element to tell, and certain in all of them together."""
    sure = {kind: of.slope[0] for kind, of in sums.items() if of.sure}
    if not sure:
        return None
    off = tuple(n for n in al.pairs if _kind(al, n) in sure)
    alone = set(sure) == {"vectors"} and len({_kind(al, n) for n in al.pairs}) > 1
    some = "every parameter" if len(off) == len(al.pairs) else f"the {' and '.join(sorted(sure))}"
    return _decay(al, step, max(sure.values(), key=abs), off, some, biases=alone)


def _decay(al: Aligned, step: int, slope: float, off: tuple[str, ...], some: str, *, biases: bool) -> Finding:
    more, less = al.called if slope < 0 else al.called[::-1]
    lr = next(iter(_rates(al, step).values()), (0.0, 0.0))[0]
    size = _plain(abs(slope) / lr) if lr else 0.0
    decay = f", a weight decay of {size:g} more" if lr else ""
    told = f"{more} decays its weights more than {less}: {some} by {abs(slope):.3g} of themselves at each step{decay}"
    numbers = {"slope": slope, "more": more, "less": less, **({"weight_decay": size} if lr else {})}
    return Finding(step, "decay on biases" if biases else "weight decay", told, off, abs(slope), numbers=numbers)


def _plain(size: float) -> float:
    """The shortest number within half a percent: 0.01 of 0.00999, which float32 leaves of it."""
    return next(v for d in range(1, 17) if abs((v := float(f"{size:.{d}g}")) - size) <= 5e-3 * size)


# ------------------------------------------------------------------------------------------------- by norms
def _by_norms(al: Aligned, watch: Watch) -> Finding | None:
    """Without arrays: the norms of updates, as long as those of the gradients agree."""
    for i, steps in enumerate(al.steps):
        moved, grads = al.norms("update_norms", steps), al.norms("grad_norms", steps)
        if not moved or not grads:
            continue
        largest = max(max(v) for v in grads.values())
        if any(relative(*v) > 1e-3 for v in grads.values() if max(v) > 1e-3 * largest):
            return None
        gaps = {n: relative(*v) for n, v in moved.items() if max(grads[n]) > 1e-3 * largest}
        off = [n for n, gap in gaps.items() if gap > (1e-3 if i == 0 else 1e-2)]
        if off:
            ratios = [moved[n][0] / moved[n][1] for n in off if moved[n][1]]
            if len(off) == len(gaps) and ratios and relative(max(ratios), min(ratios)) < 1e-3:
                return _times(al, steps[0].step, float(np.median(ratios)))
            return Finding(steps[0].step, "optimizer", f"the updates of {listed([al.names(n) for n in off])} differ, and the "
                                                       "gradients are equal",
                           tuple(off), max(gaps[n] for n in off))  # fmt: skip
        watch.passed(max(gaps.values(), default=0.0), steps[0].step)
    return None
