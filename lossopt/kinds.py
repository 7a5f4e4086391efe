"""What a definition is: one text with its schema, of an optimizer, a transform, a loss or a schedule, and a spec of it."""

from __future__ import annotations

import functools
import inspect
import itertools
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, TypeVar

from lossopt import hyper
from lossopt.errors import ArgumentError, DefinitionError, UnknownNameError, suggest
from lossopt.spelling import to_canonical
from lossopt.vector import State

Kind = Literal["optimizer", "transform", "loss", "schedule"]
Conventions = Mapping[str, Mapping[str, Any]]
D = TypeVar("D", bound="Definition")

ASKABLE = ("step", "value", "metric", "evaluate", "hessian", "noise", "inner", "inners")
"""What a carrier can lend to a rule that asks for it by name."""

listeners: list[Callable[[Definition], None]] = []
"""Called with each new definition; the registry is the one that listens."""


@dataclass(frozen=True)
class Definition:
    """One text of mathematics with its schema.  Calling it fills in hyperparameters.

    Attributes:
        name: the canonical name.
        text: the pure function.
        defaults: every hyperparameter with its default under the torch convention.
        conventions: per convention, the switches and defaults that differ from `defaults`.
        spellings: further names of hyperparameters, as other frameworks spell them: ``{"decay": "alpha"}``.
        elsewhere: where each framework keeps the same thing, and any difference: ``{"optax": "optax.adamw"}``.
    """

    kind: ClassVar[Kind]

    name: str
    text: Callable[..., Any]
    defaults: Mapping[str, Any]
    conventions: Conventions
    spellings: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    doc: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", self.doc)  # help(adamw) is adamw's page, not this class's
        for convention, changes in self.conventions.items():
            if unknown := set(changes) - set(self.defaults) - {"reduction"}:
                raise DefinitionError(f"{self.name}: convention {convention!r} sets {sorted(unknown)}, which the signature lacks")

    @functools.cached_property
    def annotations(self) -> Mapping[str, Any]:
        """The type of each hyperparameter: from the signature, else from its name, else from its default."""
        try:
            hints = typing.get_type_hints(inspect.unwrap(self.text), include_extras=True)
        except NameError:  # a name that only a type checker imports
            hints = {}
        return {n: hints.get(n) or hyper.WELL_KNOWN.get(n) or _type_of(v) for n, v in self.defaults.items()}

    def defaults_of(self, convention: str) -> dict[str, Any]:
        """Every hyperparameter with its default under a convention."""
        if convention not in self.conventions:
            raise UnknownNameError(
                f"{self.name} has no convention {convention!r}{suggest(convention, self.conventions) or '.'}"
                f" It has: {', '.join(self.conventions)}"
            )
        return {**self.defaults, **{k: v for k, v in self.conventions[convention].items() if k in self.defaults}}

    def resolve(self, given: Mapping[str, Any], convention: str) -> dict[str, Any]:
        """All hyperparameters: the convention's defaults, changed by what was given, in canonical names and in range."""
        defaults = self.defaults_of(convention)
        resolved = {**defaults, **to_canonical(self, given, defaults)}
        for name, value in resolved.items():
            if value is not defaults[name]:
                hyper.check(self.name, name, value, self.annotations[name])
            elif value is hyper.REQUIRED:
                raise ArgumentError(
                    f"{self.name}() needs {name} ({hyper.describe(self.annotations[name])}): write {self.name}({name}=...)"
                )
        return {n: tuple(v) if isinstance(v, list) else v for n, v in resolved.items()}

    def variant(self: D, name: str, *, conventions: Conventions, doc: str, elsewhere: Mapping[str, str] | None = None,
                **changes: Any) -> D:  # fmt: skip
        """The same text under another name, with other defaults: adamw is adam with decoupled decay."""
        made = replace(self, name=name, defaults={**self.defaults, **changes}, conventions=conventions, doc=doc,
                       elsewhere=elsewhere or {})  # fmt: skip
        announce(made)
        return made

    def __repr__(self) -> str:
        return f"<lossopt {self.kind} {self.name}>"

    def __reduce__(self) -> Any:
        from lossopt import registry

        return (registry.definition, (self.name, self.kind))


