"""Recordings of PyTorch models that are copied, compiled, distributed, large, or not to be recorded."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from recorded_runs import batches, torch_run, train
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import lossopt
from lossopt import read_recording
from lossopt.errors import ArgumentError, InputError
from lossopt.recording.contents import checksum
from lossopt.recording.plan import distances, places, thinned
from lossopt_torch import measures
from lossopt_torch import recording as torch_recording


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
        copied, another = copy.deepcopy((model, optimizer))
        average(torch.ones(1, 6))
        train(copied, another, 2)
        train(model, optimizer, 1)
    found = read_recording(tmp_path / "run")
    assert [len(step.batch) for step in found] == [1]


def test_a_saved_model_does_not_hold_the_recording(tmp_path):
    """What is saved of a model are its hooks too: what is made of those again records nothing."""
    model, optimizer = torch_run()
    with lossopt.record(tmp_path / "run", model, optimizer, logits=True):
        torch.save(model, tmp_path / "model.pt")
        hooks = [*model._forward_pre_hooks.values(), *model._forward_hooks.values()]
        remade = [make(*arguments) for make, arguments in (hook.__reduce__() for hook in hooks)]
        assert [type(hook) for hook in remade] == [torch_recording._Hook] * 2
        for hook in remade:
            hook(model, (torch.ones(1, 6),), {})
        train(model, optimizer, 1)
    found = read_recording(tmp_path / "run")
    assert [len(step.batch) for step in found] == [1]


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
    for norms, whole in ((found.steps[0].update_norms, update), (found.steps[0].param_norms, before.numpy())):
        some = thinned(whole.reshape(300, 300), distances((300, 300)))
        assert norms["weight"] == pytest.approx(np.linalg.norm(some) * 300 / np.sqrt(some.size), rel=1e-5)
        assert norms["weight"] == pytest.approx(np.linalg.norm(whole), rel=0.05)


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
         "record takes no 'evry'; did you mean 'every'? It takes: first, every, budget, samples, logits, overwrite, loss_fn, ema"),
    ],
)  # fmt: skip
def test_what_cannot_be_recorded_is_refused(tmp_path, what, options, kind, message):
    model, optimizer = torch_run()
    with pytest.raises(kind) as error:
        lossopt.record(tmp_path / "run", *what(model, optimizer), **options)
    assert str(error.value) == message
    assert not (tmp_path / "run").exists()
