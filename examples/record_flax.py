"""A run recorded, in Flax: python examples/record_flax.py runs/flax

Three lines in a plain loop: the run, the loss given to the update, and the batch.  record_torch.py is its twin: the same weights,
batches and numbers, but optax's default weight decay is not torch's.  `lossopt diff runs/torch runs/flax` finds that out.
"""

from __future__ import annotations

import sys

import jax
import numpy as np
import optax
from flax import nnx

import lossopt
from lossopt.tasks import get_task


def main(folder: str, steps: int = 60) -> None:
    """Train, and print what the folder then holds."""
    (x, y), random = get_task("digits").data().train, np.random.default_rng(0)
    model = nnx.Sequential(nnx.Linear(64, 32, rngs=nnx.Rngs(0)), nnx.relu, nnx.Linear(32, 10, rngs=nnx.Rngs(0)))
    for layer in (model.layers[0], model.layers[2]):
        inputs, outputs = layer.kernel.shape
        layer.kernel[...] = random.normal(size=(outputs, inputs)).T / 8  # drawn as torch's weight lies

    optimizer = nnx.Optimizer(model, optax.adamw(1e-2), wrt=nnx.Param)
    run = lossopt.record(folder, optimizer, lr=1e-2, every=50)

    @nnx.jit
    def train_step(model: nnx.Module, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array) -> None:
        loss, grads = nnx.value_and_grad(lambda m: optax.softmax_cross_entropy_with_integer_labels(m(x), y).mean())(model)
        optimizer.update(model, grads, value=loss)

    for _ in range(steps):
        batch = random.integers(len(x), size=64)
        inputs, labels = x[batch].astype(np.float32), y[batch]
        run.batch(inputs, labels)
        train_step(model, optimizer, inputs, labels)

    run.close()
    found = lossopt.read_recording(folder)
    print(found)
    last = found.steps[-1]
    print(f"step {last.step}: loss {last.loss:.4f}, gradient of layers.0.kernel {last.grad_norms['layers.0.kernel']:.4f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "runs/flax")
