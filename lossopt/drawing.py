"""What all pictures have in common: colours, a look, and a figure that is written to its file when it is drawn."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lossopt.errors import InputError

BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#5f6368"
"""Colours that stay apart for colour-blind eyes (Okabe and Ito, Color Universal Design, 2008)."""

PALE = "#c3c7cb"
"""For a curve in the background."""

LOOK: Any = {"font.size": 10, "axes.titlelocation": "left", "axes.titlesize": 11, "axes.titlecolor": "black",
             "axes.edgecolor": GREY, "axes.labelcolor": GREY, "xtick.color": GREY, "ytick.color": GREY,
             "axes.spines.top": False, "axes.spines.right": False, "ytick.minor.size": 0,
             "axes.axisbelow": True, "grid.color": "#e8eaed", "grid.linewidth": 0.8,
             "legend.framealpha": 1, "legend.edgecolor": "white"}  # fmt: skip

FEW = 40
"""Curves of no more points have markers: a point between two gaps, or a single one, has no line to be seen by."""


@contextlib.contextmanager
def figure(path: str | Path, width: float, height: float) -> Iterator[Any]:
    """An empty figure, in inches; written in the format of the path's ending, PNG where it has none.

    Raises:
        InputError: matplotlib is not installed, has no such format, or the file's folder is not there.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("the picture is drawn by matplotlib, which is not installed: pip install 'lossopt[compare]'") from error
    file = Path(path)
    if not file.parent.is_dir():
        raise InputError(f"{path}: there is no folder {file.parent} to write the picture to; make it, or name another file")
    with matplotlib.rc_context(LOOK):
        made = Figure(figsize=(width, height), dpi=160, layout="constrained")
        FigureCanvasAgg(made)
        yield made
        try:
            made.savefig(file, format=file.suffix.removeprefix(".") or "png")
        except ValueError as error:
            raise InputError(f"{path}: {error}") from None


def across(axes: Any, label: str = "step") -> None:
    """The lower axis counts something: no marks between whole numbers."""
    axes.set_xlabel(label)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def legend_below(made: Any) -> None:
    """One legend of all curves under the figure, where it covers none of them."""
    entries = sum(len(axes.get_legend_handles_labels()[1]) for axes in made.axes)
    made.legend(loc="outside lower center", ncols=min(max(entries, 1), 5), frameon=False)


def wrapped(title: str, width: int) -> str:
    """A title in no more than three lines; of a longer one the end is left out, and marked so."""
    return "\n".join(textwrap.wrap(title, width, max_lines=3, placeholder=" ..."))


def marker(count: int, kind: str = ".") -> str:
    """Of a curve of so many points."""
    return kind if count <= FEW else ""
