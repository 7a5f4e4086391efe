"""``lossopt bench``: time and memory of every executor and fused loss, beside the frameworks' own; and what a recording costs."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lossopt.cli.output import add_json, console, print_json

if TYPE_CHECKING:
    from lossopt.bench import Row
    from lossopt.recording.bench import Cost


ONE = {"optimizers": "optimizer", "losses": "loss"}
STEP = {"optimizers": "one step", "losses": "one value and gradient"}
BASELINE = {
    "optimizers": "torch's own is its for-loop, lion's is lion-pytorch, JAX's is optax",
    "losses": "torch's own holds all logits, and so does optax's",
}
MEMORY = {
    "optimizers": "what a step needs beside parameters, gradients and state",
    "losses": "what it needs beside its inputs; torch's with the gradients, JAX's without",
}


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("bench", help="time every executor beside the frameworks' own optimizers", description=__doc__,
                                   allow_abbrev=False)  # fmt: skip
    parser.add_argument("what", choices=["optimizers", "losses", "recording"], help="what to measure")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which of them, of recordings which sizes; none means all")
    parser.add_argument("--size", default="model", help="model (25 M parameters in 96 tensors; 8,192 tokens, 512 features, 32,768 "
                        "classes), tiny (1,000 tensors of 64), small")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="steps of each variant; the median counts")
    parser.add_argument("--backends", default="torch,jax", metavar="A,B", help="torch,jax")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    of = importlib.import_module("lossopt.recording.bench" if args.what == "recording" else "lossopt.bench")
    which = {} if args.what == "recording" else {"what": args.what, "size": args.size}
    rows = of.bench(
        args.names,
        rounds=args.rounds,
        backends=args.backends.split(","),
        progress=lambda name: print(f"measuring {name} ...", file=sys.stderr, flush=True),
        **which,
    )
    if args.json:
        print_json(of.to_dict(rows))
    elif args.what == "recording":
        _print_costs(rows, args.rounds)
    else:
        _print(rows, args.what, args.size, args.rounds)
    return 0


def _print_costs(costs: Sequence[Cost], rounds: int) -> None:
    from rich.table import Table

    table = Table(title=f"a training step without and with a recording, median of {rounds} interleaved rounds", title_justify="left",
                  box=None)  # fmt: skip
    for name in ("backend", "model", "ms", "recorded", "with arrays", "overhead", "of a long run", "of all cores"):
        table.add_column(name, justify="left" if name in ("backend", "model") else "right", no_wrap=True)
    for c in costs:
        table.add_row(c.backend, f"{c.size}: {c.parameters / 1e6:.1f} M in {c.tensors} tensors", f"{c.plain:.2f}", f"{c.recorded:.2f}",
                      f"{c.with_arrays:.2f}", f"{c.overhead:.1f}%", f"{c.average:.1f}%", f"{c.cpu:.1f}%")  # fmt: skip
    console().print(table)
    console().print("with arrays: as the first 20 steps and every hundredth are; of a long run: with every hundredth among them.\n"
                    "of all cores: the overhead in the process's time on all cores, which other programs disturb less.")  # fmt: skip


def _print(rows: Sequence[Row], what: str, size: str, rounds: int) -> None:
    from rich.table import Table

    table = Table(title=f"{STEP[what]}, size {size!r}, median of {rounds} interleaved rounds", title_justify="left", box=None)
    for name, justify in ((ONE[what], "left"), ("variant", "left"), ("ms", "right"), ("quartiles", "right"), ("speed", "right"),
                          ("temporary MB", "right")):  # fmt: skip
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    last = ""
    for r in rows:
        if r.name != last and last:
            table.add_row()
        low, high = r.quartiles
        memory = "not measured here" if r.temporary_megabytes is None else f"{r.temporary_megabytes:.1f}"
        style = "bold" if r.variant.startswith("lossopt") else None
        table.add_row(r.name if r.name != last else "", r.variant, f"{r.milliseconds:.2f}", f"{low:.2f} to {high:.2f}",
                      f"{r.ratio:.2f}x", memory, style=style)  # fmt: skip
        last = r.name
    console().print(table)
    console().print(
        f"speed: the framework's own time over this one's; {BASELINE[what]}.\n"
        f"temporary MB: {MEMORY[what]}."
    )
