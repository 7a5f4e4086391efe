"""The built-in tasks and models: real data, the same mathematics in both frameworks, and scores that say it was learnt."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

from lossopt.compare import compare
from lossopt.errors import InputError, UnknownNameError
from lossopt.losses import contrastive_loss, cross_entropy, dice_ce_loss, mse_loss, triplet_margin_loss
from lossopt.optimizers import adamw, lion, sgd
from lossopt.recipes import Recipe, load_recipe
from lossopt.tasks import (
    BUILT_IN,
    Data,
    Layout,
    Task,
    characters,
    digits,
    digits_pairs,
    digits_segmentation,
    digits_triplets,
    get_task,
    mapping,
)
from lossopt.tasks.scores import accuracy, bits_per_character, mean_dice, r_squared, recall_at_1
from lossopt.tasks.task import uniform_fan_in, uniform_he
from lossopt_jax import models as jax_models
from lossopt_jax.optimizers import split
from lossopt_torch import models as torch_models

CONFIGS = Path(__file__).parent.parent / "configs"

# ------------------------------------------------------------------------------------------------- recipes
LEARNT = {
    "breast_cancer_classification": lambda score: score >= 0.96,
    "characters": lambda score: score <= 3.3,  # bits; counting characters gives 4.7
    "diabetes_regression": lambda score: score >= 0.5,
    "digits_classification": lambda score: score >= 0.97,
    "digits_pairs": lambda score: score >= 0.95,  # the pixels themselves give 0.944
    "digits_segmentation": lambda score: score >= 0.9,
    "digits_triplets": lambda score: score >= 0.95,
}


@pytest.mark.parametrize("name", LEARNT)
def test_a_recipe_agrees_in_float64_and_is_learnt(name):
    found = compare(CONFIGS / f"{name}.yaml")
    assert (found.dtype, found.diverged) == ("float64", False), found
    assert len(found.rows) <= 200
    assert found.result.rounding == {}
    assert all(map(LEARNT[name], found.rows[-1].score.values())), found.rows[-1].score


def test_every_recipe_is_tested_and_every_task_has_one():
    assert {path.stem for path in CONFIGS.glob("*.yaml") if "\ntask: " in path.read_text()} == set(LEARNT)
    assert {load_recipe(CONFIGS / f"{name}.yaml").task for name in LEARNT} == set(BUILT_IN)
    assert {get_task(name).name for name in BUILT_IN} == set(BUILT_IN)


# ------------------------------------------------------------------------------------------------- models
MODELS = {
    "mlp": ("digits", (64, 10), cross_entropy.configure()),
    "cnn": ("digits", (64, 10), cross_entropy.configure()),
    "rnn": ("characters", (96, 96), cross_entropy.configure(axis=-1)),
    "transformer": ("characters", (96, 96), cross_entropy.configure(axis=-1)),
    "unet": ("digits_segmentation", (1, 11), dice_ce_loss.configure()),
    "embedding": ("digits_triplets", (64, 16), triplet_margin_loss.configure(margin=0.5)),
}


def test_both_backends_have_the_same_models():
    assert list(torch_models.MODELS) == list(jax_models.MODELS) == list(MODELS)


@pytest.mark.parametrize("optimizer", [adamw(lr=1e-2), lion(lr=1e-3)], ids=lambda spec: spec.definition.name)
@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_the_same_in_both_frameworks(model, optimizer):
    task, sizes, loss = MODELS[model]
    recipe = Recipe(loss, optimizer, steps=5, batch_size=8)
    found = compare(recipe, task=replace(get_task(task), models=model, sizes=sizes), dtype="float64")
    assert not found.diverged, found
    assert found.result.rounding == {}
    assert max(row.worst for row in found.rows) <= 1e-12


@pytest.mark.parametrize("model", MODELS)
def test_parameters_go_to_flax_and_come_back_unchanged(model):
    task, sizes, _ = MODELS[model]
    names, leaves, _ = split(nnx.to_pure_dict(nnx.state(jax_models.build(model, sizes, nnx.Rngs(0)), nnx.Param)))
    own = {name: np.asarray(x) for name, x in zip(names, leaves, strict=True)}
    links = mapping.links(get_task(task), "jax", {name: x.shape for name, x in own.items()})
    common = mapping.to_common(links, own)
    in_torch = {name: tuple(p.shape) for name, p in torch_models.build(model, sizes).named_parameters()}
    assert {name: x.shape for name, x in common.items()} == in_torch
    back = mapping.from_common(links, common)
    assert back.keys() == own.keys()
    assert all(np.array_equal(back[name], x) for name, x in own.items())


# ------------------------------------------------------------------------------------------------- the mapping
WIDTH, HEADS = 8, 2


def sequences() -> Data:
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((20, 5, WIDTH)), generator.standard_normal((20, 5, WIDTH))
    return Data(train=(x[:16], y[:16]), test=(x[16:], y[16:]))


class TorchAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)

    def forward(self, x):
        return self.mix(x, x, x, need_weights=False)[0]


class TorchAttentionApart(nn.Module):
    """As many write it: three linear layers."""

    def __init__(self):
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x):
        q, k, v = (f(x).unflatten(-1, (HEADS, -1)).transpose(1, 2) for f in (self.q_proj, self.k_proj, self.v_proj))
        return self.o_proj(nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class FlaxAttention(nnx.Module):
    def __init__(self, rngs):
        self.mix = nnx.MultiHeadAttention(HEADS, WIDTH, decode=False, rngs=rngs)

    def __call__(self, x):
        return self.mix(x)


class TorchLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTM(WIDTH, WIDTH, batch_first=True)

    def forward(self, x):
        return self.cell(x)[0]


class FlaxLSTMCell(nnx.Module):
    """PyTorch's nn.LSTM: both biases, and the gates in its order."""

    def __init__(self, rngs):
        self.ih_l0, self.hh_l0 = nnx.Linear(WIDTH, 4 * WIDTH, rngs=rngs), nnx.Linear(WIDTH, 4 * WIDTH, rngs=rngs)

    def __call__(self, x):
        def step(carry, x):
            h, c = carry
            i, f, g, o = jax.numpy.split(self.ih_l0(x) + self.hh_l0(h), 4, -1)
            c = nnx.sigmoid(f) * c + nnx.sigmoid(i) * jax.numpy.tanh(g)
            h = nnx.sigmoid(o) * jax.numpy.tanh(c)
            return (h, c), h

        start = (jax.numpy.zeros_like(x[:, 0]),) * 2
        return jax.lax.scan(step, start, x.swapaxes(0, 1))[1].swapaxes(0, 1)


