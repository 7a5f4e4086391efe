"""What a real run adds, in PyTorch: python examples/torch_cnn_advanced.py

A normalised convolutional network with no weight decay on biases and norms, a clipped gradient, gradient accumulation,
a warm-up joined to a cosine, and a moving average of the parameters that the model is evaluated with.
flax_cnn_advanced.py is its twin.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

import lossopt
from lossopt.optimizers import adamw
from lossopt.schedules import cosine, linear, sequential
from lossopt.tasks import get_task
from lossopt.transforms import chain, clip_by_global_norm, ema

PARTS = 2
"""A batch is taken in so many parts, one after the other: half the memory."""


class CNN(nn.Module):
    """Two normalised convolutions and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, 16, 3, padding=1), nn.GroupNorm(4, 16, eps=1e-6)
        self.conv2, self.norm2 = nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.GroupNorm(4, 32, eps=1e-6)
        self.output = nn.Linear(32 * 4 * 4, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm1(self.conv1(x)))
        x = torch.relu(self.norm2(self.conv2(x)))
        return self.output(x.flatten(1))


def main(steps: int = 100) -> float:
    """Train, and return the held-out accuracy of the averaged model."""
    torch.manual_seed(0)
    data = get_task("digits").data()
    x, y = torch.from_numpy(data.train[0]).float().reshape(-1, 1, 8, 8), torch.from_numpy(data.train[1])
    x_test, y_test = torch.from_numpy(data.test[0]).float().reshape(-1, 1, 8, 8), torch.from_numpy(data.test[1])

    model = CNN()
    loss_fn = lossopt.get_loss("focal_loss", backend="torch", gamma=1.0)

    spec = ema(chain(clip_by_global_norm(max_norm=1.0), adamw(lr=1e-2, weight_decay=0.1)), decay=0.95)
    no_decay = {"*.bias": {"weight_decay": 0.0}, "norm*": {"weight_decay": 0.0}}
    optimizer = lossopt.get_optimizer(spec, backend="torch", params=model.named_parameters(), groups=no_decay)

    warm_up = steps // 10
    schedule = sequential(schedules=(linear(start_factor=0.1, total_iters=warm_up), cosine(T_max=steps - warm_up)), milestones=(warm_up,))
    scheduler = lossopt.get_schedule(schedule, backend="torch", optimizer=optimizer)

    for step in range(steps):
        optimizer.zero_grad()
        for _ in range(PARTS):  # the gradients of the parts add up; each counts for its share
            batch = torch.randint(len(x), (64,))
            loss = loss_fn(model(x[batch]), y[batch]) / PARTS
            loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 20 == 0:
            print(f"step {step:3d}  loss {PARTS * loss.item():.4f}  lr {scheduler.get_last_lr()[0]:.1e}")

    model.eval()
    optimizer.eval()  # the parameters are the average now; optimizer.train() puts them back
    with torch.no_grad():
        accuracy = (model(x_test).argmax(1) == y_test).float().mean().item()
    optimizer.train()
    print(f"held-out accuracy {accuracy:.1%}")
    return accuracy


if __name__ == "__main__":
    main()
