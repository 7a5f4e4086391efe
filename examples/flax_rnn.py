"""A GRU that reads handwritten digits row by row, in Flax: python examples/flax_rnn.py

RMSprop, and a gradient clipped before the optimizer sees it, as recurrent networks like it.  torch_rnn.py is its twin.

The two train alike and are not the same model: nnx.GRUCell lacks one of the biases of PyTorch's GRU.  For the same
numbers take `lossopt_jax.models.GRU`, which has it.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import lossopt
from lossopt.optimizers import rmsprop
from lossopt.schedules import cosine
from lossopt.tasks import get_task
from lossopt.transforms import chain, clip_by_global_norm


class RNN(nnx.Module):
    """What the last state says."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.gru = nnx.RNN(nnx.GRUCell(8, 64, rngs=rngs))
        self.output = nnx.Linear(64, 10, rngs=rngs)

    def __call__(self, rows: jax.Array) -> jax.Array:
        return self.output(self.gru(rows)[:, -1])


def main(steps: int = 300) -> float:
    """Train, and return the held-out accuracy."""
    data = get_task("digits").data()
    x, y = data.train[0].reshape(-1, 8, 8).astype(np.float32), data.train[1]
    x_test, y_test = data.test[0].reshape(-1, 8, 8).astype(np.float32), data.test[1]
    random = np.random.default_rng(0)

    model = RNN(nnx.Rngs(0))
    loss_fn = lossopt.get_loss("cross_entropy", backend="jax")
    schedule = cosine(lr=5e-3, T_max=steps)
    tx = lossopt.get_optimizer(chain(clip_by_global_norm(max_norm=1.0), rmsprop(lr=schedule, alpha=0.9)), backend="jax")
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)

    @nnx.jit
    def train_step(model: nnx.Module, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array) -> jax.Array:
        loss, grads = nnx.value_and_grad(lambda model: loss_fn(model(x), y))(model)
        optimizer.update(model, grads)
        return loss

    for step in range(steps):
        batch = random.integers(len(x), size=64)
        loss = train_step(model, optimizer, jnp.asarray(x[batch]), jnp.asarray(y[batch]))
        if step % 50 == 0:
            print(f"step {step:3d}  loss {loss:.4f}  lr {schedule(step + 1):.1e}")

    accuracy = float((model(jnp.asarray(x_test)).argmax(1) == y_test).mean())
    print(f"held-out accuracy {accuracy:.1%}")
    return accuracy


if __name__ == "__main__":
    main()
