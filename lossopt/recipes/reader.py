"""What both forms of a recipe's file are made of: definitions, numbers and switches, read strictly.

Everything is checked against the signatures of the definitions, and whatever is wrong says where it stands.  What is
wrong in one place does not keep the reader from the others: a file's problems are told together.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from lossopt import hyper, registry
from lossopt.definition import Definition, Kind
from lossopt.errors import ConfigError, LossoptError, suggest
from lossopt.recipes.document import Node, Place
from lossopt.spelling import to_canonical

LARGEST, LARGEST_WHOLE = 3.4028234663852886e38, 2**31 - 1
"""What float32 and int32 hold, in which the frameworks compute."""

Origin = Place | str
Key = tuple[tuple[int, ...], str]
"""A hyperparameter: where its rule stands in the tree, and its name."""


@dataclass(frozen=True)
class Made:
    """What was read: a spec, and where each hyperparameter that was given stood."""

    spec: Any
    origins: dict[Key, Origin] = field(default_factory=dict)

    def under(self, index: int) -> dict[Key, Origin]:
        """The origins, when the spec becomes the part `index` of another."""
        return {((index, *path), name): at for (path, name), at in self.origins.items()}


class Problems:
    """Gathers errors, so that they can be told together."""

    def __init__(self) -> None:
        self.found: list[ConfigError] = []

    @contextlib.contextmanager
    def gather(self) -> Iterator[None]:
        """What goes wrong inside is remembered, and the reading goes on after the block."""
        try:
            yield
        except ConfigError as error:
            self.found += error.problems

    def tell(self) -> None:
        """Raise one error for all, if there are any."""
        if self.found:
            raise ConfigError.joined(self.found)


# ------------------------------------------------------------------------------------------------- definitions
def read_loss(node: Node, key: str = "loss") -> Made:
    """``name``, ``{name: ..., hyperparameters}``, or a list of those: a sum, each ``times`` a number."""
    single = isinstance(node.value, dict) and "times" in node.value
    if not isinstance(node.value, list) and not single:
        return read_definition(node, "loss", key)
    if not node.value:
        raise node.place.error("a sum of losses has at least one: [{name: mse_loss, times: 0.5}, {name: l1_loss, times: 0.5}]", key)
    problems, total, origins = Problems(), None, {}
    for i, item in enumerate([node] if single else node.value):
        own = key if single else f"{key}[{i}]"
        with problems.gather():
            times, rest = 1.0, item
            if isinstance(item.value, dict) and "times" in item.value:
                times = checked(item.value["times"], f"{own}.times", hyper.Finite)
                rest = Node({k: v for k, v in item.value.items() if k != "times"}, item.place, item.keys)
                origins[(i,), "times"] = item.value["times"].place
            made = read_definition(rest, "loss", own)
            origins |= made.under(i)
            term = times * made.spec
            total = term if total is None else total + term
    problems.tell()
    return Made(total, origins)


def read_optimizer(node: Node, key: str = "optimizer") -> Made:
    """``name``, or ``{name: ..., hyperparameters}``; a wrapper has what it wraps under ``inner``."""
    return read_definition(node, "optimizer", key)


def read_definition(node: Node, kind: Kind, key: str, *, named: str | None = None, place: Place | None = None,
                    partial: bool = False) -> Made:  # fmt: skip
    """A definition with its hyperparameters.

    Args:
        node: a name, or keys and values of which one is ``name``.
        kind: what it must be.
        key: what errors call it.
        named: the name, where it stands elsewhere (at `place`) and `node` is hyperparameters only.
        partial: hyperparameters that must be given may be missing.
    """
    entries = mapping(node, key) if isinstance(node.value, dict) else {} if named else {"name": node}
    if named is None:
        if "name" not in entries:
            raise node.place.error(f"which {kind}? Write {{name: ..., {', '.join(entries)}}}", key)
        at = entries.pop("name")
        named, place = word(at, f"{key}.name"), at.place
    assert place is not None
    kinds: tuple[Kind, ...] = ("optimizer", "transform") if kind == "optimizer" else (kind,)
    definition = located(place, f"{key}.name", lambda: registry.definition(named, *kinds))
    problems = Problems()
    inner, origins = _inner(definition, entries, key, problems)
    origins[(), "name"] = place
    options: dict[str, Any] = {}
    for option in ("convention", "reduction") if kind == "loss" else ("convention",):
        if option in entries:
            at = entries.pop(option)
            with problems.gather():
                options[option] = word(at, f"{key}.{option}")
                located(at.place, f"{key}.{option}", lambda: _check_option(definition, options))
    problems.tell()
    given: dict[str, Any] = {}
    for name, value in entries.items():
        with problems.gather():
            given[name] = read_value(value, f"{key}.{name}")
            canonical = _one(definition, key, name, node.keys[name], value, given[name], options.get("convention", "torch"))
            origins[(), canonical] = value.place
    problems.tell()
    required = [n for n, v in definition.defaults_of(options.get("convention", "torch")).items() if v is hyper.REQUIRED]
    if partial and any(((), name) not in origins for name in required):
        return Made(None, origins)
    return Made(located(node.place, key, lambda: _configure(definition, inner, {**options, **given})), origins)


def _inner(definition: Any, entries: dict[str, Node], key: str, problems: Problems) -> tuple[list[Any], dict[Key, Origin]]:
    """What a wrapper wraps."""
    if "inner" not in entries or not getattr(definition, "wraps", False):
        return [], {}
    node = entries.pop("inner")
    made = []
    several = isinstance(node.value, list)
    for i, item in enumerate(node.value if several else [node]):
        with problems.gather():
            made.append(read_optimizer(item, f"{key}.inner[{i}]" if several else f"{key}.inner"))
    return [m.spec for m in made], {k: v for i, m in enumerate(made) for k, v in m.under(i).items()}


def _check_option(definition: Any, options: Mapping[str, Any]) -> None:
    definition.defaults_of(options.get("convention", "torch"))
    if options.get("reduction") is not None and options["reduction"] not in definition.reductions:
        # `configure` would say the same, but wants the hyperparameters too.
        raise hyper.HyperparameterError(f"{definition.name}: reduction must be {' or '.join(map(repr, definition.reductions))}, "
                                        f"got {options['reduction']!r}{suggest(options['reduction'], definition.reductions)}")  # fmt: skip


def _configure(definition: Any, inner: Sequence[Any], options: dict[str, Any]) -> Any:
    return definition.configure(**options) if definition.kind == "loss" else definition(*inner, **options)


def read_value(node: Node, key: str) -> Any:
    """A hyperparameter's value: plain, or a schedule where keys and values stand."""
    if isinstance(node.value, dict):
        return read_definition(node, "schedule", key).spec
    if isinstance(node.value, list):
        return tuple(read_value(item, f"{key}[{i}]") for i, item in enumerate(node.value))
    return node.value


