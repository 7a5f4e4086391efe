"""Recipes built into objects: the step that they train with is the one that a user would have written by hand, in both frameworks."""

from __future__ import annotations

import copy
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import nnx

from lossopt.compare import compare
from lossopt.errors import ArgumentError, InputError, UnknownNameError
from lossopt.losses import cross_entropy, focal_loss
from lossopt.optimizers import adamw, polyak_sgd, sgd
from lossopt.recipes import Recipe
from lossopt.schedules import cosine, one_cycle
from lossopt.transforms import lookahead, route, sam

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.standard_normal((32, 8)), RANDOM.integers(0, 3, 32)
WEIGHTS = {"0.weight": RANDOM.standard_normal((6, 8)) / 3, "0.bias": RANDOM.standard_normal(6), "2.weight": RANDOM.standard_normal((3, 6)),
           "2.bias": RANDOM.standard_normal(3)}  # fmt: skip


class Perceptron(nnx.Module):
    """The same names as in PyTorch, but for the leaf."""

    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.layers = nnx.Dict({"0": nnx.Linear(8, 6, rngs=rngs), "2": nnx.Linear(6, 3, rngs=rngs)})

    def __call__(self, x):
        return self.layers["2"](jnp.tanh(self.layers["0"](x)))


def torch_model(dtype=torch.float64):
    model = torch.nn.Sequential(torch.nn.Linear(8, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3)).to(dtype)
    model.load_state_dict({name: torch.tensor(w) for name, w in WEIGHTS.items()})
    return model


def jax_model():
    model = Perceptron()
    for name in ("0", "2"):
        model.layers[name].kernel[...] = jnp.asarray(WEIGHTS[f"{name}.weight"].T, jnp.float32)
        model.layers[name].bias[...] = jnp.asarray(WEIGHTS[f"{name}.bias"], jnp.float32)
    return model


def exact_jax(recipe):
    """Built in float64 from the exact weights: the module's own are float32."""
    built = recipe.build("jax", jax_model())
    with built.settings():
        layers = {n: {"kernel": jnp.asarray(WEIGHTS[f"{n}.weight"].T), "bias": jnp.asarray(WEIGHTS[f"{n}.bias"])} for n in ("0", "2")}
        built.params = {"layers": layers}
    return built


def torch_batch(dtype=torch.float64):
    return torch.tensor(X, dtype=dtype), torch.tensor(Y)


# ------------------------------------------------------------------------------------------------- both frameworks, one recipe
RECIPES = {
    "adamw": Recipe("cross_entropy", adamw(lr=1e-2)),
    "clipping and average": Recipe("cross_entropy", adamw(lr=1e-2), clip={"global_norm": 0.1, "value": 0.05}, ema=0.9),
    "accumulation of a mean": Recipe(cross_entropy.configure(label_smoothing=0.1), sgd(lr=0.5, momentum=0.9), accumulate=4),
    "accumulation of a sum": Recipe(cross_entropy.configure(reduction="sum"), sgd(lr=0.01), accumulate=8),
    "one cycle with momentum, and groups": Recipe(
        "cross_entropy", adamw(lr=1e-2), one_cycle(total_steps=20),
        groups={"*.bias": {"weight_decay": 0.0}, "*0.weight": {"lr": 1e-3, "weight_decay": 0.3}}),
    "a sum of losses": Recipe(0.5 * cross_entropy + 0.5 * focal_loss, lookahead(adamw(lr=0.1), every=2), cosine(T_max=6)),
    "a rule that reads the loss": Recipe("cross_entropy", polyak_sgd(), accumulate=2),
    "a rule that looks elsewhere": Recipe("cross_entropy", sam(sgd(lr=0.1)), accumulate=2),
    "two rules": Recipe("cross_entropy", route(adamw(lr=0.1), sgd(lr=0.2)), clip=True),
    "checkpointed": Recipe("cross_entropy", adamw(lr=1e-2), checkpoint=True, accumulate=2),
}  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_two_frameworks_train_alike(recipe):
    recipe = Recipe.from_yaml(recipe.to_yaml().replace("seed: 0", "seed: 0\nprecision: float64"))
    in_torch, in_jax = recipe.build("torch", torch_model()), exact_jax(recipe)
    losses = [(float(in_torch.train_step(*torch_batch())), float(in_jax.train_step(X, Y))) for _ in range(6)]
    np.testing.assert_allclose(*zip(*losses, strict=True), rtol=1e-12)
    assert losses[-1][0] != losses[0][0]
    np.testing.assert_allclose(in_torch.predict(torch_batch()[0]).numpy(), np.asarray(in_jax.predict(X)), rtol=1e-10, atol=1e-12)


