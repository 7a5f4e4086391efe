"""Gradient centralization."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@transform(
    conventions={"torch": {}, "optax": {}},
    elsewhere={"optax": "optax.centralize", "also": "gradient_centralization, centralize_gradient"},
)
def centralize(ops: Ops, grad: Array, state: State, param: Array) -> Update:
    """Take from each row of a gradient its mean: over every axis but the first.

        g  <-  g - mean(g)          the mean over all axes but the first; a vector is left alone

    The first axis counts the outputs of a PyTorch weight.  In a Flax kernel it counts the inputs, and the mean is taken over
    the outputs; optax does so too.

    Paper:
        Yong, Huang, Hua, Zhang: Gradient Centralization: A New Optimization Technique for Deep Neural Networks, 2020,
        arXiv:2004.01461

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> central = get_optimizer("centralize", backend="numpy")
        >>> grads = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 9.0]])
        >>> central.update(grads, central.init(grads), grads)[0]
        array([[-1.,  0.,  1.],
               [-2., -1.,  3.]])
    """
    mean = grad
    for axis in range(1, len(tuple(param.shape))):
        mean = ops.mean(mean, axis)
    return (grad - mean if len(tuple(param.shape)) > 1 else grad), state
