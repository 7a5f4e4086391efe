"""All updates scaled to one norm."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import Finite, NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@transform(
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "optax": "optax.normalize_by_update_norm, optax.contrib.normalize; the second adds nothing, eps=0, and makes NaN of zero",
        "also": "normalized_gradient",
    },
)
def normalize_by_update_norm(ops: Ops, grads: Array, state: State, params: Array, *, scale_factor: Finite = 1.0,
                             eps: NonNegative = 1e-6) -> Update:  # fmt: skip
    """Scale all gradients together to one norm, whatever theirs is.

        g  <-  g * scale_factor / (||g|| + eps)          ||g||: over every element of every parameter

    Args:
        scale_factor: the norm that comes out.
        eps: added to the norm, zero or more; with 0 a gradient of zero makes NaN.

    Paper:
        Cortes: Finite-time convergent gradient flows with applications to network consensus, 2006,
        doi:10.1016/j.automatica.2006.06.015

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> normal = get_optimizer("normalize_by_update_norm", backend="numpy", eps=0.0)
        >>> grads = {"a": np.array([3.0]), "b": np.array([4.0])}
        >>> normal.update(grads, normal.init(grads), grads)[0]
        {'a': array([0.6]), 'b': array([0.8])}
    """
    return grads * (scale_factor / (ops.norm(grads) + eps)), state
