"""Prodigy: Adam that estimates its own learning rate."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, Fraction, NonNegative, Positive
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


def prodigy_start(ops: Ops, params: Array, *, d0: float) -> State:
    return State(
        exp_avg=ops.zeros_like(params), exp_avg_sq=ops.zeros_like(params), s=ops.zeros_like(params), p0=params,
        d=ops.number(d0, params), numerator=ops.number(0.0, params),
    )  # fmt: skip


@optimizer(
    start=prodigy_start,
    conventions={"torch": {}, "optax": {}},
    spellings={"estim_lr0": "d0", "estim_lr_coef": "d_coef"},
    elsewhere={
        "torch": "prodigyopt.Prodigy; use_bias_correction False by default; its growth_rate and slice_p are not expressed here",
        "optax": "optax.contrib.prodigy; d0 is estim_lr0, d_coef is estim_lr_coef",
    },
)
def prodigy(ops: Ops, grads: Array, state: State, params: Array, step: Number, *, lr: NonNegative = 1.0, betas: Betas = (0.9, 0.999),
            beta3: Fraction | None = None, eps: NonNegative = 1e-8, weight_decay: NonNegative = 0.0, d0: Positive = 1e-6,
            d_coef: Positive = 1.0, safeguard_warmup: bool = False, use_bias_correction: bool = True) -> Update:  # fmt: skip
    """Prodigy: the distance to the solution, estimated as training goes, takes the place of a learning rate.

    Formula, with one number d for all parameters, k = d * lr * sqrt(1 - betas[1]**t) / (1 - betas[0]**t), and p0 the
    parameters at the start::

        m = betas[0] * m + (1 - betas[0]) * d * grad
        v = betas[1] * v + (1 - betas[1]) * (d * grad)**2
        s = beta3 * s + k * d / d0 * grad
        r = beta3 * r + k * d / d0 * <grad, p0 - params>
        d' = max(d, d_coef * r / sum|s|)
        update = -k * (m / (sqrt(v) + d' * eps) + weight_decay * params)

    Args:
        lr: a factor on the estimate, at least 0; leave it at 1, or let a schedule bring it from 1 to 0.
        betas: decay rates of m and v, each in [0, 1).
        beta3: decay rate of s and r, in [0, 1); None is ``sqrt(betas[1])``.
        eps: at least 0; bounds the step where gradients are tiny.
        weight_decay: at least 0; decoupled, scaled by the estimate.
        d0: positive; the first estimate.  Too small costs a few steps, too large is not undone.
        d_coef: positive; a factor on the estimate as it grows.
        safeguard_warmup: leave lr out of s, where a warm-up from tiny lr would inflate the estimate.
        use_bias_correction: correct for m and v starting at zero, as in Adam.

    Shapes: any; inner products and sums are over all parameters together.  State: ``exp_avg``, ``exp_avg_sq``, ``s`` and
    ``p0`` as the parameters; ``d`` and ``numerator``, one number each.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: d0 is a schedule.

    References:
        Konstantin Mishchenko, Aaron Defazio. Prodigy: An Expeditiously Adaptive Parameter-Free Learner. 2023.
        arXiv:2306.06101

    Example:
        >>> import lossopt, numpy as np
        >>> prodigy = lossopt.get_optimizer("prodigy", backend="numpy")
        >>> params = np.array([1.0, -2.0])
        >>> state = prodigy.init(params)
        >>> for _ in range(200):
        ...     updates, state = prodigy.update(params, state, params)
        ...     params = params + updates
        >>> bool(np.abs(params).max() < 0.1)
        True
    """
    beta3 = betas[1] ** 0.5 if beta3 is None else beta3
    correction: Number = 1.0
    if use_bias_correction:
        correction = ops.sqrt(ops.bias_correction(betas[1], step)) / ops.bias_correction(betas[0], step)
    d, size = state.d, state.d * (lr * correction)
    exp_avg = ops.lerp(state.exp_avg, d * grads, 1 - betas[0])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, d * d * grads * grads, 1 - betas[1])
    s = beta3 * state.s + (d if safeguard_warmup else size) * d / d0 * grads
    numerator = beta3 * state.numerator + d / d0 * size * ops.dot(grads, state.p0 - params)
    total = ops.sum(ops.abs(s))
    d = ops.maximum(d, d_coef * numerator / ops.maximum(total, 1e-30))  # all gradients zero so far: 0 / 0 would be NaN for good
    update = -size * (exp_avg / (ops.sqrt(exp_avg_sq) + d * eps) + weight_decay * params)
    return update, state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq, s=s, d=d, numerator=numerator)
