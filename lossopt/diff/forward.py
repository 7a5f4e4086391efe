"""The links of one forward and backward pass: the loss, its gradient, and what clipping makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lossopt.diff.align import Aligned
from lossopt.diff.data import same_samples
from lossopt.diff.finding import Finding, Outcome, Watch, apart, listed, relative, short, unit
from lossopt.recording import Step

Norms = dict[str, tuple[float, float]]

LOSS = 2e-5
"""Of a loss from equal weights and data.  Measured at the first step of 189 pairs of real loops, torch against JAX, float32
(``python -m planted.rounding``): 2.1e-7 at most.  The rest is room for larger models, by estimate: a sum over a million elements
in another order moves it by 1e-6."""

OUTPUTS = 1e-5
"""Of the model's outputs at the first step.  Measured: 1.2e-6 at most; an eps of 1e-6 instead of 1e-5 in a LayerNorm moves them by
3e-5 or more, and the loss by less than `LOSS`."""

GRADIENT = 2e-3
"""Of all gradients from equal weights and data.  Measured at the first step: 2.1e-6 at most, 1.5e-3 of one parameter alone.  But
a rectifier whose input is within rounding of 0 may open on one side alone, and then a sample's share of one unit is missing: in
small layers, later in training, 3e-4 to 1e-3 were seen."""

ONE_LAYER = 2e-2
"""The same of one parameter alone: ten times that of all, by estimate, since an opened rectifier moves the smaller ones more."""

SMALL = 1e-3
"""A parameter whose norm is below this part of the largest has no relative difference worth telling: a bias before a
normalisation has a gradient of rounding alone."""

JUMP = 300.0
"""Training enlarges rounding step by step: in 60 steps of the same pairs from 1e-7 to 1e-1 at worst (Adam at 9e-3 with rectifiers),
from one step to the next by 550 at most where a rectifier opens, by 36 with smooth activations.  A larger leap has a cause."""

LATE = {"loss": 2e-3, "gradient": 0.2}
"""And a leap that ends below this does not count.  The loss is continuous in the weights; a gradient is not, at a rectifier: the leap
by 550 ended at 3e-3, and one at 2e-2 was seen.  Neither constant made a false alarm in the 105 pairs that were drawn after them."""

LASTING = 3
"""A gradient that is exactly 0 on one side counts, after the first step, where it stays so for as many."""

CLIP = 3e-4
"""Of the factor by which clipping shrinks a gradient, beyond what the gradients themselves differ by."""


# ------------------------------------------------------------------------------------------------- loss
def loss(al: Aligned) -> Outcome:
    """Whether equal weights and data give an equal loss, and whether it leaps later."""
    watch = Watch("loss", "the value of every step")
    steps = [(s, t) for s, t in al.steps if s.loss is not None and t.loss is not None]
    if not steps:
        return watch.nothing("no loss in both recordings")
    coarse = unit(al) / 2.0**-24
    bound = max(LOSS, 8 * unit(al)) if coarse > 1 else LOSS
    scale = abs(steps[0][0].loss or 0.0) / 100
    for i, (s, t) in enumerate(steps):
        x, y = s.loss or 0.0, t.loss or 0.0
        gap = relative(x, y) if not (math.isfinite(x) and math.isfinite(y)) else abs(x - y) / max(abs(x), abs(y), scale, 1e-30)
        allowed = bound if s.step == 0 else max(LATE["loss"] * min(coarse, 50.0), bound, JUMP * (watch.worst or (0.0, 0))[0])
        outputs = _outputs_apart(al, s.step) if s.step == 0 and same_samples(s, t) else 0.0
        if gap > allowed or (coarse <= 1 and outputs > OUTPUTS):
            cause, told, numbers = _why_loss(al, (s, t), first=i == 0)
            gap = gap if gap > allowed else outputs
            return watch.done(Finding(s.step, cause, told, size=gap, values=(x, y), numbers=numbers))
        watch.passed(gap, s.step)
    return watch.done()


def _why_loss(al: Aligned, steps: tuple[Step, Step], *, first: bool) -> tuple[str, str, Mapping[str, float]]:
    a, b = al.called
    s, t = steps
    x, y = s.loss or 0.0, t.loss or 0.0
    if not math.isfinite(x) or not math.isfinite(y):
        return "not finite", f"the loss of {a if not math.isfinite(x) else b} is not finite", {}
    if not first:
        return "unknown", "the loss leaps apart, and nothing that was recorded before it does", {}
    ratio = x / y if y else math.inf
    larger, smaller, times = (a, b, ratio) if abs(ratio) > 1 else (b, a, 1 / ratio if ratio else math.inf)
    if max(len(s.losses), len(t.losses)) > 1 and relative(times, max(len(s.losses), len(t.losses))) < 1e-4:
        return ("accumulation", f"the loss of {larger} is {short(times)} times that of {smaller}: {larger} sums its {short(times)} "
                f"micro-batches, and {smaller} takes their mean", {"ratio": ratio})  # fmt: skip
    logits = logits_of(al, s.step)
    if (gap := _outputs_apart(al, s.step)) > max(OUTPUTS, 16 * unit(al)):
        little = ": more than rounding, and as little as another eps in a normalisation makes" if gap < 5e-3 else ""
        told = f"the models compute other outputs from the same weights and inputs (apart by {short(gap)}{little})"
        return "forward pass", told, {"logits": gap}
    counts = _counts(logits[0]) if logits is not None else {}
    by = next((what for what, n in counts.items() if n > 1 and relative(times, n) < 1e-4), None)
    if by is not None:
        return (
            "reduction",
            f"the loss of {larger} is {short(times)} times that of {smaller}: {larger} sums over the {short(times)} {by}, and {smaller} "
            "takes their mean",
            {"ratio": ratio},
        )
    if relative(times, 2.0) < 1e-4:
        return "half the square", f"the loss of {larger} is twice that of {smaller}", {"ratio": ratio}
    if logits is None and times >= 3 and relative(times, round(times)) < 1e-4:
        told = f"the loss of {larger} is {short(times)} times that of {smaller}: {larger} sums, and {smaller} takes the mean"
        return "reduction", told, {"ratio": ratio}
    if logits is not None:
        return "loss function", f"the losses differ on equal outputs and labels: {short(x)} in {a}, {short(y)} in {b}", {"ratio": ratio}
    return "loss or forward pass", f"the losses of equal weights and data differ: {short(x)} in {a}, {short(y)} in {b}", {"ratio": ratio}


def _outputs_apart(al: Aligned, step: int) -> float:
    logits = logits_of(al, step)
    return 0.0 if logits is None else apart(*logits)


def logits_of(al: Aligned, step: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The outputs that both recorded of a step, in one layout; None where there are none, or they are not of one shape."""
    if step not in al.array_steps:
        return None
    x, y = (have.get("logits/0") for have in al.whole(step))
    if x is None or y is None:
        return None
    if x.shape != y.shape and x.size == y.size and x.ndim > 2 and np.moveaxis(x, 1, -1).shape == y.shape:
        x = np.moveaxis(x, 1, -1)
    elif x.shape != y.shape and y.ndim > 2 and np.moveaxis(y, 1, -1).shape == x.shape:
        y = np.moveaxis(y, 1, -1)
    return (x, y) if x.shape == y.shape else None


