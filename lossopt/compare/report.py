"""A comparison in words and tables.  Plain text where the output is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from lossopt.compare.engine import Row
from lossopt.compare.verdict import STAGES, Breach, size

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
    reports = [Padding(_reports(comparison), (0, 1))] if comparison.result.reports else []
    return Group(_heading(comparison), Padding(_steps(comparison), (0, 1)), Padding(_worst(comparison), (0, 1)), *reports,
                 Padding(_verdict(comparison), (0, 2, 1, 2)))  # fmt: skip


def verdict(comparison: Comparison) -> str:
    """One paragraph: whether the two agree, and if not, what differed first."""
    told = _agreement(comparison) if comparison.breach is None else _difference(comparison, comparison.breach)
    if left_out := list(comparison.result.rounding):
        more = f" and {len(left_out) - 3} more" if len(left_out) > 3 else ""
        told += (f" Not compared: how {', '.join(left_out[:3])}{more} moves, because its gradient is zero but for rounding (the loss does "
                 "not depend on it).")  # fmt: skip
    return told


def _agreement(comparison: Comparison) -> str:
    a, b = comparison.backends
    row = comparison.rows[-1]
    steps = f"{row.step:,} step{'s' if row.step > 1 else ''}"
    allowed = size(comparison.tolerance.bound)
    return f"{a} and {b} agree: over {steps} the losses differ by {size(row.worst)} at most (relative; {allowed} is allowed)."


def _difference(comparison: Comparison, breach: Breach) -> str:
    a, b = comparison.backends
    d, tolerance = breach.difference, comparison.tolerance
    what, where = STAGES[d.stage][0], f" of {d.where}" if d.where else ""
    before = [STAGES[stage][0] for stage in list(STAGES)[: list(STAGES).index(d.stage)]]
    told = [
        f"{a} and {b} differ from step {breach.step:,} on.",
        f"First to differ: {what}{where}, by {size(d.size)} (relative; {size(tolerance.of(d.stage))} is allowed): "
        f"{d.values[0]:.9g} in {a}, {d.values[1]:.9g} in {b}.",
        f"Before it in that step, these agree: {', '.join(before)}." if before else "",
        breach.explanation,
    ]
    if breach.loss_step is None:
        told.append(f"The loss never differs by more than {size(tolerance.bound)}.")
    elif breach.loss_step > breach.step:
        told.append(f"The loss differs by more than {size(tolerance.bound)} from step {breach.loss_step:,} on.")
    return " ".join(filter(None, told))


def _heading(comparison: Comparison) -> RenderableType:
    sizes, task = comparison.result.sizes, comparison.task
    model = task.models if isinstance(task.models, str) else "its own pair of models"
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    samples = f"{sizes['train']:,} samples, {sizes['test']:,} held out"
    table.add_row("task", f"{task.name}: {samples}; {model}, {sizes['parameters']:,} parameters")
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
    table = _table()
    both = [f"{what}\n{name}" for what in ("loss", score) for name in (a, b)]
    for heading in ("\nstep", *both, "learning\nrate", "gradient\nnorm", "loss apart\nso far"):
        table.add_column(heading, justify="right", no_wrap=True)
    bound = comparison.tolerance.bound
    for row in _chosen(comparison):
        scores = ["" if row.score is None else _score(row.score[name]) for name in (a, b)]
        table.add_row(f"{row.step:,}", _number(row.loss[a]), _number(row.loss[b]), *scores, _rate(row.lr[a]), f"{row.gradient_norm[a]:.4f}",
                      _sized(row.worst, bound))  # fmt: skip
    return table


def _chosen(comparison: Comparison) -> list[Row]:
    """Some rows, evenly, of those that have a score; and the one where the two part."""
    scored = [row for row in comparison.rows if row.score is not None]
    chosen = {round(i * (len(scored) - 1) / (LINES - 1)) for i in range(LINES)} if len(scored) > LINES else range(len(scored))
    steps = {scored[i].step for i in chosen} | ({comparison.breach.step} if comparison.breach else set())
    return [row for row in comparison.rows if row.step in steps]


def _worst(comparison: Comparison) -> Table:
    table = _table()
    table.add_column("compared in this order", no_wrap=True)
    table.add_column("furthest apart", justify="right", no_wrap=True)
    table.add_column("at step", justify="right", no_wrap=True)
    table.add_column("in")
    first = comparison.breach.difference.stage if comparison.breach else None
    for stage, (what, _) in STAGES.items():
        step, d = comparison.worst(stage)
        name = what.removeprefix("the ")
        label = Text(f"{name} (first to differ)", style="bold") if stage == first else Text(name)
        table.add_row(label, _sized(d.size, comparison.tolerance.of(stage)), f"{step:,}" if d.size else "", d.where if d.size else "")
    return table


def _reports(comparison: Comparison) -> Table:
    """What the recipe's monitoring and analysis found, a column for each backend."""
    reports = comparison.result.reports
    table = _table()
    table.add_column("monitoring and analysis", no_wrap=True)
    for name in reports:
        table.add_column(name, justify="right")
    told = {name: {**_monitored(report.get("monitoring")), **_analysed(report.get("analysis"))} for name, report in reports.items()}
    for what in dict.fromkeys(what for own in told.values() for what in own):
        table.add_row(what, *(own.get(what, "") for own in told.values()))
    return table


def _monitored(found: Mapping[str, Any] | None) -> dict[str, str]:
    if found is None:
        return {}
    rates = [rate for rate in found["learning_rate"] if rate is not None]
    memory = found["peak_memory"]
    return {
        "learning rate, first and last": f"{_rate(rates[0])}, {_rate(rates[-1])}" if rates else "none",
        "step time, median": f"{1e3 * found['step_time']:.2f} ms",
        "first step": f"{1e3 * found['first_step_time']:.0f} ms",
        "samples a second": "" if found["throughput"] is None else f"{found['throughput']:,.0f}",
        "peak memory": "not measured here" if memory is None else f"{memory / 2**20:,.0f} MiB ({found['memory_of']})",
    }


def _analysed(found: Mapping[str, Any] | None) -> dict[str, str]:
    if found is None:
        return {}
    flow, landscape, norms = found["gradient_flow"], found["landscape"], found["gradient_norm"]
    by_norm = sorted(flow["gradient_stats"], key=lambda name: flow["gradient_stats"][name]["norm"])
    low, high = landscape["loss_range"]
    return {
        "convergence": found["convergence"]["state"],
        "gradient norm, first and last": f"{norms[0]:.4g}, {norms[-1]:.4g}",
        "smallest gradient": f"{by_norm[0]}, {flow['gradient_stats'][by_norm[0]]['norm']:.3g}" if by_norm else "none",
        "largest gradient": f"{by_norm[-1]}, {flow['gradient_stats'][by_norm[-1]]['norm']:.3g}" if by_norm else "none",
        "loss landscape": f"{landscape['current_loss']:.4g} here, {low:.4g} to {high:.4g} around",
    }


def _table() -> Table:
    return Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)


def _sized(x: float, bound: float) -> Text:
    return Text(size(x), style="green" if x <= bound else "bold red")


def _number(x: float) -> str:
    return f"{x:.6f}" if abs(x) < 1e4 else f"{x:.6g}"


def _verdict(comparison: Comparison) -> Text:
    return Text(verdict(comparison), style="bold red" if comparison.diverged else "bold green")


def _rate(x: float) -> str:
    mantissa, _, exponent = f"{x:.2e}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def _score(x: float) -> str:
    return f"{100 * x:.1f} %" if 0 <= x <= 1 else f"{x:.5g}"
