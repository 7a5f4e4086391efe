"""A small language model of Python's own help texts, in Flax: python examples/flax_transformer.py

Lion, and a cross-entropy with the classes on the last axis.  torch_transformer.py is its twin.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import lossopt
from lossopt.tasks import get_task
from lossopt.tasks.characters import VOCABULARY

WIDTH, HEADS, LENGTH = 64, 4, 32


class Block(nnx.Module):
    """Attention to what came before, then two linear layers."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.norm1, self.norm2 = nnx.LayerNorm(WIDTH, rngs=rngs), nnx.LayerNorm(WIDTH, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(HEADS, WIDTH, decode=False, rngs=rngs)
        self.up, self.down = nnx.Linear(WIDTH, 4 * WIDTH, rngs=rngs), nnx.Linear(4 * WIDTH, WIDTH, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = x + self.attention(self.norm1(x), mask=nnx.make_causal_mask(x[..., 0]))
        return x + self.down(nnx.gelu(self.up(self.norm2(x))))


class Transformer(nnx.Module):
    """The next character after each."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.characters, self.positions = nnx.Embed(len(VOCABULARY), WIDTH, rngs=rngs), nnx.Embed(LENGTH, WIDTH, rngs=rngs)
        self.blocks = nnx.Sequential(Block(rngs), Block(rngs))
        self.norm = nnx.LayerNorm(WIDTH, rngs=rngs)
        self.output = nnx.Linear(WIDTH, len(VOCABULARY), rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.output(self.norm(self.blocks(self.characters(x) + self.positions.embedding[...])))


def main(steps: int = 300) -> float:
    """Train, and return the held-out bits per character."""
    data = get_task("characters").data()  # stretches of 32 characters, and the characters after each of them
    (x, y), (x_test, y_test) = data.train, data.test
    random = np.random.default_rng(0)

    model = Transformer(nnx.Rngs(0))
    loss_fn = lossopt.get_loss("cross_entropy", backend="jax", axis=-1)
    schedule = lossopt.get_schedule("cosine", backend="jax", lr=1e-3, T_max=steps)
    tx = lossopt.get_optimizer("lion", backend="jax", lr=schedule, weight_decay=0.1)
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)

    @nnx.jit
    def train_step(model: nnx.Module, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array) -> jax.Array:
        loss, grads = nnx.value_and_grad(lambda model: loss_fn(model(x), y))(model)
        optimizer.update(model, grads)
        return loss

    for step in range(steps):
        batch = random.integers(len(x), size=32)
        loss = train_step(model, optimizer, jnp.asarray(x[batch]), jnp.asarray(y[batch]))
        if step % 50 == 0:
            print(f"step {step:3d}  loss {loss:.4f}  lr {schedule(step + 1):.1e}")

    bits = float(loss_fn(model(jnp.asarray(x_test)), jnp.asarray(y_test)) / np.log(2))
    print(f"held-out bits per character {bits:.2f}")
    return bits


if __name__ == "__main__":
    main()
