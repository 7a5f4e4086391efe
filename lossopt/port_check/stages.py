"""The checklist: the links of `lossopt.diff`, in the order in which a person who ports a model goes through them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossopt.diff.align import Aligned
from lossopt.diff.data import batches_apart
from lossopt.diff.finding import Outcome, apart, listed, relative, short
from lossopt.diff.forward import logits_of

STAGES = ("initial weights", "one batch", "forward", "loss", "gradients")
"""Those of the first step; the updates come after them."""

OF_LINK = {
    "parameters": "initial weights",
    "initial weights": "initial weights",
    "data": "one batch",
    "loss": "loss",
    "gradient": "gradients",
    "clipping": "gradients",
}
"""By link of `lossopt.diff` the stage that it breaks at the first step; the others break an update."""

ROUNDING = 1e-5
"""Of the largest gradient's norm.  Measured: 2e-7 of a convolution's bias before a BatchNorm."""

WORDS = {1: "one update", 10: "ten updates"}


@dataclass(frozen=True)
class Stage:
    """One line of the checklist.

    Attributes:
        name: ``"forward"``.
        state: ``"passes"``, ``"breaks"`` or ``"not reached"``.
        compared: what was compared, in a few words; why nothing was.
        apart: how far both are apart, relative; None where nothing was compared.
    """

    name: str
    state: str
    compared: str = ""
    apart: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return {"stage": self.name, "state": self.state, "compared": self.compared, "apart": self.apart}


def names(steps: int) -> tuple[str, ...]:
    """Every stage of a check of so many updates.

    >>> names(100)[5:]
    ('one update', 'ten updates', '100 updates')
    >>> names(3)[5:]
    ('one update', '3 updates')
    """
    return (*STAGES, *map(_updates, _counts(steps)))


def broken_at(first: Outcome | None, steps: int) -> str | None:
    """The stage that a link's finding breaks."""
    if first is None or first.finding is None:
        return None
    step = first.finding.step
    if step == 0 and first.link in OF_LINK:
        return "forward" if first.finding.cause == "forward pass" else OF_LINK[first.link]
    return _updates(next((n for n in _counts(steps) if step < n), steps))


def stages(al: Aligned, first: Outcome | None, steps: int, done: int) -> tuple[Stage, ...]:
    """The checklist of two recordings.

    Args:
        first: the first link that breaks.
        steps: how many updates were asked for.
        done: how many both made before something broke or the batches ended.
    """
    breaks, found, over = broken_at(first, steps), [], False
    for name in names(steps):
        if over:
            found.append(Stage(name, "not reached"))
            continue
        over = name == breaks
        count = next((n for n in _counts(steps) if _updates(n) == name), 0)
        if count > done and not over:
            found.append(Stage(name, "not reached", f"the batches end after {done}"))
            continue
        compared, size = _after(al, min(count, done)) if count else LOOKS[name](al)
        found.append(Stage(name, "breaks" if over else "passes", compared, size))
    return tuple(found)


def _counts(steps: int) -> list[int]:
    return sorted({n for n in (1, 10, steps) if n <= steps})


def _updates(n: int) -> str:
    return WORDS.get(n, f"{n:,} updates")


# ------------------------------------------------------------------------------------------------- what is shown of a stage
Shown = tuple[str, float | None]


def _weights(al: Aligned) -> Shown:
    size = sum(math.prod(x.shape) for x, _ in al.pairs.values())
    return f"{_many(len(al.pairs), 'parameter')}, {size:,} elements{_part(al)}", _largest(al, "param", 0)


def _part(al: Aligned) -> str:
    return ", of large ones a sample" if any(x.sampled or y.sampled for x, y in al.pairs.values()) else ""


def _batch(al: Aligned) -> Shown:
    if not al.steps or not al.steps[0][0].batch:
        return "no sums of the first batch", None
    s, t = al.steps[0]
    return f"sums of {_many(len(s.batch), 'array')}", min(batches_apart(s, t), 1.0)


def _forward(al: Aligned) -> Shown:
    if (found := logits_of(al, 0)) is None:
        shapes = [have["logits/0"].shape for have in al.whole(0) if "logits/0" in have] if 0 in al.array_steps else []
        told = f"outputs of shapes {shapes[0]} and {shapes[1]} cannot be compared" if len(shapes) == 2 else "no outputs on both sides"
        return told, None
    return f"{found[0].size:,} outputs of {_many(len(found[0]), 'sample')}" if found[0].ndim else "one output", apart(*found)


def _loss(al: Aligned) -> Shown:
    x, y = (s.loss for s in al.steps[0])
    return ("no loss on both sides", None) if x is None or y is None else (f"{x:.7g} and {y:.7g}", relative(x, y))


def _gradients(al: Aligned) -> Shown:
    found = al.arrays("grad", 0)
    return f"gradients of {_many(len(found), 'parameter')}", _together(list(found.values()))


LOOKS = {"initial weights": _weights, "one batch": _batch, "forward": _forward, "loss": _loss, "gradients": _gradients}


def _after(al: Aligned, count: int) -> Shown:
    """The weights after so many updates, of the last of them that has arrays, and the losses on the way."""
    last = max((s for s in al.array_steps if s < count), default=None)
    if last is None:
        return "", None
    moved, params, noise = al.arrays("update", last), al.arrays("param", last), _noise(al)
    moved = {n: xy for n, xy in moved.items() if n not in noise}
    but = f", without {listed([al.names(n) for n in noise])}: the gradient is rounding alone" if noise else ""
    if count == 1:
        return f"updates of {_many(len(moved), 'parameter')}{but}", _together(list(moved.values()))
    losses = [relative(s.loss, t.loss) for s, t in al.steps[:count] if s.loss is not None and t.loss is not None]
    after = [(params[n][0] + u, params[n][1] + v) for n, (u, v) in moved.items() if n in params]
    told = f"{_many(len(after), 'parameter')} after {_many(last + 1, 'update')}"
    return told + but + (f"; losses apart by {short(max(losses))} at most" if losses else ""), _together(after)


def _noise(al: Aligned) -> list[str]:
    """Parameters whose gradient is what rounding leaves of 0: a bias before a normalisation.  Adam makes whole steps of it."""
    norms = al.norms("grad_norms", al.steps[0])
    largest = max((max(v) for v in norms.values()), default=0.0)
    return [n for n, v in norms.items() if 0 < max(v) < ROUNDING * largest]


def _largest(al: Aligned, kind: str, step: int) -> float | None:
    found = al.arrays(kind, step) if step in al.array_steps else {}
    return max((apart(x, y) for x, y in found.values() if x.shape == y.shape), default=None)


def _together(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float | None:
    alike = [(x.ravel(), y.ravel()) for x, y in pairs if x.shape == y.shape]
    return apart(*(np.concatenate(side) for side in zip(*alike, strict=True))) if alike else None


def _many(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
