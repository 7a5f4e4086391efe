"""Specs as optax transformations.

Outside, an optimizer's state is made of what optax's own tools understand: named tuples, dicts, and trees shaped as
the parameters (``state.slots.exp_avg["dense"]["kernel"]``).  Inside one update they are the Vectors and States that
rules see.
"""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax

import lossopt_jax.trees  # noqa: F401  (State and Vector are trees)
from lossopt import carry
from lossopt.definition import Spec
from lossopt.errors import ArgumentError, InputError
from lossopt.schedules.spec import ScheduleSpec
from lossopt.tasks.mapping import LEAVES
from lossopt.vector import Lifted, State, Vector
from lossopt_jax.schedules import TraceableSchedule, traceable
from lossopt_jax.words import Words, Zero

OUTWARD = {"lr": "learning_rate"}
"""The names that hyperparameters have in optax's world: ``state.hyperparams["learning_rate"]``."""


class OptimizerState(NamedTuple):
    """The state of an emitted transformation: arrays only.

    Attributes:
        count: updates so far.
        hyperparams: live numbers.  Replace one, and the next update uses it without a recompilation.
        slots: the rule's slots by name, each a tree shaped as the parameters.
    """

    count: jax.Array  # pyright: ignore[reportIncompatibleMethodOverride]  (optax names it so)
    hyperparams: dict[str, jax.Array]
    slots: Any


class Transformation(optax.GradientTransformationExtraArgs):
    """An optax transformation that also knows its spec and its eval point."""

    spec: Spec
    eval_params: Callable[[OptimizerState, Any], Any]

    def __repr__(self) -> str:
        return f"optax transformation {self.spec!r}"


def emit(spec: Spec, *, params: Any = None, executor: str = "auto", groups: carry.Groups | None = None) -> Transformation:
    """The spec as an ``optax.GradientTransformationExtraArgs``."""
    if params is not None:
        raise ArgumentError("a JAX optimizer takes its parameters in init(params), not here")
    if executor != "auto":
        raise ArgumentError(f"the jax backend has no executor {executor!r}; XLA compiles the update: leave executor out")
    carrier = Carrier(spec, carry.check_groups(spec, groups or {}))
    made = Transformation(carrier.init, cast(Any, carrier.update))  # its keywords are named; optax's type knows only **extra
    made.spec, made.eval_params = spec, carrier.eval_params
    return made


