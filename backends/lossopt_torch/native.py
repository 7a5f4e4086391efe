"""PyTorch's own classes, where they state the very same mathematics as a definition.

A row takes a definition's hyperparameters and gives a class with its arguments, or says in words why not.  A row is
admitted by the parity suite, which holds the class to the definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from lossopt.definition import Spec
from lossopt.hyper import is_live

Hyper = Mapping[str, Any]
Row = Callable[[Hyper], tuple[type[torch.optim.Optimizer], dict[str, Any]] | str]


COUPLED = "torch.optim.{} adds the decay to the gradient"


def _some(h: Hyper, *names: str) -> dict[str, Any]:
    return {n: h[n] for n in names}


def _adam(h: Hyper) -> Any:
    if h["amsgrad"] and h["amsgrad_max"] != "raw":
        return "torch.optim.Adam keeps the maximum of the raw moment"
    if h["eps_hat"]:
        return "torch.optim.Adam adds eps to the root of the corrected moment"
    cls = torch.optim.AdamW if h["decoupled"] else torch.optim.Adam
    return cls, _some(h, "lr", "betas", "eps", "weight_decay", "amsgrad", "maximize")


def _adamax(h: Hyper) -> Any:
    if not h["eps_inside_max"]:
        return "torch.optim.Adamax adds eps inside the maximum"
    if h["decoupled"]:
        return COUPLED.format("Adamax")
    return torch.optim.Adamax, _some(h, "lr", "betas", "eps", "weight_decay", "maximize")


def _radam(h: Hyper) -> Any:
    if not h["eps_hat"] or h["eps_root"] != 0:
        return "torch.optim.RAdam adds eps to the root of the uncorrected moment"
    if h["threshold"] != 5 or h["at_threshold"] or h["nesterov"]:
        return "torch.optim.RAdam rectifies above 5, and does not look ahead"
    return torch.optim.RAdam, {**_some(h, "lr", "betas", "eps", "weight_decay", "maximize"), "decoupled_weight_decay": h["decoupled"]}


def _nadam(h: Hyper) -> str:
    return "torch.optim.NAdam keeps mu_product in the default dtype: float32 for float64 parameters, and 1e-8 off"


def _sparse_adam(h: Hyper) -> str:
    return "torch.optim.SparseAdam takes sparse gradients only"


def _sgd(h: Hyper) -> Any:
    if h["nesterov"] and (h["momentum"] <= 0 or h["dampening"] != 0):
        return "torch.optim.SGD takes nesterov only with momentum and without dampening"
    if h["lr_before_momentum"]:
        return "torch.optim.SGD multiplies by lr after the momentum"
    if h["decoupled"]:
        return COUPLED.format("SGD")
    return torch.optim.SGD, _some(h, "lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize")


def _rmsprop(h: Hyper) -> Any:
    if h["eps_inside_root"] or h["lr_before_momentum"]:
        return "torch.optim.RMSprop adds eps outside the root and multiplies by lr after the momentum"
    if h["decoupled"]:
        return COUPLED.format("RMSprop")
    return torch.optim.RMSprop, _some(h, "lr", "alpha", "eps", "weight_decay", "momentum", "centered", "maximize")


def _adagrad(h: Hyper) -> Any:
    if h["eps_inside_root"]:
        return "torch.optim.Adagrad adds eps outside the root"
    if h["decoupled"]:
        return COUPLED.format("Adagrad")
    return torch.optim.Adagrad, _some(h, "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps", "maximize")


def _adadelta(h: Hyper) -> Any:
    if h["decoupled"]:
        return COUPLED.format("Adadelta")
    return torch.optim.Adadelta, _some(h, "lr", "rho", "eps", "weight_decay", "maximize")


def _adafactor(h: Hyper) -> Any:
    if h["eps_added"] or not h["lr_capped"] or not h["decay_times_lr"] or h["factored_dims"] != "last":
        return "torch.optim.Adafactor bounds the variance, caps lr, decays by lr * weight_decay and factors the last dimensions"
    if h["d"] < 1:
        return "torch.optim.Adafactor takes d of at least 1"
    return torch.optim.Adafactor, _some(h, "lr", "beta2_decay", "eps", "d", "weight_decay", "maximize")


def _lion(h: Hyper) -> Any:
    try:
        from lion_pytorch import Lion
    except ImportError:
        return "lion-pytorch is not installed: pip install lion-pytorch"
    return Lion, _some(h, "lr", "betas", "weight_decay")


ROWS: Mapping[str, Row] = {"adam": _adam, "adamw": _adam, "amsgrad": _adam, "adamax": _adamax, "adamaxw": _adamax, "nadam": _nadam,
                             "nadamw": _nadam, "sparse_adam": _sparse_adam, "sgd": _sgd, "rmsprop": _rmsprop, "adagrad": _adagrad,
                             "adadelta": _adadelta, "adafactor": _adafactor}  # fmt: skip
"""What `executor="auto"` chooses from: PyTorch itself."""

BY_NAME: Mapping[str, Row] = {"lion": _lion, "radam": _radam}
"""What only `executor="native"` chooses: packages beside PyTorch, and classes that replay outruns: RAdam by 2 to 5 times on a CPU."""

FUSED = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.Adagrad)

FUSED_SHARDED = (torch.optim.Adam, torch.optim.AdamW)
"""Those whose fused kernel takes DTensors; the others raise "does not have a sharding strategy registered" in their first step."""


def find(spec: Spec, groups: list[dict[str, Any]], *, by_name: bool) -> torch.optim.Optimizer | str:
    """PyTorch's own optimizer for these groups, or the reason why there is none."""
    name = spec.definition.name
    row = {**ROWS, **(BY_NAME if by_name else {})}.get(name)
    if row is None:
        return f"PyTorch ships no {name}"
    made: list[dict[str, Any]] = []
    classes = set()
    for group in groups:
        if live := [k for k, v in group.items() if k in spec.flat and _scheduled(v)]:
            return f"{live[0]} is a schedule; a torch.optim class takes numbers"
        found = row(group)
        if isinstance(found, str):
            return found
        classes.add(found[0])
        made.append({**{k: v for k, v in group.items() if k not in spec.flat}, **found[1]})
    if len(classes) > 1:
        return "the groups need different classes"
    tensors = [p[1] if isinstance(p, tuple) else p for g in groups for p in g["params"]]
    if any(p.dtype not in (torch.float32, torch.float64) for p in tensors):
        return "torch.optim keeps half-precision state for half-precision parameters; here it is float32"
    cls = classes.pop()
    sharded = any(type(p.detach()) is not torch.Tensor for p in tensors)
    if sharded and cls is torch.optim.Adafactor:
        return "torch.optim.Adafactor squares the norm of a DTensor in place, which no DTensor takes"
    defaults = row(spec.flat)
    assert not isinstance(defaults, str)
    arguments = dict(defaults[1])
    if cls in (FUSED_SHARDED if sharded else FUSED) and all(p.device.type in ("cpu", "cuda") for p in tensors):
        arguments["fused"] = True
    return cls(made, **arguments)


def _scheduled(value: Any) -> bool:
    return callable(value) or (isinstance(value, tuple) and any(is_live(v) for v in value))
