"""MoMo: SGD with momentum whose step size comes from a model of the loss."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Finite, Fraction, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.optimizers.shared.model_step import step_size
from lossopt.vector import State


def momo_start(ops: Ops, params: Array, *, lower_bound: float) -> State:
    return State(
        exp_avg=ops.zeros_like(params), loss_avg=ops.number(0.0, params), inner_avg=ops.number(0.0, params),
        bound=ops.number(lower_bound, params),
    )  # fmt: skip


@optimizer(
    start=momo_start,
    conventions={"torch": {}, "optax": {}},
    spellings={"lb": "lower_bound", "use_fstar": "adapt_lower_bound"},
    elsewhere={
        "torch": "momo.Momo; lower_bound is lb, adapt_lower_bound is use_fstar; its bias_correction is not expressed here",
        "optax": "optax.contrib.momo",
    },
)
def momo(ops: Ops, grads: Array, state: State, params: Array, step: Number, value: Number, *, lr: NonNegative = 1.0,
         beta: Fraction = 0.9, lower_bound: Finite = 0.0, weight_decay: NonNegative = 0.0,
         adapt_lower_bound: bool = False) -> Update:  # fmt: skip
    """MoMo: along the mean gradient, as far as the mean of the loss's linear models must still fall, and at most lr.

    Formula, with the loss f of this step; the first of each mean enters whole::

        d = beta * d + (1 - beta) * grad
        F = beta * F + (1 - beta) * f
        G = beta * G + (1 - beta) * <grad, params>
        w = 1 + lr * weight_decay
        size = min(lr, max(w * (F - lower_bound - G) + <d, params>, 0) / norm(d)**2)      (0 where d has vanished)
        update = -size * d - lr * weight_decay / w * params

    Args:
        lr: the largest step size, at least 0; rather large.
        beta: decay rate of the means, in [0, 1).
        lower_bound: what the loss does not fall below; 0 suits models that can fit every sample.
        weight_decay: at least 0; decoupled.
        adapt_lower_bound: move the bound as training goes, never below lower_bound.

    Asks for the loss: ``update(grads, state, params, value=loss)``; in torch ``step(closure)`` or ``step(value=loss)``.

    Shapes: any; inner products are over all parameters together.  State: ``exp_avg`` (d) as the parameters; ``loss_avg``
    (F), ``inner_avg`` (G) and ``bound``, one number each.

    Raises:
        ArgumentError: the update was not given the loss, or lower_bound is a schedule.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Fabian Schaipp, Ruben Ohana, Michael Eickenberg, Aaron Defazio, Robert M. Gower. MoMo: Momentum Models for Adaptive
        Learning Rates. 2023. arXiv:2305.07583

    Example:
        >>> import lossopt, numpy as np
        >>> momo = lossopt.get_optimizer("momo", backend="numpy")
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = momo.update(2 * params, momo.init(params), params, value=5.0)
        >>> updates
        array([-0.5,  1. ])
    """
    weight = ops.where(step > 1, 1 - beta, 1.0)
    exp_avg = ops.lerp(state.exp_avg, grads, weight)
    loss_avg = state.loss_avg + weight * (value - state.loss_avg)
    inner_avg = state.inner_avg + weight * (ops.dot(grads, params) - state.inner_avg)
    size, bound = step_size(
        ops, lr=lr, weight_decay=weight_decay, level=loss_avg - inner_avg, slope=ops.dot(exp_avg, params),
        square=ops.dot(exp_avg, exp_avg), correction=1.0, bound=state.bound, floor=lower_bound, adapt=adapt_lower_bound,
    )  # fmt: skip
    decay = lr * weight_decay / (1 + lr * weight_decay)
    return -size * exp_avg - decay * params, state.replace(exp_avg=exp_avg, loss_avg=loss_avg, inner_avg=inner_avg, bound=bound)
