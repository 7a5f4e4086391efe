"""Ready-made groups: who is not decayed, and learning rates that fall with depth."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lossopt import loop, registry
from lossopt.errors import ArgumentError, suggest
from lossopt.hyper import NonNegative, UnitInterval, check
from lossopt.schedules.spec import ScheduleSpec

NUMBERED = re.compile(r"^(?P<stack>.*?)(?P<before>[._]?)(?P<number>\d+)(?=$|\.)")
"""``blocks.3.attention.weight`` and flax linen's ``Block_3.attention.kernel``: layer 3 of a stack."""


BELOW = ("*embed*", "*pos*", "*patch*", "*stem*", "*token*", "wte.*", "wpe.*", "*.wte.*", "*.wpe.*")
"""How parameters below the first layer are called; a tree of JAX parameters is sorted, so that their order does not tell."""


class Groups(dict[str, dict[str, Any]]):
    """Hyperparameters by pattern of names, as ``groups=`` takes them; ``a | b`` is both."""

    def __or__(self, other: Mapping[str, Mapping[str, Any]]) -> Groups:  # type: ignore[override]
        return Groups({p: {**self.get(p, {}), **other.get(p, {})} for p in (*self, *(p for p in other if p not in self))})


def no_decay(model: Any, *, but: tuple[str, ...] = ()) -> Groups:
    """No weight decay on biases, norms and embeddings: on parameters with fewer than two axes, and on embeddings.

    Args:
        model: a ``torch.nn.Module``, a ``flax.nnx.Module`` or a tree of JAX parameters.
        but: patterns of names that are decayed all the same; one that matches nothing is an error.

    Returns:
        Groups for ``get_optimizer(..., groups=...)``, a recipe, and `lossopt.groups`, which prints what they come to.

    Raises:
        ArgumentError: a pattern of `but` that matches no parameter.

    Example:
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.Embedding(9, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2))
        >>> list(no_decay(model))
        ['0.weight', '1.weight', '1.bias', '2.bias']
    """
    build = registry.backend(loop.framework_of(model)).part("build")
    named, embeddings = build.named_shapes(model), build.embeddings(model)
    for pattern in but:
        if not fnmatch.filter(named, pattern):
            raise ArgumentError(f"no_decay: but={pattern!r} matched 0 of {len(named)} parameters{suggest(pattern.strip('*.'), named)}")
    bare = (n for n, (_, shape) in named.items() if len(shape) < 2 or n in embeddings)
    return Groups({n: {"weight_decay": 0.0} for n in bare if not any(fnmatch.fnmatchcase(n, p) for p in but)})


def layer_decay(model: Any, rate: float, lr: Any, *, below: tuple[str, ...] = BELOW) -> Groups:
    """Learning rates that fall with the distance from the output: layer-wise lr decay, for fine-tuning.

        lr of a layer = lr * rate ** (how many layers lie between it and the output)

    Layers are the numbered members of the stack that has most of them (``blocks.0``, ``blocks.1``, ...).  The embeddings are
    one more layer below the first, and everything else (head, last norm) has `lr` itself.  Print `lossopt.groups` to see it.

    Args:
        model: a ``torch.nn.Module``, a ``flax.nnx.Module`` or a tree of JAX parameters.
        rate: between 0 and 1; 0.65 to 0.9 is usual for transformers.
        lr: of the output: a number of at least 0, or a schedule.
        below: patterns of the names that lie below the first layer.

    Returns:
        Groups, as of `no_decay`; ``no_decay(model) | layer_decay(model, 0.75, 1e-3)`` is both.

    Raises:
        ArgumentError: no numbered layers in the parameters' names.
        HyperparameterError: rate or lr is outside its range.

    References:
        Hangbo Bao, Li Dong, Songhao Piao, Furu Wei. BEiT: BERT Pre-Training of Image Transformers. 2022. arXiv:2106.08254

    Example:
        >>> import torch
        >>> model = torch.nn.ModuleDict({"embed": torch.nn.Linear(2, 2), "blocks": torch.nn.Sequential(
        ...     torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)), "head": torch.nn.Linear(2, 2)})
        >>> for pattern, changes in layer_decay(model, 0.5, 0.8).items():
        ...     print(pattern, changes)
        embed.weight {'lr': 0.1}
        embed.bias {'lr': 0.1}
        blocks.0.* {'lr': 0.2}
        blocks.1.* {'lr': 0.4}
        head.weight {'lr': 0.8}
        head.bias {'lr': 0.8}
    """
    check("layer_decay", "rate", rate, UnitInterval)
    check("layer_decay", "lr", lr, NonNegative)
    names = list(registry.backend(loop.framework_of(model)).part("build").named_shapes(model))
    stack = _stack(names)
    numbers = sorted({n for n in (_number(name, stack) for name in names) if n is not None})
    found = Groups()
    for name in names:
        number = _number(name, stack)
        if number is not None:
            found[f"{stack}{number}.*"] = {"lr": _scaled(lr, rate ** (len(numbers) - numbers.index(number)))}
        else:
            lowest = any(fnmatch.fnmatchcase(name, p) for p in below)
            found[name] = {"lr": _scaled(lr, rate ** (len(numbers) + 1 if lowest else 0))}
    return found


def _stack(names: list[str]) -> str:
    """What stands before the number in the names of the stack with most layers."""
    found: dict[str, set[int]] = {}
    for name in names:
        if m := NUMBERED.match(name):
            found.setdefault(m["stack"] + m["before"], set()).add(int(m["number"]))
    if not found:
        raise ArgumentError(f"layer_decay: no numbered layers such as 'blocks.0' among {len(names)} parameters; names are like "
                            f"{names[0]!r}. Write the groups by hand: groups={{'encoder.*': {{'lr': 1e-4}}}}")  # fmt: skip
    return max(found, key=lambda s: (len(found[s]), -len(s)))


def _number(name: str, stack: str) -> int | None:
    m = NUMBERED.match(name)
    return int(m["number"]) if m and m["stack"] + m["before"] == stack else None


def _scaled(lr: Any, factor: float) -> Any:
    if isinstance(lr, ScheduleSpec):
        return replace(lr, hyperparameters={**lr.hyperparameters, "lr": lr.hyperparameters["lr"] * factor})
    schedule: Any = lr
    return (lambda step: schedule(step) * factor) if callable(lr) else lr * factor
