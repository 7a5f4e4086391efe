"""AdEMAMix: Adam with a second, slow average of gradients."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Fraction, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_avg_sq", "exp_avg_slow"),
    conventions={"torch": {}, "optax": {}},
    spellings={"b3": "betas[2]", "beta3": "betas[2]"},
    elsewhere={
        "torch": "pytorch_optimizer.AdEMAMix; its t_alpha_beta3 is a schedule of alpha and betas[2] here",
        "optax": "optax.contrib.ademamix; no default lr; b3 is betas[2]",
    },
)
def ademamix(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3,
             betas: tuple[Fraction, Fraction, Fraction] = (0.9, 0.999, 0.9999), alpha: NonNegative = 5.0, eps: NonNegative = 1e-8,
             eps_root: NonNegative = 0.0, weight_decay: NonNegative = 0.0) -> Update:  # fmt: skip
    """AdEMAMix: AdamW whose direction mixes a fast average of gradients with a slow one that remembers old ones.

    Formula, with m, v, c1 and c2 as in adam::

        n = betas[2] * n + (1 - betas[2]) * grad             (not corrected: it fills slowly, on purpose)
        update = -lr * ((m / c1 + alpha * n) / (sqrt(v / c2 + eps_root) + eps) + weight_decay * param)

    Args:
        lr: the learning rate, at least 0; it scales the decay too.
        betas: decay rates of m, v and n, each in [0, 1).
        alpha: how much the slow average counts, at least 0.
        eps: at least 0; bounds the step where gradients are tiny.
        eps_root: at least 0; added inside the root.
        weight_decay: at least 0; decoupled.

    Over T steps the paper warms alpha up from 0, linearly, and betas[2] from betas[0], linearly in the half-life: both
    may be schedules, ``alpha=f, betas=(0.9, 0.999, g)``.

    Shapes: any, elementwise.  State: ``exp_avg``, ``exp_avg_sq`` and ``exp_avg_slow``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Matteo Pagliardini, Pierre Ablin, David Grangier. The AdEMAMix Optimizer: Better, Faster, Older. 2024.
        arXiv:2409.03137

    Example:
        >>> import lossopt, numpy as np
        >>> ademamix = lossopt.get_optimizer("ademamix", backend="numpy", lr=0.1, betas=(0.9, 0.999, 0.9), alpha=1.0)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = ademamix.update(params, ademamix.init(params), params)
        >>> updates.round(6)
        array([-0.11,  0.11])
    """
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grad * grad, 1 - betas[1])
    exp_avg_slow = ops.lerp(state.exp_avg_slow, grad, 1 - betas[2])
    first, second = ops.bias_correction(betas[0], step), ops.bias_correction(betas[1], step)
    direction = (exp_avg / first + alpha * exp_avg_slow) / (ops.sqrt(exp_avg_sq / second + eps_root) + eps)
    state = state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq, exp_avg_slow=exp_avg_slow)
    return -lr * (direction + weight_decay * param), state
