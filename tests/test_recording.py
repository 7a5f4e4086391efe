"""Recordings: what a run did is in the folder, and the run is the same as without."""

from __future__ import annotations

import copy
import difflib
import itertools
import json
import os
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import nnx, serialization
from flax.training.train_state import TrainState
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import lossopt
from lossopt import read_recording
from lossopt.errors import ArgumentError, InputError
from lossopt.recording import FolderWriter, Parameter, RunInfo, Step
from lossopt.recording.contents import PLACES, checksum
from lossopt.recording.plan import EXACT, WATCHED, Plan, places
from lossopt_torch import measures
from lossopt_torch import recording as torch_recording


# ------------------------------------------------------------------------------------------------- the plan
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
    assert plan.watched((EXACT,)) is None
    assert len(plan.watched((EXACT + 1,))) == WATCHED


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
    for given in (torch.from_numpy(x), torch.from_numpy(x).int(), torch.from_numpy(x).bfloat16(), torch.zeros(0)):
        np.testing.assert_allclose(measures.checksum(given).numpy(), checksum(given.double().numpy()), rtol=1e-10, atol=1e-10)


# ------------------------------------------------------------------------------------------------- the folder
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


# ------------------------------------------------------------------------------------------------- PyTorch
def torch_run(**hyper):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    return model, torch.optim.AdamW(model.parameters(), **{"lr": 1e-2, **hyper})


def batches(steps):
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(4, 6)).astype(np.float32), rng.integers(3, size=4)) for _ in range(steps)]


def train(model, optimizer, steps, after_backward=lambda: None, criterion=nn.functional.cross_entropy):
    losses = []
    for x, y in batches(steps):
        optimizer.zero_grad()
        loss = criterion(model(torch.from_numpy(x)), torch.from_numpy(y))
        loss.backward()
        after_backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def arrays_of(model):
    return {name: p.detach().numpy().copy() for name, p in model.named_parameters()}


def test_a_torch_run_is_what_the_folder_says(tmp_path):
    model, optimizer = torch_run()
    seen, criterion = [], nn.CrossEntropyLoss()
    optimizer.register_step_pre_hook(lambda *_: seen.append((arrays_of(model), {n: p.grad.numpy().copy() for n, p in model.named_parameters()})))
    with lossopt.record(tmp_path, model, optimizer, first=2, every=4, loss_fn=criterion, logits=True) as run:
        losses = train(model, optimizer, 6, lambda: nn.utils.clip_grad_norm_(model.parameters(), 0.1), criterion)
        with torch.no_grad():
            criterion(model(torch.zeros(2, 6)), torch.zeros(2, dtype=torch.long))  # is no training
        assert repr(run) == f"recording of 6 steps in {tmp_path}"
    seen.append((arrays_of(model), {}))
    found = read_recording(tmp_path)
    assert (found.info.framework, found.array_steps) == ("torch", (0, 1, 4))
    assert [(p.name, p.shape, p.dtype, p.group, p.samples) for p in found.info.parameters] == [
        ("0.weight", (5, 6), "float32", 0, None), ("0.bias", (5,), "float32", 0, None),
        ("2.weight", (3, 5), "float32", 0, None), ("2.bias", (3,), "float32", 0, None)]  # fmt: skip
    assert found.info.told["optimizer"] == "torch.optim.adamw.AdamW"
    assert found.info.told["groups"][0]["betas"] == [0.9, 0.999]
    np.testing.assert_allclose([s.loss for s in found], losses, rtol=1e-7)
    for i, ((x, y), step) in enumerate(zip(batches(6), found, strict=True)):
        assert (step.step, step.losses, step.lr, step.nonfinite) == (i, (), (0.01,), 0)
        np.testing.assert_allclose(step.batch, [checksum(x), checksum(y)], rtol=1e-10)
        before, grads = seen[i]
        for name, grad in grads.items():
            update = seen[i + 1][0][name] - before[name]
            expected = {"param_norms": before[name], "grad_norms": grad, "update_norms": update}
            for kind, value in expected.items():
                assert getattr(step, kind)[name] == pytest.approx(np.linalg.norm(value.astype(np.float64)), rel=1e-6), (kind, name)
            if i in found.array_steps:
                for kind, value in (("param", before[name]), ("grad", grad), ("update", update)):
                    np.testing.assert_array_equal(found.of(kind, i)[name], value)
        raw, received = (np.linalg.norm(list(norms.values())) for norms in (step.raw_grad_norms, step.grad_norms))
        assert raw > received == pytest.approx(0.1, rel=1e-4)
        if i in found.array_steps:
            np.testing.assert_array_equal(found.arrays(i)["labels/0"], y)
            logits = torch.from_numpy(found.arrays(i)["logits/0"])
            assert criterion(logits, torch.from_numpy(y)).item() == pytest.approx(step.loss, rel=1e-6)


