"""Optimistic Adam: Adam's direction and its last change, for games."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, Finite, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.optimizers.shared.moments import corrected_mean
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_avg_sq", "previous_direction"),
    conventions={"torch": {}, "optax": {}},
    elsewhere={"optax": "optax.optimistic_adam; deprecated there for optimistic_adam_v2, no default lr, no schedules"},
)
def optimistic_adam(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3,
                    betas: Betas = (0.9, 0.999), eps: NonNegative = 1e-8, eps_root: NonNegative = 0.0, nesterov: bool = True,
                    alpha: Finite = 1.0, beta: Finite = 1.0, optimism: Finite | None = None) -> Update:  # fmt: skip
    """Optimistic Adam: for generative adversarial networks and other min-max problems, which Adam circles around.

    Formula, at step t = 1, 2, ..., with m, v, c1 and c2 as in adam, d' the direction before (at the first step d itself)::

        n = betas[0] * m / (1 - betas[0]**(t + 1)) + (1 - betas[0]) * grad / c1         (nesterov=False: m / c1)
        d = n / (sqrt(v / c2 + eps_root) + eps)
        update = -lr * alpha * d - optimism * (d - d')

    Args:
        lr: the learning rate, at least 0.
        betas: decay rates of the two moments, each in [0, 1).
        eps: at least 0; bounds the step where gradients are tiny.
        eps_root: at least 0; the same, inside the root.
        nesterov: look ahead along the mean.
        alpha: weight of the direction.
        beta: weight of its last change, as a multiple of lr.
        optimism: the same weight by itself, not multiplied by lr; None is ``lr * beta``.

    Shapes: any, elementwise.  State: ``exp_avg``, ``exp_avg_sq`` and ``previous_direction``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Constantinos Daskalakis, Andrew Ilyas, Vasilis Syrgkanis, Haoyang Zeng. Training GANs with Optimism. 2018.
        arXiv:1711.00141

    Example:
        >>> import lossopt, numpy as np
        >>> optimistic = lossopt.get_optimizer("optimistic_adam", backend="numpy", lr=0.1, nesterov=False)
        >>> params = np.array([1.0, -2.0])
        >>> optimistic.update(params, optimistic.init(params), params)[0].round(6)
        array([-0.1,  0.1])
    """
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grad * grad, 1 - betas[1])
    mean = corrected_mean(ops, exp_avg, grad, betas[0], step, nesterov)
    direction = mean / (ops.sqrt(exp_avg_sq / ops.bias_correction(betas[1], step) + eps_root) + eps)
    change = direction - ops.where(step > 1, state.previous_direction, direction)
    weight = lr * beta if optimism is None else optimism
    update = -(lr * alpha) * direction - weight * change
    return update, state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq, previous_direction=direction)


optimistic_adam_v2 = optimistic_adam.variant(
    "optimistic_adam_v2",
    conventions={"torch": {}, "optax": {}},
    elsewhere={"optax": "optax.optimistic_adam_v2; no default lr"},
    doc="""Optimistic Adam under the name of optax's second interface, where lr may be a schedule: here it always may.

Args:
    lr: the learning rate, at least 0.
    betas: decay rates of the two moments, each in [0, 1).
    eps: at least 0; bounds the step where gradients are tiny.
    eps_root: at least 0; the same, inside the root.
    nesterov: look ahead along the mean.
    alpha: weight of the direction.
    beta: weight of its last change, as a multiple of lr.
    optimism: the same weight by itself, not multiplied by lr; None is ``lr * beta``.

The formula, the state and the paper are those of `optimistic_adam`.

Example:
    >>> import lossopt, numpy as np
    >>> optimistic = lossopt.get_optimizer("optimistic_adam_v2", backend="numpy", lr=0.1, alpha=2.0, nesterov=False)
    >>> params = np.array([1.0, -2.0])
    >>> optimistic.update(params, optimistic.init(params), params)[0].round(6)
    array([-0.2,  0.2])
""",
)
