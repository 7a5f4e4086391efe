"""The schedule as Python source: printable, and as fast as calls written by hand."""

from __future__ import annotations

import linecache
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch

from lossopt_torch.replay import numbers
from lossopt_torch.replay.graph import ELEMENTWISE, REDUCTIONS
from lossopt_torch.replay.numbers import Scalar
from lossopt_torch.replay.schedule import Call, Phase

FOREACH = frozenset(name for name, _ in ELEMENTWISE.values() if hasattr(torch, f"_foreach_{name}_"))
"""What torch does to a list of tensors in one call."""


def elements(blocks: Sequence[Sequence[torch.Tensor]]) -> int:
    """How many elements the blocks of one parameter have together."""
    return sum(row[0].numel() for row in blocks)


TORCH: Mapping[str, Any] = {"torch": torch, "elements": elements}
HOST: Mapping[str, Any] = {**numbers.FUNCTIONS, "inf": float("inf"), "nan": float("nan")}


class Program:
    """A function made from source; the source is what a debugger shows, and ``print(program.source)``."""

    def __init__(self, name: str, source: str, known: Mapping[str, Any]) -> None:
        self.source = source
        file = f"<{name}, program {id(self):x}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        weakref.finalize(self, linecache.cache.pop, file, None)
        namespace = dict(known)
        exec(compile(source, file, "exec"), namespace)
        self.run: Callable[..., Any] = namespace[source.split("(", 1)[0].removeprefix("def ")]

    def __repr__(self) -> str:
        return self.source


class Constants:
    """The host numbers that a program reads: constants as they are, the rest as arguments ``k0, k1, ...``."""

    def __init__(self) -> None:
        self.scalars: dict[str, Scalar] = {}

    def __getitem__(self, scalar: Scalar) -> str:
        if scalar.constant:
            return scalar.source if scalar.source not in ("inf", "nan", "-inf") else f"float('{scalar.source}')"
        self.scalars.setdefault(scalar.source, scalar)
        return f"k{list(self.scalars).index(scalar.source)}"

    @property
    def names(self) -> list[str]:
        return [f"k{i}" for i in range(len(self.scalars))]


def function(arguments: Sequence[str], body: Sequence[str]) -> str:
    """Source of ``run(arguments)``."""
    return "\n".join([f"def run({', '.join(arguments)}):", *(f"    {line}" for line in body), ""])


# ------------------------------------------------------------------------------------------------- blocks
def blocks_body(names: Sequence[str], phases: Sequence[Phase], constants: Constants) -> list[str]:
    """The body of ``run(tensors, k0, ...)``: `tensors` gives for each parameter its blocks, rows of views called `names`."""
    body: list[str] = []
    for phase in phases:
        sums = [c for c in phase.calls if c.op in REDUCTIONS]
        body += [f"{c.target} = 0.0" for c in sums]
        body += [f"{c.target} = {_single(c, constants)}" for c in phase.calls if c.node.reduced and c not in sums]
        inner = [line for c in phase.calls if c in sums or not c.node.reduced for line in _block_line(c, constants)]
        body += [f"for {', '.join(names)} in blocks:", *(f"    {line}" for line in inner)] if inner else []
    return ["for blocks in tensors:", *(f"    {line}" for line in body)]


def _block_line(call: Call, constants: Constants) -> Iterator[str]:
    target, operands = call.target, call.operands
    if call.op in REDUCTIONS:
        yield f"{target} = {target} + torch.{call.op}({', '.join(operands)})"
    elif call.op in ("copy", "cast"):
        yield f"{target}.copy_({operands[0]})"
    elif call.op == "clamp":
        yield f"torch.clamp({operands[0]}, {operands[1]}, {operands[1]}, out={target})"
    elif call.op == "fill":
        yield f"{target}.fill_({_number(call, constants)})"
    else:
        name, _ = ELEMENTWISE[call.op]
        yield f"torch.{name}({_arguments(call, constants)}, out={target})"


def _single(call: Call, constants: Constants) -> str:
    """One number per parameter, a 0-d tensor."""
    if call.op == "number":
        return f"blocks[0][0].new_full((), {_number(call, constants)})"
    if call.op == "per_element":
        return f"{call.operands[0]} / elements(blocks)"
    if call.op == "cast":
        return f"{call.operands[0]}.to(blocks[0][0].dtype)"
    if call.op == "clamp":
        return f"torch.clamp({call.operands[0]}, {call.operands[1]}, {call.operands[1]})"
    return f"torch.{ELEMENTWISE[call.op][0]}({_arguments(call, constants)})"


# ------------------------------------------------------------------------------------------------- lists
def lists_body(inputs: Sequence[str], phase: Phase, constants: Constants) -> list[str]:
    """The body of ``run(param, grad, ..., k0, ...)`` on lists of whole tensors, with torch's foreach functions."""
    return [_list_line(c, inputs, constants) for c in phase.calls]


def _list_line(call: Call, inputs: Sequence[str], constants: Constants) -> str:
    target, operands = call.target, call.operands
    if call.op in ELEMENTWISE and ELEMENTWISE[call.op][0] in FOREACH:
        name = f"torch._foreach_{ELEMENTWISE[call.op][0]}"
        if target == operands[0]:
            return f"{name}_({_arguments(call, constants)})"
        value = f"{name}({_arguments(call, constants)})"
    elif call.op == "clamp":
        value = f"torch._foreach_maximum(torch._foreach_minimum({operands[0]}, {operands[1]}), {operands[1]})"
    elif call.op == "copy" and target in inputs:
        value = operands[0]
    elif call.op in ("number", "fill"):
        shape = "()" if call.op == "number" else "p.shape"
        value = f"[p.new_full({shape}, {_number(call, constants)}) for p in {inputs[0]}]"
    else:
        value = _each(call, inputs, constants)
    return f"torch._foreach_copy_({target}, {value})" if target in inputs else f"{target} = {value}"


def _each(call: Call, inputs: Sequence[str], constants: Constants) -> str:
    """What torch has no foreach function for, one tensor at a time."""
    items = "abc"[: len(call.operands)]
    if call.op == "copy":
        value = "a.clone()"
    elif call.op == "dot":
        value = "torch.dot(a.reshape(-1), b.reshape(-1))"
    elif call.op == "sum":
        value = "torch.sum(a)"
    elif call.op in ("cast", "per_element"):
        value = "a.to(p.dtype)" if call.op == "cast" else "a / p.numel()"
        return f"[{value} for a, p in zip({call.operands[0]}, {inputs[0]})]"
    else:
        value = f"torch.{ELEMENTWISE[call.op][0]}({', '.join([*items, *_extra(call, constants)])})"
    over = call.operands[0] if len(items) == 1 else f"zip({', '.join(call.operands)})"
    return f"[{value} for {', '.join(items)} in {over}]"


# ------------------------------------------------------------------------------------------------- both
def _arguments(call: Call, constants: Constants) -> str:
    return ", ".join([*call.operands, *_extra(call, constants)])


def _extra(call: Call, constants: Constants) -> list[str]:
    return [ELEMENTWISE[call.op][1].format(_number(call, constants))] if ELEMENTWISE[call.op][1] else []


def _number(call: Call, constants: Constants) -> str:
    assert call.node.number is not None
    return constants[call.node.number]
