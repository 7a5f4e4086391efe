"""MoMo-Adam: Adam whose step size comes from a model of the loss."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, Finite, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.optimizers.shared.model_step import step_size
from lossopt.vector import State


def momo_adam_start(ops: Ops, params: Array, *, lower_bound: float) -> State:
    return State(
        exp_avg=ops.zeros_like(params), exp_avg_sq=ops.zeros_like(params), loss_avg=ops.number(0.0, params),
        inner_avg=ops.number(0.0, params), bound=ops.number(lower_bound, params),
    )  # fmt: skip


@optimizer(
    start=momo_adam_start,
    conventions={"torch": {}, "optax": {}},
    spellings={"lb": "lower_bound", "use_fstar": "adapt_lower_bound"},
    elsewhere={
        "torch": "momo.MomoAdam; lower_bound is lb, adapt_lower_bound is use_fstar; divide=True",
        "optax": "optax.contrib.momo_adam",
    },
)
def momo_adam(ops: Ops, grads: Array, state: State, params: Array, step: Number, value: Number, *, lr: NonNegative = 1e-2,
              betas: Betas = (0.9, 0.999), eps: NonNegative = 1e-8, lower_bound: Finite = 0.0, weight_decay: NonNegative = 0.0,
              adapt_lower_bound: bool = False) -> Update:  # fmt: skip
    """MoMo-Adam: Adam's direction, as far as the mean of the loss's linear models must still fall, and at most Adam's step.

    Formula, with the loss f of this step, and m, v, c1 and c2 as in adam::

        F = betas[0] * F + (1 - betas[0]) * f
        G = betas[0] * G + (1 - betas[0]) * <grad, params>
        q = sqrt(v / c2) + eps
        w = 1 + lr * weight_decay
        gap = max(w * (F - c1 * lower_bound - G) + <m, params>, 0)
        size = min(lr / c1, gap / <m, m / q>)                (0 where the product has vanished)
        update = -size * m / q - lr * weight_decay / w * params

    Args:
        lr: the largest step size, at least 0.
        betas: decay rates of the means and of v, each in [0, 1).
        eps: at least 0; bounds the step where gradients are tiny.
        lower_bound: what the loss does not fall below; 0 suits models that can fit every sample.
        weight_decay: at least 0; decoupled.
        adapt_lower_bound: move the bound as training goes, never below lower_bound.

    Asks for the loss: ``update(grads, state, params, value=loss)``; in torch ``step(closure)`` or ``step(value=loss)``.

    Shapes: any; inner products are over all parameters together.  State: ``exp_avg`` (m) and ``exp_avg_sq`` (v) as the
    parameters; ``loss_avg`` (F), ``inner_avg`` (G) and ``bound``, one number each.

    Raises:
        ArgumentError: the update was not given the loss, or lower_bound is a schedule.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Fabian Schaipp, Ruben Ohana, Michael Eickenberg, Aaron Defazio, Robert M. Gower. MoMo: Momentum Models for Adaptive
        Learning Rates. 2023. arXiv:2305.07583

    Example:
        >>> import lossopt, numpy as np
        >>> momo_adam = lossopt.get_optimizer("momo_adam", backend="numpy", lr=10.0, lower_bound=-1.0)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = momo_adam.update(2 * params, momo_adam.init(params), params, value=5.0)
        >>> updates.round(6)
        array([-1.,  1.])
    """
    exp_avg = ops.lerp(state.exp_avg, grads, 1 - betas[0])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grads * grads, 1 - betas[1])
    loss_avg = state.loss_avg + (1 - betas[0]) * (value - state.loss_avg)
    inner_avg = state.inner_avg + (1 - betas[0]) * (ops.dot(grads, params) - state.inner_avg)
    first, second = ops.bias_correction(betas[0], step), ops.bias_correction(betas[1], step)
    direction = exp_avg / (ops.sqrt(exp_avg_sq / second) + eps)
    size, bound = step_size(
        ops, lr=lr, weight_decay=weight_decay, level=loss_avg - inner_avg, slope=ops.dot(exp_avg, params),
        square=ops.dot(exp_avg, direction), correction=first, bound=state.bound, floor=lower_bound, adapt=adapt_lower_bound,
    )  # fmt: skip
    decay = lr * weight_decay / (1 + lr * weight_decay)
    state = state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq, loss_avg=loss_avg, inner_avg=inner_avg, bound=bound)
    return -size * direction - decay * params, state
