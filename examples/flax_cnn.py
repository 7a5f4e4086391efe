"""A convolutional network on handwritten digits, in Flax: python examples/flax_cnn.py

A linen module and its TrainState; SGD with momentum under a one-cycle schedule, which moves the momentum too.
torch_cnn.py is its twin.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax.training.train_state import TrainState

import lossopt
from lossopt.tasks import get_task


class CNN(nn.Module):
    """Two convolutions and a linear layer."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(16, (3, 3), padding=1)(x))
        x = nn.relu(nn.Conv(32, (3, 3), strides=2, padding=1)(x))
        return nn.Dense(10)(x.reshape(len(x), -1))


def main(steps: int = 200) -> float:
    """Train, and return the held-out accuracy."""
    data = get_task("digits").data()
    x, y = data.train[0].reshape(-1, 8, 8, 1).astype(np.float32), data.train[1]
    x_test, y_test = data.test[0].reshape(-1, 8, 8, 1).astype(np.float32), data.test[1]
    random = np.random.default_rng(0)

    loss_fn = lossopt.get_loss("cross_entropy", backend="jax")
    schedule = lossopt.get_schedule("one_cycle", backend="jax", max_lr=0.3, total_steps=steps)
    tx = lossopt.get_optimizer("sgd", backend="jax", lr=schedule, momentum=schedule.momentum, nesterov=True)
    model = CNN()
    state = TrainState.create(apply_fn=model.apply, params=model.init(jax.random.key(0), x[:1])["params"], tx=tx)

    @jax.jit
    def train_step(state: TrainState, x: jax.Array, y: jax.Array) -> tuple[TrainState, jax.Array]:
        loss, grads = jax.value_and_grad(lambda params: loss_fn(state.apply_fn({"params": params}, x), y))(state.params)
        return state.apply_gradients(grads=grads), loss

    for step in range(steps):
        batch = random.integers(len(x), size=64)
        state, loss = train_step(state, jnp.asarray(x[batch]), jnp.asarray(y[batch]))
        if step % 50 == 0:
            print(f"step {step:3d}  loss {loss:.4f}  lr {schedule(step + 1):.1e}")

    accuracy = float((state.apply_fn({"params": state.params}, x_test).argmax(1) == y_test).mean())
    print(f"held-out accuracy {accuracy:.1%}")
    return accuracy


if __name__ == "__main__":
    main()
