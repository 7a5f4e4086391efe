"""Yogi: Adam whose second moment moves by small steps, whatever the gradient."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


def yogi_start(ops: Ops, param: Array, *, initial_accumulator_value: float) -> State:
    begun = ops.full_like(param, initial_accumulator_value)
    return State(exp_avg=begun, exp_avg_sq=begun)


@optimizer(
    start=yogi_start,
    conventions={"torch": {}, "optax": {}},
    spellings={"decoupled_weight_decay": "decoupled", "initial_accumulator": "initial_accumulator_value"},
    elsewhere={
        "torch": "torch_optimizer.Yogi",
        "optax": "optax.yogi; no weight_decay, no default lr; initial_accumulator_value only in optax.scale_by_yogi",
    },
)
def yogi(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-2, betas: Betas = (0.9, 0.999),
         eps: NonNegative = 1e-3, initial_accumulator_value: NonNegative = 1e-6, weight_decay: NonNegative = 0.0,
         decoupled: bool = False, bias_correction: bool = True, maximize: bool = False) -> Update:  # fmt: skip
    """Yogi: the second moment grows and falls by at most ``(1 - betas[1]) * g**2``, so that the rate cannot jump up.

    Formula, at step t = 1, 2, ..., with c1 and c2 as in adam::

        g = grad + weight_decay * param                      (decoupled=False: L2 regularization)
        m = betas[0] * m + (1 - betas[0]) * g
        v = v - (1 - betas[1]) * sign(v - g**2) * g**2       (m and v begin at initial_accumulator_value)
        update = -lr * (m / c1) / (sqrt(v / c2) + eps)

    Args:
        lr: the learning rate, at least 0.
        betas: decay rates of m and v, each in [0, 1).
        eps: at least 0; bounds the step where gradients are tiny.
        initial_accumulator_value: at least 0; where m and v begin.
        weight_decay: at least 0.
        decoupled: decay the parameter, ``update - lr * weight_decay * param``, rather than adding to the gradient.
        bias_correction: divide by c1 and c2, as torch_optimizer and optax do; the paper does not.
        maximize: ascend; the gradient is negated before the decay joins it.

    Shapes: any, elementwise.  State: ``exp_avg`` and ``exp_avg_sq``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: initial_accumulator_value is a schedule.

    References:
        Manzil Zaheer, Sashank J. Reddi, Devendra Sachan, Satyen Kale, Sanjiv Kumar. Adaptive Methods for Nonconvex
        Optimization. 2018. papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization

    Example:
        >>> import lossopt, numpy as np
        >>> yogi = lossopt.get_optimizer("yogi", backend="numpy", lr=0.1)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = yogi.update(params, yogi.init(params), params)
        >>> updates.round(4)
        array([-0.0999,  0.0999])
    """
    if maximize:
        grad = -grad
    if not decoupled:
        grad = grad + weight_decay * param
    square = grad * grad
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    exp_avg_sq = state.exp_avg_sq - (1 - betas[1]) * (ops.sign(state.exp_avg_sq - square) * square)
    first = ops.bias_correction(betas[0], step) if bias_correction else 1.0
    second = ops.bias_correction(betas[1], step) if bias_correction else 1.0
    update = -(lr / first) * exp_avg / (ops.sqrt(exp_avg_sq / second) + eps)
    update = update - lr * weight_decay * param if decoupled else update
    return update, state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
