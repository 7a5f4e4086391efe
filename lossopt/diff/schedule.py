"""The learning rate's link: the first step at which the rates differ, and what kind of difference it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from lossopt.diff.align import Aligned
from lossopt.diff.finding import Finding, Outcome, Watch, listed, short
from lossopt.recording.numbers import common

RATE = 2e-4
"""Of a learning rate.  optax computes schedules in float32, and the last steps of a cosine then differ by 1.7e-4 from
PyTorch's float64."""

FLOOR = 1e-6
"""Beside it, of the largest rate of the run: what a schedule that ends at 0 rounds to."""

Why = tuple[str, str, dict[str, float]]


def schedule(al: Aligned) -> Outcome:
    """Whether every group has the same learning rate at every step."""
    watch = Watch("learning rate", "of every step and group")
    steps = [steps for steps in al.steps if al.lr(steps)]
    if not steps:
        return watch.nothing("no learning rate in both recordings")
    top = max(max(map(abs, (*s.lr, *t.lr))) for s, t in steps)
    for s, t in steps:
        rates = al.lr((s, t))
        gaps = {
            n: abs(x - y) / max(abs(x), abs(y), 1e-300)
            for n, (x, y) in rates.items()
            if not math.isclose(x, y, rel_tol=RATE, abs_tol=FLOOR * top)
        }
        if gaps:
            worst = max(gaps, key=gaps.__getitem__)
            curves = tuple(np.array([al.lr(pair)[worst][k] for pair in steps]) for k in (0, 1))
            cause, told, numbers = why(curves[0], curves[1], al.called, [pair[0].step for pair in steps].index(s.step))
            some = "" if len(gaps) == len(rates) else f" (of {listed([al.names(n) for n in gaps])})"
            off = () if len(gaps) == len(rates) else tuple(gaps)
            return watch.done(Finding(s.step, cause, told + some, off, gaps[worst], rates[worst], numbers))
        watch.passed(max((abs(x - y) / max(abs(x), abs(y), 1e-300) for x, y in rates.values() if x != y), default=0.0), s.step)
    return watch.done()


def why(x: np.ndarray, y: np.ndarray, called: tuple[str, str], at: int) -> Why:
    """What kind of difference two curves have, that part at index `at`."""
    for look in (_base, _warmup, _late, _by_epoch, _other_drops, _past_end, _stretched):
        if found := look(x, y, called, at):
            return found
    a, b = called
    return "schedule", f"the learning rate is {short(x[at])} in {a} and {short(y[at])} in {b} at step {at}, and the same before", {}


def _close(x: np.ndarray, y: np.ndarray) -> bool:
    top = max(float(np.max(np.abs(x), initial=0.0)), float(np.max(np.abs(y), initial=0.0)))
    return x.shape == y.shape and bool(np.all(np.abs(x - y) <= RATE * np.maximum(np.abs(x), np.abs(y)) + FLOOR * top))


def _both_ways(
    look: Callable[[np.ndarray, np.ndarray, str, str], Why | None], x: np.ndarray, y: np.ndarray, called: tuple[str, str]
) -> Why | None:
    return look(x, y, *called) or look(y, x, called[1], called[0])


def _base(x: np.ndarray, y: np.ndarray, called: tuple[str, str], at: int) -> Why | None:
    if at or not np.all((x == 0) == (y == 0)) or not np.any(y):
        return None
    ratios = x[y != 0] / y[y != 0]
    if np.max(np.abs(ratios / ratios[0] - 1)) > RATE:
        return None
    many = "; the schedules have the same shape" if np.ptp(x) > RATE * np.max(np.abs(x)) else ""
    return (
        "base learning rate",
        f"the learning rate of {called[0]} is {short(float(ratios[0]))} times that of {called[1]}{many}",
        {"ratio": float(ratios[0])},
    )


def _warmup(x: np.ndarray, y: np.ndarray, called: tuple[str, str], at: int) -> Why | None:
    def from_zero(x: np.ndarray, y: np.ndarray, a: str, b: str) -> Why | None:
        rising = int(np.argmax(x)) if np.any(x) else 0
        if x[0] != 0 or y[0] == 0 or rising < 2 or not np.all(np.diff(x[: rising + 1]) > -FLOOR):
            return None
        if _close(x[1:], y[:-1]) and np.ptp(y[rising:]) > RATE * np.max(y):
            return (
                "schedule off by one",
                f"the learning rate of {a} is that of {b} one step later, from its warm-up at 0 to its end",
                {"lag": 1.0},
            )
        return (
            "warm-up from zero",
            f"{a} warms up from a learning rate of 0, so that its first step does nothing, and {b} from {short(y[0])}",
            {},
        )

    return _both_ways(from_zero, x, y, called)


def _late(x: np.ndarray, y: np.ndarray, called: tuple[str, str], at: int) -> Why | None:
    def late(x: np.ndarray, y: np.ndarray, a: str, b: str) -> Why | None:
        for lag in (1, 2):
            if len(x) > lag + 2 and _close(x[lag:], y[:-lag]):
                steps = "one step" if lag == 1 else f"{lag} steps"
                return "schedule off by one", f"the schedule of {a} runs {steps} behind that of {b}", {"lag": float(lag)}
        return None

    return _both_ways(late, x, y, called)


