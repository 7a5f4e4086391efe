"""``lossopt schema``: the JSON Schema of recipes, for editors."""

from __future__ import annotations

import argparse
import json
from typing import Any

from lossopt.cli.output import add_json

DESCRIPTION = """\
Print the JSON Schema of a recipe's file, of both forms, made from the definitions' signatures.  An editor that knows it
completes names and hyperparameters and marks what is wrong.  With the YAML language server:
  lossopt schema > recipe.schema.json
  # yaml-language-server: $schema=recipe.schema.json       (the first line of the recipe)"""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("schema", help="the JSON Schema of recipes, so that editors complete them", description=DESCRIPTION,
                                   formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)  # fmt: skip
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """The schema is JSON with and without ``--json``, which is there because every command has it; with it, on one line."""
    from lossopt.recipes.schema import schema

    print(json.dumps(schema(), indent=None if args.json else 2, ensure_ascii=False))
    return 0
