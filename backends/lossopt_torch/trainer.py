"""One side of a comparison in PyTorch: a module, a loss, a torch.optim optimizer and an LR scheduler."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from lossopt import get_loss, get_optimizer, get_schedule
from lossopt.compare.side import Step
from lossopt.errors import InputError
from lossopt.recipes import Recipe
from lossopt.tasks import Task
from lossopt.tasks.task import Shapes, Weights
from lossopt_torch import models

SMALL = 1_000_000
"""A model with fewer parameters than this is trained by one thread: handing its little matrices from thread to thread
takes longer than multiplying them, and many times longer on a machine that has other work."""


class Side:
    """The training loop that a PyTorch user writes, on the CPU.

    Args:
        task: whose model is trained.
        recipe: loss, optimizer, schedule and seed.
        dtype: ``"float64"`` or ``"float32"``.
    """

    def __init__(self, task: Task, recipe: Recipe, dtype: str) -> None:
        self.dtype: torch.dtype = getattr(torch, dtype)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.model = _model(task).to(self.dtype)
        self.small = sum(p.numel() for p in self.model.parameters()) < SMALL
        self.loss, self.arguments = get_loss(recipe.loss, "torch"), task.arguments
        self.optimizer = get_optimizer(recipe.optimizer, "torch", params=self.model.named_parameters())
        self.scheduler = get_schedule(recipe.schedule, "torch", optimizer=self.optimizer) if recipe.schedule else None
        self.asks, self.lr_name = recipe.optimizer.asks, recipe.lr_name

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
        with self._threads():
            return self._step(self._tensor(inputs), self._tensor(targets))

    @torch.no_grad()
    def predict(self, inputs: np.ndarray) -> np.ndarray:
        self.model.eval()
        moves = hasattr(self.optimizer, "eval")  # schedule-free, EMA: the parameters to evaluate are others
        if moves:
            self.optimizer.eval()
        with self._threads():
            predictions = self.model(self._tensor(inputs)).numpy()
        if moves:
            self.optimizer.train()
        return predictions

    def _step(self, x: Tensor, y: Tensor) -> Step:
        self.model.train()

        def closure() -> Tensor:
            self.optimizer.zero_grad()
            loss = self.loss(*self.arguments(self.model(x), y))
            loss.backward()
            return loss

        self.optimizer.zero_grad()
        predictions = self.model(x)
        loss = self.loss(*self.arguments(predictions, y))
        loss.backward()
        gradients = {name: _gradient(p) for name, p in self.model.named_parameters()}
        lr = float(self.optimizer.param_groups[0][self.lr_name]) if self.lr_name else 1.0
        if "evaluate" in self.asks:
            self.optimizer.step(closure)
        elif "value" in self.asks:
            self.optimizer.step(value=loss.detach())
        else:
            self.optimizer.step()
        if self.scheduler is not None:
            self.scheduler.step()
        return Step(predictions.detach().numpy(), loss.item(), gradients, lr, self.parameters())

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


def _model(task: Task) -> nn.Module:
    if isinstance(task.models, str):
        return models.build(task.models, task.sizes)
    if "torch" not in task.models:
        raise InputError(f"the task {task.name!r} has no torch model; give Task(models={{'torch': make_torch_model, ...}})")
    return task.models["torch"]()


def _gradient(p: Tensor) -> np.ndarray:
    return np.zeros(tuple(p.shape), p.detach().numpy().dtype) if p.grad is None else p.grad.numpy().copy()
