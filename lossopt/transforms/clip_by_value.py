"""Clipping element by element."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@transform(
    conventions={"torch": {}, "optax": {}},
    spellings={"clip_value": "max_value", "max_delta": "max_value", "clipvalue": "max_value"},
    elsewhere={
        "torch": "torch.nn.utils.clip_grad_value_; its argument is clip_value",
        "optax": "optax.clip; its argument is max_delta",
        "keras": "keras.optimizers.Optimizer(clipvalue)",
    },
)
def clip_by_value(ops: Ops, grad: Array, state: State, param: Array, *, max_value: NonNegative = 1.0) -> Update:
    """Bring every element of the gradient into ``[-max_value, max_value]``.

        g  <-  min(max(g, -max_value), max_value)

    A NaN passes, as in both frameworks.

    Args:
        max_value: the largest absolute value that passes unchanged, in the gradient's units; zero or more.

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> clip = get_optimizer("clip_by_value", backend="numpy", max_value=0.5)
        >>> grads = np.array([0.1, -3.0, 2.0])
        >>> clip.update(grads, clip.init(grads), grads)[0]
        array([ 0.1, -0.5,  0.5])
    """
    return ops.minimum(ops.maximum(grad, -max_value), max_value), state