def _one(definition: Definition, key: str, name: str, at: Place, node: Node, value: Any, convention: str) -> str:
    """Check one hyperparameter by itself, so that an error names its own place; its canonical name."""
    defaults = definition.defaults_of(convention)
    # A part of a pair (b1) leaves its other part as it is, also where that must be given.
    canonical = located(at, f"{key}.{name}", lambda: to_canonical(definition, {name: value}, defaults))
    for own, found in canonical.items():
        problem = message(lambda own=own, found=found: hyper.check("", own, found, definition.annotations[own]))
        problem = problem.removeprefix(f": {own}") if problem else None
        problem = problem or too_large(found, definition.annotations[own]) or _strange(found, definition.annotations[own], defaults[own])
        if problem is None:
            continue
        where = node.place
        if problem.startswith("[") and isinstance(node.value, list):
            index, _, problem = problem.partition(" ")
            where, name = node.value[int(index[1:-1])].place, name + index
        elif problem.startswith("["):
            problem = problem.partition(" ")[2]
        raise where.error(problem.strip(), f"{key}.{name}")
    return next(iter(canonical))


# ------------------------------------------------------------------------------------------------- numbers
def too_large(value: Any, annotation: Any) -> str | None:
    """Finite numbers that the frameworks cannot hold."""
    if isinstance(value, tuple):
        found = ((i, too_large(item, annotation)) for i, item in enumerate(value))
        return next((f"[{i}] {problem}" for i, problem in found if problem), None)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if _is_whole(annotation) and abs(value) > LARGEST_WHOLE:
        return f"must be at most {LARGEST_WHOLE} in size (int32), got {value!r}"
    return f"must be at most {LARGEST:.4g} in size (float32), got {value!r}" if abs(value) > LARGEST else None


