"""ACProp: the gradient over what its variance was a step ago."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_avg_var"),
    conventions={"torch": {}, "optax": {"centered_on": "old"}},
    elsewhere={
        "optax": "optax.contrib.acprop; no default lr; its code centers on the mean before this gradient, its formula on the mean after it",
    },
)
def acprop(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3, betas: Betas = (0.9, 0.999),
           eps: NonNegative = 1e-16, eps_root: NonNegative = 1e-16, weight_decay: NonNegative = 0.0,
           centered_on: Literal["new", "old"] = "new") -> Update:  # fmt: skip
    """ACProp: the gradient over the root of its variance, which was estimated without this gradient.

    Formula, at step t = 1, 2, ...::

        d = sqrt(s / (1 - betas[1]**(t-1))) + eps            (1 + eps at t = 1)
        m = betas[0] * m + (1 - betas[0]) * grad
        s = betas[1] * s + (1 - betas[1]) * (grad - m)**2 + eps_root
        update = -lr * (grad / d + weight_decay * param)

    Args:
        lr: the learning rate, at least 0.
        betas: decay rates of m and s, each in [0, 1).  With the first near 0 the mean is the gradient itself, s next to
            nothing, and the step as good as unbounded.
        eps: at least 0; added to the root.
        eps_root: at least 0; added to s at every step.
        weight_decay: at least 0; decoupled: each step takes away ``lr * weight_decay`` of the parameter.
        centered_on: ``"new"`` subtracts the m that this gradient has entered (the paper), ``"old"`` the one before it
            (optax), which makes s larger by ``betas[0]**-2``.

    Shapes: any, elementwise.  State: ``exp_avg`` and ``exp_avg_var``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Juntang Zhuang, Yifan Ding, Tommy Tang, Nicha Dvornek, Sekhar Tatikonda, James S. Duncan. Momentum Centering and
        Asynchronous Update for Adaptive Gradient Methods. 2021. arXiv:2110.05454

    Example:
        >>> import lossopt, numpy as np
        >>> acprop = lossopt.get_optimizer("acprop", backend="numpy", lr=0.1)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = acprop.update(params, acprop.init(params), params)
        >>> updates
        array([-0.1,  0.2])
        >>> acprop.update(params, state, params)[0].round(6)
        array([-0.111111,  0.111111])
    """
    before = ops.bias_correction(betas[1], ops.maximum(step - 1, 1))
    variance = ops.where(step > 1, state.exp_avg_var / before, 1.0)
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    residual = grad - (exp_avg if centered_on == "new" else state.exp_avg)
    exp_avg_var = ops.lerp(state.exp_avg_var, residual * residual, 1 - betas[1]) + eps_root
    update = -lr * (grad / (ops.sqrt(variance) + eps) + weight_decay * param)
    return update, state.replace(exp_avg=exp_avg, exp_avg_var=exp_avg_var)
