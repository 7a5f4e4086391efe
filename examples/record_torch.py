"""A run recorded, in PyTorch: python examples/record_torch.py runs/torch

One line in a plain loop.  record_flax.py is its twin: the same weights, batches and numbers, but optax's default weight decay is
not torch's.  `lossopt diff runs/torch runs/flax` finds that out.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import nn

import lossopt
from lossopt.tasks import get_task


def main(folder: str, steps: int = 60) -> None:
    """Train, and print what the folder then holds."""
    (x, y), random = get_task("digits").data().train, np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    with torch.no_grad():
        for layer in (model[0], model[2]):
            layer.weight.copy_(torch.from_numpy(random.normal(size=layer.weight.shape) / 8))
            layer.bias.zero_()

    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    run = lossopt.record(folder, model, optimizer, loss_fn=criterion, every=50)

    for _ in range(steps):
        batch = random.integers(len(x), size=64)
        optimizer.zero_grad()
        loss = criterion(model(torch.from_numpy(x[batch]).float()), torch.from_numpy(y[batch]))
        loss.backward()
        optimizer.step()

    run.close()
    found = lossopt.read_recording(folder)
    print(found)
    last = found.steps[-1]
    print(f"step {last.step}: loss {last.loss:.4f}, gradient of 0.weight {last.grad_norms['0.weight']:.4f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "runs/torch")
