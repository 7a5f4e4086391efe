"""``lossopt validate FILE...``: whether recipes are right, without a framework."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lossopt.cli.output import add_json, print_json

DESCRIPTION = """\
Read recipes and say for everything that is wrong where it stands, what was given and what is allowed.  No framework is
imported and nothing is trained.  Exits 1 if one is wrong, 2 if one cannot be read."""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("validate", help="check recipes: every problem with its line", description=DESCRIPTION,
                                   formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)  # fmt: skip
    parser.add_argument("files", nargs="+", metavar="FILE", help="YAML files, of the short or of the nested form")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from lossopt.errors import ConfigError
    from lossopt.recipes import load_recipe

    found: list[dict[str, Any]] = []
    for file in args.files:
        problems: list[str] = []
        try:
            recipe = load_recipe(file)
            told = ", ".join(repr(part) for part in (recipe.loss, recipe.optimizer, recipe.schedule) if part is not None)
        except ConfigError as error:
            problems, told = [str(problem) for problem in error.problems], ""
        found.append({"file": file, "valid": not problems, "problems": problems, "recipe": told or None})
    if args.json:
        print_json(found)
    else:
        for one in found:
            print("\n".join(one["problems"]) if one["problems"] else f"{one['file']}: {one['recipe']}")
    if not all(Path(file).is_file() for file in args.files):
        return 2
    return 0 if all(one["valid"] for one in found) else 1
