"""A comparison as a picture: both loss curves with the held-out score, and their difference under the tolerance."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossopt import drawing
from lossopt.compare.verdict import STAGES, size
from lossopt.drawing import BLUE, GREEN, GREY, ORANGE, PALE, RED

if TYPE_CHECKING:
    from lossopt.compare import Comparison


def draw(comparison: Comparison, path: str | Path) -> None:
    """Write the picture, in the format of the path's ending.

    Raises:
        InputError: matplotlib is not installed, or cannot write such a file.
    """
    with drawing.figure(path, 8.4, 6.6) as figure:
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        _curves(comparison, top)
        _differences(comparison, bottom)


def _curves(comparison: Comparison, axes: Any) -> None:
    a, b = comparison.backends
    rows = comparison.rows
    steps = [row.step for row in rows]
    axes.plot(steps, [row.loss[a] for row in rows], color=ORANGE, linewidth=4.5, alpha=0.75, label=f"loss, {a}", solid_capstyle="round")
    axes.plot(steps, [row.loss[b] for row in rows], color=BLUE, linewidth=1.2, label=f"loss, {b}")
    axes.set_ylabel("training loss")
    axes.set_title(f"{comparison.task.name}: {_short(comparison)}")
    axes.grid(axis="y")
    scored = [(row.step, row.score) for row in rows if row.score is not None]
    right = axes.twinx()
    right.spines["right"].set_visible(True)
    percent = 100 if all(0 <= s <= 1 for _, score in scored for s in score.values()) else 1
    at = [step for step, _ in scored]
    right.plot(at, [percent * score[a] for _, score in scored], color=GREEN, marker="o", markersize=6, linestyle="none", alpha=0.35,
               markeredgewidth=0, label=f"held-out {comparison.task.score_name}, {a}")  # fmt: skip
    right.plot(at, [percent * score[b] for _, score in scored], color=GREEN, marker=".", markersize=3, linewidth=1,
               label=f"held-out {comparison.task.score_name}, {b}")  # fmt: skip
    right.set_ylabel(f"held-out {comparison.task.score_name}{' (%)' if percent == 100 else ''}")
    if percent == 100:
        right.set_ylim(0, 103)
    handles = [*axes.get_lines(), *right.get_lines()]
    right.legend(handles, [h.get_label() for h in handles], loc="upper center", bbox_to_anchor=(0.5, -0.03), ncols=4, frameon=False)


def _differences(comparison: Comparison, axes: Any) -> None:
    rows, bound, breach = comparison.rows, comparison.tolerance.bound, comparison.breach
    steps, few = [row.step for row in rows], drawing.marker(len(rows))
    curves = {stage: [_drawable(row.differences[stage].size) for row in rows] for stage in ("parameters", "gradient", "loss")}
    worst = [_drawable(row.worst) for row in rows]
    shown = [x for curve in (*curves.values(), [bound]) for x in curve if not math.isnan(x)]
    axes.axhline(bound, color=RED, linewidth=1.4, linestyle=(0, (6, 3)), label=f"tolerance, {size(bound)}")
    axes.plot(steps, curves["gradient"], color=PALE, linewidth=1, marker=few, label="gradient")
    axes.plot(steps, curves["parameters"], color=GREY, linewidth=1, marker=few, label="parameters")
    axes.plot(steps, curves["loss"], color=BLUE, marker=".", markersize=3.5, linestyle="none", label="loss")
    axes.plot(steps, worst, color=BLUE, linewidth=1.6, drawstyle="steps-post", label="loss, worst so far")
    axes.set_yscale("log")
    axes.set_ylim(min(shown) / 3, max(shown) * 5)
    axes.set_xlim(0, steps[-1] + 1)
    drawing.across(axes)
    axes.set_ylabel("relative difference")
    axes.grid(axis="y")
    a, b = comparison.backends
    if breach is None:
        axes.set_title(f"{a} and {b} agree: losses at most {size(rows[-1].worst)} apart")
    else:
        d = breach.difference
        axes.axvline(breach.step, color=RED, linewidth=1)
        where = f" of {d.where}" if d.where else ""
        axes.set_title(f"{a} and {b} differ from step {breach.step}: first {STAGES[d.stage][0]}{where}, by {size(d.size)}", color=RED)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.25), ncols=5, frameon=False)


def _drawable(x: float) -> float:
    """Equal numbers, and those that are not finite, have no place on a logarithmic axis: there the curve has a gap."""
    return x if 0 < x < math.inf else math.nan


def _short(comparison: Comparison) -> str:
    recipe = comparison.recipe
    names = [spec.definition.name for _, spec in recipe.optimizer.walk() if spec.definition.name != "chain"]
    schedule = "" if recipe.schedule is None else f", {recipe.schedule.__name__}"
    return f"{recipe.loss.__name__}, {' + '.join(names)}{schedule}, {comparison.dtype}"
