"""What a model keeps beside its parameters, in a recording: the running statistics of batch normalization."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import linen, nnx
from flax.training.train_state import TrainState
from recorded_runs import batches
from torch import nn

import lossopt
from lossopt import read_recording
from lossopt.errors import InputError
from lossopt.recording.plan import Plan


def kinds(arrays):
    return {name.partition("/")[0] for name in arrays}


# ------------------------------------------------------------------------------------------------- PyTorch
def normalized():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))


@pytest.mark.parametrize("compiled", [False, True])
def test_running_statistics_in_torch(tmp_path, compiled):
    model, seen = normalized(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    called = torch.compile(model, backend="eager") if compiled else model
    with lossopt.record(tmp_path, called, optimizer, first=2, every=3):
        for x, y in batches(5):
            optimizer.zero_grad()
            nn.functional.cross_entropy(called(torch.from_numpy(x)), torch.from_numpy(y)).backward()
            optimizer.step()
            seen.append({name: x.numpy().copy() for name, x in model.named_buffers() if x.is_floating_point()})
    found = read_recording(tmp_path)
    assert found.array_steps == (0, 1, 3)
    for step in found.array_steps:
        assert found.of("buffer", step).keys() == {"1.running_mean", "1.running_var"}
        for name, x in found.of("buffer", step).items():
            np.testing.assert_array_equal(x, seen[step][name])
    assert not np.array_equal(seen[0]["1.running_mean"], seen[1]["1.running_mean"])


class Masked(nn.Module):
    """Buffers of all kinds: large, half precision, whole numbers, complex, and one that comes later."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)
        self.register_buffer("mask", torch.arange(6000.0).reshape(60, 100))
        self.register_buffer("short", torch.tensor([0.5, 1.5], dtype=torch.bfloat16), persistent=False)
        self.register_buffer("count", torch.tensor(3))
        self.register_buffer("turns", torch.ones(2, dtype=torch.complex64))
        self.register_buffer("none", None)

    def forward(self, x):
        return self.layer(x)


def test_buffers_are_sampled_like_parameters_and_only_where_floating(tmp_path):
    model = Masked()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with lossopt.record(tmp_path, model, optimizer, budget=0, samples=100):
        for t in range(2):
            model.register_buffer(f"later{t}", torch.full((101,), t + 0.5))
            model(torch.ones(2, 6)).sum().backward()
            optimizer.step()
    found = read_recording(tmp_path)
    assert found.of("buffer", 0).keys() == {"mask", "short", "later0"}
    assert found.of("buffer", 1).keys() == {"mask", "short", "later0", "later1"}
    at = Plan(budget=0, samples=100).positions({"mask": (60, 100)})["mask"]
    np.testing.assert_array_equal(found.of("buffer", 0)["mask"], at)
    np.testing.assert_array_equal(found.arrays(0)["index/buffer/mask"], at)
    np.testing.assert_array_equal(found.of("buffer", 1)["short"], [0.5, 1.5])
    said = [{name for name in found.arrays(t) if name.startswith("index/")} for t in (0, 1)]
    assert said == [{"index/buffer/mask", "index/buffer/later0"}, {"index/buffer/later1"}]


def test_buffers_take_what_the_parameters_leave_of_the_budget():
    plan, mask = Plan(budget=12 * 1000 + 4 * 500, samples=100), {"mask": (5, 100)}
    assert plan.of_buffers(mask, 1000) == {"mask": None}
    assert len(plan.of_buffers(mask, 1001)["mask"]) == 100
    assert plan.positions({"w": (1000,)}) == {"w": None}


# ------------------------------------------------------------------------------------------------- JAX
class Net(linen.Module):
    @linen.compact
    def __call__(self, x):
        x = linen.BatchNorm(use_running_average=False, momentum=0.9)(linen.Dense(5)(x))
        return linen.Dense(3)(x)


class State(TrainState):
    batch_stats: dict


