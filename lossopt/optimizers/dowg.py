"""DoWG: distance over weighted gradients, a step size without tuning."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import NonNegative, Positive
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


def dowg_start(ops: Ops, params: Array, *, sq_distance0: float | None, eps: float) -> State:
    first = eps if sq_distance0 is None else sq_distance0
    return State(p0=params, sq_distance=ops.number(first, params), weighted_sum=ops.number(0.0, params))


@optimizer(
    start=dowg_start,
    conventions={"torch": {}, "optax": {}},
    spellings={"init_estim_sq_dist": "sq_distance0"},
    elsewhere={"optax": "optax.contrib.dowg; sq_distance0 is init_estim_sq_dist"},
)
def dowg(ops: Ops, grads: Array, state: State, params: Array, *, lr: NonNegative = 1.0, sq_distance0: Positive | None = None,
         eps: Positive = 1e-4, weight_decay: NonNegative = 0.0) -> Update:  # fmt: skip
    """DoWG: gradient descent, the step the squared farthest distance over the root of gradients weighted by it.

    Formula, with p0 the parameters at the start and one r2 and one v for all parameters::

        g = grad + weight_decay * params
        r2 = max(r2, norm(params - p0)**2)                   (r2 = sq_distance0 at first)
        v = v + r2 * norm(g)**2
        update = -lr * r2 / (sqrt(v) + eps) * g

    Args:
        lr: a factor on the step, at least 0; leave it at 1.
        sq_distance0: positive; the first guess of the squared distance to the solution.  None is eps.
        eps: positive; bounds the first steps where gradients are tiny.
        weight_decay: at least 0; L2 regularization.

    Shapes: any; norms are over all parameters together.  State: ``p0`` as the parameters; ``sq_distance`` (r2) and
    ``weighted_sum`` (v), one number each.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: sq_distance0 or eps is a schedule.

    References:
        Ahmed Khaled, Konstantin Mishchenko, Chi Jin. DoWG Unleashed: An Efficient Universal Parameter-Free Gradient Descent
        Method. 2023. arXiv:2305.16284

    Example:
        >>> import lossopt, numpy as np
        >>> dowg = lossopt.get_optimizer("dowg", backend="numpy", sq_distance0=0.01)
        >>> params = np.array([3.0, -4.0])
        >>> updates, state = dowg.update(params, dowg.init(params), params)
        >>> round(float(np.linalg.norm(updates)), 4)
        0.1
    """
    grads = grads + weight_decay * params
    away = params - state.p0
    sq_distance = ops.maximum(state.sq_distance, ops.dot(away, away))
    weighted_sum = state.weighted_sum + sq_distance * ops.dot(grads, grads)
    update = -(lr * (sq_distance / (ops.sqrt(weighted_sum) + eps))) * grads
    return update, state.replace(sq_distance=sq_distance, weighted_sum=weighted_sum)
