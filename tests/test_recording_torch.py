"""Recordings of PyTorch runs: the folder says what the run did, and the run is the same as without."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from recorded_runs import arrays_of, batches, torch_run, train
from torch import nn

import lossopt
from lossopt import read_recording
from lossopt.recording.contents import checksum


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
