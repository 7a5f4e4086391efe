"""``lossopt identify``: which optimizer, schedule and loss made a recorded run."""

from __future__ import annotations

import argparse
from typing import Any

DESCRIPTION = """\
From the parameters, gradients and updates of a recording's first steps (lossopt.record), find the optimizer, the
convention and the hyperparameters that produced them: every definition is replayed, its continuous hyperparameters are
fitted, and what comes closest is named, with its residual in roundings, what the data determine and what they leave open,
the parameters that are treated differently, the schedule, clipping, and the loss where predictions were recorded.
Exits 1 if nothing explains the updates."""


def add_parser(subparsers: Any) -> None:
    """``lossopt identify RUN``."""
    parser = subparsers.add_parser("identify", help="name the optimizer and hyperparameters that made a recorded run",
                                   description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("run_folder", metavar="RUN", help="the folder of a recording")
    parser.add_argument("--top", type=int, default=3, metavar="N", help="how many of the next best to show (default: 3)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Identify; 0 if something explains the updates, 1 if not."""
    from lossopt.cli import output
    from lossopt.errors import ArgumentError
    from lossopt.identify import identify, report
    from lossopt.identify.losses import identify_loss
    from lossopt.recording import read_recording

    if args.top < 0:
        raise ArgumentError(f"identify: --top is a whole number from 0, got {args.top}")
    recording = read_recording(args.run_folder)
    found = identify(recording)
    loss = identify_loss(recording)
    if args.json:
        output.print_json({**found.to_dict(), "loss": loss.to_dict()})
    else:
        output.show(report.text(found, top=args.top), *([f"  {loss}"] if loss.ranking else []))
    return int(found.best is None)
