"""A schedule drawn: in a terminal in braille dots, and as a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lossopt import drawing
from lossopt.drawing import BLUE, ORANGE

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The dots of a braille character, four lines of two."""


def foot(values: Sequence[float]) -> float:
    """Where an axis begins: at zero, or at the lowest value where all are far above it (a momentum from 0.85 to 0.95)."""
    low, high = min(values), max(values)
    return low if low < 0 or (high > low > high / 2) else 0.0


def braille(values: Sequence[float], width: int, height: int) -> list[str]:
    """Lines of `width` characters that draw the values from left to right, above their foot.

    >>> for line in braille([0.0, 1.0, 2.0, 3.0], 2, 1): print(line)
    ⡠⠊
    """
    across, up = 2 * width, 4 * height
    low, high = foot(values), max(values)
    scale = (up - 1) / (high - low) if high > low else 0.0
    cells = [[0] * width for _ in range(height)]
    before = None
    for x in range(across):
        y = round((values[round(x * (len(values) - 1) / max(across - 1, 1))] - low) * scale)
        # A jump is drawn as an upright line, so that the curve hangs together.
        begin = y if before is None or before == y else before + (1 if y > before else -1)
        for dot in range(min(y, begin), max(y, begin) + 1):
            row = up - 1 - dot
            cells[row // 4][x // 2] |= DOTS[row % 4][x % 2]
        before = y
    return ["".join(chr(0x2800 + cell) for cell in row) for row in cells]


def terminal(values: Sequence[float], title: str, width: int = 72, height: int = 12) -> str:
    """The drawing with its axes."""
    low, high = foot(values), max(values)
    marks = {0: f"{high:.3g}", height - 1: f"{low:.3g}"}
    if height > 4 and high > low:
        marks[(height - 1) // 2] = f"{low + (high - low) * (height - 1 - (height - 1) // 2 + 0.5) / height:.3g}"
    margin = max(map(len, marks.values()))
    lines = [f"{marks.get(i, ''):>{margin}} │{line}" for i, line in enumerate(braille(values, width, height))]
    axis = f"{'':>{margin}} └{'─' * width}"
    last = str(len(values) - 1)
    return "\n".join([title, *lines, axis, f"{'':>{margin}}  0{last:>{width - 1}}"])


def picture(curves: Mapping[str, Sequence[float]], title: str, path: str | Path) -> None:
    """The curves one below the other, each on its own axis, as PNG (or what the path's ending says).

    Raises:
        InputError: matplotlib is not installed, or cannot write such a file.
    """
    with drawing.figure(path, 7.6, 3.6 if len(curves) == 1 else 5.4) as figure:
        every: Any = figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (name, values), color in zip(every, curves.items(), (BLUE, ORANGE), strict=False):
            axes.plot(range(len(values)), values, color=color, linewidth=1.6, drawstyle="steps-post" if len(values) <= 60 else "default",
                      marker="." if len(values) == 1 else "")  # fmt: skip
            axes.set_ylabel(name)
            axes.set_xlim(*((0, len(values) - 1) if len(values) > 1 else (-0.5, 0.5)))
            low, high = foot(values), max(values)
            room = (high - low) or abs(high) or 1.0
            axes.set_ylim(low - 0.03 * room, high + 0.06 * room)
            axes.grid(axis="y")
        every[0].set_title(drawing.wrapped(title, 88))
        drawing.across(every[-1])


def values_of(schedule: Callable[[int], float], steps: int) -> list[float]:
    """The schedule at every step."""
    return [float(schedule(step)) for step in range(steps)]
