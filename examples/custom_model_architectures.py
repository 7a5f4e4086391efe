"""Three small PyTorch models to try schemes and recipes on; custom_model_architectures_flax.py has the same in Flax.

    from custom_model_architectures import CustomTransformerModel

    transformer = CustomTransformerModel(vocab_size=1000, d_model=128)

Each gives logits, one row for each sample: what a classification scheme takes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

import lossopt


class CustomTransformerModel(nn.Module):
    """Which token comes after a sequence?  Integers (N, T) to logits (N, vocab_size).

    Args:
        vocab_size: how many tokens there are.
        d_model: the width; a multiple of `heads`.
        heads, layers: attention heads, and blocks.
        max_length: the longest sequence.
    """

    def __init__(self, vocab_size: int = 1000, d_model: int = 128, heads: int = 4, layers: int = 2, max_length: int = 128) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, d_model)
        self.positions = nn.Embedding(max_length, d_model)
        self.blocks = nn.ModuleList(Block(d_model, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(d_model, eps=1e-6)
        self.output = nn.Linear(d_model, vocab_size)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x[:, -1]))


class Block(nn.Module):
    """Attention to what came before, then two linear layers."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
        y = self.norm1(x)
        x = x + self.attention(y, y, y, attn_mask=later, need_weights=False)[0]
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x)), approximate="tanh"))


class CustomCNNModel(nn.Module):
    """What is in a picture?  Images (N, input_channels, H, W) of any size to logits (N, num_classes)."""

    def __init__(self, input_channels: int = 3, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(input_channels, 32, 3, padding=1), nn.GroupNorm(8, 32, eps=1e-6)
        self.conv2, self.norm2 = nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.GroupNorm(8, 64, eps=1e-6)
        self.output = nn.Linear(64, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        x = torch.relu(self.norm1(self.conv1(images)))
        x = torch.relu(self.norm2(self.conv2(x)))
        return self.output(x.mean((2, 3)))


class CustomRNNModel(nn.Module):
    """What kind of sequence is it?  Features (N, T, input_size) to logits (N, num_classes)."""

    def __init__(self, input_size: int = 100, hidden_size: int = 128, num_classes: int = 5) -> None:
        super().__init__()
        self.rnn = nn.GRU(input_size, hidden_size, batch_first=True)
        self.output = nn.Linear(hidden_size, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        states, _ = self.rnn(features)
        return self.output(states[:, -1])


def main(steps: int = 20) -> dict[str, list[float]]:
    """Let each model learn one small batch; its losses."""
    torch.manual_seed(0)
    cases = {
        "transformer": (CustomTransformerModel(vocab_size=1000, d_model=128), torch.randint(1000, (16, 32)), torch.randint(1000, (16,))),
        "cnn": (CustomCNNModel(input_channels=3, num_classes=10), torch.randn(16, 3, 16, 16), torch.randint(10, (16,))),
        "rnn": (CustomRNNModel(input_size=100, hidden_size=128, num_classes=5), torch.randn(16, 12, 100), torch.randint(5, (16,))),
    }
    loss_fn = lossopt.get_loss("cross_entropy", backend="torch")
    losses: dict[str, list[float]] = {name: [] for name in cases}
    for name, (model, inputs, targets) in cases.items():
        optimizer = lossopt.get_optimizer("adamw", backend="torch", params=model.named_parameters(), lr=3e-3)
        for _ in range(steps):
            optimizer.zero_grad()
            loss = loss_fn(model(inputs), targets)
            loss.backward()
            optimizer.step()
            losses[name].append(loss.item())
        print(f"{name:11}  loss {losses[name][0]:.3f} at first, {losses[name][-1]:.3f} after {steps} steps")
    return losses


if __name__ == "__main__":
    main()
