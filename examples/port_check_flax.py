"""A model and its port, checked stage by stage: this is the port, in Flax.

    lossopt port-check --torch examples/port_check_torch.py:make --jax examples/port_check_flax.py:make --copy-weights torch

The eps of the normalisation was thought of (Flax has 1e-6, PyTorch 1e-5).  One default was not.
"""

from __future__ import annotations

from collections.abc import Iterator

import jax
import numpy as np
import optax
from flax import nnx

from lossopt.tasks import get_task


def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The same digits in the same order."""
    (x, y), random = get_task("digits").data().train, np.random.default_rng(0)
    while True:
        chosen = random.integers(len(x), size=64)
        yield x[chosen], y[chosen]


def loss(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """optax gives a value for each sample."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def make() -> dict[str, object]:
    """What `lossopt port-check` asks for."""
    rngs = nnx.Rngs(0)
    hidden, norm = nnx.Linear(64, 32, rngs=rngs), nnx.LayerNorm(32, epsilon=1e-5, rngs=rngs)
    model = nnx.Sequential(hidden, norm, nnx.relu, nnx.Linear(32, 10, rngs=rngs))
    return {"model": model, "loss": loss, "optimizer": optax.adamw(1e-2), "lr": 1e-2, "batches": batches()}


if __name__ == "__main__":
    import port_check_torch

    import lossopt

    print(lossopt.port_check(port_check_torch.make, make, copy_weights="torch"))
