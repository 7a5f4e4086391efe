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
    from lossopt.diff.verdict import Verdict


NONE = 1e-12
"""A difference that is not worth a number: sums in float64."""


DRIFTED = 1e-5
"""A difference of less may be rounding, though another link has broken."""


def render(found: Diff) -> RenderableType:
    """What differs and what to type, then every link in causal order."""
    verdict = found.verdict
    if found.equal:
        said: list[RenderableType] = [Padding(Text(verdict.sentence, style="bold green"), (1, 2))]
    else:
        said = [Padding(Text(f"{verdict.what}.", style="bold red"), (1, 2)), Padding(remedy(verdict), (0, 2, 1, 2))]
    notes = [Padding(Text(f"{o.link}: {note}"), (0, 2)) for o in found.outcomes for note in o.notes]
    return Group(*said, Padding(_links(found), (0, 2, 1, 2)), Padding(_runs(found), (0, 2, 1, 2)), *notes)


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def remedy(verdict: Verdict) -> Table:
    """What to type on either side, where to read more, and what is not known."""
    table = _grid()
    width = max((len(where) for where, _ in verdict.remedy), default=0)
    for i, (where, typed) in enumerate(verdict.remedy):
        to_type = Table.grid(padding=(0, 2))
        if where:
            to_type.add_column(min_width=width)
        to_type.add_row(*([Text(where, no_wrap=True)] if where else []), Text(typed))
        table.add_row("to make them equal" if i == 0 else "", to_type)
    if verdict.link:
        table.add_row("known difference", verdict.link)
    for told in verdict.open:
        table.add_row("not known", told)
    return table


def _runs(found: Diff) -> Table:
    table, al = _grid(), found.aligned
    for name, run in zip(al.called, (al.a, al.b), strict=True):
        known = f"; {found.verdict.known[name]}" if name in found.verdict.known else ""
        size = f"{run.info.framework}, {len(run.info.parameters)} parameters, {len(run.steps):,} steps, arrays of {len(run.array_steps)}"
        table.add_row(name, f"{size}{known}")
    return table


def _links(found: Diff) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("link", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    for o in found.outcomes:
        table.add_row(Text(o.link, style="bold red" if o is found.first else ""), _state(found, o), Text(_detail(found, o)))
    return table


def _state(found: Diff, o: Outcome) -> Text:
    if o.finding is None and _parts_later(found, o):
        return Text("parts after it", style="yellow")
    if o.finding is None:
        return Text("equal", style="green") if o.compared else Text("not compared", style="dim")
    return Text("breaks first", style="bold red") if o is found.first else Text("differs too", style="yellow")


def _parts_later(found: Diff, o: Outcome) -> bool:
    """Whether a link is equal as far as the first that breaks, and then drifts."""
    begun = math.inf if found.first is None or found.first.finding is None else found.first.finding.step
    return o.worst is not None and o.worst[0] > DRIFTED and o.worst[1] > begun


def _detail(found: Diff, o: Outcome) -> str:
    """From which step, where and by how much; or what was compared, and the largest difference that is rounding."""
    apart = f"apart by {size(o.worst[0])} at most (step {o.worst[1]:,})" if o.worst and o.worst[0] > NONE else "no difference"
    if o.finding is None:
        steps = f", {o.compared:,} steps" if o.compared > 1 else ""
        return f"{o.looked}{steps}: {apart}" if o.compared else o.looked
    f = o.finding
    where = f" of {listed([found.aligned.names(n) for n in f.parameters], 2)}" if f.parameters else ""
    by = f": by {size(f.size)}{where}" if math.isfinite(f.size) else where
    return f"from step {f.step:,} on{by}" + ("" if o.until is None or o.until >= f.step else f"; equal until step {o.until:,}")


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
        "guessed": dict(al.guessed),
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