def test_recording_changes_nothing(tmp_path):
    (plain, one), (recorded, two) = torch_run(), torch_run()
    with lossopt.record(tmp_path, recorded, two, first=3, every=2):
        after = train(recorded, two, 8)
    assert train(plain, one, 8) == after
    for a, b in zip(plain.parameters(), recorded.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not recorded._forward_pre_hooks
    assert not two._optimizer_step_pre_hooks
    assert not two._optimizer_step_post_hooks
    assert torch.Tensor.backward.__module__ == "torch._tensor"
    assert torch.amp.GradScaler.scale.__module__ == "torch.amp.grad_scaler"
    train(recorded, two, 2)
    assert len(read_recording(tmp_path)) == 8


def test_without_clipping_the_raw_gradient_is_the_received_one(tmp_path):
    model, optimizer = torch_run()
    with lossopt.record(tmp_path, model, optimizer):
        train(model, optimizer, 2)
    for step in read_recording(tmp_path):
        assert step.raw_grad_norms == step.grad_norms


def test_gradients_changed_behind_autograd_are_seen(tmp_path):
    model, optimizer = torch_run()

    def halve():
        for p in model.parameters():
            p.grad.data.mul_(0.5)

    with lossopt.record(tmp_path, model, optimizer):
        train(model, optimizer, 2, halve)
    for step in read_recording(tmp_path):
        assert step.grad_norms == pytest.approx({name: 0.5 * norm for name, norm in step.raw_grad_norms.items()})


@pytest.mark.parametrize("to_none", [True, False])
def test_accumulated_losses_are_one_step(tmp_path, to_none):
    model, optimizer = torch_run()
    with lossopt.record(tmp_path, model, optimizer) as run:
        losses, pairs = [], batches(6)
        for i, (x, y) in enumerate(pairs):
            loss = nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(y)) / 3
            run.labels(torch.from_numpy(y))
            loss.backward()
            losses.append(loss.item())
            if i % 3 == 2:
                optimizer.step()
                optimizer.zero_grad(set_to_none=to_none)
    found = read_recording(tmp_path).steps
    assert [len(s.losses) for s in found] == [3, 3]
    np.testing.assert_allclose([s.losses for s in found], np.reshape(losses, (2, 3)), rtol=1e-7)
    np.testing.assert_allclose([s.loss for s in found], np.reshape(losses, (2, 3)).sum(1), rtol=1e-7)
    np.testing.assert_allclose(found[1].batch, [checksum(z) for pair in pairs[3:] for z in pair], rtol=1e-10)


def test_a_grad_scaler_leaves_no_trace(tmp_path):
    (model, optimizer), scaler = torch_run(), torch.amp.GradScaler("cpu", init_scale=2.0**15)
    with lossopt.record(tmp_path, model, optimizer):
        for i, (x, y) in enumerate(batches(5)):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(y))
            if i == 2:
                loss = loss * float("inf")
            scaler.scale(loss).backward()
            if i == 3:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            scaler.step(optimizer)
            scaler.update()
    found = read_recording(tmp_path).steps
    plain, one = torch_run()
    expected = train(plain, one, 2)
    assert len(found) == 4  # the update that the scaler skipped is none
    np.testing.assert_allclose([s.loss for s in found[:2]], expected, rtol=1e-6)
    for i, step in enumerate(found):
        ratio = np.linalg.norm(list(step.raw_grad_norms.values())) / np.linalg.norm(list(step.grad_norms.values()))
        assert ratio > 1.5 if i == 2 else ratio == pytest.approx(1, rel=1e-6)
        assert step.nonfinite == 0


def test_a_fused_optimizer_divides_by_the_scale_itself(tmp_path):
    torch.manual_seed(0)
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, fused=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with lossopt.record(tmp_path, model, optimizer):
        for x, y in batches(2):
            optimizer.zero_grad()
            scaler.scale(nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(y))).backward()
            scaler.step(optimizer)
            scaler.update()
    found = read_recording(tmp_path)
    for step in found:
        assert step.raw_grad_norms == pytest.approx(step.grad_norms)
        for name, update in found.of("update", step.step).items():
            np.testing.assert_allclose(update, -0.5 * found.of("grad", step.step)[name], rtol=1e-4, atol=1e-7)


def test_half_precision_is_kept_as_float32(tmp_path):
    torch.manual_seed(0)
    model = nn.Linear(6, 3).bfloat16()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = arrays_of(copy.deepcopy(model).float())
    with lossopt.record(tmp_path, model, optimizer):
        (model(torch.ones(2, 6, dtype=torch.bfloat16)) ** 2).sum().backward()
        optimizer.step()
    found = read_recording(tmp_path)
    assert {p.dtype for p in found.info.parameters} == {"bfloat16"}
    np.testing.assert_array_equal(found.of("param", 0)["weight"], before["weight"])
    np.testing.assert_array_equal(found.of("update", 0)["weight"], arrays_of(model.float())["weight"] - before["weight"])
    assert found.steps[0].param_norms["weight"] == pytest.approx(np.linalg.norm(before["weight"]), rel=1e-6)


@pytest.mark.parametrize("make", [
    pytest.param(lambda ps: torch.optim.LBFGS(ps, lr=0.5, max_iter=4, line_search_fn="strong_wolfe"), id="lbfgs"),
    pytest.param(lambda ps: torch.optim.Adam(ps, lr=0.1), id="adam"),
    pytest.param(lambda ps: lossopt.get_optimizer("sgd", "torch", params=ps, lr=0.1, executor="single"), id="lossopt")])  # fmt: skip
