"""Adan: Adam with Nesterov's look ahead from differences of gradients."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import optimizer
from lossopt.hyper import Fraction, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_avg_diff", "exp_avg_sq", "previous_grad"),
    conventions={
        "torch": {},
        "optax": {"eps_root": 1e-8, "proximal": False, "difference_weight": "1 - beta2"},
    },
    elsewhere={
        "torch": "adan_pytorch.Adan; proximal is the opposite of its no_prox; its max_grad_norm is the transform clip_by_global_norm",
        "optax": "optax.adan; eps_root 1e-8, differences weigh 1 - b2 where the paper's authors have b2, decay not proximal, no "
                 "default lr",
    },
)
def adan(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3,
         betas: tuple[Fraction, Fraction, Fraction] = (0.98, 0.92, 0.99), eps: NonNegative = 1e-8, eps_root: NonNegative = 0.0,
         weight_decay: NonNegative = 0.0, proximal: bool = True,
         difference_weight: Literal["beta2", "1 - beta2"] = "beta2", maximize: bool = False) -> Update:  # fmt: skip
    """Adan: the gradient at the point ahead is foretold from how gradients change.

    Formula, at step t = 1, 2, ..., with d the change of the gradient since the last step (0 at the first), and
    w = betas[1]::

        m = betas[0] * m + (1 - betas[0]) * grad             c1 = 1 - betas[0]**t
        q = betas[1] * q + (1 - betas[1]) * d                c2 = 1 - betas[1]**t
        n = betas[2] * n + (1 - betas[2]) * (grad + w * d)**2        c3 = 1 - betas[2]**t
        move = -lr * (m / c1 + w * q / c2) / (sqrt(n / c3 + eps_root) + eps)
        update = (param + move) / (1 + lr * weight_decay) - param

    Args:
        lr: the learning rate, at least 0.
        betas: decay rates of m, q and n, each in [0, 1).  The paper's betas are 1 minus these.
        eps: at least 0; bounds the step where gradients are tiny.
        eps_root: at least 0; added inside the root.
        weight_decay: at least 0.
        proximal: shrink the parameter after the move, as above; if False, ``update = move - lr * weight_decay * param``.
        difference_weight: the weight w of differences, ``"beta2"`` (the authors' code) or ``"1 - beta2"`` (optax).
        maximize: ascend; the gradient is negated.

    Shapes: any, elementwise.  State: ``exp_avg`` (m), ``exp_avg_diff`` (q), ``exp_avg_sq`` (n) and ``previous_grad``, as the
    parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Xingyu Xie, Pan Zhou, Huan Li, Zhouchen Lin, Shuicheng Yan. Adan: Adaptive Nesterov Momentum Algorithm for Faster
        Optimizing Deep Models. 2022. arXiv:2208.06677

    Example:
        >>> import lossopt, numpy as np
        >>> adan = lossopt.get_optimizer("adan", backend="numpy", lr=0.1, weight_decay=1.0)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = adan.update(params, adan.init(params), params)
        >>> updates.round(6)
        array([-0.181818,  0.272727])
    """
    if maximize:
        grad = -grad
    weight = betas[1] if difference_weight == "beta2" else 1 - betas[1]
    change = ops.where(step > 1, grad - state.previous_grad, ops.zeros_like(grad))
    ahead = grad + weight * change
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    exp_avg_diff = ops.lerp(state.exp_avg_diff, change, 1 - betas[1])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, ahead * ahead, 1 - betas[2])
    first, second, third = (ops.bias_correction(beta, step) for beta in betas)
    direction = exp_avg / first + weight / second * exp_avg_diff
    move = -lr * direction / (ops.sqrt(exp_avg_sq / third + eps_root) + eps)
    decay = lr * weight_decay
    update = (move - decay * param) / (1 + decay) if proximal else move - decay * param
    state = state.replace(exp_avg=exp_avg, exp_avg_diff=exp_avg_diff, exp_avg_sq=exp_avg_sq, previous_grad=grad)
    return update, state