class Carrier:
    """`init` and `update` of one spec."""

    def __init__(self, spec: Spec, groups: Mapping[str, Mapping[str, Any]]) -> None:
        self.spec, self.groups = spec, groups
        self.live = {self._outward(name): value for name, value in spec.flat.items() if _is_live_lr(name, value)}
        for pattern, changes in groups.items():
            self.live |= {self._outward(n, pattern): v for n, v in changes.items() if _is_live_lr(n, v)}
        self._skeleton = functools.cache(self._make_skeleton)

    @staticmethod
    def _outward(flat: str, pattern: str | None = None) -> str:
        base, _, last = flat.rpartition(".")
        name = f"{base}.{OUTWARD.get(last, last)}" if base else OUTWARD.get(last, last)
        return name if pattern is None else f"{pattern}:{name}"

    # -- optax's two functions
    def init(self, params: Any) -> OptimizerState:
        names, leaves, treedef = split(params)
        _check(self.spec, params, names, leaves)
        if not leaves:  # optax.tree_map_params asks with an empty placeholder
            names, leaves = ("",), [jnp.zeros(())]
        dtype = scalar_dtype(leaves)
        hyperparams = {name: jnp.asarray(value, dtype) for name, value in self.live.items()}
        count = jnp.zeros((), jnp.int32)
        slots = self._begin(names, [jnp.asarray(x) for x in leaves], hyperparams, count)
        # A slot that is the parameter itself would break donation; one of weak dtype would compile the update twice.
        slots = jax.tree.map(lambda x: jnp.array(x, jnp.result_type(x), copy=True), slots)
        return OptimizerState(count, hyperparams, outwards(slots, treedef))

    def update(self, grads: Any, state: OptimizerState, params: Any = None, *, value_fn: Callable[[Any], Any] | None = None,
               **extras: Any) -> tuple[Any, OptimizerState]:  # fmt: skip
        if params is None:
            raise InputError(f"{self.spec.definition.name} reads the parameters: update(grads, state, params)")
        names, leaves, treedef = split(params)
        if value_fn is not None:
            extras["evaluate"] = _evaluate(value_fn, treedef, leaves)
        if (hessian := extras.get("hessian")) is not None:
            extras["hessian"] = lambda step: Vector(map(widen, treedef.flatten_up_to(hessian(step) if callable(hessian) else hessian)))
        leaves = [jnp.asarray(x) for x in leaves]
        own = inwards(state.slots, self._skeleton(names, tuple((x.shape, x.dtype) for x in leaves)), treedef)
        run = self._run(names, leaves, state.hyperparams, state.count, extras)
        raw = [jnp.asarray(g) for g in treedef.flatten_up_to(grads)]
        delta, new = carry.update(self.spec, run, Vector(map(widen, raw)), own, Vector(map(widen, leaves)))
        new = jax.tree.map(lambda x, old: jnp.asarray(x, old.dtype), new, own)  # a slot keeps its dtype
        updates = [jnp.asarray(d, g.dtype) for d, g in zip(delta.leaves, raw, strict=True)]
        return treedef.unflatten(updates), OptimizerState(state.count + 1, state.hyperparams, outwards(new, treedef))

    def eval_params(self, state: OptimizerState, params: Any) -> Any:
        """Where to evaluate the model: the average for schedule-free and EMA, else the parameters."""
        names, leaves, treedef = split(params)
        leaves = [jnp.asarray(x) for x in leaves]
        own = inwards(state.slots, self._skeleton(names, tuple((x.shape, x.dtype) for x in leaves)), treedef)
        run = self._run(names, leaves, state.hyperparams, state.count)
        point = carry.eval_point(self.spec, run, own, Vector(map(widen, leaves)))
        return treedef.unflatten([jnp.asarray(x, p.dtype) for x, p in zip(point.leaves, leaves, strict=True)])

    # -- what a rule is lent
    def _run(self, names: tuple[str, ...], leaves: list[Any], hyperparams: Mapping[str, Any], count: Any,
             extras: Mapping[str, Any] | None = None) -> carry.Run:  # fmt: skip
        dtype = scalar_dtype(leaves)
        words = Words(dtype)

        def value(flat: str, given: Any, pattern: str | None = None) -> Any:
            live = hyperparams.get(self._outward(flat, pattern))
            return live if live is not None else at_step(given, count, dtype)

        base = {n: value(n, v) for n, v in self.spec.flat.items()}
        groups = {p: {n: value(n, v, p) for n, v in changes.items()} for p, changes in self.groups.items()}
        matched = carry.match_groups(groups, names, [known_as(n) for n in names]) if groups and names != ("",) else [()] * len(names)
        each = tuple({**base, **{n: v for p in patterns for n, v in groups[p].items()}} if patterns else base for patterns in matched)
        shapes = tuple(x.shape for x in leaves)
        return carry.Run(words, Lifted(words), names, shapes, each, self.spec.flat_names, extras or {})

    def _begin(self, names: tuple[str, ...], leaves: list[Any], hyperparams: Mapping[str, Any], count: Any) -> State:
        return carry.start(self.spec, self._run(names, leaves, hyperparams, count), Vector(map(widen, leaves)))

    def _make_skeleton(self, names: tuple[str, ...], shapes: tuple[tuple[tuple[int, ...], Any], ...]) -> State:
        """The state's structure inside: which slots hold one array per parameter."""
        leaves = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in shapes]
        numbers = {name: jax.ShapeDtypeStruct((), scalar_dtype(leaves)) for name in self.live}
        count = jax.ShapeDtypeStruct((), jnp.int32)
        return jax.eval_shape(functools.partial(self._begin, names), leaves, numbers, count)


# ------------------------------------------------------------------------------------------------- numbers
def widen(x: Any) -> Any:
    """Half-precision parameters are updated, and remembered, in float32: bfloat16 moments do not move at beta2=0.999."""
    return x.astype(jnp.float32) if x.dtype in (jnp.bfloat16, jnp.float16) else x