@pytest.mark.parametrize("by_name", [True, False])
def test_a_closure_is_seen_once(tmp_path, make, by_name):
    model, _ = torch_run()
    optimizer = make(model.parameters())
    (x, y), evaluated = batches(1)[0], []
    x, y = torch.from_numpy(x), torch.from_numpy(y)

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        evaluated.append((loss.item(), model[2].bias.grad.numpy().copy()))
        return loss

    with lossopt.record(tmp_path, model, optimizer):
        begins = []
        for _ in range(3):
            begins.append(len(evaluated))
            optimizer.step(closure=closure) if by_name else optimizer.step(closure)
    found = read_recording(tmp_path)
    for step, begin in zip(found, begins, strict=True):
        assert step.loss == pytest.approx(evaluated[begin][0], rel=1e-7)
        assert step.losses == ()
        np.testing.assert_array_equal(found.of("grad", step.step)["2.bias"], evaluated[begin][1])
        np.testing.assert_allclose(step.batch, [checksum(x.numpy())], rtol=1e-10)


def test_groups_schedules_frozen_and_foreign_parameters(tmp_path):
    torch.manual_seed(0)
    model = nn.ModuleDict({"body": nn.Linear(6, 4), "head": nn.Linear(4, 3), "left_out": nn.Linear(2, 2)})
    model["body"].bias.requires_grad_(False)
    temperature = nn.Parameter(torch.ones(()))
    optimizer = torch.optim.SGD([{"params": model["body"].parameters(), "lr": torch.tensor(0.5)},
                                 {"params": [*model["head"].parameters(), temperature]}], lr=0.1)  # fmt: skip
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    with lossopt.record(tmp_path, model, optimizer):
        for x, _ in batches(2):
            optimizer.zero_grad()
            (model["head"](model["body"](torch.from_numpy(x))) * temperature).square().mean().backward()
            optimizer.step()
            schedule.step()
        model["body"].bias.requires_grad_(True)
        optimizer.add_param_group({"params": model["left_out"].parameters(), "lr": 1.0})
        optimizer.zero_grad()
        (model["head"](model["body"](torch.ones(1, 6))) + model["left_out"](torch.ones(2)).sum()).sum().backward()
        optimizer.step()
    found = read_recording(tmp_path)
    assert {p.name: p.group for p in found.info.parameters} == {
        "body.weight": 0, "body.bias": 0, "head.weight": 1, "head.bias": 1, "left_out.weight": 2, "left_out.bias": 2, "group1.2": 1}  # fmt: skip
    assert [s.lr for s in found] == [(0.5, 0.1), (0.25, 0.05), (0.125, 0.025, 1.0)]
    first, second, third = found
    assert set(first.param_norms) == {p.name for p in found.info.parameters}
    assert set(second.param_norms) == set(first.update_norms) == {"body.weight", "head.weight", "head.bias", "group1.2"}
    assert set(third.update_norms) == set(third.grad_norms) | {"group1.2"} == {p.name for p in found.info.parameters}
    assert third.update_norms["group1.2"] == 0
    assert set(found.of("param", 1)) == {p.name for p in found.info.parameters}


def test_tied_sparse_and_odd_layouts(tmp_path):
    torch.manual_seed(0)
    model = nn.ModuleDict({"symbols": nn.Embedding(7, 4, sparse=True), "first": nn.Linear(4, 4, bias=False), "conv": nn.Conv2d(2, 3, 3)})
    model["again"] = model["first"]
    model["conv"].to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with lossopt.record(tmp_path, model, optimizer):
        out = model["again"](model["first"](model["symbols"](torch.tensor([1, 3, 3]))))
        (out.sum() + model["conv"](torch.ones(1, 2, 4, 4)).sum()).backward()
        sparse, weight = model["symbols"].weight.grad.to_dense().numpy(), model["conv"].weight.detach().numpy().copy()
        optimizer.step()
    found = read_recording(tmp_path)
    assert [p.name for p in found.info.parameters] == ["symbols.weight", "first.weight", "conv.weight", "conv.bias"]
    np.testing.assert_array_equal(found.of("grad", 0)["symbols.weight"], sparse)
    assert found.steps[0].grad_norms["symbols.weight"] == pytest.approx(np.linalg.norm(sparse), rel=1e-6)
    np.testing.assert_array_equal(found.of("param", 0)["conv.weight"], weight)


def test_what_is_infinite_is_counted(tmp_path):
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def spoil():
        model.weight.grad[0, :2] = float("nan")
        model.bias.grad[1] = float("inf")

    with lossopt.record(tmp_path, model, optimizer):
        train(model, optimizer, 1, spoil)
    (step,) = read_recording(tmp_path)
    assert step.nonfinite == 3
    assert np.isnan(step.grad_norms["weight"])
    assert np.isfinite(step.raw_grad_norms["weight"])


