"""The referee's optimizers: `init` and `update` as optax has them, on dicts, lists or single arrays, in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lossopt import carry
from lossopt.definition import Spec
from lossopt.errors import ArgumentError, InputError
from lossopt.vector import Lifted, Vector
from lossopt_numpy.words import words

lifted = Lifted(words)


def emit(spec: Spec, *, params: Any = None, executor: str = "auto", groups: carry.Groups | None = None) -> NumpyOptimizer:
    """The spec as a pair of pure functions."""
    if params is not None:
        raise ArgumentError("the numpy backend takes its parameters in init(params), not here")
    if executor not in ("auto", "single"):
        raise ArgumentError(f"the numpy backend has no executor {executor!r}; it has: auto, single")
    return NumpyOptimizer(spec, groups or {})


class NumpyOptimizer:
    """``state = o.init(params)``; ``updates, state = o.update(grads, state, params)``; add the updates yourself."""

    def __init__(self, spec: Spec, groups: carry.Groups) -> None:
        self.spec, self.groups = spec, carry.check_groups(spec, groups)

    def init(self, params: Any) -> tuple[int, Any]:
        """The state before the first update: (count, slots)."""
        names, leaves = flatten(params)
        if not leaves:
            raise InputError("init(params) got no parameters")
        return 0, carry.start(self.spec, self._run(names, leaves, None), Vector(leaves))

    def update(self, grads: Any, state: tuple[int, Any], params: Any, *, evaluate: Callable[..., Any] | None = None,
               **extras: Any) -> tuple[Any, tuple[int, Any]]:  # fmt: skip
        """What to add to the parameters, and the next state.

        Args:
            grads: shaped as `params`.
            state: from `init` or the last `update`.
            params: a dict, list, tuple (nested at will) or an array.
            evaluate: ``point -> (loss, gradient)``, for rules that look at other points.
            **extras: ``value``, ``metric``; ``hessian``, as `params`, or a function of the step that gives it.
        """
        count, slots = state
        names, leaves = flatten(params)
        grad_names, grad_leaves = flatten(grads)
        if names != grad_names:
            raise InputError(f"gradients are named {grad_names}, parameters {names}")
        if evaluate is not None:
            extras["evaluate"] = _on_vectors(evaluate, params)
        if (hessian := extras.get("hessian")) is not None:
            extras["hessian"] = lambda step: Vector(flatten(hessian(step) if callable(hessian) else hessian)[1])
        run = self._run(names, leaves, count, extras)
        with np.errstate(invalid="ignore"):  # an infinite gradient makes NaN, which is an answer and not an accident
            delta, slots = carry.update(self.spec, run, Vector(grad_leaves), slots, Vector(leaves))
        return unflatten(params, iter(delta.leaves)), (count + 1, slots)

    def eval_params(self, state: tuple[int, Any], params: Any) -> Any:
        """Where to evaluate the model: the average for schedule-free and EMA, else the parameters."""
        names, leaves = flatten(params)
        point = carry.eval_point(self.spec, self._run(names, leaves, state[0]), state[1], Vector(leaves))
        return unflatten(params, iter(point.leaves))

    def _run(self, names: list[str], leaves: list[Any], count: int | None, extras: Mapping[str, Any] | None = None) -> carry.Run:
        base = {n: at_step(v, count) for n, v in self.spec.flat.items()}
        groups = {p: {n: at_step(v, count) for n, v in changes.items()} for p, changes in self.groups.items()}
        matched = carry.match_groups(groups, names) if groups else [()] * len(names)
        each = tuple({**base, **{n: v for p in patterns for n, v in groups[p].items()}} for patterns in matched)
        return carry.Run(words, lifted, tuple(names), tuple(x.shape for x in leaves), each, self.spec.flat_names, extras or {})

    def __repr__(self) -> str:
        return f"numpy optimizer {self.spec!r}"


def at_step(value: Any, count: int | None) -> Any:
    """A hyperparameter's value: a schedule's at this step, in tuples too.

    Before the first update (None) a schedule stays one: its slots are there, even if it begins at zero.
    """
    if isinstance(value, tuple):
        return tuple(at_step(v, count) for v in value)
    return value(count) if callable(value) and count is not None else value


def flatten(tree: Any, prefix: str = "") -> tuple[list[str], list[Any]]:
    """Dotted names and float64 leaves of nested dicts, lists and tuples."""
    if isinstance(tree, Mapping):
        items = [(str(k), v) for k, v in tree.items()]
    elif isinstance(tree, list | tuple):
        items = [(str(i), v) for i, v in enumerate(tree)]
    else:
        leaf = np.asarray(tree)
        if leaf.dtype.kind != "f":
            raise InputError(f"parameter {prefix or 'params'} must be floating point, got {leaf.dtype}")
        return [prefix], [leaf.astype(np.float64)]
    names, leaves = [], []
    for key, value in items:
        below = flatten(value, f"{prefix}.{key}" if prefix else key)
        names += below[0]
        leaves += below[1]
    return names, leaves


def unflatten(like: Any, leaves: Any) -> Any:
    """The structure of `like` with other leaves."""
    if isinstance(like, Mapping):
        return {k: unflatten(v, leaves) for k, v in like.items()}
    if isinstance(like, list | tuple):
        return type(like)(unflatten(v, leaves) for v in like)
    return next(leaves)


def _on_vectors(evaluate: Callable[..., Any], like: Any) -> Callable[[Vector], tuple[Any, Vector]]:
    def on_vectors(point: Vector) -> tuple[Any, Vector]:
        value, grads = evaluate(unflatten(like, iter(point.leaves)))
        return value, Vector(flatten(grads)[1])

    return on_vectors
