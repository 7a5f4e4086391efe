"""What a recording calls a model's parameters, and what the objects of a PyTorch run say of themselves."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lossopt.errors import InputError
from lossopt.recording.log import plain

WRAPPERS = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")
"""What torch.compile, FSDP and activation checkpointing put into parameters' names."""

NO_NUMBERS = {"params", "param_names", "shared", "lr", "lr_base", "initial_lr", "max_lr", "min_lr", "swa_lr", "base_momentum",
              "max_momentum"}  # fmt: skip
"""What groups hold that is no number of the update beside the learning rate; schedulers and `lossopt_torch.rates` note some of it
there for themselves."""


def inner(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """What an optimizer's wrapper (Hugging Face Accelerate's) steps."""
    found = getattr(optimizer, "optimizer", None)
    return inner(found) if isinstance(found, torch.optim.Optimizer) else optimizer


def named(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The parameters by the names that they have where nothing is wrapped."""
    return ((_unwrapped(name), p) for name, p in _within(model).named_parameters())


def buffers(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The floating-point buffers likewise."""
    for name, x in _within(model).named_buffers():
        if x.is_floating_point() and x.layout is torch.strided and not nn.parameter.is_lazy(x):
            yield _unwrapped(name), x


def _within(model: nn.Module) -> nn.Module:
    return model.module if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel) else model


def _unwrapped(name: str) -> str:
    return functools.reduce(lambda name, wrapper: name.replace(wrapper, ""), WRAPPERS, name)


def told(model: nn.Module, optimizer: torch.optim.Optimizer, sharded: bool) -> dict[str, Any]:
    groups = [{k: plain(v) for k, v in g.items() if k not in ("params", "param_names", "shared") and not isinstance(v, Tensor)}
              for g in optimizer.param_groups]  # fmt: skip
    cls = type(optimizer)
    told = {"torch": str(torch.__version__), "model": type(model).__name__, "optimizer": f"{cls.__module__}.{cls.__qualname__}",
            "groups": groups}  # fmt: skip
    if (spec := getattr(optimizer, "spec", None)) is not None:
        told["spec"] = repr(spec)
    if sharded:
        told["sharded"] = "parameters and gradients are what the first process holds"
    return told


# ------------------------------------------------------------------------------------------------- groups
def numbers(groups: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, ...]]:
    """Every plain number of an optimizer's groups but the learning rates, by name and place (``betas[0]``), in each group."""
    found = defaultdict[str, list[float]](lambda: [math.nan] * len(groups))
    for i, group in enumerate(groups):
        for key, value in group.items():
            if value is None or isinstance(value, bool) or key in NO_NUMBERS:
                continue
            if isinstance(value, float | int):
                found[key][i] = value
            elif isinstance(value, tuple | list):
                for j, x in enumerate(value):
                    if isinstance(x, float | int) and not isinstance(x, bool):
                        found[_label(key, j)][i] = x
    return {label: tuple(values) for label, values in found.items()}


@functools.cache
def _label(key: str, place: int) -> str:
    return f"{key}[{place}]"


# ------------------------------------------------------------------------------------------------- averages
def averaged(ema: Any) -> Iterator[tuple[str, Tensor]]:
    """The weights of an average of a model under the model's own names; `AveragedModel` and others hold it as ``module``."""
    held = getattr(ema, "module", ema)
    return named(held if isinstance(held, nn.Module) else ema)


def check_average(ema: Any, model: nn.Module) -> None:
    """Raise InputError unless it has the model's parameters."""
    if not isinstance(ema, nn.Module):
        raise InputError(f"record: ema is a module with the averaged weights, such as torch.optim.swa_utils.AveragedModel(model), "
                         f"got {type(ema).__name__}")  # fmt: skip
    own = {name: p.shape for name, p in named(model)}
    for name, p in averaged(ema):
        if own.get(name) != p.shape:
            what = "that the model has not"
            if name in own:
                what = f"of shape {tuple(p.shape)}, and the model's is of shape {tuple(own[name])}"
            raise InputError(f"record: ema has a parameter {name!r} {what}; give it the average of this model's weights")
