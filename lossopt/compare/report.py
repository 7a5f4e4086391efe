"""A comparison in words and tables.  Plain text where the output is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from lossopt.compare.engine import Row
from lossopt.compare.verdict import STAGES, size

if TYPE_CHECKING:
    from lossopt.compare import Comparison

LINES = 11
"""So many steps are shown."""


@contextmanager
def progress(console: Console, steps: int, backends: tuple[str, ...]) -> Iterator[Callable[[Row], None]]:
    """A progress bar, on a terminal only; it goes when the run is done.  Yields what is to be called with each row."""
    bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                   TextColumn("{task.fields[note]}"), console=console, transient=True, disable=not console.is_terminal)  # fmt: skip
    with bar:
        task = bar.add_task(f"importing {' and '.join(backends)}", total=steps, note="")

        def on_step(row: Row) -> None:
            loss = next(iter(row.loss.values()))
            bar.update(task, completed=row.step, description="training", note=f"loss {loss:.4f}, apart {size(row.worst)}")

        yield on_step


def render(comparison: Comparison) -> RenderableType:
    """The whole report."""
    return Group(_heading(comparison), _steps(comparison), _worst(comparison), Padding(_verdict(comparison), (0, 2, 1, 2)))


def verdict(comparison: Comparison) -> str:
    """One paragraph: whether the two agree, and if not, what differed first."""
    a, b = comparison.backends
    breach, bound = comparison.breach, size(comparison.tolerance.bound)
    if breach is None:
        row = comparison.rows[-1]
        steps = f"{row.step} step{'s' if row.step > 1 else ''}"
        return f"{a} and {b} agree: over {steps} the losses differ by {size(row.worst)} at most (relative; {bound} is allowed)."
    d = breach.difference
    what, where = STAGES[d.stage][0], f" of {d.where}" if d.where else ""
    before = list(STAGES)[: list(STAGES).index(d.stage)]
    agreed = f" Before it in the same step, these agree: {', '.join(STAGES[s][0] for s in before)}." if before else ""
    x, y = d.values
    loss = ("The loss never differs by more than that." if breach.loss_step is None else
            "" if d.stage == "loss" else f"The loss differs by more than that from step {breach.loss_step} on.")  # fmt: skip
    return " ".join(filter(None, (
        f"{a} and {b} differ from step {breach.step} on. First to differ: {what}{where}, by {size(d.size)} (relative; {bound} is allowed):"
        f" {x:.9g} in {a}, {y:.9g} in {b}.{agreed}",
        breach.explanation,
        loss,
    )))  # fmt: skip


def _heading(comparison: Comparison) -> RenderableType:
    sizes, task = comparison.result.sizes, comparison.task
    model = task.models if isinstance(task.models, str) else "its own pair of models"
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    table.add_row("task", f"{task.name}: {sizes['train']:,} samples, {sizes['test']:,} held out; {model}, {sizes['parameters']:,} parameters")
    for key in ("loss", "optimizer", "schedule"):
        texts = {name: str(recipe.as_dict()[key] or "none") for name, recipe in comparison.recipes.items()}
        if len(set(texts.values())) == 1:
            table.add_row(key, next(iter(texts.values())))
        else:
            for name, text in texts.items():
                table.add_row(key, Text.assemble((f"{name}: ", "yellow"), text))
    recipe = comparison.recipe
    table.add_row("run", f"{recipe.steps:,} steps of {recipe.batch_size} samples, {comparison.dtype}, seed {recipe.seed}")
    spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in comparison.result.seconds.items())
    table.add_row("time", f"{spent} (imports and compilation included)")
    return Padding(table, (1, 2, 0, 2))


def _steps(comparison: Comparison) -> Table:
    a, b = comparison.backends
    score = comparison.task.score_name
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True)
    for heading in ("\nstep", f"loss\n{a}", f"\n{b}", f"held-out {score}\n{a}", f"\n{b}", "learning\nrate", "gradient\nnorm", "worst loss\ndifference"):
        table.add_column(heading, justify="right", no_wrap=True)
    bound = comparison.tolerance.bound
    for row in _chosen(comparison):
        scores = ["" if row.score is None else _score(row.score[name]) for name in (a, b)]
        table.add_row(f"{row.step:,}", f"{row.loss[a]:.8f}", f"{row.loss[b]:.8f}", *scores, f"{row.lr[a]:.3e}", f"{row.gradient_norm[a]:.4f}",
                      Text(size(row.worst), style="green" if row.worst <= bound else "bold red"))  # fmt: skip
    return table


def _chosen(comparison: Comparison) -> list[Row]:
    """Some rows, evenly, of those that have a score; and the one where the two part."""
    scored = [row for row in comparison.rows if row.score is not None]
    chosen = {round(i * (len(scored) - 1) / (LINES - 1)) for i in range(LINES)} if len(scored) > LINES else range(len(scored))
    steps = {scored[i].step for i in chosen} | ({comparison.breach.step} if comparison.breach else set())
    return [row for row in comparison.rows if row.step in steps]


def _worst(comparison: Comparison) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True)
    table.add_column("compared at every step, in this order")
    table.add_column("worst difference", justify="right")
    table.add_column("at step", justify="right")
    table.add_column("in")
    first = comparison.breach.difference.stage if comparison.breach else None
    for stage, (what, _) in STAGES.items():
        step, d = comparison.worst(stage)
        style = "green" if d.size <= comparison.tolerance.bound else "bold red"
        table.add_row(Text(what.removeprefix("the "), style="bold" if stage == first else ""), Text(size(d.size), style=style),
                      f"{step:,}" if d.size else "", d.where if d.size else "")  # fmt: skip
    return table


def _verdict(comparison: Comparison) -> Text:
    return Text(verdict(comparison), style="bold red" if comparison.diverged else "bold green")


def _score(x: float) -> str:
    return f"{100 * x:.2f} %" if 0 <= x <= 1 else f"{x:.5g}"
