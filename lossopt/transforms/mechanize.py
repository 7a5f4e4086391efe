"""Mechanic: a learned scale on any rule's updates."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import Count, NonNegative, Positive
from lossopt.ops import Array, Inner, Ops, Update
from lossopt.vector import State


def start(ops: Ops, params: Array, *, s_init: float, num_betas: int) -> State:
    """Where training began, and for each beta one bettor."""
    none = [0.0] * num_betas
    return State(
        p0=params, r=ops.array(none, params), m=ops.array(none, params), v=ops.array(none, params),
        s=ops.array([s_init] * num_betas, params),
    )  # fmt: skip


@transform(
    start=start,
    conventions={"torch": {}, "optax": {}},
    spellings={"s_decay": "weight_decay"},
    elsewhere={
        "torch": "mechanic_pytorch.mechanize; s_init is 1e-8 there, and s_decay is weight_decay; it clips the reward at zero rather than "
                 "the bet, so the two are not the same to a rounding",
        "optax": "optax.contrib.mechanize; it takes p0 at the first update rather than at init",
    },
)  # fmt: skip
def mechanize(ops: Ops, grads: Array, state: State, params: Array, inner: Inner, *, weight_decay: NonNegative = 1e-2,
              eps: Positive = 1e-8, s_init: Positive = 1e-6, num_betas: Count = 6) -> Update:  # fmt: skip
    """Learn by what factor to scale the wrapped rule's updates, from how far they led downhill so far.

        g' = g + weight_decay * sum(s) * ||g|| / (||p|| + eps) * p
        d  = (p0 - p) / (sum(s) + eps);   h = <g', d>;   d <- d - rule(g)           <.,.>: over all parameters
        for each beta of 0.9, 0.99, ... (num_betas of them), with its own r, m, v and s:
            r <- beta r + clamp(h, -m, m) * s
            m <- max(beta m, |h| + eps);   v <- beta^2 v + h^2
            s <- (s_init / num_betas * m + max(r, 0)) / (sqrt(v) + eps)
        p  <- p0 - sum(s) * d

    Give the wrapped rule the learning rate 1, or a schedule that begins or peaks at 1: the scale is learned.  It does
    not go with rules that normalize whole updates, such as lamb.

    Args:
        inner: the rule whose updates are scaled.
        weight_decay: at least 0; of the bets, not of the wrapped rule.
        eps: positive; keeps the divisions finite.
        s_init: positive; the first scale, on the small side.
        num_betas: how many decay rates bet, at least 1.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: s_init or num_betas is a schedule.

    Paper:
        Cutkosky, Defazio, Mehta: Mechanic: A Learning Rate Tuner, 2023, arXiv:2306.00144

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import mechanize
        >>> optimizer = get_optimizer(mechanize(sgd(lr=1.0)), backend="numpy")
        >>> params = np.array([3.0, -4.0])
        >>> state = optimizer.init(params)
        >>> for _ in range(100):
        ...     updates, state = optimizer.update(params, state, params)
        ...     params = params + updates
        >>> bool(np.abs(params).max() < 0.1)
        True
    """
    change, own = inner(grads, state.inner, params)
    scale = ops.sum(state.s)
    decayed = grads + (weight_decay * scale * ops.norm(grads) / (ops.norm(params) + eps)) * params
    before = (state.p0 - params) / (scale + eps)
    gain = ops.dot(decayed, before)
    betas = ops.array([1.0 - 0.1**i for i in range(1, num_betas + 1)], params)
    bet = ops.maximum(ops.minimum(gain, state.m), -state.m)
    r = betas * state.r + bet * state.s
    m = ops.maximum(betas * state.m, ops.abs(gain) + eps)
    v = betas * betas * state.v + gain * gain
    s = (s_init / num_betas * m + ops.maximum(r, 0.0)) / (ops.sqrt(v) + eps)
    update = state.p0 - ops.sum(s) * (before - change) - params
    return update, state.replace(r=r, m=m, v=v, s=s, inner=own)
