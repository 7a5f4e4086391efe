"""Lookahead: k steps forward, one step back."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import Count, UnitInterval
from lossopt.ops import Array, Inner, Number, Ops, Update
from lossopt.vector import State


def start(ops: Ops, params: Array) -> State:
    """The slow weights are the first parameters."""
    return State(slow=params)


def slow_weights(ops: Ops, state: State, params: Array) -> Array:
    """Where the paper evaluates the model."""
    return state.slow


@transform(
    start=start,
    eval_point=slow_weights,
    conventions={"torch": {}, "optax": {}},
    spellings={"k": "every", "sync_period": "every", "slow_step_size": "alpha"},
    elsewhere={"optax": "optax.lookahead; fast and slow parameters travel as a pair there"},
)
def lookahead(ops: Ops, grads: Array, state: State, params: Array, step: Number, inner: Inner, *, every: Count = 5,
              alpha: UnitInterval = 0.5) -> Update:  # fmt: skip
    """Every few steps, go back part of the way towards where one was.

        p_t = p_{t-1} + rule(g_t)                                the fast weights
        where t % every == 0:  s <- s + alpha * (p_t - s);  p_t <- s

    The wrapped rule keeps its state over a step back.  The slow weights s are the eval point.

    Args:
        inner: the rule that takes the fast steps.
        every: fast steps for one slow step (k in the paper); a whole number, at least 1.
        alpha: how far the slow weights go towards the fast ones, in [0, 1].

    Paper:
        Zhang, Lucas, Hinton, Ba: Lookahead Optimizer: k steps forward, 1 step back, 2019, arXiv:1907.08610

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import lookahead
        >>> optimizer = get_optimizer(lookahead(sgd(lr=1.0), every=2), backend="numpy")
        >>> params, state = np.zeros(1), optimizer.init(np.zeros(1))
        >>> for _ in range(2):
        ...     updates, state = optimizer.update(-np.ones(1), state, params)
        ...     params = params + updates
        >>> params
        array([1.])
    """
    delta, own = inner(grads, state.inner, params)
    back = step % every == 0
    slow = ops.where(back, ops.lerp(state.slow, params + delta, alpha), state.slow)
    return ops.where(back, slow - params, delta), state.replace(slow=slow, inner=own)
