"""Train the same recipe in two frameworks side by side, and say where they part."""

from __future__ import annotations

import importlib.metadata
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lossopt.compare import engine
from lossopt.compare.engine import Row
from lossopt.compare.verdict import STAGES, TOLERANCES, Breach, Difference, Tolerance
from lossopt.errors import ArgumentError
from lossopt.precision import Precision
from lossopt.recipes import Recipe, load_recipe
from lossopt.tasks import Task, get_task, load_task

__all__ = ["Breach", "Comparison", "Difference", "Row", "compare"]

REPORTED = ("lossopt", "numpy", "jax", "optax", "flax", "torch")


@dataclass(frozen=True)
class Comparison:
    """Two runs of one recipe, step by step.

    Attributes:
        recipes: what each backend ran.
        task: what they ran it on.
        dtype, tolerance: the precision, and how far apart the two may be.
        result: every step, the first difference above the tolerance, sizes and times.
    """

    recipes: Mapping[str, Recipe]
    task: Task
    dtype: str
    tolerance: Tolerance
    result: engine.Result

    @property
    def backends(self) -> tuple[str, str]:
        first, second = self.recipes
        return first, second

    @property
    def recipe(self) -> Recipe:
        return self.recipes[self.backends[0]]

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.result.rows

    @property
    def breach(self) -> Breach | None:
        """The first difference above the tolerance, or None."""
        return self.result.breach

    @property
    def diverged(self) -> bool:
        return self.breach is not None

    def worst(self, stage: str) -> tuple[int, Difference]:
        """The step with the largest difference of one quantity, and that difference."""
        row = max(self.rows, key=lambda row: row.differences[stage].size)
        return row.step, row.differences[stage]

    def as_dict(self) -> dict[str, Any]:
        """Every number, ready for JSON; a number that is not finite is None."""
        return {
            "recipe": self.recipe.as_dict(),
            "recipes": {name: own.as_dict() for name, own in self.recipes.items()},
            "task": self.task.name,
            "score": self.task.score_name,
            "sizes": dict(self.result.sizes),
            "dtype": self.dtype,
            "backends": list(self.backends),
            "versions": _versions(),
            "seconds": {k: round(v, 3) for k, v in self.result.seconds.items()},
            "tolerance": {"relative": self.tolerance.bound, "update": self.tolerance.update, "cause": self.tolerance.cause},
            "diverged": self.diverged,
            **({"reports": {name: _plain(report) for name, report in self.result.reports.items()}} if self.result.reports else {}),
            "first_difference": self._first_difference(),
            "not_compared_from_step": dict(self.result.rounding),
            "worst": {stage: _as_dict(self.worst(stage)[1], step=self.worst(stage)[0]) for stage in STAGES},
            "steps": [_row(row) for row in self.rows],
        }

    def _first_difference(self) -> dict[str, Any] | None:
        if (breach := self.breach) is None:
            return None
        return {**_as_dict(breach.difference, step=breach.step), "stage": breach.difference.stage,
                "loss_differs_from_step": breach.loss_step, "explanation": breach.explanation}  # fmt: skip

    def to_json(self) -> str:
        """`as_dict` as JSON, one line for each step."""
        numbers = self.as_dict()
        steps = ",\n    ".join(json.dumps(step, allow_nan=False) for step in numbers.pop("steps"))
        head = json.dumps(numbers, indent=2, allow_nan=False)
        return f'{head[:-2]},\n  "steps": [\n    {steps}\n  ]\n}}'

    def save(self, folder: str | Path, name: str = "comparison") -> tuple[Path, Path]:
        """Write ``name.png`` and ``name.json`` into a folder, which is made if need be; their paths."""
        from lossopt.compare.picture import draw

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        picture, numbers = folder / f"{name}.png", folder / f"{name}.json"
        numbers.write_text(self.to_json() + "\n", encoding="utf-8")
        draw(self, picture)
        return picture, numbers

    def __repr__(self) -> str:
        from lossopt.compare.report import verdict

        return verdict(self)


