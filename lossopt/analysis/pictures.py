"""A picture of each analysis, as PNG or whatever matplotlib writes by the file's ending."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lossopt import drawing
from lossopt.analysis.convergence import check_optimization_convergence
from lossopt.analysis.gradient_flow import GradientFlow
from lossopt.analysis.landscape import Landscape
from lossopt.analysis.performance import Performance
from lossopt.drawing import BLUE, GREEN, GREY, ORANGE, RED
from lossopt.errors import InputError

MOST_ROWS = 40
"""Of more parameters than this, the picture of a gradient shows those of the largest and the smallest norm."""


@contextlib.contextmanager
def _figure(path: str | Path, width: float, height: float, *, legend: bool = False) -> Iterator[Any]:
    """One pair of axes, written to `path` when it is drawn."""
    with drawing.figure(path, width, height) as figure:
        yield figure.subplots()
        if legend:
            drawing.legend_below(figure)


def draw_loss_landscape(analysis: Landscape, path: str | Path) -> None:
    """The loss over the plane of two directions, or along one.

    Raises:
        InputError: matplotlib is not installed, or fewer than four losses are finite.
    """
    points, losses = analysis["points"], analysis["losses"]
    kept = np.isfinite(losses)
    if kept.sum() < 4:
        raise InputError(f"only {kept.sum()} of {len(losses)} losses are finite, too few to draw; write a smaller radius")
    title = f"loss {analysis['current_loss']:.4g} here, {losses[kept].min():.4g} to {losses[kept].max():.4g} around"
    if points.shape[1] == 1:
        with _figure(path, 7.2, 4.2) as axes:
            axes.plot(points[kept, 0], losses[kept], color=BLUE, linewidth=1.6)
            axes.plot([0], [analysis["current_loss"]], marker="o", color=RED, markersize=6, linestyle="none")
            axes.set(xlabel="step along the direction, in the length of each filter", ylabel="loss")
            axes.grid()
            axes.set_title(title)
        return
    with _figure(path, 6.6, 5.4) as axes:
        x, y = np.r_[0.0, points[kept, 0]], np.r_[0.0, points[kept, 1]]
        z = np.r_[analysis["current_loss"], losses[kept]]
        drawn = axes.tricontourf(x, y, z, levels=24, cmap="viridis")
        axes.tricontour(x, y, z, levels=12, colors="white", linewidths=0.5, alpha=0.6)
        axes.plot(points[:, 0], points[:, 1], ".", color="black", markersize=1.5, alpha=0.5)
        axes.plot([0], [0], marker="o", color=RED, markersize=7, markeredgecolor="white")
        axes.set(xlabel="along the first direction, in the length of each filter", ylabel="along the second", aspect="equal")
        if np.ptp(z):  # of one colour there is no scale
            axes.figure.colorbar(drawn, ax=axes, label="loss").outline.set_visible(False)
        axes.set_title(title)


def draw_gradient_flow(analysis: GradientFlow, path: str | Path) -> None:
    """The norm and the largest magnitude of every parameter's gradient, on a logarithmic scale.

    Raises:
        InputError: matplotlib is not installed.
    """
    rows = list(analysis["gradient_stats"].items())
    left_out = max(len(rows) - MOST_ROWS, 0)
    if left_out:
        ranked = sorted(range(len(rows)), key=lambda i: rows[i][1]["norm"])
        shown = sorted([*ranked[: MOST_ROWS // 2], *ranked[-MOST_ROWS // 2 :]])
        rows = [rows[i] for i in shown]
    norms = np.array([stats["norm"] for _, stats in rows])
    largest = np.array([stats["max"] for _, stats in rows])
    visible = np.concatenate([norms[np.isfinite(norms) & (norms > 0)], largest[np.isfinite(largest) & (largest > 0)]])
    floor, top = (visible.min() / 10, visible.max() * 3) if len(visible) else (1e-12, 1.0)
    with _figure(path, 7.6, 1.6 + 0.26 * len(rows), legend=True) as axes:
        at = np.arange(len(rows))
        lost = ~np.isfinite(norms)
        widths = np.where(lost, top, np.maximum(norms, floor))
        axes.barh(at, widths - floor, left=floor, color=np.where(lost, RED, BLUE), height=0.62, label="norm")
        shown = np.where(np.isfinite(largest) & (largest > 0), largest, np.nan)
        axes.plot(shown, at, "o", color=ORANGE, markersize=5, label="largest magnitude")
        for i, (_, stats) in enumerate(rows):
            note = "not finite" if not stats["finite"] else "zero" if stats["norm"] == 0 else ""
            if note:
                axes.annotate(note, (floor, i), xytext=(4, 0), textcoords="offset points", va="center", color="white" if lost[i] else GREY)
        axes.set_xscale("log")
        axes.set_xlim(floor, top)
        axes.set_yticks(at, [name for name, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel(f"gradient{f'; {left_out} parameters in between are left out' if left_out else ''}")
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.set_title(f"gradient of norm {analysis['total_gradient_norm']:.4g} at loss {analysis['loss_value']:.4g}")


def draw_convergence(losses: Sequence[Any], path: str | Path, patience: int = 10, tolerance: float = 1e-6) -> None:
    """A history of losses, its best, and the last losses that decide whether it has converged.

    Raises:
        InputError: matplotlib is not installed, or there is no finite loss.
    """
    found = check_optimization_convergence(losses, patience, tolerance)
    if found["best"] is None or found["best_at"] is None:
        raise InputError("there is no finite loss to draw")
    history = np.array([float(loss) for loss in losses])
    with _figure(path, 7.6, 4.4, legend=True) as axes:
        axes.axvspan(max(len(history) - patience, 0) - 0.5, len(history) - 0.5, color=GREEN if found["converged"] else GREY, alpha=0.13,
                     linewidth=0, label=f"the last {min(patience, len(history))}")  # fmt: skip
        axes.plot(history, color=BLUE, linewidth=1.5, marker=drawing.marker(len(history)), label="loss")
        axes.plot([found["best_at"]], [found["best"]], "o", color=RED, markersize=6, label=f"best, {found['best']:.4g}")
        positive = history[np.isfinite(history)].min() > 0
        if positive and history[np.isfinite(history)].max() > 20 * found["best"]:
            axes.set_yscale("log")
        axes.set(ylabel="loss")
        drawing.across(axes)
        axes.grid()
        axes.set_title(f"{'converged' if found['converged'] else 'not converged'}: {found['why']}")


def draw_performance(summary: Performance, path: str | Path) -> None:
    """The time of every step, with the median and the quartiles.

    Raises:
        InputError: matplotlib is not installed.
    """
    times = np.array(summary["times"])
    scale, unit = (1e3, "ms") if summary["step_time"] < 1 else (1.0, "s")
    low, high = (q * scale for q in summary["step_time_quartiles"])
    median = summary["step_time"] * scale
    parts = [f"{median:.3g} {unit} a step"]
    if summary["throughput"] is not None:
        parts.append(f"{summary['throughput']:,.0f} samples a second")
    if summary["peak_memory"] is not None:
        parts.append(f"at most {summary['peak_memory'] / 2**20:,.0f} MiB ({summary['memory_of']})")
    with _figure(path, 7.6, 4.4, legend=True) as axes:
        axes.axhspan(low, high, color=GREEN, alpha=0.18, linewidth=0, label="quartiles")
        axes.axhline(median, color=GREEN, linewidth=1.4, label="median")
        axes.plot(np.arange(1, len(times) + 1), times * scale, ".", color=BLUE, markersize=5, label="step")
        if times.max() > 10 * summary["step_time"]:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")
        axes.set(ylabel=f"time ({unit})")
        drawing.across(axes)
        axes.grid()
        axes.set_title(", ".join(parts))
