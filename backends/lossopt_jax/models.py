"""The built-in models in Flax.  The same names, and the same mathematics, as in lossopt_torch.models."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx

from lossopt.errors import InputError, UnknownNameError, suggest


class MLP(nnx.Module):
    """One hidden layer of 128 rectified units: (N, inputs) to (N, outputs)."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.Linear(inputs, 128, rngs=rngs)
        self.output = nnx.Linear(128, outputs, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.output(nnx.relu(self.hidden(x)))


class CNN(nnx.Module):
    """Two convolutions and a linear layer, on square images given as rows of pixels: (N, inputs) to (N, outputs)."""

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


class RNN(nnx.Module):
    """A GRU over symbols that says something after each: (N, T) numbers below `inputs` to (N, T, outputs)."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs) -> None:
        self.symbols = nnx.Embed(inputs, 32, rngs=rngs)
        self.gru = GRU(32, 64, rngs=rngs)
        self.output = nnx.Linear(64, outputs, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.output(self.gru(self.symbols(x)))


class GRU(nnx.Module):
    """PyTorch's nn.GRU: the reset gate multiplies ``W h + b``, and that b is a parameter, which nnx.GRUCell lacks.

    (N, T, inputs) to (N, T, units).
    """

    def __init__(self, inputs: int, units: int, rngs: nnx.Rngs) -> None:
        self.units = units
        self.ih_l0 = nnx.Linear(inputs, 3 * units, rngs=rngs)
        self.hh_l0 = nnx.Linear(units, 3 * units, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        def step(h: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
            (xr, xz, xn), (hr, hz, hn) = jnp.split(x, 3, -1), jnp.split(self.hh_l0(h), 3, -1)
            reset, keep = nnx.sigmoid(xr + hr), nnx.sigmoid(xz + hz)
            h = (1 - keep) * jnp.tanh(xn + reset * hn) + keep * h
            return h, h

        x = self.ih_l0(x).swapaxes(0, 1)  # all times at once, then one after the other
        start = jnp.zeros((x.shape[1], self.units), x.dtype)
        return jax.lax.scan(step, start, x)[1].swapaxes(0, 1)


class Transformer(nnx.Module):
    """Two causal blocks, normalised before each part: (N, T) numbers below `inputs` to (N, T, outputs), T up to 128."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs) -> None:
        self.symbols = nnx.Embed(inputs, 64, rngs=rngs)
        self.positions = nnx.Embed(128, 64, rngs=rngs)
        self.blocks = nnx.List([Block(64, heads=4, rngs=rngs) for _ in range(2)])
        self.norm = nnx.LayerNorm(64, epsilon=1e-6, use_fast_variance=False, rngs=rngs)
        self.output = nnx.Linear(64, outputs, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.symbols(x) + self.positions.embedding[: x.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x))


class Block(nnx.Module):
    """Attention to what came before, then two layers with a GELU between them (its tanh approximation, Flax's default)."""

    def __init__(self, width: int, heads: int, rngs: nnx.Rngs) -> None:
        self.norm1 = nnx.LayerNorm(width, epsilon=1e-6, use_fast_variance=False, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(heads, width, use_bias=False, decode=False, rngs=rngs)  # a key's bias would change nothing
        self.norm2 = nnx.LayerNorm(width, epsilon=1e-6, use_fast_variance=False, rngs=rngs)
        self.up = nnx.Linear(width, 4 * width, rngs=rngs)
        self.down = nnx.Linear(4 * width, width, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        seen = nnx.make_causal_mask(x[..., 0])
        x = x + self.attention(self.norm1(x), mask=seen)
        return x + self.down(nnx.gelu(self.up(self.norm2(x)), approximate=True))


class UNet(nnx.Module):
    """A class for each pixel: (N, inputs, H, W) to (N, outputs, H, W), H and W multiples of 4."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs) -> None:
        self.top = nnx.Conv(inputs, 16, (3, 3), padding=1, rngs=rngs)
        self.middle = nnx.Conv(16, 32, (3, 3), strides=2, padding=1, rngs=rngs)
        self.bottom = nnx.Conv(32, 64, (3, 3), strides=2, padding=1, rngs=rngs)
        self.merge_middle = nnx.Conv(64 + 32, 32, (3, 3), padding=1, rngs=rngs)
        self.merge_top = nnx.Conv(32 + 16, 16, (3, 3), padding=1, rngs=rngs)
        self.output = nnx.Conv(16, outputs, (1, 1), rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = x.transpose(0, 2, 3, 1)  # Flax has channels last
        top = nnx.relu(self.top(x))
        middle = nnx.relu(self.middle(top))
        x = nnx.relu(self.bottom(middle))
        x = nnx.relu(self.merge_middle(jnp.concatenate([_doubled(x), middle], -1)))
        x = nnx.relu(self.merge_top(jnp.concatenate([_doubled(x), top], -1)))
        return self.output(x).transpose(0, 3, 1, 2)


def _doubled(x: jax.Array) -> jax.Array:
    return x.repeat(2, axis=1).repeat(2, axis=2)


class Embedding(nnx.Module):
    """Points on a sphere: (..., inputs) to (..., outputs) of length 1."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.Linear(inputs, 128, rngs=rngs)
        self.output = nnx.Linear(128, outputs, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.output(nnx.relu(self.hidden(x)))
        return x / jnp.sqrt((x * x).sum(-1, keepdims=True) + 1e-12)


MODELS: dict[str, Callable[[int, int, nnx.Rngs], nnx.Module]] = {
    "mlp": MLP,
    "cnn": CNN,
    "rnn": RNN,
    "transformer": Transformer,
    "unet": UNet,
    "embedding": Embedding,
}


def build(name: str, sizes: tuple[int, int] | None, rngs: nnx.Rngs) -> nnx.Module:
    """The built-in model of that name, for so many inputs and outputs."""
    if name not in MODELS:
        raise UnknownNameError(f"unknown model {name!r}{suggest(name, MODELS) or '.'} It is one of: {', '.join(MODELS)}")
    if sizes is None:
        raise InputError(f"the built-in model {name!r} needs its numbers of inputs and outputs: Task(models={name!r}, sizes=(64, 10))")
    return MODELS[name](*sizes, rngs)
