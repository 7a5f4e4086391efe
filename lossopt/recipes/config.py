"""A recipe from a file, in either of two forms; every error says file, line, column, key and remedy.

The short form:

    task: digits
    loss: {name: cross_entropy, label_smoothing: 0.1}      # or only a name
    optimizer: {name: adamw, lr: 1e-3, weight_decay: 0.05}
    schedule: {name: cosine, T_max: 500}
    clip: {global_norm: 1.0}
    steps: 500

The nested form has a section for each of the three (see `lossopt.recipes.nested`), and the same further keys.

A schedule starts from ``optimizer.lr``.  Where it names its own peak or first value (one_cycle's ``max_lr``), that is
the base instead, as it is in PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lossopt import carry, hyper
from lossopt.definition import Spec
from lossopt.precision import FIELDS, Precision
from lossopt.recipes.document import Node, parse, read
from lossopt.recipes.reader import (
    Key,
    Made,
    Origin,
    Problems,
    checked,
    located,
    mapping,
    read_definition,
    read_loss,
    read_optimizer,
    read_value,
    too_large,
    word,
)
from lossopt.recipes.recipe import CLIPS, MAX_NORM, SETTINGS, Recipe, clip_by, with_clip, with_ema, with_lr

PARTS = ("loss", "optimizer", "schedule")
RUN = ("clip", "ema", "groups", "precision", *SETTINGS)
"""How to run it: what both forms take beside loss, optimizer and schedule."""
KEYS = ("task", *PARTS, *RUN)
ALSO = {"dtype": "precision"}
"""Other words for keys."""


@dataclass
class Source:
    """A recipe as it was read: the recipe, and where everything stood that was given.

    Attributes:
        recipe: the recipe.
        settings: by setting ("steps", "precision", ...), where it stood.
        hyperparameters: for "loss", "optimizer" and "schedule", where each hyperparameter stood, by its place in the tree.
    """

    recipe: Recipe
    settings: dict[str, Origin]
    hyperparameters: Mapping[str, dict[Key, Origin]]


@dataclass
class Draft:
    """What a form has found so far; `finish` makes the recipe."""

    parts: dict[str, Made] = field(default_factory=dict)
    clip: Made | None = None
    ema: Made | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    groups: Node | None = None


def load_recipe(path: str | Path) -> Recipe:
    """The recipe in a YAML file, of the short or of the nested form.

    Raises:
        ConfigError: ``recipe.yaml:7:9 optimizer.name: unknown optimizer 'adamww'; did you mean 'adamw'? ...``; of several
            problems each on its line.
    """
    return read_source(read(path)).recipe


def parse_recipe(text: str, file: str = "recipe.yaml") -> Recipe:
    """The recipe in a YAML text; errors call it `file`.

    >>> parse_recipe("loss: mse_loss\\noptimizer: {name: sgd, lr: 1e-1}").optimizer
    sgd(lr=0.1)
    """
    return read_source(parse(text, file)).recipe


def load_source(path: str | Path) -> Source:
    """The recipe in a YAML file, and where everything stood."""
    return read_source(read(path))


def read_source(root: Node) -> Source:
    """The recipe in a document."""
    from lossopt.recipes import nested

    problems = Problems()
    if nested.is_nested(root):
        draft = nested.draft(root, problems)
    else:
        draft = _draft(root, problems)
    problems.tell()
    return finish(root, draft)


# ------------------------------------------------------------------------------------------------- the short form
def _draft(root: Node, problems: Problems) -> Draft:
    entries, draft = mapping(root, "", KEYS, problems, also=tuple(ALSO)), Draft()
    for needed, example in (("a loss", "loss: cross_entropy"), ("an optimizer", "optimizer: adamw")):
        if needed.split()[1] not in entries:
            with problems.gather():
                raise root.place.error(f"a recipe has {needed}, such as `{example}`")
    reading = {"loss": read_loss, "optimizer": read_optimizer, "schedule": read_schedule}
    for part, how in reading.items():
        if part in entries and not (part == "schedule" and entries[part].value is None):
            with problems.gather():
                draft.parts[part] = how(entries[part])
                draft.origins[part] = entries[part].place
    read_run(entries, draft, problems)
    return draft


def read_schedule(node: Node, key: str = "schedule", *, named: str | None = None, place: Any = None, partial: bool = False) -> Made:
    """A schedule, which has no base value of its own."""
    if isinstance(node.value, dict):
        for lr in ("lr", "learning_rate"):
            if lr in node.keys:
                raise node.keys[lr].error("a recipe's schedule starts from the optimizer's own: write optimizer.lr", f"{key}.{lr}")
    return read_definition(node, "schedule", key, named=named, place=place, partial=partial)


def read_run(entries: Mapping[str, Node], draft: Draft, problems: Problems) -> None:
    """What both forms have beside the three parts."""
    special = {"task": _task, "precision": read_precision, "dtype": read_precision, "checkpoint": read_checkpoint}
    for key, node in entries.items():
        name = ALSO.get(key, key)
        if (name not in SETTINGS and key not in special) or (node.value is None and name == "precision"):
            continue
        with problems.gather():
            if name in draft.settings:
                raise node.place.error(f"{name} is given already, in line {getattr(draft.origins[name], 'line', '?')}: leave one out", key)
            draft.settings[name] = special[key](node) if key in special else checked(node, key, SETTINGS[name])
            draft.origins[name] = node.place
    with problems.gather():
        if "clip" in entries:
            draft.clip = read_clip(entries["clip"], "clip")
    with problems.gather():
        if "ema" in entries:
            draft.ema = _ema(entries["ema"])
    draft.groups = entries.get("groups")


def _task(node: Node) -> str:
    from lossopt.tasks import get_task

    name = word(node, "task")
    located(node.place, "task", lambda: get_task(name))
    return name


def read_precision(node: Node) -> Precision:
    """A word, or the keys compute, params and loss_scale."""
    if isinstance(node.value, dict):
        problems = Problems()
        for name, value in mapping(node, "precision", tuple(FIELDS), problems).items():
            with problems.gather():
                checked(value, f"precision.{name}", FIELDS[name])
        problems.tell()
    return located(node.place, "precision", lambda: Precision.of(node.plain()))


def read_checkpoint(node: Node) -> bool | tuple[str, ...]:
    """true, false, a pattern or a list of patterns."""
    if isinstance(node.value, str):
        return (node.value,)
    return checked(node, "checkpoint", SETTINGS["checkpoint"])


def read_clip(node: Node, key: str) -> Made | None:
    """``{global_norm: 1.0}``, ``{value: 0.5}``, both, or true for a global norm of 1.0; false is none."""
    if node.value is None or node.value is False:
        return None
    if node.value is True:
        told = f"{node.place}; {key}: true is a global norm of {MAX_NORM}"
        return Made([clip_by("global_norm", MAX_NORM)], {((0,), "max_norm"): told})
    entries = mapping(node, key, tuple(CLIPS), example=f"{key}: {{global_norm: 1.0}}")
    if not entries:
        raise node.place.error("write {global_norm: 1.0} or {value: 0.5}", key)
    rules: list[Spec] = []
    origins: dict[Key, Origin] = {}
    for i, (name, value) in enumerate(entries.items()):
        argument = CLIPS[name][1]
        number = checked(value, f"{key}.{name}", hyper.NonNegative)
        rules.append(located(value.place, f"{key}.{name}", lambda name=name, number=number: clip_by(name, number)))
        origins |= {((i,), argument): value.place, ((i,), "name"): node.keys[name]}
    return Made(rules, origins)


def _ema(node: Node) -> Made | None:
    """The decay of a moving average; false is none."""
    if node.value is None or node.value is False:
        return None
    return Made(checked(node, "ema", hyper.Fraction), {((), "decay"): node.place, ((), "name"): node.place})


# ------------------------------------------------------------------------------------------------- both forms
def finish(root: Node, draft: Draft) -> Source:
    """The recipe of what was found: clipping and average around the optimizer, the schedule's peak as its base."""
    made, schedule = draft.parts["optimizer"], draft.parts.get("schedule")
    spec, origins = made.spec, dict(made.origins)
    of_schedule, where = None, root.place
    if schedule is not None:
        of_schedule = schedule.spec
        where = draft.origins["schedule"] if not isinstance(draft.origins["schedule"], str) else root.place
        if (base := of_schedule.hyperparameters.get("lr", 1)) != 1:  # max_lr takes the optimizer's place, as it does in PyTorch
            spec, of_schedule = with_lr(spec, base), of_schedule.with_lr(1.0)
            origins |= {(path, "lr"): schedule.origins[(), "lr"] for path, inner in spec.walk() if "lr" in inner.hyperparameters}
    if draft.clip is not None:
        rules = draft.clip.spec
        origins = {**draft.clip.origins, **Made(None, origins).under(len(rules))}
        spec = with_clip(spec, rules)
    if draft.ema is not None:
        origins = {**draft.ema.origins, **Made(None, origins).under(0)}
        spec = with_ema(spec, draft.ema.spec)
    if draft.groups is not None:
        draft.settings["groups"] = _groups(draft.groups, spec, draft.origins)
    loss = draft.parts["loss"].spec
    recipe = located(where, "schedule" if schedule else "", lambda: Recipe(loss, spec, of_schedule, **draft.settings))
    of_three = {"loss": draft.parts["loss"].origins, "optimizer": origins, "schedule": schedule.origins if schedule else {}}
    return Source(recipe, draft.origins, of_three)


