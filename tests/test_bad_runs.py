"""Recordings and files that are not what the commands need: one sentence on standard error, exit status 2, never a traceback."""

from __future__ import annotations

import json
import shutil

import pytest
from planted.simulate import Options, changed, run

from lossopt.cli.main import main

SHORT = Options(steps=6)
NO_STEPS = "cut has no steps: its run ended before the first update, or was not closed; record one update at least"
OF_OTHERS = "ROOM/cut/run.json says framework 'keras', and recordings are of torch or jax; record the run with lossopt.record(...)"
NO_RECORDING = "ROOM/cut holds no recording (no run.json); lossopt.record(...) makes one"
NOT_WRITTEN = "ROOM/cut/run.json is not as lossopt.record(...) writes it; record the run again"
TOO_FEW = "cut has arrays of 0 steps from step 0 on, and 3 or more are needed: record the first 20 with lossopt.record(..., first=20)"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    room = tmp_path_factory.mktemp("runs")
    return run(room / "whole", SHORT), run(room / "flax", changed(SHORT, framework="jax"))


@pytest.fixture
def room(tmp_path, whole):
    shutil.copytree(whole[0], tmp_path / "cut")
    return tmp_path


def told(capsys, room, *words):
    """What one command says; the exit status is 2, and nothing is on standard output."""
    assert main([str(w) for w in words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("lossopt: ")
    assert err.count("\n") == 1
    return err.removeprefix("lossopt: ").rstrip("\n").replace(str(room), "ROOM")


def edit(folder, **keys):
    file = folder / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))


def lines(folder, change):
    file = folder / "steps.jsonl"
    file.write_text("\n".join(change(file.read_text().splitlines())) + "\n")


def truncate(folder, step, size):
    file = folder / "arrays" / f"{step:08d}.safetensors"
    file.write_bytes(file.read_bytes()[:size])


def cut_off(step, why):
    return (f"ROOM/cut/arrays/{step:08d}.safetensors is not a whole safetensors file (Error while deserializing: {why}); remove it, and the "
            "rest of the run can be read without the arrays of that step")  # fmt: skip


BROKEN = {
    "no folder": (shutil.rmtree, NO_RECORDING, NO_RECORDING),
    "no run.json": (lambda cut: (cut / "run.json").unlink(), NO_RECORDING, NO_RECORDING),
    "a list": (lambda cut: (cut / "run.json").write_text("[1]"), NOT_WRITTEN, NOT_WRITTEN),
    "no parameters named": (lambda cut: (cut / "run.json").write_text('{"version": 1}'), NOT_WRITTEN, NOT_WRITTEN),
    "a parameter of another make": (lambda cut: edit(cut, parameters=[{"name": "a", "shape": [1], "colour": "red"}]), NOT_WRITTEN, NOT_WRITTEN),
    "a framework of which there are none": (lambda cut: edit(cut, framework="keras"), OF_OTHERS, OF_OTHERS),
    "no steps": (lambda cut: (cut / "steps.jsonl").write_text(""), NO_STEPS, NO_STEPS),
    "no file of steps": (lambda cut: (cut / "steps.jsonl").unlink(), NO_STEPS, NO_STEPS),
    "a line of something else": (lambda cut: lines(cut, lambda own: [own[0], '{"a": 1}', *own[2:]]),
                                 *["ROOM/cut/steps.jsonl, line 2, is no step as lossopt.record(...) writes it; record the run again"] * 2),
    "arrays cut off": (lambda cut: truncate(cut, 0, -9), *[cut_off(0, "incomplete metadata, file not fully covered")] * 2),
    "no arrays in a file": (lambda cut: truncate(cut, 2, 0), *[cut_off(2, "header too small")] * 2),
    "other steps": (lambda cut: lines(cut, lambda own: [line.replace('{"step": ', '{"step": 1', 1) for line in own]),
                    "whole and cut have no step in common (0 to 5; 10 to 15); record the same updates in both", TOO_FEW),
}  # fmt: skip


@pytest.mark.parametrize(("breaks", "of_diff", "of_identify"), BROKEN.values(), ids=BROKEN)
def test_a_broken_recording(breaks, of_diff, of_identify, capsys, room, whole):
    breaks(room / "cut")
    assert told(capsys, room, "diff", whole[0], room / "cut") == of_diff
    assert told(capsys, room, "identify", room / "cut") == of_identify


def test_a_file_is_no_recording(capsys, room, whole):
    (room / "notes.txt").write_text("x")
    assert told(capsys, room, "diff", room / "notes.txt", whole[0]) == (
        "ROOM/notes.txt holds no recording (no run.json); lossopt.record(...) makes one"
    )


def test_two_runs_without_a_common_parameter(capsys, room, whole):
    edit(room / "cut", parameters=[{"name": "alone", "shape": [3]}])
    assert told(capsys, room, "diff", whole[0], room / "cut") == (
        "whole and cut have no parameter in common (fc1.weight, fc1.bias, norm.weight and 5 more; alone); say which is which in a YAML file, "
        "{name in the second run: name in the first}, and give it as --map FILE"
    )