def test_several_runs_at_once_each_see_their_own_loss(tmp_path):
    torch.manual_seed(0)
    makes, judges = nn.Linear(3, 6), nn.Linear(6, 1)
    one, two = torch.optim.Adam(makes.parameters()), torch.optim.Adam(judges.parameters())
    own = torch.Tensor.backward
    outer = lossopt.record(tmp_path / "makes", makes, one)
    inner = lossopt.record(tmp_path / "judges", judges, two)
    told = []
    for x, _ in batches(3):
        two.zero_grad()
        loss = judges(torch.from_numpy(x)).mean() - judges(makes(torch.ones(4, 3)).detach()).mean()
        loss.backward()
        two.step()
        one.zero_grad()
        other = judges(makes(torch.ones(4, 3))).square().mean()
        other.backward()
        one.step()
        told.append((other.item(), loss.item()))
    outer.close()
    assert torch.Tensor.backward is not own
    inner.close()
    assert torch.Tensor.backward is own
    for name, expected in zip(("makes", "judges"), zip(*told, strict=True), strict=True):
        found = read_recording(tmp_path / name)
        assert all(s.losses == () for s in found)
        np.testing.assert_allclose([s.loss for s in found], expected, rtol=1e-6)


def test_a_copy_of_the_model_is_not_recorded(tmp_path):
    model, optimizer = torch_run()
    with lossopt.record(tmp_path / "run", model, optimizer, logits=True):
        average = torch.optim.swa_utils.AveragedModel(model)
        torch.save(model, tmp_path / "model.pt")
        loaded = torch.load(tmp_path / "model.pt", weights_only=False)
        for other in (average, loaded, copy.deepcopy(optimizer)):
            assert other is not None
        average(torch.ones(1, 6))
        loaded(torch.ones(1, 6))
        train(model, optimizer, 1)
    assert len(read_recording(tmp_path / "run").steps[0].batch) == 1


def test_a_compiled_model_is_recorded_under_its_own_names(tmp_path):
    model, optimizer = torch_run()
    compiled = torch.compile(model, backend="eager")
    with lossopt.record(tmp_path, compiled, optimizer):
        train(compiled, optimizer, 2)
    found = read_recording(tmp_path)
    assert [p.name for p in found.info.parameters] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    np.testing.assert_allclose(found.steps[1].batch, [checksum(batches(2)[1][0])], rtol=1e-10)


def test_models_that_take_labels_and_give_objects(tmp_path):
    class Output(dict):
        def __getattr__(self, name):
            return self[name]

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.LazyLinear(3)

        def forward(self, inputs, labels=None):
            logits = self.layer(inputs["x"])
            return Output(loss=nn.functional.cross_entropy(logits, labels), logits=logits)

    model = Model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    (x, y) = batches(1)[0]
    with lossopt.record(tmp_path, model, optimizer, logits=True):
        model(inputs={"x": torch.from_numpy(x), "note": "no array"}, labels=torch.from_numpy(y)).loss.backward()
        optimizer.step()
    found = read_recording(tmp_path)
    assert found.info.parameter("layer.weight").shape == (3, 6)
    np.testing.assert_allclose(found.steps[0].batch, [checksum(x), checksum(y)], rtol=1e-10)
    np.testing.assert_array_equal(found.arrays(0)["labels/0"], y)
    assert found.arrays(0)["logits/0"].shape == (4, 3)


@pytest.fixture
def process_group(tmp_path):
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'meeting'}", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


def test_distributed_models(tmp_path, process_group, monkeypatch):
    from torch.distributed.fsdp import fully_shard

    model, optimizer = torch_run()
    parallel = nn.parallel.DistributedDataParallel(model)
    with lossopt.record(tmp_path / "ddp", parallel, optimizer):
        train(parallel, optimizer, 2)
    plain, one = torch_run()
    with lossopt.record(tmp_path / "plain", plain, one):
        train(plain, one, 2)
    ddp, expected = read_recording(tmp_path / "ddp"), read_recording(tmp_path / "plain")
    for a, b in zip(ddp, expected, strict=True):
        assert {**a.to_dict(), "seconds": 0} == {**b.to_dict(), "seconds": 0}

    sharded, _ = torch_run()
    fully_shard(sharded, mesh=torch.distributed.device_mesh.init_device_mesh("cpu", (1,)))
    with lossopt.record(tmp_path / "fsdp", sharded, two := torch.optim.AdamW(sharded.parameters(), lr=1e-2)):
        train(sharded, two, 2)
    fsdp = read_recording(tmp_path / "fsdp")
    assert fsdp.info.told["sharded"] == "parameters and gradients are what the first process holds"
    for a, b in zip(fsdp, expected, strict=True):
        assert a.loss == b.loss
        assert a.update_norms == pytest.approx(b.update_norms)

    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    with lossopt.record(tmp_path / "second", parallel, optimizer) as run:
        run.labels(torch.ones(2))
        train(parallel, optimizer, 1)
    assert not (tmp_path / "second").exists()


