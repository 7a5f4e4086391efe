"""A comparison as a picture: both loss curves with the held-out score, and their difference under the tolerance."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossopt.compare.verdict import STAGES, size
from lossopt.errors import InputError

if TYPE_CHECKING:
    from lossopt.compare import Comparison

BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#5f6368"
"""Colours that stay apart for colour-blind eyes (Okabe and Ito, Color Universal Design, 2008)."""

LOOK: Any = {"font.size": 10, "axes.spines.top": False, "axes.edgecolor": GREY, "axes.labelcolor": GREY,
             "axes.titlelocation": "left", "axes.titlesize": 11, "xtick.color": GREY, "ytick.color": GREY,
             "legend.framealpha": 1, "legend.edgecolor": "white"}  # fmt: skip


def draw(comparison: Comparison, path: str | Path) -> None:
    """Write the picture as PNG.

    Raises:
        InputError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("the picture is drawn by matplotlib, which is not installed: pip install 'lossopt[compare]'") from error
    with matplotlib.rc_context(LOOK):
        figure = Figure(figsize=(8.4, 6.6), dpi=160, layout="constrained")
        FigureCanvasAgg(figure)
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        _curves(comparison, top)
        _differences(comparison, bottom)
        figure.savefig(path)


def _curves(comparison: Comparison, axes: Any) -> None:
    a, b = comparison.backends
    rows = comparison.rows
    steps = [row.step for row in rows]
    axes.plot(steps, [row.loss[a] for row in rows], color=ORANGE, linewidth=4.5, alpha=0.75, label=f"loss, {a}", solid_capstyle="round")
    axes.plot(steps, [row.loss[b] for row in rows], color=BLUE, linewidth=1.2, label=f"loss, {b}")
    axes.set_ylabel("training loss")
    axes.set_title(f"{comparison.task.name}: {_short(comparison)}", color="black")
    axes.grid(axis="y", color="#e8eaed", linewidth=0.8)
    axes.set_axisbelow(True)
    scored = [(row.step, row.score) for row in rows if row.score is not None]
    right = axes.twinx()
    right.spines["top"].set_visible(False)
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
    right.legend(handles, [h.get_label() for h in handles], loc="center right")


def _differences(comparison: Comparison, axes: Any) -> None:
    rows, bound, breach = comparison.rows, comparison.tolerance.bound, comparison.breach
    steps = [row.step for row in rows]
    curves = {stage: [_drawable(row.differences[stage].size) for row in rows] for stage in ("parameters", "gradient", "loss")}
    worst = [_drawable(row.worst) for row in rows]
    shown = [x for curve in (*curves.values(), [bound]) for x in curve if not math.isnan(x)]
    axes.axhline(bound, color=RED, linewidth=1.4, linestyle=(0, (6, 3)), label=f"tolerance, {size(bound)}")
    axes.plot(steps, curves["gradient"], color="#c3c7cb", linewidth=1, label="gradient")
    axes.plot(steps, curves["parameters"], color=GREY, linewidth=1, label="parameters")
    axes.plot(steps, curves["loss"], color=BLUE, marker=".", markersize=3.5, linestyle="none", label="loss")
    axes.plot(steps, worst, color=BLUE, linewidth=1.6, drawstyle="steps-post", label="loss, worst so far")
    axes.set_yscale("log")
    axes.set_ylim(min(shown) / 3, max(shown) * 30)
    axes.set_xlim(0, steps[-1] + 1)
    axes.set_xlabel("step")
    axes.set_ylabel("relative difference")
    axes.spines["right"].set_visible(False)
    axes.grid(axis="y", color="#e8eaed", linewidth=0.8)
    axes.set_axisbelow(True)
    a, b = comparison.backends
    if breach is None:
        axes.set_title(f"{a} and {b} agree: losses at most {size(rows[-1].worst)} apart", color="black")
    else:
        d = breach.difference
        axes.axvline(breach.step, color=RED, linewidth=1)
        where = f" of {d.where}" if d.where else ""
        axes.set_title(f"{a} and {b} differ from step {breach.step}: first {STAGES[d.stage][0]}{where}, by {size(d.size)}", color=RED)
    axes.legend(loc="upper right" if breach is None else "lower right", ncols=5, columnspacing=1.4)


def _drawable(x: float) -> float:
    """Equal numbers, and those that are not finite, have no place on a logarithmic axis: there the curve has a gap."""
    return x if 0 < x < math.inf else math.nan


def _short(comparison: Comparison) -> str:
    recipe = comparison.recipe
    names = [spec.definition.name for _, spec in recipe.optimizer.walk() if spec.definition.name != "chain"]
    schedule = "" if recipe.schedule is None else f", {recipe.schedule.__name__}"
    return f"{recipe.loss.__name__}, {' + '.join(names)}{schedule}, {comparison.dtype}"
