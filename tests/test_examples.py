"""Every example runs, learns what it says, and has its twin in the other framework."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from flax import nnx

from lossopt.compare import compare
from lossopt.losses import cross_entropy
from lossopt.optimizers import sgd
from lossopt.recipes import Recipe
from lossopt.recording import read_recording
from lossopt.tasks import Data, Task

EXAMPLES = Path(__file__).parent.parent / "examples"
FILES = sorted(path.stem for path in EXAMPLES.glob("*.py"))

LEARNT = {  # steps, and what the score is to be
    "mlp": (200, lambda accuracy: accuracy > 0.95),
    "cnn": (200, lambda accuracy: accuracy > 0.95),
    "rnn": (200, lambda accuracy: accuracy > 0.9),
    "transformer": (80, lambda bits: bits < 4.3),  # counting characters gives 4.7
    "cnn_advanced": (60, lambda accuracy: accuracy > 0.95),
    "transformer_advanced": (40, lambda bits: bits < 4.2),
}


@pytest.fixture
def example(monkeypatch):
    """An example as a module; they import each other as scripts do."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if name in FILES:
            del sys.modules[name]


@pytest.mark.parametrize("framework", ["torch", "flax"])
@pytest.mark.parametrize("model", LEARNT)
def test_an_example_learns(example, capsys, framework, model):
    steps, learnt = LEARNT[model]
    score = example(f"{framework}_{model}").main(steps)
    assert learnt(score)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("step   0  loss ")
    assert re.fullmatch(r"held-out (accuracy \d+\.\d%|bits per character \d\.\d\d)", printed[-1])


@pytest.mark.parametrize("name", ["custom_model_architectures", "custom_model_architectures_flax"])
def test_the_custom_models_learn_a_batch(example, name):
    losses = example(name).main(8)
    assert set(losses) == {"transformer", "cnn", "rnn"}
    assert all(found[-1] < 0.9 * found[0] for found in losses.values())


def batch(kind: str) -> Data:
    generator = np.random.default_rng(0)
    inputs = {"transformer": lambda: generator.integers(1000, size=(8, 12)), "cnn": lambda: generator.standard_normal((8, 3, 10, 10)),
              "rnn": lambda: generator.standard_normal((8, 6, 100))}[kind]()  # fmt: skip
    targets = generator.integers(5, size=8)
    return Data(train=(inputs, targets), test=(inputs, targets))


@pytest.mark.parametrize("kind", ["transformer", "cnn", "rnn"])
def test_the_custom_models_are_the_same_in_both_frameworks(example, kind):
    name = {"transformer": "CustomTransformerModel", "cnn": "CustomCNNModel", "rnn": "CustomRNNModel"}[kind]
    in_torch, in_flax = (getattr(example(module), name) for module in ("custom_model_architectures", "custom_model_architectures_flax"))

    class ChannelsFirst(in_flax):
        def __call__(self, x):
            return super().__call__(x.transpose(0, 2, 3, 1))

    made = ChannelsFirst if kind == "cnn" else in_flax
    task = Task(kind, lambda: batch(kind), {"torch": in_torch, "jax": lambda rngs: made(rngs=rngs)})
    found = compare(Recipe(cross_entropy.configure(), sgd(lr=0.1), steps=3, batch_size=4), task=task, dtype="float64")
    assert not found.diverged, found
    assert found.rows[-1].worst <= 1e-12
    assert isinstance(made(rngs=nnx.Rngs(0)), nnx.Module)


def test_the_optimizer_of_ones_own_learns_the_same_in_both(example):
    module = example("my_optimizer")
    jax_losses, torch_losses = module.train_in_jax(60), module.train_in_torch(60)
    np.testing.assert_allclose(jax_losses, torch_losses, rtol=1e-3)
    assert jax_losses[-1] < 0.1 * jax_losses[0]


def test_the_recorded_examples_begin_alike(example, tmp_path, capsys):
    found = {}
    for framework in ("torch", "flax"):
        example(f"record_{framework}").main(str(tmp_path / framework), 52)
        found[framework] = read_recording(tmp_path / framework)
        assert f"Recording {framework}: " in capsys.readouterr().out
    here, there = found["torch"], found["flax"]
    assert len(here) == len(there) == 52
    assert here.array_steps == there.array_steps == (*range(20), 50)
    first, second = here.steps[0], there.steps[0]
    np.testing.assert_allclose(first.batch, second.batch, rtol=1e-12)
    assert (first.loss, first.lr) == (pytest.approx(second.loss, rel=1e-5), pytest.approx(second.lr))
    np.testing.assert_allclose(here.of("grad", 0)["2.weight"], there.of("grad", 0)["layers.2.kernel"].T, rtol=1e-3, atol=1e-7)
    assert not np.allclose(here.of("update", 0)["2.weight"], there.of("update", 0)["layers.2.kernel"].T, rtol=1e-3)


@pytest.mark.parametrize("title", ["AdamW with everything left at its default", "A warm-up and a cosine", "Four small batches for one update"])
def test_the_page_of_disagreements_is_what_the_command_prints(example, root, title):
    made = example("disagreements")
    pair = next(p for p in made.PAIRS if p.title == title)
    verdict = made.diagnosed(pair).partition("\n\n\n")[0]  # the table below it has figures that a machine's rounding moves
    assert verdict in (root / "examples/DISAGREEMENTS.md").read_text(encoding="utf-8")


def test_an_example_is_a_script(root, python):
    ran = python(str(root / "examples" / "torch_mlp.py"))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1].startswith("held-out accuracy 9")


def test_every_example_has_its_twin_and_its_place_in_the_table():
    twins = {name.partition("_")[2] for name in FILES if name.startswith("torch_")}
    assert twins == {name.partition("_")[2] for name in FILES if name.startswith("flax_")} == set(LEARNT)
    table = (EXAMPLES / "README.md").read_text()
    assert set(re.findall(r"\((\w+)\.py\)", table)) == set(FILES)
    for name in FILES:
        text = (EXAMPLES / f"{name}.py").read_text()
        if name.startswith(("torch_", "flax_")):
            assert f"python examples/{name}.py\n" in text