def scalar_dtype(leaves: list[Any]) -> Any:
    """float64 where a parameter is, else float32, whatever the process-wide default says."""
    return jnp.float64 if any(x.dtype == jnp.float64 for x in leaves) else jnp.float32


def at_step(value: Any, count: Any, dtype: Any) -> Any:
    """A hyperparameter's value: a schedule's at this count (in tuples too), else itself."""
    if isinstance(value, tuple):
        return tuple(at_step(v, count, dtype) for v in value)
    if isinstance(value, TraceableSchedule):
        value = value.spec
    if isinstance(value, ScheduleSpec):
        return jnp.asarray(traceable(value, dtype)(count), dtype)
    if callable(value):
        return jnp.asarray(value(count), dtype)
    return Zero() if isinstance(value, float) and value == 0 else value


def _check(spec: Spec, params: Any, names: tuple[str, ...], leaves: list[Any]) -> None:
    """Refuse what could not be trained; placeholders and masked trees without leaves are optax's own, and pass."""
    owner = spec.definition.name
    if params is None or (isinstance(params, Mapping | list | tuple) and not params):
        raise InputError(f"{owner} got no parameters: init(params) takes the model's parameters, got {params!r}")
    for name, leaf in zip(names, leaves, strict=True):
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise InputError(f"{owner} takes floating-point parameters, got {jnp.result_type(leaf)} for {name or 'params'!r}: "
                             "leave it out with optax.masked")  # fmt: skip


def _is_live_lr(flat: str, value: Any) -> bool:
    return flat.rpartition(".")[2] == "lr" and value is not None and not callable(value)


# ------------------------------------------------------------------------------------------------- trees
def split(params: Any) -> tuple[tuple[str, ...], list[Any], Any]:
    """Dotted names, leaves and structure of a tree of parameters.

    Flax keeps each array in a box with the attribute ``value``; a parameter is called by the name of its box.
    """
    paths, treedef = jax.tree_util.tree_flatten_with_path(params)
    return tuple(map(_name, paths)), [x for _, x in paths], treedef


def _name(path_and_leaf: tuple[Any, Any]) -> str:
    path, _ = path_and_leaf
    if len(path) > 1 and path[-1] == jax.tree_util.GetAttrKey("value"):
        path = path[:-1]
    return jax.tree_util.keystr(path, simple=True, separator=".")


def known_as(name: str) -> str:
    """A parameter's name with the last part as PyTorch has it: ``hidden.kernel`` is ``hidden.weight``."""
    module, dot, leaf = name.rpartition(".")
    return module + dot + LEAVES.get(leaf, leaf)


@functools.cache
def slots_type(names: tuple[str, ...]) -> Any:
    """A named tuple of slots; optax's tree_get and tree_map_params know those."""
    return collections.namedtuple("Slots", names)


def outwards(state: Any, treedef: Any) -> Any:
    """A State of Vectors to named tuples of trees shaped as the parameters."""
    if isinstance(state, State):
        return slots_type(tuple(n for n, _ in state.items()))(*(outwards(v, treedef) for _, v in state.items()))
    if isinstance(state, tuple):
        return tuple(outwards(s, treedef) for s in state)
    return treedef.unflatten(state.leaves[: treedef.num_leaves]) if isinstance(state, Vector) else state


def inwards(state: Any, skeleton: Any, treedef: Any) -> Any:
    """The way back; `skeleton` tells which slots are Vectors."""
    if isinstance(skeleton, State):
        return State(**{n: inwards(getattr(state, n), v, treedef) for n, v in skeleton.items()})
    if isinstance(skeleton, tuple):
        return tuple(inwards(s, k, treedef) for s, k in zip(state, skeleton, strict=True))
    return Vector(treedef.flatten_up_to(state)) if isinstance(skeleton, Vector) else state


def _evaluate(value_fn: Callable[[Any], Any], treedef: Any, like: list[Any]) -> Callable[[Vector], tuple[Any, Vector]]:
    def evaluate(point: Vector) -> tuple[Any, Vector]:
        leaves = [jnp.asarray(x, p.dtype) for x, p in zip(point.leaves, like, strict=True)]
        value, grads = jax.value_and_grad(value_fn)(treedef.unflatten(leaves))
        return value, Vector(map(widen, treedef.flatten_up_to(grads)))

    return evaluate
