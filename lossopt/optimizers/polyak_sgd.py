"""SGD with Polyak's step: as far as the loss must still fall, were it linear."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import optimizer
from lossopt.hyper import Finite, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State

VANISHED = 2.0**-52
"""A squared gradient norm up to this moves nothing."""


@optimizer(
    conventions={"torch": {}, "optax": {}},
    spellings={"max_learning_rate": "max_lr", "scaling": "lr"},
    elsewhere={
        "optax": "optax.polyak_sgd; max_lr is max_learning_rate, lr is scaling, which its code also squares into the denominator: "
                 "not copied, so lr=0.5 halves the step here",
    },
)  # fmt: skip
def polyak_sgd(ops: Ops, grads: Array, state: State, params: Array, value: Number, *, lr: NonNegative = 1.0, f_min: Finite = 0.0,
               max_lr: NonNegative = 1.0, eps: NonNegative = 0.0, variant: Literal["sps", "sps+"] = "sps") -> Update:  # fmt: skip
    """SGD with Polyak's step size, from the value of the loss and the least value it can have.

    Formula::

        size = min((value - f_min) / (norm(grad)**2 + eps), max_lr)      (0 where the gradient has vanished)
        update = -lr * size * grad

    Args:
        lr: a factor on the step, at least 0; leave it at 1.
        f_min: the least value of the loss; 0 suits models that can fit every sample.
        max_lr: the largest size, at least 0.
        eps: at least 0; bounds the size where gradients are tiny.
        variant: ``"sps+"`` takes no step, rather than one backwards, where the loss lies below f_min.

    Asks for the loss: ``update(grads, state, params, value=loss)``; in torch ``step(closure)`` or ``step(value=loss)``.

    Shapes: any; the norm is over all parameters together.  State: none.

    Raises:
        ArgumentError: the update was not given the loss.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Nicolas Loizou, Sharan Vaswani, Issam Laradji, Simon Lacoste-Julien. Stochastic Polyak Step-size for SGD: An Adaptive
        Learning Rate for Fast Convergence. 2021. arXiv:2002.10542
        Guillaume Garrigos, Robert M. Gower, Fabian Schaipp. Function Value Learning (sps+). 2023. arXiv:2307.14528

    Example:
        >>> import lossopt, numpy as np
        >>> polyak = lossopt.get_optimizer("polyak_sgd", backend="numpy")
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = polyak.update(2 * params, polyak.init(params), params, value=5.0)
        >>> updates
        array([-0.5,  1. ])
    """
    square = ops.dot(grads, grads) + eps
    gap = ops.maximum(value - f_min, 0.0) if variant == "sps+" else value - f_min
    size = ops.where(square <= VANISHED, 0.0, ops.minimum(gap / ops.maximum(square, VANISHED), max_lr))
    return -(lr * size) * grads, state
