"""Adam and AdamW: one text; decoupling the weight decay is a switch."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_avg_sq", "max_exp_avg_sq if amsgrad"),
    conventions={"torch": {}, "optax": {"amsgrad_max": "corrected"}, "keras": {"eps": 1e-7}},
    elsewhere={"torch": "torch.optim.Adam", "optax": "optax.adam", "keras": "keras.optimizers.Adam"},
)
def adam(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3, betas: Betas = (0.9, 0.999),
         eps: NonNegative = 1e-8, weight_decay: NonNegative = 0.0, decoupled: bool = False, amsgrad: bool = False,
         amsgrad_max: Literal["raw", "corrected"] = "raw") -> Update:  # fmt: skip
    """Adam."""
    if not decoupled:
        grad = grad + weight_decay * param
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grad * grad, 1 - betas[1])
    state = state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
    first, second = ops.bias_correction(betas[0], step), ops.bias_correction(betas[1], step)
    corrected = exp_avg_sq / second
    if amsgrad and amsgrad_max == "raw":  # torch: the maximum of the raw moment, corrected by today's factor
        highest = ops.maximum(state.max_exp_avg_sq, exp_avg_sq)
        state, corrected = state.replace(max_exp_avg_sq=highest), highest / second
    elif amsgrad:  # optax: the maximum of the corrected moment
        corrected = ops.maximum(state.max_exp_avg_sq, corrected)
        state = state.replace(max_exp_avg_sq=corrected)
    update = -(lr / first) * exp_avg / (ops.sqrt(corrected) + eps)
    return (update - lr * weight_decay * param if decoupled else update), state


adamw = adam.variant(
    "adamw",
    decoupled=True,
    weight_decay=1e-2,
    conventions={
        "torch": {},
        "optax": {"weight_decay": 1e-4, "amsgrad_max": "corrected"},
        "keras": {"weight_decay": 4e-3, "eps": 1e-7},
    },
    elsewhere={"torch": "torch.optim.AdamW", "optax": "optax.adamw", "keras": "keras.optimizers.AdamW"},
    doc="""AdamW: Adam with decoupled weight decay.""",
)
