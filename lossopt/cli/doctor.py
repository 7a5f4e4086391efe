"""``lossopt doctor``: what works on this machine, and what to install otherwise."""

from __future__ import annotations

import argparse
from typing import Any

from lossopt.cli.output import add_json, print_json, show


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("doctor", help="which backends work on this machine, and what to install otherwise",
                                   description=__doc__, allow_abbrev=False)  # fmt: skip
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from lossopt.doctor import diagnose

    found = diagnose()
    if args.json:
        print_json(found.to_dict())
        return 0 if found.healthy else 1
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, told in (("lossopt", found.lossopt), ("python", f"{found.python}, {found.platform}"), *found.packages.items()):
        table.add_row(name, told or Text("not installed", "dim"))
    table.add_row("C++ compiler", found.compiler or "none; torch.compile needs one")
    show(table)
    for b in found.backends:
        mark, style = {True: ("works", "green"), False: ("broken", "bold red"), None: ("not here", "dim")}[b.works]
        show(Text.assemble("\n", (b.name, "bold"), "  ", (mark, style), "  ", b.detail))
        for fact, told in b.facts.items():
            show(Text(f"  {fact}: {told}"))
    return 0 if found.healthy else 1