def test_samples_that_nothing_places(capsys, room, whole):
    """The arrays of the first step were removed, and with them the places of the samples."""
    known = json.loads((room / "cut" / "run.json").read_text())["parameters"]
    edit(room / "cut", parameters=[{**p, "samples": 4} for p in known])
    assert told(capsys, room, "diff", whole[0], room / "cut") == (
        "cut: the arrays of its first steps are not there, and they say which elements of fc1.weight the others hold; record the run again"
    )


def test_a_line_that_a_crash_cut_off_is_left_out(capsys, room, whole):
    lines(room / "cut", lambda own: [*own[:-1], own[-1][:40]])
    assert main(["diff", str(whole[0]), str(room / "cut")]) == 0
    assert "whole and cut are equal to rounding over 5 steps" in capsys.readouterr().out


MAPS = {
    "a name of no parameter": ("fc9.kernel: fc1.weight", "'fc9.kernel' matches no parameter of flax; the nearest is 'fc2.kernel'"),
    "a name for no parameter": ("fc1.kernel: fc9.weight", "'fc1.kernel' makes 'fc1.kernel' into 'fc9.weight', which whole does not have; the nearest "
                                "is 'fc2.weight'"),
    "twice": ("fc1.kernel: fc1.weight\nfc1.kernel: fc2.weight", "ROOM/map.yaml names 'fc1.kernel' twice; leave one of the two lines out"),
    "a list": ("- fc1", "ROOM/map.yaml must map names of the second run to names of the first, a line each: fc.kernel: head.weight"),
    "empty": ("", "ROOM/map.yaml must map names of the second run to names of the first, a line each: fc.kernel: head.weight"),
    "a star without quotes": ("*.kernel: fc1.weight", "ROOM/map.yaml, line 1, is not YAML: expected alphabetic or numeric character, but found '.'; put a "
                              "name that begins with * in quotes"),
    "no text": (b"\xff\xfe", "ROOM/map.yaml is not UTF-8 text: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), MAPS.values(), ids=MAPS)
def test_a_wrong_map(content, message, capsys, room, whole):
    (room / "map.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert told(capsys, room, "diff", *whole, "--map", room / "map.yaml") == f"--map: {message}"


def test_a_map_that_is_not_there(capsys, room, whole):
    assert told(capsys, room, "diff", *whole, "--map", room) == "--map: there is no file ROOM"


def test_a_picture_that_cannot_be_written(capsys, room, whole):
    assert told(capsys, room, "diff", *whole, "--plot", room / "no" / "apart.png") == (
        "ROOM/no/apart.png: there is no folder ROOM/no to write the picture to; make it, or name another file"
    )
    assert told(capsys, room, "diff", *whole, "--plot", room / "apart.bmpx").startswith("ROOM/apart.bmpx: Format 'bmpx' is not supported")


def test_a_picture_without_an_ending_is_a_png(room, whole):
    assert main(["diff", *map(str, whole), "--plot", str(room / "apart")]) == 0
    assert (room / "apart").read_bytes().startswith(b"\x89PNG")


def test_a_number_of_fits_below_none(capsys, room, whole):
    assert told(capsys, room, "identify", whole[0], "--top", "-1") == "identify: --top is a whole number from 0, got -1"


SOURCES = {
    "no such function": ("def mak(): pass", "--torch: ROOM/port.py defines no function 'make'; did you mean 'mak'?"),
    "a syntax error": ("def make(:", "--torch: ROOM/port.py raised SyntaxError: invalid syntax (ROOM/port.py, line 1)"),
    "an argument": ("def make(size, lr=0.1): pass", "ROOM/port.py:make needs size, and is called without arguments; name a function that takes none"),
    "nothing": ("def make(): pass", "ROOM/port.py:make returned None; it returns a dict, or an object with attributes, of: model, optimizer, loss, batches"),
    "an exit": ("import sys\nsys.exit(3)", "--torch: ROOM/port.py raised SystemExit: 3 (ROOM/port.py, line 2)"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), SOURCES.values(), ids=SOURCES)
def test_a_source_that_makes_no_side(content, message, capsys, room):
    (room / "port.py").write_text(content)
    (room / "flax.py").write_text("def make(): return {}")
    assert told(capsys, room, "port-check", "--torch", room / "port.py:make", "--jax", room / "flax.py:make") == message


def test_recordings_are_not_kept_in_a_file(capsys, room):
    for name in ("a.py", "b.py"):
        (room / name).write_text("def make(): return {}")
    assert told(capsys, room, "port-check", "--torch", room / "a.py:make", "--jax", room / "b.py:make", "--keep", room / "a.py") == (
        "--keep: ROOM/a.py is a file; name a folder, which is made if it is not there"
    )