class FlaxLSTM(nnx.Module):
    def __init__(self, rngs):
        self.cell = FlaxLSTMCell(rngs)

    def __call__(self, x):
        return self.cell(x)


class FlaxConvs(nnx.Module):
    """A convolution along the sequence, whose kernel has three axes too."""

    def __init__(self, rngs):
        self.query = nnx.Conv(WIDTH, WIDTH, (3,), padding=1, rngs=rngs)

    def __call__(self, x):
        return self.query(x)


class TorchConvs(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Conv1d(WIDTH, WIDTH, 3, padding=1)

    def forward(self, x):
        return self.query(x.transpose(1, 2)).transpose(1, 2)


def pair(torch_model, jax_model, **more) -> Task:
    return Task("pair", sequences, {"torch": torch_model, "jax": jax_model}, score=r_squared, score_name="R^2", **more)


APART = {"q_proj": "mix.query", "k_proj": "mix.key", "v_proj": "mix.value", "o_proj": "mix.out"}
PAIRS = {
    "nn.MultiheadAttention": pair(TorchAttention, FlaxAttention),
    "attention of linear layers": pair(TorchAttentionApart, FlaxAttention, names=APART),
    "attention under another name": pair(lambda: nn.Sequential(TorchAttention()), FlaxAttention, names={"0.mix": "mix"}),
    "nn.LSTM": pair(TorchLSTM, FlaxLSTM),
    "a convolution called query": pair(TorchConvs, FlaxConvs),
}


@pytest.mark.parametrize("name", PAIRS)
def test_layers_that_correspond_are_found(name):
    found = compare(Recipe(mse_loss.configure(), sgd(lr=0.1), steps=3, batch_size=8), task=PAIRS[name], dtype="float64")
    assert not found.diverged, found
    assert found.rows[-1].worst <= 1e-13


def test_two_parameters_of_one_name_are_an_error():
    twice = pair(TorchAttentionApart, FlaxAttention, names={**APART, "q_proj.bias": "mix.key.bias"})
    with pytest.raises(InputError) as error:
        compare(Recipe(mse_loss.configure(), sgd(lr=0.1), steps=1, batch_size=8), task=twice)
    assert str(error.value) == "mix.query.bias and mix.key.bias are both 'q_proj.bias' by Task(names=...); each needs a name of its own"


def test_a_layout_of_ones_own_wins():
    shapes = {"a.kernel": (2, 3)}
    kept = Layout(lambda x: x, lambda x: x)
    (link,) = mapping.links(Task("x", sequences, "mlp", layouts={"a.weight": kept}), "jax", shapes)
    assert link.layouts == (kept,)


# ------------------------------------------------------------------------------------------------- data
@pytest.mark.parametrize("name", BUILT_IN)
def test_data_are_the_same_every_time_and_fit_the_model(name):
    task = get_task(name)
    data, again = task.data(), task.data()
    for part in ("train", "test"):
        (x, y), (x2, y2) = getattr(data, part), getattr(again, part)
        assert np.array_equal(x, x2)
        assert np.array_equal(y, y2)
        assert len(x) == len(y)
        assert np.isfinite(x).all()
    assert isinstance(task.models, str)
    out = torch_models.build(task.models, task.sizes)(torch.from_numpy(data.test[0][:3]).to(torch.int64 if x.dtype == np.int64 else torch.float32))
    assert len(out) == 3
    assert np.isfinite(task.score(out.detach().numpy(), data.test[1][:3]))


def rows(x: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in x}


def test_no_digit_is_both_trained_on_and_held_out():
    found = digits.data()
    assert not rows(found.train[0]) & rows(found.test[0])
    for task in (digits_pairs, digits_triplets):
        made = task.data()
        assert rows(made.train[0].reshape(-1, 64)) <= rows(found.train[0])
        assert np.array_equal(made.test[0], found.test[0])
    scenes = digits_segmentation.data()
    tiles = {part: rows(getattr(scenes, part)[0].reshape(-1, 2, 8, 2, 8).swapaxes(2, 3).reshape(-1, 64)) for part in ("train", "test")}
    assert tiles["train"] <= rows(found.train[0])
    assert tiles["test"] <= rows(found.test[0])


def test_pairs_and_triplets_are_what_they_are_called():
    found = digits.data()
    label = {row.tobytes(): y for row, y in zip(found.train[0], found.train[1], strict=True)}
    (a, b), same = digits_pairs.data().train[0].swapaxes(0, 1), digits_pairs.data().train[1]
    assert [label[x.tobytes()] == label[y.tobytes()] for x, y in zip(a, b, strict=True)] == (same == 1).tolist()
    assert same.mean() == 0.5
    threes, anchors = digits_triplets.data().train
    labels = np.array([[label[x.tobytes()] for x in three] for three in threes])
    assert np.array_equal(labels[:, 0], anchors)
    assert np.array_equal(labels[:, 0], labels[:, 1])
    assert (labels[:, 0] != labels[:, 2]).all()


def test_a_pixel_of_a_scene_is_background_or_its_digit():
    (pictures, classes), found = digits_segmentation.data().test, digits.data()
    label = {row.tobytes(): y for row, y in zip(found.test[0], found.test[1], strict=True)}
    corner, kinds = pictures[0, 0, :8, 8:], classes[0, :8, 8:]
    assert np.array_equal(kinds, np.where(corner > digits_segmentation.STROKE, 1 + label[corner.tobytes()], 0))
    assert set(np.unique(classes)) == set(range(11))


def test_the_character_to_predict_is_the_next():
    inputs, targets = characters.data().train
    assert np.array_equal(inputs.ravel()[1:], targets.ravel()[:-1])
    text = characters.read()[:200]
    assert "".join(characters.VOCABULARY[i] for i in inputs.ravel()[:200]) == text
    assert characters.encode("é")[0] == characters.encode("?")[0]


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes"])
def test_measurements_are_standardised_by_the_training_samples_alone(name):
    x, _ = get_task(name).data().train
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(x.std(0), 1, rtol=1e-12)


# ------------------------------------------------------------------------------------------------- scores
def test_scores_of_what_can_be_counted():
    masks = np.array([[[1, 1, 0, 2]]])
    logits = np.moveaxis(np.eye(4)[np.array([[[1, 0, 0, 2]]])], -1, 1)
    assert mean_dice(logits, masks) == pytest.approx((2 / 3 + 1 + 1) / 3)  # class 3 is nowhere, and not found: 1
    assert recall_at_1(np.array([[0.0, 0], [0, 1], [5, 5], [5, 6]]), np.array([0, 0, 1, 2])) == 0.5
    assert accuracy(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1, 1])) == 0.5
    assert r_squared(np.array([2.0, 2.0, 2.0]), np.array([1.0, 2.0, 3.0])) == 0
    logits = np.random.default_rng(0).standard_normal((2, 3, 5))
    targets = np.array([[0, 1, 2], [3, 4, 0]])
    expected = nn.functional.cross_entropy(torch.from_numpy(logits).transpose(1, 2), torch.from_numpy(targets)).item() / np.log(2)
    assert bits_per_character(logits, targets) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("initial", "bound", "bias"), [(uniform_fan_in, 1 / 6, 1 / 6), (uniform_he, np.sqrt(6 / 36), 0.0)])
