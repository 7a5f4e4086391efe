"""Recordings of nnx.Optimizer and TrainState, odd trees and devices, and what is refused."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import nnx
from flax.training.train_state import TrainState
from recorded_runs import batches, jax_params, train_in_jax
from torch import nn

import lossopt
from lossopt import read_recording
from lossopt.errors import ArgumentError, InputError


def test_an_nnx_optimizer_in_the_middle_of_training(tmp_path):
    model = nnx.Sequential(nnx.Linear(6, 5, rngs=nnx.Rngs(0)), nnx.Linear(5, 3, rngs=nnx.Rngs(1)))
    twin = nnx.clone(model)
    tx = optax.inject_hyperparams(optax.adamw)(learning_rate=0.1)
    optimizer, other = nnx.Optimizer(model, tx, wrt=nnx.Param), nnx.Optimizer(twin, tx, wrt=nnx.Param)

    @nnx.jit
    def step(model, optimizer, x, y):
        loss, grads = nnx.value_and_grad(lambda m: optax.softmax_cross_entropy_with_integer_labels(m(x), y).mean())(model)
        optimizer.update(model, grads, value=loss)
        return loss

    pairs = batches(5)
    for x, y in pairs[:2]:
        step(model, optimizer, x, y)
    run = lossopt.record(tmp_path, optimizer)
    assert optimizer.tx.run is run
    told = [float(step(model, optimizer, x, y)) for x, y in pairs[2:]]
    run.close()
    found = read_recording(tmp_path)
    assert [s.step for s in found] == [2, 3, 4]
    np.testing.assert_allclose([s.loss for s in found], told, rtol=1e-7)
    assert [p.name for p in found.info.parameters] == ["layers.0.bias", "layers.0.kernel", "layers.1.bias", "layers.1.kernel"]
    assert found.steps[0].lr == (pytest.approx(0.1),)
    for x, y in pairs:
        step(twin, other, x, y)
    for a, b in zip(jax.tree.leaves(nnx.state(model)), jax.tree.leaves(nnx.state(twin)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_train_state(tmp_path):
    state = TrainState.create(apply_fn=None, params=jax_params(), tx=optax.sgd(0.1, momentum=0.9)).apply_gradients(grads=jax_params())
    state = lossopt.record(tmp_path, state)
    step = jax.jit(lambda state: state.apply_gradients(grads=state.params))
    for _ in range(2):
        state = step(state)
    state.tx.run.close()
    assert [s.step for s in read_recording(tmp_path)] == [1, 2]


@pytest.mark.parametrize(
    ("hyper", "expected"),
    [
        pytest.param({"lr": 0.25}, [(0.25,)] * 3, id="live"),
        pytest.param({"lr": lossopt.get_schedule("exponential", lr=0.5, gamma=0.5)}, [(0.5,), (0.25,), (0.125,)], id="scheduled"),
        pytest.param({"lr": 0.25, "groups": {"b": {"lr": 0.5}}}, [(0.25, 0.5)] * 3, id="groups"),
    ],
)
def test_our_own_transformations_tell_their_learning_rate(tmp_path, hyper, expected):
    own = lossopt.get_optimizer("sgd", "jax", **hyper)
    tx = lossopt.record(tmp_path, own)
    _, _, params, state = train_in_jax(tx, 3)
    tx.run.close()
    found = read_recording(tmp_path)
    assert [s.lr for s in found] == [tuple(pytest.approx(x) for x in rates) for rates in expected]
    assert found.info.told["spec"].startswith("sgd(lr=")
    assert tx.spec is own.spec
    np.testing.assert_array_equal(jax.tree.leaves(tx.eval_params(state, params))[0], params["b"])


@pytest.mark.parametrize("lr", [0.0, 0.5, optax.constant_schedule(0.5)])
def test_a_learning_rate_that_is_told(tmp_path, lr):
    tx = lossopt.record(tmp_path, optax.sgd(0.1), lr=lr)
    train_in_jax(tx, 2)
    tx.run.close()
    assert [s.lr for s in read_recording(tmp_path)] == [(float(lr) if isinstance(lr, float) else 0.5,)] * 2


def test_the_loss_goes_on_to_optimizers_that_need_it(tmp_path):
    tx = lossopt.record(tmp_path, optax.polyak_sgd(max_learning_rate=1.0))
    _, losses, *_ = train_in_jax(tx, 3)
    tx.run.close()
    np.testing.assert_allclose([s.loss for s in read_recording(tmp_path)], losses)


def test_odd_trees(tmp_path):
    """Masked leaves, half precision, one array, no parameters given, and what is not finite."""
    tx = lossopt.record(tmp_path / "masked", optax.sgd(0.1))
    masked = optax.masked(tx, {"w": True, "frozen": False})
    params = {"w": jnp.ones(3, jnp.bfloat16), "frozen": jnp.ones(2)}
    masked.update(params, masked.init(params), params)
    tx.run.close()
    found = read_recording(tmp_path / "masked")
    assert [(p.name, p.dtype) for p in found.info.parameters] == [("w", "bfloat16")]
    np.testing.assert_allclose(found.of("update", 0)["w"], -0.1, rtol=1e-2)

    tx = lossopt.record(tmp_path / "bare", optax.sgd(0.1))
    jax.jit(tx.update)(jnp.array([1.0, jnp.nan, jnp.inf]), tx.init(jnp.zeros(3)))
    tx.run.close()
    (step,) = found = read_recording(tmp_path / "bare")
    assert (step.nonfinite, step.param_norms, step.loss) == (2, {}, None)
    assert set(found.arrays(0)) == {"grad/", "update/"}


def test_under_grad_and_vmap(tmp_path):
    tx = lossopt.record(tmp_path, optax.sgd(0.1))

    def after(w):
        updates, state = tx.update(2 * w, tx.init(w), w)
        return (w + updates).sum() + 0 * state.count

    np.testing.assert_allclose(jax.jit(jax.grad(after))(jnp.ones(3)), 0.8, rtol=1e-6)
    np.testing.assert_allclose(jax.jit(jax.vmap(after))(jnp.ones((2, 3))), 2.4, rtol=1e-6)
    tx.run.close()


SHARDED = """
import sys, jax, jax.numpy as jnp, optax, lossopt, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
mesh = Mesh(np.array(jax.devices()), ("data",))
assert len(jax.devices()) == 2
params = {"w": jax.device_put(jnp.arange(8.0).reshape(4, 2), NamedSharding(mesh, P("data"))), "b": jax.device_put(jnp.ones(2), NamedSharding(mesh, P()))}
tx = lossopt.record(sys.argv[1], optax.sgd(0.5), first=1)
x = jax.device_put(jnp.ones((6, 4)), NamedSharding(mesh, P("data")))
@jax.jit
def step(params, state, x):
    loss, grads = jax.value_and_grad(lambda p: jnp.mean((x @ p["w"] + p["b"]) ** 2))(params)
    updates, state = tx.update(grads, state, params, value=loss)
    return optax.apply_updates(params, updates), state
