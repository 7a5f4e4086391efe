"""The link of the data: whether every step has the same batch, whatever each run tells of it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import replace

import numpy as np

from lossopt.diff.align import Aligned
from lossopt.diff.before import INITIAL
from lossopt.diff.finding import Finding, Outcome, Watch, apart, relative, short
from lossopt.recording import Step

CHECKSUM = 1e-5
"""Of a batch's sums, relative to the root of its sum of squares: preprocessing in float32 moves them by 1e-7 or so, and
another sample moves them by its own share, 1/16 of it in a batch of 256."""

LATER = 4
"""By so many batches one run may begin later and still be lined up."""

Pairs = list[tuple[int, int, int]]
"""Which array of one run's batch is which of the other's, and how many of their sums can be compared."""

IN_ORDER = "the samples of a batch, or its axes, stand in another order; the loss is the same"
OTHERWISE = "the batches are written in another way (labels as numbers or as one-hot rows, another scale); the loss is the same"


def data(al: Aligned) -> Outcome:
    """Whether every step has the same batch, by its sums."""
    watch = Watch("data", "sums of every batch")
    steps, told = batches(al)
    if told:
        watch.note(told)
    if not steps:
        return watch.nothing("no sums of the batches in both recordings")
    if not steps[0][0].batch:
        return watch.nothing("no array of a batch is written alike in both recordings")
    for i, (s, t) in enumerate(steps):
        gap = batches_apart(s, t)
        if gap > CHECKSUM:
            cause, why, numbers = _why_data(al, steps, i)
            return watch.done(Finding(s.step, cause, why, size=min(gap, 1.0), numbers=numbers))
        watch.passed(gap, s.step)
    return watch.done()


def batches(al: Aligned) -> tuple[list[tuple[Step, Step]], str]:
    """The steps with the arrays of a batch that both tell, and a note where one tells more, or otherwise.

    The first step says which array is which.  A run that tells inputs alone belongs to one that tells labels too; what is
    written otherwise is the same batch where the first loss of equal weights is.
    """
    steps = [(s, t) for s, t in al.steps if s.batch and t.batch]
    if not steps:
        return [], ""
    s, t = steps[0]
    pairs, fewer = _pairs(s, t), min(len(s.batch), len(t.batch))
    if pairs == [(i, i, 4) for i in range(len(t.batch))]:
        return steps, ""
    if len(s.batch) != len(t.batch):
        later = [(s, y) for _, y in steps[: LATER + 1]] + [(x, t) for x, _ in steps[1 : LATER + 1]]
        if of_all := next((found for x, y in later if len(found := _pairs(x, y)) == fewer), None):
            return _only(steps, of_all), _fewer(al, s, t)
    if not _equal_start(al, s, t):
        return steps, ""
    return _only(steps, pairs), IN_ORDER if len(pairs) == len(s.batch) == len(t.batch) else OTHERWISE


def same_samples(s: Step, t: Step) -> bool:
    """Whether two steps have the same batch, sample for sample, as far as both tell."""
    pairs = _pairs(s, t)
    return 0 < len(pairs) == min(len(s.batch), len(t.batch)) and all(of == 4 for _, _, of in pairs)


def _pairs(s: Step, t: Step) -> Pairs:
    """First those that are equal, then those of the same numbers in another order; in the same place before another."""
    found: dict[int, tuple[int, int]] = {}
    for of in (4, 2):
        for i in range(len(s.batch)):
            for j in sorted(range(len(t.batch)), key=lambda j: j != i):
                free = i not in found and all(j != other for other, _ in found.values())
                if free and _arrays_apart(s.batch[i], t.batch[j], of) <= CHECKSUM:
                    found[i] = j, of
    return [(i, j, of) for i, (j, of) in sorted(found.items())]


def _only(steps: list[tuple[Step, Step]], pairs: Pairs) -> list[tuple[Step, Step]]:
    """The steps with what can be compared of their batches; sums that cannot be are 0."""

    def taken(step: Step, places: list[tuple[int, int]]) -> Step:
        return replace(step, batch=tuple((*step.batch[i][:of], *(0.0,) * (4 - of)) for i, of in places if i < len(step.batch)))

    return [(taken(s, [(i, of) for i, _, of in pairs]), taken(t, [(j, of) for _, j, of in pairs])) for s, t in steps]


def _fewer(al: Aligned, s: Step, t: Step) -> str:
    """What one run does not tell, and how it would."""
    (a, b), (x, y) = al.called, (len(s.batch), len(t.batch))
    lacks, framework = (a, al.a.info.framework) if x < y else (b, al.b.info.framework)
    how = "run.batch(x, y)" if framework == "jax" else "run.labels(y)"
    return f"{_arrays(a, x, b, y)}, and what both tell is compared; {how} in {lacks} tells its labels"


def _arrays(a: str, x: int, b: str, y: int) -> str:
    return f"a batch has {x} array{'s' if x > 1 else ''} in {a} and {y} in {b}"


def _equal_start(al: Aligned, s: Step, t: Step) -> bool:
    """Whether the first loss is the same, of the same weights."""
    if s.step != 0 or s.loss is None or t.loss is None or relative(s.loss, t.loss) >= 1e-5:
        return False
    params = al.arrays("param", 0) if 0 in al.array_steps else {}
    return all(apart(x, y) <= INITIAL for x, y in params.values())


def batches_apart(s: Step, t: Step, *, of: int = 4) -> float:
    """The largest difference of the sums, `of` so many of each array."""
    if len(s.batch) != len(t.batch):
        return math.inf
    return max((_arrays_apart(x, y, of) for x, y in zip(s.batch, t.batch, strict=True)), default=0.0)


def _arrays_apart(x: tuple[float, ...], y: tuple[float, ...], of: int) -> float:
    scale = math.sqrt(max(abs(x[1]), abs(y[1]))) + 1e-30
    sums = [abs(x[k] - y[k]) / (scale + (abs(x[k]) if k == 0 else 0.0)) for k in (0, 2, 3) if k < of]
    return max(relative(x[1], y[1]), *sums)


def _why_data(al: Aligned, steps: list[tuple[Step, Step]], i: int) -> tuple[str, str, dict[str, float]]:
    a, b = al.called
    of_a, of_b = [s for s, _ in steps], [t for _, t in steps]
    s, t = steps[i]
    if len(s.batch) != len(t.batch):
        return "other batches", f"{_arrays(a, len(s.batch), b, len(t.batch))}, and none of them is the same", {}
    if lag := _lag(of_a, of_b, i):
        first, second = (a, b) if lag > 0 else (b, a)
        if i == 0:
            return "shifted data", f"{second} begins {abs(lag)} batch{'es' if abs(lag) > 1 else ''} later than {first}", {"lag": lag}
        return ("dropped batch", f"{first} trains on a batch at step {s.step} that {second} leaves out (the last of an epoch, "
                                 "dropped as incomplete?); "
                "the batches after it are the same", {"lag": lag})  # fmt: skip
    labels = "; the labels are equal" if len(s.batch) > 1 else ""
    if ratio := _scale(steps[i:]):
        larger, smaller, times = (a, b, ratio) if abs(ratio) >= 1 else (b, a, 1 / ratio)
        return "input scale", f"the inputs of {larger} are {short(times)} times those of {smaller}{labels}", {"ratio": ratio}
    if scaled := _shifted(steps[i:]):
        ratio, shift = scaled
        normal, raw, less, over = (a, b, -shift / ratio, 1 / ratio) if shift < 0 else (b, a, shift, ratio)
        told = f"the inputs of {normal} are those of {raw} less {short(less)}, over {short(over)}{labels}"
        return "input scale", told, {"ratio": ratio, "shift": shift}
    if batches_apart(s, t, of=2) <= CHECKSUM:
        return (
            "order within a batch",
            "a batch holds the same numbers in another order, and inputs and labels may no longer belong together",
            {},
        )
    rest_a, rest_b = (Counter(_rounded(x) for x in run[i:]) for run in (of_a, of_b))
    if sum((rest_a & rest_b).values()) > 0.5 * len(of_a[i:]) > 1:
        return "data order", "the same batches come in another order", {}
    if (after := _same_sum(of_a, of_b, i)) is not None:
        return "data order", f"the same samples come in another order: after {after} steps both have seen the same", {"epoch": float(after)}
    if any(_sums(s) and _sums(s)[0::2] == _sums(t)[0::2] for s, t in steps[i:]):
        return "preprocessing", "the inputs differ and the labels do not: another preprocessing", {}
    return "data order", "the batches hold other samples: another shuffle, or other data", {}


def _sums(step: Step) -> tuple[float, ...]:
    return tuple(v for part in step.batch[1::2] for v in part)


def _rounded(step: Step) -> tuple[str, ...]:
    return tuple(f"{v:.4g}" for part in step.batch for v in part[:2])


def _lag(of_a: list[Step], of_b: list[Step], i: int) -> int:
    """By how many batches one is ahead from step i on, for three batches at least; positive where `a` has the batch more."""
    for k in range(1, LATER + 1):
        for lag in (k, -k):
            x, y = (of_a[i + k :], of_b[i:]) if lag > 0 else (of_a[i:], of_b[i + k :])
            pairs = list(zip(x, y, strict=False))[:3]
            if len(pairs) == 3 and all(batches_apart(s, t) <= CHECKSUM for s, t in pairs):
                return lag
    return 0


def _scale(steps: list[tuple[Step, Step]]) -> float | None:
    """The factor between the inputs, where it is the same in every batch and the labels are equal."""
    ratios = []
    for s, t in steps:
        x, y = s.batch[0], t.batch[0]
        if not y[1] or not _equal_labels(s, t):
            return None
        ratios.append(math.sqrt(x[1] / y[1]) * (1 if x[2] * y[2] >= 0 else -1))
    same = all(relative(r, ratios[0]) < CHECKSUM for r in ratios)
    return ratios[0] if same and len(ratios) > 1 and abs(ratios[0] - 1) > CHECKSUM else None


def _shifted(steps: list[tuple[Step, Step]]) -> tuple[float, float] | None:
    """The p and q of ``inputs of a = p * inputs of b + q``, where they are the same in every batch and the labels are equal.

    Of batches of one size, the sums lie on a line of slope p that meets the axis at q times that size; the sums of squares
    then say q.  The sums by place are left out: axes may lie in another order.
    """
    if len(steps) < 4 or not all(_equal_labels(s, t) for s, t in steps):
        return None
    (x, xx), (y, yy) = (np.array([pair[k].batch[0][:2] for pair in steps]).T for k in (0, 1))
    if np.ptp(y) <= CHECKSUM * np.max(np.abs(y)):
        return None
    p, at_0 = (float(v) for v in np.polyfit(y, x, 1))
    if p <= 0 or np.any(np.abs(x - p * y - at_0) > CHECKSUM * np.sqrt(xx)):
        return None
    shifts = (xx - p * p * yy) / (2 * p * y + at_0)
    q = float(np.median(shifts))
    return (p, q) if q and np.all(np.abs(shifts - q) < 1e-3 * abs(q)) else None


def _equal_labels(s: Step, t: Step) -> bool:
    if len(s.batch) != len(t.batch):
        return False
    pairs = [uv for p, q in zip(s.batch[1:], t.batch[1:], strict=True) for uv in zip(p, q, strict=True)]
    return all(abs(u - v) <= CHECKSUM * max(1.0, abs(u)) for u, v in pairs)


def _same_sum(of_a: list[Step], of_b: list[Step], i: int) -> int | None:
    """The number of steps after which both have seen the same samples: the sums of all batches so far are equal again."""
    arrays = len(of_a[0].batch)
    if any(len(s.batch) != arrays for s in (*of_a, *of_b)):
        return None
    sums_a, sums_b = (list(itertools.accumulate(np.array([part[:2] for part in s.batch]) for s in run)) for run in (of_a, of_b))
    for n in range(i + 1, len(of_a)):
        scale = np.sqrt(np.abs(sums_a[n][:, 1:])) + 1e-30
        if np.all(np.abs(sums_a[n] - sums_b[n]) <= CHECKSUM * (scale + np.abs(sums_a[n]))):
            return n + 1
    return None
