"""Recordings: which arrays are kept, and a folder that outlives a crash."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from recorded_runs import torch_run, train

import lossopt
from lossopt import read_recording
from lossopt.errors import ArgumentError, InputError
from lossopt.recording import FolderWriter, Parameter, RunInfo, Step
from lossopt.recording.contents import PLACES, checksum
from lossopt.recording.plan import EXACT, WATCHED, Plan, count, distances, places
from lossopt_torch import measures


def test_the_first_steps_and_every_so_many_have_arrays():
    plan = Plan(first=3, every=10)
    assert [i for i in range(31) if plan.has_arrays(i)] == [0, 1, 2, 10, 20, 30]
    assert [i for i in range(31) if Plan(first=2, every=0).has_arrays(i)] == [0, 1]


@pytest.mark.parametrize("shape", [(5000,), (64, 100), (96, 96), (1, 70, 90), (3, 3, 40, 50), (17, 17, 17), (5, 5, 5, 5, 9)])
def test_samples_move_with_the_axes(shape):
    found = places(shape, 1000)
    assert 1000 <= len(found) < 1130
    assert (np.diff(found) > 0).all()
    at = np.stack(np.unravel_index(found, shape))
    for order in itertools.permutations(range(len(shape))):
        moved = tuple(shape[i] for i in order)
        np.testing.assert_array_equal(places(moved, 1000), np.sort(np.ravel_multi_index(tuple(at[list(order)]), moved)))


def test_samples_are_spread():
    rows, columns = np.unravel_index(places((512, 512), 4096), (512, 512))
    assert len(set(rows)) > 480
    assert len(set(columns)) > 480
    assert abs(np.mean(rows) - 255.5) < 10
    assert np.mean(rows == columns) < 0.01


def test_small_models_are_kept_whole_and_large_ones_sampled():
    plan = Plan(budget=12 * 1000, samples=100)
    assert plan.positions({"a": (10, 90), "b": (100,)}) == {"a": None, "b": None}
    found = plan.positions({"a": (10, 91), "b": (100,)})
    assert found["b"] is None
    assert len(found["a"]) == 100


@given(st.lists(st.integers(1, 400), max_size=4).map(tuple))
def test_a_large_parameter_is_measured_by_enough_elements_whichever_way_it_lies(shape):
    apart = distances(shape)
    size = int(np.prod(shape))
    assert apart == (1,) * len(shape) if size <= EXACT else WATCHED <= count(shape, apart) < size
    assert np.broadcast_to(0, shape)[tuple(slice(None, None, d) for d in apart)].size == count(shape, apart)
    turned = dict(zip(shape, apart, strict=True))
    assert distances(shape[::-1]) == apart[::-1] == tuple(turned[n] for n in shape[::-1])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"first": -1}, "record: first is a whole number from 0, got -1"),
        ({"every": 2.5}, "record: every is a whole number from 0, got 2.5"),
        ({"samples": 0}, "record: samples is a whole number from 1, got 0"),
        ({"budget": True}, "record: budget is a whole number from 0, got True"),
    ],
)
def test_a_plan_of_other_numbers_is_refused(option, message):
    with pytest.raises(ArgumentError) as error:
        Plan(**option)
    assert str(error.value) == message


def test_the_checksum_tells_order_and_layout():
    x = np.random.default_rng(0).normal(size=(40, 300, 3)).astype(np.float32)
    assert x.size > PLACES
    same, moved, turned = checksum(x), checksum(x[::-1]), checksum(x.transpose(0, 2, 1))
    for other in (moved, turned):
        np.testing.assert_allclose(other[:2], same[:2], rtol=1e-9)
        assert abs(other[2] - same[2]) > 1
    assert checksum(np.zeros(0)) == (0, 0, 0, 0)
    for like in (torch.from_numpy(x), torch.from_numpy(x).int(), torch.from_numpy(x).bfloat16(), torch.zeros(0)):
        np.testing.assert_allclose(measures.checksum(like).numpy(), checksum(like.double().numpy()), rtol=1e-10, atol=1e-10)


def test_what_is_not_finite_is_read_back(tmp_path):
    writer = FolderWriter(tmp_path)
    writer.begin(RunInfo("torch", (Parameter("w", (2,)),)))
    written = Step(0, loss=float("nan"), lr=(0.1,), grad_norms={"w": float("inf")}, batch=((1.0, 2.0, 3.0, 4.0),), losses=(1.0, 2.0))
    writer.write(written)
    writer.close()
    (found,) = read_recording(tmp_path)
    assert np.isnan(found.loss)
    assert {**found.to_dict(), "loss": 0} == {**written.to_dict(), "loss": 0}


def test_a_folder_in_use_is_not_written_over(tmp_path):
    model, optimizer = torch_run()
    lossopt.record(tmp_path / "a", model, optimizer).close()
    with pytest.raises(InputError) as error:
        lossopt.record(tmp_path / "a", model, optimizer)
    assert str(error.value) == f"{tmp_path / 'a'} holds a recording already; name another folder, or write overwrite=True to replace a recording"
    lossopt.record(tmp_path / "a", model, optimizer, overwrite=True).close()


def crash(tmp_path, root, script):
    """Run a loop in a process of its own, kill it in the middle, and read what is there."""
    path = os.pathsep.join((str(root), str(root / "backends")))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "run")], env=environment) as process:
        lines, began = tmp_path / "run" / "steps.jsonl", time.monotonic()
        while not (lines.exists() and lines.read_text().count("\n") >= 30):
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() - began < 120
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    found = read_recording(tmp_path / "run")
    assert [s.step for s in found] == list(range(len(found)))
    assert len(found) >= 29
    assert found.first_steps == tuple(range(20))
    for step in found.array_steps:
        assert {name.partition("/")[0] for name in found.arrays(step)} == {"param", "grad", "update"}


IN_TORCH = """
import sys, torch, lossopt
model = torch.nn.Linear(50, 50)
optimizer = torch.optim.Adam(model.parameters())
run = lossopt.record(sys.argv[1], model, optimizer, every=3)
while True:
    optimizer.zero_grad()
    (model(torch.randn(8, 50)) ** 2).mean().backward()
    optimizer.step()
