"""The .pyi files are what the definitions say, and a type checker reads them so."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

from lossopt import stubs

FOLDERS = {kind: folder for kind, (folder, _) in stubs.FOLDERS.items()}


@pytest.mark.parametrize("path", sorted(stubs.stubs()))
def test_stubs_are_current(root, path):
    assert (root / "lossopt" / path).read_text() == stubs.stubs()[path], "a signature changed: run `make stubs`"


@pytest.mark.parametrize("kind", FOLDERS)
def test_every_definition_has_its_signature(root, kind):
    tree = ast.parse((root / "lossopt" / FOLDERS[kind] / "__init__.pyi").read_text())
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    for definition in stubs.definitions(kind):
        call = next(f for f in classes[f"_{definition.name}"].body if isinstance(f, ast.FunctionDef) and f.name == "__call__")
        named = [a.arg for a in (*call.args.args, *call.args.kwonlyargs)]
        assert set(definition.defaults) <= set(named)


PROGRAM = """
from collections.abc import Callable
from lossopt import get_loss, get_optimizer, get_schedule
from lossopt.losses import focal_loss, mse_loss
from lossopt.optimizers import adamw, lion
from lossopt.schedules import cosine
from lossopt.transforms import chain, clip_by_global_norm, ema

ema(chain(clip_by_global_norm(max_norm=1.0), adamw(lr=1e-3, betas=(0.9, 0.99))))
adamw(learning_rate=1e-3, b1=0.8)
lion(lr=cosine(lr=0.1, T_max=10))
0.5 * mse_loss + focal_loss
get_optimizer("adamw", backend="torch", lr=1e-3, amsgrad=True)
get_optimizer("AdamW", "jax", learning_rate=1e-3)
get_loss("cross_entropy", label_smoothing=0.1)
get_schedule("cosine", T_max=10)
reveal_type(adamw(lr=1.0))
reveal_type(cosine(T_max=3))
adamw(lerning_rate=1.0)
adamw(lr="1e-3")
adamw(amsgrad_max="wrong")
cosine()
clip_by_global_norm(max_norm=None)
ema()
"""
WRONG = {18: "lerning_rate", 19: "1e-3", 20: "wrong", 21: "T_max", 22: "None", 23: "positional argument"}


def test_a_type_checker_reads_them(root, tmp_path):
    """What is right passes, spellings of other frameworks too; each wrong line is found, and no other."""
    (tmp_path / "program.py").write_text(PROGRAM.lstrip("\n"))
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(root), str(root / "backends")]}))
    ran = subprocess.run([sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(tmp_path)],
                         capture_output=True, text=True, check=False)  # fmt: skip
    told = json.loads(ran.stdout)["generalDiagnostics"]
    errors = {d["range"]["start"]["line"] + 1: d["message"] for d in told if d["severity"] == "error"}
    assert sorted(errors) == sorted(WRONG), errors
    for line, word in WRONG.items():
        assert word in errors[line]
    revealed = {d["range"]["start"]["line"] + 1: d["message"] for d in told if d["severity"] == "information"}
    assert 'is "Spec"' in revealed[16]
    assert 'is "ScheduleSpec"' in revealed[17]
