"""Route: each parameter to one of several rules, by its shape or its name."""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Sequence
from typing import Any

from lossopt.definition import Spec, transform
from lossopt.errors import ArgumentError, InputError
from lossopt.ops import Array, Inner, Ops, Update
from lossopt.vector import State


def check(*inner: Spec, to: tuple[str, ...]) -> None:
    """One selector for each rule."""
    if len(to) != len(inner):
        raise ArgumentError(
            f"route() has {len(inner)} optimizer{'s' * (len(inner) != 1)} and {len(to)} selector{'s' * (len(to) != 1)}, "
            f"to={to!r}; give one selector for each, such as to=('matrices', '*')"
        )


@functools.cache
def parts(names: tuple[str, ...], shapes: tuple[tuple[int, ...], ...], *, to: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """For each selector, the parameters that it is the first to take."""
    taken: list[list[int]] = [[] for _ in to]
    for i, (name, shape) in enumerate(zip(names, shapes, strict=True)):
        first = next((j for j, selector in enumerate(to) if _takes(selector, name, shape)), None)
        if first is None:
            what = f"the parameter {name!r} of shape {tuple(shape)}"
            raise InputError(f"route: no selector of {to!r} takes {what}; end with '*' to take the rest")
        taken[first].append(i)
    return tuple(map(tuple, taken))


def _takes(selector: str, name: str, shape: tuple[int, ...]) -> Any:
    return len(shape) == 2 if selector == "matrices" else fnmatch.fnmatchcase(name, selector)


@transform(parts=parts, check=check, conventions={"torch": {}, "optax": {}},
           elsewhere={"optax": "optax.partition, optax.multi_transform; labels there, selectors here",
                      "keras": "keras.optimizers.MultiOptimizer"})  # fmt: skip
def route(ops: Ops, grads: Array, state: State, params: Array, inners: Sequence[Inner], *,
          to: tuple[str, ...] = ("matrices", "*")) -> Update:  # fmt: skip
    """Several rules, each for its own parameters: muon for the matrices and adamw for the rest.

    It is a chain in which every rule sees only its parameters: what it does not see passes through it unchanged.  Each
    parameter goes to the first selector that takes it, so that reductions (a global norm, prodigy's distance) are over
    one rule's own parameters.

    Args:
        *inner: one spec or more.
        to: one selector for each of them, in order: ``"matrices"`` takes what has two axes, anything else is a pattern
            on the parameter's dotted name (``"*.bias"``, ``"head.*"``); ``"*"`` takes the rest.

    Raises:
        ArgumentError: there are more or fewer selectors than rules.
        InputError: when the optimizer is made, a parameter that no selector takes.

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import route
        >>> spec = route(sgd(lr=1.0), sgd(lr=0.1), to=("head.*", "*"))
        >>> params = {"body.weight": np.zeros(2), "head.weight": np.zeros(2)}
        >>> grads = {"body.weight": np.ones(2), "head.weight": np.ones(2)}
        >>> optimizer = get_optimizer(spec, backend="numpy")
        >>> optimizer.update(grads, optimizer.init(params), params)[0]
        {'body.weight': array([-0.1, -0.1]), 'head.weight': array([-1., -1.])}
    """
    states = []
    for inner, own in zip(inners, state.inners, strict=True):
        grads, new = inner(grads, own, params)
        states.append(new)
    return grads, state.replace(inners=tuple(states))
