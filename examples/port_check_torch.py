"""A model and its port, checked stage by stage: this is the original, in PyTorch.

    lossopt port-check --torch examples/port_check_torch.py:make --jax examples/port_check_flax.py:make --copy-weights torch

port_check_flax.py is the port, and differs in exactly one thing that nobody wrote down.  The check finds out what.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from lossopt.tasks import get_task


def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Handwritten digits, in an order that is drawn outside both frameworks."""
    (x, y), random = get_task("digits").data().train, np.random.default_rng(0)
    while True:
        chosen = random.integers(len(x), size=64)
        yield x[chosen], y[chosen]


def make() -> dict[str, object]:
    """What `lossopt port-check` asks for: nothing of the training loop but what it is made of."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    return {"model": model, "loss": nn.CrossEntropyLoss(), "optimizer": optimizer, "batches": batches()}


if __name__ == "__main__":
    import port_check_flax

    import lossopt

    print(lossopt.port_check(make, port_check_flax.make, copy_weights="torch"))