@dataclass(frozen=True)
class Slot:
    """A slot that starts at zero, and the hyperparameter without which it is not there."""

    name: str
    needs: str | None = None

    @classmethod
    def parse(cls, text: str) -> Slot:
        """``"exp_avg"``, or ``"max_exp_avg_sq if amsgrad"``."""
        name, _, needs = text.partition(" if ")
        return cls(name.strip(), needs.strip() or None)

    def present(self, hyperparameters: Mapping[str, Any]) -> bool:
        """Whether a parameter with these hyperparameters has the slot; a live number always has it."""
        value = True if self.needs is None else hyperparameters[self.needs]
        return hyper.is_live(value) or bool(value)


@dataclass(frozen=True, repr=False)
class Optimizer(Definition):
    """A rule: ``(ops, grad, state, param, *asks, **hyperparameters) -> (update, state)``.

    Singular, it sees one parameter; plural (``grads, state, params``), all of them as one long vector.  One that works
    `by_rows` does nothing where a row of the gradient is zero, so that a carrier may give it the other rows alone.  With
    ``example_grads`` in place of ``grads`` it takes the gradient of each example, on a leading axis.
    """

    kind: ClassVar[Kind] = "optimizer"

    slots: tuple[Slot, ...] = ()
    start: Callable[..., State] | None = None
    asks: tuple[str, ...] = ()
    plural: bool = False
    asks_with: Mapping[str, str] = field(default_factory=dict)
    per_example: bool = False
    passes_on: bool = False
    eval_point: Callable[..., Any] | None = None
    parts: Callable[..., tuple[tuple[int, ...], ...]] | None = None
    spec_check: Callable[..., None] | None = None
    by_rows: bool = False

    @functools.cached_property
    def structural(self) -> frozenset[str]:
        """Hyperparameters that decide which slots there are: fixed when the optimizer is made."""
        return frozenset(n for fn in (self.start, self.parts) if fn for n in keywords(fn)) | set(self.asks_with.values())

    @property
    def wraps(self) -> bool:
        return "inner" in self.asks or "inners" in self.asks

    def __call__(self, *inner: Spec, convention: str = "torch", **hyperparameters: Any) -> Spec:
        for given in inner:
            if not isinstance(given, Spec):
                raise ArgumentError(f"{self.name}() wraps optimizers such as adamw(lr=1e-3), got {given!r}")
        if self.wraps and not inner:
            raise ArgumentError(f"{self.name}() wraps another optimizer: {self.name}(adamw(lr=1e-3))")
        if inner and not self.wraps:
            raise ArgumentError(f"{self.name}() wraps nothing; compose with chain({self.name}(...), ...)")
        if len(inner) > 1 and "inners" not in self.asks:
            raise ArgumentError(f"{self.name}() wraps one optimizer, got {len(inner)}")
        for j, given in enumerate(inner):
            if given.per_example and (j > 0 or not self.passes_on):
                raise ArgumentError(f"{self.name}() cannot wrap {given!r} here, which takes the gradient of each example as it came: "
                                    f"put it first, chain({given.definition.name}(...), ...)")  # fmt: skip
        resolved = self.resolve(hyperparameters, convention)
        for name in self.structural:
            if hyper.is_live(resolved[name]):
                raise ArgumentError(f"{self.name}: {name} decides the shape of the state, so it is a plain value, not a schedule")
        if self.spec_check:
            self.spec_check(*inner, **resolved)
        return Spec(self, resolved, inner, convention)


@dataclass(frozen=True, repr=False)
class Transform(Optimizer):
    """A rule that changes gradients or wraps other rules, rather than one that trains on its own."""

    kind: ClassVar[Kind] = "transform"


