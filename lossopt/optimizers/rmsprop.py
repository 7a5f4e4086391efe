"""RMSprop, in the three shapes that torch, optax and keras give it."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Fraction, NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("square_avg", "momentum_buffer if momentum", "grad_avg if centered"),
    conventions={
        "torch": {},
        "optax": {"alpha": 0.9, "eps_inside_root": True, "lr_before_momentum": True},
        "keras": {"lr": 1e-3, "alpha": 0.9, "eps": 1e-7, "eps_inside_root": True, "lr_before_momentum": True, "decoupled": True},
    },
    spellings={"decay": "alpha", "rho": "alpha", "eps_in_sqrt": "eps_inside_root"},
    elsewhere={
        "torch": "torch.optim.RMSprop",
        "optax": "optax.rmsprop; alpha 0.9 by default, eps inside the root, lr before momentum, no default lr",
        "keras": "keras.optimizers.RMSprop; lr 1e-3, alpha 0.9, eps 1e-7 inside the root, lr before momentum, decoupled decay",
    },
)
def rmsprop(ops: Ops, grad: Array, state: State, param: Array, *, lr: NonNegative = 1e-2, alpha: Fraction = 0.99,
            eps: NonNegative = 1e-8, weight_decay: NonNegative = 0.0, momentum: Fraction = 0.0, centered: bool = False,
            eps_inside_root: bool = False, lr_before_momentum: bool = False, decoupled: bool = False,
            maximize: bool = False) -> Update:  # fmt: skip
    """RMSprop: the gradient over the root of its running mean square.

    Formula::

        g = grad + weight_decay * param
        v = alpha * v + (1 - alpha) * g**2
        a = alpha * a + (1 - alpha) * g              (centered: v - a**2 takes the place of v below)
        d = g / (sqrt(v) + eps)                      (eps_inside_root: g / sqrt(v + eps))
        b = momentum * b + d
        update = -lr * b                             (lr_before_momentum: b = momentum * b + lr * d; update = -b)

    Args:
        lr: the learning rate, at least 0.
        alpha: decay rate of the mean square, in [0, 1).
        eps: at least 0; bounds the step where gradients are tiny.
        weight_decay: at least 0; L2 regularization.
        momentum: decay rate of a sum of steps, in [0, 1); 0 keeps none.
        centered: divide by the standard deviation.  Under constant gradients ``v - a**2`` falls below zero by rounding
            and the root is NaN, in torch and optax too; an eps inside the root puts that off.
        eps_inside_root: where eps stands: inside (optax, keras) or outside (torch).
        lr_before_momentum: sum steps that have their lr already (optax, keras); it matters when lr changes.
        decoupled: decay the parameter, ``update - lr * weight_decay * param``, rather than adding to the gradient.
        maximize: ascend; the gradient is negated before the decay joins it.

    Shapes: any, elementwise.  State: ``square_avg``, with momentum ``momentum_buffer``, centered ``grad_avg``.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Tijmen Tieleman, Geoffrey Hinton. Lecture 6.5, rmsprop: Divide the gradient by a running average of its recent
        magnitude. COURSERA: Neural Networks for Machine Learning. 2012
        Alex Graves. Generating Sequences With Recurrent Neural Networks (centered). 2013. arXiv:1308.0850

    Example:
        >>> import lossopt, numpy as np
        >>> rmsprop = lossopt.get_optimizer("rmsprop", backend="numpy", lr=0.1)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = rmsprop.update(params, rmsprop.init(params), params)
        >>> updates.round(6)
        array([-1.,  1.])
    """
    if maximize:
        grad = -grad
    if not decoupled:
        grad = grad + weight_decay * param
    square_avg = ops.lerp(state.square_avg, grad * grad, 1 - alpha)
    state, variance = state.replace(square_avg=square_avg), square_avg
    if centered:
        grad_avg = ops.lerp(state.grad_avg, grad, 1 - alpha)
        state, variance = state.replace(grad_avg=grad_avg), square_avg - grad_avg * grad_avg
    direction = grad / (ops.sqrt(variance + eps) if eps_inside_root else ops.sqrt(variance) + eps)
    if "momentum_buffer" not in state:
        update = -lr * direction
    else:
        buffer = momentum * state.momentum_buffer + (lr * direction if lr_before_momentum else direction)
        state, update = state.replace(momentum_buffer=buffer), (-buffer if lr_before_momentum else -lr * buffer)
    return (update - lr * weight_decay * param if decoupled else update), state
