"""A small language model of Python's own help texts, in PyTorch: python examples/torch_transformer.py

Lion, and a cross-entropy with the classes on the last axis.  flax_transformer.py is its twin.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

import lossopt
from lossopt.tasks import get_task
from lossopt.tasks.characters import VOCABULARY

WIDTH, HEADS, LENGTH = 64, 4, 32


class Block(nn.Module):
    """Attention to what came before, then two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6), nn.LayerNorm(WIDTH, eps=1e-6)
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        y = self.norm1(x)
        x = x + self.attention(y, y, y, attn_mask=later, need_weights=False)[0]
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Transformer(nn.Module):
    """The next character after each."""

    def __init__(self) -> None:
        super().__init__()
        self.characters, self.positions = nn.Embedding(len(VOCABULARY), WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.blocks = nn.Sequential(Block(), Block())
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        self.output = nn.Linear(WIDTH, len(VOCABULARY))

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.norm(self.blocks(self.characters(x) + self.positions.weight)))


def main(steps: int = 300) -> float:
    """Train, and return the held-out bits per character."""
    torch.manual_seed(0)
    data = get_task("characters").data()  # stretches of 32 characters, and the characters after each of them
    x, y = map(torch.from_numpy, data.train)
    x_test, y_test = map(torch.from_numpy, data.test)

    model = Transformer()
    loss_fn = lossopt.get_loss("cross_entropy", backend="torch", axis=-1)
    optimizer = lossopt.get_optimizer("lion", backend="torch", params=model.named_parameters(), lr=1e-3, weight_decay=0.1)
    scheduler = lossopt.get_schedule("cosine", backend="torch", optimizer=optimizer, T_max=steps)

    for step in range(steps):
        batch = torch.randint(len(x), (32,))
        optimizer.zero_grad()
        loss = loss_fn(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 50 == 0:
            print(f"step {step:3d}  loss {loss.item():.4f}  lr {scheduler.get_last_lr()[0]:.1e}")

    with torch.no_grad():
        bits = loss_fn(model(x_test), y_test).item() / math.log(2)
    print(f"held-out bits per character {bits:.2f}")
    return bits


if __name__ == "__main__":
    main()
