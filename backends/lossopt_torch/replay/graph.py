"""Tensor operations as nodes of a graph, and their fusion into what torch does in one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lossopt_torch.replay.numbers import Scalar

ELEMENTWISE: Mapping[str, tuple[str, str]] = {
    "scale": ("mul", "{}"),  # x * k
    "shift": ("add", "{}"),  # x + k
    "axpy": ("add", "alpha={}"),  # x + k * y
    "lerp": ("lerp", "{}"),  # x + k * (y - x)
    "addcmul": ("addcmul", "value={}"),  # x + k * y * z
    "addcdiv": ("addcdiv", "value={}"),  # x + k * y / z
    "clamp_min": ("clamp_min", "{}"),
    "clamp_max": ("clamp_max", "{}"),
    "power": ("pow", "{}"),
    **{f"{c}_number": (c, "{}") for c in ("lt", "le", "gt", "ge", "eq", "ne")},
    **{name: (name, "") for name in (
        "mul", "div", "sqrt", "sign", "abs", "exp", "log", "reciprocal", "maximum", "minimum",
        "lt", "le", "gt", "ge", "eq", "ne", "logical_and", "logical_or", "where")},
}  # fmt: skip
"""Operation -> (torch function, how the host number is passed)."""

REDUCTIONS = ("sum", "dot")
"""Operations that turn tensors into one number of each parameter, a 0-d tensor; blocks add up."""

MASKS = frozenset(n + end for n in ("lt", "le", "gt", "ge", "eq", "ne") for end in ("", "_number")) | {"logical_and", "logical_or"}
COMMUTATIVE = ("mul", "maximum", "minimum", "logical_and", "logical_or")


@dataclass(frozen=True, eq=False)
class Node:
    """One operation.

    Attributes:
        op: a name of ELEMENTWISE or REDUCTIONS, or ``input``, ``copy``, ``fill`` (a parameter-sized constant), ``cast``
            (a mask as numbers), ``clamp`` (between equal bounds), ``number`` (a host number as 0-d tensor) or
            ``per_element`` (over the element count).
        number: the host number that it takes, if any.
        reduced: whether it is one number per parameter, rather than parameter-sized.
        mask: whether it is boolean.
    """

    index: int
    op: str
    args: tuple[Node, ...] = ()
    number: Scalar | None = None
    reduced: bool = False
    mask: bool = False


class Graph:
    """Nodes, each made once: the same operation on the same arguments is the same node."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], Node] = {}
        self._count = 0
        self.inputs: dict[str, Node] = {}

    def input(self, name: str) -> Node:
        self.inputs[name] = self._new("input", ())
        return self.inputs[name]

    def node(self, op: str, *args: Node, number: Scalar | None = None) -> Node:
        if op in COMMUTATIVE and args[0].reduced and not args[1].reduced:
            args = (args[1], args[0])  # the parameter-sized one first: it may be overwritten
        key = (op, *(a.index for a in args), number.source if number is not None else None)
        if key not in self._made:
            self._made[key] = self._new(op, args, number)
        return self._made[key]

    def copy(self, node: Node) -> Node:
        """A copy, always a new node: what a slot holds is never another slot."""
        return self._new("copy", (node,))

    def _new(self, op: str, args: tuple[Node, ...], number: Scalar | None = None) -> Node:
        reduced = op in (*REDUCTIONS, "number") or (bool(args) and all(a.reduced for a in args))
        mask = op in MASKS or (op == "where" and args[1].mask)
        self._count += 1
        return Node(self._count, op, args, number, reduced, mask)

    def fuse(self, outputs: Mapping[str, Node]) -> dict[str, Node]:
        """The same outputs with products and quotients that are used once inside the operation that uses them."""
        uses = Counter(a.index for n in topological(outputs.values()) for a in n.args)
        uses.update(o.index for o in outputs.values())
        fused: dict[int, Node] = {}
        for n in topological(outputs.values()):
            args = tuple(fused[a.index] for a in n.args)
            last = n.args[-1] if n.args else n
            once = uses[last.index] == 1
            if n.op == "sum" and last.op == "mul" and once and not any(a.reduced for a in last.args):
                fused[n.index] = self.node("dot", *args[-1].args)
            elif n.op == "axpy" and last.op in ("mul", "div") and once and not (n.args[0].reduced or last.args[0].reduced):
                fused[n.index] = self.node("addc" + last.op, args[0], *args[-1].args, number=n.number)
            elif args == n.args:
                fused[n.index] = n
            else:
                fused[n.index] = self.node(n.op, *args, number=n.number)
        return {name: fused[o.index] for name, o in outputs.items()}


def topological(outputs: Iterable[Node], known: Iterable[Node] = ()) -> list[Node]:
    """What the outputs need, arguments first, in the order of recording; `known` nodes and what only they need left out."""
    seen, found, waiting = {n.index for n in known}, [], list(outputs)
    while waiting:
        node = waiting.pop()
        if node.index not in seen:
            seen.add(node.index)
            found.append(node)
            waiting.extend(node.args)
    return sorted(found, key=lambda n: n.index)
