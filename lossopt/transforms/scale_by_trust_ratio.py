"""Each parameter's update scaled to the parameter's norm."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@transform(
    conventions={"torch": {}, "optax": {}},
    elsewhere={"optax": "optax.scale_by_trust_ratio", "also": "trust_ratio"},
)
def scale_by_trust_ratio(ops: Ops, grad: Array, state: State, param: Array, *, min_norm: NonNegative = 0.0,
                         trust_coefficient: NonNegative = 1.0, eps: NonNegative = 0.0) -> Update:  # fmt: skip
    """Scale what passes through to the norm of the parameter: the layerwise step of LARS and LAMB.

        ratio = trust_coefficient * max(||p||, min_norm) / (max(||g||, min_norm) + eps)          1 where either is 0
        g  <-  ratio * g                                                                          the norms of one parameter

    Args:
        min_norm: the least norm that a parameter and its gradient are given; zero or more.
        trust_coefficient: a factor on the ratio; zero or more.
        eps: added to the gradient's norm; zero or more.

    Paper:
        You, Gitman, Ginsburg: Large Batch Training of Convolutional Networks, 2017, arXiv:1708.03888

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> trust = get_optimizer("scale_by_trust_ratio", backend="numpy")
        >>> params = np.array([3.0, 4.0])
        >>> trust.update(np.array([0.6, 0.8]), trust.init(params), params)[0]
        array([3., 4.])
    """
    size, length = ops.maximum(ops.norm(param), min_norm), ops.maximum(ops.norm(grad), min_norm)
    both = (size > 0) & (length > 0)
    ratio = trust_coefficient * size / (ops.where(both, length, 1.0) + eps)
    return grad * ops.where(both, ratio, 1.0), state
