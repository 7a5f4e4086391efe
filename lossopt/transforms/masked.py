"""A rule for some of the parameters."""

from __future__ import annotations

import functools

from lossopt.definition import transform
from lossopt.ops import Array, Inner, Ops, Update
from lossopt.transforms.shared.selection import selected
from lossopt.vector import State


@functools.cache
def parts(names: tuple[str, ...], shapes: tuple[tuple[int, ...], ...], *, only: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """What the wrapped rule sees."""
    return (selected("masked", names, only),)


@transform(
    parts=parts,
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "optax": "optax.masked; a mask there, patterns of names here",
        "keras": "keras.optimizers.Optimizer.exclude_from_weight_decay; of the decay only",
    },
)
def masked(ops: Ops, grads: Array, state: State, params: Array, inner: Inner, *, only: tuple[str, ...] = ("*",)) -> Update:
    """Apply a rule to some parameters; for the others the gradient passes through unchanged.

        g  <-  rule(g) for the parameters that a pattern of `only` matches, g for the others

    It belongs in a chain, before the optimizer: ``chain(masked(add_decayed_weights(weight_decay=0.1), only=("*.kernel",)),
    sgd())``.  Around an optimizer it would add the raw gradient to the others, as optax.masked does; to leave them as they
    are use `freeze`.

    Args:
        inner: the rule.
        only: patterns of dotted names (shell wildcards); one that matches no parameter is an error.

    Raises:
        InputError: when the optimizer is made, a pattern that matches no parameter.

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.transforms import clip_by_value, masked
        >>> clip = get_optimizer(masked(clip_by_value(max_value=1.0), only=("*.bias",)), backend="numpy")
        >>> grads = {"dense.kernel": np.array([5.0]), "dense.bias": np.array([5.0])}
        >>> clip.update(grads, clip.init(grads), grads)[0]
        {'dense.kernel': array([5.]), 'dense.bias': array([1.])}
    """
    delta, own = inner(grads, state.inner, params)
    return delta, state.replace(inner=own)
