"""What a backend's trainer gives to a comparison: one side, in its framework's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from lossopt.tasks.task import Shapes, Weights


@dataclass(frozen=True)
class Step:
    """One training step, as NumPy arrays and Python floats, under the framework's own parameter names.

    Attributes:
        predictions: what the model said of the batch.
        loss: the loss of the batch, before the update.
        gradients: by parameter, before any clipping.
        lr: the learning rate that the update used.
        parameters: after the update.
    """

    predictions: np.ndarray
    loss: float
    gradients: Mapping[str, np.ndarray]
    lr: float
    parameters: Mapping[str, np.ndarray]


class Side(Protocol):
    """``lossopt_torch.trainer.Side`` and ``lossopt_jax.trainer.Side``: made from (task, recipe)."""

    @property
    def shapes(self) -> Shapes:
        """The model's parameters by its own names, in its own order."""
        ...

    def parameters(self) -> Weights:
        """Their values now."""
        ...

    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        """Set every parameter, before the first step."""
        ...

    def step(self, inputs: np.ndarray, targets: np.ndarray) -> Step:
        """Train on one batch."""
        ...

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """What the model, in evaluation mode, says of inputs."""
        ...

    def report(self) -> dict[str, Any]:
        """What the recipe's `monitoring` and `analysis` found; empty without them."""
        ...