"""

IN_JAX = """
import sys, jax, jax.numpy as jnp, optax, lossopt
params = {"w": jnp.ones((50, 50))}
tx = lossopt.record(sys.argv[1], optax.adam(1e-3), every=3)
@jax.jit
def step(params, state):
    loss, grads = jax.value_and_grad(lambda p: jnp.mean(jnp.tanh(p["w"]) ** 2))(params)
    updates, state = tx.update(grads, state, params, value=loss)
    return optax.apply_updates(params, updates), state
state = tx.init(params)
while True:
    params, state = step(params, state)
"""


@pytest.mark.parametrize("script", [pytest.param(IN_TORCH, id="torch"), pytest.param(IN_JAX, id="jax")])
def test_a_run_that_is_killed_can_be_read(tmp_path, root, script):
    crash(tmp_path, root, script)


def test_a_line_that_a_crash_cut_is_left_out(tmp_path):
    model, optimizer = torch_run()
    with lossopt.record(tmp_path, model, optimizer):
        train(model, optimizer, 3)
    lines = tmp_path / "steps.jsonl"
    lines.write_text(lines.read_text()[:-40])
    found = read_recording(tmp_path)
    assert [s.step for s in found] == [0, 1]
    assert found.array_steps == (0, 1)


def test_the_cost_is_measured(monkeypatch, capsys):
    from lossopt.cli.main import main
    from lossopt.recording import bench

    monkeypatch.setitem(bench.SIZES, "small", (8, 2))
    monkeypatch.setattr(bench, "STEP", 0.1)
    assert main(["bench", "recording", "small", "--rounds", "2", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(r["backend"], r["parameters"], r["tensors"]) for r in rows] == [("torch", 8 * (bench.INPUTS + 2 + 8), 4), ("jax", 8 * (bench.INPUTS + 2 + 8), 4)]
    for r in rows:
        assert r["overhead_percent"] == pytest.approx(100 * (r["recorded"] / r["plain"] - 1))
        assert 1 <= r["rows"] <= bench.MOST
        assert np.isfinite(r["cpu"])
    with pytest.raises(ArgumentError) as error:
        bench.bench(["smal"])
    assert str(error.value) == "no size 'smal'; did you mean 'small'? There are: small, many, model"
