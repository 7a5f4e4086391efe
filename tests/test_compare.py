"""Two frameworks side by side: they agree where they should, and a planted difference is called by its name."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jax
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

from lossopt.cli.main import main
from lossopt.compare import compare
from lossopt.compare.verdict import STAGES, size
from lossopt.errors import ArgumentError, ConfigError, InputError, UnknownNameError
from lossopt.losses import cross_entropy, mse_loss
from lossopt.optimizers import adam, adamw, lamb, lion, polyak_sgd, prodigy, rmsprop, schedule_free_adamw, sgd
from lossopt.recipes import Recipe
from lossopt.schedules import cosine, one_cycle
from lossopt.tasks import Data, Layout, Task
from lossopt.tasks.task import uniform_fan_in
from lossopt.transforms import add_decayed_weights, chain, clip_by_global_norm, ema, sam
from lossopt_jax.models import MODELS
from lossopt_jax.trainer import Side as JaxSide

ROOT = Path(__file__).parent.parent
DIGITS = ROOT / "configs" / "digits_classification.yaml"


def blobs() -> Data:
    """Three clouds of points in 16 dimensions."""
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 3, 200)
    points = generator.standard_normal((200, 16)) + labels[:, None] * np.linspace(-1, 1, 16)
    return Data(train=(points[:160], labels[:160]), test=(points[160:], labels[160:]))


BLOBS = Task("blobs", blobs, "mlp", sizes=(16, 3), initial=uniform_fan_in)
PLAIN = Recipe(cross_entropy.configure(), adamw(lr=1e-2), steps=8, batch_size=32)


@pytest.fixture(scope="module")
def digits():
    return compare(DIGITS)


# ------------------------------------------------------------------------------------------------- agreement
def test_the_digits_agree_and_are_learnt(digits):
    assert not digits.diverged
    assert len(digits.rows) == 200
    assert digits.rows[-1].worst <= 1e-9
    assert min(digits.rows[-1].score.values()) > 0.95


def test_one_cycle_moves_lr_and_momentum_in_both(digits):
    recipe = digits.recipe
    for backend in ("jax", "torch"):
        expected = [recipe.schedule.with_lr(recipe.optimizer.flat["lr"])(i) for i in range(200)]
        np.testing.assert_allclose([row.lr[backend] for row in digits.rows], expected, rtol=1e-14)
    cycling, still = (other(schedule=one_cycle(total_steps=8, cycle_momentum=c)) for c in (True, False))
    for backend in ("jax", "torch"):
        found = compare(cycling, task=BLOBS, recipe_for={backend: still}).breach
        assert (found.step, found.difference.stage) == (2, "update")  # so the other side did cycle its momentum


def test_float32_stays_within_what_it_states():
    found = compare(DIGITS, dtype="float32")
    assert not found.diverged
    assert 1e-9 < found.rows[-1].worst < 1e-5  # it is float32 that ran


def test_nothing_is_left_behind_in_the_process():
    threads, state, x64 = torch.get_num_threads(), torch.get_rng_state(), jax.config.jax_enable_x64
    compare(PLAIN, task=BLOBS, steps=2)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert jax.config.jax_enable_x64 == x64
    assert jax.numpy.ones(()).dtype == "float32"


def test_the_step_is_compiled_once():
    side = JaxSide(BLOBS, dataclasses.replace(PLAIN, schedule=cosine(T_max=8), precision="float64"))
    data = blobs()
    side.load(uniform_fan_in(side.shapes, np.random.default_rng(0)))
    for start in range(0, 128, 32):
        side.step(*(x[start:start + 32] for x in data.train))
    assert side.built._compiled[True]._cache_size() == 1


WAYS = {
    "sgd with momentum": sgd(lr=0.1, momentum=0.9, nesterov=True),
    "lion": lion(lr=1e-3, weight_decay=0.1),
    "a norm of each parameter": lamb(lr=1e-2),
    "prodigy": prodigy(lr=1.0),
    "a rule that reads the loss": polyak_sgd(),
    "a rule that looks elsewhere": sam(sgd(lr=0.1)),
    "parameters to evaluate": schedule_free_adamw(lr=1e-2),
    "a wrapper with parameters to evaluate": ema(adamw(lr=1e-2)),
    "a chain": chain(clip_by_global_norm(max_norm=0.1), add_decayed_weights(weight_decay=0.1), sgd(lr=0.1)),
}


@pytest.mark.parametrize("optimizer", WAYS.values(), ids=WAYS)
def test_every_way_of_updating_agrees(optimizer):
    found = compare(dataclasses.replace(PLAIN, optimizer=optimizer), task=BLOBS)
    assert not found.diverged, str(found)
    first, last = found.rows[0], found.rows[-1]
    assert first.loss != last.loss
    assert last.score["jax"] == last.score["torch"]


def test_convolutions_agree():
    found = compare(PLAIN, task=dataclasses.replace(BLOBS, models="cnn"), steps=3)
    assert not found.diverged, str(found)


# ------------------------------------------------------------------------------------------------- planted differences
def other(**changes):
    return dataclasses.replace(PLAIN, **changes)


ANNEALED = other(schedule=cosine(T_max=8))
CLIPPED = other(optimizer=chain(clip_by_global_norm(max_norm=0.1), sgd(lr=0.1)))
PLANTED = {
    "weight decay": (PLAIN, other(optimizer=adamw(lr=1e-2, weight_decay=0.02)), 1, "update"),
    "coupled decay": (PLAIN, other(optimizer=adam(lr=1e-2, weight_decay=1e-2)), 1, "update"),
    "second beta": (PLAIN, other(optimizer=adamw(lr=1e-2, betas=(0.9, 0.99))), 2, "update"),
    "eps": (PLAIN, other(optimizer=adamw(lr=1e-2, eps=1e-7)), 1, "update"),
    "eps inside the root": (other(optimizer=rmsprop(eps=1e-6)), other(optimizer=rmsprop(eps=1e-6, eps_inside_root=True)), 1, "update"),
    "clipping": (CLIPPED, other(optimizer=chain(clip_by_global_norm(max_norm=0.2), sgd(lr=0.1))), 1, "update"),
    "clipping: eps": (CLIPPED, other(optimizer=chain(clip_by_global_norm(max_norm=0.1, convention="optax"), sgd(lr=0.1))), 1, "update"),
    "base lr": (PLAIN, other(optimizer=adamw(lr=1.1e-2)), 1, "schedule"),
    "length of the schedule": (ANNEALED, other(schedule=cosine(T_max=9)), 2, "schedule"),
    "no schedule": (ANNEALED, PLAIN, 2, "schedule"),
    "reduction": (PLAIN, other(loss=cross_entropy.configure(reduction="sum")), 1, "loss"),
    "label smoothing": (PLAIN, other(loss=cross_entropy.configure(label_smoothing=0.1)), 1, "loss"),
}


@pytest.mark.parametrize(("number", "planted"), list(enumerate(PLANTED.values())), ids=list(PLANTED))
def test_a_planted_difference_is_named(number, planted):
    recipe, planted, step, stage = planted
    found = compare(recipe, task=BLOBS, steps=3, recipe_for={("jax", "torch")[number % 2]: planted})
    assert (found.breach.step, found.breach.difference.stage) == (step, stage)
    assert all(d.size <= 1e-9 for s, d in found.rows[step - 1].differences.items() if list(STAGES).index(s) < list(STAGES).index(stage))


def torch_mlp(activation=None, detached=False):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(16, 8), nn.Linear(8, 3)

        def forward(self, x):
            hidden = (activation or torch.relu)(self.a(x))
            return self.b(hidden.detach() + 0 * hidden if detached else hidden)

    return Model


class FlaxMLP(nnx.Module):
    def __init__(self, rngs):
        self.a, self.b = nnx.Linear(16, 8, rngs=rngs), nnx.Linear(8, 3, rngs=rngs)

    def __call__(self, x):
        return self.b(nnx.relu(self.a(x)))


def pair(make_torch, make_flax=FlaxMLP, **more):
    return Task("pair", blobs, {"torch": make_torch, "jax": make_flax}, **more)


@pytest.mark.parametrize(("model", "stage", "where"), [
    (torch_mlp(torch.nn.functional.leaky_relu), "predictions", ""),
    (torch_mlp(detached=True), "gradient", "a."),
], ids=["another activation", "a detached term"])  # fmt: skip
def test_a_difference_in_the_models_is_named(model, stage, where):
    breach = compare(PLAIN, task=pair(model), steps=2).breach
    assert (breach.step, breach.difference.stage) == (1, stage)
    assert breach.difference.where.startswith(where)


def test_the_verdict_in_full():
    planted = other(optimizer=adamw(lr=1e-2, weight_decay=0.5))
    found = compare(PLAIN, task=BLOBS, steps=3, recipe_for={"torch": planted})
    x, y = found.breach.difference.values
    assert str(found) == (
        "jax and torch differ from step 1 on. First to differ: the optimizer's update of hidden.weight, by "
        f"{size(found.breach.difference.size)} (relative; 1e-9 is allowed): {x:.9g} in jax, {y:.9g} in torch. Before it in that step, "
        "these agree: the parameters, the models' predictions, the loss, the gradient, the learning rate. The optimizers differ on the "
        "same gradients and learning rate: look at weight decay, eps, bias correction, clipping and momentum. The loss differs by more "
        "than 1e-9 from step 2 on."
    )


def test_a_loss_that_is_not_finite_is_no_agreement():
    found = compare(other(optimizer=sgd(lr=1e300), loss=cross_entropy.configure()), task=BLOBS, steps=4)
    assert found.diverged
    assert "A number is not finite; from there on nothing can be compared." in str(found)
    assert json.loads(found.to_json())["steps"][-1]["loss"]["jax"] is None


# ------------------------------------------------------------------------------------------------- a user's own pair
class FlaxNormed(nnx.Module):
    def __init__(self, rngs):
        self.a, self.norm, self.b = nnx.Linear(16, 8, rngs=rngs), nnx.BatchNorm(8, momentum=0.9, rngs=rngs), nnx.Linear(8, 3, rngs=rngs)

    def __call__(self, x):
        return self.b(self.norm(self.a(x)))


def test_a_gradient_that_is_only_rounding_is_told_and_not_taken_for_a_difference():
    task = pair(lambda: nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)), FlaxNormed,
                names={"0": "a", "1": "norm", "2": "b"})  # fmt: skip
    found = compare(other(optimizer=lion(lr=1e-3)), task=task)
    assert not found.diverged, str(found)
    assert dict(found.result.rounding) == {"0.bias": 1}
    assert str(found).endswith(
        " Not compared: how 0.bias moves, because its gradient is zero but for rounding (the loss does not depend on it)."
    )


def test_names_and_layouts_are_the_users():
    class Flipped(nnx.Module):
        def __init__(self, rngs):
            self.w, self.b = nnx.Param(rngs.params.normal((16, 3))), nnx.Linear(3, 3, rngs=rngs)

        def __call__(self, x):
            return self.b(x @ self.w[...])

    def make():
        return nn.Sequential(nn.Linear(16, 3, bias=False), nn.Linear(3, 3))

    names = {"0.weight": "w", "1": "b"}
    with pytest.raises(InputError) as error:
        compare(PLAIN, task=pair(make, Flipped, names=names), steps=1)
    assert str(error.value) == (
        "the parameter '0.weight' is (16, 3) in jax and (3, 16) in torch, both in PyTorch's layout; "
        "say how it lies in Flax in Task(layouts={torch's name: Layout(to_torch, from_torch)})"
    )
    turned = Layout(to_torch=np.transpose, from_torch=np.transpose)
    assert not compare(PLAIN, task=pair(make, Flipped, names=names, layouts={"0.weight": turned}), steps=2).diverged
    wrong = Layout(to_torch=np.transpose, from_torch=lambda x: np.transpose(x) + 1)
    with pytest.raises(InputError) as error:
        compare(PLAIN, task=pair(make, Flipped, names=names, layouts={"0.weight": wrong}), steps=1)
    assert str(error.value) == "'0.weight' did not arrive unchanged in jax: its Layout's two functions are not inverse"


def test_models_that_do_not_correspond():
    with pytest.raises(InputError) as error:
        compare(PLAIN, task=pair(lambda: nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))), steps=1)
    assert str(error.value) == (
        "the two models' parameters do not correspond: only jax has a.bias, a.weight, b.bias, b.weight; only torch has 0.bias, 0.weight, "
        "2.bias, 2.weight. Say which is which in Task(names={torch's name: Flax's name})"
    )


def test_another_score_and_targets_that_are_numbers():
    def line() -> Data:
        x, y = blobs().train
        y = np.stack([y, -y, y], 1).astype(float)
        return Data((x[:100], y[:100]), (x[100:], y[100:]))

    def fit(predictions, targets):
        return -float(np.mean((predictions - targets) ** 2))

    task = Task("line", line, "mlp", sizes=(16, 3), initial=uniform_fan_in, score=fit, score_name="fit")
    found = compare(other(loss=mse_loss.configure()), task=task)
    assert not found.diverged
    assert found.rows[-1].score["jax"] == pytest.approx(found.rows[-1].score["torch"], rel=1e-12)
    assert found.rows[-1].score["jax"] > found.rows[0].score["jax"]


# ------------------------------------------------------------------------------------------------- what cannot be compared
@pytest.mark.parametrize(("changes", "error", "message"), [
    ({"backends": ("torch",)}, ArgumentError, "a comparison is between two backends, such as jax,torch; got torch"),
    ({"backends": ("torch", "torch")}, ArgumentError, "a comparison is between two backends, such as jax,torch; got torch, torch"),
    ({"backends": ("numpy", "torch")}, UnknownNameError, "backend 'numpy' trains no model; a comparison is between jax and torch"),
    ({"backends": ("jax", "pytorch")}, UnknownNameError,
     "unknown backend 'pytorch'; did you mean 'torch'? It is one of: numpy, jax, torch"),
    ({"recipe_for": {"numpy": PLAIN}}, ArgumentError, "recipe_for names 'numpy', which is not compared; the backends are jax and torch"),
    ({"tolerance": -1.0}, ArgumentError, "tolerance must be positive or zero, and finite, got -1.0"),
    ({"recipe": other(batch_size=500)}, InputError, "batch_size is 500, and there are only 160 training samples"),
    ({"task": "my_pairs.py"}, InputError, "--task takes a Python file that defines `task = Task(...)`; 'my_pairs.py' is no such file"),
    ({"task": Task("half", blobs, {"torch": torch_mlp()})}, InputError,
     "the task 'half' has no jax model; give Task(models={'jax': make_flax_model, ...})"),
    ({"task": Task("x", blobs, "mpl", sizes=(16, 3))}, UnknownNameError,
     "unknown model 'mpl'; did you mean 'mlp'? It is one of: " + ", ".join(MODELS)),
], ids=["one", "twice the same", "numpy", "nickname", "recipe for another", "tolerance", "batch", "file", "half", "model"])  # fmt: skip
def test_what_cannot_be_compared(changes, error, message):
    with pytest.raises(error) as found:
        compare(**{"recipe": PLAIN, "task": BLOBS, "steps": 1, **changes})
    assert str(found.value) == message


# ------------------------------------------------------------------------------------------------- the command
def test_the_command_prints_and_writes(tmp_path, capsys):
    assert main(["compare", str(DIGITS), "--steps", "4", "--out", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    assert "jax and torch agree: over 4 steps the losses differ by" in out
    assert (tmp_path / "digits_classification.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(json.loads((tmp_path / "digits_classification.json").read_text())["steps"]) == 4


def test_the_command_in_json_and_with_two_recipes(tmp_path, capsys):
    other_recipe = tmp_path / "other.yaml"
    other_recipe.write_text(DIGITS.read_text().replace("0.05", "0.06"))
    arguments = ["compare", str(DIGITS), "--against", str(other_recipe), "--steps", "3", "--out", str(tmp_path), "--json"]
    assert main([*arguments, "--backends", "torch,jax", "--dtype", "float64"]) == 1
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == ""
    assert found["backends"] == ["torch", "jax"]
    assert found["diverged"] is True
    assert (found["first_difference"]["step"], found["first_difference"]["stage"]) == (1, "update")
    assert found["recipes"]["jax"]["optimizer"] != found["recipes"]["torch"]["optimizer"]
    assert set(found["steps"][0]["difference"]) == set(STAGES)


def test_the_example_pair(tmp_path, capsys):
    task = str(ROOT / "examples" / "my_pair.py")
    assert main(["compare", str(DIGITS), "--task", task, "--steps", "100", "--out", str(tmp_path)]) == 0
    assert "tones: 800 samples, 200 held out; its own pair of models, 579 parameters" in capsys.readouterr().out


def test_the_command_says_errors_in_one_line(tmp_path, capsys):
    bad = tmp_path / "bad.yaml"
    bad.write_text("loss: cross_entropy\noptimizer: {name: adamw, lr: -1}\n")
    assert main(["compare", str(bad)]) == 2
    assert capsys.readouterr().err == f"lossopt: {bad}:2:30 optimizer.lr: must be positive or zero, and finite, got -1\n"


def test_a_task_file_without_a_task(tmp_path):
    empty = tmp_path / "empty.py"
    empty.write_text("x = 1\n")
    with pytest.raises(InputError) as error:
        compare(PLAIN, task=str(empty))
    assert str(error.value) == (
        f"{empty} does not define `task`; write: from lossopt.tasks import Data, Task; task = Task(name=..., data=..., models=...)"
    )


def test_a_configuration_cannot_name_code(tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("loss: mse_loss\noptimizer: sgd\ntask: my_pair.py\n")
    with pytest.raises(ConfigError, match=r"recipe\.yaml:3:7 task: unknown task 'my_pair\.py'; your own task is code"):
        compare(recipe)
