"""What schedulers change beside the learning rate, in a recording."""

from __future__ import annotations

import itertools
import json
import math

import jax
import numpy as np
import optax
import pytest
import torch
from recorded_runs import batches, torch_run, train, train_in_jax
from torch import nn
from torch.optim import lr_scheduler

import lossopt
from lossopt import read_recording
from lossopt.errors import InputError
from lossopt.recording import FolderWriter, RunInfo, Step
from lossopt.recording.numbers import changed

STEPS = 10


def one_cycle(optimizer):
    return lr_scheduler.OneCycleLR(optimizer, [0.1] * len(optimizer.param_groups), total_steps=STEPS + 1)


def cyclic(optimizer):
    return lr_scheduler.CyclicLR(optimizer, 0.01, 0.1, step_size_up=3)


def scheduled(folder, model, optimizer, make, read):
    """Train under a scheduler; what `read` finds in each group before each update, and the recording."""
    seen = []
    with lossopt.record(folder, model, optimizer):
        schedule = make(optimizer)  # the recording has begun, as it would where the trainer makes the scheduler
        for x, y in batches(STEPS):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(y)).backward()
            seen.append(tuple(read(group) for group in optimizer.param_groups))
            optimizer.step()
            schedule.step()
    return seen, read_recording(folder)


@pytest.mark.parametrize("make", [one_cycle, cyclic])
@pytest.mark.parametrize(("cls", "hyper", "label", "read"), [
    (torch.optim.SGD, {"momentum": 0.9}, "momentum", lambda group: group["momentum"]),
    (torch.optim.AdamW, {}, "betas[0]", lambda group: group["betas"][0]),
    (torch.optim.AdamW, {"lr": torch.tensor(0.1), "foreach": False}, "betas[0]", lambda group: group["betas"][0])])  # fmt: skip
def test_what_is_cycled_beside_the_learning_rate(tmp_path, make, cls, hyper, label, read):
    model, _ = torch_run()
    groups = [{"params": model[0].parameters()}, {"params": model[2].parameters(), "weight_decay": 0.5}]
    seen, found = scheduled(tmp_path, model, cls(groups, **{"lr": 0.01, **hyper}), make, read)
    assert len(set(seen)) > STEPS / 2
    assert [s.numbers for s in found] == [{label: values} for values in seen]


def test_a_plain_run_and_a_schedule_of_the_learning_rate_have_none(tmp_path):
    model, optimizer = torch_run()
    _, found = scheduled(tmp_path, model, optimizer, lambda o: lr_scheduler.ExponentialLR(o, 0.5), lambda group: group["lr"])
    assert [s.numbers for s in found] == [{}] * STEPS
    lines = [json.loads(line)["numbers"] for line in (tmp_path / "steps.jsonl").read_text().splitlines()]
    assert lines == [{"betas[0]": [0.9], "betas[1]": [0.999], "eps": [1e-8], "weight_decay": [0.01]}, *[{}] * (STEPS - 1)]


def test_a_number_that_first_changes_late_is_known_before(tmp_path):
    """Weight decay is the whole number 0 by default; a counter stays whole, and a group that comes later brings its own."""
    model, optimizer = torch_run()
    head = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0)
    with lossopt.record(tmp_path, model, optimizer):
        for t in range(6):
            optimizer.param_groups[0] |= {"weight_decay": 0.1 if t in (2, 3) else 0, "k": t, "schedule": [t / 2, "words"]}
            if t == 4:
                optimizer.add_param_group({"params": head.parameters(), "lr": 1.0, "dampening": 0.5})
            train(model, optimizer, 1)
    found = read_recording(tmp_path).steps
    assert [s.numbers["weight_decay"] for s in found] == [(0,), (0,), (0.1,), (0.1,), (0, 0), (0, 0)]
    assert all(isinstance(x, float) for s in found for values in s.numbers.values() for x in values)
    assert {label for s in found for label in s.numbers} == {"weight_decay", "schedule[0]"}
    assert [s.numbers["schedule[0]"][0] for s in found] == [0, 0.5, 1, 1.5, 2, 2.5]
    assert math.isnan(found[-1].numbers["schedule[0]"][1])


def test_a_crash_leaves_the_numbers_of_the_steps_before(tmp_path):
    model, _ = torch_run()
    seen, _ = scheduled(tmp_path, model, torch.optim.SGD(model.parameters(), momentum=0.9), one_cycle, lambda group: group["momentum"])
    lines = tmp_path / "steps.jsonl"
    lines.write_text("".join(lines.read_text().splitlines(keepends=True)[:6])[:-30])
    assert [s.numbers for s in read_recording(tmp_path)] == [{"momentum": values} for values in seen[:5]]


def test_a_label_that_comes_late_or_goes_is_nan(tmp_path):
    writer = FolderWriter(tmp_path)
    writer.begin(RunInfo("torch", ()))
    given = [{}, {"d": (0.5, math.nan)}, {"d": (math.inf, math.nan)}, {}, {}, {"d": (0.5, 0.25)}]
    for t, numbers in enumerate(given):
        writer.write(Step(t, numbers=numbers))
    writer.close()
    found = [s.numbers["d"] for s in read_recording(tmp_path)]
    np.testing.assert_array_equal(found, [[math.nan] * 2, given[1]["d"], given[2]["d"], [math.nan] * 2, [math.nan] * 2, given[5]["d"]])
    assert [changed(now, before) for before, now in itertools.pairwise(given)] == [
        {"d": [0.5, None]}, {"d": [math.inf, None]}, {"d": [None, None]}, {}, {"d": [0.5, 0.25]}]  # fmt: skip


