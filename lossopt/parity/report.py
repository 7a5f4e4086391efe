"""What a parity run found: rows of comparisons, each with its bound; as data, as a table, as one line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Comparison:
    """One column of one row.

    Attributes:
        name: ``"jax"`` and ``"torch single"`` are ours, ``"torch.optim"``, ``"torch.nn.functional"``, ``"optax"`` the
            frameworks' own; followed by what is compared where that is not the float64 value: ``"jax float32"``.
        error: how far from the referee; infinite where the run raised.
        bound: how far it may be; None for what is reported and not held, such as optax's own float32.
        cause: why the bound is wider than the suite's.
        note: what happened, where the error does not say it.
    """

    name: str
    error: float
    bound: float | None
    cause: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        return self.bound is None or self.error <= self.bound


@dataclass(frozen=True)
class Row:
    """One case: a definition under a convention with some options."""

    kind: str
    definition: str
    convention: str
    options: str
    comparisons: tuple[Comparison, ...]

    @property
    def ok(self) -> bool:
        return all(c.ok for c in self.comparisons)

    @property
    def label(self) -> str:
        convention = "" if self.convention == "torch" else f" [{self.convention}]"
        return f"{self.definition}({self.options}){convention}"

    def get(self, name: str) -> Comparison | None:
        return next((c for c in self.comparisons if c.name == name), None)

    def worst(self, *beginnings: str) -> Comparison | None:
        """The comparison nearest to its bound, or beyond it, among those whose names begin so."""
        found = [c for c in self.comparisons if c.name.startswith(beginnings)]
        return max(found, key=lambda c: c.error / c.bound if c.bound else c.error, default=None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "definition": self.definition, "convention": self.convention, "options": self.options, "ok": self.ok,
            "comparisons": [
                {"name": c.name, "error": _json(c.error), "bound": c.bound, "ok": c.ok,
                 **{k: told for k, told in (("cause", c.cause), ("note", c.note)) if told}}
                for c in self.comparisons
            ],
        }  # fmt: skip


@dataclass(frozen=True)
class ParityReport:
    """Every row of a run.

    Attributes:
        rows: in the order of the tables of cases.
        absent: frameworks that are not installed, and so the columns that are not there.
        seconds: how long the run took.
    """

    rows: tuple[Row, ...]
    absent: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return all(row.ok for row in self.rows)

    @property
    def failures(self) -> list[tuple[Row, Comparison]]:
        return [(row, c) for row in self.rows for c in row.comparisons if not c.ok]

    def summary(self) -> str:
        """``"120 rows, 900 comparisons, worst float64 error 4e-14 (lbfgs(...), optax), 0 unexplained"``."""
        held = [(row, c) for row in self.rows for c in row.comparisons if c.bound is not None]
        float64 = [(row, c) for row, c in held if not c.name.endswith(("float32", "bfloat16")) and not c.cause]
        explained = sum(bool(c.cause) for _, c in held)
        parts = [f"{len(self.rows)} rows", f"{len(held)} comparisons"]
        if float64:
            row, c = max(float64, key=lambda found: found[1].error)
            parts.append(f"worst float64 error {_short(c.error)} ({row.label}, {c.name})")
        if explained:
            parts.append(f"{explained} with a wider bound and its cause")
        parts.append(f"{len(self.failures)} unexplained")
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it; an infinite error is the string ``"inf"``."""
        return {"ok": self.ok, "summary": self.summary(), "seconds": round(self.seconds, 1), "absent": dict(self.absent),
                "rows": [row.to_dict() for row in self.rows]}  # fmt: skip

    def tables(self, *, worst_first: bool = False) -> list[Table]:
        """One rich table for each kind of definition: print them with ``rich.console.Console``."""
        kinds = dict.fromkeys(row.kind for row in self.rows)
        return [_table(kind, [r for r in self.rows if r.kind == kind], worst_first) for kind in kinds]

    def notes(self) -> list[str]:
        """What the tables do not say: rows out of bounds, wider bounds with their causes, columns that are absent."""
        lines = [f"{name} is absent: {why}" for name, why in self.absent.items()]
        for row, c in self.failures:
            lines.append(f"OUT OF BOUNDS {row.label}: {c.name} {_short(c.error)} > {c.bound:.0e}" + (f"  {c.note}" if c.note else ""))
        causes: dict[tuple[str, str], list[Row]] = {}
        for row in self.rows:
            for c in row.comparisons:
                if c.cause:
                    causes.setdefault((c.name, c.cause), []).append(row)
        for (name, cause), rows in causes.items():
            names = ", ".join(dict.fromkeys(r.definition for r in rows))
            worst = max(c.error for r in rows for c in r.comparisons if c.name == name and c.cause == cause)
            lines.append(f"* {names}, {name}: {_short(worst)}: {cause}")
        return lines

    def __str__(self) -> str:
        return self.summary()


