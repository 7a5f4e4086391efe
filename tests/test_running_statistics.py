"""Running statistics of batch normalization in `lossopt diff`: equal in training, apart in evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from flax import nnx
from jax import numpy as jnp

import lossopt
from lossopt.diff import diff
from lossopt.recording import Recording, read_recording

RNG = np.random.default_rng(0)
WEIGHTS = {"w": RNG.normal(size=(6, 12)).astype(np.float32), "v": RNG.normal(size=(3, 6)).astype(np.float32)}
BATCHES = [(RNG.normal(size=(8, 12)).astype(np.float32), RNG.normal(size=(8, 3)).astype(np.float32)) for _ in range(6)]


def in_torch(folder: Path, **norm: float) -> Recording:
    model = torch.nn.Sequential(torch.nn.Linear(12, 6), torch.nn.BatchNorm1d(6, **norm), torch.nn.Linear(6, 3))
    model.load_state_dict({"0.weight": torch.tensor(WEIGHTS["w"]), "2.weight": torch.tensor(WEIGHTS["v"]), "0.bias": torch.zeros(6),
                           "2.bias": torch.zeros(3)}, strict=False)  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    run = lossopt.record(folder, model, optimizer)
    for x, y in BATCHES:
        optimizer.zero_grad()
        ((model(torch.tensor(x)) - torch.tensor(y)) ** 2).mean().backward()
        optimizer.step()
    run.close()
    return read_recording(folder)


def in_flax(folder: Path, momentum: float, *, told: bool = True) -> Recording:
    import optax

    model = nnx.Sequential(nnx.Linear(12, 6, rngs=nnx.Rngs(0)), nnx.BatchNorm(6, momentum=momentum, rngs=nnx.Rngs(0)),
                           nnx.Linear(6, 3, rngs=nnx.Rngs(0)))  # fmt: skip
    model.layers[0].kernel[...], model.layers[2].kernel[...] = jnp.asarray(WEIGHTS["w"].T), jnp.asarray(WEIGHTS["v"].T)
    tx = lossopt.record(folder, optax.sgd(0.05), lr=0.05)
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    for x, y in BATCHES:
        grads = nnx.grad(lambda m, x=x, y=y: ((m(x) - y) ** 2).mean())(model)
        optimizer.update(model, grads)
        if told:
            tx.run.buffers(nnx.state(model, nnx.BatchStat))
    tx.run.close()
    return read_recording(folder)


def test_equal_statistics_are_compared(tmp_path: Path) -> None:
    found = diff(in_torch(tmp_path / "a"), in_torch(tmp_path / "b"))
    last = found.outcomes[-1]
    assert (found.equal, last.looked, last.compared) == (True, "running statistics, averaged weights", 6)


def test_another_momentum_is_told(tmp_path: Path) -> None:
    found = diff(in_torch(tmp_path / "a"), in_torch(tmp_path / "b", momentum=0.02))
    assert (found.first.link, found.verdict.cause) == ("evaluation", "running statistics")
    assert found.verdict.what == ("In evaluation the running statistics of a take 5 times as much of a batch as those of b "
                                  "(1.running_mean, 1.running_var)")  # fmt: skip


def test_flax_keeps_another_variance(tmp_path: Path) -> None:
    """Of 8 values PyTorch's is 8/7 of Flax's; everything else is equal."""
    found = diff(in_torch(tmp_path / "a"), in_flax(tmp_path / "b", 0.9))
    assert (found.first.link, found.verdict.cause) == ("evaluation", "running variance")
    assert "the running means are equal (1.running_var)" in found.verdict.what


def test_where_one_side_does_not_tell_it_is_asked_to(tmp_path: Path) -> None:
    found = diff(in_torch(tmp_path / "a"), in_flax(tmp_path / "b", 0.9, told=False))
    assert found.equal
    assert found.outcomes[-1].notes == ("running statistics are recorded of a alone; in JAX call run.buffers(batch_stats) after each step",)


def test_the_default_momenta_are_ten_times_apart(tmp_path: Path) -> None:
    told: Mapping[str, str] = diff(in_torch(tmp_path / "a"), in_flax(tmp_path / "b", 0.99)).verdict.type
    assert told == {"jax": "BatchNorm's momentum is what it keeps, 0.99 by default: 1 less PyTorch's",
                    "torch": "BatchNorm's momentum is what it takes of a batch, 0.1 by default: 1 less Flax's"}  # fmt: skip
