"""What the README shows runs as it stands, and its tables are those that the command makes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lossopt import readme
from lossopt.parity.disagreements import PAGE
from lossopt.parity.report import Comparison, ParityReport, Row

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.S)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_runs_as_it_stands(number: int) -> None:
    exec(compile("import lossopt\n" + BLOCKS[number], f"README.md block {number}", "exec"), {})


# ------------------------------------------------------------------------------------------------- the tables
def test_the_readme_shows_the_widest_rows_of_the_page() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert readme.outdated_readme(TEXT, page) == []
    wrong = readme.outdated_readme(TEXT.replace("because", "why"), page)
    assert wrong == ["README.md: its table of differences is not the widest 10 rows of lossopt/parity/DIFFERENCES.md; type: make readme"]


def test_the_page_of_parity_counts_the_suites_rows() -> None:
    page = (ROOT / readme.PARITY_PAGE).read_text(encoding="utf-8")
    assert readme.outdated_parity(page) == []


def report() -> ParityReport:
    exact, wide = Comparison("jax", 2e-15, 1e-12), Comparison("torch single", 3e-9, 1e-8, "rounding")
    own = (Comparison("torch.optim float32", 9e-6, None), Comparison("jax float32", 2e-7, 1e-6))
    return ParityReport((
        Row("optimizer", "lion", "torch", "lr=0.1", (exact, wide)),
        Row("optimizer", "lion", "torch", "lr=0.2", (Comparison("jax", 5e-15, 1e-12), *own)),
        Row("optimizer", "lion", "optax", "lr=0.1", (exact,)),
        Row("loss", "l1_loss", "torch", "", (Comparison("torch", 1e-16, 1e-12),)),
    ))  # fmt: skip


def test_a_run_becomes_the_readmes_summary() -> None:
    lines = readme.parity_block(report()).splitlines()
    assert lines[0].startswith("4 rows, 6 comparisons, worst float64 error 5e-15 (lion(lr=0.2), jax), 1 with a wider bound")
    assert lines[2:8] == [
        "|  | definitions | under conventions | rows | comparisons | worst float64 | worst float32 | wider bound, with its cause |",
        "|---|---|---|---|---|---|---|---|",
        "| losses | 1 | 1 | 1 | 1 | 1e-16 |  | 0 |",
        "| optimizers | 1 | 2 | 3 | 5 | 5e-15 | 2e-07 | 1 |",
        "| schedules | 0 | 0 | 0 | 0 |  |  | 0 |",
        "| transforms | 0 | 0 | 0 | 0 |  |  | 0 |",
    ]


def test_a_run_becomes_the_page_of_parity() -> None:
    text = readme.parity_page(report())
    assert "| definition | convention | rows | jax / numpy | torch / numpy | float32 jax | float32 torch.optim |" in text
    assert "| lion | optax | 1 | 2e-15 |  |  |  |\n| lion | torch | 2 | 5e-15 | 3e-09\\* | 2e-07 | 9e-06 |" in text
    assert "- lion, torch single: 3e-09: rounding" in text
    assert "lossopt/parity/PARITY.md: lion under torch has other rows now; type: make readme" in readme.outdated_parity(text)


def test_the_command_checks_and_says_what_is_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "README.md"
    assert readme.main([str(path), "--check", "--only", "parity"]) == 1
    assert capsys.readouterr().err == f"lossopt/parity/PARITY.md is missing beside {path}; type: make readme\n"
    (tmp_path / "lossopt/parity").mkdir(parents=True)
    (tmp_path / readme.PARITY_PAGE).write_text(readme.parity_page(report()), encoding="utf-8")
    assert readme.main([str(path), "--check", "--only", "parity"]) == 1
    err = capsys.readouterr().err
    assert "lossopt/parity/PARITY.md: adamw under optax has other rows now; type: make readme\n" in err


def test_the_command_writes_the_readme_and_the_page_from_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    monkeypatch.setattr(readme, "parity", lambda: runs.append(1) or report())
    (tmp_path / "lossopt/parity").mkdir(parents=True)
    path = tmp_path / "README.md"
    path.write_text("<!-- parity: begin --><!-- parity: end -->", encoding="utf-8")
    assert readme.main([str(path), "--only", "parity"]) == 0
    assert runs == [1]
    assert path.read_text(encoding="utf-8") == readme.fill("<!-- parity: begin --><!-- parity: end -->", {"parity": readme.parity_block(report())})
    assert (tmp_path / readme.PARITY_PAGE).read_text(encoding="utf-8") == readme.parity_page(report())
