"""A comparison of recordings in words and a table, and as plain data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lossopt.compare.verdict import size
from lossopt.diff.finding import Outcome, listed

if TYPE_CHECKING:
    from lossopt.diff import Diff


def render(found: Diff) -> RenderableType:
    """The verdict, then every link in causal order."""
    verdict = Text(found.verdict.sentence, style="bold green" if found.equal else "bold red")
    notes = [Padding(Text(f"{o.link}: {note}"), (0, 2)) for o in found.outcomes for note in o.notes]
    return Group(Padding(verdict, (1, 2)), Padding(_heading(found), (0, 2, 1, 2)), Padding(_links(found), (0, 1)), *notes)


def _heading(found: Diff) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    al = found.aligned
    for name, run in zip(al.called, (al.a, al.b), strict=True):
        table.add_row(
            name, f"{run.info.framework}, {len(run.info.parameters)} parameters, {len(run.steps):,} steps, arrays of {len(run.array_steps)}"
        )
    for label, text in found.verdict.known.items():
        table.add_row("identified", f"{label}: {text}")
    return table


def _links(found: Diff) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("link", "compared", "", "from step", "in", "by", "equal until", "largest rounding"):
        table.add_column(
            heading, justify="right" if heading in ("from step", "by", "equal until", "largest rounding") else "left", overflow="fold"
        )
    for o in found.outcomes:
        table.add_row(Text(o.link, style="bold red" if o is found.first else ""), o.looked, _state(found, o), *_numbers(found, o))
    return table


def _state(found: Diff, o: Outcome) -> Text:
    if o.finding is None:
        return Text("equal", style="green") if o.compared else Text("not recorded", style="dim")
    return Text("breaks first", style="bold red") if o is found.first else Text("differs after it", style="yellow")


def _numbers(found: Diff, o: Outcome) -> tuple[str, str, str, str, str]:
    until = "" if o.until is None else f"step {o.until:,}"
    worst = "" if o.worst is None or o.worst[0] == 0 else f"{size(o.worst[0])} at {o.worst[1]:,}"
    if o.finding is None:
        return "", "", "", until, worst
    where = listed([found.aligned.names(n) for n in o.finding.parameters], 2) if o.finding.parameters else ""
    by = size(o.finding.size) if math.isfinite(o.finding.size) else ""
    return f"{o.finding.step:,}", where, by, until, worst


def to_dict(found: Diff) -> dict[str, Any]:
    """The whole result in the types of JSON; an infinity is a string there."""
    al = found.aligned
    runs = [{"label": label, "framework": run.info.framework, "steps": len(run.steps), "parameters": len(run.info.parameters),
             "array_steps": list(run.array_steps)} for label, run in zip(al.called, (al.a, al.b), strict=True)]  # fmt: skip
    return {
        "equal": found.equal,
        "verdict": found.verdict.to_dict(),
        "first": None if found.first is None else _link(found, found.first),
        "links": [_link(found, o) for o in found.outcomes],
        "runs": runs,
        "parameters": {name: [x.own, y.own] for name, (x, y) in al.pairs.items()},
        "only": {label: list(names) for label, names in zip(al.called, (al.only_a, al.only_b), strict=True)},
        "paired_by_their_weights": list(al.guessed),
    }


def _link(found: Diff, o: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {
        "link": o.link,
        "looked_at": o.looked,
        "steps_compared": o.compared,
        "equal_until": o.until,
        "notes": list(o.notes),
    }
    if o.worst is not None:
        told["largest_rounding"] = {"relative": o.worst[0], "step": o.worst[1]}
    if (f := o.finding) is not None:
        told["finding"] = {
            "step": f.step,
            "cause": f.cause,
            "told": f.told,
            "relative": f.size,
            "values": None if f.values is None else list(f.values),
            "parameters": [_own(found, name) for name in f.parameters],
            "numbers": dict(f.numbers),
        }
    return told


def _own(found: Diff, name: str) -> list[str]:
    """What either framework calls a parameter; of one that only one run has, its name."""
    pair = found.aligned.pairs.get(name)
    return [name] if pair is None else [side.own for side in pair]