def test_batch_stats_of_linen(tmp_path):
    """Under jit with a state that is donated to the next step; the steps without arrays keep none."""
    net = Net()
    begun = net.init(jax.random.key(0), jnp.ones((4, 6)))
    state = State.create(apply_fn=net.apply, params=begun["params"], tx=optax.sgd(0.1, momentum=0.9), batch_stats=begun["batch_stats"])
    state = lossopt.record(tmp_path, state, first=2, every=3)
    run, seen = state.tx.run, []

    def step(state, x, y):
        def loss_fn(params):
            logits, new = net.apply({"params": params, "batch_stats": state.batch_stats}, x, mutable=["batch_stats"])
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), new["batch_stats"]

        (_, new), grads = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
        return state.apply_gradients(grads=grads, batch_stats=new)

    step = jax.jit(step, donate_argnums=0)
    for x, y in batches(5):
        state = step(state, x, y)
        run.buffers(state.batch_stats)
        seen.append(jax.tree.map(np.array, state.batch_stats["BatchNorm_0"]))
    run.close()
    found = read_recording(tmp_path)
    assert found.array_steps == (0, 1, 3)
    for i in found.array_steps:
        assert found.of("buffer", i).keys() == {"BatchNorm_0.mean", "BatchNorm_0.var"}
        for name, x in found.of("buffer", i).items():
            np.testing.assert_array_equal(x, seen[i][name.rpartition(".")[2]])
    assert not np.array_equal(seen[0]["mean"], seen[1]["mean"])


def test_batch_stats_of_nnx(tmp_path):
    model = nnx.Sequential(nnx.Linear(6, 5, rngs=nnx.Rngs(0)), nnx.BatchNorm(5, rngs=nnx.Rngs(0)), nnx.Linear(5, 3, rngs=nnx.Rngs(1)))
    optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)
    run = lossopt.record(tmp_path, optimizer)

    @nnx.jit
    def step(model, optimizer, x, y):
        loss, grads = nnx.value_and_grad(lambda m: optax.softmax_cross_entropy_with_integer_labels(m(x), y).mean())(model)
        optimizer.update(model, grads, value=loss)

    for x, y in batches(2):
        step(model, optimizer, x, y)
        run.buffers(nnx.state(model, nnx.BatchStat))
    run.close()
    found = read_recording(tmp_path)
    assert found.of("buffer", 1).keys() == {"layers.1.mean", "layers.1.var"}
    np.testing.assert_array_equal(found.of("buffer", 1)["layers.1.mean"], model.layers[1].mean.get_value())


@pytest.mark.parametrize("told", [False, True])
def test_a_tree_of_any_arrays(tmp_path, told):
    tx = lossopt.record(tmp_path, optax.sgd(0.1), budget=0, samples=100)
    params = {"w": jnp.ones(2)}
    state = tx.init(params)
    tree = {"mask": np.arange(6000.0, dtype=np.float32).reshape(60, 100), "half": jnp.ones(2, jnp.bfloat16), "count": 3, "scale": 0.5}
    for _ in range(2):
        _, state = jax.jit(tx.update)(params, state, params)
        if told:
            tx.run.buffers(tree)
    tx.run.close()
    found = read_recording(tmp_path)
    if not told:
        assert kinds(found.arrays(0)) == {"param", "grad", "update"}
        return
    assert found.of("buffer", 0).keys() == {"mask", "half", "scale"}
    at = Plan(budget=0, samples=100).positions({"mask": (60, 100)})["mask"]
    np.testing.assert_array_equal(found.of("buffer", 1)["mask"], at)
    np.testing.assert_array_equal(found.arrays(0)["index/buffer/mask"], at)
    assert {name for name in found.arrays(1) if name.startswith("index/")} == set()


@pytest.mark.parametrize(("call", "name"), [
    (lambda run: run.buffers, "run.buffers(batch_stats)"), (lambda run: run.average, "run.average(params)")])  # fmt: skip
def test_what_is_told_under_jit_is_refused(tmp_path, call, name):
    tx = lossopt.record(tmp_path, optax.sgd(0.1))
    with pytest.raises(InputError) as error:
        jax.jit(call(tx.run))({"mean": jnp.ones(2)})
    assert str(error.value) == (f"{name} is for arrays outside jit, this one is traced; call it where the compiled step is called, with "
                                "what the step takes or returns")  # fmt: skip
    tx.run.close()
