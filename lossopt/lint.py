"""Does a rule's text branch in Python on a number?  Then no backend could trace it, and `lint` says where.

A rule may branch on what is fixed when the optimizer is made: switches (bool, str, None), the state's structure
(``"slot" in state``), shapes.  A number (a hyperparameter that may be a schedule, the step, the loss value, an array) is
not known then.  The check reads the text, follows what is assigned from what, and reads the helpers that the text calls.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lossopt.definition import Definition, Loss, Optimizer, Schedule, Spec, keywords
from lossopt.errors import DefinitionError

FIXED, COUNT, NUMBER = range(3)
"""How much of a value is unknown when the optimizer is made: nothing; a whole number that may bound a loop; all."""

STATIC_ATTRIBUTES = frozenset({"shape", "ndim", "dtype", "size"})
STATIC_CALLS = frozenset({"len", "isinstance", "hasattr", "callable", "type", "str", "repr"})
STATIC_WORDS = frozenset({"is_floating"})

DRAWS = frozenset({"noise", "evaluate", "hessian"})
"""What is lent to a rule and gives numbers, whatever it is given."""

REMEDIES = {
    "branch": "write ops.where(condition, x, y), or ops.cond(condition, then, otherwise) where one side must not run",
    "while": "write ops.while_loop(keep_going, body, carry)",
    "boolean": "write & and | between conditions",
    "not": "write the opposite comparison",
    "chain": "it joins with `and`: write (a < x) & (x < b)",
    "assert": "check in `start`, or where the optimizer is made",
    "range": "a loop's length is a whole number that does not change",
    "max": "write ops.maximum(x, y)",
    "min": "write ops.minimum(x, y)",
    "abs": "write ops.abs(x)",
    "sorted": "the order of arrays is not known when the rule is traced",
    "any": "write ops.max(ops.where(condition, 1.0, 0.0)) > 0",
    "all": "write & between conditions",
    "bool": "keep the condition, for ops.where or ops.cond",
    "int": "keep the number as it is; ops.cast changes a dtype",
    "float": "keep the number as it is; ops.cast changes a dtype",
    "round": "arrays cannot be rounded by Python",
    "module": "math and numpy take known numbers only: write the same word of ops",
}
CONCRETE = ("max", "min", "abs", "sorted", "any", "all", "bool", "int", "float", "round")


@dataclass(frozen=True)
class Finding:
    """One place where a text branches on a number.

    Attributes:
        definition: whose text it is.
        file, line: where it stands.
        code: the expression.
        problem: what it does, and `remedy` what to write instead.
    """

    definition: str
    file: str
    line: int
    code: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.definition}: `{self.code}` {self.problem}: {self.remedy}"


def lint(definition: Definition | Spec) -> list[Finding]:
    """Where the text of a definition branches in Python on a number; an empty list is what it should be.

    Args:
        definition: a loss, optimizer, schedule or transform; of a spec, its own and what it wraps.

    Raises:
        DefinitionError: the source cannot be read (a function made by exec, or typed at a prompt).

    Example:
        >>> from lossopt.optimizers import adamw
        >>> lint(adamw)
        []
    """
    if isinstance(definition, Spec):
        return [f for _, spec in definition.walk() for f in lint(spec.definition)]
    found: dict[tuple[str, int, str], Finding] = {}
    for text in _texts(definition):
        reader = Reader(definition.name)
        reader.read(text, _levels(definition, text))
        found |= {(f.file, f.line, f.code): f for f in reader.findings}
    return [found[key] for key in sorted(found)]


def _texts(d: Definition) -> list[Callable[..., Any]]:
    """Everything of a definition that a backend traces."""
    more = (d.start, d.eval_point) if isinstance(d, Optimizer) else (getattr(d, "start", None), *getattr(d, "also", {}).values())
    return [d.text, *(fn for fn in more if fn is not None)]


def _levels(d: Definition, text: Callable[..., Any]) -> dict[str, int]:
    """What is known of each parameter of a text before it runs.

    The hyperparameters that `start` reads are plain values, so are the numbers of a loss (but not its arrays, such as
    class weights), and all of a schedule's but its lr.
    """
    plain = d.structural if isinstance(d, Optimizer) else set(d.defaults) - {"lr"} if isinstance(d, Schedule) else set()
    if isinstance(d, Loss):
        plain = {name for name, annotation in d.annotations.items() if annotation is not Any}
    lent = {"ops", "inner", "inners", "evaluate", "hessian", "noise"}
    levels = {}
    for name in inspect.signature(text).parameters:
        known = name in plain or name in lent or (name not in d.defaults and name in keywords(text))
        levels[name] = FIXED if known else _level_of(d.annotations[name]) if name in d.defaults else NUMBER
    return levels


def _level_of(annotation: Any) -> int:
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal or annotation in (bool, str, None, type(None)):
        return FIXED
    if origin is typing.Annotated:
        return _level_of(parts[0])
    if origin in (typing.Union, types.UnionType, tuple):
        return max((_level_of(p) for p in parts if p is not Ellipsis), default=FIXED)
    return COUNT if annotation is int else NUMBER


class Reader:
    """Reads one function, statement by statement, with what is known of each name."""

    def __init__(self, owner: str, seen: set[Any] | None = None) -> None:
        self.owner, self.findings = owner, list[Finding]()
        self.seen = set() if seen is None else seen
        self.file, self.offset = "", 0
        self.globals: Mapping[str, Any] = {}
        self.names: dict[str, int] = {}

    def read(self, fn: Callable[..., Any], levels: Mapping[str, int]) -> None:
        """Read a function whose parameters are known so far."""
        fn = inspect.unwrap(fn)
        try:
            lines, first = inspect.getsourcelines(fn)
        except OSError:
            raise DefinitionError(f"{self.owner}: the source of {fn.__name__} cannot be read; define it in a file") from None
        node = ast.parse(textwrap.dedent("".join(lines))).body[0]
        self.file, self.offset = inspect.getsourcefile(fn) or "", first - 1
        self.globals, self.names = getattr(fn, "__globals__", {}), dict(levels)
        if isinstance(node, ast.FunctionDef):
            self.block(node.body)

    # -- statements
    def block(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, s: ast.stmt) -> None:
        match s:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self.bind(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.bind(target, value)
            case ast.AugAssign(target=target, value=value):
                self.assign(target, max(self.level(target), self.level(value)))
            case ast.If(test=test):
                self.decides(test, "branch", "branches on")
                self.block([*s.body, *s.orelse])
            case ast.While(test=test):
                self.loop(s.body)
                self.decides(test, "while", "loops on")
            case ast.For(target=target, iter=over):
                self.each(target, over)
                self.loop([*s.body, *s.orelse])
            case ast.Assert(test=test):
                self.decides(test, "assert", "asserts on")
            case ast.Match(subject=subject):
                self.decides(subject, "branch", "branches on")
                for case in s.cases:
                    self.block(case.body)
            case ast.FunctionDef(name=name):
                self.inside(s.args, lambda: self.block(s.body))
                self.names[name] = FIXED
            case ast.With(body=body):
                self.block(body)
            case ast.Raise():
                return
            case _:
                for child in ast.iter_child_nodes(s):
                    if isinstance(child, ast.expr):
                        self.level(child)

    def loop(self, body: list[ast.stmt]) -> None:
        """Twice: what the first round assigns, the second reads."""
        before = len(self.findings)
        self.block(body)
        del self.findings[before:]
        self.block(body)

    def bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            levels = [self.level(v) for v in value.elts]
            for part, level in zip(target.elts, levels, strict=True):
                self.assign(part, level)
        else:
            self.assign(target, self.level(value))

    def each(self, target: ast.expr, over: ast.expr) -> None:
        """What a loop's target stands for; of a zip, each part for its own."""
        level = self.level(over)
        while isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id in ("reversed", "list", "tuple"):
            over = over.args[0]
        pairs = isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id in ("zip", "enumerate")
        if pairs and isinstance(over, ast.Call) and isinstance(target, ast.Tuple) and not isinstance(target.elts[-1], ast.Starred):
            counted = over.func.id == "enumerate" if isinstance(over.func, ast.Name) else False
            levels = [FIXED] * counted + [self.level(a) for a in over.args]
            if len(levels) == len(target.elts):
                for part, known in zip(target.elts, levels, strict=True):
                    self.assign(part, known)
                return
        self.assign(target, level)

    def assign(self, target: ast.expr, level: int) -> None:
        match target:
            case ast.Name(id=name):
                self.names[name] = level
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self.assign(part, level)
            case ast.Starred(value=value):
                self.assign(value, level)

    def inside(self, args: ast.arguments, body: Callable[[], Any]) -> None:
        """A function within: what is handed to it is an array; what it assigns stays in it."""
        outside = dict(self.names)
        self.names |= {a.arg: NUMBER for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
        body()
        self.names = outside

    # -- expressions
    def level(self, e: ast.expr) -> int:
        """How much of an expression is unknown; on the way, what it branches on is noted."""
        match e:
            case ast.Constant():
                return FIXED
            case ast.Name(id=name):
                return self.names.get(name, FIXED)
            case ast.Attribute(value=value, attr=attribute):
                level = self.level(value)
                return FIXED if attribute in STATIC_ATTRIBUTES else level
            case ast.Call():
                return self.call(e)
            case ast.Compare():
                return self.compare(e)
            case ast.BoolOp(values=values):
                for value in values[:-1]:
                    self.decides(value, "boolean", "takes the truth of")
                return max(self.level(values[-1]), *(self.level(v) for v in values[:-1]))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.decides(operand, "not", "takes the truth of")
                return self.level(operand)
            case ast.IfExp(test=test, body=then, orelse=otherwise):
                self.decides(test, "branch", "branches on")
                return max(self.level(then), self.level(otherwise))
            case ast.Lambda(args=args, body=body):
                self.inside(args, lambda: self.level(body))
                return FIXED
            case ast.ListComp(generators=generators) | ast.GeneratorExp(generators=generators) | ast.SetComp(generators=generators):
                return self.comprehension(generators, e.elt)
            case ast.DictComp(generators=generators, value=value):
                return self.comprehension(generators, value)
            case ast.Subscript(value=value, slice=index):
                return max(self.level(value), self.level(index))
            case _:
                return max((self.level(c) for c in ast.iter_child_nodes(e) if isinstance(c, ast.expr)), default=FIXED)

    def comprehension(self, generators: list[ast.comprehension], element: ast.expr) -> int:
        outside = dict(self.names)
        for g in generators:
            self.each(g.target, g.iter)
            for test in g.ifs:
                self.decides(test, "branch", "filters on")
        level = self.level(element)
        self.names = outside
        return level

    def compare(self, e: ast.Compare) -> int:
        if all(isinstance(op, ast.Is | ast.IsNot) for op in e.ops):
            return FIXED
        if len(e.ops) == 1 and isinstance(e.ops[0], ast.In | ast.NotIn) and isinstance(e.left, ast.Constant):
            return FIXED  # "slot" in state
        level = max(self.level(part) for part in (e.left, *e.comparators))
        if level > FIXED and len(e.ops) > 1:
            self.note(e, "chain", "is a chain of comparisons")
        return level

    def call(self, e: ast.Call) -> int:
        given = [*e.args, *(k.value for k in e.keywords)]
        level = max((self.level(a) for a in given), default=FIXED)
        match e.func:
            case ast.Name(id=name) if name not in self.names and hasattr(builtins, name) and name not in self.globals:
                if name in CONCRETE and level > FIXED:
                    self.note(e, name, "needs a number that is known")
                if name == "range" and level == NUMBER:
                    self.note(e, "range", "loops over a number")
                return FIXED if name in STATIC_CALLS else level
            case ast.Name(id=name) if isinstance(self.globals.get(name), types.FunctionType) and name not in self.names:
                self.helper(self.globals[name], e)
                return level
            case ast.Attribute(value=ast.Name(id=module), attr=word) if isinstance(self.globals.get(module), types.ModuleType):
                called = getattr(self.globals[module], word, None)
                if isinstance(called, types.FunctionType) and called.__module__.startswith("lossopt."):
                    self.helper(called, e)
                elif level > FIXED:
                    self.note(e, "module", "computes outside ops")
                return level
            case ast.Name(id=name) if name in DRAWS:
                return NUMBER
            case ast.Attribute(value=ast.Name(id="ops"), attr=word):
                return FIXED if word in STATIC_WORDS else max(level, NUMBER)
            case _:
                return max(level, self.level(e.func))

    def helper(self, fn: Callable[..., Any], e: ast.Call) -> None:
        """Read a helper with what this call knows of its arguments."""
        parameters = list(inspect.signature(fn).parameters)
        levels = dict.fromkeys(parameters, FIXED)
        levels |= dict(zip(parameters, (self.level(a) for a in e.args), strict=False))
        levels |= {k.arg: self.level(k.value) for k in e.keywords if k.arg in levels}
        asked = (fn, tuple(levels.items()))
        if asked in self.seen or fn.__module__ in INFRASTRUCTURE:
            return
        self.seen.add(asked)
        reader = Reader(self.owner, self.seen)
        reader.read(fn, levels)
        self.findings += reader.findings

    def decides(self, test: ast.expr, remedy: str, does: str) -> None:
        level = self.level(test)
        if isinstance(test, ast.BoolOp):  # its other operands have been judged on the way
            self.decides(test.values[-1], remedy, does)
        elif level > FIXED:
            self.note(test, remedy, f"{does} a number")

    def note(self, e: ast.expr, remedy: str, problem: str) -> None:
        found = Finding(self.owner, self.file, self.offset + e.lineno, ast.unparse(e), problem, REMEDIES[remedy])
        if found not in self.findings:
            self.findings.append(found)


INFRASTRUCTURE = frozenset({"lossopt.vector", "lossopt.errors", "lossopt.hyper", "lossopt.definition", "lossopt.ops", "lossopt.carry"})
"""Modules whose functions take numbers as they are."""
