"""Three small Flax models to try schemes and recipes on, the same as in custom_model_architectures.py.

    from custom_model_architectures_flax import CustomTransformerModel

    transformer = CustomTransformerModel(vocab_size=1000, d_model=128, rngs=nnx.Rngs(0))

Each gives logits, one row for each sample: what a classification scheme takes.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import lossopt


class CustomTransformerModel(nnx.Module):
    """Which token comes after a sequence?  Integers (N, T) to logits (N, vocab_size).

    Args:
        vocab_size: how many tokens there are.
        d_model: the width; a multiple of `heads`.
        heads, layers: attention heads, and blocks.
        max_length: the longest sequence.
        rngs: initial weights come from here.
    """

    def __init__(self, vocab_size: int = 1000, d_model: int = 128, heads: int = 4, layers: int = 2, max_length: int = 128, *,
                 rngs: nnx.Rngs) -> None:  # fmt: skip
        self.tokens = nnx.Embed(vocab_size, d_model, rngs=rngs)
        self.positions = nnx.Embed(max_length, d_model, rngs=rngs)
        self.blocks = nnx.List([Block(d_model, heads, rngs=rngs) for _ in range(layers)])
        self.norm = nnx.LayerNorm(d_model, epsilon=1e-6, use_fast_variance=False, rngs=rngs)
        self.output = nnx.Linear(d_model, vocab_size, rngs=rngs)

    def __call__(self, tokens: jax.Array) -> jax.Array:
        x = self.tokens(tokens) + self.positions.embedding[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x[:, -1]))


class Block(nnx.Module):
    """Attention to what came before, then two linear layers."""

    def __init__(self, width: int, heads: int, *, rngs: nnx.Rngs) -> None:
        self.norm1 = nnx.LayerNorm(width, epsilon=1e-6, use_fast_variance=False, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(heads, width, decode=False, rngs=rngs)
        self.norm2 = nnx.LayerNorm(width, epsilon=1e-6, use_fast_variance=False, rngs=rngs)
        self.up = nnx.Linear(width, 4 * width, rngs=rngs)
        self.down = nnx.Linear(4 * width, width, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = x + self.attention(self.norm1(x), mask=nnx.make_causal_mask(x[..., 0]))
        return x + self.down(nnx.gelu(self.up(self.norm2(x)), approximate=True))


class CustomCNNModel(nnx.Module):
    """What is in a picture?  Images (N, H, W, input_channels) of any size to logits (N, num_classes)."""

    def __init__(self, input_channels: int = 3, num_classes: int = 10, *, rngs: nnx.Rngs) -> None:
        self.conv1 = nnx.Conv(input_channels, 32, (3, 3), padding=1, rngs=rngs)
        self.norm1 = nnx.GroupNorm(32, num_groups=8, epsilon=1e-6, use_fast_variance=False, rngs=rngs)
        self.conv2 = nnx.Conv(32, 64, (3, 3), strides=2, padding=1, rngs=rngs)
        self.norm2 = nnx.GroupNorm(64, num_groups=8, epsilon=1e-6, use_fast_variance=False, rngs=rngs)
        self.output = nnx.Linear(64, num_classes, rngs=rngs)

    def __call__(self, images: jax.Array) -> jax.Array:
        x = nnx.relu(self.norm1(self.conv1(images)))
        x = nnx.relu(self.norm2(self.conv2(x)))
        return self.output(x.mean((1, 2)))


class CustomRNNModel(nnx.Module):
    """What kind of sequence is it?  Features (N, T, input_size) to logits (N, num_classes)."""

    def __init__(self, input_size: int = 100, hidden_size: int = 128, num_classes: int = 5, *, rngs: nnx.Rngs) -> None:
        self.rnn = GRU(input_size, hidden_size, rngs=rngs)
        self.output = nnx.Linear(hidden_size, num_classes, rngs=rngs)

    def __call__(self, features: jax.Array) -> jax.Array:
        return self.output(self.rnn(features)[:, -1])


class GRU(nnx.Module):
    """PyTorch's nn.GRU, with both of its biases; nnx.GRUCell has one.  Features (N, T, inputs) to states (N, T, units)."""

    def __init__(self, inputs: int, units: int, *, rngs: nnx.Rngs) -> None:
        self.units = units
        self.ih_l0 = nnx.Linear(inputs, 3 * units, rngs=rngs)
        self.hh_l0 = nnx.Linear(units, 3 * units, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        def step(h: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
            (xr, xz, xn), (hr, hz, hn) = jnp.split(x, 3, -1), jnp.split(self.hh_l0(h), 3, -1)
            reset, keep = nnx.sigmoid(xr + hr), nnx.sigmoid(xz + hz)
            h = (1 - keep) * jnp.tanh(xn + reset * hn) + keep * h
            return h, h

        x = self.ih_l0(x).swapaxes(0, 1)
        return jax.lax.scan(step, jnp.zeros((x.shape[1], self.units), x.dtype), x)[1].swapaxes(0, 1)


def main(steps: int = 20) -> dict[str, list[float]]:
    """Let each model learn one small batch; its losses."""
    random, rngs = np.random.default_rng(0), nnx.Rngs(0)
    models = {
        "transformer": CustomTransformerModel(vocab_size=1000, d_model=128, rngs=rngs),
        "cnn": CustomCNNModel(input_channels=3, num_classes=10, rngs=rngs),
        "rnn": CustomRNNModel(input_size=100, hidden_size=128, num_classes=5, rngs=rngs),
    }
    batches = {
        "transformer": (random.integers(1000, size=(16, 32)), random.integers(1000, size=16)),
        "cnn": (random.standard_normal((16, 16, 16, 3), np.float32), random.integers(10, size=16)),
        "rnn": (random.standard_normal((16, 12, 100), np.float32), random.integers(5, size=16)),
    }
    loss_fn = lossopt.get_loss("cross_entropy", backend="jax")

    @nnx.jit
    def train_step(model: nnx.Module, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array) -> jax.Array:
        loss, grads = nnx.value_and_grad(lambda model: loss_fn(model(x), y))(model)
        optimizer.update(model, grads)
        return loss

    losses: dict[str, list[float]] = {}
    for name, model in models.items():
        optimizer = nnx.Optimizer(model, lossopt.get_optimizer("adamw", backend="jax", lr=3e-3), wrt=nnx.Param)
        x, y = map(jnp.asarray, batches[name])
        losses[name] = [float(train_step(model, optimizer, x, y)) for _ in range(steps)]
        print(f"{name:11}  loss {losses[name][0]:.3f} at first, {losses[name][-1]:.3f} after {steps} steps")
    return losses


if __name__ == "__main__":
    main()
