"""``lossopt explain NAME``: what a name stands for."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lossopt.cli.output import add_json, print_json, show

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lossopt.explain import Explanation


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("explain", help="the formula, hyperparameters, state and names elsewhere of one definition",
                                   description=__doc__, allow_abbrev=False)  # fmt: skip
    parser.add_argument("name", metavar="NAME", help="ours, or another framework's: adamw, AdamW, optax.adamw")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from lossopt.explain import explain

    found = explain(args.name)
    if args.json:
        print_json(found.to_dict())
        return 0
    show(*page(found))
    return 0


def page(e: Explanation) -> Iterator[RenderableType]:
    """The page in the order in which it is read: what it is, the formula, the arguments, the state, elsewhere."""
    from rich.text import Text

    from lossopt.explain import state_line

    yield Text.assemble((e.name, "bold"), (f"  {e.kind}", "dim"))
    if e.note:
        yield Text(e.note, "yellow")
    yield Text(f"\n{e.summary}")
    if e.description:
        yield "\n" + e.description.replace("::\n", ":\n").replace("``", "")
    for head, text in (("Takes", ", ".join(e.takes)), ("Shapes", e.shapes.replace("``", ""))):
        if text:
            yield Text.assemble(("\n" + head, "bold"), f"  {text}")
    if e.hyperparameters:
        yield from (Text("\nHyperparameters", "bold"), _hyperparameters(e))
    if e.bytes_per_parameter is not None:
        yield Text("\n" + state_line(e), "bold")
        if e.state:
            yield _columns((s.name, s.shape, f"only with {s.needs}" if s.needs else "") for s in e.state)
    for asked, how in e.asks.items():
        yield Text.assemble(("\nNeeds " + asked, "bold"), f"  {how}")
    if e.elsewhere:
        yield from (Text("\nElsewhere", "bold"), _columns((w, ", ".join(names), note) for w, (names, note) in e.elsewhere.items()))
    if e.papers:
        yield from (Text("\nPaper", "bold"), *(textwrap.indent(p, "  ") for p in e.papers))


def _hyperparameters(e: Explanation) -> RenderableType:
    """One row each; defaults in which a convention differs stand out in colour and, without colour, by a star."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("  name", *e.conventions, "allowed", "meaning"):
        table.add_column(head, no_wrap=head not in ("allowed", "meaning"))
    for h in e.hyperparameters:
        defaults = [Text(repr(value), "bold yellow" if value != h.default else "") for value in h.conventions.values()]
        table.add_row(f"{'*' if h.differs else ' '} {h.name}", *defaults, Text(h.allowed), Text(h.meaning.replace("``", "")))
    return table


def _columns(rows: Iterator[tuple[str, ...]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(Text(("  " if i == 0 else "") + cell) for i, cell in enumerate(row)))
    return table
