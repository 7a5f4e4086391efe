"""Clipping by the root mean square of each parameter's gradient."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import Positive
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@transform(
    conventions={"torch": {}, "optax": {}},
    spellings={"threshold": "max_rms", "d": "max_rms"},
    elsewhere={
        "torch": "torch.optim.Adafactor(d); of its update, not of the gradient",
        "optax": "optax.clip_by_block_rms; its argument is threshold",
    },
)
def clip_by_block_rms(ops: Ops, grad: Array, state: State, param: Array, *, max_rms: Positive = 1.0) -> Update:
    """Shrink each parameter's gradient so that its root mean square is at most `max_rms`.

        g  <-  g / max(1, rms(g) / max_rms)          rms(g) = sqrt(mean(g**2)), over one parameter

    After an Adam rule it is the update clipping of Adafactor.

    Args:
        max_rms: the largest root mean square that passes unchanged, in the gradient's units; positive.

    Paper:
        Shazeer, Stern: Adafactor: Adaptive Learning Rates with Sublinear Memory Cost, 2018, arXiv:1804.04235

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> clip = get_optimizer("clip_by_block_rms", backend="numpy", max_rms=1.0)
        >>> grads = {"a": np.array([3.0, 3.0]), "b": np.array([0.5])}
        >>> clip.update(grads, clip.init(grads), grads)[0]
        {'a': array([1., 1.]), 'b': array([0.5])}
    """
    return grad / ops.maximum(ops.sqrt(ops.mean(grad * grad)) / max_rms, 1.0), state