@dataclass(frozen=True)
class Spec:
    """A rule with its hyperparameters, around the specs it wraps.  A value: it prints, compares and is emitted.

    >>> from lossopt.optimizers import adamw
    >>> from lossopt.transforms import chain, clip_by_global_norm, ema
    >>> ema(chain(clip_by_global_norm(max_norm=0.5), adamw(lr=1e-4)))
    ema(chain(clip_by_global_norm(max_norm=0.5), adamw(lr=0.0001)))
    """

    definition: Optimizer
    hyperparameters: Mapping[str, Any]
    inner: tuple[Spec, ...] = ()
    convention: str = "torch"

    def walk(self, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Spec]]:
        """Every spec in the tree with its path, outermost first."""
        yield path, self
        for i, spec in enumerate(self.inner):
            yield from spec.walk((*path, i))

    @functools.cached_property
    def flat_names(self) -> Mapping[tuple[tuple[int, ...], str], str]:
        """(path, hyperparameter) -> one flat name: ``lr`` where that is unique, ``adamw.lr`` where it is not."""
        found = [(path, name, spec) for path, spec in self.walk() for name in spec.hyperparameters]
        counts = _count(name for _, name, _ in found)
        dotted = _count(f"{spec.definition.name}.{name}" for _, name, spec in found)

        def flat(path: tuple[int, ...], name: str, spec: Spec) -> str:
            if counts[name] == 1:
                return name
            long = f"{spec.definition.name}.{name}"
            return long if dotted[long] == 1 else f"{spec.definition.name}[{'.'.join(map(str, path))}].{name}"

        return {(path, name): flat(path, name, spec) for path, name, spec in found}

    @functools.cached_property
    def flat(self) -> Mapping[str, Any]:
        """Every hyperparameter of the tree by its flat name."""
        specs = dict(self.walk())
        return {flat: specs[path].hyperparameters[name] for (path, name), flat in self.flat_names.items()}

    @property
    def asks(self) -> frozenset[str]:
        """What the rules of the tree ask of an update: ``value``, ``metric``, ``evaluate``, ``hessian``."""
        asked = frozenset(a for _, s in self.walk() for a in s.definition.asks if s.wants(a))
        return asked & {"value", "metric", "evaluate", "hessian"}

    def wants(self, ask: str) -> bool:
        """Whether the rule needs what its text asks for: always, or only with a hyperparameter."""
        needs = self.definition.asks_with.get(ask)
        return needs is None or self.hyperparameters[needs] is not None

    @property
    def per_example(self) -> bool:
        """Whether an update is given the gradient of each example, on a leading axis, rather than that of the batch."""
        return self.definition.per_example or (bool(self.inner) and self.inner[0].per_example)

    def __repr__(self) -> str:
        defaults = self.definition.defaults_of(self.convention)
        given = [f"{k}={v!r}" for k, v in self.hyperparameters.items() if v is not defaults[k] and v != defaults[k]]
        if self.convention != "torch":
            given.append(f"convention={self.convention!r}")
        return f"{self.definition.name}({', '.join([*map(repr, self.inner), *given])})"

    def __hash__(self) -> int:
        return hash((self.definition.name, self.inner, self.convention, repr(sorted(self.hyperparameters.items()))))


