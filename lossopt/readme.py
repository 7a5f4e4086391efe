"""``python -m lossopt.readme``: measure the tables of the README and of the two pages behind it, and write them.

The README keeps summaries between its markers; every row stands in lossopt/parity/DIFFERENCES.md and lossopt/parity/PARITY.md.
With ``--check`` nothing is written: it measures the differences again, compares, and exits with 1 where a page is behind.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lossopt.errors import InputError
from lossopt.parity import disagreements as differences
from lossopt.parity.disagreements.page import REMEDY
from lossopt.parity.engine import describe, parity, suite
from lossopt.parity.report import COLUMNS, Comparison, ParityReport, Row

WIDEST = 10
"""How many of the differences the README shows."""
PARITY_PAGE = "lossopt/parity/PARITY.md"
KINDS: Mapping[str, str] = {"loss": "losses", "optimizer": "optimizers", "schedule": "schedules", "transform": "transforms"}
HALF = ("float32", "bfloat16")

PARITY_INTRODUCTION = """\
# How close lossopt is

Written by `make readme` from one run of the parity suite: for each definition under each convention the worst of its rows.
`lossopt parity NAME` measures them on your machine, with every option set in a row of its own.

Errors of an optimizer are relative to how far the parameters moved, over 100 steps in float64; of a loss or a schedule
relative to its largest value.  float32 is the relative error of single updates, or of a value; a number with a star has a
wider bound than the suite's own, and its cause stands at the end.  The frameworks' own float32 is reported and not held.
"""


# ------------------------------------------------------------------------------------------------- parity
def parity_block(report: ParityReport) -> str:
    """The README's summary of a run: a line for each kind of definition."""
    head = ("", "definitions", "under conventions", "rows", "comparisons", "worst float64", "worst float32", "wider bound, with its cause")
    lines = [_line(*head), "|---" * len(head) + "|"]
    for kind, plural in KINDS.items():
        rows = [row for row in report.rows if row.kind == kind]
        held = [c for row in rows for c in row.comparisons if c.bound is not None]
        plain = [c for c in held if not c.cause]
        counts = (len({r.definition for r in rows}), len(_pairs(rows)), len(rows), len(held))
        worst = (_worst(c for c in plain if not c.name.endswith(HALF)), _worst(c for c in plain if c.name.endswith("float32")))
        lines.append(_line(plural, *map(str, counts), *worst, str(len(held) - len(plain))))
    more = f"[{PARITY_PAGE}]({PARITY_PAGE}) has each definition under each convention, and every cause; `lossopt parity` every row."
    return "\n".join([f"{report.summary()}.", "", *lines, "", more])


def parity_page(report: ParityReport) -> str:
    """A line for each definition under each convention, and the causes of wider bounds."""
    parts = [PARITY_INTRODUCTION, f"{report.summary()}.\n"]
    for kind, plural in KINDS.items():
        rows = [row for row in report.rows if row.kind == kind]
        columns = [(title, names) for title, names in COLUMNS["optimizer" if kind == "transform" else kind]
                   if any(c.name in names for row in rows for c in row.comparisons)]  # fmt: skip
        head = ("definition", "convention", "rows", *(title for title, _ in columns))
        lines = [f"## {plural.capitalize()}\n", _line(*head), "|---" * len(head) + "|"]
        for (name, convention), alike in _pairs(rows).items():
            found = [c for row in alike for c in row.comparisons]
            cells = (_worst(c for c in found if c.name in names) for _, names in columns)
            lines.append(_line(name, convention, str(len(alike)), *cells))
        parts.append("\n".join(lines) + "\n")
    notes = [f"- {note.removeprefix('* ')}" for note in report.notes()]
    return "\n".join([*parts, "## Wider bounds, with their causes\n", *notes, ""])


def _pairs(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    """The rows of each definition under each convention."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.definition, row.convention), []).append(row)
    return {pair: found[pair] for pair in sorted(found)}


def _worst(found: Iterable[Comparison]) -> str:
    """The largest error, and a star where it has a cause."""
    worst = max(found, key=lambda c: c.error, default=None)
    if worst is None:
        return ""
    return f"{worst.error:.0e}".replace("0e+00", "0") + (r"\*" if worst.cause else "")


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def outdated_parity(page: str) -> list[str]:
    """Where the page of parity has other definitions, conventions or numbers of rows than the suite; nothing is run."""
    there = sorted(re.findall(r"^\| (\w+) \| (\w+) \| (\d+) \|", page, flags=re.M))
    counted: dict[tuple[str, str, str], int] = {}
    for kind, name, convention, _ in (describe(kind, case) for kind, case in suite()):
        counted[kind, name, convention] = counted.get((kind, name, convention), 0) + 1
    expected = sorted((name, convention, str(n)) for (_, name, convention), n in counted.items())
    wrong = sorted({(n, c) for n, c, _ in set(there) ^ set(expected)})
    return [f"{PARITY_PAGE}: {name} under {convention} has other rows now; {REMEDY}" for name, convention in wrong]


# ------------------------------------------------------------------------------------------------- the README
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


def outdated_readme(text: str, page: str) -> list[str]:
    """Where the README does not show the widest rows of the page of differences."""
    return [] if text == fill(text, {"disagreements": differences.widest(page, WIDEST)}) else [
        f"README.md: its table of differences is not the widest {WIDEST} rows of {differences.PAGE}; {REMEDY}"]  # fmt: skip


def write(readme: Path, only: Sequence[str]) -> None:
    """Measure, and write the README and the pages beside it."""
    blocks = {}
    if "differences" in only:
        page = differences.page(differences.disagreements())
        (readme.parent / differences.PAGE).write_text(page, encoding="utf-8")
        blocks["disagreements"] = differences.widest(page, WIDEST)
    if "parity" in only:
        report = parity()
        (readme.parent / PARITY_PAGE).write_text(parity_page(report), encoding="utf-8")
        blocks["parity"] = parity_block(report)
    readme.write_text(fill(readme.read_text(encoding="utf-8"), blocks), encoding="utf-8")


def check(readme: Path, only: Sequence[str]) -> list[str]:
    """What is behind, one line each; the differences are measured for it, and of the parity suite the rows are counted."""
    pages = {"differences": differences.PAGE, "parity": PARITY_PAGE}
    if missing := [pages[name] for name in only if not (readme.parent / pages[name]).exists()]:
        return [f"{page} is missing beside {readme}; {REMEDY}" for page in missing]
    wrong = []
    if "differences" in only:
        page = (readme.parent / differences.PAGE).read_text(encoding="utf-8")
        wrong += outdated_readme(readme.read_text(encoding="utf-8"), page)
        wrong += differences.outdated(page, differences.disagreements())
    if "parity" in only:
        wrong += outdated_parity((readme.parent / PARITY_PAGE).read_text(encoding="utf-8"))
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Write, or check, the README given on the command line and the pages beside it."""
    parser = argparse.ArgumentParser(prog="python -m lossopt.readme", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("path", type=Path, nargs="?", default=Path("README.md"), help="README.md, in the repository's root")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where something is behind")
    parser.add_argument("--only", choices=("differences", "parity"), help="one of the two; the parity suite takes minutes")
    given = parser.parse_args(arguments)
    only = (given.only,) if given.only else ("differences", "parity")
    if not given.check:
        write(given.path, only)
        return 0
    wrong = check(given.path, only)
    for line in wrong:
        print(line, file=sys.stderr)  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
