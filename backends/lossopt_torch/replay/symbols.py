"""What a rule sees while it is recorded: symbols in place of tensors, and the words of `lossopt.ops` over them.

A symbol is ``coefficient * node``.  Multiplying by a number touches the coefficient only, so numbers move outward and
meet on the host, in float64: ``sqrt(v / c) + eps`` becomes ``(sqrt(v) + eps * sqrt(c)) / sqrt(c)``, two tensor
operations.  A sum of two scaled terms takes one coefficient out, ``a*x + b*y = a * (x + (b/a) * y)``, where that loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lossopt.definition import Spec, keywords
from lossopt.errors import DefinitionError
from lossopt.vector import State
from lossopt_torch.replay.graph import Graph, Node
from lossopt_torch.replay.numbers import HostProgram, Scalar

PARAM, GRAD = "param", "grad"
TAKEN = (PARAM, GRAD, "torch", "tensors", "blocks", "elements", "zip", "float")


class Unrecordable(Exception):
    """A rule does what cannot be recorded; the message completes ``f"{rule} ..."``."""


class Dtype:
    """Stands for the parameter's dtype, the only one that a recorded rule can cast to."""


class Symbol:
    """A tensor while a rule is recorded: ``coefficient * node``."""

    __slots__ = ("coefficient", "node", "words")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, words: RecordingWords, node: Node, coefficient: Scalar | None = None) -> None:
        self.words, self.node = words, node
        self.coefficient = words.host.constant(1) if coefficient is None else coefficient

    @property
    def dtype(self) -> Dtype:
        return Dtype()

    def materialized(self) -> Node:
        """The node that is this symbol, its coefficient multiplied in."""
        if self.coefficient.is_constant(1):
            return self.node
        return self.words.graph.node("scale", self.node, number=self.coefficient)

    def _times(self, factor: Scalar) -> Symbol:
        return Symbol(self.words, self.node, self.coefficient * factor)

    def __neg__(self) -> Symbol:
        return self._times(self.words.host.constant(-1))

    def __mul__(self, other: Any) -> Symbol:
        if isinstance(other, Symbol):
            return self.words.apply("mul", self.node, other.node, coefficient=self.coefficient * other.coefficient)
        return self._times(self.words.host.scalar(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Symbol:
        if not isinstance(other, Symbol):
            return Symbol(self.words, self.node, self.coefficient / self.words.host.scalar(other))
        other = self.words.divisor(other)
        return self.words.apply("div", self.node, other.node, coefficient=self.coefficient / other.coefficient)

    def __rtruediv__(self, other: Any) -> Symbol:
        own = self.words.divisor(self)
        return self.words.apply("reciprocal", own.node, coefficient=self.words.host.scalar(other) / own.coefficient)

    def __add__(self, other: Any) -> Symbol:
        return self.words.add(self, other) if isinstance(other, Symbol) else self.words.shift(self, self.words.host.scalar(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Symbol:
        return self + -other

    def __rsub__(self, other: Any) -> Symbol:
        return -self + other

    def __pow__(self, exponent: Any) -> Symbol:
        if isinstance(exponent, Symbol):
            raise Unrecordable("raises to the power of a tensor, which replay cannot record")
        exponent = self.words.host.scalar(exponent)
        if exponent.is_constant(2):
            return self * self
        return self.words.apply("power", self.materialized(), number=exponent)

    def __rpow__(self, base: Any) -> Symbol:
        raise Unrecordable("raises to the power of a tensor, which replay cannot record")

    def __matmul__(self, other: Any) -> Symbol:
        raise Unrecordable("multiplies matrices, which replay cannot record")

    __rmatmul__ = __matmul__

    def __lt__(self, other: Any) -> Symbol:
        return self.words.compare("lt", self, other)

    def __le__(self, other: Any) -> Symbol:
        return self.words.compare("le", self, other)

    def __gt__(self, other: Any) -> Symbol:
        return self.words.compare("gt", self, other)

    def __ge__(self, other: Any) -> Symbol:
        return self.words.compare("ge", self, other)

    def __eq__(self, other: object) -> Any:
        return self.words.compare("eq", self, other)

    def __ne__(self, other: object) -> Any:
        return self.words.compare("ne", self, other)

    def __and__(self, other: Any) -> Symbol:
        return self.words.both("logical_and", self, other)

    def __or__(self, other: Any) -> Symbol:
        return self.words.both("logical_or", self, other)

    __rand__, __ror__ = __and__, __or__

    def __bool__(self) -> bool:
        raise DefinitionError(f"{self.words.host.rule} branches on a tensor; use ops.where")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise Unrecordable(f"reads .{name} of a tensor, which replay cannot record")


class RecordingWords:
    """`lossopt.ops.Ops` over symbols.  A word that is not here cannot be recorded."""

    def __init__(self, host: HostProgram, graph: Graph) -> None:
        self.host, self.graph = host, graph

    def __getattr__(self, word: str) -> Any:
        if word.startswith("_"):
            raise AttributeError(word)
        raise Unrecordable(f"uses ops.{word}, which replay cannot record")

    # -- building blocks
    def apply(self, op: str, *args: Node, number: Scalar | None = None, coefficient: Scalar | None = None) -> Symbol:
        return Symbol(self, self.graph.node(op, *args, number=number), coefficient)

    def symbol(self, x: Any) -> Symbol:
        """A symbol; a host number becomes a 0-d tensor."""
        return x if isinstance(x, Symbol) else self.apply("number", number=self.host.scalar(x))

    def divisor(self, x: Symbol) -> Symbol:
        """`x` with a coefficient that may be divided by."""
        return x if not self.host.holds("zero", x.coefficient) else Symbol(self, x.materialized())

    def shift(self, x: Symbol, number: Scalar) -> Symbol:
        if self.host.holds("zero", number):
            return x
        if x.coefficient.is_constant(1):
            return self.apply("shift", x.node, number=number)
        if self.host.holds("moderate", x.coefficient):
            return self.apply("shift", x.node, number=number / x.coefficient, coefficient=x.coefficient)
        return self.apply("shift", x.materialized(), number=number)

    def add(self, x: Symbol, y: Symbol) -> Symbol:
        """``a*x + b*y`` as a multiple of ``x + (b/a) * y``."""
        for term, other in ((x, y), (y, x)):
            if self._nothing(term):
                return other
        for term, other in ((x, y), (y, x)):
            if self._is_one(term.coefficient):
                return self.apply("axpy", term.node, other.node, number=other.coefficient)
        if x.node.op in ("mul", "div"):
            x, y = y, x  # x + k * (p / q) is one operation
        for term, other in ((x, y), (y, x)):
            ratio = other.coefficient / term.coefficient
            if self.host.holds("moderate", ratio):
                return self.apply("axpy", term.node, other.node, number=ratio, coefficient=term.coefficient)
        return self.apply("axpy", x.materialized(), y.node, number=y.coefficient)

    def _nothing(self, x: Symbol) -> bool:
        """A decay of zero does not read the parameter (nor does PyTorch's: ``0 * inf`` is no concern of either)."""
        return x.node is self.graph.inputs[PARAM] and self.host.holds("zero", x.coefficient)

    def _is_one(self, coefficient: Scalar) -> bool:
        return self.host.holds("one", coefficient)

    def compare(self, op: str, x: Symbol, y: Any) -> Symbol:
        if isinstance(y, Symbol):
            return self.apply(op, x.materialized(), y.materialized())
        return self.apply(f"{op}_number", x.materialized(), number=self.host.scalar(y))

    def both(self, op: str, x: Symbol, y: Any) -> Symbol:
        if not isinstance(y, Symbol):
            raise Unrecordable("combines a tensor's condition with a number's, which replay cannot record")
        return self.apply(op, x.node, y.node)

    def _positive_first(self, op: str, x: Any) -> Any:
        """A word that a positive factor passes through: ``sqrt(c*x) = sqrt(c) * sqrt(x)``."""
        if isinstance(x, Scalar | int | float):
            return self.host.apply(op, x)
        if self.host.holds("positive", x.coefficient):
            return self.apply(op, x.node, coefficient=self.host.apply(op, x.coefficient))
        return self.apply(op, x.materialized())

    def _either(self, op: str, x: Any) -> Any:
        return self.host.apply(op, x) if isinstance(x, Scalar | int | float) else self.apply(op, x.materialized())

    def _extreme(self, op: str, clamp: str, x: Any, y: Any) -> Any:
        if not isinstance(x, Symbol) and not isinstance(y, Symbol):
            return self.host.apply(op, x, y)
        if isinstance(x, Symbol) and isinstance(y, Symbol):
            return self.apply(op, x.materialized(), y.materialized())
        tensor, number = (x, y) if isinstance(x, Symbol) else (y, x)
        return self.apply(clamp, tensor.materialized(), number=self.host.scalar(number))

    # -- the words
    def sqrt(self, x: Any) -> Any:
        return self._positive_first("sqrt", x)

    def abs(self, x: Any) -> Any:
        return self._positive_first("abs", x)

    def exp(self, x: Any) -> Any:
        return self._either("exp", x)

    def log(self, x: Any) -> Any:
        return self._either("log", x)

    def sign(self, x: Any) -> Any:
        """-1, 0 or 1; NaN of NaN, where torch.sign gives 0: clamped between its sign and its sign, NaN stays NaN."""
        if isinstance(x, Scalar | int | float):
            return self.host.apply("sign", x)
        node = x.node if self.host.holds("positive", x.coefficient) else x.materialized()
        return self.apply("clamp", node, self.graph.node("sign", node))

    def maximum(self, x: Any, y: Any) -> Any:
        return self._extreme("maximum", "clamp_min", x, y)

    def minimum(self, x: Any, y: Any) -> Any:
        return self._extreme("minimum", "clamp_max", x, y)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        if isinstance(condition, Symbol):
            return self.apply("where", condition.node, self.symbol(x).materialized(), self.symbol(y).materialized())
        if isinstance(x, Symbol) or isinstance(y, Symbol):
            return x if self.host.holds("bool", self.host.scalar(condition)) else y
        return self.host.apply("where", condition, x, y)

    def cond(self, predicate: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        if isinstance(predicate, Symbol):
            raise Unrecordable("uses ops.cond on a tensor, which replay cannot record")
        return then() if self.host.holds("bool", self.host.scalar(predicate)) else otherwise()

    def lerp(self, start: Any, end: Any, weight: Any) -> Any:
        if not (isinstance(start, Symbol) and isinstance(end, Symbol)) or isinstance(weight, Symbol):
            return start + weight * (end - start)
        return self.apply("lerp", start.materialized(), end.materialized(), number=self.host.scalar(weight))

    def cast(self, x: Symbol, dtype: Any) -> Symbol:
        if not isinstance(dtype, Dtype):
            raise Unrecordable(f"casts to {dtype}, which replay cannot record")
        return self.apply("cast", x.node) if x.node.mask else x

    def zeros_like(self, x: Symbol) -> Symbol:
        return self.full_like(x, 0.0)

    def full_like(self, x: Symbol, value: Any) -> Symbol:
        return self.apply("number" if x.node.reduced else "fill", number=self.host.scalar(value))

    def number(self, value: Any, like: Any = None) -> Scalar:
        return self.host.scalar(value)

    def sum(self, x: Symbol, axis: int | None = None) -> Symbol:
        if axis is not None:
            raise Unrecordable("uses ops.sum along an axis, which replay cannot record")
        return self.apply("sum", x.node, coefficient=x.coefficient)

    def mean(self, x: Symbol, axis: int | None = None) -> Symbol:
        if axis is not None:
            raise Unrecordable("uses ops.mean along an axis, which replay cannot record")
        return self.apply("per_element", self.sum(x).node, coefficient=x.coefficient)

    def dot(self, x: Symbol, y: Symbol) -> Symbol:
        return self.sum(x * y)

    def norm(self, x: Symbol) -> Symbol:
        """``|c| * sqrt(sum(x * x))``."""
        return self.apply("sqrt", self.graph.node("sum", self.graph.node("mul", x.node, x.node)), coefficient=abs(x.coefficient))

    def bias_correction(self, beta: Any, step: Any) -> Any:
        return self.host.apply("bias_correction", beta, step)


# ------------------------------------------------------------------------------------------------- recording
@dataclass(frozen=True)
class Recording:
    """A rule as a graph: the new parameter and the new slots as nodes, the new number slots as scalars."""

    host: HostProgram
    graph: Graph
    outputs: Mapping[str, Node]
    numbers: Mapping[str, Scalar]


def record(spec: Spec, hyperparameters: Mapping[str, Any], live: Mapping[str, float], slots: tuple[str, ...],
           numbers: Mapping[str, float], step: int | None) -> Recording:  # fmt: skip
    """Run the rule once on symbols.

    Args:
        spec: a singular rule.
        hyperparameters: by name; a `Live` in place of a number names an entry of `live`.
        live: the numbers that may change at every step, with this step's values.
        slots: the names of the slots that are tensors.
        numbers: the slots that are numbers, with this step's values.
        step: the step, 1 at the first update; None for a rule that does not ask.
    """
    rule = spec.definition
    host, graph = HostProgram(rule.name), Graph()
    words = RecordingWords(host, graph)
    scalars = {name: host.input(name, value) for name, value in live.items()}
    param, grad = (Symbol(words, graph.input(name)) for name in (PARAM, GRAD))
    own: dict[str, Any] = {name: Symbol(words, graph.input(variable(name))) for name in slots}
    own.update({name: host.input(name, value) for name, value in numbers.items()})
    asks = [host.input("step", step)] if step is not None else []
    state = State(**own, **({"step": asks[0]} if asks else {}))
    given = {name: _scalars(hyperparameters[name], scalars) for name in keywords(rule.text)}
    delta, new = rule.text(words, grad, state, param, *asks, **given)
    return _finish(words, param + delta, own, {n: v for n, v in new.items() if n != "step"})


def variable(slot: str) -> str:
    """What a slot is called in a program: its own name, unless the program needs that for something else."""
    return f"{slot}_" if slot in TAKEN or (slot[0] in "krmz" and slot[1:].isdigit()) else slot


def _scalars(value: Any, scalars: Mapping[str, Scalar]) -> Any:
    if isinstance(value, Live):
        return scalars[value.name]
    return tuple(_scalars(v, scalars) for v in value) if isinstance(value, tuple) else value


@dataclass(frozen=True)
class Live:
    """Stands among the hyperparameters for a number that may change at every step."""

    name: str


def _finish(words: RecordingWords, param: Symbol, own: Mapping[str, Any], new: Mapping[str, Any]) -> Recording:
    if set(new) != set(own):
        raise Unrecordable(f"changes which slots there are ({', '.join(sorted(set(new) ^ set(own)))}), which replay cannot record")
    outputs, numbers = {PARAM: param.materialized()}, {}
    for name, value in new.items():
        if isinstance(value, Symbol) != isinstance(own[name], Symbol) or (isinstance(value, Symbol) and value.node.reduced):
            raise Unrecordable(f"keeps a number of each parameter's tensors in the slot {name!r}, which replay cannot record")
        if isinstance(value, Symbol):
            outputs[variable(name)] = value.materialized()
        else:
            numbers[name] = words.host.scalar(value)
    graph = words.graph
    outputs = graph.fuse({n: o for n, o in outputs.items() if o is not graph.inputs[n]})
    taken: set[int] = set()
    for name, node in outputs.items():  # what is a slot's new value already, or an input, is copied
        if node.op == "input" or node.index in taken:
            outputs[name] = graph.copy(node)
        taken.add(node.index)
    return Recording(words.host, graph, outputs, numbers)
