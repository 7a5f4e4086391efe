"""Adamax and AdamaxW: Adam with the largest gradient of late in place of the root mean square."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_inf"),
    conventions={"torch": {}, "optax": {}, "keras": {"lr": 1e-3, "eps": 1e-7, "eps_inside_max": False, "decoupled": True}},
    spellings={"decoupled_weight_decay": "decoupled"},
    elsewhere={
        "torch": "torch.optim.Adamax",
        "optax": "optax.adamax; no weight_decay, no default lr",
        "keras": "keras.optimizers.Adamax; lr 1e-3; eps 1e-7, added outside the maximum; weight_decay decoupled",
    },
)
def adamax(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 2e-3, betas: Betas = (0.9, 0.999),
           eps: NonNegative = 1e-8, weight_decay: NonNegative = 0.0, decoupled: bool = False, eps_inside_max: bool = True,
           maximize: bool = False) -> Update:  # fmt: skip
    """Adamax: the step is the mean gradient over the largest one, which is forgotten exponentially.

    Formula, at step t = 1, 2, ...::

        g = grad + weight_decay * param                      (decoupled=False: L2 regularization)
        m = betas[0] * m + (1 - betas[0]) * g
        u = max(betas[1] * u, |g| + eps)
        update = -lr / (1 - betas[0]**t) * m / u

    Args:
        lr: the learning rate, at least 0: the largest change of a coordinate in one step.
        betas: decay rates of m and u, each in [0, 1).
        eps: at least 0; keeps u from zero.
        weight_decay: at least 0.
        decoupled: decay the parameter, ``update - lr * weight_decay * param``, rather than adding to the gradient.
        eps_inside_max: where eps stands: in u (torch, optax), or ``u = max(betas[1] * u, |g|)`` and ``m / (u + eps)`` (keras).
        maximize: ascend; the gradient is negated before the decay joins it.

    Shapes: any, elementwise.  State: ``exp_avg`` and ``exp_inf``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Diederik P. Kingma, Jimmy Ba. Adam: A Method for Stochastic Optimization (section 7.1). 2015. arXiv:1412.6980

    Example:
        >>> import lossopt, numpy as np
        >>> adamax = lossopt.get_optimizer("adamax", backend="numpy", lr=0.1)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = adamax.update(params, adamax.init(params), params)
        >>> updates.round(6)
        array([-0.1,  0.1])
    """
    if maximize:
        grad = -grad
    if not decoupled:
        grad = grad + weight_decay * param
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    largest = ops.abs(grad) + eps if eps_inside_max else ops.abs(grad)
    exp_inf = ops.maximum(betas[1] * state.exp_inf, largest)
    update = -(lr / ops.bias_correction(betas[0], step)) * exp_avg / (exp_inf if eps_inside_max else exp_inf + eps)
    return (update - lr * weight_decay * param if decoupled else update), state.replace(exp_avg=exp_avg, exp_inf=exp_inf)


adamaxw = adamax.variant(
    "adamaxw",
    decoupled=True,
    weight_decay=1e-2,
    conventions={"torch": {}, "optax": {"weight_decay": 1e-4}},
    elsewhere={"optax": "optax.adamaxw; weight_decay 1e-4 by default, no default lr"},
    doc="""AdamaxW: Adamax whose weight decay acts on the parameter and does not pass through m and u.

Formula, with m and u as in adamax, of the bare gradient::

    update = -lr * (m / (1 - betas[0]**t) / u + weight_decay * param)

Args:
    lr: the learning rate, at least 0; it scales the decay too.
    betas: decay rates of m and u, each in [0, 1).
    eps: at least 0; keeps u from zero.
    weight_decay: at least 0; each step takes away ``lr * weight_decay`` of the parameter.
    decoupled, eps_inside_max, maximize: as in adamax.

Shapes: any, elementwise.  State: ``exp_avg`` and ``exp_inf``, as the parameter.

Raises:
    HyperparameterError: a hyperparameter is outside its range.

References:
    Diederik P. Kingma, Jimmy Ba. Adam: A Method for Stochastic Optimization (section 7.1). 2015. arXiv:1412.6980
    Ilya Loshchilov, Frank Hutter. Decoupled Weight Decay Regularization. 2019. arXiv:1711.05101

Example:
    >>> import lossopt, numpy as np
    >>> adamaxw = lossopt.get_optimizer("adamaxw", backend="numpy", lr=0.1, weight_decay=0.5)
    >>> params = np.array([1.0, -2.0])
    >>> updates, state = adamaxw.update(params, adamaxw.init(params), params)
    >>> updates.round(6)
    array([-0.15,  0.2 ])""",
)