COLUMNS: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "optimizer": (
        ("jax / numpy", ("jax",)),
        ("torch / numpy", ("torch single", "torch replay", "torch native")),
        ("torch.optim / numpy", ("torch.optim",)),
        ("optax / numpy", ("optax",)),
        ("keras / numpy", ("keras",)),
        ("float32 jax", ("jax float32",)),
        ("float32 torch", ("torch float32",)),
        ("float32 torch.optim", ("torch.optim float32",)),
        ("float32 optax", ("optax float32",)),
        ("ulp bfloat16", ("jax bfloat16", "torch bfloat16")),
    ),
    "loss": (
        ("jax / numpy", ("jax",)),
        ("torch / numpy", ("torch",)),
        ("F / numpy", ("torch.nn.functional",)),
        ("optax / numpy", ("optax",)),
        ("keras / numpy", ("keras",)),
        ("gradient jax / torch", ("jax gradient",)),
        ("gradient F / ours", ("torch.nn.functional gradient",)),
        ("gradient optax / ours", ("optax gradient",)),
        ("gradient keras / ours", ("keras gradient",)),
        ("float32 jax", ("jax float32", "jax gradient float32")),
        ("float32 torch", ("torch float32", "torch gradient float32")),
    ),
    "schedule": (
        ("jax / Python", ("jax",)),
        ("torch / Python", ("torch",)),
        ("lr_scheduler / Python", ("torch.optim.lr_scheduler",)),
        ("optax / Python", ("optax",)),
        ("keras / Python", ("keras",)),
        ("float32 jax", ("jax float32",)),
        ("float32 optax", ("optax float32",)),
    ),
}
"""Per kind, the columns and the comparisons that each shows the worst of."""


def _table(kind: str, rows: list[Row], worst_first: bool) -> Table:
    columns = [(title, names) for title, names in COLUMNS["optimizer" if kind == "transform" else kind]
               if any(c.name in names for row in rows for c in row.comparisons)]  # fmt: skip
    table = Table(title={"loss": "losses"}.get(kind, f"{kind}s"), title_justify="left", header_style="bold", pad_edge=False)
    table.add_column("definition", no_wrap=True)
    table.add_column("convention")
    table.add_column("options", ratio=1, overflow="fold")
    for title, _ in columns:
        table.add_column(title, justify="right")
    if worst_first:
        rows = sorted(rows, key=lambda r: (r.ok, -max((c.error / c.bound for c in r.comparisons if c.bound), default=0.0)))
    before = ""
    for row in rows:
        shown = row.definition if worst_first or row.definition != before else ""
        before = row.definition
        cells = [_cell([c for c in row.comparisons if c.name in names]) for _, names in columns]
        table.add_row(Text(shown, style="" if row.ok else "bold red"), row.convention, row.options, *cells)
    return table


def _cell(found: Iterable[Comparison]) -> Text:
    worst = max(found, key=lambda c: (not c.ok, c.error), default=None)
    if worst is None:
        return Text("")
    style = "bold red" if not worst.ok else "dim" if worst.bound is None else ""
    return Text(_short(worst.error) + ("*" if worst.cause else ""), style=style)


def _short(error: float) -> str:
    return "0" if error == 0 else f"{error:.1f}" if 0.1 <= error < 1000 else f"{error:.0e}" if math.isfinite(error) else str(error)


def _json(error: float) -> float | str:
    return error if math.isfinite(error) else str(error)
