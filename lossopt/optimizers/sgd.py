"""Stochastic gradient descent, with momentum, Nesterov's look ahead and dampening."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Finite, Fraction, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("momentum_buffer if momentum",),
    conventions={
        "torch": {},
        "optax": {},
        "keras": {"lr": 1e-2, "decoupled": True, "lr_before_momentum": True},
    },
    elsewhere={
        "torch": "torch.optim.SGD",
        "optax": "optax.sgd; no weight_decay (optax.add_decayed_weights), no dampening, no default lr",
        "keras": "keras.optimizers.SGD; lr 1e-2 by default, multiplied into the momentum; weight_decay decoupled",
    },
)
def sgd(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3, momentum: Fraction = 0.0,
        dampening: Finite = 0.0, weight_decay: NonNegative = 0.0, nesterov: bool = False, decoupled: bool = False,
        lr_before_momentum: bool = False, maximize: bool = False) -> Update:  # fmt: skip
    """Stochastic gradient descent: a step down the gradient, or down a decaying sum of gradients.

    Formula, at step t = 1, 2, ...::

        g = grad + weight_decay * param
        b = g                                    at t = 1
        b = momentum * b + (1 - dampening) * g   after
        update = -lr * b                         (nesterov: -lr * (g + momentum * b); without momentum: -lr * g)

    Args:
        lr: the learning rate, at least 0.
        momentum: decay rate of the sum, in [0, 1); 0 keeps no sum.
        dampening: what later gradients lose on entering the sum; the first enters whole, as in torch.
        weight_decay: at least 0; L2 regularization.
        nesterov: look ahead along the sum.  torch forbids it together with dampening; here the formula holds.
        decoupled: decay the parameter, ``update - lr * weight_decay * param``, rather than adding to the gradient.
        lr_before_momentum: sum ``lr * g`` rather than g (keras); it matters when lr changes.
        maximize: ascend; the gradient is negated before the decay joins it.

    Shapes: any, elementwise.  State: ``momentum_buffer`` where there is momentum, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Herbert Robbins, Sutton Monro. A Stochastic Approximation Method. 1951. doi:10.1214/aoms/1177729586
        Ilya Sutskever, James Martens, George Dahl, Geoffrey Hinton. On the importance of initialization and momentum in
        deep learning. 2013. proceedings.mlr.press/v28/sutskever13

    Example:
        >>> import lossopt, numpy as np
        >>> sgd = lossopt.get_optimizer("sgd", backend="numpy", lr=0.1, momentum=0.9)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = sgd.update(params, sgd.init(params), params)
        >>> updates
        array([-0.1,  0.2])
        >>> sgd.update(params, state, params)[0].round(6)
        array([-0.19,  0.38])
    """
    if maximize:
        grad = -grad
    decay = lr * weight_decay
    if not decoupled:
        grad = grad + weight_decay * param
    if lr_before_momentum:
        grad, lr = lr * grad, 1.0
    direction = grad
    if "momentum_buffer" in state:
        fresh = ops.where(step > 1, 1 - dampening, 1.0)
        buffer = momentum * state.momentum_buffer + fresh * grad
        state, direction = state.replace(momentum_buffer=buffer), (grad + momentum * buffer if nesterov else buffer)
    return (-lr * direction - decay * param if decoupled else -lr * direction), state
