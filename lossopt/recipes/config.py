"""The short form of a recipe, read strictly: every error says file, line, column, key and remedy.

    task: digits
    loss: {name: cross_entropy, label_smoothing: 0.1}      # or only a name
    optimizer: {name: adamw, lr: 1e-3, weight_decay: 0.05}
    schedule: {name: cosine, T_max: 500}
    clip: {global_norm: 1.0}
    steps: 500

A schedule starts from ``optimizer.lr``.  Where it names its own peak or first value (one_cycle's ``max_lr``), that is
the base instead, as it is in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lossopt import hyper, registry
from lossopt.definition import Definition, Kind, Spec
from lossopt.errors import ConfigError, LossoptError, suggest
from lossopt.recipes.document import Node, Place, parse, read
from lossopt.recipes.recipe import SETTINGS, Recipe, with_lr
from lossopt.spelling import to_canonical

KEYS = ("task", "loss", "optimizer", "schedule", "clip", *SETTINGS)
CLIPS = {"global_norm": ("clip_by_global_norm", "max_norm"), "value": ("clip_by_value", "max_value")}


def read_recipe(path: str | Path) -> Recipe:
    """The recipe in a YAML file.

    Raises:
        ConfigError: ``recipe.yaml:7:9 optimizer.name: unknown optimizer 'adamww'; did you mean 'adamw'? ...``
    """
    return _recipe(read(path))


def parse_recipe(text: str, file: str = "recipe.yaml") -> Recipe:
    """The recipe in a YAML text; errors call it `file`.

    >>> parse_recipe("loss: mse_loss\\noptimizer: {name: sgd, lr: 1e-1}").optimizer
    sgd(lr=0.1)
    """
    return _recipe(parse(text, file))


def _recipe(root: Node) -> Recipe:
    entries = _mapping(root, "", KEYS)
    for needed, example in (("a loss", "loss: cross_entropy"), ("an optimizer", "optimizer: adamw")):
        if needed.split()[1] not in entries:
            raise root.place.error(f"a recipe has {needed}, such as `{example}`")
    settings = {name: _checked(entries[name], name, SETTINGS[name]) for name in SETTINGS if name in entries}
    if "task" in entries:
        settings["task"] = _task(entries["task"])
    optimizer = _definition(entries["optimizer"], "optimizer")
    if "clip" in entries:
        optimizer = _clipped(entries["clip"], optimizer)
    schedule = None
    if "schedule" in entries and entries["schedule"].value is not None:
        schedule = _schedule(entries["schedule"])
        if (base := schedule.hyperparameters.get("lr", 1)) != 1:  # max_lr takes the optimizer's place, as it does in PyTorch
            optimizer, schedule = with_lr(optimizer, base), schedule.with_lr(1.0)
    at = entries["schedule"].place if schedule else root.place
    loss = _definition(entries["loss"], "loss")
    return _located(at, "schedule" if schedule else "", lambda: Recipe(loss, optimizer, schedule, **settings))


def _task(node: Node) -> str:
    from lossopt.tasks import get_task

    name = _word(node, "task")
    _located(node.place, "task", lambda: get_task(name))
    return name


def _schedule(node: Node) -> Any:
    if isinstance(node.value, dict):
        for key in ("lr", "learning_rate"):
            if key in node.keys:
                raise node.keys[key].error("a recipe's schedule starts from the optimizer's own: write optimizer.lr", f"schedule.{key}")
    return _definition(node, "schedule")


def _clipped(node: Node, optimizer: Spec) -> Spec:
    entries = _mapping(node, "clip", tuple(CLIPS))
    rules = []
    for key, value in entries.items():
        name, argument = CLIPS[key]
        clip: Any = registry.definition(name, "transform")
        rules.append(clip(**{argument: _checked(value, f"clip.{key}", clip.annotations[argument])}))
    if not rules:
        raise node.place.error("write {global_norm: 1.0} or {value: 0.5}", "clip")
    chain: Any = registry.definition("chain", "transform")
    return chain(*rules, optimizer)


def _definition(node: Node, kind: Kind) -> Any:
    """``name``, or ``{name: ..., hyperparameters}``, as a spec."""
    entries = _mapping(node, kind) if isinstance(node.value, dict) else {"name": node}
    if "name" not in entries:
        raise node.place.error(f"which {kind}? Write {{name: ..., {', '.join(entries)}}}", kind)
    named = entries.pop("name")
    definition = _located(named.place, f"{kind}.name", lambda: registry.definition(_word(named, f"{kind}.name"), kind))
    options: dict[str, Any] = {}
    for option in ("convention", "reduction") if kind == "loss" else ("convention",):
        if option in entries:
            options[option] = _word(entries[option], f"{kind}.{option}")
            _located(entries.pop(option).place, f"{kind}.{option}", lambda: _configure(definition, options))
    given = {key: value.plain() for key, value in entries.items()}
    for key in given:
        _one(definition, kind, key, node.keys[key], entries[key], options.get("convention", "torch"))
    return _located(node.place, kind, lambda: _configure(definition, {**options, **given}))


def _configure(definition: Any, options: dict[str, Any]) -> Any:
    return definition.configure(**options) if definition.kind == "loss" else definition(**options)


def _one(definition: Definition, kind: str, key: str, at: Place, value: Node, convention: str) -> None:
    """Check one hyperparameter by itself, so that an error names its own place."""
    given = {key: value.plain()}
    try:
        canonical = to_canonical(definition, given, definition.defaults_of(convention))
    except LossoptError as error:
        raise at.error(str(error), f"{kind}.{key}") from None
    for name, found in canonical.items():
        problem = _message(lambda name=name, found=found: hyper.check("", name, found, definition.annotations[name]))
        if problem is None:
            continue
        problem, where = problem.removeprefix(f": {name}"), value.place
        if problem.startswith("[") and isinstance(value.value, list):
            index, _, problem = problem.partition(" ")
            where, key = value.value[int(index[1:-1])].place, key + index
        raise where.error(problem.strip(), f"{kind}.{key}")


def _checked(node: Node, key: str, annotation: Any) -> Any:
    value = node.plain()
    problem = _message(lambda: hyper.check("", key, value, annotation))
    if problem is not None:
        raise node.place.error(problem.removeprefix(f": {key}").strip(), key)
    return int(value) if isinstance(value, float) and annotation in (hyper.Count, hyper.NaturalNumber) else value


def _message(run: Callable[[], Any]) -> str | None:
    try:
        run()
    except LossoptError as error:
        return str(error)
    return None


def _located(at: Place, key: str, run: Callable[[], Any]) -> Any:
    try:
        return run()
    except ConfigError:
        raise
    except LossoptError as error:
        raise at.error(str(error), key) from None


def _mapping(node: Node, key: str, known: tuple[str, ...] = ()) -> dict[str, Node]:
    if not isinstance(node.value, dict):
        example = f"{key}: {{...}}" if key else "loss: cross_entropy"
        raise node.place.error(f"expected keys and values, such as `{example}`, got {node.plain()!r}", key)
    for name in node.value if known else ():
        if name not in known:
            where = f"{key}.{name}" if key else name
            raise node.keys[name].error(f"unknown key{suggest(name, known) or '.'} It is one of: {', '.join(known)}", where)
    return dict(node.value)


def _word(node: Node, key: str) -> str:
    if not isinstance(node.value, str):
        raise node.place.error(f"expected a name, got {node.plain()!r}", key)
    return node.value
