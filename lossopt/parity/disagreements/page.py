"""The page of all rows, the README's widest ones, and whether a page still says what is measured."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lossopt.errors import InputError
from lossopt.parity.disagreements.engine import STEPS, Disagreement
from lossopt.parity.disagreements.table import PAGE, SECTIONS, topics
from lossopt.parity.disagreements.topic import Topic

REMEDY = "type: make readme"
ROUNDING, ROUNDING_FLOAT32 = 1e-12, 1e-6
"""What counts as equal in float64, and in a float32 update."""
DIGITS, DIGITS_FLOAT32 = 0.05, 0.5
"""How far a measured number may be from the two digits that are shown; float32 rounds otherwise on another machine."""

HEAD = ("", "one side", "the other", "apart", "because", "in lossopt", "JAX to PyTorch", "carried over", "upstream")
SHORT = HEAD[:7]

INTRODUCTION = f"""\
# Where the frameworks differ under one name

Written by `make readme`, which measures every number; a test measures them again.

**Apart**: both sides run the framework's own code, with its own defaults where nothing else is shown and the learning rate
equal.  For an optimizer it is how far the parameters have parted within {STEPS} steps, relative to how far they moved; for a
loss or a schedule how far the values are apart, relative to the largest on the left; for a derivative the largest
difference.  Everything is in float64, so that none of it is rounding, but for the rows that say float32 (there it is the
error of one update, relative).  `F` is `torch.nn.functional`, `jnp` is `jax.numpy`.