def compare(recipe: Recipe | str | Path, *, task: Task | str | None = None, steps: int | None = None, dtype: str | None = None,
            backends: Sequence[str] = ("jax", "torch"), recipe_for: Mapping[str, Recipe | str | Path] | None = None,
            tolerance: float | None = None, out: str | Path | None = None,
            on_step: Callable[[Row], None] | None = None) -> Comparison:  # fmt: skip
    """Train one recipe in two frameworks, from the same weights on the same batches, and compare every step.

    Everything is compared in causal order (parameters, predictions, loss, gradient, learning rate, update), so that the
    first difference names what is to blame.

    Args:
        recipe: a `Recipe`, or the path of a YAML file.
        task: a `Task`, the name of a built-in one, or a Python file that defines ``task``; None is the recipe's own.
        steps, dtype: instead of the recipe's; dtype is ``"float64"``, ``"float32"``, or with float32 parameters
            ``"bfloat16"`` or ``"float16"``.  A recipe that names no precision is compared in float64.
        backends: two of ``"jax"``, ``"torch"``.
        recipe_for: another recipe for one backend ("my two recipes disagree"): ``{"torch": other}``.  Steps, batch size
            and seed are common.
        tolerance: the largest relative difference that passes; None is 1e-9 in float64; in float32 1e-4, and
            2e-3 for an update; in half precision 0.1 and 0.05 for predictions and loss, and no bound for updates.
        out: a folder for ``comparison.png`` and ``comparison.json``.
        on_step: called with each `Row` as it is made.

    Returns:
        A `Comparison`: ``.diverged``, ``.breach``, ``.rows``, ``.save(folder)``; it prints its verdict.

    Raises:
        ConfigError: the file is no valid recipe.
        InputError: the two models' parameters do not correspond, or the data do not fit.
        MissingBackendError: a framework is not installed.

    Example:
        >>> from lossopt.recipes import parse_recipe
        >>> compare(parse_recipe("{loss: cross_entropy, optimizer: adamw}"), steps=2).diverged
        False
    """
    first, second = engine.check_backends(tuple(backends))
    common = _read(recipe)
    if dtype is not None and dtype not in TOLERANCES:
        raise ArgumentError(f"dtype must be {' or '.join(map(repr, TOLERANCES))}, got {dtype!r}")
    precision = _precision(common) if dtype is None else Precision.of(dtype)
    dtype = precision.compute
    common = replace(common, precision=precision, steps=common.steps if steps is None else steps)
    shared = {name: getattr(common, name) for name in ("steps", "precision", "batch_size", "seed")}
    own = {name: _read(given) for name, given in (recipe_for or {}).items()}
    if strange := [name for name in own if name not in (first, second)]:
        raise ArgumentError(f"recipe_for names {strange[0]!r}, which is not compared; the backends are {first} and {second}")
    recipes = {name: replace(own.get(name, common), **shared) for name in (first, second)}
    chosen = _task(task if task is not None else common.task)
    bound = TOLERANCES[dtype]
    if tolerance is not None:
        if not (math.isfinite(tolerance) and tolerance >= 0):
            raise ArgumentError(f"tolerance must be positive or zero, and finite, got {tolerance!r}")
        bound = Tolerance(tolerance, tolerance, "given by the user")
    result = engine.run(chosen, recipes, dtype, bound, on_step)
    comparison = Comparison(recipes, chosen, dtype, bound, result)
    if out is not None:
        comparison.save(out)
    return comparison


def _read(recipe: Recipe | str | Path) -> Recipe:
    return recipe if isinstance(recipe, Recipe) else load_recipe(recipe)


def _precision(recipe: Recipe) -> Precision:
    """What to compare in: the recipe's own precision; where it has none, float64, which leaves no doubt."""
    if recipe.precision is None:
        return Precision.of("float64")
    if recipe.precision.params == "bfloat16":
        raise ArgumentError("parameters in bfloat16 are rounded at every update, and two runs soon have nothing in common: compare the "
                            "same recipe with parameters in float32 (--dtype bfloat16)")  # fmt: skip
    return recipe.precision


def _task(task: Task | str) -> Task:
    if isinstance(task, Task):
        return task
    return load_task(task) if task.endswith(".py") else get_task(task)


def _row(row: Row) -> dict[str, Any]:
    def numbers(by_backend: Mapping[str, float]) -> dict[str, float | None]:
        return {k: _finite(v) for k, v in by_backend.items()}

    return {
        "step": row.step,
        "lr": numbers(row.lr),
        "loss": numbers(row.loss),
        "gradient_norm": numbers(row.gradient_norm),
        "score": None if row.score is None else numbers(row.score),
        "difference": {stage: _as_dict(d) for stage, d in row.differences.items()},
        "worst_loss_difference": _finite(row.worst),
    }


def _as_dict(d: Difference, **more: Any) -> dict[str, Any]:
    where = {"parameter": d.where} if d.where else {}
    return {**more, "relative": _finite(d.size), **where, "values": [_finite(v) for v in d.values]}


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None


def _plain(x: Any) -> Any:
    """A report in the types of JSON."""
    if isinstance(x, Mapping):
        return {str(k): _plain(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [_plain(v) for v in x]
    return _finite(x) if isinstance(x, float) else x


def _versions() -> dict[str, str]:
    found = {}
    for name in REPORTED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
