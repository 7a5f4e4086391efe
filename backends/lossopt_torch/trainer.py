"""One side of a comparison in PyTorch: what a recipe is built into, on the CPU, in NumPy arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lossopt.compare.side import Step
from lossopt.errors import InputError
from lossopt.recipes import Recipe
from lossopt.tasks import Task
from lossopt.tasks.task import Shapes, Weights
from lossopt_torch import models
from lossopt_torch.build import Built

SMALL = 1_000_000
"""A model with fewer parameters than this is trained by one thread: handing its little matrices from thread to thread
takes longer than multiplying them, and many times longer on a machine that has other work."""


class Side:
    """The training loop that a PyTorch user writes, on the CPU.

    Args:
        task: whose model is trained.
        recipe: what to train it with; its precision is that of the comparison.
    """

    def __init__(self, task: Task, recipe: Recipe) -> None:
        self.model = model(task, recipe.seed)
        self.small = sum(p.numel() for p in self.model.parameters()) < SMALL
        self.built = Built(recipe, self.model, arguments=task.arguments)
        self.dtype = self.built.policy.params

    @property
    def shapes(self) -> Shapes:
        return {name: tuple(p.shape) for name, p in self.model.named_parameters()}

    def parameters(self) -> Weights:
        return {name: p.detach().numpy().copy() for name, p in self.model.named_parameters()}

    @torch.no_grad()
    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        for name, p in self.model.named_parameters():
            p.copy_(torch.from_numpy(weights[name]))

    def step(self, inputs: np.ndarray, targets: np.ndarray) -> Step:
        self.model.train()
        with self._threads():
            seen = self.built.observe(self._tensor(inputs), self._tensor(targets))
        gradients = {name: g.numpy() for name, g in (seen.gradients or {}).items()}
        return Step(seen.predictions.numpy(), seen.loss.item(), gradients, 1.0 if seen.lr is None else seen.lr, self.parameters())

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        with self._threads():
            return self.built.predict(self._tensor(inputs)).numpy()

    def report(self) -> dict[str, Any]:
        with self._threads():
            return self.built.report()

    @contextlib.contextmanager
    def _threads(self) -> Iterator[None]:
        threads = torch.get_num_threads()
        torch.set_num_threads(1 if self.small else threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads)

    def _tensor(self, x: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(x))
        return tensor.to(self.dtype) if tensor.is_floating_point() else tensor


def model(task: Task, seed: int) -> nn.Module:
    """The task's module, with the initial weights of a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if isinstance(task.models, str):
            return models.build(task.models, task.sizes)
        if "torch" not in task.models:
            raise InputError(f"the task {task.name!r} has no torch model; give Task(models={{'torch': make_torch_model, ...}})")
        return task.models["torch"]()
