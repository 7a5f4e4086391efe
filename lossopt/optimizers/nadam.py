"""NAdam and NAdamW: Adam with Nesterov's look ahead, its momentum constant or warmed up."""

from __future__ import annotations

import math

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State

WARM_UP = math.log(0.96)


def nadam_start(ops: Ops, param: Array) -> State:
    return State(exp_avg=ops.zeros_like(param), exp_avg_sq=ops.zeros_like(param), mu_product=ops.number(1.0))


def momentum_at(ops: Ops, beta: Number, step: Number, momentum_decay: Number | None) -> Number:
    """``beta * (1 - 0.96**(step * momentum_decay) / 2)``: half of beta at first, beta in the end."""
    return beta if momentum_decay is None else beta * (1 - 0.5 * ops.exp(step * (momentum_decay * WARM_UP)))


@optimizer(
    start=nadam_start,
    conventions={
        "torch": {},
        "optax": {"momentum_decay": None},
        "keras": {"lr": 1e-3, "eps": 1e-7, "momentum_decay": 1.0, "decoupled": True},
    },
    spellings={"decoupled_weight_decay": "decoupled"},
    elsewhere={
        "torch": "torch.optim.NAdam",
        "optax": "optax.nadam; constant momentum, no weight_decay, no default lr",
        "keras": "keras.optimizers.Nadam; lr 1e-3, eps 1e-7, momentum_decay 1, weight_decay decoupled",
    },
)
def nadam(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 2e-3, betas: Betas = (0.9, 0.999),
          eps: NonNegative = 1e-8, weight_decay: NonNegative = 0.0, momentum_decay: NonNegative | None = 4e-3,
          eps_root: NonNegative = 0.0, decoupled: bool = False, maximize: bool = False) -> Update:  # fmt: skip
    """NAdam: Adam that steps along the momentum of the step to come.

    Formula, at step t = 1, 2, ..., with v and c2 as in adam, and P the product of mu_1, ..., mu_t::

        g = grad + weight_decay * param                      (decoupled=False: L2 regularization)
        mu_t = betas[0] * (1 - 0.96**(t * momentum_decay) / 2)
        m = betas[0] * m + (1 - betas[0]) * g
        direction = mu_{t+1} / (1 - P * mu_{t+1}) * m + (1 - mu_t) / (1 - P) * g
        update = -lr * direction / (sqrt(v / c2 + eps_root) + eps)

    Args:
        lr: the learning rate, at least 0: nearly the largest change of a coordinate in one step.
        betas: decay rates of m and v, each in [0, 1).
        eps: at least 0; bounds the step where gradients are tiny.
        weight_decay: at least 0.
        momentum_decay: at least 0; how fast mu grows from half of ``betas[0]`` to all of it: half of the way after about
            17 / momentum_decay steps.  None is constant momentum, mu_t = betas[0] (optax); 1 is keras's warm-up.
        eps_root: at least 0; added inside the root.
        decoupled: decay the parameter, ``update - lr * weight_decay * param``, rather than adding to the gradient.
        maximize: ascend; the gradient is negated before the decay joins it.

    Shapes: any, elementwise.  State: ``exp_avg`` and ``exp_avg_sq``, as the parameter; ``mu_product``, one number.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Timothy Dozat. Incorporating Nesterov Momentum into Adam. 2016. openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ

    Example:
        >>> import lossopt, numpy as np
        >>> nadam = lossopt.get_optimizer("nadam", backend="numpy", lr=0.1, convention="optax")
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = nadam.update(params, nadam.init(params), params)
        >>> updates.round(4)
        array([-0.1474,  0.1474])
    """
    if maximize:
        grad = -grad
    if not decoupled:
        grad = grad + weight_decay * param
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grad * grad, 1 - betas[1])
    now, ahead = (momentum_at(ops, betas[0], t, momentum_decay) for t in (step, step + 1))
    product = state.mu_product * now
    if momentum_decay is None:
        weight_now, weight_ahead = ops.bias_correction(betas[0], step), ops.bias_correction(betas[0], step + 1)
    else:
        weight_now, weight_ahead = 1 - product, 1 - product * ahead
    direction = ahead / weight_ahead * exp_avg + (1 - now) / weight_now * grad
    denominator = ops.sqrt(exp_avg_sq / ops.bias_correction(betas[1], step) + eps_root) + eps
    update = -lr * direction / denominator
    state = state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq, mu_product=product)
    return (update - lr * weight_decay * param if decoupled else update), state


nadamw = nadam.variant(
    "nadamw",
    decoupled=True,
    weight_decay=1e-2,
    conventions={"torch": {}, "optax": {"momentum_decay": None, "weight_decay": 1e-4}},
    elsewhere={
        "torch": "torch.optim.NAdam; with decoupled_weight_decay=True, and a weight_decay of 0 by default",
        "optax": "optax.nadamw; constant momentum, weight_decay 1e-4 by default, no default lr",
    },
    doc="""NAdamW: NAdam whose weight decay acts on the parameter and does not pass through the moments.

Formula, with direction, v and c2 as in nadam, of the bare gradient::

    update = -lr * (direction / (sqrt(v / c2 + eps_root) + eps) + weight_decay * param)

Args:
    lr: the learning rate, at least 0; it scales the decay too.
    betas: decay rates of the two moments, each in [0, 1).
    eps: at least 0; bounds the step where gradients are tiny.
    weight_decay: at least 0; each step takes away ``lr * weight_decay`` of the parameter.
    momentum_decay, eps_root, decoupled, maximize: as in nadam.

Shapes: any, elementwise.  State: ``exp_avg`` and ``exp_avg_sq``, as the parameter; ``mu_product``, one number.

Raises:
    HyperparameterError: a hyperparameter is outside its range.

References:
    Timothy Dozat. Incorporating Nesterov Momentum into Adam. 2016. openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ
    Ilya Loshchilov, Frank Hutter. Decoupled Weight Decay Regularization. 2019. arXiv:1711.05101

Example:
    >>> import lossopt, numpy as np
    >>> nadamw = lossopt.get_optimizer("nadamw", backend="numpy", lr=0.1, weight_decay=0.5, convention="optax")
    >>> params = np.array([1.0, -2.0])
    >>> updates, state = nadamw.update(params, nadamw.init(params), params)
    >>> updates.round(4)
    array([-0.1974,  0.2474])""",
)
