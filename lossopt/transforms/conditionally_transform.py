"""A rule that is in force at some steps only."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import transform
from lossopt.hyper import Count, NaturalNumber
from lossopt.ops import Array, Inner, Number, Ops, Update
from lossopt.vector import State


@transform(
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "optax": "optax.conditionally_transform, optax.conditionally_mask; should_transform_fn there, first, last and every here; "
        "the second holds, otherwise='hold'",
    },
)
def conditionally_transform(ops: Ops, grads: Array, state: State, params: Array, step: Number, inner: Inner, *,
                            first: NaturalNumber = 0, last: NaturalNumber | None = None, every: Count = 1,
                            otherwise: Literal["pass", "hold"] = "pass") -> Update:  # fmt: skip
    """Apply a rule at some steps, and at the others let the gradient pass, or hold the parameters.

        t = 0, 1, ...:   rule(g)  where first <= t <= last and (t - first) is a multiple of every
                         g or 0   else

    Where it is not in force no time passes for the wrapped rule.

    Args:
        inner: the rule, such as ``clip_by_global_norm()`` for the first thousand steps.
        first: the first step at which it is in force, counted from 0.
        last: the last one; None is for ever.
        every: in force at one step in so many.
        otherwise: ``"pass"`` lets the gradient through unchanged (in a chain, before the optimizer); ``"hold"`` makes it zero
            (around an optimizer).

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import conditionally_transform
        >>> spec = conditionally_transform(sgd(lr=0.5), first=1, otherwise="hold")
        >>> optimizer = get_optimizer(spec, backend="numpy")
        >>> params, state = np.zeros(1), optimizer.init(np.zeros(1))
        >>> held, state = optimizer.update(np.ones(1), state, params)
        >>> moved, state = optimizer.update(np.ones(1), state, params)
        >>> held, moved
        (array([0.]), array([-0.5]))
    """
    t = step - 1
    due = (t >= first) & ((t - first) % every == 0)
    if last is not None:
        due = due & (t <= last)

    def apply() -> Update:
        delta, own = inner(grads, state.inner, params)
        return delta, state.replace(inner=own)

    def leave() -> Update:
        return (grads if otherwise == "pass" else ops.zeros_like(params)), state

    return ops.cond(due, apply, leave)
