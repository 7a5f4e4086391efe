"""Which parameter is trained with which hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from lossopt import carry, loop, registry
from lossopt.definition import Spec
from lossopt.errors import ArgumentError
from lossopt.recipes.config import load_recipe
from lossopt.recipes.recipe import Recipe

ALWAYS = ("lr", "weight_decay")
"""Hyperparameters that the table shows even where all parameters have the same."""


@dataclass(frozen=True)
class Group:
    """One parameter.

    Attributes:
        name, shape: the parameter's.
        patterns: those of the recipe's groups that match it, in order.
        rule: the rule that a `route` gives it to; None without one.
        hyperparameters: all of them, by flat name.
    """

    name: str
    shape: tuple[int, ...]
    patterns: tuple[str, ...]
    rule: str | None
    hyperparameters: Mapping[str, Any]


@dataclass(frozen=True)
class GroupTable:
    """Every parameter of a model with its hyperparameters; it prints as a table."""

    optimizer: Spec
    groups: tuple[Group, ...]

    def __iter__(self) -> Any:
        return iter(self.groups)

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def shown(self) -> list[str]:
        """The hyperparameters that the table shows: lr, weight decay, and those in which parameters differ."""
        first = self.groups[0].hyperparameters
        return [n for n, v in first.items() if n.rpartition(".")[2] in ALWAYS or any(g.hyperparameters[n] != v for g in self.groups)]

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The table's heading and its lines."""
        routed = any(g.rule for g in self.groups)
        heading = ["parameter", "shape", *(["rule"] if routed else []), *self.shown, "pattern"]
        lines = [[g.name, "x".join(map(str, g.shape)) or "1", *([g.rule or ""] if routed else []),
                  *(f"{v:g}" if isinstance(v, float) else str(v) for v in (g.hyperparameters[n] for n in self.shown)),
                  ", ".join(g.patterns)] for g in self.groups]  # fmt: skip
        return heading, lines

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        own = [{"name": g.name, "shape": list(g.shape), "patterns": list(g.patterns), "rule": g.rule,
                "hyperparameters": dict(g.hyperparameters)} for g in self.groups]  # fmt: skip
        return {"optimizer": repr(self.optimizer), "parameters": own}

    def __repr__(self) -> str:
        heading, lines = self.cells()
        widths = [max(len(row[i]) for row in (heading, *lines)) for i in range(len(heading))]
        rows = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (heading, *lines))
        return "\n".join(rows)

    def _repr_html_(self) -> str:
        heading, lines = self.cells()
        head = "".join(f"<th>{escape(cell)}</th>" for cell in heading)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines)
        return f"<table><tr>{head}</tr>{body}</table>"


def groups(model: Any, recipe: Any, groups: Mapping[str, Mapping[str, Any]] | None = None) -> GroupTable:
    """Which parameter of a model gets which hyperparameters: what the patterns of ``groups`` come to.

    Args:
        model: a ``torch.nn.Module``, a ``flax.nnx.Module`` or a tree of JAX parameters.
        recipe: a `Recipe`, the path of its file, or an optimizer: a spec or a name.
        groups: hyperparameters by pattern of names, where `recipe` is an optimizer.

    Returns:
        A table that prints itself; iterate over it for the parameters one by one.

    Raises:
        ArgumentError: a pattern that matches nothing, with the nearest name; a hyperparameter that there is not.

    Example:
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.LayerNorm(4))
        >>> groups(model, "adamw", {"*.bias": {"weight_decay": 0.0}, "1.*": {"weight_decay": 0.0}})
        parameter  shape  lr     weight_decay  pattern
        0.weight   4x8    0.001  0.01
        0.bias     4      0.001  0             *.bias
        1.weight   4      0.001  0             1.*
        1.bias     4      0.001  0             *.bias, 1.*
    """
    optimizer, patterns = _taken(recipe, groups)
    named = registry.backend(loop.framework_of(model)).part("build").named_shapes(model)
    matched = carry.match_groups(patterns, list(named), [other for other, _ in named.values()])
    rules = _rules(optimizer, named)
    found = []
    for (name, (_, shape)), own in zip(named.items(), matched, strict=True):
        hyperparameters = dict(optimizer.flat)
        for pattern in own:
            hyperparameters |= patterns[pattern]
        found.append(Group(name, shape, own, rules.get(name), hyperparameters))
    return GroupTable(optimizer, tuple(found))


def _taken(recipe: Any, patterns: Mapping[str, Mapping[str, Any]] | None) -> tuple[Spec, dict[str, dict[str, Any]]]:
    if isinstance(recipe, str | Path) and str(recipe).endswith((".yaml", ".yml")):
        recipe = load_recipe(recipe)
    if isinstance(recipe, Recipe):
        if patterns is not None:
            raise ArgumentError("a recipe has its own groups; give groups=... with an optimizer")
        return recipe.optimizer, {p: dict(changes) for p, changes in recipe.groups.items()}
    made = Recipe("mse_loss", recipe, groups=patterns or {})
    return made.optimizer, {p: dict(changes) for p, changes in made.groups.items()}


def _rules(optimizer: Spec, named: Mapping[str, tuple[str, tuple[int, ...]]]) -> dict[str, str]:
    """The rule that an outermost `route` gives each parameter to."""
    found: dict[str, str] = {}
    for _, spec in optimizer.walk():
        if spec.definition.parts is None:
            continue
        shapes = tuple(shape for _, shape in named.values())
        parts = spec.definition.parts(tuple(named), shapes, **spec.hyperparameters)
        for inner, chosen in zip(spec.inner, parts, strict=True):
            found |= {list(named)[i]: repr(inner) for i in chosen}
        break
    return found
