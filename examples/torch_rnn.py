"""A GRU that reads handwritten digits row by row, in PyTorch: python examples/torch_rnn.py

RMSprop, and a gradient clipped before the optimizer sees it, as recurrent networks like it.  flax_rnn.py is its twin.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

import lossopt
from lossopt.optimizers import rmsprop
from lossopt.tasks import get_task
from lossopt.transforms import chain, clip_by_global_norm


class RNN(nn.Module):
    """What the last state says."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(8, 64, batch_first=True)
        self.output = nn.Linear(64, 10)

    def forward(self, rows: Tensor) -> Tensor:
        states, _ = self.gru(rows)
        return self.output(states[:, -1])


def main(steps: int = 300) -> float:
    """Train, and return the held-out accuracy."""
    torch.manual_seed(0)
    data = get_task("digits").data()
    x, y = torch.from_numpy(data.train[0]).float().reshape(-1, 8, 8), torch.from_numpy(data.train[1])
    x_test, y_test = torch.from_numpy(data.test[0]).float().reshape(-1, 8, 8), torch.from_numpy(data.test[1])

    model = RNN()
    loss_fn = lossopt.get_loss("cross_entropy", backend="torch")
    spec = chain(clip_by_global_norm(max_norm=1.0), rmsprop(lr=5e-3, alpha=0.9))
    optimizer = lossopt.get_optimizer(spec, backend="torch", params=model.named_parameters())
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
