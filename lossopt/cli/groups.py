"""``lossopt groups FILE``: which parameter gets which hyperparameters."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lossopt.cli.output import add_json, print_json, show

DESCRIPTION = """\
Print every parameter of a model with the hyperparameters that a recipe's groups give it.  A pattern that matches nothing is
an error, which names the closest parameter.  The model is that of the recipe's task, of --task, or of --model."""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("groups", help="which parameter of a model gets which hyperparameters", description=DESCRIPTION,
                                   formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)  # fmt: skip
    parser.add_argument("file", metavar="FILE", help="a recipe, of the short or of the nested form")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--model", metavar="MODULE:FUNCTION",
                        help="a function without arguments that makes it: package.module:make or file.py:make (it is run)")  # fmt: skip
    chosen.add_argument("--task", metavar="TASK", help="a built-in task, or a Python file that defines `task` (it is run)")
    parser.add_argument("--backend", metavar="NAME", help="torch or jax, whose model of the task; the first that is installed by default")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from lossopt.errors import ArgumentError
    from lossopt.recipes import load_recipe
    from lossopt.recipes.groups import groups

    recipe = load_recipe(args.file)
    if args.model and args.backend:
        raise ArgumentError("--backend goes with a task; the model of --model is of one framework")
    model = _made(args.model) if args.model else _of_task(args.task or recipe.task, args.backend, recipe.seed)
    found = groups(model, recipe)
    if args.json:
        print_json(found.to_dict())
        return 0
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    heading, lines = found.cells()
    for head in heading:
        table.add_column(head, no_wrap=True)
    plain = lines[0][2:-1] if lines else []
    for line in lines:
        changed = [Text(cell, "bold yellow" if line[-1] and cell != usual else "") for cell, usual in zip(line[2:-1], plain, strict=True)]
        table.add_row(Text(line[0], "bold"), Text(line[1], "dim"), *changed, Text(line[-1], "dim"))
    show(Text(repr(found.optimizer)), table)
    return 0


def _of_task(name: str, backend: str | None, seed: int) -> Any:
    from lossopt import registry
    from lossopt.errors import MissingBackendError, UnknownNameError
    from lossopt.recipes.build import TRAINERS
    from lossopt.tasks import get_task, load_task

    if backend is not None and backend not in TRAINERS:
        registry.backend(backend)
        raise UnknownNameError(f"backend {backend!r} trains no model; it is one of {' and '.join(TRAINERS)}")
    chosen = backend or next((name for name in ("torch", "jax") if not registry.backend(name).missing), None)
    if chosen is None:
        raise MissingBackendError("a model needs torch or jax, and neither is installed: pip install 'lossopt[torch]'")
    task = load_task(name) if name.endswith(".py") else get_task(name)
    return registry.backend(chosen).part("trainer").model(task, seed)


def _made(where: str) -> Any:
    """The model that ``module:function`` or ``file.py:function`` makes."""
    from lossopt.errors import InputError, suggest

    source, colon, name = where.rpartition(":")
    if not colon or not source or not name:
        raise InputError(f"--model takes module:function or file.py:function, got {where!r}")
    try:
        module = _from_file(Path(source)) if source.endswith(".py") else importlib.import_module(source)
    except ModuleNotFoundError as error:
        raise InputError(f"--model {where}: {error}; a file is named with its ending: file.py:{name}") from None
    make: Callable[[], Any] | None = getattr(module, name, None)
    if make is None or not callable(make):
        raise InputError(f"--model {where}: {source} has no function {name!r}{suggest(name, vars(module))}")
    return make()


def _from_file(path: Path) -> Any:
    from lossopt.errors import InputError

    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InputError(f"--model: there is no file {str(path)!r}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
