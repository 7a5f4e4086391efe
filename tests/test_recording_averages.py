"""Averaged weights in a recording, and updates that are made of several batches."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from recorded_runs import batches, jax_loss, jax_params, torch_run
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import lossopt
from lossopt import read_recording
from lossopt.errors import InputError


# ------------------------------------------------------------------------------------------------- averages
@pytest.mark.parametrize("sampled", [False, True])
def test_averages_in_torch(tmp_path, sampled):
    model, optimizer = torch_run()
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.5))
    options = {"budget": 0, "samples": 10} if sampled else {}
    seen = []
    with lossopt.record(tmp_path, model, optimizer, ema=average, first=3, every=4, **options):
        for x, y in batches(6):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(y)).backward()
            optimizer.step()
            average.update_parameters(model)
            seen.append({name: p.detach().numpy().copy() for name, p in average.module.named_parameters()})
    found = read_recording(tmp_path)
    assert found.array_steps == (0, 1, 2, 4)
    index = {name.partition("/")[2]: at for name, at in found.arrays(0).items() if name.startswith("index/")}
    assert bool(index) is sampled
    for step in found.array_steps:
        assert found.of("ema", step).keys() == seen[step].keys()
        for name, x in found.of("ema", step).items():
            np.testing.assert_array_equal(x, seen[step][name].ravel()[index[name]] if name in index else seen[step][name])


@pytest.mark.parametrize(
    ("ema", "message"),
    [
        (lambda model: {"0.weight": 1}, "record: ema is a module with the averaged weights, such as "
                                        "torch.optim.swa_utils.AveragedModel(model), got dict"),
        (lambda model: nn.Linear(2, 2), "record: ema has a parameter 'weight' that the model has not; give it the average of this model's weights"),
        (lambda model: nn.Sequential(nn.Linear(2, 2)), "record: ema has a parameter '0.weight' of shape (2, 2), and the model's is of shape (5, 6); "
                                                       "give it the average of this model's weights"),
    ],
)  # fmt: skip
def test_an_average_of_another_model_is_refused(tmp_path, ema, message):
    model, optimizer = torch_run()
    with pytest.raises(InputError) as error:
        lossopt.record(tmp_path / "run", model, optimizer, ema=ema(model))
    assert str(error.value) == message
    assert not (tmp_path / "run").exists()


def test_averages_in_jax_survive_donation(tmp_path):
    tx = lossopt.record(tmp_path, optax.sgd(0.1), first=2, every=3, lr=0.1)
    params, seen = jax_params(), []
    state, average = tx.init(params), jax.tree.map(jnp.copy, params)
    blend = jax.jit(lambda new, old: optax.incremental_update(new, old, 0.5), donate_argnums=1)

    @jax.jit
    def step(params, state, x, y):
        loss, grads = jax.value_and_grad(jax_loss)(params, x, y)
        updates, state = tx.update(grads, state, params, value=loss)
        return optax.apply_updates(params, updates), state

    for x, y in batches(5):
        params, state = step(params, state, x, y)
        average = blend(params, average)
        tx.run.average(average)
        seen.append(jax.tree.map(np.array, average))
    tx.run.close()
    found = read_recording(tmp_path)
    assert found.array_steps == (0, 1, 3)
    for i in found.array_steps:
        expected = {jax.tree_util.keystr(path, simple=True, separator="."): x for path, x in jax.tree_util.tree_leaves_with_path(seen[i])}
        assert found.of("ema", i).keys() == expected.keys()
        for name, x in expected.items():
            np.testing.assert_array_equal(found.of("ema", i)[name], x)


def test_an_average_of_other_parameters_is_refused_in_jax(tmp_path):
    tx = lossopt.record(tmp_path, optax.sgd(0.1))
    tx.update({"w": jnp.ones(2)}, tx.init({"w": jnp.ones(2)}), {"w": jnp.ones(2)})
    with pytest.raises(InputError) as error:
        tx.run.average({"v": jnp.ones(2)})
    assert str(error.value) == "run.average(params) has 'v', which the recorded parameters have not: w; give it a tree like the parameters"
    with pytest.raises(InputError) as error:
        jax.jit(tx.run.average)({"w": jnp.ones(2)})
    assert str(error.value).startswith("run.average(params) is for arrays outside jit, this one is traced; ")
    tx.run.close()


# ------------------------------------------------------------------------------------------------- several batches
@pytest.mark.parametrize("jit", [True, False])
def test_inside_multi_steps_the_gradient_is_that_of_all_batches(tmp_path, jit):
    """optax.MultiSteps calls its transformation at every batch, and takes the last: https://github.com/google-deepmind/optax/blob/main/optax/transforms/_accumulation.py"""
    tx = lossopt.record(tmp_path, optax.sgd(0.1, momentum=0.9), accumulate=3, lr=0.1)
    several = optax.MultiSteps(tx, 3).gradient_transformation()
    params = jax_params()
    state, pairs = several.init(params), batches(7)  # the seventh batch begins an update that is never made

    def step(params, state, x, y):
        loss, grads = jax.value_and_grad(jax_loss)(params, x, y)
        updates, state = several.update(grads, state, params, value=loss)
        return optax.apply_updates(params, updates), state, loss, grads

    step, told = jax.jit(step) if jit else step, []
    for x, y in pairs:
        tx.run.batch(x, y)
        params, state, loss, grads = step(params, state, x, y)
        told.append((float(loss), grads))
    tx.run.close()
    found = read_recording(tmp_path)
    assert [(s.step, len(s.batch), len(s.losses)) for s in found] == [(0, 6, 3), (1, 6, 3)]
    for i, step_ in enumerate(found):
        three = told[3 * i : 3 * i + 3]
        assert step_.loss == pytest.approx(np.mean([loss for loss, _ in three]), rel=1e-6)
        mean = jax.tree.map(lambda *g: np.mean(g, axis=0), *(grads for _, grads in three))
        for path, g in jax.tree_util.tree_leaves_with_path(mean):
            name = jax.tree_util.keystr(path, simple=True, separator=".")
            np.testing.assert_allclose(found.of("grad", i)[name], g, rtol=1e-5, atol=1e-8)
            assert step_.update_norms[name] > 0
