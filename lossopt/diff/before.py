"""The links before the first step: the parameters, and their initial values."""

from __future__ import annotations

import math

import numpy as np

from lossopt.diff.align import Aligned, Lined
from lossopt.diff.finding import BITS, Finding, Outcome, Watch, apart, computed, fits, listed, relative, short

INITIAL = 1e-6
"""Of weights that are meant to be the same numbers: a copy is exact, and a draw in another precision is rounded by 6e-8."""


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