def _counts(logits: np.ndarray) -> dict[str, int]:
    rows, classes = logits.shape[0], logits.shape[-1]
    return {"samples": rows, "elements": logits.size, "outputs of a sample": classes, "positions": logits.size // max(classes, 1)}


# ------------------------------------------------------------------------------------------------- gradient
def gradient(al: Aligned) -> Outcome:
    """Whether equal weights and data give an equal gradient, before any clipping where that is known."""
    raw = any(al.norms("raw_grad_norms", steps) for steps in al.steps)
    watch = Watch("gradient", f"the norm of every parameter's{', before clipping' if raw else ''}")
    which = "raw_grad_norms" if raw else "grad_norms"
    if not raw and any(limit(al, side) is not None for side in (0, 1)):
        return watch.nothing("recorded only after clipping")
    coarse = min(unit(al) / 2.0**-24, 2.0**13)
    for i, steps in enumerate(al.steps):
        if not (norms := _of_trained(al, al.norms(which, steps))):
            continue
        if watch.compared == 0 and i:
            return watch.nothing("no gradients of the first step in both recordings")
        if off := _zero_for(al, which, i):
            return watch.done(_frozen(al, off, norms, steps[0].step))
        together, alone = _gaps(norms)
        size = max(together, max(alone.values(), default=0.0) / 10)
        first = steps[0].step == 0
        bound = (
            (max(GRADIENT, 8 * unit(al)) if coarse > 1 else GRADIENT)
            if first
            else max(LATE["gradient"], JUMP * (watch.worst or (0.0, 0))[0])
        )
        if size > bound or not math.isfinite(size):
            if clipped_early(al):
                return watch.nothing("what the backward pass leaves is clipped while it is accumulated")
            return watch.done(_why_gradient(al, norms, steps, alone))
        watch.passed(together, steps[0].step)
    return watch.done() if watch.compared else watch.nothing("no norms of gradients in both recordings")


def _gaps(norms: Norms) -> tuple[float, dict[str, float]]:
    """The difference of all norms together, and of each."""
    x, y = (np.array([v[k] for v in norms.values()]) for k in (0, 1))
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(y))):
        return (0.0 if np.array_equal(np.isfinite(x), np.isfinite(y)) else math.inf), {}
    largest = float(max(x.max(), y.max()))
    return apart(x, y), {n: abs(u - v) / max(u, v, SMALL * largest, 1e-300) for n, (u, v) in norms.items()}


