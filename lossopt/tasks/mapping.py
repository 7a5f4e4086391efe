"""Which parameter of one framework is which of the other, and how it lies there.

PyTorch's names and layouts are the common ones: reports use them, and what another framework holds is converted.

=============================  ====================  ====================================================
Flax                           PyTorch               layout
=============================  ====================  ====================================================
``kernel``                     ``weight``            2-d (in, out) is (out, in); n-d (..., in, out) of a
                                                     convolution is (out, in, ...): HWIO is OIHW
``scale``, ``embedding``       ``weight``            the same
``ih_l0.kernel``,              ``weight_ih_l0``,     (in, gates) is (gates, in); the gates stand as in
``hh_l0.bias``, ...            ``bias_hh_l0``, ...   nn.GRU (r, z, n) and nn.LSTM (i, f, g, o)
``query``, ``key``, ``value``  ``in_proj_weight``,   nnx.MultiHeadAttention is nn.MultiheadAttention: the
                               ``in_proj_bias``      three stacked, their heads side by side
``out`` of the same            ``out_proj``          likewise
other                          the same              the same
=============================  ====================  ====================================================

Where PyTorch has three linear layers for query, key and value, say so: ``names={"q_proj": "attention.query", ...}``.

A recurrent layer of PyTorch has two biases to each gate; nnx.GRUCell and nnx.LSTMCell have one.  These are different
models, and no mapping makes them the same: `lossopt_jax.models.GRU` is PyTorch's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from lossopt.errors import InputError
from lossopt.tasks.task import Layout, Shapes, Task, Weights

LEAVES = {"kernel": "weight", "scale": "weight", "embedding": "weight"}
RECURRENT = re.compile(r"(ih|hh)_l\d+(_reverse)?")
STACKED = ("query", "key", "value")


@dataclass(frozen=True)
class Link:
    """One parameter: its common name, its own name in a framework, and how it lies there.

    Where a framework has several for it, they are stacked along the first axis of the common layout, in equal parts.
    """

    name: str
    own: tuple[str, ...]
    layouts: tuple[Layout, ...]

    def to_torch(self, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """The framework's arrays as the one common array."""
        parts = [layout.to_torch(weights[own]) for own, layout in zip(self.own, self.layouts, strict=True)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def from_torch(self, x: np.ndarray) -> Weights:
        """The way back."""
        parts = [x] if len(self.own) == 1 else np.split(x, len(self.own))
        own = zip(self.own, self.layouts, parts, strict=True)
        return {name: np.ascontiguousarray(layout.from_torch(part)) for name, layout, part in own}


def _same(x: np.ndarray) -> np.ndarray:
    return x


def _kernel_to_torch(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, (-1, -2), (0, 1))


def _kernel_from_torch(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, (0, 1), (-1, -2))


SAME, KERNEL = Layout(_same, _same), Layout(_kernel_to_torch, _kernel_from_torch)


def links(task: Task, backend: str, shapes: Shapes) -> list[Link]:
    """The parameters of one framework's model, in its own order.

    Raises:
        InputError: two parameters would have the same name.
    """
    if backend != "jax":
        return [Link(own, (own,), (SAME,)) for own in shapes]
    attentions = _attentions(shapes)
    stacked = {module for module in attentions if not _is_told_apart(module, task.names)}
    own_of: dict[str, list[str]] = {}
    for own in shapes:
        own_of.setdefault(_common_name(own, task.names, stacked), []).append(own)
    found = []
    for name, several in own_of.items():
        several.sort(key=_place)
        if len(several) > 1 and tuple(map(_part, several)) != STACKED:
            raise InputError(f"{' and '.join(several)} are both {name!r} by Task(names=...); each needs a name of its own")
        layouts = [task.layouts.get(name) or _layout(own, shapes[own], attentions) for own in several]
        found.append(Link(name, tuple(several), tuple(layouts)))
    return found


def to_common(found: list[Link], weights: Mapping[str, np.ndarray]) -> Weights:
    """A framework's arrays by their common names, in the common layout."""
    return {link.name: link.to_torch(weights) for link in found}


def from_common(found: list[Link], weights: Mapping[str, np.ndarray]) -> Weights:
    """The way back."""
    return {own: x for link in found for own, x in link.from_torch(weights[link.name]).items()}


def check(names: tuple[str, str], shapes: tuple[Shapes, Shapes]) -> None:
    """Raise InputError unless two models have the same parameters, by common name and shape."""
    (a, b), (of_a, of_b) = names, shapes
    only_a, only_b = sorted(set(of_a) - set(of_b)), sorted(set(of_b) - set(of_a))
    if only_a or only_b:
        told = "; ".join(f"only {n} has {', '.join(only)}" for n, only in ((a, only_a), (b, only_b)) if only)
        raise InputError(f"the two models' parameters do not correspond: {told}. "
                         "Say which is which in Task(names={torch's name: Flax's name})")  # fmt: skip
    for name, shape in of_a.items():
        if shape != of_b[name]:
            raise InputError(f"the parameter {name!r} is {shape} in {a} and {of_b[name]} in {b}, both in PyTorch's layout; "
                             "say how it lies in Flax in Task(layouts={torch's name: Layout(to_torch, from_torch)})")  # fmt: skip


def _common_name(own: str, names: Mapping[str, str], stacked: Collection[str]) -> str:
    told = {flax: torch for torch, flax in names.items()}
    if own in told:
        return told[own]
    module, _, leaf = own.rpartition(".")
    leaf = LEAVES.get(leaf, leaf)
    parent, _, part = module.rpartition(".")
    if parent in stacked and part in STACKED:
        return _join(_renamed(parent, told), f"in_proj_{leaf}")
    if parent in stacked and part == "out":
        return _join(_renamed(parent, told), "out_proj", leaf)
    if RECURRENT.fullmatch(part):
        return _join(_renamed(parent, told), f"{leaf}_{part}")
    return _join(_renamed(module, told), leaf)


def _renamed(module: str, told: Mapping[str, str]) -> str:
    for flax in sorted(told, key=len, reverse=True):
        if module == flax or module.startswith(f"{flax}."):
            return told[flax] + module[len(flax):]
    return module


def _join(*parts: str) -> str:
    return ".".join(filter(None, parts))


def _place(own: str) -> int:
    """Query, key, value: the order in which PyTorch stacks them."""
    return STACKED.index(part) if (part := _part(own)) in STACKED else 0


def _part(own: str) -> str:
    """The module that a parameter belongs to, without its parents."""
    return own.rpartition(".")[0].rpartition(".")[2]


def _attentions(shapes: Shapes) -> set[str]:
    """The modules that are an nnx.MultiHeadAttention: four kernels of three axes, by their names."""
    modules = {own.removesuffix("query.kernel").removesuffix(".") for own in shapes if own.endswith("query.kernel")}
    return {m for m in modules if all(len(shapes.get(_join(m, part, "kernel"), ())) == 3 for part in (*STACKED, "out"))}


def _is_told_apart(module: str, names: Mapping[str, str]) -> bool:
    return any(flax.startswith(_join(module, part)) for flax in names.values() for part in STACKED)


def _layout(own: str, shape: tuple[int, ...], attentions: Collection[str]) -> Layout:
    module, _, leaf = own.rpartition(".")
    parent, _, part = module.rpartition(".")
    if parent in attentions and part in (*STACKED, "out"):
        return _heads(shape, leaf, part)
    return KERNEL if leaf == "kernel" and len(shape) > 1 else SAME


def _heads(shape: tuple[int, ...], leaf: str, part: str) -> Layout:
    """(in, heads, size) of query, key and value, (heads, size, out) of out, and (heads, size) of a bias, without heads."""
    if leaf == "bias":
        return Layout(np.ravel, lambda x: x.reshape(shape))
    flat = (-1, shape[-1]) if part == "out" else (shape[0], -1)
    return Layout(lambda x: x.reshape(flat).T, lambda x: x.T.reshape(shape))
