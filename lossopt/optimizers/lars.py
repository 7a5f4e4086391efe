"""LARS: gradient descent, each parameter's step scaled to that parameter's norm."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Fraction, NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("momentum_buffer if momentum",),
    conventions={"torch": {}, "optax": {"norms_apart": False, "lr_before_momentum": True}},
    elsewhere={
        "torch": "pytorch_optimizer.LARS; leaves vectors to plain SGD: route(lars(), sgd(momentum=0.9), to=('matrices', '*'))",
        "optax": "optax.lars; one norm of the decayed gradient, lr multiplied into the momentum; its masks are a route here",
    },
)
def lars(ops: Ops, grad: Array, state: State, param: Array, *, lr: NonNegative = 1e-3, momentum: Fraction = 0.9,
         weight_decay: NonNegative = 0.0, trust_coefficient: NonNegative = 1e-3, eps: NonNegative = 0.0, nesterov: bool = False,
         norms_apart: bool = True, lr_before_momentum: bool = False) -> Update:  # fmt: skip
    """LARS: SGD for large batches, with one trust ratio for each parameter.

    Formula::

        g = grad + weight_decay * param
        trust = trust_coefficient * norm(param) / (norm(grad) + weight_decay * norm(param) + eps)    (1 where either part is 0)
        b = momentum * b + trust * g
        update = -lr * b                                 (nesterov: -lr * (trust * g + momentum * b))

    Args:
        lr: the learning rate, at least 0.
        momentum: decay rate of the sum, in [0, 1); 0 keeps no sum.
        weight_decay: at least 0; L2 regularization, inside the trust ratio.
        trust_coefficient: at least 0; the relative change of a parameter in one step, for lr=1.
        eps: at least 0; bounds the ratio where gradients are tiny.
        nesterov: look ahead along the sum.
        norms_apart: divide by ``norm(grad) + weight_decay * norm(param)``, as the paper does, rather than by ``norm(g)`` (optax).
        lr_before_momentum: sum ``lr * trust * g`` (the paper, optax); it matters when lr changes.

    Shapes: any; the norms are over one whole parameter.  State: ``momentum_buffer`` where there is momentum, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Yang You, Igor Gitman, Boris Ginsburg. Large Batch Training of Convolutional Networks. 2017. arXiv:1708.03888

    Example:
        >>> import lossopt, numpy as np
        >>> lars = lossopt.get_optimizer("lars", backend="numpy", lr=1.0, trust_coefficient=0.1)
        >>> params = np.array([3.0, -4.0])
        >>> updates, state = lars.update(7 * params, lars.init(params), params)
        >>> round(float(np.linalg.norm(updates)), 6)
        0.5
    """
    decayed, size = grad + weight_decay * param, ops.norm(param)
    length = ops.norm(grad) + weight_decay * size if norms_apart else ops.norm(decayed)
    both = (size > 0) & (length > 0)
    trust = ops.where(both, trust_coefficient * size / ops.where(both, length + eps, 1.0), 1.0)
    first, last = (lr, 1.0) if lr_before_momentum else (1.0, lr)
    direction = (first * trust) * decayed
    if "momentum_buffer" in state:
        buffer = momentum * state.momentum_buffer + direction
        state, direction = state.replace(momentum_buffer=buffer), (direction + momentum * buffer if nesterov else buffer)
    return -last * direction, state
