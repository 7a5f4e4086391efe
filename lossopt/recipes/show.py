"""A recipe with every value that is in force, and where each came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lossopt.recipes.config import Source
from lossopt.recipes.recipe import SETTINGS


@dataclass(frozen=True)
class Row:
    """One value: its dotted key, and its origin in words."""

    key: str
    value: Any
    origin: str
    given: bool


def rows(source: Source) -> Iterator[Row]:
    """Everything that decides how a recipe trains, in the order in which it is read."""
    recipe = source.recipe
    yield _setting(source, "task", recipe.task)
    yield from _loss(source)
    yield from _tree("optimizer", recipe.optimizer, source.hyperparameters["optimizer"])
    if recipe.schedule is None:
        yield Row("schedule", None, "default: the learning rate stays", False)
    else:
        base = "optimizer.lr" if "." not in (recipe.lr_name or "") else f"optimizer.{recipe.lr_name}"
        lr = Row("schedule.lr", recipe.optimizer.flat[recipe.lr_name or "lr"], f"{base}, the base of a recipe's schedule", False)
        for row in _one("schedule", recipe.schedule, source.hyperparameters["schedule"], ()):
            yield lr if row.key == "schedule.lr" else row
    for pattern, changes in recipe.groups.items():
        for flat, value in changes.items():
            key = f"groups[{pattern!r}].{flat}"
            yield Row(key, value, str(source.settings.get(key, "given")), True)
    precision = None if recipe.precision is None else recipe.precision.word
    yield _setting(source, "precision", precision, "default: as the model is; lossopt compare takes float64")
    for name in SETTINGS:
        yield _setting(source, name, getattr(recipe, name))


def _setting(source: Source, name: str, value: Any, default: str = "default") -> Row:
    place = source.settings.get(name)
    return Row(name, value, default if place is None else str(place), place is not None)


def _loss(source: Source) -> Iterator[Row]:
    terms, origins = source.recipe.loss.terms, source.hyperparameters["loss"]
    if hasattr(source.recipe.loss, "definition"):
        yield from _one("loss", terms[0][1], origins, ())
        return
    for i, (times, term) in enumerate(terms):
        yield _row(f"loss[{i}].times", times, origins.get(((i,), "times")), "default")
        yield from _one(f"loss[{i}]", term, origins, (i,))


def _tree(key: str, spec: Any, origins: Mapping[Any, Any], path: tuple[int, ...] = ()) -> Iterator[Row]:
    yield from _one(key, spec, origins, path)
    for i, inner in enumerate(spec.inner):
        yield from _tree(f"{key}.inner[{i}]" if len(spec.inner) > 1 else f"{key}.inner", inner, origins, (*path, i))


def _one(key: str, spec: Any, origins: Mapping[Any, Any], path: tuple[int, ...]) -> Iterator[Row]:
    """A definition's name and hyperparameters."""
    yield Row(f"{key}.name", spec.definition.name, str(origins.get((path, "name"), "")), True)
    default = f"default of the {spec.convention} convention"
    for name, value in spec.hyperparameters.items():
        yield _row(f"{key}.{name}", value, origins.get((path, name)), default)
    if hasattr(spec, "reduction"):
        told = "default" if spec.reduction == spec.definition.conventions[spec.convention].get("reduction", "mean") else "given"
        yield Row(f"{key}.reduction", spec.reduction, f"{default}" if told == "default" else told, told != "default")


def _row(key: str, value: Any, place: Any, default: str) -> Row:
    return Row(key, value, default if place is None else str(place), place is not None)


def resolved(source: Source) -> dict[str, Any]:
    """For JSON: the rows, and the recipe in the short form."""
    found = [{"key": r.key, "value": r.value, "origin": r.origin, "given": r.given} for r in rows(source)]
    return {"values": found, "yaml": source.recipe.to_yaml()}


