"""What a recording calls a model's parameters, and what the objects of a PyTorch run say of themselves."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from lossopt.errors import InputError
from lossopt.recording.log import plain

WRAPPERS = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")
"""What torch.compile, FSDP and activation checkpointing put into parameters' names."""


def inner(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """What an optimizer's wrapper (Hugging Face Accelerate's) steps."""
    found = getattr(optimizer, "optimizer", None)
    return inner(found) if isinstance(found, torch.optim.Optimizer) else optimizer


def named(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The parameters by the names that they have where nothing is wrapped."""
    parallel = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    for name, p in (model.module if isinstance(model, parallel) else model).named_parameters():
        yield functools.reduce(lambda name, wrapper: name.replace(wrapper, ""), WRAPPERS, name), p


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
