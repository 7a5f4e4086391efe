"""``lossopt parity``: every definition, in every backend, against the float64 referee and the frameworks' own code."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from lossopt.cli.output import add_json, print_json, show
from lossopt.errors import ArgumentError, MissingBackendError

DESCRIPTION = """\
Run definitions in every backend that is installed, and hold them to the float64 referee and to PyTorch's, optax's and
Keras's own code: one row of every definition and convention, every row of the ones that are named, or with --all every
row there is (about ten minutes).  A number with a star has a wider bound, and its cause stands below the tables.
Exits 1 if a number is out of its bound without a cause."""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("parity", help="hold every definition to the frameworks' own code", description=DESCRIPTION,
                                   formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)  # fmt: skip
    parser.add_argument("patterns", nargs="*", metavar="NAME", help="every row of these definitions, such as 'adam*'")
    parser.add_argument("--all", action="store_true", help="every row of every definition")
    parser.add_argument("--kind", action="append", metavar="KIND", help="optimizer, transform, loss or schedule; may be repeated")
    parser.add_argument("--dtype", action="append", metavar="DTYPE", help="float64, float32 or bfloat16; may be repeated")
    parser.add_argument("--worst-first", action="store_true", help="the rows nearest to their bounds first")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from lossopt.parity.engine import DTYPES, FOLDERS, parity

    if args.all and args.patterns:
        raise ArgumentError(f"--all is every definition; leave out {args.patterns[0]!r}, or --all")
    every = bool(args.all or args.patterns)
    with progress() as told:
        report = parity(args.patterns, args.kind or tuple(FOLDERS), args.dtype or DTYPES, every=every, progress=told)
    if not any(row.comparisons for row in report.rows):
        raise MissingBackendError("nothing was compared: neither torch nor jax is installed; pip install 'lossopt[all]'")
    if args.json:
        print_json(report.to_dict())
        return 0 if report.ok else 1
    from rich.text import Text

    show(*report.tables(worst_first=args.worst_first), *map(Text, report.notes()), Text(f"\n{report.summary()}"))
    return 0 if report.ok else 1


@contextlib.contextmanager
def progress() -> Iterator[Callable[[int, int, str], None]]:
    """A bar on standard error, which is gone when the work is done; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    with Progress(BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False),
                  console=console, transient=True, disable=not console.is_terminal) as bar:  # fmt: skip
        task = bar.add_task("", total=None)
        yield lambda done, total, label: bar.update(task, completed=done, total=total, description=label)
