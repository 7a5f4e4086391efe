"""Host numbers: what a rule computes from lr, betas and the step is recorded as Python source, run in float64.

A rule is recorded with the numbers of one step at hand.  Where the program depends on a number (is the coefficient
zero, is the condition of a `where` true) the answer becomes a *guard*: at later steps the program is used only while
every guard gives the same answer.  So which program runs depends on the numbers of the step alone, never on history.

Arithmetic follows IEEE 754, as it would in an array: ``0 / 0`` is NaN, not an exception.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lossopt.errors import DefinitionError


def divide(x: float, y: float) -> float:
    """``x / y``; a division by zero gives an infinity or NaN."""
    if y != 0:
        return x / y
    return math.nan if x == 0 or x != x else math.copysign(math.inf, x) * math.copysign(1.0, y)


def power(x: float, y: float) -> float:
    """``x ** y``; inf where it overflows or divides by zero, NaN where it would be complex."""
    try:
        result = x**y
    except (OverflowError, ZeroDivisionError):
        return math.inf
    return math.nan if isinstance(result, complex) else result


def sqrt(x: float) -> float:
    return math.sqrt(x) if x >= 0 else math.nan


def exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan


def sign(x: float) -> float:
    return math.copysign(1.0, x) if x else 0.0 if x == 0 else x


def maximum(x: float, y: float) -> float:
    return x if x > y or x != x else y


def minimum(x: float, y: float) -> float:
    return x if x < y or x != x else y


def bias_correction(beta: float, step: float) -> float:
    """``1 - beta**step`` without cancellation."""
    return -math.expm1(step * math.log(beta)) if beta > 0 else 1.0


# what a guard may ask
def zero(x: float) -> bool:
    return x == 0


def one(x: float) -> bool:
    return x == 1


def positive(x: float) -> bool:
    return x > 0


def moderate(x: float) -> bool:
    """Whether dividing by a coefficient, and multiplying by it afterwards, loses nothing: no overflow, no underflow."""
    return 1e-12 < abs(x) < 1e12


INFIX: Mapping[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "&": operator.and_, "|": operator.or_,
}  # fmt: skip

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (divide, power, sqrt, exp, log, sign, maximum, minimum, bias_correction, abs, bool, zero, one, positive, moderate)
} | {"where": lambda condition, x, y: x if condition else y}


class HostProgram:
    """The host arithmetic of one recording: inputs, lines in order, and guards."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self.inputs: list[str] = []
        self.lines: dict[str, str] = {}  # expression -> the name of its result
        self.guards: dict[str, bool] = {}  # question -> the answer that this program was recorded under

    def input(self, name: str, value: float) -> Scalar:
        """A number that may differ at every step; ``betas[0]`` is called ``betas_0``, and no name is taken twice."""
        name = name.replace("[", "_").replace("]", "")
        while name in FUNCTIONS or name in self.inputs or (name[0] == "t" and name[1:].isdigit()):
            name += "_"
        self.inputs.append(name)
        return Scalar(self, name, value)

    def constant(self, value: Any) -> Scalar:
        return Scalar(self, _literal(value), value, constant=True)

    def scalar(self, value: Any) -> Scalar:
        return value if isinstance(value, Scalar) else self.constant(value)

    def apply(self, name: str, *operands: Any) -> Scalar:
        """The result of an operator or function, as a new line unless everything is constant."""
        scalars = [self.scalar(x) for x in operands]
        value = (INFIX.get(name) or FUNCTIONS[name])(*(s.value for s in scalars))
        if all(s.constant for s in scalars):
            return self.constant(value)
        sources = [s.source for s in scalars]
        expression = f" {name} ".join(sources) if name in INFIX else f"{name}({', '.join(sources)})"
        return Scalar(self, self.lines.setdefault(expression, f"t{len(self.lines)}"), value)

    def holds(self, question: str, scalar: Scalar) -> bool:
        """The answer at this step, kept as a guard unless it can never change."""
        answer = bool(FUNCTIONS[question](scalar.value))
        if not scalar.constant:
            self.guards[f"{question}({scalar.source})"] = answer
        return answer

    def source(self, results: Sequence[Sequence[Scalar]]) -> str:
        """Python source of ``numbers(*inputs) -> (guards, *results)``, each a tuple."""
        returned = [list(self.guards), *([s.source for s in scalars] for scalars in results)]
        needed = {word for part in returned for text in part for word in _names(text)}
        lines = []
        for expression, name in reversed(self.lines.items()):
            if name in needed:
                needed |= _names(expression)
                lines.append(f"    {name} = {expression}")
        tuples = ", ".join(f"({', '.join(part)}{',' if len(part) == 1 else ''})" for part in returned)
        return "\n".join([f"def numbers({', '.join(self.inputs)}):", *reversed(lines), f"    return {tuples}", ""])


