"""``lossopt diff``: two recorded runs, link by link, and the first that breaks."""

from __future__ import annotations

import argparse
from typing import Any

DESCRIPTION = """\
Line up two recordings (lossopt.record) of a training run, in PyTorch or JAX, and walk the chain that every step is made
of: parameters, initial weights, data, loss, gradient, clipping, learning rate, update, evaluation.  Names the first link
that differs by more than rounding, the step, how much and what is still equal; then, in one sentence, what differs and
what to type to make the two runs equal.  Exits 0 if they are equal to rounding, 1 if they differ."""


def add_parser(subparsers: Any) -> None:
    """``lossopt diff RUN_A RUN_B``."""
    parser = subparsers.add_parser("diff", help="compare two recorded runs and name the first link that breaks",
                                   description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("run_a", metavar="RUN_A", help="the folder of a recording: what is right")
    parser.add_argument("run_b", metavar="RUN_B", help="the folder of another: what is to become equal to it")
    parser.add_argument(
        "--map", metavar="FILE", help="YAML, {a parameter of RUN_B: its name in RUN_A}, with * for any part: fc.*.kernel: layers.*.weight"
    )
    parser.add_argument("--plot", metavar="FILE", help="draw the differences over the steps: apart.png, or .svg or .pdf")
    parser.add_argument("--json", action="store_true", help="print every number as JSON, and nothing else, on standard output")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare; 0 if equal to rounding, 1 if not."""
    from lossopt.cli import output
    from lossopt.diff import diff, report

    found = diff(args.run_a, args.run_b, rules=args.map)
    if args.plot:
        found.save_picture(args.plot)
    if args.json:
        output.print_json(found.to_dict())
    else:
        output.show(report.render(found), *([f"  {args.plot}"] if args.plot else []))
    return int(not found.equal)
