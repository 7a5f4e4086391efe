"""AdaBelief: Adam whose denominator is how far gradients stray from their mean."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.optimizers.shared.moments import corrected_mean
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_avg_var"),
    conventions={"torch": {}, "optax": {}},
    spellings={"decoupled_weight_decay": "decoupled", "weight_decouple": "decoupled"},
    elsewhere={
        "torch": "adabelief_pytorch.AdaBelief; eps is both eps and eps_root there; its rectify, amsgrad and fixed_decay are not "
                 "expressed here",
        "optax": "optax.adabelief; no weight_decay, no default lr",
    },
)
def adabelief(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3, betas: Betas = (0.9, 0.999),
              eps: NonNegative = 1e-16, eps_root: NonNegative = 1e-16, weight_decay: NonNegative = 0.0, decoupled: bool = True,
              nesterov: bool = False, maximize: bool = False) -> Update:  # fmt: skip
    """AdaBelief: large steps where the gradient is as its mean foretold, small ones where it is not.

    Formula, at step t = 1, 2, ...::

        m = betas[0] * m + (1 - betas[0]) * grad
        s = betas[1] * s + (1 - betas[1]) * (grad - m)**2 + eps_root
        update = -lr * (m / (1 - betas[0]**t)) / (sqrt(s / (1 - betas[1]**t)) + eps)

    Args:
        lr: the learning rate, at least 0.
        betas: decay rates of m and s, each in [0, 1).
        eps: at least 0; added to the root.
        eps_root: at least 0; added to s at every step, so that s is never zero.
        weight_decay: at least 0.
        decoupled: decay the parameter, ``update - lr * weight_decay * param``; if False, ``grad + weight_decay * param`` takes
            the place of the gradient.
        nesterov: in place of m, what it would be after this gradient once more.
        maximize: ascend; the gradient is negated before the decay joins it.

    Shapes: any, elementwise.  State: ``exp_avg`` and ``exp_avg_var``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Juntang Zhuang, Tommy Tang, Yifan Ding, Sekhar Tatikonda, Nicha Dvornek, Xenophon Papademetris, James S. Duncan.
        AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients. 2020. arXiv:2010.07468

    Example:
        >>> import lossopt, numpy as np
        >>> adabelief = lossopt.get_optimizer("adabelief", backend="numpy", lr=0.1)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = adabelief.update(params, adabelief.init(params), params)
        >>> updates.round(6)
        array([-0.111111,  0.111111])
    """
    if maximize:
        grad = -grad
    if not decoupled:
        grad = grad + weight_decay * param
    stray = betas[0] * (grad - state.exp_avg)  # which is grad - exp_avg below, with one rounding less
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    exp_avg_var = ops.lerp(state.exp_avg_var, stray * stray, 1 - betas[1]) + eps_root
    mean = corrected_mean(ops, exp_avg, grad, betas[0], step, nesterov)
    update = -lr * mean / (ops.sqrt(exp_avg_var / ops.bias_correction(betas[1], step)) + eps)
    update = update - lr * weight_decay * param if decoupled else update
    return update, state.replace(exp_avg=exp_avg, exp_avg_var=exp_avg_var)