def _of_trained(al: Aligned, norms: Norms) -> Norms:
    """Without the parameters that no run ever moves: one run freezes them without a gradient, the other in its optimizer."""
    return {n: v for n, v in norms.items() if n in al.trained}


def _zero(norms: Norms) -> list[str]:
    """Parameters whose gradient is exactly 0 on one side, and on the other more than rounding."""
    largest = max((max(v) for v in norms.values()), default=0.0)
    return [n for n, (x, y) in norms.items() if (x == 0) != (y == 0) and max(x, y) > SMALL * largest]


def _zero_for(al: Aligned, which: str, i: int) -> list[str]:
    """The same, at the first step or for `LASTING` steps from the i-th: rectifiers of a small layer may all close for a batch."""
    found = _zero(_of_trained(al, al.norms(which, al.steps[i])))
    for steps in al.steps[i + 1 : i + LASTING] if i else ():
        found = [n for n in found if n in _zero(al.norms(which, steps))]
    return found if not i or i + LASTING <= len(al.steps) else []


def _frozen(al: Aligned, off: list[str], norms: Norms, step: int) -> Finding:
    a, b = al.called
    who = a if norms[off[0]][0] == 0 else b
    return Finding(step, "frozen layer", f"{listed([al.names(n) for n in off])} of {who} gets no gradient (frozen, detached, or not "
                                         "part of the loss)",
                   tuple(off), values=norms[off[0]])  # fmt: skip


def _why_gradient(al: Aligned, norms: Norms, steps: tuple[Step, Step], alone: Mapping[str, float]) -> Finding:
    a, b = al.called
    step = steps[0].step
    largest = max(max(v) for v in norms.values())
    ratios = {n: x / y for n, (x, y) in norms.items() if min(x, y) > SMALL * largest * 1e-3}
    off = tuple(n for n in norms if alone.get(n, math.inf) > ONE_LAYER)
    if not all(math.isfinite(v) for v in (*ratios.values(), largest)):
        return Finding(step, "not finite", f"the gradient of {a if steps[0].nonfinite else b} is not finite", off)
    middle = float(np.median(list(ratios.values()))) if ratios else math.nan
    times, larger, smaller = (middle, a, b) if middle > 1 else (1 / middle, b, a)
    sums = f"{larger} sums its micro-batches, and {smaller} takes their mean"
    if ratios and abs(middle - 1) > GRADIENT and all(relative(r, middle) < 1e-3 for r in ratios.values()):
        told = f"every gradient of {larger} is {short(times)} times that of {smaller}, and the losses are equal"
        whole = relative(times, round(times)) < 1e-3
        if whole and micro_batches(al) > 1 and micro_batches(al) % round(times) == 0:
            return Finding(
                step, "accumulation", f"{told}: {sums}", size=times - 1, numbers={"ratio": middle}
            )
        if whole and round(times) >= 128 and math.log2(round(times)).is_integer():
            return Finding(step, "loss scale", f"{told}: a loss scale that is not taken back", size=times - 1, numbers={"ratio": middle})
        return Finding(step, "gradient scale", f"{told}: a sum against a mean (over devices, micro-batches or samples), or a loss scale",
                       size=times - 1, numbers={"ratio": middle})  # fmt: skip
    some = listed([al.names(n) for n in off]) if len(off) < len(norms) else "every parameter"
    if len(off) == 0:
        some = "the whole model"
    return Finding(step, "gradient", f"the gradient of {some} differs, and the losses are equal: a detached term, a custom derivative, "
                   "or a kink at exactly 0", off, max(alone.values(), default=math.inf))  # fmt: skip


