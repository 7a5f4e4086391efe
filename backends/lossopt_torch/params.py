"""What `params` may be: parameters, named parameters, or groups; made into groups of named tensors."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import torch

from lossopt import carry
from lossopt.definition import Spec
from lossopt.errors import ArgumentError, InputError
from lossopt.registry import framework_of

NOT_HYPERPARAMETERS = ("params", "param_names", "initial_lr")


def read(params: Any, spec: Spec, patterns: carry.Groups) -> list[dict[str, Any]]:
    """Parameter groups with every hyperparameter filled in, split where name patterns match.

    Raises:
        InputError: nothing to optimize, or something that is no tensor.
        ArgumentError: a hyperparameter that the spec does not take, or patterns without names.
    """
    owner = spec.definition.name
    found = [_group(owner, g) for g in _as_groups(owner, params)]
    named = [pair for group in found for pair in group["params"]]
    if not named:
        raise InputError(f"{owner} got an empty parameter list: give model.parameters(), a fresh one if it is a generator used before")
    patterns = carry.check_groups(spec, patterns)
    if patterns and any(name is None for name, _ in named):
        raise ArgumentError(f"groups={{{next(iter(patterns))!r}: ...}} matches names: give model.named_parameters() as params")
    if patterns:
        carry.match_groups(patterns, [name for name, _ in named])
    return [part for group in found for part in _split(spec, group, patterns)]


def _as_groups(owner: str, params: Any) -> list[Any]:
    if isinstance(params, torch.nn.Module):
        raise InputError(f"{owner} takes parameters, not a module: write params=model.parameters() or model.named_parameters()")
    if isinstance(params, torch.Tensor):
        raise InputError(f"{owner} takes an iterable of parameters, got one tensor: write params=[tensor]")
    if isinstance(params, Mapping):
        params = params.items()
    if not isinstance(params, Iterable):
        raise InputError(f"{owner} takes an iterable of parameters, got {type(params).__name__}: write params=model.parameters()")
    items = list(params)
    return items if items and isinstance(items[0], Mapping) else [{"params": items}]


def _group(owner: str, group: Any) -> dict[str, Any]:
    if not isinstance(group, Mapping) or "params" not in group:
        raise InputError(f"{owner}: every group is a dict with 'params', got {group!r}")
    members = group["params"]
    members = [members] if isinstance(members, torch.Tensor) else list(members)
    pairs = [m if isinstance(m, tuple) else (None, m) for m in members]
    for name, p in pairs:
        if not isinstance(p, torch.Tensor):
            raise InputError(f"{owner}: parameters must be torch tensors, got {_kind(p)}{f' for {name!r}' if name else ''}")
        if p.is_complex():
            raise InputError(f"{owner} takes real parameters, got {p.dtype}: optimize torch.view_as_real(p)")
        if not p.is_floating_point():
            raise InputError(f"{owner} takes floating-point parameters, got {p.dtype}")
    return {**group, "params": pairs}


def _kind(x: Any) -> str:
    framework = framework_of(x)
    return f"an array of {framework}" if framework not in (None, "torch") else type(x).__name__


def _split(spec: Spec, group: Mapping[str, Any], patterns: carry.Groups) -> list[dict[str, Any]]:
    own = {k: v for k, v in group.items() if k not in NOT_HYPERPARAMETERS}
    base = {**spec.flat, **carry.check_groups(spec, {"params": own})["params"]}
    kept = {k: v for k, v in group.items() if k in NOT_HYPERPARAMETERS and k != "params" and k != "param_names"}
    parts: dict[tuple[str, ...], list[Any]] = {}
    for name, p in group["params"]:
        matched = tuple(pattern for pattern in patterns if carry.matches(name, pattern))
        parts.setdefault(matched, []).append(p if name is None else (name, p))
    changed = ({**base, **functools.reduce(lambda h, m: {**h, **patterns[m]}, matched, {})} for matched in parts)
    return [{"params": members, **hyper, **kept} for members, hyper in zip(parts.values(), changed, strict=True)]
