"""NaN in a gradient becomes zero."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


def start(ops: Ops, params: Array) -> State:
    """None so far."""
    return State(zeroed=ops.number(0.0, params))


@transform(
    start=start,
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "torch": "torch.nan_to_num; of each gradient, with posinf=inf and neginf=-inf",
        "optax": "optax.zero_nans; its state says for each parameter whether the last gradient had one",
    },
)
def zero_nans(ops: Ops, grads: Array, state: State, params: Array) -> Update:
    """Put 0 where a gradient is NaN, and count how many elements were.

        g  <-  0 where g is NaN, else g

    Infinities pass.  The count is the slot ``zeroed``: look at it, for this hides whatever makes the NaN.  To leave out the
    whole update instead, wrap the optimizer in `apply_if_finite`.

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> zero = get_optimizer("zero_nans", backend="numpy")
        >>> grads = np.array([1.0, np.nan, np.inf])
        >>> updates, (count, slots) = zero.update(grads, zero.init(grads), grads)
        >>> updates, float(slots.zeroed)
        (array([ 1.,  0., inf]), 1.0)
    """
    is_number = (grads >= 0) | (grads < 0)
    bad = ops.where(is_number, ops.zeros_like(grads), ops.full_like(grads, 1.0))
    return ops.where(is_number, grads, ops.zeros_like(grads)), state.replace(zeroed=state.zeroed + ops.sum(bad))
