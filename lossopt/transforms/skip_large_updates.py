"""Skip an update whose gradient is too large."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import NaturalNumber, Positive
from lossopt.ops import Array, Inner, Ops, Update
from lossopt.transforms.shared import guard
from lossopt.vector import State


@transform(
    start=guard.start,
    conventions={"torch": {}, "optax": {}},
    elsewhere={"optax": "optax.skip_large_updates; the should_skip_update_fn of optax.MultiSteps; max_squared_norm has no default there"},
)
def skip_large_updates(ops: Ops, grads: Array, state: State, params: Array, inner: Inner, *, max_squared_norm: Positive = 100.0,
                       max_consecutive_errors: NaturalNumber | None = None) -> Update:  # fmt: skip
    """Leave parameters and state alone when the gradient's squared norm is not below a limit, and count it.

        update = rule(g) where ||g||**2 < max_squared_norm, else 0          ||g||: over every element of every parameter

    A NaN is not below, so that it is skipped too.  For a skipped update no time passes: moments and step counts stay.  The
    count is the slot ``skipped``.  Outside of `accumulate` it drops single micro-batches, as optax.MultiSteps does.

    Args:
        inner: the rule to guard.
        max_squared_norm: positive.
        max_consecutive_errors: after that many in a row, let the gradient through as it is; None never does.

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import skip_large_updates
        >>> optimizer = get_optimizer(skip_large_updates(sgd(lr=0.1), max_squared_norm=4.0), backend="numpy")
        >>> params = np.zeros(1)
        >>> updates, (count, slots) = optimizer.update(np.array([2.0]), optimizer.init(params), params)
        >>> updates, float(slots.skipped)
        (array([0.]), 1.0)
    """
    return guard.guarded(ops, ops.dot(grads, grads) < max_squared_norm, grads, state, params, inner, max_consecutive_errors)
