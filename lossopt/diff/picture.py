"""How two recordings part, as a picture: the difference of loss, gradient and weights over the steps, on a logarithmic scale."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lossopt import drawing
from lossopt.diff.align import Aligned
from lossopt.drawing import BLUE, GREEN, GREY, ORANGE, RED

if TYPE_CHECKING:
    from lossopt.diff import Diff

LINES = (("loss", BLUE, "o"), ("gradient norms", ORANGE, "."), ("weight norms", GREEN, "."))


def draw(found: Diff, path: str | Path) -> None:
    """Write the picture, in the format of the path's ending.

    Raises:
        InputError: matplotlib is not installed, or cannot write such a file.
    """
    with drawing.figure(path, 8.4, 5.2) as figure:
        _differences(found, figure.subplots())
        drawing.legend_below(figure)


def curves(al: Aligned) -> dict[str, list[tuple[int, float]]]:
    """By quantity, step and relative difference, where both have it."""
    found: dict[str, list[tuple[int, float]]] = {name: [] for name, _, _ in LINES}
    for s, t in al.steps:
        if s.loss is not None and t.loss is not None:
            found["loss"].append((s.step, _relative(np.array([s.loss]), np.array([t.loss]))))
        for name, which in (("gradient norms", "grad_norms"), ("weight norms", "param_norms")):
            if norms := al.norms(which, (s, t)):
                x, y = (np.array([v[k] for v in norms.values()]) for k in (0, 1))
                found[name].append((s.step, _relative(x, y)))
    return found


def _relative(x: np.ndarray, y: np.ndarray) -> float:
    scale = max(float(np.linalg.norm(x)), float(np.linalg.norm(y)))
    return float(np.linalg.norm(x - y)) / scale if scale else 0.0


def _differences(found: Diff, axes: Any) -> None:
    lines = curves(found.aligned)
    shown = [v for curve in lines.values() for _, v in curve if 0 < v < math.inf]
    low = min([v / 3 for v in shown] + [1e-8])
    for name, colour, marker in LINES:
        if lines[name]:
            at, values = zip(*lines[name], strict=True)
            axes.plot(
                at,
                [v if 0 < v < math.inf else math.nan for v in values],
                color=colour,
                linewidth=1.4,
                marker=marker,
                markersize=3,
                label=name if any(values) else f"{name}: no difference",
            )
    axes.axhspan(low, 1e-6, color="#eef1f4", zorder=0)
    axes.text(0.995, 1e-6, "rounding of float32 ", color=GREY, fontsize=8, ha="right", va="top", transform=axes.get_yaxis_transform())
    axes.set_yscale("log")
    axes.set_ylim(low, max([*shown, 1e-5]) * 5)
    drawing.across(axes)
    axes.set_ylabel("relative difference")
    axes.grid(axis="y")
    last = max((s.step for s, _ in found.aligned.steps), default=0)
    axes.set_xlim(-0.02 * (last + 1), last + 0.02 * (last + 1))
    first = found.first
    if first is not None and first.finding is not None:
        axes.axvline(
            first.finding.step,
            color=RED,
            linewidth=1.4,
            linestyle=(0, (6, 3)),
            label=f"first to break: {first.link}, step {first.finding.step}",
        )
    a, b = found.aligned.called
    labels = found.aligned.a.label, found.aligned.b.label
    title = f"{a} and {b} are equal to rounding" if first is None or first.finding is None else first.finding.told
    title = title[:1].upper() + title[1:] if not title.startswith(labels) else title
    axes.set_title(drawing.wrapped(title, 92), color="black" if first is None else RED)
