"""The command line: what it prints, in which form, and with which exit status."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lossopt
from lossopt.cli import main as cli
from lossopt.cli.main import COMMANDS, main
from lossopt.errors import LossoptError


def run(capsys, *argv: str) -> tuple[int, str, str]:
    status = main(argv)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


# ------------------------------------------------------------------------------------------------- usage
def test_version(capsys):
    assert run(capsys, "--version") == (0, f"lossopt {lossopt.__version__}\n", "")


def test_help_names_every_command_and_every_exit_status(capsys):
    status, out, err = run(capsys, "--help")
    assert (status, err) == (0, "")
    assert re.findall(r"^    ([a-z-]+)(?:  |$)", out, re.M) == list(COMMANDS)
    assert re.findall(r"^  (\d)  ", out, re.M) == ["0", "1", "2"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(capsys, command):
    status, out, _ = run(capsys, command, "--help")
    assert status == 0
    assert "--json" in out


def test_no_command_prints_the_help_and_is_wrong_usage(capsys):
    status, out, err = run(capsys)
    assert (status, err) == (2, "")
    assert out.startswith("usage: lossopt")


HINT = "(lossopt --help shows the usage)"
WRONG = {
    "lst": f"lossopt: unknown command 'lst'; did you mean 'list'? {HINT}",
    "zzz": f"lossopt: unknown command 'zzz'; it is one of {', '.join(COMMANDS)} {HINT}",
    "--verson": f"lossopt: lossopt takes no '--verson'; did you mean '--version'? {HINT}",
    "list --jsn": "lossopt: lossopt list takes no '--jsn'; did you mean '--json'? (lossopt list --help shows the usage)",
    "list losses a b": "lossopt: lossopt list takes no 'b' (lossopt list --help shows the usage)",
    "list optimisers": "lossopt: unknown kind 'optimisers'; did you mean 'optimizers'?",
    "list zzz": "lossopt: unknown kind 'zzz'; it is one of: losses, optimizers, schedules, transforms; a pattern has a star: 'adam*'",
    "list optimizers zz*": "lossopt: no name matches 'zz*'; lossopt list shows all",
    "list zz*": "lossopt: no name matches 'zz*'; lossopt list shows all",
    "explain": "lossopt: the following arguments are required: NAME (lossopt explain --help shows the usage)",
    "explain adamww": "lossopt: unknown name 'adamww'; did you mean 'adamw'? (lossopt list shows all)",
    "compare no-such-recipe.yaml": None,
    "parity --kind optimiser": None,
    "parity no-such-definition": None,
}


@pytest.mark.parametrize("argv", WRONG)
def test_wrong_usage_is_one_line_and_status_2(capsys, argv):
    status, out, err = run(capsys, *argv.split())
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("lossopt: ")
    if WRONG[argv]:
        assert err == WRONG[argv] + "\n"


# ------------------------------------------------------------------------------------------------- what goes wrong within
def raises(error: BaseException):
    def command(*_: object) -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        pytest.param(LossoptError("over\n two lines"), 2, "lossopt: over two lines\n", id="ours"),
        pytest.param(PermissionError(13, "Permission denied", "out"), 2, "lossopt: out: Permission denied\n", id="unwritable"),
        pytest.param(KeyboardInterrupt(), 130, "", id="interrupt"),
    ],
)
def test_an_error_becomes_a_status_and_at_most_one_line(capsys, monkeypatch, error, status, message):
    monkeypatch.setattr(cli, "_run", raises(error))
    assert run(capsys, "list") == (status, "", message)


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(cli, "_run", raises(ZeroDivisionError("a bug")))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        main(["list"])


def test_a_reader_that_leaves_early_is_no_traceback(root):
    command = f"{sys.executable} -c \"from lossopt.cli.main import main; raise SystemExit(main(['explain', 'adamw', '--json']))\" | true"
    env = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'backends'}"}
    ran = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], env=env, capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert ran.returncode in (0, 141)  # 0 where the pipe took everything before its reader left


def test_an_output_folder_that_cannot_be_made(capsys, root, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("a file, not a folder")
    recipes = sorted((root / "configs").glob("*.yaml"))
    assert recipes
    status, out, err = run(capsys, "compare", str(recipes[0]), "--steps", "2", "--out", str(taken))
    assert (status, out) == (2, "")
    assert err.startswith("lossopt: ")
    assert err.count("\n") <= 2


# ------------------------------------------------------------------------------------------------- list
def test_list_shows_a_line_for_each_name(capsys):
    status, out, _ = run(capsys, "list")
    assert status == 0
    listed = [line.split()[0] for line in out.splitlines()]
    everything = [*lossopt.list_optimizers(), *lossopt.list_transforms(), *lossopt.list_losses(), *lossopt.list_schedules()]
    assert listed == everything
    assert not re.search(r"[ \t]$|\x1b", out, re.M)


@pytest.mark.parametrize("argv", [("list", "optimizers", "nadam*"), ("list", "nadam*")], ids=" ".join)
def test_list_takes_a_pattern_with_or_without_a_kind(capsys, argv):
    _, out, _ = run(capsys, *argv)
    assert [line.split()[0] for line in out.splitlines()] == ["nadam", "nadamw"]


def test_list_as_json(capsys):
    _, out, _ = run(capsys, "list", "optimizers", "lion", "--json")
    (found,) = json.loads(out)
    assert found["name"] == "lion"
    assert found["conventions"] == ["torch", "optax", "keras"]
    assert found["summary"].startswith("Lion: ")
    assert found["elsewhere"]["optax"] == {"names": ["optax.lion"], "difference": "weight_decay 1e-3 by default, no default lr"}
    assert list(found) == ["name", "kind", "summary", "conventions", "elsewhere"]


def test_list_as_json_has_everything(capsys):
    _, out, _ = run(capsys, "list", "--json")
    found = json.loads(out)
    kinds = {"optimizer": lossopt.list_optimizers(), "transform": lossopt.list_transforms(), "loss": lossopt.list_losses(),
             "schedule": lossopt.list_schedules()}  # fmt: skip
    assert {kind: [d["name"] for d in found if d["kind"] == kind] for kind in kinds} == kinds


def test_list_on_a_terminal_is_one_line_each_by_kind():
    from rich.console import Console

    from lossopt.cli.list import chosen, sections

    found = chosen(None, "l*")
    terminal = Console(width=80, file=io.StringIO())
    for part in sections(found, 80):
        terminal.print(part)
    *lines, _, _, _ = terminal.file.getvalue().splitlines()  # a blank, and what follows from the names
    losses = [d.name for d in found if d.kind == "loss"]
    assert lines[0] == f"losses ({len(losses)})"
    assert [line.split()[0] for line in lines[1 : len(losses) + 1]] == losses
    assert lines[len(losses) + 1] == ""
    assert max(map(len, lines)) <= 80
    (lion,) = [line for line in lines if line.startswith("lion ")]
    assert "\u2026" in lion
    assert lion.endswith("keras")


# ------------------------------------------------------------------------------------------------- explain, doctor
def test_explain_shows_formula_defaults_state_and_elsewhere(capsys):
    status, out, _ = run(capsys, "explain", "AdamW")
    assert status == 0
    assert "'AdamW' is torch's and keras's name for adamw" in out
    assert "update = -lr" in out
    assert re.search(r"^\* weight_decay +0\.01 +0\.0001 +0\.004 +positive or zero, and finite", out, re.M)
    assert re.search(r"^  lr +0\.001 +0\.001 +0\.001 ", out, re.M)
    assert "State: 8 bytes per parameter at the defaults" in out
    assert "optax.adamw" in out
    assert "arXiv:1711.05101" in out


def test_explain_as_json_is_the_value(capsys):
    _, out, _ = run(capsys, "explain", "one_cycle", "--json")
    found = json.loads(out)
    assert found["name"] == "one_cycle"
    total = next(h for h in found["hyperparameters"] if h["name"] == "total_steps")
    assert total["default"] == "required"


def test_doctor_tries_every_backend_and_says_what_is_healthy(capsys):
    status, out, _ = run(capsys, "doctor", "--json")
    found = json.loads(out)
    assert status == (0 if found["healthy"] else 1)
    assert [b["name"] for b in found["backends"]][:3] == ["numpy", "jax", "torch"]
    assert found["healthy"], found["backends"]
    for backend in found["backends"]:
        assert backend["works"] is (True if backend["installed"] else None)


def test_doctor_for_people(capsys):
    status, out, _ = run(capsys, "doctor")
    assert status == 0
    assert re.search(r"^numpy  works  one AdamW update gives 0\.899$", out, re.M)


@pytest.mark.parametrize(
    ("step", "detail"),
    [
        pytest.param(lambda *_: 0.9, "one AdamW update gives 0.9, which should be 0.899", id="wrong"),
        pytest.param(lambda *_: float("nan"), "one AdamW update gives nan, which should be 0.899", id="nan"),
        pytest.param(raises(RuntimeError("no\ndevice")), "RuntimeError: no device", id="raises"),
    ],
)
def test_doctor_reports_a_backend_that_is_broken(capsys, monkeypatch, step, detail):
    from lossopt_numpy import doctor

    monkeypatch.setattr(doctor, "one_step", step)
    status, out, _ = run(capsys, "doctor")
    assert status == 1
    assert f"numpy  broken  {detail}\n" in out


def test_doctor_says_what_to_install(monkeypatch):
    from lossopt import registry
    from lossopt.doctor import examine

    absent = registry.Backend("torch", "lossopt_torch", ("no_such_framework",))
    health = examine(absent)
    assert (health.installed, health.works) == (False, None)
    assert health.detail == "no_such_framework is not installed: pip install 'lossopt[torch]'"


# ------------------------------------------------------------------------------------------------- parity
def report(error: float):
    from lossopt.parity.report import Comparison, ParityReport, Row

    return ParityReport((Row("optimizer", "adam", "torch", "lr=0.1", (Comparison("jax", error, 1e-12),)),), seconds=1.0)


@pytest.mark.parametrize(("error", "status"), [(1e-15, 0), (1e-3, 1), (float("inf"), 1)])
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["table", "json"])
def test_parity_fails_where_a_row_is_out_of_its_bound(capsys, monkeypatch, error, status, form):
    from lossopt.parity import engine

    monkeypatch.setattr(engine, "parity", lambda *args, **kwargs: report(error))
    found, out, _ = run(capsys, "parity", "adam", *form)
    assert found == status
    assert ("OUT OF BOUNDS" in out) == (status == 1 and not form)
    if form:
        assert json.loads(out)["ok"] == (status == 0)


def test_parity_that_compared_nothing_has_not_passed(capsys, monkeypatch):
    from lossopt.parity import engine
    from lossopt.parity.report import ParityReport

    monkeypatch.setattr(engine, "parity", lambda *args, **kwargs: ParityReport(()))
    assert run(capsys, "parity") == (
        2, "", "lossopt: nothing was compared: neither torch nor jax is installed; pip install 'lossopt[all]'\n",
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------- terminals
def on_a_terminal(root: Path, *argv: str, **environment: str) -> str:
    """What the command prints where it believes that a person watches."""
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    env |= {"PYTHONPATH": f"{root}{os.pathsep}{root / 'backends'}", "TERM": "xterm-256color", "COLUMNS": "100", **environment}
    ours, theirs = pty.openpty()
    child = subprocess.Popen([sys.executable, "-m", "lossopt", *argv], env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    pieces = []
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not piece:
            break
        pieces.append(piece)
    child.wait()
    os.close(ours)
    return b"".join(pieces).decode()


COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-7]|9[0-7]|38)[0-9;]*m")


def test_colour_on_a_terminal_only_and_not_against_NO_COLOR(root, capsys):
    assert COLOUR.search(on_a_terminal(root, "explain", "adamw"))
    assert not COLOUR.search(on_a_terminal(root, "explain", "adamw", NO_COLOR="1"))
    assert "\x1b" not in run(capsys, "explain", "adamw")[1]


def test_help_is_quick(python):
    """200 ms on an idle machine; the best of a few, since others may use this one."""
    python("-m", "lossopt", "--help")
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        assert python("-m", "lossopt", "--help", PYTHONDONTWRITEBYTECODE="").returncode == 0
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.2