def _groups(node: Node, optimizer: Spec, origins: dict[str, Origin]) -> dict[str, dict[str, Any]]:
    """Hyperparameters by pattern, each checked where it stands."""
    if node.value is None:
        return {}
    problems, found = Problems(), {}
    for pattern, changes in mapping(node, "groups", example="groups: {'*.bias': {weight_decay: 0.0}}").items():
        found[pattern] = {}
        with problems.gather():
            key = f"groups[{pattern!r}]"
            for name, value in mapping(changes, key, example="'*.bias': {weight_decay: 0.0}").items():
                with problems.gather():
                    found[pattern] |= _group(optimizer, pattern, name, changes, value, origins)
    problems.tell()
    return found


def _group(optimizer: Spec, pattern: str, name: str, changes: Node, value: Node, origins: dict[str, Origin]) -> dict[str, Any]:
    key = f"groups[{pattern!r}].{name}"
    given = read_value(value, key)
    at = changes.keys[name] if name not in optimizer.flat and name != "learning_rate" else value.place
    try_it = carry.check_groups
    checked_group = located(at, key, lambda: _without_owner(lambda: try_it(optimizer, {pattern: {name: given}}), pattern))[pattern]
    for flat, found in checked_group.items():
        if problem := too_large(found, None):
            raise value.place.error(problem, key)
        origins[f"groups[{pattern!r}].{flat}"] = value.place
    return checked_group


def _without_owner(run: Any, pattern: str) -> Any:
    """The key of the error says already which group it is."""
    from lossopt.errors import ArgumentError, LossoptError

    try:
        return run()
    except LossoptError as error:
        raise ArgumentError(str(error).removeprefix(f"groups[{pattern!r}]: ")) from None
