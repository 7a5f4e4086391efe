"""Simplified AdEMAMix: one sum of gradients, and the newest gradient once more."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_avg_sq"),
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "torch": "pytorch_optimizer.SimplifiedAdEMAMix; its beta1_warmup is a schedule of betas[0] here",
        "optax": "optax.contrib.simplified_ademamix; no default lr",
    },
)
def simplified_ademamix(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-4,
                        betas: Betas = (0.99, 0.95), alpha: NonNegative = 0.0, eps: NonNegative = 1e-8, eps_root: NonNegative = 0.0,
                        weight_decay: NonNegative = 0.0) -> Update:  # fmt: skip
    """Simplified AdEMAMix: a decaying sum of gradients plus a multiple of the newest, over the root mean squared gradient.

    Formula, with v and c2 as in adam::

        m = betas[0] * m + grad                              (a sum: up to 1 / (1 - betas[0]) gradients)
        update = -lr * ((m + alpha * grad) / (sqrt(v / c2 + eps_root) + eps) + weight_decay * param)

    With alpha=0 it is Adam, but for the correction of m, at the rate ``lr / (1 - betas[0])``.

    Args:
        lr: the learning rate, at least 0; about ``1 - betas[0]`` of what suits Adam.
        betas: decay rates of m and v, each in [0, 1).
        alpha: how much the newest gradient counts besides its place in m, at least 0.
        eps: at least 0; bounds the step where gradients are tiny.
        eps_root: at least 0; added inside the root.
        weight_decay: at least 0; decoupled.

    Shapes: any, elementwise.  State: ``exp_avg`` and ``exp_avg_sq``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Depen Morwani, Nikhil Vyas, Hanlin Zhang, Sham Kakade. Connections between Schedule-Free Optimizers, AdEMAMix, and
        Accelerated SGD Variants. 2025. arXiv:2502.02431

    Example:
        >>> import lossopt, numpy as np
        >>> optimizer = lossopt.get_optimizer("simplified_ademamix", backend="numpy", lr=0.1, alpha=1.0)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = optimizer.update(params, optimizer.init(params), params)
        >>> updates.round(6)
        array([-0.2,  0.2])
    """
    exp_avg = betas[0] * state.exp_avg + grad
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grad * grad, 1 - betas[1])
    root = ops.sqrt(exp_avg_sq / ops.bias_correction(betas[1], step) + eps_root)
    update = -lr * ((exp_avg + alpha * grad) / (root + eps) + weight_decay * param)
    return update, state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