def _is_whole(annotation: Any) -> bool:
    parts = get_args(annotation)
    return annotation is int or (bool(parts) and (parts[0] is int if hasattr(annotation, "__metadata__") else any(map(_is_whole, parts))))


def _strange(value: Any, annotation: Any, default: Any) -> str | None:
    """What an annotation allows that says nothing, but a recipe cannot mean: class weights are numbers, names are strings."""
    if get_origin(annotation) is tuple and Any in get_args(annotation):
        return None  # schedules, which the definition checks itself
    if annotation is not Any or value is None or hyper.is_live(value):
        return None
    if isinstance(default, str):
        return None if isinstance(value, str) else f"must be a string, got {value!r}"
    for number in value if isinstance(value, tuple) and value else (value,):
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            return f"must be a finite number or a list of finite numbers, got {value!r}"
    return None


def checked(node: Node, key: str, annotation: Any) -> Any:
    """A value that has the type and range of an annotation."""
    value = node.plain()
    problem = message(lambda: hyper.check("", key, value, annotation))
    problem = problem.removeprefix(f": {key}") if problem else too_large(value, annotation)
    if problem:
        raise node.place.error(problem.strip(), key)
    return int(value) if isinstance(value, float) and _is_whole(annotation) else value


def switch(node: Node, key: str) -> bool:
    """``true`` or ``false``, and nothing else."""
    if not isinstance(node.value, bool):
        raise node.place.error(f"must be true or false, got {node.plain()!r}", key)
    return node.value


# ------------------------------------------------------------------------------------------------- places
def message(run: Callable[[], Any]) -> str | None:
    """What an error says, if there is one."""
    try:
        run()
    except LossoptError as error:
        return str(error)
    return None


def located(at: Place, key: str, run: Callable[[], Any]) -> Any:
    """The result; an error says where."""
    try:
        return run()
    except ConfigError:
        raise
    except LossoptError as error:
        raise at.error(str(error), key) from None


def mapping(node: Node, key: str, known: Sequence[str] = (), problems: Problems | None = None, *, also: Sequence[str] = (),
            example: str = "") -> dict[str, Node]:  # fmt: skip
    """Keys and values; each key that is not known is a problem.  `also` is known, and not told."""
    if not isinstance(node.value, dict):
        example = example or (f"{key}: {{...}}" if key else "loss: cross_entropy")
        raise node.place.error(f"expected keys and values, such as `{example}`, got {node.plain()!r}", key)
    if not known:
        return dict(node.value)
    found = problems or Problems()
    for name in node.value:
        if name not in (*known, *also):
            where = f"{key}.{name}" if key else name
            with found.gather():
                raise node.keys[name].error(f"unknown key{suggest(name, known) or '.'} It is one of: {', '.join(known)}", where)
    if problems is None:
        found.tell()
    return {name: value for name, value in node.value.items() if name in (*known, *also)}


def word(node: Node, key: str) -> str:
    """A name."""
    if not isinstance(node.value, str):
        raise node.place.error(f"expected a name, got {node.plain()!r}", key)
    return node.value
