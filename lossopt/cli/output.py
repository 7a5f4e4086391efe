"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPED_WIDTH = 400
"""Lines for another program or a file are not wrapped to a terminal that is not there."""


def add_json(parser: ArgumentParser) -> None:
    """The option that every command has."""
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def console() -> Console:
    """Standard output for people: colours on a terminal only, and none where NO_COLOR is set."""
    from rich.console import Console

    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def show(*parts: RenderableType) -> None:
    """Print for people.  Where nobody watches (a pipe, a file), without the blanks that pad a table's last column."""
    out = console()
    for part in parts:
        if out.is_terminal:
            out.print(part, markup=False)
            continue
        with out.capture() as captured:
            out.print(part, markup=False)
        print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_json(value: Any) -> None:
    """`value` as strict JSON; infinities and NaN, which JSON lacks, as strings.

    >>> print_json({"low": 0.0, "high": float("inf")})
    {
      "low": 0.0,
      "high": "inf"
    }
    """
    print(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """`value` in the types that JSON has."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return repr(value)