def _plateaus(x: np.ndarray) -> list[int]:
    """Where a piecewise constant curve changes."""
    top = float(np.max(np.abs(x)))
    return [i for i in range(1, len(x)) if abs(x[i] - x[i - 1]) > RATE * top / 100]


def _by_epoch(x: np.ndarray, y: np.ndarray, called: tuple[str, str], at: int) -> Why | None:
    def by_epoch(x: np.ndarray, y: np.ndarray, a: str, b: str) -> Why | None:
        drops, every = _plateaus(x), len(_plateaus(y))
        if not drops or every < 2 * len(drops) or drops[0] < 2:
            return None
        n = drops[0]
        if not _close(x, np.repeat(x[::n], n)[: len(x)]) or not _close(x[::n], y[: len(x[::n])]):
            return None
        return "schedule by epoch", f"{a} steps its schedule once in {n} updates (by epoch), {b} at each", {"every": float(n)}

    return _both_ways(by_epoch, x, y, called)


def _levels(x: np.ndarray) -> np.ndarray:
    return np.array([x[i] for i in (0, *_plateaus(x))])


def _other_drops(x: np.ndarray, y: np.ndarray, called: tuple[str, str], at: int) -> Why | None:
    """Two staircases with the same treads, whose steps come at other times."""
    drops = _plateaus(x), _plateaus(y)
    if any(len(d) > len(x) / 3 for d in drops) or not (drops[0] or drops[1]):
        return None
    levels = _levels(x), _levels(y)
    n = min(map(len, levels))
    if not _close(levels[0][:n], levels[1][:n]):
        return None
    first = [next((i for i in d if i >= at), None) if at else (d[0] if d else None) for d in drops]
    said = ["never" if f is None else f"at step {f}" for f in first]
    if said[0] == said[1]:
        return None
    return "drops at other steps", (f"the learning rate falls by the same factor, {said[0]} in {called[0]} and {said[1]} in {called[1]} "
                                    "(patience, milestones, or when the schedule is asked)"), {}  # fmt: skip


def _past_end(x: np.ndarray, y: np.ndarray, called: tuple[str, str], at: int) -> Why | None:
    def stays(x: np.ndarray, y: np.ndarray, a: str, b: str) -> Why | None:
        still = np.all(np.abs(np.diff(x[max(at - 1, 0) :])) <= FLOOR * np.max(np.abs(x)))
        if not at or at >= len(x) or not still or np.ptp(x[:at]) <= RATE * np.max(np.abs(x)):
            return None
        goes = "rises again" if y[at] > x[at] else "falls on"
        return "past the end", f"up to step {at - 1} the schedules are equal; from there {a} stays at {short(x[at])} and {b} {goes}", {}

    return _both_ways(stays, x, y, called)


def _stretched(x: np.ndarray, y: np.ndarray, called: tuple[str, str], at: int) -> Why | None:
    """The same curve over another number of steps."""

    def shorter(x: np.ndarray, y: np.ndarray, a: str, b: str) -> Why | None:
        span = float(np.ptp(x))
        if not span or np.ptp(y) < 0.1 * span or abs(x[0] - y[0]) > RATE * abs(x[0]):
            return None
        steps = np.arange(len(x))
        for times in _factors(x, y):
            if times > 1.02 and np.max(np.abs(np.interp(steps / times, steps, x) - y)) < 0.02 * span:
                return "schedule length", f"the schedule of {b} is that of {a} over {short(times)} times as many steps", {"ratio": times}
        return None

    return _both_ways(shorter, x, y, called)


def _factors(x: np.ndarray, y: np.ndarray) -> Sequence[float]:
    """Candidates: how much later y reaches the value that x has at a quarter and at half of y's range."""
    found = []
    for part in (0.3, 0.6, 0.9):
        i = int(part * (len(y) - 1))
        near = int(np.argmin(np.abs(x - y[i])))
        if near > 0 and i > near:
            found.append(i / near)
    return [*found, 2.0, 10.0]


# ------------------------------------------------------------------------------------------------- beside the learning rate
def beside_the_rate(al: Aligned) -> Finding | None:
    """Another number of the optimizer that varies in one run, and in the other does not, or otherwise: OneCycleLR cycles momentum too."""
    each = [[{common(label): values[0] for label, values in s.numbers.items()} for s in side] for side in zip(*al.steps, strict=True)]
    for label in sorted({label for side in each for step in side for label in step}):
        series = [[step.get(label, math.nan) for step in side] for side in each]
        i = next((i for i, (x, y) in enumerate(zip(*series, strict=True)) if not _same(x, y)), None)
        if i is None:
            continue
        step, (a, b), (x, y) = al.steps[i][0].step, al.called, series
        if math.isnan(x[i]) or math.isnan(y[i]):
            own, other, values = (b, a, y) if math.isnan(x[i]) else (a, b, x)
            told = f"{own} varies {label}, from {short(min(values))} to {short(max(values))}, and {other} is not seen to"
        else:
            told = f"{label} is {short(x[i])} in {a} and {short(y[i])} in {b}, where it varies"
        return Finding(step, "cycled momentum", told, numbers={"label": label})
    return None


def _same(x: float, y: float) -> bool:
    return math.isclose(x, y, rel_tol=1e-6) or (math.isnan(x) and math.isnan(y))
