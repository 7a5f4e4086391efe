"""An MLP on handwritten digits, in PyTorch: python examples/torch_mlp.py

The plain loop: a loss, an optimizer and a learning-rate schedule.  flax_mlp.py is its twin.
"""

from __future__ import annotations

import torch
from torch import nn

import lossopt
from lossopt.tasks import get_task


def main(steps: int = 200) -> float:
    """Train, and return the held-out accuracy."""
    torch.manual_seed(0)
    data = get_task("digits").data()  # 1,437 images of 64 numbers and their labels; 360 held out
    x, y = torch.from_numpy(data.train[0]).float(), torch.from_numpy(data.train[1])
    x_test, y_test = torch.from_numpy(data.test[0]).float(), torch.from_numpy(data.test[1])

    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    loss_fn = lossopt.get_loss("cross_entropy", backend="torch", label_smoothing=0.1)
    optimizer = lossopt.get_optimizer("adamw", backend="torch", params=model.named_parameters(), lr=1e-2, weight_decay=0.05)
    scheduler = lossopt.get_schedule("cosine", backend="torch", optimizer=optimizer, T_max=steps)

    for step in range(steps):
        batch = torch.randint(len(x), (64,))
        optimizer.zero_grad()
        loss = loss_fn(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 50 == 0:
            print(f"step {step:3d}  loss {loss.item():.4f}  lr {scheduler.get_last_lr()[0]:.1e}")

    with torch.no_grad():
        accuracy = (model(x_test).argmax(1) == y_test).float().mean().item()
    print(f"held-out accuracy {accuracy:.1%}")
    return accuracy


if __name__ == "__main__":
    main()