state = tx.init(params)
for _ in range(3):
    params, state = step(params, state, x)
tx.run.close()
found = lossopt.read_recording(sys.argv[1])
assert [s.step for s in found] == [0, 1, 2], found.steps
np.testing.assert_array_equal(found.of("param", 0)["w"], np.arange(8.0).reshape(4, 2))
assert abs(found.steps[0].param_norms["w"] - np.sqrt(140)) < 1e-5
"""


def test_parameters_on_two_devices(tmp_path, python):
    ran = python("-c", SHARDED, str(tmp_path / "run"), XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert ran.returncode == 0, ran.stderr


SAMPLED = """
import re, sys, jax, jax.numpy as jnp, optax, lossopt, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
mesh = Mesh(np.array(jax.devices()), ("model",))
w = jnp.asarray(np.random.default_rng(0).normal(size=(192, 320)), jnp.float32)
tx = lossopt.record(sys.argv[1], optax.sgd(0.5), first=1, budget=0)
@jax.jit
def step(w, state):
    updates, state = tx.update(w, state, w)
    return optax.apply_updates(w, updates), state
for spec in (P("model", None), P(None, "model")):
    own = jax.device_put(w, NamedSharding(mesh, spec))
    text = step.lower(own, tx.init(own)).compile().as_text()
    sent = [tuple(map(int, shape.split(","))) for shape in re.findall(r"\\w+\\[([0-9,]+)\\]\\S* (?:all-gather|all-to-all|collective-permute)\\(", text)]
    assert sum(np.prod(shape) for shape in sent) < w.size / 4, (spec, sent)
