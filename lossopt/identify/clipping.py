"""Clipping and scaling between the backward pass and the optimizer, from the norms on either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossopt.recording.contents import Recording

SAME = 3e-6
"""Relative: norms in float32 that are one number."""


@dataclass(frozen=True)
class Clipping:
    """What was done to gradients before the optimizer received them.

    Attributes:
        how: ``"global norm"``, ``"norm of each parameter"``, ``"norm of each group"``, ``"value"``, ``"scaled"``, ``"other"``.
        bound: the largest norm, the largest value, or the factor.
        eps: what was added to the norm: 1e-6 is PyTorch's way, 0 optax's; None where the data leave it open.
        steps: at how many of the recorded steps something was changed.
        of: how many steps there are.
    """

    how: str
    bound: float
    eps: float | None
    steps: int
    of: int

    def __str__(self) -> str:
        when = "every step" if self.steps == self.of else f"{self.steps} of {self.of} steps"
        if self.how == "scaled":
            power = np.log2(abs(self.bound))
            loss_scale = abs(power - round(power)) < 1e-5 and abs(round(power)) >= 4
            why = f" (2^{round(power)}: a loss scale)" if loss_scale else f" (1/{1 / self.bound:.6g})" if self.bound < 1 else ""
            return f"gradients are multiplied by {self.bound:.6g}{why} before the optimizer"
        if self.how == "other":
            return f"gradients are changed before the optimizer at {when}, neither clipped by norm or value nor scaled"
        way = {None: "", 0.0: ", nothing added to the norm (optax)", 1e-6: ", 1e-6 added to the norm (torch)"}[self.eps]
        return f"gradients are clipped by {self.how} at {self.bound:.6g}{way}, at {when}"

    def to_dict(self) -> dict[str, Any]:
        return {"how": self.how, "bound": self.bound, "eps": self.eps, "steps": self.steps, "of": self.of}


def clipping(recording: Recording) -> Clipping | None:
    """What the norms on either side tell; None where nothing was changed, or only one side was recorded.

    Example:
        >>> from lossopt.recording import Recording, RunInfo, Step
        >>> steps = [Step(t, grad_norms={"w": min(n, 1.0)}, raw_grad_norms={"w": n}) for t, n in enumerate((0.5, 2.0, 3.0))]
        >>> print(clipping(Recording(RunInfo("torch", ()), tuple(steps), (), dict)))
        gradients are clipped by global norm at 1, nothing added to the norm (optax), at 2 of 3 steps
    """
    steps = [s for s in recording.steps if s.raw_grad_norms and s.nonfinite == 0]
    names = [p for p in (steps[0].raw_grad_norms if steps else {}) if all(p in s.grad_norms and p in s.raw_grad_norms for s in steps)]
    if not names:
        return None
    raw = np.array([[s.raw_grad_norms[n] for n in names] for s in steps])
    got = np.array([[s.grad_norms[n] for n in names] for s in steps])
    live = raw > 0
    ratio = np.where(live, got / np.where(live, raw, 1.0), np.nan)
    changed = np.nanmax(np.abs(ratio - 1), axis=1) > SAME
    count, total = int(changed.sum()), len(steps)
    if not count:
        return None
    own = ratio[changed]
    common = np.nanmax(own, axis=1) - np.nanmin(own, axis=1) < SAME * np.nanmax(own, axis=1)
    if common.all():
        return _of_all(raw[changed], got[changed], np.nanmean(own, axis=1), count, total)
    return _of_some(recording, names, [s.step for s in steps], raw, got, changed, count, total)


def _of_all(raw: np.ndarray, got: np.ndarray, ratio: np.ndarray, count: int, total: int) -> Clipping:
    """All gradients have one factor."""
    before, after = np.sqrt((raw**2).sum(1)), np.sqrt((got**2).sum(1))
    if count == total and np.ptp(ratio) < SAME * ratio.max() and (total < 3 or np.ptp(before) > 1e-3 * before.max()):
        return Clipping("scaled", float(f"{ratio.mean():.6g}"), None, count, total)
    if np.ptp(after) < 2e-5 * after.max() or np.ptp(after * (before + 1e-6) / before) < 2e-5 * after.max():
        return Clipping("global norm", *_bound_of(before, after), count, total)
    return Clipping("other", float("nan"), None, count, total)


def _bound_of(before: np.ndarray, after: np.ndarray) -> tuple[float, float | None]:
    """The bound, as a round number, and what is added to the norm: 1e-6 shows where norms are small."""
    with_eps = after * (before + 1e-6) / before
    bound = float(np.median(after))
    rounded = next((v for d in range(4) if abs((v := float(f"{bound:.{d}e}")) / bound - 1) < 1e-5), float(f"{bound:.6g}"))
    off = [float(np.median(np.abs(x / rounded - 1))) for x in (after, with_eps)]
    size = float(np.median(1e-6 / before))
    if size < 3e-7 or max(off) < 2 * min(off):
        return rounded, None
    return rounded, 0.0 if off[0] < off[1] else 1e-6


def _of_some(recording: Recording, names: list[str], steps: list[int], raw: np.ndarray, got: np.ndarray, changed: np.ndarray,
             count: int, total: int) -> Clipping:  # fmt: skip
    """Each parameter, each group, or each element has its own factor."""
    touched = np.abs(got / np.where(raw > 0, raw, 1.0) - 1) > SAME
    bounds = got[touched & (raw > 0)]
    if np.ptp(bounds) < 1e-5 * bounds.max():
        return Clipping("norm of each parameter", float(f"{np.median(bounds):.5g}"), None, count, total)
    largest = [max(float(np.abs(g).max()) for g in recording.of("grad", t).values())
               for t, own in zip(steps, changed, strict=True) if own and t in recording.array_steps]  # fmt: skip
    if largest and np.ptp(largest) < 1e-6 * max(largest):
        return Clipping("value", float(f"{np.median(largest):.6g}"), None, count, total)
    groups = np.array([next((p.group for p in recording.info.parameters if p.name == n), 0) for n in names])
    per_group = np.stack([np.sqrt((got[:, groups == k] ** 2).sum(1)) for k in np.unique(groups)], axis=1)
    before = np.stack([np.sqrt((raw[:, groups == k] ** 2).sum(1)) for k in np.unique(groups)], axis=1)
    own = per_group[np.abs(per_group / np.where(before > 0, before, 1.0) - 1) > SAME]
    if len(np.unique(groups)) > 1 and own.size and np.ptp(own) < 2e-5 * own.max():
        return Clipping("norm of each group", float(f"{np.median(own):.5g}"), None, count, total)
    return Clipping("other", float("nan"), None, count, total)
