"""The built-in models in Flax.  The same names, and the same mathematics, as in lossopt_torch.models."""

from __future__ import annotations

from collections.abc import Callable

import jax
from flax import nnx

from lossopt.errors import InputError, UnknownNameError, suggest


class MLP(nnx.Module):
    """One hidden layer of 128 rectified units."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.Linear(inputs, 128, rngs=rngs)
        self.output = nnx.Linear(128, outputs, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.output(nnx.relu(self.hidden(x)))


class ConvNet(nnx.Module):
    """Two convolutions and a linear layer, on square images given as rows of pixels."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs) -> None:
        self.side = round(inputs**0.5)
        self.first = nnx.Conv(1, 8, (3, 3), padding=1, rngs=rngs)
        self.second = nnx.Conv(8, 16, (3, 3), strides=2, padding=1, rngs=rngs)
        self.output = nnx.Linear(16 * ((self.side + 1) // 2) ** 2, outputs, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = x.reshape(-1, self.side, self.side, 1)
        x = nnx.relu(self.second(nnx.relu(self.first(x))))
        x = x.transpose(0, 3, 1, 2)  # PyTorch flattens channels first; the linear layer's inputs must stand in that order
        return self.output(x.reshape(x.shape[0], -1))


MODELS: dict[str, Callable[[int, int, nnx.Rngs], nnx.Module]] = {"mlp": MLP, "convnet": ConvNet}


def build(name: str, sizes: tuple[int, int] | None, rngs: nnx.Rngs) -> nnx.Module:
    """The built-in model of that name, for so many inputs and outputs."""
    if name not in MODELS:
        raise UnknownNameError(f"unknown model {name!r}{suggest(name, MODELS) or '.'} It is one of: {', '.join(MODELS)}")
    if sizes is None:
        raise InputError(f"the built-in model {name!r} needs its numbers of inputs and outputs: Task(models={name!r}, sizes=(64, 10))")
    return MODELS[name](*sizes, rngs)
