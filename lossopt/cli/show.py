"""``lossopt show FILE``: the recipe in force, and where every value came from."""

from __future__ import annotations

import argparse
from typing import Any

from lossopt.cli.output import add_json, print_json, show

DESCRIPTION = """\
Print every value that a recipe trains with, and where it came from: the line of the file, or the default of a convention.
Values that the file gives are bold."""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("show", help="a recipe with all defaults, and where each value came from", description=DESCRIPTION,
                                   formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)  # fmt: skip
    parser.add_argument("file", metavar="FILE", help="a YAML file, of the short or of the nested form")
    parser.add_argument("--yaml", action="store_true", help="print the recipe as YAML in the short form instead")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from lossopt.recipes.config import load_source
    from lossopt.recipes.show import resolved, rows

    source = load_source(args.file)
    if args.json:
        print_json(resolved(source))
        return 0
    if args.yaml:
        print(source.recipe.to_yaml(), end="")
        return 0
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows(source):
        style = "bold" if row.given else "dim"
        value = row.value if isinstance(row.value, str) else repr(row.value)
        table.add_row(Text(row.key), Text(value, style), Text(row.origin, "dim"))
    show(table)
    return 0
