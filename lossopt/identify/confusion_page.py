"""The page that the confusion table is published on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lossopt.identify.known import DETERMINED

if TYPE_CHECKING:
    from lossopt.identify.confusion import Row

HEAD = """\
# What `lossopt identify` finds

Written by `python -m lossopt.identify.confusion --page lossopt/identify/CONFUSION.md`, in about an hour on one core.

Every optimizer makes {steps} steps in float32 on a problem of six parameters and {elements} elements, by lossopt in either
framework, with its defaults and with other numbers; parameters, gradients and updates are recorded, and nothing else but
the loss and, in PyTorch, the learning rate.  Then `identify` is asked.  A cell says what came out:

- **right**: the optimizer by its name, every number that is called determined within {percent:.0%} of what was typed;
- **right, n %**: by its name, and a number that is called determined is off by so much (of a decay rate b it is 1 - b);
- **as** another: that one, with the numbers that stand there, makes the same updates to rounding: these data cannot tell;
- **not explained**: nothing was named;
- **wrong**: another was named, though what was planted explains the updates better; or something beside it that was not planted.

{summary}

| optimizer | {heads} |
|---|{rules}|
"""


def page(rows: Sequence[Row], *, steps: int, elements: int) -> str:
    """The whole page."""
    columns = list(dict.fromkeys((r.backend, r.setting) for r in rows if r.outcome != "left out"))
    heads = [f"{_framework(backend)}, {'other numbers' if setting else 'defaults'}" for backend, setting in columns]
    cells = {(r.name, r.backend, r.setting): r for r in rows}
    lines = [
        f"| {name} | {' | '.join(_cell(cells.get((name, *column))) for column in columns)} |"
        for name in dict.fromkeys(r.name for r in rows if r.outcome != "left out")
    ]
    left = {r.name: r.said for r in rows if r.outcome == "left out"}
    summary = "\n".join(f"{_framework(backend)}: {_counts([r for r in rows if r.backend == backend])}" for backend in _backends(rows))
    head = HEAD.format(steps=steps, elements=elements, percent=DETERMINED, summary=summary, heads=" | ".join(heads),
                       rules="|".join("---" for _ in heads))  # fmt: skip
    out = "".join(f"- {name} {why}.\n" for name, why in left.items())
    return head + "\n".join(lines) + "\n" + (f"\nLeft out:\n\n{out}" if out else "")


def _backends(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(r.backend for r in rows))


def _framework(backend: str) -> str:
    return {"torch": "PyTorch", "jax": "JAX"}.get(backend, backend)


def _counts(rows: Sequence[Row]) -> str:
    tried = [r for r in rows if r.outcome != "left out"]
    off = sum(r.outcome == "right" and r.worst > DETERMINED for r in tried)
    count = {o: sum(r.outcome == o for r in tried) for o in ("right", "same", "wrong", "none")}
    times = sorted(r.seconds for r in tried)
    return (f"of {len(tried)} runs {count['right']} are named right, of which {off} with a determined number off by more than "
            f"{DETERMINED:.0%}; {count['same']} as another that makes the same updates; {count['wrong']} wrong; "
            f"{count['none']} not explained.  "
            f"Half of them take {times[len(times) // 2]:.0f} s of processor time or less, the longest {times[-1]:.0f} s.\n")  # fmt: skip


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    if row.outcome == "right":
        return "right" if row.worst <= DETERMINED else f"right, {row.worst:.2%}".replace("%", " %")
    return {"same": f"as `{row.said}`", "wrong": f"**wrong**: `{row.said}`", "none": "**not explained**"}[row.outcome]
