"""``lossopt plot-schedule FILE|NAME``: a learning rate over the steps."""

from __future__ import annotations

import argparse
from typing import Any

from lossopt.cli.output import add_json, console, print_json

DESCRIPTION = """\
Draw a schedule: that of a recipe's file, from the optimizer's learning rate over the recipe's steps; or one by name, as
  lossopt plot-schedule cosine T_max=100 lr=0.1
In the terminal, or with -o as a picture."""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("plot-schedule", help="draw a learning rate over the steps", description=DESCRIPTION,
                                   formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)  # fmt: skip
    parser.add_argument("what", metavar="FILE|NAME", help="a recipe, or a schedule's name (lossopt list schedules)")
    parser.add_argument("hyperparameters", nargs="*", metavar="KEY=VALUE", help="a named schedule's hyperparameters, such as T_max=100")
    parser.add_argument("--steps", type=int, metavar="N", help="how many (default: the recipe's; for a name 200)")
    parser.add_argument("-o", "--out", metavar="FILE", help="write a picture instead: schedule.png, or .svg or .pdf")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from lossopt.recipes.plot import picture, terminal, values_of

    schedule, steps = _chosen(args)
    curves = {"learning rate": values_of(schedule, steps)}
    curves |= {name: values_of(companion, steps) for name, companion in getattr(schedule, "companions", dict)().items()}
    if args.json:
        print_json({"schedule": repr(schedule), "steps": steps, **curves})
        return 0
    if args.out:
        picture(curves, repr(schedule), args.out)
        print(args.out)
        return 0
    width = min(console().width if console().is_terminal else 80, 100) - 12
    titles = {name: f"{name}: {schedule!r}" if name == "learning rate" else name for name in curves}
    print(*(terminal(values, titles[name], width) for name, values in curves.items()), sep="\n\n")
    return 0


def _chosen(args: argparse.Namespace) -> tuple[Any, int]:
    """The schedule and the number of steps."""
    from lossopt import hyper, registry
    from lossopt.errors import ArgumentError
    from lossopt.recipes import load_recipe
    from lossopt.recipes.document import parse
    from lossopt.recipes.reader import read_definition

    if args.steps is not None:
        hyper.check("lossopt plot-schedule", "--steps", args.steps, hyper.Count)
    if args.what.endswith((".yaml", ".yml")):
        if args.hyperparameters:
            raise ArgumentError(f"{args.what} says its schedule's hyperparameters; {args.hyperparameters[0]} goes with a schedule's name")
        recipe = load_recipe(args.what)
        lr = None if recipe.lr_name is None else recipe.optimizer.flat[recipe.lr_name]
        if lr is None:
            raise ArgumentError(f"{recipe.optimizer!r} has no learning rate to draw")
        if recipe.schedule is not None:
            return recipe.schedule.with_lr(lr), args.steps or recipe.steps
        return lr if callable(lr) else registry.get_schedule("constant", lr=lr), args.steps or recipe.steps
    entries = []
    for pair in args.hyperparameters:
        key, equals, value = pair.partition("=")
        if not equals or not key or not value:
            raise ArgumentError(f"hyperparameters are written KEY=VALUE, such as T_max=100, got {pair!r}")
        entries.append(f"{key}: {value}")
    registry.definition(args.what, "schedule")
    text = "{" + ", ".join([f"name: {args.what}", *entries]) + "}"
    schedule = read_definition(parse(text, "command line"), "schedule", "schedule").spec
    if schedule.waits_for_metric:
        raise ArgumentError(f"{args.what} waits for a metric, so it has no value at a step to draw")
    return schedule, args.steps or schedule.hyperparameters.get("total_steps") or 200
