"""``lossopt port-check``: a model ported from one framework to the other, stage by stage."""

from __future__ import annotations

import argparse
import contextlib
import sys
from typing import Any

DESCRIPTION = """\
Build the PyTorch model and its port to JAX, train both in this process, and go through the checklist: initial weights,
one batch, forward, loss, gradients, one update, ten updates, a hundred.  Stops at the first stage that breaks, and says
in one sentence what differs and what to type.  Exits 0 if both are equal to rounding, 1 if a stage breaks.

FILE.py:FUNCTION is your own function, without arguments; the file is run.  It returns a dict, or an object with attributes:
  PyTorch  model, loss, optimizer, batches; if wanted scheduler, before_step
  JAX      model (an nnx.Module), or apply and params; loss, optimizer (optax), batches; if wanted lr
loss(outputs, labels) gives one number; batches are tuples (inputs, ..., labels) of arrays, one for each update.
help(lossopt.port_check) says it in full; examples/port_check_torch.py and port_check_flax.py are a pair."""


def add_parser(subparsers: Any) -> None:
    """``lossopt port-check --torch FILE.py:FUNCTION --jax FILE.py:FUNCTION``."""
    parser = subparsers.add_parser("port-check", help="check a model ported between PyTorch and JAX, stage by stage",
                                   description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--torch", metavar="FILE.py:FUNCTION", required=True, help="what makes the PyTorch side")
    parser.add_argument("--jax", metavar="FILE.py:FUNCTION", required=True, help="what makes the JAX side")
    parser.add_argument("--steps", type=int, default=100, metavar="N", help="the most updates (default: 100)")
    parser.add_argument("--copy-weights", choices=("torch", "jax"), help="give both sides the initial weights of this one")
    parser.add_argument("--map", metavar="FILE", help="YAML, {a parameter of JAX: its name in PyTorch}, with * for any part")
    parser.add_argument("--keep", metavar="FOLDER", help="keep both recordings, for lossopt diff and lossopt identify")
    parser.add_argument("--json", action="store_true", help="print every number as JSON, and nothing else, on standard output")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check; 0 if equal to rounding, 1 if a stage breaks."""
    from lossopt.cli import output
    from lossopt.port_check import report
    from lossopt.port_check.check import check
    from lossopt.port_check.source import load

    with contextlib.redirect_stdout(sys.stderr):  # what the user's code prints is not the result
        makers = load("--torch", args.torch), load("--jax", args.jax)
        found = check(*makers, steps=args.steps, copy_weights=args.copy_weights, rules=args.map, keep=args.keep)
    if args.json:
        output.print_json(found.to_dict())
    else:
        output.show(report.render(found))
    return int(not found.equal)