**In lossopt**: the switch that says the one or the other, in either framework; what lossopt does not copy is said, too.
**JAX to PyTorch** is how far lossopt is from itself across frameworks under each side's numbers, **carried over** how far
lossopt in the other framework is from the framework's own: PyTorch's numbers in JAX, optax's and Keras's in PyTorch, the
worse of both.
"""


@dataclass(frozen=True)
class Shown:
    """One row as it stands on the page: its anchor, and its cells without it."""

    slug: str
    cells: tuple[str, ...]

    @property
    def apart(self) -> float:
        return _number(self.cells[3])


# ------------------------------------------------------------------------------------------------- writing
def page(rows: Iterable[Disagreement]) -> str:
    """All rows as a Markdown page, section by section."""
    return _sections({row.topic.slug: _line(f'<a id="{row.topic.slug}"></a>{row.topic.name}', *_cells(row)[1:]) for row in rows})


def _sections(lines: Mapping[str, str]) -> str:
    parts = [INTRODUCTION]
    for title, section in SECTIONS.items():
        parts.append("\n".join([f"## {title}\n", *_head(HEAD), *(lines.get(t.slug, "") for t in section)]) + "\n")
    return "\n".join(parts)


def widest(text: str, count: int) -> str:
    """The widest rows of a page as a table for the README; each name leads to its row."""
    rows = sorted(read(text), key=lambda row: -row.apart)
    lines = [_line(f"[{row.cells[0]}]({PAGE}#{row.slug})", *row.cells[1 : len(SHORT)]) for row in rows[:count]]
    more = f"These are the widest {count} of {len(rows)}; all stand in [{PAGE}]({PAGE}), with the upstream issues."
    return "\n".join([*_head(SHORT), *lines, "", more])


def _cells(row: Disagreement) -> tuple[str, ...]:
    name, left, right, why, bridge, upstream = stated(row.topic)
    carried = "" if row.carried is None else _rounding(row.carried)
    return name, left, right, _two_digits(row.apart), why, bridge, _rounding(row.ours), carried, upstream


def stated(topic: Topic) -> tuple[str, ...]:
    """The cells that need no run: name, both sides, cause, bridge, upstream."""
    left, right = (f"`{side.shown}`" for side in topic.sides)
    bridge = "; ".join([topic.bridge, *(side.unlike for side in topic.sides if side.unlike)])
    return topic.name, left, right, topic.why, bridge, ", ".join(map(_link, topic.upstream))


def _link(reference: str) -> str:
    """``[optax#1389](https://...)`` of ``google-deepmind/optax#1389``; ``!`` in the place of ``#`` is a pull request.

    >>> _link("google-deepmind/optax!1725")
    '[optax#1725](https://github.com/google-deepmind/optax/pull/1725)'
    """
    repository, sort, number = re.fullmatch(r"(.+)([#!])(\d+)", reference).groups()  # type: ignore[union-attr]
    return f"[{repository.partition('/')[2]}#{number}](https://github.com/{repository}/{'pull' if sort == '!' else 'issues'}/{number})"


def _head(titles: Sequence[str]) -> list[str]:
    return [_line(*titles), "|---" * len(titles) + "|"]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _two_digits(x: float) -> str:
    if not math.isfinite(x):
        return "not finite"
    return "0" if x == 0 else f"{x:.2g}" if 0.01 <= x < 100 else f"{x:.1e}"


def _rounding(x: float) -> str:
    return "0" if x == 0 else f"{x:.0e}"


# ------------------------------------------------------------------------------------------------- reading
def read(text: str) -> list[Shown]:
    """The rows of a page."""
    found = re.findall(r'^\| <a id="([^"]+)"></a>(.*) \|$', text, flags=re.M)
    return [Shown(slug, tuple(cell.strip() for cell in line.split(" | "))) for slug, line in found]


def outdated(text: str, rows: Iterable[Disagreement] = ()) -> list[str]:
    """Where a page does not say what there is, and of the rows that are given what is measured: one line each.

    Raises:
        InputError: the text is no such page.
    """
    there = {row.slug: row for row in read(text)}
    if not there:
        raise InputError(f"this is no page of differences: it has no rows; {REMEDY}")
    expected = {topic.slug: topic for topic in topics()}
    wrong = [f"{PAGE}: the row {slug} is missing; {REMEDY}" for slug in expected if slug not in there]
    wrong += [f"{PAGE}: the row {slug} is of nothing; {REMEDY}" for slug in there if slug not in expected]
    for slug in there.keys() & expected.keys():
        cells = there[slug].cells
        if (*cells[:3], *cells[4:6], *cells[8:]) != stated(expected[slug]):
            wrong.append(f"{PAGE}: the row {slug} has other words now; {REMEDY}")
    lines = {slug: line for line, slug in re.findall(r'^(\| <a id="([^"]+)">.*)$', text, flags=re.M)}
    if text != _sections(lines):
        wrong.append(f"{PAGE}: its introduction, sections or order are other ones now; {REMEDY}")
    return sorted(wrong) + [line for row in rows if row.topic.slug in there for line in _numbers(there[row.topic.slug], row)]


def _numbers(shown: Shown, row: Disagreement) -> list[str]:
    """What of a row's three numbers is not what was measured."""
    single = row.topic.about == "float32"
    rounding, digits = (ROUNDING_FLOAT32, DIGITS_FLOAT32) if single else (ROUNDING, DIGITS)
    wrong = []
    if not _same(shown.apart, row.apart, rounding, digits):
        wrong.append(f"{PAGE}: the row {shown.slug} says {shown.cells[3]} apart, measured {_two_digits(row.apart)}; {REMEDY}")
    for cell, title, measured in ((6, "JAX to PyTorch", row.ours), (7, "carried over", row.carried)):
        said = shown.cells[cell]
        equal = said == "" if measured is None else said != "" and max(_number(said), measured) < rounding
        if not equal:
            wrong.append(f"{PAGE}: the row {shown.slug} says {said or 'nothing'} under {title!r}, measured {measured}; {REMEDY}")
    return wrong


def _same(shown: float, measured: float, rounding: float, digits: float) -> bool:
    if shown == measured or max(shown, measured) < rounding:
        return True
    return math.isfinite(measured) and abs(shown - measured) <= digits * measured


def _number(cell: str) -> float:
    return math.inf if cell == "not finite" else float(cell)
