"""A model that stands in PyTorch and in Flax, as ``port-check`` is given it, and the check of a pair."""

from __future__ import annotations

import jax
import numpy as np
import optax
import torch
from flax import nnx
from torch import nn
from torch.nn import functional as F

from lossopt.port_check.check import check
from lossopt.port_check.source import Maker

CLASSES, LR = 5, 1e-2


def batches(seed: int = 0, scale: float = 1.0, count: int = 200, layout: str = "rows"):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        x = rng.normal(size=(16, 12)) * scale if layout == "rows" else rng.normal(size=(8, 3, 6, 6))
        y = rng.integers(CLASSES, size=len(x))
        yield (np.moveaxis(x, 1, -1) if layout == "last" else x), y


def cross_entropy(logits, labels):
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


class TorchModel(nn.Module):
    def __init__(self, *, eps=1e-5, approximate="none", p=0.0):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(12, 16), nn.LayerNorm(16, eps=eps), nn.Linear(16, CLASSES)
        self.approximate, self.drop = approximate, nn.Dropout(p)
        nn.init.normal_(self.norm.bias)
        with torch.no_grad():
            self.first.weight *= 0.1  # a small variance, which an eps is seen beside

    def forward(self, x):
        return self.last(self.drop(F.gelu(self.norm(self.first(x)), approximate=self.approximate)))


class FlaxModel(nnx.Module):
    def __init__(self, *, eps=1e-5, approximate=False, detached=False, rate=0.0):
        rngs = nnx.Rngs(0)
        self.first, self.last = nnx.Linear(12, 16, rngs=rngs), nnx.Linear(16, CLASSES, rngs=rngs)
        self.norm, self.drop = nnx.LayerNorm(16, epsilon=eps, rngs=rngs), nnx.Dropout(rate, rngs=rngs)
        self.approximate, self.detached = approximate, detached

    def __call__(self, x):
        x = self.drop(nnx.gelu(self.norm(self.first(x)), approximate=self.approximate))
        return jax.lax.stop_gradient(x @ self.last.kernel[...]) + self.last.bias[...] if self.detached else self.last(x)


def torch_side(model=None, optimizer=None, loss=None, **others):
    torch.manual_seed(0)
    model = TorchModel() if model is None else model
    made = {"model": model, "loss": loss or nn.CrossEntropyLoss(), "batches": batches()}
    return {**made, "optimizer": (optimizer or (lambda p: torch.optim.Adam(p, lr=LR)))(model.parameters()), **others}


def jax_side(model=None, **others):
    made = {"model": FlaxModel() if model is None else model, "loss": cross_entropy, "optimizer": optax.adam(LR), "lr": LR, "batches": batches()}
    return {**made, **others}


def ported(of_torch=None, of_jax=None, **options):
    """The check of what two functions give; nothing is identified unless it is asked for."""
    options = {"steps": 12, "copy_weights": "torch", "identify": lambda *_: None, **options}
    return check(Maker(of_torch or torch_side, "make_torch"), Maker(of_jax or jax_side, "make_jax"), **options)


def states(found):
    return {s.name: s.state for s in found.stages}


def without(made, name):
    return {k: v for k, v in made.items() if k != name}
