"""A recipe in a notebook: a table, with the learning rate drawn."""

from __future__ import annotations

from html import escape
from typing import Any

from lossopt.recipes.recipe import SETTINGS, Recipe

WIDTH, HEIGHT = 240, 36
POINTS = 120


def to_html(recipe: Recipe) -> str:
    """The table."""
    default = {name: f.default for name, f in Recipe.__dataclass_fields__.items()}
    rows: list[tuple[str, str]] = [("loss", _code(recipe.loss)), ("optimizer", _code(recipe.optimizer))]
    rows += [(f"groups {escape(pattern)}", _code(", ".join(f"{k}={v!r}" for k, v in changes.items())))
             for pattern, changes in recipe.groups.items()]  # fmt: skip
    if recipe.schedule is not None:
        rows.append(("schedule", _code(recipe.schedule)))
    if rates := learning_rates(recipe, POINTS):
        low, high = min(rates), max(rates)
        told = f"{rates[0]:.3g} to {rates[-1]:.3g}, between {low:.3g} and {high:.3g}" if low < high else f"{low:.3g}"
        rows.append(("learning rate", f"{sparkline(rates)}<br/><small>{told}, over {recipe.steps:,} steps</small>"))
    if recipe.precision is not None:
        rows.append(("precision", _code(recipe.precision.word)))
    always = ("steps", "batch_size", "seed")
    rows += [(name, _code(getattr(recipe, name))) for name in SETTINGS if name in always or getattr(recipe, name) != default[name]]
    cells = "".join(f'<tr><th style="text-align:left;vertical-align:top">{head}</th><td style="text-align:left">{cell}</td></tr>'
                    for head, cell in rows)  # fmt: skip
    return f"<table><caption>lossopt recipe, task {escape(recipe.task)}</caption>{cells}</table>"


def learning_rates(recipe: Recipe, points: int) -> list[float]:
    """The learning rate at so many steps, evenly from the first to the last; empty where the optimizer has none."""
    if recipe.lr_name is None:
        return []
    lr = recipe.optimizer.flat[recipe.lr_name]
    schedule: Any = recipe.schedule.with_lr(lr) if recipe.schedule is not None else None if isinstance(lr, int | float) else lr
    count = min(points, recipe.steps)
    steps = [round(i * (recipe.steps - 1) / max(count - 1, 1)) for i in range(count)]
    return [float(lr if schedule is None else schedule(step)) for step in steps]


def sparkline(values: list[float], width: int = WIDTH, height: int = HEIGHT) -> str:
    """A line through the values as an SVG image, zero at its foot.

    >>> sparkline([0.0, 1.0], 12, 6)[:60]
    '<svg xmlns="http://www.w3.org/2000/svg" width="12" height="6'
    """
    high = max(values) or 1.0
    across, up = width - 4, height - 4
    points = " ".join(f"{2 + across * i / max(len(values) - 1, 1):.1f},{2 + up * (1 - v / high):.1f}" for i, v in enumerate(values))
    foot = f'<line x1="2" y1="{height - 2}" x2="{width - 2}" y2="{height - 2}" stroke="#c3c7cb"/>'
    line = f'<polyline points="{points}" fill="none" stroke="#0072b2" stroke-width="1.5"/>'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" aria-label="learning rate">'
            f"{foot}{line}</svg>")  # fmt: skip


def _code(value: Any) -> str:
    return f"<code>{escape(value if isinstance(value, str) else repr(value))}</code>"
