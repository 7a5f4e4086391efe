"""An MLP on handwritten digits, in Flax: python examples/flax_mlp.py

The plain loop with nnx.Optimizer: a loss, and an optimizer whose learning rate is a schedule.  torch_mlp.py is its twin.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import lossopt
from lossopt.tasks import get_task


def main(steps: int = 200) -> float:
    """Train, and return the held-out accuracy."""
    data = get_task("digits").data()  # 1,437 images of 64 numbers and their labels; 360 held out
    (x, y), (x_test, y_test) = data.train, data.test
    random = np.random.default_rng(0)

    rngs = nnx.Rngs(0)
    model = nnx.Sequential(nnx.Linear(64, 128, rngs=rngs), nnx.relu, nnx.Linear(128, 10, rngs=rngs))
    loss_fn = lossopt.get_loss("cross_entropy", backend="jax", label_smoothing=0.1)
    schedule = lossopt.get_schedule("cosine", backend="jax", lr=1e-2, T_max=steps)
    tx = lossopt.get_optimizer("adamw", backend="jax", lr=schedule, weight_decay=0.05)
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)

    @nnx.jit
    def train_step(model: nnx.Module, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array) -> jax.Array:
        loss, grads = nnx.value_and_grad(lambda model: loss_fn(model(x), y))(model)
        optimizer.update(model, grads)
        return loss

    for step in range(steps):
        batch = random.integers(len(x), size=64)
        loss = train_step(model, optimizer, jnp.asarray(x[batch], jnp.float32), jnp.asarray(y[batch]))
        if step % 50 == 0:
            print(f"step {step:3d}  loss {loss:.4f}  lr {schedule(step + 1):.1e}")

    accuracy = float((model(jnp.asarray(x_test, jnp.float32)).argmax(1) == y_test).mean())
    print(f"held-out accuracy {accuracy:.1%}")
    return accuracy


if __name__ == "__main__":
    main()
