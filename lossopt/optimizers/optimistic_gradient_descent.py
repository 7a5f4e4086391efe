"""Optimistic gradient descent: the last change of the gradient once more, for games."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Finite, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("previous_gradient",),
    conventions={"torch": {}, "optax": {}},
    elsewhere={"optax": "optax.optimistic_gradient_descent; no default lr"},
)
def optimistic_gradient_descent(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3,
                                alpha: Finite = 1.0, beta: Finite = 1.0) -> Update:  # fmt: skip
    """Optimistic gradient descent: converges on min-max problems that plain gradient descent circles around.

    Formula, with g' the gradient before, at the first step the gradient itself::

        update = -lr * (alpha * grad + beta * (grad - g'))

    Args:
        lr: the learning rate, at least 0.
        alpha: weight of the gradient.
        beta: weight of its last change; 0 is plain gradient descent.

    Shapes: any, elementwise.  State: ``previous_gradient``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Aryan Mokhtari, Asuman Ozdaglar, Sarath Pattathil. A Unified Analysis of Extra-gradient and Optimistic Gradient Methods
        for Saddle Point Problems: Proximal Point Approach. 2019. arXiv:1901.08511

    Example:
        >>> import lossopt, numpy as np
        >>> optimistic = lossopt.get_optimizer("optimistic_gradient_descent", backend="numpy", lr=0.5)
        >>> params = np.array([1.0, 2.0])                    # the loss is x * y: x descends, y ascends
        >>> state = optimistic.init(params)
        >>> for _ in range(200):
        ...     updates, state = optimistic.update(np.array([params[1], -params[0]]), state, params)
        ...     params = params + updates
        >>> bool(np.abs(params).max() < 1e-9)
        True
    """
    change = grad - ops.where(step > 1, state.previous_gradient, grad)
    return -lr * (alpha * grad + beta * change), state.replace(previous_gradient=grad)
