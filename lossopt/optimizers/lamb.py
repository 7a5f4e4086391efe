"""LAMB: Adam's direction, each parameter's step scaled to that parameter's norm."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_avg_sq"),
    conventions={"torch": {}, "optax": {}, "keras": {"eps": 1e-7, "decay_first": True}},
    elsewhere={
        "optax": "optax.lamb; no default lr",
        "keras": "keras.optimizers.Lamb; eps 1e-7; decays the parameter first, outside the trust ratio",
    },
)
def lamb(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3, betas: Betas = (0.9, 0.999),
         eps: NonNegative = 1e-6, weight_decay: NonNegative = 0.0, decay_first: bool = False) -> Update:  # fmt: skip
    """LAMB: large-batch training with one trust ratio for each parameter.

    Formula, with m, v, c1 and c2 as in adam::

        direction = (m / c1) / (sqrt(v / c2) + eps) + weight_decay * param
        trust = norm(param) / norm(direction)            (1 where either norm is 0)
        update = -lr * trust * direction

    Args:
        lr: the learning rate, at least 0: the relative change of a parameter's norm in one step.
        betas: decay rates of the two moments, each in [0, 1).
        eps: at least 0; bounds the step where gradients are tiny.
        weight_decay: at least 0; part of the direction, so the trust ratio scales it.
        decay_first: take ``lr * weight_decay * param`` from the parameter, and then the step of what is left (keras).

    Shapes: any; the norms are over one whole parameter.  State: ``exp_avg`` and ``exp_avg_sq``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Yang You, Jing Li, Sashank Reddi, Jonathan Hseu, Sanjiv Kumar, Srinadh Bhojanapalli, Xiaodan Song, James Demmel,
        Kurt Keutzer, Cho-Jui Hsieh. Large Batch Optimization for Deep Learning: Training BERT in 76 minutes. 2020.
        arXiv:1904.00962

    Example:
        >>> import lossopt, numpy as np
        >>> lamb = lossopt.get_optimizer("lamb", backend="numpy", lr=0.1)
        >>> params = np.array([3.0, -4.0])
        >>> updates, state = lamb.update(params, lamb.init(params), params)
        >>> round(float(np.linalg.norm(updates)), 6)
        0.5
    """
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grad * grad, 1 - betas[1])
    first, second = ops.bias_correction(betas[0], step), ops.bias_correction(betas[1], step)
    direction = exp_avg / first / (ops.sqrt(exp_avg_sq / second) + eps)
    decay = lr * weight_decay * param if decay_first else 0.0
    if not decay_first:
        direction = direction + weight_decay * param
    size, length = ops.norm(param - decay), ops.norm(direction)
    both = (size > 0) & (length > 0)
    trust = ops.where(both, size / ops.where(both, length, 1.0), 1.0)
    return -(lr * trust) * direction - decay, state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
