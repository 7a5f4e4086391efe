"""A convolutional network on handwritten digits, in PyTorch: python examples/torch_cnn.py

SGD with momentum under a one-cycle schedule, which moves the momentum too.  flax_cnn.py is its twin.
"""

from __future__ import annotations

import torch
from torch import nn

import lossopt
from lossopt.tasks import get_task


def main(steps: int = 200) -> float:
    """Train, and return the held-out accuracy."""
    torch.manual_seed(0)
    data = get_task("digits").data()
    x, y = torch.from_numpy(data.train[0]).float().reshape(-1, 1, 8, 8), torch.from_numpy(data.train[1])
    x_test, y_test = torch.from_numpy(data.test[0]).float().reshape(-1, 1, 8, 8), torch.from_numpy(data.test[1])

    model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
                          nn.Flatten(), nn.Linear(32 * 4 * 4, 10))  # fmt: skip
    loss_fn = lossopt.get_loss("cross_entropy", backend="torch")
    optimizer = lossopt.get_optimizer("sgd", backend="torch", params=model.named_parameters(), lr=0.3, momentum=0.9, nesterov=True)
    scheduler = lossopt.get_schedule("one_cycle", backend="torch", optimizer=optimizer, max_lr=0.3, total_steps=steps)

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
