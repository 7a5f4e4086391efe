"""What a real run adds, in Flax with linen and its TrainState: python examples/flax_cnn_advanced.py

A normalised convolutional network with no weight decay on biases and norms, a clipped gradient, gradient accumulation,
a warm-up joined to a cosine, and a moving average of the parameters that the model is evaluated with.
torch_cnn_advanced.py is its twin.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training.train_state import TrainState

import lossopt
from lossopt.optimizers import adamw
from lossopt.schedules import cosine, linear, sequential
from lossopt.tasks import get_task
from lossopt.transforms import chain, clip_by_global_norm, ema

PARTS = 2
"""A batch is taken in so many parts, one after the other: half the memory."""


class CNN(nn.Module):
    """Two normalised convolutions and a linear layer."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.GroupNorm(4, name="norm1")(nn.Conv(16, (3, 3), padding=1, name="conv1")(x)))
        x = nn.relu(nn.GroupNorm(4, name="norm2")(nn.Conv(32, (3, 3), strides=2, padding=1, name="conv2")(x)))
        return nn.Dense(10, name="output")(x.reshape(len(x), -1))


def main(steps: int = 100) -> float:
    """Train, and return the held-out accuracy of the averaged model."""
    data = get_task("digits").data()
    x, y = data.train[0].reshape(-1, 8, 8, 1).astype(np.float32), data.train[1]
    x_test, y_test = data.test[0].reshape(-1, 8, 8, 1).astype(np.float32), data.test[1]
    random = np.random.default_rng(0)

    loss_fn = lossopt.get_loss("focal_loss", backend="jax", gamma=1.0)

    warm_up = steps // 10
    schedule = sequential(lr=1e-2, schedules=(linear(start_factor=0.1, total_iters=warm_up), cosine(T_max=steps - warm_up)),
                          milestones=(warm_up,))  # fmt: skip
    spec = ema(chain(clip_by_global_norm(max_norm=1.0), adamw(lr=schedule, weight_decay=0.1)), decay=0.95)
    no_decay = {"*.bias": {"weight_decay": 0.0}, "norm*": {"weight_decay": 0.0}}
    tx = lossopt.get_optimizer(spec, backend="jax", groups=no_decay)
    gathering = optax.MultiSteps(tx, PARTS).gradient_transformation()

    model = CNN()
    state = TrainState.create(apply_fn=model.apply, params=model.init(jax.random.key(0), x[:1])["params"], tx=gathering)

    @jax.jit
    def train_step(state: TrainState, x: jax.Array, y: jax.Array) -> tuple[TrainState, jax.Array]:
        loss, grads = jax.value_and_grad(lambda params: loss_fn(state.apply_fn({"params": params}, x), y))(state.params)
        return state.apply_gradients(grads=grads), loss  # gathers the gradient; every PARTS calls the parameters move

    for step in range(steps):
        for _ in range(PARTS):
            batch = random.integers(len(x), size=64)
            state, loss = train_step(state, jnp.asarray(x[batch]), jnp.asarray(y[batch]))
        if step % 20 == 0:
            print(f"step {step:3d}  loss {loss:.4f}  lr {schedule(step + 1):.1e}")

    averaged = tx.eval_params(state.opt_state.inner_opt_state, state.params)
    accuracy = float((model.apply({"params": averaged}, x_test).argmax(1) == y_test).mean())
    print(f"held-out accuracy {accuracy:.1%}")
    return accuracy


if __name__ == "__main__":
    main()