class Scalar:
    """A host number while a rule is recorded: a name in the program, and its value at this step."""

    __slots__ = ("constant", "host", "source", "value")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, host: HostProgram, source: str, value: Any, *, constant: bool = False) -> None:
        self.host, self.source, self.value, self.constant = host, source, value, constant

    def is_constant(self, value: float) -> bool:
        return self.constant and self.value == value

    def _with(self, name: str, other: Any, *, swapped: bool = False) -> Any:
        if not isinstance(other, Scalar | int | float):
            return NotImplemented
        return self.host.apply(name, other, self) if swapped else self.host.apply(name, self, other)

    def __add__(self, other: Any) -> Any:
        return self._with("+", other)

    def __radd__(self, other: Any) -> Any:
        return self._with("+", other, swapped=True)

    def __sub__(self, other: Any) -> Any:
        return self._with("-", other)

    def __rsub__(self, other: Any) -> Any:
        return self._with("-", other, swapped=True)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Scalar | int | float):
            if self.is_constant(1):
                return self.host.scalar(other)
            if self.host.scalar(other).is_constant(1):
                return self
        return self._with("*", other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Scalar | int | float) and self.host.scalar(other).is_constant(1):
            return self
        return self._with("divide", other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with("divide", other, swapped=True)

    def __pow__(self, other: Any) -> Any:
        return self._with("power", other)

    def __rpow__(self, other: Any) -> Any:
        return self._with("power", other, swapped=True)

    def __mod__(self, other: Any) -> Any:
        return self._with("%", other)

    def __floordiv__(self, other: Any) -> Any:
        return self._with("//", other)

    def __lt__(self, other: Any) -> Any:
        return self._with("<", other)

    def __le__(self, other: Any) -> Any:
        return self._with("<=", other)

    def __gt__(self, other: Any) -> Any:
        return self._with(">", other)

    def __ge__(self, other: Any) -> Any:
        return self._with(">=", other)

    def __eq__(self, other: object) -> Any:
        return self._with("==", other)

    def __ne__(self, other: object) -> Any:
        return self._with("!=", other)

    def __and__(self, other: Any) -> Any:
        return self._with("&", other)

    def __or__(self, other: Any) -> Any:
        return self._with("|", other)

    def __neg__(self) -> Scalar:
        return self.host.apply("*", -1, self)

    def __abs__(self) -> Scalar:
        return self.host.apply("abs", self)

    def __bool__(self) -> bool:
        raise DefinitionError(f"{self.host.rule} branches on a number; use ops.where")

    def __float__(self) -> float:
        raise DefinitionError(f"{self.host.rule} takes a number out of the program (float, math); use the words of ops, such as ops.sqrt")

    __int__ = __index__ = __float__  # type: ignore[assignment]

    def __repr__(self) -> str:
        return self.source


def _literal(value: Any) -> str:
    """Python source of a number; ``inf`` and ``nan`` are names that the program knows."""
    return repr(value) if isinstance(value, bool | int) else repr(float(value))


def _names(text: str) -> set[str]:
    return set("".join(c if c.isidentifier() or c.isdigit() else " " for c in text).split())
