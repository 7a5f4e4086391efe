"""The built-in models in PyTorch.  The same names, and the same mathematics, as in lossopt_jax.models."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from lossopt.errors import InputError, UnknownNameError, suggest


class MLP(nn.Module):
    """One hidden layer of 128 rectified units: (N, inputs) to (N, outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, 128)
        self.output = nn.Linear(128, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(torch.relu(self.hidden(x)))


class CNN(nn.Module):
    """Two convolutions and a linear layer, on square images given as rows of pixels: (N, inputs) to (N, outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.side = round(inputs**0.5)
        self.first = nn.Conv2d(1, 8, 3, padding=1)
        self.second = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.output = nn.Linear(16 * ((self.side + 1) // 2) ** 2, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = x.reshape(-1, 1, self.side, self.side)
        x = torch.relu(self.second(torch.relu(self.first(x))))
        return self.output(x.flatten(1))


class RNN(nn.Module):
    """A GRU over symbols that says something after each: (N, T) numbers below `inputs` to (N, T, outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.symbols = nn.Embedding(inputs, 32)
        self.gru = nn.GRU(32, 64, batch_first=True)
        self.output = nn.Linear(64, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.gru(self.symbols(x))[0])


class Transformer(nn.Module):
    """Two causal blocks, normalised before each part: (N, T) numbers below `inputs` to (N, T, outputs), T up to 128."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.symbols = nn.Embedding(inputs, 64)
        self.positions = nn.Embedding(128, 64)
        self.blocks = nn.ModuleList(Block(64, heads=4) for _ in range(2))
        self.norm = nn.LayerNorm(64, eps=1e-6)
        self.output = nn.Linear(64, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.symbols(x) + self.positions.weight[: x.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x))


class Block(nn.Module):
    """Attention to what came before, then two layers with a GELU between them (its tanh approximation, Flax's default)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attention = nn.MultiheadAttention(width, heads, bias=False, batch_first=True)  # a key's bias would change nothing
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
        y = self.norm1(x)
        x = x + self.attention(y, y, y, attn_mask=later, need_weights=False)[0]
        return x + self.down(functional.gelu(self.up(self.norm2(x)), approximate="tanh"))


class UNet(nn.Module):
    """A class for each pixel: (N, inputs, H, W) to (N, outputs, H, W), H and W multiples of 4."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.top = nn.Conv2d(inputs, 16, 3, padding=1)
        self.middle = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.bottom = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.merge_middle = nn.Conv2d(64 + 32, 32, 3, padding=1)
        self.merge_top = nn.Conv2d(32 + 16, 16, 3, padding=1)
        self.output = nn.Conv2d(16, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        top = torch.relu(self.top(x))
        middle = torch.relu(self.middle(top))
        x = torch.relu(self.bottom(middle))
        x = torch.relu(self.merge_middle(torch.cat([_doubled(x), middle], 1)))
        x = torch.relu(self.merge_top(torch.cat([_doubled(x), top], 1)))
        return self.output(x)


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="nearest")


class Embedding(nn.Module):
    """Points on a sphere: (..., inputs) to (..., outputs) of length 1."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, 128)
        self.output = nn.Linear(128, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.output(torch.relu(self.hidden(x)))
        return x / torch.sqrt((x * x).sum(-1, keepdim=True) + 1e-12)


MODELS: dict[str, Callable[[int, int], nn.Module]] = {
    "mlp": MLP,
    "cnn": CNN,
    "rnn": RNN,
    "transformer": Transformer,
    "unet": UNet,
    "embedding": Embedding,
}


def build(name: str, sizes: tuple[int, int] | None) -> nn.Module:
    """The built-in model of that name, for so many inputs and outputs."""
    if name not in MODELS:
        raise UnknownNameError(f"unknown model {name!r}{suggest(name, MODELS) or '.'} It is one of: {', '.join(MODELS)}")
    if sizes is None:
        raise InputError(f"the built-in model {name!r} needs its numbers of inputs and outputs: Task(models={name!r}, sizes=(64, 10))")
    return MODELS[name](*sizes)
