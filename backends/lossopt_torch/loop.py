"""What a PyTorch training loop holds: a torch.optim optimizer of a module, an LRScheduler, and the loop itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from lossopt.definition import Spec
from lossopt.schedules.spec import ScheduleSpec
from lossopt.schemes import Scheme
from lossopt_torch import models, optimizers, schedules


def optimizer(model: Any, spec: Spec) -> torch.optim.Optimizer:
    """The optimizer of a module's named parameters, or of the parameters given in its place."""
    return optimizers.emit(spec, params=model.named_parameters() if isinstance(model, nn.Module) else model)


def optimizer_by(model: Any, made: Callable[..., Any], hyperparameters: Mapping[str, Any]) -> Any:
    """``made(parameters, **hyperparameters)``: torch.optim's own classes take that."""
    return made(model.parameters() if isinstance(model, nn.Module) else model, **hyperparameters)


def scheduler(optimizer: torch.optim.Optimizer, spec: ScheduleSpec) -> Any:
    """The scheduler of an optimizer."""
    return schedules.emit(spec, optimizer=optimizer)


def scheduler_by(optimizer: torch.optim.Optimizer, made: Callable[..., Any], hyperparameters: Mapping[str, Any]) -> Any:
    """A scheduler class of PyTorch, or a function of the step that gives a factor."""
    if isinstance(made, type):
        return made(optimizer, **hyperparameters)
    return LambdaLR(optimizer, lambda step: made(step, **hyperparameters))


def build(name: str, sizes: tuple[int, int] | None, seed: int) -> nn.Module:
    """A built-in model with the initial weights of a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return models.build(name, sizes)


def array(x: np.ndarray) -> Tensor:
    """A NumPy array as a float32 or integer tensor."""
    return torch.from_numpy(np.ascontiguousarray(x, np.float32 if np.issubdtype(x.dtype, np.floating) else x.dtype))


def fit(model: nn.Module, scheme: Scheme, inputs: np.ndarray, targets: np.ndarray, batches: Iterable[np.ndarray]) -> list[float]:
    """Train on these batches, each the samples' indices; the loss of every step."""
    loss_fn, optimizer, scheduler = scheme
    losses = []
    for batch in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(array(inputs[batch])), array(targets[batch]))
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses


@torch.no_grad()
def predict(model: nn.Module, inputs: np.ndarray) -> np.ndarray:
    """The model's outputs."""
    return model(array(inputs)).numpy()
