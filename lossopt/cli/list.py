"""``lossopt list``: what there is by name."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, get_args

from lossopt.cli.output import add_json, console, print_json, show
from lossopt.definition import Definition, Kind
from lossopt.errors import UnknownNameError, suggest

if TYPE_CHECKING:
    from rich.console import RenderableType

PLURALS: dict[str, Kind] = {"losses": "loss", "optimizers": "optimizer", "schedules": "schedule", "transforms": "transform"}


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("list", help="losses, optimizers, schedules and transforms by name", description=__doc__,
                                   allow_abbrev=False)  # fmt: skip
    parser.add_argument("what", nargs="?", metavar="KIND", help=f"{', '.join(PLURALS)}; without it, all (or a pattern on all names)")
    parser.add_argument("pattern", nargs="?", default=None, metavar="GLOB", help="only names that match, such as 'adam*'")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    found = chosen(args.what, args.pattern)
    if not found:
        asked = args.pattern or (args.what if args.what not in PLURALS else "*")
        raise UnknownNameError(f"no name matches {asked!r}; lossopt list shows all")
    if args.json:
        print_json([entry(d) for d in found])
    elif (terminal := console()).is_terminal:
        show(*sections(found, terminal.width))
    else:
        show(lines(found))
    return 0


def entry(d: Definition) -> dict[str, Any]:
    """One definition as JSON: what it is, under whose conventions, and what others call it."""
    from lossopt.explain import names_elsewhere

    elsewhere = {where: names_elsewhere(text, dotted=where != "also") for where, text in d.elsewhere.items()}
    return {"name": d.name, "kind": d.kind, "summary": summary(d), "conventions": list(d.conventions),
            "elsewhere": {where: {"names": list(names), "difference": note} for where, (names, note) in elsewhere.items()}}  # fmt: skip


def lines(found: list[Definition]) -> RenderableType:
    """A line for each, with everything in it: for grep."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(4):
        table.add_column(no_wrap=True)
    for d in found:
        table.add_row(d.name, d.kind, summary(d), " ".join(d.conventions))
    return table


def sections(found: list[Definition], width: int) -> Iterator[RenderableType]:
    """For people: kind by kind, one line of the terminal each; a convention that all have is said once, below."""
    from rich.text import Text

    common = [c for c in found[0].conventions if all(c in d.conventions for d in found)]
    extra = {d.name: " ".join(c for c in d.conventions if c not in common) for d in found}
    aside = max(map(len, extra.values()))
    for plural, kind in PLURALS.items():
        alike = [d for d in found if d.kind == kind]
        if not alike:
            continue
        yield Text.assemble((plural, "bold"), (f" ({len(alike)})", "dim"))
        names = max(len(d.name) for d in alike)
        room = max(width - names - aside - 4, 20)
        for d in alike:
            said = Text(summary(d))
            said.truncate(room, overflow="ellipsis", pad=True)
            yield Text.assemble((d.name.ljust(names), "bold"), "  ", said, "  ", (extra[d.name], "dim"), no_wrap=True)
        yield Text()
    yield Text(f"Conventions: {', '.join(common)}, and those beside a name.  lossopt explain NAME shows the formula.", "dim")


def chosen(what: str | None, pattern: str | None) -> list[Definition]:
    """The definitions that were asked for, kind by kind, in the order of their names."""
    from lossopt import registry

    if what is not None and what not in PLURALS:
        if pattern is not None or not set(what) & set("*?["):
            near = suggest(what, PLURALS) or f"; it is one of: {', '.join(PLURALS)}; a pattern has a star: 'adam*'"
            raise UnknownNameError(f"unknown kind {what!r}{near}")
        what, pattern = None, what
    kinds = (PLURALS[what],) if what else get_args(Kind)
    return [registry.definition(name, kind) for kind in kinds for name in registry.names(kind, pattern or "*")]


def summary(d: Definition) -> str:
    """The first line of a definition's docstring."""
    return d.doc.partition("\n")[0]
