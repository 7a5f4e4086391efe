"""D-Adapted AdamW: AdamW that estimates its own learning rate."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative, Positive
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


def dadapt_start(ops: Ops, params: Array, *, d0: float) -> State:
    return State(
        exp_avg=ops.zeros_like(params), exp_avg_sq=ops.zeros_like(params), s=ops.zeros_like(params),
        d=ops.number(d0, params), numerator_weighted=ops.number(0.0, params),
    )  # fmt: skip


@optimizer(
    start=dadapt_start,
    conventions={"torch": {}, "optax": {}},
    spellings={"estim_lr0": "d0"},
    elsewhere={
        "torch": "dadaptation.DAdaptAdam; use_bias_correction False by default, decouple=True; its growth_rate is not expressed here",
        "optax": "optax.contrib.dadapt_adamw; d0 is estim_lr0; NaN where the first gradients are all zero",
    },
)
def dadapt_adamw(ops: Ops, grads: Array, state: State, params: Array, step: Number, *, lr: NonNegative = 1.0,
                 betas: Betas = (0.9, 0.999), eps: Positive = 1e-8, weight_decay: NonNegative = 0.0, d0: Positive = 1e-6,
                 use_bias_correction: bool = True) -> Update:  # fmt: skip
    """D-Adapted AdamW: a lower bound on the distance to the solution, which grows as training goes, scales AdamW's step.

    Formula, with one number d for all parameters, k = d * lr * sqrt(1 - betas[1]**t) / (1 - betas[0]**t), and
    b = sqrt(betas[1])::

        r = b * r + (1 - b) * <k * grad, s / (sqrt(v) + eps)>          (v and s before this gradient)
        m = betas[0] * m + (1 - betas[0]) * k * grad
        v = betas[1] * v + (1 - betas[1]) * grad**2
        s = b * s + (1 - b) * k * grad
        d = max(d, r / ((1 - b) * sum|s|))                             (for the next step)
        update = -m / (sqrt(v) + eps) - k * weight_decay * params

    Args:
        lr: a factor on the estimate, at least 0; leave it at 1, or let a schedule bring it from 1 to 0.
        betas: decay rates of m and v, each in [0, 1).
        eps: positive; bounds the step where gradients are tiny.
        weight_decay: at least 0; decoupled, scaled by the estimate.
        d0: positive; the first estimate.  Too small costs a few steps, too large is not undone.
        use_bias_correction: correct for m and v starting at zero, as in Adam.

    Shapes: any; the inner product and the sum are over all parameters together.  State: ``exp_avg``, ``exp_avg_sq`` and
    ``s`` as the parameters; ``d`` and ``numerator_weighted`` (r), one number each.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: d0 is a schedule.

    References:
        Aaron Defazio, Konstantin Mishchenko. Learning-Rate-Free Learning by D-Adaptation. 2023. arXiv:2301.07733

    Example:
        >>> import lossopt, numpy as np
        >>> dadapt = lossopt.get_optimizer("dadapt_adamw", backend="numpy")
        >>> params = np.array([1.0, -2.0])
        >>> state = dadapt.init(params)
        >>> for _ in range(300):
        ...     updates, state = dadapt.update(params, state, params)
        ...     params = params + updates
        >>> bool(np.abs(params).max() < 0.1)
        True
    """
    root = betas[1] ** 0.5
    correction: Number = 1.0
    if use_bias_correction:
        correction = ops.sqrt(ops.bias_correction(betas[1], step)) / ops.bias_correction(betas[0], step)
    size = state.d * (lr * correction)
    scaled = size * grads
    aligned = ops.dot(scaled, state.s / (ops.sqrt(state.exp_avg_sq) + eps))
    numerator = root * state.numerator_weighted + (1 - root) * aligned
    exp_avg = ops.lerp(state.exp_avg, scaled, 1 - betas[0])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grads * grads, 1 - betas[1])
    s = ops.lerp(state.s, scaled, 1 - root)
    total = ops.maximum(ops.sum(ops.abs(s)), 1e-30)  # all gradients zero so far: 0 / 0 would be NaN for good
    d = ops.maximum(state.d, numerator / ((1 - root) * total))
    update = -(exp_avg / (ops.sqrt(exp_avg_sq) + eps)) - size * weight_decay * params
    return update, state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq, s=s, d=d, numerator_weighted=numerator)