def test_initial_weights_keep_their_bounds(initial, bound, bias):
    made = initial({"c.weight": (50, 4, 3, 3), "c.bias": (50,)}, np.random.default_rng(0))
    assert 0.95 * bound < np.abs(made["c.weight"]).max() <= bound
    assert 0.8 * bias <= np.abs(made["c.bias"]).max() <= bias


def test_a_loss_of_pairs_takes_its_arguments_from_the_task():
    recipe = Recipe(contrastive_loss.configure(), sgd(lr=0.1), steps=2, batch_size=4)
    assert not compare(recipe, task="digits_pairs", dtype="float64").diverged


# ------------------------------------------------------------------------------------------------- errors
def test_data_that_cannot_be_had_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(InputError) as error:
        get_task("diabetes").data()
    assert str(error.value) == "the diabetes data come with scikit-learn, which is not installed: pip install 'lossopt[compare]'"
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(InputError) as error:
        get_task("characters").data()
    assert str(error.value) == "this Python has no pydoc_data.topics, which the text comes from; some systems package it apart"


@pytest.mark.parametrize("build", [torch_models.build, lambda *given: jax_models.build(*given, nnx.Rngs(0))], ids=["torch", "jax"])
def test_a_model_that_there_is_not(build):
    with pytest.raises(UnknownNameError) as unknown:
        build("transfromer", (8, 8))
    assert str(unknown.value) == ("unknown model 'transfromer'; did you mean 'transformer'? It is one of: mlp, cnn, rnn, transformer, unet, "
                                  "embedding")  # fmt: skip
    with pytest.raises(InputError) as sizes:
        build("mlp", None)
    assert str(sizes.value) == "the built-in model 'mlp' needs its numbers of inputs and outputs: Task(models='mlp', sizes=(64, 10))"