class Dispatched(TorchDispatchMode):
    """What is asked of PyTorch, by name."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func._schema.name)
        return func(*args, **(kwargs or {}))


def test_an_accelerator_is_waited_for_once_a_step_and_for_the_step_before(tmp_path, monkeypatch):
    """Walked on a CPU: what is done for an accelerator, with its events counted."""
    waited, brought = [], []

    class Event:
        def __init__(self, *_):
            self.step = run.steps

        def synchronize(self):
            waited.append((run.steps, self.step))

    monkeypatch.setattr(measures, "on_host", lambda x: False)
    monkeypatch.setattr(torch_recording, "_event", Event)
    own = torch_recording._to_host
    monkeypatch.setattr(torch_recording, "_to_host", lambda x: brought.append(run.steps) or own(x))
    (model, optimizer), (plain, one) = torch_run(), torch_run()
    with Dispatched() as asked_without:
        train(plain, one, 4)
    run = lossopt.record(tmp_path / "a", model, optimizer, first=0, every=0)
    with Dispatched() as asked:
        train(model, optimizer, 4)
    assert asked.names.count("aten::_local_scalar_dense") == asked_without.names.count("aten::_local_scalar_dense") > 0
    assert brought == [0, 1, 2, 3]
    assert waited == [(1, 0), (2, 1), (3, 2)]
    run.close()
    assert len(read_recording(tmp_path / "a")) == 4


def test_large_norms_are_right_to_rounding():
    generator = torch.Generator().manual_seed(0)
    tensors = {str(n): 0.01 * torch.randn(n, generator=generator) for n in (0, 1, 1000, 65_536, 65_537, 3_000_000)}
    tensors["half"] = torch.randn(300, 400, generator=generator).bfloat16()
    tensors["double"] = torch.randn(5, generator=generator, dtype=torch.float64)
    for names in (("0", "1", "1000", "65536"), ("1000", "65537", "0", "3000000"), ("half",), ("double",)):
        found = measures.norms(names, [tensors[name] for name in names])
        assert found.names == names
        for name, norm in zip(names, found.values.tolist(), strict=True):
            assert norm == pytest.approx(float(torch.linalg.vector_norm(tensors[name].double())), rel=5e-7), name


def test_large_parameters_are_sampled(tmp_path):
    torch.manual_seed(0)
    model = nn.Linear(300, 300)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model.weight.detach().clone()
    with lossopt.record(tmp_path, model, optimizer, budget=1000, samples=2000):
        model(torch.randn(8, 300)).square().mean().backward()
        optimizer.step()
    found, at = read_recording(tmp_path), places((300, 300), 2000)
    assert [p.samples for p in found.info.parameters] == [len(at), None]
    np.testing.assert_array_equal(found.arrays(0)["index/weight"], at)
    assert "index/bias" not in found.arrays(0)
    np.testing.assert_array_equal(found.of("param", 0)["weight"], before.numpy().ravel()[at])
    update = (model.weight.detach() - before).numpy().ravel()
    np.testing.assert_allclose(found.of("update", 0)["weight"], update[at], rtol=1e-6)
    watched = update[places((300, 300), WATCHED)]
    assert found.steps[0].update_norms["weight"] == pytest.approx(np.linalg.norm(watched) * 300 / np.sqrt(len(watched)), rel=1e-5)
    assert found.steps[0].update_norms["weight"] == pytest.approx(np.linalg.norm(update), rel=0.05)


@pytest.mark.parametrize(
    ("what", "options", "kind", "message"),
    [
        (lambda m, o: (m,), {}, InputError,
         "record takes a model and one optimizer of it, got Sequential: write lossopt.record(folder, model, optimizer), and where there "
         "are several optimizers one recording for each, in a folder of its own"),
        (lambda m, o: (m, o, o), {}, InputError,
         "record takes a model and one optimizer of it, got Sequential, AdamW, AdamW: write lossopt.record(folder, model, optimizer), and "
         "where there are several optimizers one recording for each, in a folder of its own"),
        (lambda m, o: (), {}, InputError,
         "record takes a torch module and its optimizer, optax transformations, an nnx.Optimizer or a TrainState, got nothing; write "
         'lossopt.record("runs/a", model, optimizer) or tx = lossopt.record("runs/a", tx)'),
        (lambda m, o: (m, o), {"loss_fn": nn.functional.cross_entropy}, InputError,
         "record: loss_fn is a torch.nn.Module such as nn.CrossEntropyLoss(), got function; leave it out and tell the run its labels: "
         "run.labels(y)"),
        (lambda m, o: (m, o), {"lr": 0.1}, ArgumentError, "record: lr is for jax, this is a recording of torch; leave it out"),
        (lambda m, o: (m, o), {"evry": 5}, ArgumentError,
         "record takes no 'evry'; did you mean 'every'? It takes: first, every, budget, samples, logits, overwrite, loss_fn"),
    ],
)  # fmt: skip
def test_what_cannot_be_recorded_is_refused(tmp_path, what, options, kind, message):
    model, optimizer = torch_run()
    with pytest.raises(kind) as error:
        lossopt.record(tmp_path / "run", *what(model, optimizer), **options)
    assert str(error.value) == message
    assert not (tmp_path / "run").exists()


# ------------------------------------------------------------------------------------------------- loops of others
def changed(before: str, after: str) -> int:
    """How many lines were added or replaced."""
    return sum(line.startswith("+ ") for line in difflib.ndiff(before.splitlines(), after.splitlines()))


TORCH_LOOP = """
import torch
from torch import nn, optim

