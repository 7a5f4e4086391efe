"""The links before the first forward pass: the parameters, their initial values, the data."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np

from lossopt.diff.align import Aligned, Lined
from lossopt.diff.finding import BITS, Finding, Outcome, Watch, apart, computed, fits, listed, relative, short
from lossopt.recording import Step

INITIAL = 1e-6
"""Of weights that are meant to be the same numbers: a copy is exact, and a draw in another precision is rounded by 6e-8."""

CHECKSUM = 1e-5
"""Of a batch's sums, relative to the root of its sum of squares: preprocessing in float32 moves them by 1e-7 or so, and
another sample moves them by its own share, 1/16 of it in a batch of 256."""


# ------------------------------------------------------------------------------------------------- parameters
def parameters(al: Aligned) -> Outcome:
    """Whether both have the same parameters, in the same shapes and precision, and compute in the same precision."""
    watch = Watch("parameters", "names, shapes, precision")
    a, b = al.called
    for why in dict.fromkeys(al.guessed.values()):
        watch.note(f"paired {why}: {listed([al.names(n) for n, w in al.guessed.items() if w == why])}")
    for name, (x, y) in al.pairs.items():
        if x.shape != y.shape:
            turned = x.shape == y.shape[::-1]
            how = f"{name} is {x.shape} in {a} and {y.shape} in {b}, both in {'PyTorch' if _mixed(al) else 'their'} layout"
            return watch.done(Finding(0, "transposed kernel" if turned else "shape", how, (name,), values=(x.shape, y.shape)))
    if only := [(run, own) for run, names in ((a, _that_move(al, 0)), (b, _that_move(al, 1))) for own in names]:
        run, other = only[0][0], b if only[0][0] == a else a
        names = [own for r, own in only if r == run]
        is_are = "are parameters" if len(names) > 1 else "is a parameter"
        return watch.done(Finding(0, "missing parameter", f"{listed(names)} {is_are} of {run} and not of {other} (missing there, "
                                                          "frozen, or under "
                                  "another name: --map)", tuple(names)))  # fmt: skip
    if other := [n for n, (x, y) in al.pairs.items() if x.dtype != y.dtype]:
        x, y = al.pairs[other[0]]
        return watch.done(Finding(0, "parameter precision", f"the parameters are kept in {x.dtype} by {a} and in {y.dtype} by "
                                                            f"{b}", tuple(other),
                                  _eps(x, y), (x.dtype, y.dtype)))  # fmt: skip
    bits = computed(al)
    if bits[0] != bits[1]:
        said = [next(k for k, v in BITS.items() if v == n) for n in bits]
        return watch.done(Finding(0, "compute precision", f"{a} computes in {said[0]} and {b} in {said[1]}, as the precision "
                                                          "of their gradients shows",
                                  size=2.0 ** -min(bits), values=(said[0], said[1])))  # fmt: skip
    watch.passed(0.0, 0)
    return watch.done()


def _mixed(al: Aligned) -> bool:
    return al.a.info.framework != al.b.info.framework


def _eps(x: Lined, y: Lined) -> float:
    return 2.0 ** -min(BITS.get(x.dtype, 24), BITS.get(y.dtype, 24))


def _that_move(al: Aligned, side: int) -> list[str]:
    """Parameters of one run alone; those that are never updated are as good as not there."""
    run, names = ((al.a, al.only_a), (al.b, al.only_b))[side]
    return [n for n in names if not run.steps or any(s.update_norms.get(n, 0.0) for s in run.steps)]


# ------------------------------------------------------------------------------------------------- initial weights
def initial_weights(al: Aligned) -> Outcome:
    """Whether the weights before the first update are the same numbers."""
    watch = Watch("initial weights", "every recorded element" if 0 in al.array_steps else "norms")
    if not al.steps or al.steps[0][0].step != 0:
        return watch.nothing("no recording begins at step 0")
    arrays = al.arrays("param", 0) if 0 in al.array_steps else {}
    gaps = {n: apart(x, y) for n, (x, y) in arrays.items() if x.shape == y.shape}
    gaps |= {n: relative(*xy) for n, xy in al.norms("param_norms", al.steps[0]).items() if n not in gaps}
    if not gaps:
        return watch.nothing("neither the weights of step 0 nor their norms are in both recordings")
    coarse = 2.0 ** -min(BITS.get(s.dtype, 24) for pair in al.pairs.values() for s in pair)
    bound = max(INITIAL, 2 * coarse if coarse > 2.0**-24 else 0.0)
    if not (differ := [n for n, gap in gaps.items() if gap > bound]):
        watch.passed(max(gaps.values()), 0)
        return watch.done()
    cause, told, numbers = _why_initial(al, arrays, differ, len(gaps))
    worst = max(differ, key=gaps.__getitem__)
    return watch.done(Finding(0, cause, told, tuple(differ), gaps[worst], numbers=numbers))


def _why_initial(
    al: Aligned, arrays: dict[str, tuple[np.ndarray, np.ndarray]], differ: list[str], of: int
) -> tuple[str, str, dict[str, float]]:
    a, b = al.called
    have = {n: arrays[n] for n in differ if n in arrays and arrays[n][0].shape == arrays[n][1].shape}
    turned = [n for n, (x, y) in have.items() if x.ndim > 1 and x.shape[0] == x.shape[1] and apart(x, np.swapaxes(y, 0, 1)) < INITIAL]
    if turned and len(turned) == len(differ):
        return "transposed kernel", f"{listed([al.names(n) for n in turned])} of {b} is {a}'s transposed", {}
    moved = [n for n, (x, y) in have.items() if apart(np.sort(x, axis=None), np.sort(y, axis=None)) < INITIAL]
    if moved and len(moved) == len(differ):
        return (
            "permuted weights",
            f"{listed([al.names(n) for n in moved])} holds the same numbers in another order (heads, gates, or axes)",
            {},
        )
    rounded = [n for n, (x, y) in have.items() if apart(x, y) < 2.0**-8 and (fits(x, 8) or fits(y, 8) or fits(x, 11) or fits(y, 11))]
    if rounded and len(rounded) == len(differ):
        return "rounded weights", "the weights were rounded to half precision on their way", {}
    norms = {n: (float(np.linalg.norm(x)), float(np.linalg.norm(y))) for n, (x, y) in have.items()}
    some = listed([al.names(n) for n in differ]) if len(differ) < of else "the parameters"
    if zero := [n for n, (x, y) in norms.items() if (x == 0) != (y == 0)]:
        who = a if norms[zero[0]][0] == 0 else b
        return "initialisation", f"{listed([al.names(n) for n in zero])} of {who} begin at 0 and the other's do not", {}
    # The norm of n random numbers is known to about 1 / sqrt(2 n): more than five times that is another distribution.
    other = [n for n, (x, y) in norms.items() if x and y and abs(math.log(x / y)) > 5 / math.sqrt(2 * have[n][0].size)]
    if other:
        ratio = norms[other[0]][0] / norms[other[0]][1]
        return ("initialisation", f"{some} begin from other random numbers, and not of the same size: those of {al.names(other[0])} "
                                  f"are {short(ratio)} "
                f"times as large in {a}", {"ratio": ratio})  # fmt: skip
    return "initialisation", f"{some} begin from other random numbers of the same size: another seed, or another generator", {}


# ------------------------------------------------------------------------------------------------- data
def data(al: Aligned) -> Outcome:
    """Whether every step has the same batch, by its sums."""
    watch = Watch("data", "sums of every batch")
    steps = [(s, t) for s, t in al.steps if s.batch and t.batch]
    if not steps:
        return watch.nothing("no sums of the batches in both recordings")
    for i, (s, t) in enumerate(steps):
        gap = batches_apart(s, t)
        if gap > CHECKSUM and not _harmless(al, s, t, watch):
            cause, told, numbers = _why_data(al, steps, i)
            return watch.done(Finding(s.step, cause, told, size=min(gap, 1.0), numbers=numbers))
        watch.passed(min(gap, 1.0) if gap <= CHECKSUM else 0.0, s.step)
    return watch.done()


def batches_apart(s: Step, t: Step, *, of: int = 4) -> float:
    """The largest difference of the sums, `of` so many of each array."""
    if len(s.batch) != len(t.batch):
        return math.inf
    found = 0.0
    for x, y in zip(s.batch, t.batch, strict=True):
        scale = math.sqrt(max(abs(x[1]), abs(y[1]))) + 1e-30
        sums = [abs(x[k] - y[k]) / (scale + (abs(x[k]) if k == 0 else 0.0)) for k in (0, 2, 3) if k < of]
        found = max(found, relative(x[1], y[1]), *sums)
    return found


def _harmless(al: Aligned, s: Step, t: Step, watch: Watch) -> bool:
    """Another order within the batch, or another way to write the labels or the axes: the loss of the first step says so."""
    if s.step != 0 and not watch.notes:
        return False
    equal_loss = s.loss is not None and t.loss is not None and relative(s.loss, t.loss) < 1e-5
    if not equal_loss or any(apart(x, y) > INITIAL for x, y in (al.arrays("param", 0) if 0 in al.array_steps else {}).values()):
        return bool(watch.notes) and len(s.batch) == len(t.batch) and batches_apart(s, t, of=2) <= CHECKSUM
    if batches_apart(s, t, of=2) <= CHECKSUM:
        watch.note("the samples of a batch, or its axes, stand in another order; the loss is the same")
        return True
    watch.note("the batches are written in another way (labels as numbers or as one-hot rows, another scale); the loss is the same")
    return True


def _why_data(al: Aligned, steps: list[tuple[Step, Step]], i: int) -> tuple[str, str, dict[str, float]]:
    a, b = al.called
    of_a, of_b = [s for s, _ in steps], [t for _, t in steps]
    s, t = steps[i]
    if len(s.batch) != len(t.batch):
        return "other batches", f"a batch has {len(s.batch)} arrays in {a} and {len(t.batch)} in {b}", {}
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
    if any(_sums(s)[0::2] == _sums(t)[0::2] for s, t in steps[i:]):
        return "preprocessing", "the inputs differ and the labels do not: another preprocessing", {}
    return "data order", "the batches hold other samples: another shuffle, or other data", {}


def _sums(step: Step) -> tuple[float, ...]:
    return tuple(v for part in step.batch[1::2] for v in part)


def _rounded(step: Step) -> tuple[str, ...]:
    return tuple(f"{v:.4g}" for part in step.batch for v in part[:2])


def _lag(of_a: list[Step], of_b: list[Step], i: int) -> int:
    """By how many batches one is ahead from step i on, for three batches at least; positive where `a` has the batch more."""
    for k in (1, 2, 3, 4):
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