@dataclass(frozen=True, repr=False)
class Loss(Definition):
    """``(ops, predictions, targets, *, hyperparameters)``: values, elementwise or per sample.

    A weighted loss returns ``(values, weights)``; its mean is ``sum(values) / sum(weights)``.  `check` sees the same
    arguments before any arithmetic and raises InputError.  With `made_from`, the name of a hyperparameter, a call takes
    that in place of arrays and gives the loss that it makes.
    """

    kind: ClassVar[Kind] = "loss"

    inputs: tuple[str, ...] = ("predictions", "targets")
    reductions: tuple[str, ...] = ("none", "mean", "sum")
    input_check: Callable[..., None] | None = None
    made_from: str | None = None

    def __call__(self, *arrays: Any, convention: str = "torch", reduction: str | None = None, **hyperparameters: Any) -> Any:
        """The loss of arrays of any backend; what comes back is of the same kind."""
        if self.made_from is not None:
            return self.configure(convention=convention, reduction=reduction, **self._maker(arrays, hyperparameters))
        inputs, rest = self._inputs(arrays, hyperparameters)
        return self.configure(convention=convention, reduction=reduction, **rest)(*inputs)

    def configure(self, *, convention: str = "torch", reduction: str | None = None, **hyperparameters: Any) -> Any:
        """This loss with its hyperparameters filled in: a value that can be called, added and scaled."""
        from lossopt.losses.spec import LossSpec

        return LossSpec.make(self, convention, reduction, hyperparameters)

    def _maker(self, given: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        """The hyperparameters of a call that makes a loss."""
        made_from = str(self.made_from)
        if len(given) > 1 or any(hasattr(x, "shape") for x in given) or set(self.inputs) & set(named):
            raise ArgumentError(f"{self.name}({made_from}) makes a loss, which takes the arrays: "
                                f"{self.name}({made_from})({', '.join(self.inputs)})")  # fmt: skip
        if given and made_from in named:
            raise ArgumentError(f"{self.name}() got {made_from!r} twice")
        return {made_from: given[0], **named} if given else named

    def _inputs(self, arrays: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        named = dict(named)
        given = dict(zip(self.inputs, arrays, strict=False))
        extra = arrays[len(self.inputs):]
        for name, value in zip(self.defaults, extra, strict=False):
            if name in named:
                raise ArgumentError(f"{self.name}() got {name!r} twice")
            named[name] = value
        if len(extra) > len(self.defaults):
            raise ArgumentError(f"{self.name}() takes {', '.join((*self.inputs, *self.defaults))}; got {len(arrays)} positional arguments")
        for name in self.inputs:
            if name in named:
                given[name] = named.pop(name)
        if missing := [n for n in self.inputs if n not in given]:
            raise ArgumentError(f"{self.name}() needs {', '.join(self.inputs)}; missing: {', '.join(missing)}")
        return tuple(given[n] for n in self.inputs), named

    def __mul__(self, factor: float) -> Any:
        return self.configure() * factor

    __rmul__ = __mul__

    def __add__(self, other: Any) -> Any:
        return self.configure() + other

    __radd__ = __add__


@dataclass(frozen=True, repr=False)
class Schedule(Definition):
    """``(ops, step, *, lr=1.0, ...) -> value``, a closed form; step 0 is the first update.

    `also` names schedules of other hyperparameters that go with it (one_cycle's momentum).  A schedule that waits for
    a metric is a transition, ``(ops, state, metric, *, ...) -> state``, from `start`.
    """

    kind: ClassVar[Kind] = "schedule"

    start: Callable[..., State] | None = None
    also: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    spec_check: Callable[..., None] | None = None

    def __call__(self, *, convention: str = "torch", **hyperparameters: Any) -> Any:
        from lossopt.schedules.spec import ScheduleSpec

        return ScheduleSpec.make(self, convention, hyperparameters)


@functools.cache
def keywords(fn: Callable[..., Any]) -> tuple[str, ...]:
    """The keyword-only parameters of a function: the hyperparameters that it reads."""
    return tuple(p.name for p in inspect.signature(fn).parameters.values() if p.kind is p.KEYWORD_ONLY)


def _type_of(default: Any) -> Any:
    if isinstance(default, bool):
        return bool
    if isinstance(default, int | float):
        return hyper.Finite
    return Any


def _count(names: Iterator[str] | Any) -> dict[str, int]:
    return {k: len(list(g)) for k, g in itertools.groupby(sorted(names))}


def announce(definition: Definition) -> None:
    for listener in listeners:
        listener(definition)
