"""``lossopt compare``: the same recipe in two frameworks, side by side."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Train the same model on the same batches from the same weights in two frameworks, and say where they part: the first
step at which they differ by more than the tolerance, and what differed first (loss, gradient, learning rate, update).
Writes a picture and every number.  Exits 1 if they diverge."""


def add_parser(subparsers: Any) -> None:
    """``lossopt compare RECIPE``."""
    parser = subparsers.add_parser("compare", help="train one recipe in two frameworks and compare them step by step",
                                   description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("recipe", metavar="RECIPE", help="a YAML file, such as configs/digits_classification.yaml")
    parser.add_argument("--task", metavar="FILE", help="a Python file that defines `task`: your own models, mapping and data (it is run)")
    parser.add_argument("--steps", type=int, metavar="N", help="updates, instead of the recipe's")
    parser.add_argument("--dtype", choices=("float32", "float64", "bfloat16", "float16"), help="precision, instead of the recipe's")
    parser.add_argument("--backends", default="jax,torch", metavar="A,B", help="which two (default: jax,torch)")
    parser.add_argument("--against", metavar="RECIPE", help="another recipe for the second backend: do my two recipes agree?")
    parser.add_argument("--tolerance", type=float, metavar="X", help="the largest relative difference that passes (default: the dtype's)")
    parser.add_argument("--out", default="out", metavar="DIR", help="where the picture and the numbers go (default: out)")
    parser.add_argument("--json", action="store_true", help="print every number as JSON, and nothing else, on standard output")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare; 0 if the two agree, 1 if they diverge."""
    from rich.console import Console

    from lossopt.cli import output
    from lossopt.compare import compare, report
    from lossopt.recipes import load_recipe

    recipe = load_recipe(args.recipe)
    backends = tuple(name.strip() for name in args.backends.split(","))
    against = {backends[-1]: load_recipe(args.against)} if args.against else {}
    with report.progress(Console(stderr=True), args.steps or recipe.steps, backends) as on_step:
        comparison = compare(recipe, task=args.task, steps=args.steps, dtype=args.dtype, backends=backends, recipe_for=against,
                             tolerance=args.tolerance, on_step=on_step)  # fmt: skip
    picture, numbers = comparison.save(args.out, Path(args.recipe).stem)
    if args.json:
        print(comparison.to_json())
    else:
        output.show(report.render(comparison), f"  {picture}\n  {numbers}")
    return int(comparison.diverged)
