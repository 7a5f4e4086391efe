"""The checklist for people."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lossopt.compare.verdict import size
from lossopt.diff.report import remedy
from lossopt.port_check.check import PortCheck

STYLES = {"passes": "green", "breaks": "bold red", "not reached": "dim"}


def render(found: PortCheck) -> RenderableType:
    """The verdict, then every stage, then what is to be known."""
    if found.equal:
        said: list[RenderableType] = [Padding(Text(found.verdict.sentence, style="bold green"), (1, 2))]
    else:
        said = [Padding(Text(f"{found.verdict.what}.", style="bold red"), (1, 2)), Padding(remedy(found.verdict), (0, 2, 1, 2))]
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("stage", "", "apart by", "compared"):
        table.add_column(heading, justify="right" if heading == "apart by" else "left", overflow="fold")
    for stage in found.stages:
        apart = "" if stage.apart is None else size(stage.apart)
        table.add_row(stage.name, Text(stage.state, style=STYLES[stage.state]), apart, stage.compared)
    notes = [Padding(Text(note), (0, 2)) for note in found.notes]
    kept = [Padding(Text(f"the recordings: lossopt diff {' '.join(found.folders)}"), (0, 2))] if found.folders else []
    return Group(*said, Padding(table, (0, 1)), *notes, *kept)
