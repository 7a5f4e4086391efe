"""What the README shows runs as it stands, and its tables are those that the command makes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lossopt import readme

TEXT = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.S)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_runs_as_it_stands(number: int) -> None:
    exec(compile("import lossopt\n" + BLOCKS[number], f"README.md block {number}", "exec"), {})


def test_the_disagreements_are_as_measured() -> None:
    """Differences of mathematics to the digits shown; what is only rounding stays rounding, on any machine."""
    shown, measured = readme.rows_of(TEXT), readme.rows_of(readme.disagreements_block())
    assert sorted(r[0] for r in shown) == sorted(r[0] for r in measured)
    for a, b in zip(sorted(shown), sorted(measured), strict=True):
        assert a[1] == pytest.approx(b[1], rel=0.05, abs=1e-12), f"{a[0]}: README says {a[1]}, measured {b[1]}; run make readme"
        assert a[2] < 1e-12 and b[2] < 1e-12, a[0]
