"""The built-in models in PyTorch.  The same names, and the same mathematics, as in lossopt_jax.models."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lossopt.errors import InputError, UnknownNameError, suggest


class MLP(nn.Module):
    """One hidden layer of 128 rectified units."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, 128)
        self.output = nn.Linear(128, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(torch.relu(self.hidden(x)))


class ConvNet(nn.Module):
    """Two convolutions and a linear layer, on square images given as rows of pixels."""

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


MODELS: dict[str, Callable[[int, int], nn.Module]] = {"mlp": MLP, "convnet": ConvNet}


def build(name: str, sizes: tuple[int, int] | None) -> nn.Module:
    """The built-in model of that name, for so many inputs and outputs."""
    if name not in MODELS:
        raise UnknownNameError(f"unknown model {name!r}{suggest(name, MODELS) or '.'} It is one of: {', '.join(MODELS)}")
    if sizes is None:
        raise InputError(f"the built-in model {name!r} needs its numbers of inputs and outputs: Task(models={name!r}, sizes=(64, 10))")
    return MODELS[name](*sizes)
