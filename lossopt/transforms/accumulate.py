"""Gradient accumulation."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import transform
from lossopt.hyper import Count
from lossopt.ops import Array, Inner, Number, Ops, Update
from lossopt.vector import State


def start(ops: Ops, params: Array) -> State:
    """Nothing is gathered yet."""
    return State(gathered=ops.zeros_like(params))


@transform(
    start=start,
    conventions={"torch": {}, "optax": {}},
    spellings={"every_k_schedule": "every", "gradient_accumulation_steps": "every", "accumulation_steps": "every"},
    elsewhere={
        "torch": "torch.Tensor.backward(); several calls before one step add up: reduction='sum', or 'mean' with loss / every",
        "optax": "optax.MultiSteps; use_grad_mean=False is reduction='sum'; it gathers in float32; schedules inside count updates",
        "keras": "keras.optimizers.Optimizer(gradient_accumulation_steps)",
    },
)
def accumulate(ops: Ops, grads: Array, state: State, params: Array, step: Number, inner: Inner, *, every: Count = 4,
               reduction: Literal["mean", "sum"] = "mean") -> Update:  # fmt: skip
    """Update once in `every` calls, with the mean (or the sum) of the gradients since the last update.

        mean:  m_k = m_{k-1} + (g_k - m_{k-1}) / k          sum:  m_k = m_{k-1} + g_k          k = 1 ... every
        the wrapped rule sees m_every; the calls before it change nothing

    Time passes for the wrapped rule only when it updates: its step count and its bias correction are those of one large
    batch.  A schedule given inside as a hyperparameter counts calls all the same, in every backend: an optimizer has one
    count, and with ``every=4`` four calls make an update, so give the schedule four times as many steps
    (``optax.MultiSteps`` counts updates).  A trailing part of fewer than `every` gradients is never applied.  An average of
    parameters belongs inside: ``accumulate(ema(adamw()))``.

    Args:
        inner: the rule that sees the gathered gradient.
        every: how many gradients make one update; a whole number, at least 1.
        reduction: ``"mean"`` or ``"sum"`` of the gradients.

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import accumulate
        >>> optimizer = get_optimizer(accumulate(sgd(lr=0.1), every=2), backend="numpy")
        >>> params = np.zeros(1)
        >>> first, state = optimizer.update(np.array([1.0]), optimizer.init(params), params)
        >>> second, state = optimizer.update(np.array([3.0]), state, params)
        >>> first, second
        (array([0.]), array([-0.2]))
    """
    if reduction == "mean":
        gathered = state.gathered + (grads - state.gathered) / ((step - 1) % every + 1)
    else:
        gathered = state.gathered + grads

    def apply() -> Update:
        delta, own = inner(gathered, state.inner, params)
        return delta, state.replace(gathered=ops.zeros_like(gathered), inner=own)

    def wait() -> Update:
        return ops.zeros_like(params), state.replace(gathered=gathered)

    return ops.cond(step % every == 0, apply, wait)