def test_accumulation_changes_no_number():
    whole, parts = (Recipe("cross_entropy", sgd(lr=0.5), accumulate=n).build("torch", torch_model()) for n in (1, 4))
    for _ in range(3):
        torch.testing.assert_close(whole.train_step(*torch_batch()), parts.train_step(*torch_batch()), rtol=1e-13, atol=0)
    whole, parts = (Recipe("cross_entropy", sgd(lr=0.5), precision="float64", accumulate=n).build("jax", jax_model()) for n in (1, 4))
    for _ in range(3):
        np.testing.assert_allclose(whole.train_step(X, Y), parts.train_step(X, Y), rtol=1e-13)


# ------------------------------------------------------------------------------------------------- against a loop by hand
def test_in_pytorch_it_is_the_loop_written_by_hand():
    recipe = Recipe(cross_entropy.configure(label_smoothing=0.1), adamw(lr=1e-2), one_cycle(total_steps=8), clip=True, ema=0.9, accumulate=2)
    built, model = recipe.build("torch", torch_model()), torch_model()
    averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=8)
    loss_fn, (x, y) = torch.nn.CrossEntropyLoss(label_smoothing=0.1), torch_batch()
    for _ in range(6):
        optimizer.zero_grad()
        loss = sum(loss_fn(model(a), b) / 2 for a, b in zip(x.chunk(2), y.chunk(2), strict=True))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        averaged.update_parameters(model)
        torch.testing.assert_close(built.train_step(x, y), loss.detach(), rtol=1e-12, atol=0)
    for p, q in zip(model.parameters(), built.model.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(built.predict(x), averaged(x), rtol=1e-12, atol=1e-14)


def test_in_jax_it_is_the_loop_written_by_hand():
    recipe = Recipe("cross_entropy", adamw(lr=0.1, convention="optax"), cosine(T_max=8), clip={"value": 0.01})
    built = recipe.build("jax", {"w": jnp.asarray(WEIGHTS["0.weight"].T, jnp.float32)}, apply=lambda p, x: x @ p["w"])
    tx = optax.chain(optax.clip(0.01), optax.adamw(optax.cosine_decay_schedule(0.1, 8)))
    params = built.params
    state = tx.init(params)
    for _ in range(6):
        loss, grads = jax.value_and_grad(
            lambda p: optax.softmax_cross_entropy_with_integer_labels(jnp.asarray(X, jnp.float32) @ p["w"], Y).mean())(params)  # fmt: skip
        updates, state = tx.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        np.testing.assert_allclose(built.train_step(X, Y), loss, rtol=2e-6)
    # optax computes 1 - beta**t in float32, which makes its update wrong by 6.7e-6 of its size; six of them here sum to about 0.4.
    np.testing.assert_allclose(built.params["w"], params["w"], rtol=0, atol=1e-5)
    assert built._compiled[False]._cache_size() == 1


# ------------------------------------------------------------------------------------------------- objects
def test_the_three_objects_are_the_frameworks_own():
    recipe = Recipe("mse_loss", "adamw", "constant")
    in_torch, in_jax = recipe.build("torch", torch_model()), recipe.build("jax", jax_model())
    assert type(in_torch.optimizer) is torch.optim.AdamW
    assert isinstance(in_torch.scheduler, torch.optim.lr_scheduler.LRScheduler)
    assert isinstance(in_jax.optimizer, optax.GradientTransformationExtraArgs)
    assert float(in_jax.scheduler(0)) == pytest.approx(1e-3)
    assert in_torch.loss_fn == in_torch.loss_fn.definition.configure().bind("torch")


def test_a_flax_module_is_trained_in_place_and_its_statistics_too():
    class Normed(nnx.Module):
        def __init__(self) -> None:
            self.norm, self.out = nnx.BatchNorm(8, rngs=nnx.Rngs(0)), nnx.Linear(8, 3, rngs=nnx.Rngs(0))

        def __call__(self, x):
            return self.out(self.norm(x))

    model = Normed()
    kernel, mean = np.asarray(model.out.kernel[...]), np.asarray(model.norm.mean[...])
    built = Recipe("cross_entropy", adamw(lr=0.1)).build("jax", model)
    built.train_step(X.astype(np.float32), Y)
    assert not np.allclose(model.out.kernel[...], kernel)
    assert not np.allclose(model.norm.mean[...], mean)
    np.testing.assert_allclose(model.out.kernel[...], built.params["out"]["kernel"])


def test_predicting_leaves_the_modes_of_submodules_alone():
    model = torch_model()
    model.append(torch.nn.Dropout())
    model[3].eval()
    built = Recipe("cross_entropy", "sgd").build("torch", model)
    first = built.predict(torch_batch()[0])
    torch.testing.assert_close(first, built.predict(torch_batch()[0]), rtol=0, atol=0)
    assert [m.training for m in model.modules()] == [True, True, True, True, False]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_is_mixed(precision):
    recipe = Recipe("cross_entropy", adamw(lr=1e-2), precision=precision)
    whole = Recipe("cross_entropy", adamw(lr=1e-2)).build("torch", torch_model(torch.float32))
    in_torch, in_jax = recipe.build("torch", torch_model()), recipe.build("jax", jax_model())
    for _ in range(3):
        exact = float(whole.train_step(*torch_batch(torch.float32)))
        found = float(in_torch.train_step(*torch_batch())), float(in_jax.train_step(X, Y))
        for loss in found:
            assert 0 < abs(loss - exact) < 2e-2 * exact  # half precision was used, and did no more than round
    assert {p.dtype for p in in_torch.model.parameters()} == {torch.float32}
    assert {x.dtype for x in jax.tree.leaves(in_jax.params)} == {jnp.dtype("float32")}


def test_an_update_that_is_not_finite_is_left_out_and_the_loss_scale_halved():
    recipe = Recipe("mse_loss", sgd(lr=1.0), precision={"compute": "float16", "loss_scale": "dynamic"})
    huge = np.full((4, 3), 1e6)
    for backend, model in (("torch", torch_model(torch.float32)), ("jax", jax_model())):
        built = recipe.build(backend, model)
        before = copy.deepcopy(built.params if backend == "jax" else model.state_dict())
        x, y = (torch.tensor(X[:4]), torch.tensor(huge)) if backend == "torch" else (X[:4], huge)
        built.train_step(x, y)
        after = built.params if backend == "jax" else model.state_dict()
        for old, new in zip(jax.tree.leaves(dict(before)), jax.tree.leaves(dict(after)), strict=True):
            np.testing.assert_array_equal(np.asarray(old), np.asarray(new))
        assert float(built.policy.loss_scale(built.optimizer if backend == "torch" else built.state)) == 2.0**15


# ------------------------------------------------------------------------------------------------- reports
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_monitoring_and_analysis_are_reported(backend):
    recipe = Recipe("cross_entropy", adamw(lr=0.1), cosine(T_max=12), analysis=True, monitoring=True)
    built = recipe.build(backend, torch_model() if backend == "torch" else jax_model())
    batch = torch_batch() if backend == "torch" else (X, Y)
    for _ in range(12):
        built.train_step(*batch)
    found = built.report()
    rates, performance = found["monitoring"]["learning_rate"], found["monitoring"]
    np.testing.assert_allclose(rates, [cosine(lr=0.1, T_max=12)(i) for i in range(12)], rtol=1e-6)
    assert performance["steps"] == 12
    assert performance["throughput"] == pytest.approx(32 / performance["step_time"], rel=1)
    assert performance["peak_memory"] > 1 << 20
    analysis = found["analysis"]
    assert len(analysis["gradient_norm"]) == 12
    assert math.isfinite(analysis["landscape"]["loss_std"])
    assert analysis["landscape"]["current_loss"] == pytest.approx(analysis["gradient_flow"]["loss_value"], rel=1e-5)
    assert analysis["convergence"]["state"] == "improving"
    assert len(analysis["gradient_flow"]["gradient_stats"]) == 4


def test_without_them_nothing_is_kept():
    built = Recipe("cross_entropy", "sgd").build("torch", torch_model())
    built.train_step(*torch_batch())
    assert (built.report(), built.history, built.monitor) == ({}, {}, None)


def test_compare_reports_them_for_both(tmp_path):
    recipe = Recipe("cross_entropy", "adamw", analysis=True, monitoring=True, batch_size=16)
    found = compare(recipe, steps=2, out=tmp_path).as_dict()["reports"]
    assert {name: set(report) for name, report in found.items()} == {name: {"monitoring", "analysis"} for name in ("jax", "torch")}
    norms = [report["analysis"]["gradient_norm"] for report in found.values()]
    np.testing.assert_allclose(*norms, rtol=1e-12)
    landscapes = [report["analysis"]["landscape"]["losses"] for report in found.values()]
    np.testing.assert_allclose(*landscapes, rtol=1e-9)


def test_groups_by_pytorchs_names_reach_flaxs_parameters_in_a_comparison(root):
    recipe = Recipe("cross_entropy", "adamw", "constant", groups={"0.weight": {"lr": 0.1}, "*.bias": {"weight_decay": 0.5}})
    assert not compare(recipe, task=str(root / "examples" / "my_pair.py"), steps=3).diverged


# ------------------------------------------------------------------------------------------------- what cannot be built
def built(recipe=None, backend="torch", model=None, **options):
    recipe = recipe or Recipe("cross_entropy", "sgd")
    return recipe.build(backend, torch_model() if model is None else model, **options)


WRONG = {
    "another framework": (lambda: built(backend="jax"), InputError, "the model is torch's: write recipe.build('torch', model)"),
    "numpy": (lambda: built(backend="numpy"), UnknownNameError, "backend 'numpy' trains no model; a recipe is built for jax or torch"),
    "no apply": (lambda: built(backend="jax", model={"w": jnp.ones(3)}), InputError,
                 "a tree of parameters says nothing of its model: write build('jax', params, apply=f) for f(params, inputs), or give the "
                 "flax.nnx.Module"),
    "apply and a module": (lambda: built(backend="jax", model=jax_model(), apply=lambda p, x: x), ArgumentError,
                           "apply goes with a tree of parameters; an nnx module is called itself: leave apply out"),
    "parts": (lambda: built(Recipe("cross_entropy", "sgd", accumulate=5)).train_step(*torch_batch()), InputError,
              "a batch of 32 has no 5 equal parts, and the mean of unequal ones is another: write parts=4"),
    "reduction": (lambda: Recipe(cross_entropy.configure(reduction="none"), "sgd", accumulate=2), ArgumentError,
                  "cross_entropy(reduction='none') is reduced by none; accumulate takes a loss that is one mean or one sum"),
    "pattern": (lambda: built(Recipe("cross_entropy", "sgd", groups={"0.wieght": {"lr": 1}})), ArgumentError,
                "groups['0.wieght'] matched 0 of 4 parameters; did you mean '0.weight'? Names are like '0.weight'"),
    "pattern, jax": (lambda: built(Recipe("cross_entropy", "sgd", groups={"*.wieght": {"lr": 1}}), "jax", jax_model()).train_step(X, Y),
                     ArgumentError, "groups['*.wieght'] matched 0 of 4 parameters. Names are like 'layers.0.bias'"),
    "comparison of half-precision parameters": (
        lambda: compare(Recipe("cross_entropy", "sgd", precision={"params": "bfloat16"})), ArgumentError,
        "parameters in bfloat16 are rounded at every update, and two runs soon have nothing in common: compare the same recipe with "
        "parameters in float32 (--dtype bfloat16)"),
}  # fmt: skip


@pytest.mark.parametrize(("run", "error", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_built(run, error, message):
    with pytest.raises(error) as found:
        run()
    assert str(found.value) == message