state = tx.init(own)
own, state = step(own, state)
tx.run.close()
found = lossopt.read_recording(sys.argv[1])
np.testing.assert_array_equal(found.of("param", 0)[""], np.asarray(w).ravel()[found.arrays(0)["index/"]])
assert abs(found.steps[0].param_norms[""] / np.linalg.norm(w) - 1) < 0.05
"""


def test_samples_of_a_sharded_parameter_do_not_gather_it(tmp_path, python):
    ran = python("-c", SAMPLED, str(tmp_path / "run"), XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert ran.returncode == 0, ran.stderr


def test_a_weight_and_a_kernel_share_their_samples(tmp_path):
    torch.manual_seed(0)
    model = nn.Linear(40, 30, bias=False)
    kernel = {"kernel": jnp.asarray(model.weight.detach().numpy().T)}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with lossopt.record(tmp_path / "torch", model, optimizer, budget=0, samples=100):
        model.weight.grad = model.weight.detach().clone()
        optimizer.step()
    tx = lossopt.record(tmp_path / "jax", optax.sgd(0.1), budget=0, samples=100)
    tx.update(kernel, tx.init(kernel), kernel)
    tx.run.close()
    here, there = (read_recording(tmp_path / name).arrays(0) for name in ("torch", "jax"))
    row, column = np.unravel_index(here["index/weight"], (30, 40))
    order = np.argsort(column * 30 + row)
    np.testing.assert_array_equal((column * 30 + row)[order], there["index/kernel"])
    np.testing.assert_array_equal(here["grad/weight"][order], there["grad/kernel"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run: jax.jit(run.loss)(1.0),
         "run.loss(loss) is for arrays outside jit, this one is traced; inside jit give the loss to the update: optimizer.update(model, "
         "grads, value=loss), tx.update(grads, state, params, value=loss)"),
        (lambda run: jax.jit(run.batch)(jnp.ones(2)),
         "run.batch(x, y) is for arrays outside jit, this one is traced; call it where the compiled step is called, with what the step takes "
         "or returns"),
        (lambda run: run.loss(1.0),
         "run.loss was first called after 3 steps had been written without it: call it once for every step, from the first"),
    ],
)  # fmt: skip
def test_what_is_told_wrongly_is_refused(tmp_path, call, message):
    tx = lossopt.record(tmp_path, optax.sgd(0.1))
    train_in_jax(tx, 4)
    with pytest.raises(InputError) as error:
        call(tx.run)
    assert str(error.value) == message
    tx.run.close()


def test_a_full_disk_is_told_in_the_users_thread(tmp_path, monkeypatch):
    tx = lossopt.record(tmp_path, optax.sgd(0.1))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tx.run.log, "write", full)
    train_in_jax(tx, 3)
    with pytest.raises(OSError, match="No space left on device"):
        tx.run.close()


@pytest.mark.parametrize(
    ("what", "options", "kind", "message"),
    [
        ((optax.sgd(0.1), "adam"), {}, InputError,
         'record takes optax transformations, one nnx.Optimizer or one TrainState, got str: write tx = lossopt.record("runs/a", tx)'),
        ((optax.sgd(0.1),), {"logits": True}, InputError,
         "record: a JAX run is told its outputs: tx.run.logits(logits, labels) after each step; leave logits=True out"),
        ((optax.sgd(0.1),), {"accumulate": 0}, InputError,
         "record: accumulate is how many batches make one update, a whole number from 1, got 0"),
        ((optax.sgd(0.1),), {"loss_fn": 1}, ArgumentError, "record: loss_fn is for torch, this is a recording of jax; leave it out"),
    ],
)  # fmt: skip
def test_what_cannot_be_recorded_in_jax_is_refused(tmp_path, what, options, kind, message):
    with pytest.raises(kind) as error:
        lossopt.record(tmp_path / "run", *what, **options)
    assert str(error.value) == message
    assert not (tmp_path / "run").exists()
