"""``lossopt bench``: step time and memory of every executor beside the frameworks' own optimizers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lossopt.cli.output import add_json, console, print_json

if TYPE_CHECKING:
    from lossopt.bench import Row


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("bench", help="time every executor beside the frameworks' own optimizers", description=__doc__,
                                   allow_abbrev=False)  # fmt: skip
    parser.add_argument("what", choices=["optimizers"], help="what to measure")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which optimizers; none means all that have a counterpart")
    parser.add_argument("--size", default="model", help="model (25 M parameters in 96 tensors), tiny (1,000 tensors of 64), small")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="steps of each variant; the median counts")
    parser.add_argument("--backends", default="torch,jax", metavar="A,B", help="torch,jax")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from lossopt.bench import bench, to_dict

    rows = bench(
        args.names,
        size=args.size,
        rounds=args.rounds,
        backends=args.backends.split(","),
        progress=lambda name: print(f"measuring {name} ...", file=sys.stderr, flush=True),
    )
    if args.json:
        print_json(to_dict(rows))
    else:
        _print(rows, args.size, args.rounds)
    return 0


def _print(rows: Sequence[Row], size: str, rounds: int) -> None:
    from rich.table import Table

    table = Table(title=f"one step, size {size!r}, median of {rounds} interleaved rounds", title_justify="left", box=None)
    for name, justify in (("optimizer", "left"), ("variant", "left"), ("ms", "right"), ("quartiles", "right"), ("speed", "right"),
                          ("temporary MB", "right")):  # fmt: skip
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    last = ""
    for r in rows:
        if r.optimizer != last and last:
            table.add_row()
        low, high = r.quartiles
        memory = "not measured here" if r.temporary_megabytes is None else f"{r.temporary_megabytes:.1f}"
        style = "bold" if r.variant.startswith("lossopt") else None
        table.add_row(r.optimizer if r.optimizer != last else "", r.variant, f"{r.milliseconds:.2f}", f"{low:.2f} to {high:.2f}",
                      f"{r.ratio:.2f}x", memory, style=style)  # fmt: skip
        last = r.optimizer
    console().print(table)
    console().print(
        "speed: the framework's own time over this one's; torch's own is its for-loop, lion's is lion-pytorch, JAX's is optax.\n"
        "temporary MB: what a step needs beside parameters, gradients and state."
    )