model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

model.train()
for epoch in range(2):
    for data, target in loader:
        optimizer.zero_grad()
        output = model(data)
        loss = criterion(output, target)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        correct = sum((model(data).argmax(1) == target).sum().item() for data, target in loader)
    model.train()
"""


def test_a_plain_torch_loop_is_recorded_by_one_line(tmp_path):
    recorded = TORCH_LOOP.replace("model.train()\nfor", f"import lossopt; run = lossopt.record({str(tmp_path / 'run')!r}, model, optimizer, "
                                  "loss_fn=criterion)\nmodel.train()\nfor")  # fmt: skip
    assert changed(TORCH_LOOP, recorded) == 1
    rng = np.random.default_rng(0)
    loader = [(torch.from_numpy(rng.normal(size=(8, 1, 8, 8)).astype(np.float32)), torch.from_numpy(rng.integers(10, size=8))) for _ in range(6)]
    names = {"loader": loader}
    exec(recorded, names)
    names["run"].close()
    found = read_recording(tmp_path / "run")
    assert len(found) == 12
    np.testing.assert_allclose(found.steps[0].batch, [checksum(x.numpy()) for x in loader[0]], rtol=1e-10)
    assert found.steps[6].batch == found.steps[0].batch
    assert all(s.loss > 0 and s.lr == (0.01,) and len(s.grad_norms) == 4 for s in found)
    assert found.first_steps == tuple(range(12))
    json.dumps(found.info.told)


FLAX_LOOP = """
import jax, jax.numpy as jnp, optax
from flax import nnx

class CNN(nnx.Module):
    def __init__(self, *, rngs):
        self.conv = nnx.Conv(1, 4, kernel_size=(3, 3), rngs=rngs)
        self.dropout = nnx.Dropout(rate=0.025, rngs=rngs)
        self.linear = nnx.Linear(64, 10, rngs=rngs)

    def __call__(self, x):
        x = nnx.avg_pool(nnx.relu(self.conv(x)), window_shape=(2, 2), strides=(2, 2))
        return self.linear(self.dropout(x.reshape(x.shape[0], -1)))

model = CNN(rngs=nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adamw(0.005, 0.9), wrt=nnx.Param)
metrics = nnx.MultiMetric(accuracy=nnx.metrics.Accuracy(), loss=nnx.metrics.Average("loss"))

def loss_fn(model, batch):
    logits = model(batch["image"])
    loss = optax.softmax_cross_entropy_with_integer_labels(logits=logits, labels=batch["label"]).mean()
    return loss, logits

@nnx.jit
def train_step(model, optimizer, metrics, batch):
    grad_fn = nnx.value_and_grad(loss_fn, has_aux=True)
    (loss, logits), grads = grad_fn(model, batch)
    metrics.update(loss=loss, logits=logits, labels=batch["label"])
    optimizer.update(model, grads)

@nnx.jit
def eval_step(model, metrics, batch):
    loss, logits = loss_fn(model, batch)
    metrics.update(loss=loss, logits=logits, labels=batch["label"])

model.train()
for step, batch in enumerate(train_ds):
    train_step(model, optimizer, metrics, batch)
    if step % 5 == 4:
        train_loss = metrics.compute()["loss"]
        metrics.reset()
        model.eval()
        eval_step(model, metrics, batch)
        metrics.reset()
        model.train()
