"""StableAdamW: AdamW that takes a shorter step where its second moment lags behind the gradient."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_avg_sq"),
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "torch": "optimi.StableAdamW; its decouple_lr, max_lr, kahan_sum and triton are not expressed here",
        "also": "StableAdamW",
    },
)
def stable_adamw(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3,
                 betas: Betas = (0.9, 0.99), eps: NonNegative = 1e-6, weight_decay: NonNegative = 1e-2,
                 maximize: bool = False) -> Update:  # fmt: skip
    """StableAdamW: AdamW with Adafactor's update clipping, in place of clipping the gradient.

    Formula, with m, v, c1 and c2 as in adam, and one rms for each parameter::

        rms = sqrt(mean(grad**2 / max(v / c2, eps**2)))
        rate = lr / max(1, rms)
        update = -rate * ((m / c1) / (sqrt(v / c2) + eps) + weight_decay * param)

    Args:
        lr: the learning rate, at least 0.
        betas: decay rates of the two moments, each in [0, 1).
        eps: at least 0; bounds the step where gradients are tiny.
        weight_decay: at least 0; each step takes away ``rate * weight_decay`` of the parameter.
        maximize: ascend.

    Shapes: any; the mean is over one whole parameter.  State: ``exp_avg`` and ``exp_avg_sq``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Mitchell Wortsman, Tim Dettmers, Luke Zettlemoyer, Ari Morcos, Ali Farhadi, Ludwig Schmidt. Stable and low-precision
        training for large-scale vision-language models. 2023. arXiv:2304.13013

    Example:
        >>> import lossopt, numpy as np
        >>> stable = lossopt.get_optimizer("stable_adamw", backend="numpy", lr=0.1, betas=(0.9, 0.5), eps=0.0, weight_decay=0.0)
        >>> params = np.array([1.0, -1.0])
        >>> updates, state = stable.update(params, stable.init(params), params)
        >>> updates, state = stable.update(10 * params, state, params)  # ten times what it has seen: rms is 1.22
        >>> updates.round(4)
        array([-0.0574,  0.0574])
    """
    if maximize:
        grad = -grad
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grad * grad, 1 - betas[1])
    corrected = exp_avg_sq / ops.bias_correction(betas[1], step)
    rms = ops.sqrt(ops.mean(grad * grad / ops.maximum(corrected, eps * eps)))
    direction = exp_avg / ops.bias_correction(betas[0], step) / (ops.sqrt(corrected) + eps) + weight_decay * param
    return -(lr / ops.maximum(rms, 1.0)) * direction, state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