# ------------------------------------------------------------------------------------------------- clipping
@dataclass(frozen=True)
class Clipping:
    """How a run clips: ``"none"``, ``"global"``, ``"group"``, ``"parameter"`` or ``"elements"``; and to which norm."""

    how: str
    size: float | None = None

    @property
    def told(self) -> str:
        to = "" if self.size is None else f" to {short(self.size)}"
        return {"none": "does not clip", "global": f"clips the global norm{to}", "group": f"clips the norm of each group{to}",
                "parameter": f"clips the norm of each parameter{to}", "elements": "clips elements, or parts of the "
                                                                                  "gradient"}[self.how]  # fmt: skip


def clipping(al: Aligned) -> Outcome:
    """Whether equal gradients are clipped to equal ones."""
    watch = Watch("clipping", "the norms before and after")
    if clipped_early(al):
        return watch.done(_early(al, al.steps[0][0].step))
    known = [steps for steps in al.steps if al.norms("raw_grad_norms", steps)]
    if not known:
        return _by_limit(al, watch)
    for steps in known:
        raw, got = al.norms("raw_grad_norms", steps), al.norms("grad_norms", steps)
        before, _ = _gaps(raw)
        largest = max(max(v) for v in raw.values())
        factors = {n: (got[n][0] / x, got[n][1] / y) for n, (x, y) in raw.items() if min(x, y) > SMALL * largest}
        gaps = {n: relative(*f) for n, f in factors.items()}
        if gaps and max(gaps.values()) > CLIP + 4 * max(before, *(relative(*raw[n]) for n in gaps)):
            return watch.done(_why_clipping(al, steps[0].step, gaps))
        watch.passed(max(gaps.values(), default=0.0), steps[0].step)
    return watch.done()


def _why_clipping(al: Aligned, step: int, gaps: Mapping[str, float]) -> Finding:
    a, b = al.called
    x, y = style(al, 0), style(al, 1)
    off, size = tuple(n for n, gap in gaps.items() if gap > CLIP), max(gaps.values())
    told = f"{a} {x.told} and {b} {y.told}"
    numbers = {k: v.size for k, v in (("max_norm_a", x), ("max_norm_b", y)) if v.size is not None}
    if "none" in (x.how, y.how):
        return Finding(step, "only one clips", told, off, size, (x.how, y.how), numbers)
    if x.how == y.how and x.size is not None and y.size is not None:
        cause = "clip eps" if relative(x.size, y.size) < 0.02 and size < 0.02 else "clip size"
        more = " (torch adds 1e-6 to the norm, optax nothing)" if cause == "clip eps" else ""
        return Finding(step, cause, told + more, off, size, (x.size, y.size), numbers)
    if micro_batches(al) > 1 and "elements" in (x.how, y.how):
        return _early(al, step)
    return Finding(step, "clip per group", told, off, size, (x.how, y.how), numbers)


def _early(al: Aligned, step: int) -> Finding:
    a, b = al.called
    later, sooner = (a, b) if limit(al, 0) is not None else (b, a)
    return Finding(step, "clip before accumulation", f"{sooner} clips every micro-batch before it is accumulated, {later} clips "
                                                     "their mean or sum "
                   "once")  # fmt: skip


