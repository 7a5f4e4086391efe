"""Loops that others have written, recorded by one line or two."""

from __future__ import annotations

import difflib
import json

import numpy as np
import pytest
import torch

from lossopt import read_recording
from lossopt.recording.contents import checksum


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
