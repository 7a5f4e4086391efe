"""Skip an update whose gradients are not finite."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import NaturalNumber
from lossopt.ops import Array, Inner, Ops, Update
from lossopt.transforms.shared import guard
from lossopt.vector import State


@transform(
    start=guard.start,
    passes_on=True,
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "torch": "torch.amp.GradScaler; skips as many as come, max_consecutive_errors=None",
        "optax": "optax.apply_if_finite; max_consecutive_errors has no default there",
    },
)
def apply_if_finite(ops: Ops, grads: Array, state: State, params: Array, inner: Inner, *,
                    max_consecutive_errors: NaturalNumber | None = None) -> Update:  # fmt: skip
    """Leave parameters and state alone when a gradient holds an infinity or a NaN, and count it.

        update = rule(g) where every element of g is finite, else 0

    For a skipped update no time passes: moments and step counts stay.  The count is the slot ``skipped``.  Wrap what
    makes NaN of infinity too: ``apply_if_finite(chain(clip_by_global_norm(), adamw()))``.

    Args:
        inner: the rule to guard.
        max_consecutive_errors: after that many in a row, let the gradient through as it is, so that a run that has
            diverged is seen to have; None never does.

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import apply_if_finite
        >>> optimizer = get_optimizer(apply_if_finite(sgd(lr=0.1)), backend="numpy")
        >>> params = np.zeros(2)
        >>> updates, (count, slots) = optimizer.update(np.array([1.0, np.nan]), optimizer.init(params), params)
        >>> updates, float(slots.skipped)
        (array([0., 0.]), 1.0)
    """
    return guard.guarded(ops, ops.is_finite(grads), grads, state, params, inner, max_consecutive_errors)