def test_recordings_without_the_field_are_read(tmp_path):
    model, optimizer = torch_run()
    with lossopt.record(tmp_path, model, optimizer):
        train(model, optimizer, 3)
    lines = tmp_path / "steps.jsonl"
    older = [{k: v for k, v in json.loads(line).items() if k != "numbers"} for line in lines.read_text().splitlines()]
    expected = read_recording(tmp_path).steps
    lines.write_text("".join(json.dumps(told) + "\n" for told in older))
    found = read_recording(tmp_path).steps
    assert found == expected
    assert [s.numbers for s in found] == [{}] * 3


@pytest.mark.parametrize("numbers", [[0.9], {"momentum": 0.9}, {"momentum": ["0.9"]}])
def test_numbers_that_are_none_are_refused(tmp_path, numbers):
    model, optimizer = torch_run()
    with lossopt.record(tmp_path, model, optimizer):
        train(model, optimizer, 2)
    lines = tmp_path / "steps.jsonl"
    first, second = map(json.loads, lines.read_text().splitlines())
    lines.write_text(f"{json.dumps({**first, 'numbers': numbers})}\n{json.dumps(second)}\n")
    with pytest.raises(InputError) as error:
        read_recording(tmp_path)
    assert str(error.value) == f"{lines}, line 1, is no step as lossopt.record(...) writes it; record the run again"


# ------------------------------------------------------------------------------------------------- JAX
def test_injected_hyperparams(tmp_path):
    """Beside a schedule of momentum what is constant is left out; of two states both values are there."""
    momentum, decay = optax.linear_schedule(0.5, 0.9, 4), optax.exponential_decay(0.25, 1, 0.5)
    tx = lossopt.record(tmp_path, optax.chain(optax.inject_hyperparams(optax.add_decayed_weights)(decay),
                                              optax.inject_hyperparams(optax.sgd)(0.1, momentum=momentum),
                                              optax.inject_hyperparams(optax.add_decayed_weights)(0.125)))  # fmt: skip
    train_in_jax(tx, 6)
    tx.run.close()
    found = read_recording(tmp_path).steps
    assert [s.lr for s in found] == [(pytest.approx(0.1),)] * 6
    for t, step in enumerate(found):
        assert step.numbers == {"momentum": (pytest.approx(float(momentum(t)), rel=1e-6),), "weight_decay": (0.25 * 0.5**t, 0.125)}


MOMENTUM = lossopt.get_schedule("one_cycle", lr=0.1, total_steps=STEPS).momentum


@pytest.mark.parametrize(("name", "hyper", "label"), [("sgd", {"momentum": MOMENTUM}, "momentum"), ("adamw", {"betas": (MOMENTUM, 0.999)}, "betas[0]")])
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_our_own_schedules_of_any_number(tmp_path, name, hyper, label, backend):
    if backend == "torch":
        model, _ = torch_run()
        optimizer = lossopt.get_optimizer(name, "torch", params=model.parameters(), lr=0.1, **hyper)
        with lossopt.record(tmp_path, model, optimizer):
            train(model, optimizer, 4)
    else:
        tx = lossopt.record(tmp_path, lossopt.get_optimizer(name, "jax", lr=0.1, **hyper))
        train_in_jax(tx, 4)
        tx.run.close()
    found = read_recording(tmp_path)
    assert [s.numbers for s in found] == [{label: (pytest.approx(float(MOMENTUM(t)), rel=1e-6),)} for t in range(4)]
    assert len({s.numbers[label] for s in found}) == 4


@pytest.mark.parametrize("make", [
    pytest.param(lambda: optax.inject_hyperparams(optax.adamw)(optax.linear_schedule(0.1, 0.0, 9), weight_decay=0.5), id="injected"),
    pytest.param(lambda: optax.adamw(optax.linear_schedule(0.1, 0.0, 9)), id="hidden"),
    pytest.param(lambda: lossopt.get_optimizer("adamw", "jax", lr=0.1, groups={"b": {"lr": 0.5}}), id="ours")])  # fmt: skip
def test_a_plain_jax_run_has_none(tmp_path, make):
    tx = lossopt.record(tmp_path, make())
    train_in_jax(tx, 3)
    tx.run.close()
    assert [s.numbers for s in read_recording(tmp_path)] == [{}] * 3


def test_a_number_that_is_set_by_hand_in_jax(tmp_path):
    tx = lossopt.record(tmp_path, optax.inject_hyperparams(optax.adamw)(0.1))
    _, _, params, state = train_in_jax(tx, 2)
    state.inner_state.hyperparams["b1"] = jax.numpy.asarray(0.5)
    train_in_jax(tx, 2, params=params, state=state)
    tx.run.close()
    assert [s.numbers for s in read_recording(tmp_path)] == [{"b1": (pytest.approx(0.9),)}] * 2 + [{"b1": (0.5,)}] * 2
