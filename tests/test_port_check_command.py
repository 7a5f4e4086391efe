"""The command ``lossopt port-check``: files of the user's, what it prints, and their exceptions in one line."""

from __future__ import annotations

import json
import re

import pytest

from lossopt.cli.main import main

TORCH_FILE = """
import torch
from beside import batches
print("building")

def make():
    torch.manual_seed(0)
    model = torch.nn.Sequential()
    model.add_module("last", torch.nn.Linear(12, 5))
    return {"model": model, "optimizer": torch.optim.SGD(model.parameters(), lr=0.1), "loss": torch.nn.CrossEntropyLoss(), "batches": batches()}

def fails():
    made = make()
    made["loss"] = lambda outputs, labels: outputs[99]
    return made

def raises():
    raise ValueError("no such\\ncheckpoint")
"""

JAX_FILE = """
from dataclasses import dataclass
from typing import Any
import jax
import jax.numpy as jnp
import optax
from beside import batches

@dataclass
class Side:
    apply: Any
    params: Any
    loss: Any
    optimizer: Any
    batches: Any

def loss(logits, labels):
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

def apply(params, x):
    return x @ params["last"]["kernel"] + params["last"]["bias"]

def make(lr=0.1):
    params = {"last": {"kernel": jax.random.normal(jax.random.key(0), (12, 5)), "bias": jnp.ones(5)}}
    return Side(apply, params, loss, optax.sgd(lr), batches())

def faster():
    return make(0.2)
"""

BESIDE = """
import numpy as np

def batches():
    random = np.random.default_rng(0)
    return [(random.normal(size=(8, 12)), random.integers(5, size=8)) for _ in range({count})]
"""


@pytest.fixture
def files(tmp_path):
    """Two folders, each with a file of its own called beside.py."""
    for name, text in (("torch", TORCH_FILE), ("jax", JAX_FILE)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "port.py").write_text(text)
        (tmp_path / name / "beside.py").write_text(BESIDE.format(count=9))
    return tmp_path / "torch" / "port.py", tmp_path / "jax" / "port.py"


def command(files, torch_function="make", jax_function="make", *more):
    return main(["port-check", "--torch", f"{files[0]}:{torch_function}", "--jax", f"{files[1]}:{jax_function}", "--steps", "5", *more])


def test_the_command_on_an_equal_pair(files, capsys, tmp_path):
    assert command(files, "make", "make", "--copy-weights", "torch", "--keep", str(tmp_path / "runs")) == 0
    printed = capsys.readouterr()
    assert printed.err == "building\n"
    assert "torch and jax are equal to rounding over 5 steps" in printed.out
    assert re.search(r"^ *5 updates +passes ", printed.out, re.M)
    assert printed.out.endswith(f"the recordings: lossopt diff {tmp_path / 'runs' / 'torch'} {tmp_path / 'runs' / 'jax'}\n")
    assert main(["diff", str(tmp_path / "runs" / "torch"), str(tmp_path / "runs" / "jax")]) == 0
    capsys.readouterr()
    assert command(files, "make", "make", "--keep", str(tmp_path / "runs")) == 2
    printed = capsys.readouterr()
    assert printed.err == f"building\nlossopt: --keep: {tmp_path / 'runs' / 'torch'} is there already; name another folder, or remove it\n"


def test_a_file_beside_each_is_its_own(files, capsys):
    (files[1].parent / "beside.py").write_text(BESIDE.format(count=3))
    assert command(files, "make", "make", "--copy-weights", "torch") == 1
    assert "From step 3 on the batches of jax end after 3, and torch has more" in capsys.readouterr().out


def test_the_command_on_other_weights_and_as_json(files, capsys):
    assert command(files) == 1
    out = capsys.readouterr().out
    assert "--copy-weights torch (or jax) begins both with the weights of that side" in out
    assert re.search(r"^ *initial weights +breaks ", out, re.M)
    assert command(files, "make", "faster", "--copy-weights", "jax", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["equal"], told["broken"]) == (False, "one update")
    assert [s["state"] for s in told["stages"]] == ["passes"] * 5 + ["breaks", "not reached"]
    assert told["stages"][3].keys() == {"stage", "state", "compared", "apart"}
    assert told["diff"]["first"]["finding"]["cause"] == "update scale"
    assert told["verdict"]["cause"] == "lr"


def test_the_users_own_exceptions_are_one_line(files, capsys):
    def said(**functions):
        assert command(files, **functions) == 2
        return capsys.readouterr().err.removeprefix("building\n")

    assert said(torch_function="mke") == f"lossopt: --torch: {files[0]} defines no function 'mke'; did you mean 'make'?\n"
    assert said(torch_function="raises") == f"lossopt: {files[0]}:raises() raised ValueError: no such checkpoint ({files[0]}, line 18)\n"
    assert said(torch_function="fails") == (
        f"lossopt: {files[0]}:fails: loss(outputs, labels) raised IndexError: index 99 is out of bounds for dimension 0 with size 8 ({files[0]}, line 14)\n"
    )
    files[1].write_text(JAX_FILE.replace("x @ params", "x.T @ params"))
    message = said()
    assert message.startswith(f"lossopt: {files[1]}:make: model(*inputs) raised TypeError: dot_general requires contracting dimensions ")
    assert message.endswith(f"({files[1]}, line 21)\n")
    files[1].write_text("import not_there\n")
    assert said() == f"lossopt: --jax: {files[1]} raised ModuleNotFoundError: No module named 'not_there' ({files[1]}, line 1)\n"
    files[1].write_text("def make(:\n")
    assert said() == f"lossopt: --jax: {files[1]} raised SyntaxError: invalid syntax ({files[1]}, line 1)\n"
    files[1].write_text("raise SystemExit(0)\n")
    assert said() == f"lossopt: --jax: {files[1]} raised SystemExit: 0 ({files[1]}, line 1)\n"
    files[1].unlink()
    assert said() == f"lossopt: --jax: there is no file {files[1]}\n"
    assert main(["port-check", "--torch", "port.txt:make", "--jax", "a.py:make"]) == 2
    assert capsys.readouterr().err == "lossopt: --torch takes FILE.py:FUNCTION, got 'port.txt:make'; write --torch port.py:make\n"


def test_the_example_finds_the_decay_that_nobody_wrote_down(root, capsys):
    pair = [str(root / "examples" / f"port_check_{framework}.py") + ":make" for framework in ("torch", "flax")]
    assert main(["port-check", "--torch", pair[0], "--jax", pair[1], "--copy-weights", "torch", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["broken"], told["verdict"]["cause"]) == ("one update", "weight_decay")
    assert "From step 0 on weight_decay is 0.01 in torch and 0.0001" in told["verdict"]["sentence"]


def test_a_missing_framework_says_what_to_install(python, tmp_path):
    program = ("import importlib.util as u; find = u.find_spec; u.find_spec = lambda n, *a: None if n == 'torch' else find(n, *a); "
               "from lossopt.cli.main import main; import sys; "
               f"open({str(tmp_path / 'a.py')!r}, 'w').write('def make(): pass'); "
               f"sys.exit(main(['port-check', '--torch', {str(tmp_path / 'a.py')!r}, '--jax', {str(tmp_path / 'a.py')!r}]))")  # fmt: skip
    ran = python("-c", program)
    assert (ran.returncode, ran.stderr) == (2, "lossopt: backend 'torch' needs torch, which is not installed: pip install 'lossopt[torch]'\n")
