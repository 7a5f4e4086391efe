"""RAdam: Adam that waits for its second moment to mean something."""

from __future__ import annotations

from typing import Annotated

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative, Range
from lossopt.ops import Array, Number, Ops, Update
from lossopt.optimizers.shared.moments import corrected_mean
from lossopt.vector import State

AboveFour = Annotated[float, Range(low=4, open_low=True)]


def averaged_steps(ops: Ops, beta: Number, step: Number) -> Number:
    """How many steps a simple average would need to be as old as the exponential one: ``rho_t`` of the paper.

    ``2 / (1 - beta) - 1 - 2 * t * beta**t / (1 - beta**t)`` is a difference of numbers a thousand times larger than itself:
    float32 would be off by 5e-3 when rectification begins.  The same is ``t * k(t * h) + 1 - k(h)`` with
    ``h = -log(beta) / 2`` and k as below, where nothing cancels.
    """
    half_rate = -0.5 * ops.log(beta)
    return step * one_less_langevin(ops, step * half_rate) + 1 - one_less_langevin(ops, half_rate)


def one_less_langevin(ops: Ops, h: Number) -> Number:
    """``1 + 1/h - coth(h)``: below 1 from Lambert's continued fraction of ``coth(h) - 1/h``, above from the exponential."""
    fraction: Number = 19.0
    for odd in (17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0):
        fraction = odd + h * h / fraction
    decayed = ops.exp(-2.0 * h)
    return ops.where(h < 1.0, 1.0 - h / fraction, 1.0 / h - 2.0 * decayed / (1.0 - decayed))


@optimizer(
    slots=("exp_avg", "exp_avg_sq"),
    conventions={"torch": {}, "optax": {"eps_hat": False, "at_threshold": True}},
    spellings={"decoupled_weight_decay": "decoupled"},
    elsewhere={
        "torch": "torch.optim.RAdam",
        "optax": "optax.radam; eps added to the root of the corrected moment, rectifies at the threshold too, no weight_decay, "
                 "no default lr; its rectification is off by up to 5e-3 in float32",
        "also": "RAdam, RectifiedAdam",
    },
)
def radam(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3, betas: Betas = (0.9, 0.999),
          eps: NonNegative = 1e-8, weight_decay: NonNegative = 0.0, decoupled: bool = False, eps_hat: bool = True,
          eps_root: NonNegative = 0.0, threshold: AboveFour = 5.0, at_threshold: bool = False, nesterov: bool = False,
          maximize: bool = False) -> Update:  # fmt: skip
    """RAdam: momentum alone while few gradients have been seen, then Adam with a step that grows as its variance falls.

    Formula, at step t = 1, 2, ..., with m, v, c1 and c2 as in adam::

        rho_inf = 2 / (1 - betas[1]) - 1
        rho = rho_inf - 2 * t * betas[1]**t / (1 - betas[1]**t)
        r = sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
        update = -lr * (m / c1)                                              (rho <= threshold)
        update = -lr * r * (m / c1) * sqrt(c2) / (sqrt(v) + eps)             (rho > threshold)

    Args:
        lr: the learning rate, at least 0.
        betas: decay rates of m and v, each in [0, 1); at 2/3 and below, the second is never used.
        eps: at least 0; bounds the step where gradients are tiny.
        weight_decay: at least 0.
        decoupled: decay the parameter, ``update - lr * weight_decay * param``, rather than adding to the gradient.
        eps_hat: add eps to ``sqrt(v)`` (torch) rather than to ``sqrt(v / c2)`` (optax).
        eps_root: at least 0; added to ``v / c2`` inside the root.
        threshold: above 4; the step is rectified once rho is above it.
        at_threshold: rectify where rho equals the threshold, too (optax).
        nesterov: in place of m, what it would be after this gradient once more.
        maximize: ascend; the gradient is negated before the decay joins it.

    Shapes: any, elementwise.  State: ``exp_avg`` and ``exp_avg_sq``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Liyuan Liu, Haoming Jiang, Pengcheng He, Weizhu Chen, Xiaodong Liu, Jianfeng Gao, Jiawei Han. On the Variance of the
        Adaptive Learning Rate and Beyond. 2020. arXiv:1908.03265

    Example:
        >>> import lossopt, numpy as np
        >>> radam = lossopt.get_optimizer("radam", backend="numpy", lr=0.1)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = radam.update(params, radam.init(params), params)
        >>> updates.round(6)
        array([-0.1,  0.2])
    """
    if maximize:
        grad = -grad
    if not decoupled:
        grad = grad + weight_decay * param
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grad * grad, 1 - betas[1])
    mean, second = corrected_mean(ops, exp_avg, grad, betas[0], step, nesterov), ops.bias_correction(betas[1], step)
    seen = averaged_steps(ops, betas[1], step)
    now, ever = ops.maximum(seen, threshold), ops.maximum(2 / (1 - betas[1]) - 1, threshold)  # below it r is not used
    rectification = ops.sqrt((now - 4) * (now - 2) * ever / ((ever - 4) * (ever - 2) * now))
    denominator = ops.sqrt(exp_avg_sq / second + eps_root) + (eps / ops.sqrt(second) if eps_hat else eps)
    enough = seen >= threshold if at_threshold else seen > threshold
    update = -lr * ops.where(enough, rectification * mean / denominator, mean)
    update = update - lr * weight_decay * param if decoupled else update
    return update, state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
