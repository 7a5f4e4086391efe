"""``lossopt list``: what there is by name."""

from __future__ import annotations

import argparse
from typing import Any, get_args

from lossopt.cli.output import add_json, print_json, show
from lossopt.definition import Definition, Kind
from lossopt.errors import UnknownNameError, suggest

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
        print_json([{"name": d.name, "kind": d.kind, "summary": summary(d), "conventions": list(d.conventions)} for d in found])
        return 0
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for style in ("bold", "dim", None, "dim"):
        table.add_column(style=style, no_wrap=style is not None)
    for d in found:
        table.add_row(d.name, d.kind, summary(d), " ".join(d.conventions))
    show(table)
    return 0


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
