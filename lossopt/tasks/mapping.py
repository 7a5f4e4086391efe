"""Which parameter of one framework is which of the other, and how it lies there.

PyTorch's names and layouts are the common ones: reports use them, and what another framework holds is converted.

============  ==========  ====================================================
Flax          PyTorch     layout
============  ==========  ====================================================
``kernel``    ``weight``  2-d (in, out) is (out, in); n-d (..., in, out) of a
                          convolution is (out, in, ...): HWIO is OIHW
``scale``     ``weight``  the same
``embedding`` ``weight``  the same
other         the same    the same
============  ==========  ====================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lossopt.errors import InputError, suggest
from lossopt.tasks.task import Layout, Shapes, Task, Weights

LEAVES = {"kernel": "weight", "scale": "weight", "embedding": "weight"}


@dataclass(frozen=True)
class Link:
    """One parameter: its common name, its own name in a framework, and how it lies there."""

    name: str
    own: str
    layout: Layout


def _same(x: np.ndarray) -> np.ndarray:
    return x


def _kernel_to_torch(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, (-1, -2), (0, 1))


def _kernel_from_torch(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, (0, 1), (-1, -2))


SAME, KERNEL = Layout(_same, _same), Layout(_kernel_to_torch, _kernel_from_torch)


def links(task: Task, backend: str, shapes: Shapes) -> list[Link]:
    """The parameters of one framework's model, in its own order."""
    if backend != "jax":
        return [Link(own, own, SAME) for own in shapes]
    found = []
    for own, shape in shapes.items():
        name = _common_name(own, task.names)
        by_rule = KERNEL if own.rpartition(".")[2] == "kernel" and len(shape) > 1 else SAME
        found.append(Link(name, own, task.layouts.get(name, by_rule)))
    return found


def to_common(found: list[Link], weights: Mapping[str, np.ndarray]) -> Weights:
    """A framework's arrays by their common names, in the common layout."""
    return {link.name: link.layout.to_torch(weights[link.own]) for link in found}


def from_common(found: list[Link], weights: Mapping[str, np.ndarray]) -> Weights:
    """The way back."""
    return {link.own: np.ascontiguousarray(link.layout.from_torch(weights[link.name])) for link in found}


def check(names: tuple[str, str], shapes: tuple[Shapes, Shapes]) -> None:
    """Raise InputError unless two models have the same parameters, by common name and shape."""
    (a, b), (of_a, of_b) = names, shapes
    only_a, only_b = sorted(set(of_a) - set(of_b)), sorted(set(of_b) - set(of_a))
    if only_a or only_b:
        told = "; ".join(f"only {n} has {', '.join(only)}" for n, only in ((a, only_a), (b, only_b)) if only)
        near = suggest(only_a[0], only_b) if only_a and only_b else ""
        raise InputError(f"the two models' parameters do not correspond: {told}{near or '.'} "
                         "Say which is which in Task(names={torch's name: Flax's name})")  # fmt: skip
    for name, shape in of_a.items():
        if shape != of_b[name]:
            raise InputError(f"the parameter {name!r} is {shape} in {a} and {of_b[name]} in {b}, both in PyTorch's layout; "
                             "say how it lies in Flax in Task(layouts={torch's name: Layout(to_torch, from_torch)})")  # fmt: skip


def _common_name(own: str, names: Mapping[str, str]) -> str:
    torch_names = {flax: torch for torch, flax in names.items()}
    if own in torch_names:
        return torch_names[own]
    module, _, leaf = own.rpartition(".")
    for flax in sorted(torch_names, key=len, reverse=True):
        if module == flax or module.startswith(f"{flax}."):
            module = torch_names[flax] + module[len(flax):]
            break
    leaf = LEAVES.get(leaf, leaf)
    return f"{module}.{leaf}" if module else leaf
