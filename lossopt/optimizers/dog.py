"""DoG: distance over gradients, a step size without tuning."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import NonNegative, Positive
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


def dog_start(ops: Ops, params: Array, *, reps_rel: float) -> State:
    return State(p0=params, distance=reps_rel * (1 + ops.norm(params)), grad_sq_sum=ops.number(0.0, params))


@optimizer(
    start=dog_start,
    conventions={"torch": {}, "optax": {}},
    elsewhere={"optax": "optax.contrib.dog; reps_rel is init_step=('heuristic', reps_rel), its other init_steps are not expressed here"},
)
def dog(ops: Ops, grads: Array, state: State, params: Array, *, lr: NonNegative = 1.0, reps_rel: Positive = 1e-6,
        eps: NonNegative = 1e-8, weight_decay: NonNegative = 0.0) -> Update:  # fmt: skip
    """DoG: gradient descent, the step the farthest distance from the start over the root of the sum of squared gradients.

    Formula, with p0 the parameters at the start and one r and one G for all parameters::

        g = grad + weight_decay * params
        r = max(r, norm(params - p0))                    (r = reps_rel * (1 + norm(p0)) at first)
        G = G + norm(g)**2
        update = -lr * r / sqrt(G + eps) * g

    Args:
        lr: a factor on the step, at least 0; leave it at 1.
        reps_rel: positive; the first distance, relative to the parameters.  1e-4 with batch normalization.
        eps: at least 0; bounds the first steps where gradients are tiny.
        weight_decay: at least 0; L2 regularization.

    The authors evaluate an average of the iterates: wrap it in ``ema(dog())``.

    Shapes: any; norms are over all parameters together.  State: ``p0`` as the parameters; ``distance`` and ``grad_sq_sum``,
    one number each.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: reps_rel is a schedule.

    References:
        Maor Ivgi, Oliver Hinder, Yair Carmon. DoG is SGD's Best Friend: A Parameter-Free Dynamic Step Size Schedule. 2023.
        arXiv:2302.12022

    Example:
        >>> import lossopt, numpy as np
        >>> dog = lossopt.get_optimizer("dog", backend="numpy", reps_rel=0.1)
        >>> params = np.array([3.0, -4.0])
        >>> updates, state = dog.update(params, dog.init(params), params)
        >>> round(float(np.linalg.norm(updates)), 6)
        0.6
    """
    grads = grads + weight_decay * params
    distance = ops.maximum(state.distance, ops.norm(params - state.p0))
    grad_sq_sum = state.grad_sq_sum + ops.dot(grads, grads)
    return -(lr * (distance / ops.sqrt(grad_sq_sum + eps))) * grads, state.replace(distance=distance, grad_sq_sum=grad_sq_sum)
