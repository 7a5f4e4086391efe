"""Some parameters held still."""

from __future__ import annotations

import functools

from lossopt.definition import transform
from lossopt.ops import Array, Inner, Ops, Update
from lossopt.transforms.shared.selection import selected
from lossopt.vector import State


@functools.cache
def parts(names: tuple[str, ...], shapes: tuple[tuple[int, ...], ...], *, frozen: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """What the wrapped rule sees: the parameters that are not frozen."""
    still = set(selected("freeze", names, frozen))
    return (tuple(i for i in range(len(names)) if i not in still),)


@transform(
    parts=parts,
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "torch": "torch.Tensor.requires_grad_; with False, or a parameter that is not given to the optimizer",
        "optax": "optax.freeze, optax.set_to_zero; a mask there, patterns of names here; it stands after the optimizer, whose moments "
        "and norms still see the frozen gradients",
        "keras": "keras.Layer.trainable; with False",
    },
)
def freeze(ops: Ops, grads: Array, state: State, params: Array, inner: Inner, *, frozen: tuple[str, ...] = ()) -> Update:
    """Train all parameters but some, which stay as they are.

        update = rule(g) for the parameters that no pattern of `frozen` matches, 0 for the others

    The wrapped rule does not see the frozen ones: they have no state, no decay and no part in a norm.

    Args:
        inner: the rule that trains.
        frozen: patterns of dotted names (shell wildcards); one that matches no parameter is an error.

    Raises:
        InputError: when the optimizer is made, a pattern that matches no parameter.

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import adamw
        >>> from lossopt.transforms import freeze
        >>> optimizer = get_optimizer(freeze(adamw(lr=0.1), frozen=("body.*",)), backend="numpy")
        >>> params = {"body.weight": np.zeros(1), "head.weight": np.zeros(1)}
        >>> grads = {"body.weight": np.ones(1), "head.weight": np.ones(1)}
        >>> optimizer.update(grads, optimizer.init(params), params)[0]
        {'body.weight': array([0.]), 'head.weight': array([-0.1])}
    """
    delta, own = inner(grads, state.inner, params, others=ops.zeros_like(params))
    return delta, state.replace(inner=own)
