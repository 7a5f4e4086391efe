"""A PyTorch model looked at: parameters, losses around them, gradients; and what its devices have done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lossopt.analysis.probe import check_scalar
from lossopt.errors import InputError
from lossopt.tasks.task import Weights


class Probe:
    """A module, a loss and a batch.

    The module is called with other parameters and copies of its buffers in place of its own (torch.func), and under a
    fork of the random generators, so that every call starts from the same state and nothing is left behind.
    """

    def __init__(self, model: Any, loss_fn: Callable[..., Any], data: Any, targets: Any, names: Mapping[str, str]) -> None:
        if not isinstance(model, nn.Module):
            raise InputError(f"the analysis of a PyTorch model takes the torch.nn.Module, got {type(model).__name__}")
        if names:
            raise InputError("names tells what the parameters of a Flax model are called in PyTorch; leave it out here")
        self.model, self.loss_fn, self.targets = model, loss_fn, targets
        self.data = data if isinstance(data, tuple) else (data,)
        self.params = dict(model.named_parameters())
        self.devices = sorted({p.get_device() for p in self.params.values() if p.is_cuda})

    def parameters(self) -> Weights:
        return {name: _numpy(p).astype(np.float64) for name, p in self.params.items()}

    @torch.no_grad()
    def losses(self, directions: Sequence[Weights], points: np.ndarray) -> np.ndarray:
        along = [{name: torch.as_tensor(d).to(self.params[name]) for name, d in each.items()} for each in directions]
        found = []
        for point in points:
            moved = {name: p + sum(float(x) * each[name] for x, each in zip(point, along, strict=True))
                     for name, p in self.params.items() if name in along[0]}  # fmt: skip
            found.append(float(self._loss({**self.params, **moved})))
        return np.array(found)

    def loss_and_gradients(self) -> tuple[float, dict[str, np.ndarray]]:
        trained = {name: p for name, p in self.params.items() if p.requires_grad}
        with torch.enable_grad():
            loss = self._loss(self.params)
            gradients = torch.autograd.grad(loss, list(trained.values()), allow_unused=True)
        found = zip(trained.items(), gradients, strict=True)
        return float(loss.detach()), {name: _numpy(torch.zeros_like(p) if g is None else g) for (name, p), g in found}

    def _loss(self, params: Mapping[str, Tensor]) -> Tensor:
        buffers = {name: b.clone() for name, b in self.model.named_buffers()}
        with torch.random.fork_rng(self.devices):
            loss = self.loss_fn(torch.func.functional_call(self.model, {**params, **buffers}, self.data), self.targets)
        check_scalar(tuple(loss.shape))
        return loss


def _numpy(x: Tensor) -> np.ndarray:
    x = x.detach().cpu()
    return (x.float() if x.dtype in (torch.bfloat16, torch.float16) else x).numpy()


# ------------------------------------------------------------------------------------------------- performance
def wait(result: Any) -> None:
    """Until what has been asked of the devices of these tensors is done."""
    for device in {x.device for x in _tensors(result)}:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()


def device_peak(result: Any) -> tuple[str, int] | None:
    """The accelerator of these tensors and the most memory that PyTorch has held on it, in bytes; None on a CPU."""
    devices = {x.device for x in _tensors(result) if x.device.type == "cuda"}
    return max(((str(d), torch.cuda.max_memory_allocated(d)) for d in devices), key=lambda found: found[1], default=None)


def _tensors(x: Any) -> Iterator[Tensor]:
    if isinstance(x, Tensor):
        yield x
    elif isinstance(x, Mapping):
        for item in x.values():
            yield from _tensors(item)
    elif isinstance(x, list | tuple):
        for item in x:
            yield from _tensors(item)
