"""Fromage: steps relative to each parameter's norm, and a norm that does not grow."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@optimizer(
    conventions={"torch": {}, "optax": {"min_norm": 1e-6}},
    elsewhere={
        "torch": "pytorch_optimizer.Fromage; its p_bound is not expressed here",
        "optax": "optax.fromage; min_norm 1e-6, no default lr",
    },
)
def fromage(ops: Ops, grad: Array, state: State, param: Array, *, lr: NonNegative = 1e-2, min_norm: NonNegative = 0.0) -> Update:
    """Fromage: Frobenius-matched gradient descent, which needs little tuning of its learning rate.

    Formula::

        trust = max(norm(param), min_norm) / max(norm(grad), min_norm)          (1 where either is 0)
        param = (param - lr * trust * grad) / sqrt(1 + lr**2)

    Args:
        lr: the learning rate, at least 0: the relative change of a parameter in one step.
        min_norm: at least 0; the least norm that a parameter and a gradient are given.

    Shapes: any; the norms are over one whole parameter.  State: none.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Jeremy Bernstein, Arash Vahdat, Yisong Yue, Ming-Yu Liu. On the Distance between Two Neural Networks and the Stability of
        Learning. 2020. arXiv:2002.03432

    Example:
        >>> import lossopt, numpy as np
        >>> fromage = lossopt.get_optimizer("fromage", backend="numpy", lr=0.75)
        >>> params = np.array([3.0, -4.0])
        >>> params + fromage.update(np.array([4.0, 3.0]), fromage.init(params), params)[0]
        array([ 0., -5.])
    """
    size, length = ops.maximum(ops.norm(param), min_norm), ops.maximum(ops.norm(grad), min_norm)
    both = (size > 0) & (length > 0)
    trust = ops.where(both, size / ops.where(both, length, 1.0), 1.0)
    root = ops.sqrt(1 + lr * lr)
    return -(lr / root * trust) * grad - lr * lr / (root * (1 + root)) * param, state  # 1 - 1/root, without cancellation