"""


def test_an_nnx_loop_is_recorded_by_two_lines(tmp_path):
    recorded = FLAX_LOOP.replace("metrics = nnx.Multi", f"import lossopt; run = lossopt.record({str(tmp_path / 'run')!r}, optimizer)\nmetrics = nnx.Multi")
    recorded = recorded.replace("optimizer.update(model, grads)", "optimizer.update(model, grads, value=loss)")
    assert changed(FLAX_LOOP, recorded) == 2
    rng = np.random.default_rng(0)
    names = {"train_ds": [{"image": rng.normal(size=(8, 8, 8, 1)).astype(np.float32), "label": rng.integers(10, size=8)} for _ in range(10)]}
    exec(recorded, names)
    names["run"].close()
    found = read_recording(tmp_path / "run")
    assert [s.step for s in found] == list(range(10))
    assert [p.name for p in found.info.parameters] == ["conv.bias", "conv.kernel", "linear.bias", "linear.kernel"]
    assert np.mean([s.loss for s in found][5:]) == pytest.approx(float(names["train_loss"]), rel=1e-5)
    plain = {"train_ds": names["train_ds"]}
    exec(FLAX_LOOP, plain)
    assert float(plain["train_loss"]) == float(names["train_loss"])


# ------------------------------------------------------------------------------------------------- JAX
def jax_loss(params, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(jnp.tanh(x @ params["w"]["kernel"]) @ params["out"] + params["b"], y).mean()


def jax_params():
    rng = np.random.default_rng(1)
    return {"w": {"kernel": jnp.asarray(rng.normal(size=(6, 5)), jnp.float32)}, "out": jnp.asarray(rng.normal(size=(5, 3)), jnp.float32),
            "b": jnp.zeros(3)}  # fmt: skip


def train_in_jax(tx, steps=6, *, value=True, tell=lambda *_: None, jit=True, params=None, state=None):
    """Parameters and gradients before each step, losses, and what is left at the end."""

    def step(params, state, x, y):
        loss, grads = jax.value_and_grad(jax_loss)(params, x, y)
        extras = {"value": loss} if value else {}
        updates, state = tx.update(grads, state, params, **extras)
        return optax.apply_updates(params, updates), state, loss, grads, updates

    step = jax.jit(step) if jit else step
    params = jax_params() if params is None else params
    state = tx.init(params) if state is None else state
    seen, losses = [], []
    for x, y in batches(steps):
        before = params
        params, state, loss, grads, updates = step(params, state, x, y)
        tell(x, y, loss)
        seen.append((before, grads, updates))
        losses.append(float(loss))
    return seen, losses, params, state


def flat(tree):
    return {name: np.asarray(x) for name, x in zip(("b", "out", "w.kernel"), jax.tree.leaves(tree), strict=True)}


@pytest.mark.parametrize("jit", [True, False])
def test_a_jax_run_is_what_the_folder_says(tmp_path, jit):
    tx = lossopt.record(tmp_path, optax.inject_hyperparams(optax.adam)(optax.linear_schedule(0.1, 0.0, 10)), first=2, every=4)
    seen, losses, *_ = train_in_jax(tx, jit=jit)
    tx.run.close()
    assert repr(tx.run) == f"recording of 6 steps in {tmp_path}"
    found = read_recording(tmp_path)
    assert (found.info.framework, found.array_steps) == ("jax", (0, 1, 4))
    assert [(p.name, p.shape, p.dtype) for p in found.info.parameters] == [("b", (3,), "float32"), ("out", (5, 3), "float32"), ("w.kernel", (6, 5), "float32")]
    np.testing.assert_allclose([s.loss for s in found], losses, rtol=1e-7)
    np.testing.assert_allclose([s.lr for s in found], [[0.1 - 0.01 * i] for i in range(6)], rtol=1e-6)
    for step, (params, grads, updates) in zip(found, seen, strict=True):
        assert (step.raw_grad_norms, step.nonfinite) == ({}, 0)
        for kind, tree in (("param", params), ("grad", grads), ("update", updates)):
            for name, x in flat(tree).items():
                assert getattr(step, f"{kind}_norms")[name] == pytest.approx(np.linalg.norm(x.astype(np.float64)), rel=1e-6)
                if step.step in found.array_steps:
                    np.testing.assert_array_equal(found.of(kind, step.step)[name], x)


def test_recording_changes_no_number_in_jax(tmp_path):
    tx = lossopt.record(tmp_path, optax.adam(0.1))
    *_, recorded, _ = train_in_jax(tx)
    *_, plain, _ = train_in_jax(optax.adam(0.1), value=False)
    tx.run.close()
    for a, b in zip(jax.tree.leaves(recorded), jax.tree.leaves(plain), strict=True):
        np.testing.assert_array_equal(a, b)
    before = (tmp_path / "steps.jsonl").read_bytes()
    train_in_jax(tx, 2)  # a closed recording takes no notice
    assert (tmp_path / "steps.jsonl").read_bytes() == before


def test_a_step_is_one_call_of_the_host_and_no_effect(tmp_path):
    tx = lossopt.record(tmp_path, optax.adam(0.1))
    params = jax_params()
    traced = jax.make_jaxpr(tx.update)(params, tx.init(params), params)
    assert not traced.effects
    calls, own = [], tx.run.receive
    tx.run.receive = lambda *args: calls.append(len(args)) or own(*args)
    train_in_jax(tx, 30)
    tx.run.close()
    assert len(calls) == 30
    assert len(read_recording(tmp_path)) == 30


def test_the_transformations_given_apart_show_clipping(tmp_path):
    tx = lossopt.record(tmp_path, optax.clip_by_global_norm(0.1), optax.adam(0.1))
    _, _, params, _ = train_in_jax(tx)
    tx.run.close()
    *_, chained, _ = train_in_jax(optax.chain(optax.clip_by_global_norm(0.1), optax.adam(0.1)), value=False)
    for a, b in zip(jax.tree.leaves(params), jax.tree.leaves(chained), strict=True):
        np.testing.assert_allclose(a, b, rtol=2.5e-7)  # XLA fuses the recorded step otherwise: 1.2e-7, the last bit
    for step in read_recording(tmp_path):
        raw, received = (np.linalg.norm(list(norms.values())) for norms in (step.raw_grad_norms, step.grad_norms))
        assert raw > received == pytest.approx(0.1, rel=1e-5)


@pytest.mark.parametrize("inside", [True, False])
def test_inside_and_around_optax_chain_and_multi_steps(tmp_path, inside):
    one, two = tmp_path / "chain", tmp_path / "several"
    if inside:
        clipped = lossopt.record(one, optax.sgd(0.1))
        chain, run = optax.chain(optax.clip_by_global_norm(0.1), clipped), clipped.run
        small = lossopt.record(two, optax.sgd(0.1), accumulate=3)
        several, other = optax.MultiSteps(small, 3).gradient_transformation(), small.run
    else:
        chain = lossopt.record(one, optax.chain(optax.clip_by_global_norm(0.1), optax.sgd(0.1)))
        several = lossopt.record(two, optax.MultiSteps(optax.sgd(0.1), 3).gradient_transformation())
        run, other = chain.run, several.run
    train_in_jax(chain)
    run.close()
    for step in read_recording(one):
        norm = np.linalg.norm(list(step.grad_norms.values()))
        assert norm == pytest.approx(0.1, rel=1e-5) if inside else norm > 0.1
        assert np.linalg.norm(list(step.update_norms.values())) == pytest.approx(0.01, rel=1e-5)
    train_in_jax(several, value=False, tell=lambda x, y, _: other.batch(x, y))
    other.close()
    found = read_recording(two).steps
    assert [len(s.batch) for s in found] == ([6, 6] if inside else [2] * 6)
    assert [s.update_norms["b"] > 0 for s in found] == ([True, True] if inside else [False, False, True] * 2)
    np.testing.assert_allclose([x for s in found for x in s.batch], [checksum(z) for pair in batches(6) for z in pair])


def test_what_is_told_outside_jit_meets_its_step(tmp_path):
    tx = lossopt.record(tmp_path, optax.adam(0.1), first=2, every=3, lr=0.1)
    pairs = iter(tx.run.batches(batches(7)))
    next(pairs)

    def tell(x, y, loss):
        tx.run.loss(loss)
        tx.run.logits(jnp.asarray(x[:, :3]), y)
        next(pairs, None)

    with tx.run:
        _, losses, *_ = train_in_jax(tx, 7, value=False, tell=tell)
    found = read_recording(tmp_path)
    assert found.array_steps == (0, 1, 3, 6)
    np.testing.assert_allclose([s.loss for s in found], losses)
    assert [s.lr for s in found] == [(pytest.approx(0.1),)] * 7
    for step, (x, y) in zip(found, batches(7), strict=True):
        np.testing.assert_allclose(step.batch, [checksum(x), checksum(y)])
        if step.step in found.array_steps:
            np.testing.assert_array_equal(found.arrays(step.step)["logits/0"], x[:, :3])
            np.testing.assert_array_equal(found.arrays(step.step)["labels/0"], y)


def test_under_scan(tmp_path):
    tx = lossopt.record(tmp_path, optax.sgd(0.1), first=2, every=5)
    params = jax_params()

    def body(carry, batch):
        loss, grads = jax.value_and_grad(jax_loss)(carry[0], *batch)
        updates, state = tx.update(grads, carry[1], carry[0], value=loss)
        return (optax.apply_updates(carry[0], updates), state), loss

    x, y = (jnp.stack([jnp.asarray(pair[i]) for pair in batches(8)]) for i in (0, 1))
    run = jax.jit(lambda params, state: jax.lax.scan(body, (params, state), (x, y)))
    (_, state), losses = run(params, tx.init(params))
    tx.run.close()
    found = read_recording(tmp_path)
    assert [s.step for s in found] == [*range(8)]
    np.testing.assert_allclose([s.loss for s in found], losses, rtol=1e-7)
    assert found.array_steps == (0, 1, 5)
    assert int(state.count) == 8


def test_a_restored_state_goes_on_counting(tmp_path):
    tx = lossopt.record(tmp_path / "a", optax.adam(0.1))
    _, _, params, state = train_in_jax(tx, 3)
    tx.run.close()
    kept = serialization.to_bytes(state)
    again = lossopt.record(tmp_path / "b", optax.adam(0.1), first=4)
    state = serialization.from_bytes(again.init(params), kept)
    train_in_jax(again, 3, params=params, state=state)
    again.run.close()
    found = read_recording(tmp_path / "b")
    assert [s.step for s in found] == [3, 4, 5]
    assert found.array_steps == (3,)


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
         "run.batch(x, y) is for arrays outside jit, this one is traced; inside jit give the loss to the update: optimizer.update(model, "
         "grads, value=loss), tx.update(grads, state, params, value=loss)"),
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


# ------------------------------------------------------------------------------------------------- what it costs
def test_the_cost_is_measured(monkeypatch, capsys):
    from lossopt.cli.main import main
    from lossopt.recording import bench

    monkeypatch.setitem(bench.SIZES, "small", (8, 2, 4))
    assert main(["bench", "recording", "small", "--rounds", "2", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(r["backend"], r["parameters"], r["tensors"]) for r in rows] == [("torch", 8 * (bench.INPUTS + 2 + 8), 4), ("jax", 8 * (bench.INPUTS + 2 + 8), 4)]
    for r in rows:
        assert r["overhead_percent"] == pytest.approx(100 * (r["recorded"] / r["plain"] - 1))
    with pytest.raises(ArgumentError) as error:
        bench.bench(["smal"])
    assert str(error.value) == "no size 'smal'; did you mean 'small'? There are: small, many, model"
