"""``python -m lossopt.readme``: measure the README's tables anew and write them between their markers."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lossopt.errors import InputError
from lossopt.parity import parity
from lossopt.parity.disagreements import disagreements, markdown
from lossopt.parity.report import Comparison

COLUMNS = {
    "lossopt, JAX": ("jax",),
    "lossopt, PyTorch": ("torch single", "torch replay", "torch native"),
    "torch.optim": ("torch.optim",),
    "optax": ("optax",),
    "float32: lossopt, JAX": ("jax float32",),
    "lossopt, PyTorch ": ("torch float32",),
    "torch.optim ": ("torch.optim float32",),
    "optax ": ("optax float32",),
}


def disagreements_block() -> str:
    """How far apart PyTorch and optax are under the same names."""
    return markdown(disagreements())


def parity_block() -> str:
    """A whole run of the parity suite: its summary, and a line for each optimizer."""
    report = parity()
    head = "| optimizer, worst of its rows | " + " | ".join(COLUMNS) + " |"
    lines = [f"{report.summary()}.", "", head, "|---" * (1 + len(COLUMNS)) + "|"]
    for name in dict.fromkeys(row.definition for row in report.rows if row.kind == "optimizer"):
        found = [c for row in report.rows if row.definition == name for c in row.comparisons]
        lines.append(f"| {name} | " + " | ".join(_worst(found, names) for names in COLUMNS.values()) + " |")
    return "\n".join([*lines, "", *(f"- {note.removeprefix('* ')}" for note in report.notes())])


def _worst(found: Sequence[Comparison], names: tuple[str, ...]) -> str:
    """The largest error among comparisons of these names, and a star where a cause stands below."""
    worst = max((c for c in found if c.name in names), key=lambda c: c.error, default=None)
    return "" if worst is None else f"{worst.error:.0e}{chr(92) + '*' if worst.cause else ''}"


def fill(text: str, blocks: Mapping[str, str]) -> str:
    """`text` with each block between ``<!-- name: begin -->`` and ``<!-- name: end -->``.

    >>> fill("<!-- a: begin -->old<!-- a: end -->", {"a": "new"})
    '<!-- a: begin -->\\n\\nnew\\n\\n<!-- a: end -->'
    """
    for name, block in blocks.items():
        pattern = re.compile(rf"(<!-- {name}: begin -->).*?(<!-- {name}: end -->)", re.S)
        text, count = pattern.subn(lambda m, block=block: f"{m[1]}\n\n{block.strip()}\n\n{m[2]}", text)
        if count != 1:
            raise InputError(f"the markers <!-- {name}: begin --> and <!-- {name}: end --> must stand once; found {count} pairs")
    return text


def rows_of(text: str) -> list[tuple[str, float, float]]:
    """The disagreements that a text shows: name, how far apart they are, how far apart lossopt is."""
    rows = [line.strip("| \n") for line in text.splitlines() if line.startswith("| ") and line.count("|") == 8]
    cells = [[c.strip() for c in row.split("|")] for row in rows]
    return [(row[0], float(row[3]), float(row[6])) for row in cells if re.fullmatch(r"[\d.e+-]+", row[3])]


def main() -> int:
    """Fill the README given on the command line."""
    parser = argparse.ArgumentParser(prog="python -m lossopt.readme", description=__doc__)
    parser.add_argument("path", type=Path, help="README.md")
    path: Path = parser.parse_args().path
    text = path.read_text(encoding="utf-8")
    path.write_text(fill(text, {"disagreements": disagreements_block(), "parity": parity_block()}), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