def _by_limit(al: Aligned, watch: Watch) -> Outcome:
    """Without the norms before clipping: a run whose global norm stands still clips to it."""
    sizes = limit(al, 0), limit(al, 1)
    if sizes == (None, None):
        return watch.nothing("not recorded before clipping, and no norm stays at a limit")
    same = None not in sizes and relative(sizes[0] or 0.0, sizes[1] or 0.0) < 10 * CLIP
    for steps in al.steps:
        if not (norms := al.norms("grad_norms", steps)):
            continue
        x, y = (math.sqrt(sum(v[k] ** 2 for v in norms.values())) for k in (0, 1))
        smaller = min(v for v in sizes if v is not None)
        if not same and max(x, y) > smaller * (1 + 10 * CLIP) and min(x, y) <= smaller * (1 + CLIP):
            told = [Clipping("none" if size is None else "global", size) for size in sizes]
            cause = "only one clips" if None in sizes else "clip size"
            numbers = {k: v for k, v in (("max_norm_a", sizes[0]), ("max_norm_b", sizes[1])) if v is not None}
            return watch.done(Finding(steps[0].step, cause, f"{al.called[0]} {told[0].told} and {al.called[1]} {told[1].told}",
                                      size=relative(x, y), numbers=numbers))  # fmt: skip
        watch.passed(_gaps(norms)[0], steps[0].step)
    return watch.done()


def limit(al: Aligned, side: int) -> float | None:
    """The largest global norm of a run, where it is reached again and again: what it clips to."""
    run = (al.a, al.b)[side]
    norms = [math.sqrt(sum(v * v for v in s.grad_norms.values())) for s in run.steps if s.grad_norms]
    top = max(norms, default=0.0)
    at = [n for n in norms if math.isfinite(top) and n >= top * (1 - CLIP)]
    return float(np.median(at)) if top and len(at) >= 3 and len(at) > len(norms) / 20 else None


def style(al: Aligned, side: int) -> Clipping:
    """How a run clips, by all its steps."""
    run, names = (al.a, al.b)[side], {n: pair[side] for n, pair in al.pairs.items()}
    factors = [{p: s.grad_norms[p] / r for p, r in s.raw_grad_norms.items() if r and p in s.grad_norms} for s in run.steps]
    clipped = [(s, f) for s, f in zip(run.steps, factors, strict=True) if f and min(f.values()) < 1 - CLIP]
    if not clipped:
        return Clipping("none")
    if all(max(f.values()) - min(f.values()) <= 1e-3 * max(f.values()) for _, f in clipped):
        return Clipping("global", float(np.median([math.hypot(*s.grad_norms.values()) for s, _ in clipped])))
    shrunk = [s.grad_norms[p] for s, f in clipped for p in f if f[p] < 1 - CLIP]
    if relative(max(shrunk), min(shrunk)) < 1e-2:
        return Clipping("parameter", float(np.median(shrunk)))
    kinds = [{round(v, 4) for v in f.values()} for _, f in clipped]
    if max(len(k) for k in kinds) < max(3, len(names) // 2) and len(names) > 3:
        return Clipping("group")
    return Clipping("elements")


def micro_batches(al: Aligned) -> int:
    """Of how many backward passes an update is made, as far as the recordings tell."""
    return max((max(len(s.losses), len(t.losses)) for s, t in al.steps[:1]), default=0)


def clipped_early(al: Aligned) -> bool:
    """Whether one run clips micro-batches as they come and the other what they add up to.

    The sign: several micro-batches, gradients that differ although the losses are equal, in no constant ratio; and one run
    clips the global norm of what it receives, at the first step, while the norms of the parameters still differ.
    """
    if not al.steps or micro_batches(al) < 2:
        return False
    first = al.steps[0]
    norms = al.norms("grad_norms", first)
    if not norms or (limit(al, 0) is None and limit(al, 1) is None):
        return False
    raw = al.norms("raw_grad_norms", first) or norms
    ratios = [x / y for x, y in raw.values() if min(x, y) > 0]
    return bool(ratios) and _gaps(raw)[0] > GRADIENT and relative(max(ratios), min(ratios)) > 1e-2
