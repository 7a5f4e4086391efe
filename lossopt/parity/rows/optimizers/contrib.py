"""Optimizers of optax.contrib that take a learning rate, beside optax's own."""

from __future__ import annotations

import importlib
from typing import Any

from lossopt.optimizers import acprop, ademamix, adopt, madgrad, schedule_free_sgd, simplified_ademamix
from lossopt.parity.case import Allowed, OptimizerCase
from lossopt.parity.transform_originals import Pair

Case = OptimizerCase
LR = 0.05


def counting_in_float64(made: Any) -> Pair:
    """An optax transformation whose count is a float64: ``jnp.sqrt`` of an int32 is a float32 even where all else is float64."""
    tree = importlib.import_module("jax").tree

    def init(params: Any) -> Any:
        return tree.map(lambda x: x.astype(float) if x.dtype.kind == "i" else x, made.init(params))

    return Pair(init, made.update)


ROOT_IN_FLOAT32 = Allowed(
    1e-7, "optax.contrib.madgrad takes sqrt(count + 1) of an int32, in float32: 6e-8 at most; with a float64 count it is within 1e-12"
)

ACPROP = (
    Case(acprop(lr=LR, centered_on="old"), optax=lambda o: o.contrib.acprop(LR)),
    Case(acprop(lr=LR, betas=(0.5, 0.95), eps=1e-2, weight_decay=0.1)),
    Case(acprop(lr=LR, betas=(0.8, 0.95), eps=1e-3, eps_root=1e-4)),
    Case(acprop(lr=LR, convention="optax"), optax=lambda o: o.contrib.acprop(LR)),
    Case(
        acprop(lr=LR, b1=0.8, b2=0.95, eps=1e-3, eps_root=1e-4, convention="optax"),
        optax=lambda o: o.contrib.acprop(LR, b1=0.8, b2=0.95, eps=1e-3, eps_root=1e-4),
    ),
    Case(acprop(lr=LR, weight_decay=0.1, convention="optax"), optax=lambda o: o.contrib.acprop(LR, weight_decay=0.1)),
)

ADEMAMIX = (
    Case(ademamix(lr=LR), optax=lambda o: o.contrib.ademamix(LR)),
    Case(
        ademamix(lr=LR, betas=(0.8, 0.95, 0.99), alpha=2.0, weight_decay=0.1),
        optax=lambda o: o.contrib.ademamix(LR, b1=0.8, b2=0.95, b3=0.99, alpha=2.0, weight_decay=0.1),
    ),
    Case(ademamix(lr=LR, eps=1e-3, eps_root=1e-3), optax=lambda o: o.contrib.ademamix(LR, eps=1e-3, eps_root=1e-3)),
    Case(ademamix(lr=LR, alpha=0.0), torch=lambda torch, params: torch.optim.AdamW(params, lr=LR, weight_decay=0.0)),
    Case(ademamix(learning_rate=LR, convention="optax"), optax=lambda o: o.contrib.ademamix(LR)),
    Case(ademamix(lr=LR, b3=0.9, convention="optax"), optax=lambda o: o.contrib.ademamix(LR, b3=0.9)),
    Case(
        ademamix(lr=LR, alpha=8.0, weight_decay=0.01, convention="optax"),
        optax=lambda o: o.contrib.ademamix(LR, alpha=8.0, weight_decay=0.01),
    ),
)

SIMPLIFIED_ADEMAMIX = (
    Case(simplified_ademamix(lr=1e-3), optax=lambda o: o.contrib.simplified_ademamix(1e-3)),
    Case(
        simplified_ademamix(lr=1e-3, betas=(0.9, 0.99), alpha=3.0, weight_decay=0.1),
        optax=lambda o: o.contrib.simplified_ademamix(1e-3, b1=0.9, b2=0.99, alpha=3.0, weight_decay=0.1),
    ),
    Case(
        simplified_ademamix(lr=1e-3, eps=1e-3, eps_root=1e-3),
        optax=lambda o: o.contrib.simplified_ademamix(1e-3, eps=1e-3, eps_root=1e-3),
    ),
    Case(simplified_ademamix(lr=1e-3, convention="optax"), optax=lambda o: o.contrib.simplified_ademamix(1e-3)),
    Case(simplified_ademamix(lr=1e-3, alpha=1.0, convention="optax"), optax=lambda o: o.contrib.simplified_ademamix(1e-3, alpha=1.0)),
    Case(
        simplified_ademamix(lr=1e-3, b1=0.9, weight_decay=0.5, convention="optax"),
        optax=lambda o: o.contrib.simplified_ademamix(1e-3, b1=0.9, weight_decay=0.5),
    ),
)

ADOPT = (
    Case(adopt(lr=LR), optax=lambda o: o.contrib.adopt(LR)),
    Case(adopt(lr=LR, clip_exponent=None), optax=lambda o: o.contrib.adopt(LR, use_clipping=False)),
    Case(
        adopt(lr=LR, betas=(0.8, 0.99), eps=0.1, nesterov=True, clip_exponent=0.5),
        optax=lambda o: o.contrib.adopt(LR, b1=0.8, b2=0.99, eps=0.1, nesterov=True, clip_value_fn=lambda count: count**0.5),
    ),
    Case(adopt(lr=LR, weight_decay=0.1), optax=lambda o: o.chain(o.add_decayed_weights(0.1), o.contrib.adopt(LR))),
    Case(adopt(lr=LR, weight_decay=0.1, decoupled=True)),
    Case(adopt(lr=LR, convention="optax"), optax=lambda o: o.contrib.adopt(LR)),
    Case(
        adopt(lr=LR, b2=0.99, nesterov=True, clip_exponent=None, convention="optax"),
        optax=lambda o: o.contrib.adopt(LR, b2=0.99, nesterov=True, use_clipping=False),
    ),
    Case(adopt(lr=LR, b1=0.5, eps=1e-2, convention="optax"), optax=lambda o: o.contrib.adopt(LR, b1=0.5, eps=1e-2)),
)

MADGRAD = (
    Case(madgrad(lr=LR), optax=lambda o: o.contrib.madgrad(LR), allowed={"optax": ROOT_IN_FLOAT32}),
    Case(madgrad(lr=LR), optax=lambda o: counting_in_float64(o.contrib.madgrad(LR))),
    Case(
        madgrad(lr=LR, momentum=0.5, weight_decay=0.1),
        optax=lambda o: counting_in_float64(o.contrib.madgrad(LR, momentum=0.5, weight_decay=0.1)),
    ),
    Case(madgrad(lr=LR, momentum=0.0, eps=1e-2), optax=lambda o: counting_in_float64(o.contrib.madgrad(LR, momentum=0.0, eps=1e-2))),
    Case(madgrad(lr=LR, convention="optax"), optax=lambda o: counting_in_float64(o.contrib.madgrad(LR))),
    Case(
        madgrad(lr=0.5, momentum=0.99, convention="optax"),
        optax=lambda o: counting_in_float64(o.contrib.madgrad(0.5, momentum=0.99)),
    ),
    Case(
        madgrad(lr=LR, weight_decay=0.5, convention="optax"),
        optax=lambda o: o.contrib.madgrad(LR, weight_decay=0.5),
        allowed={"optax": ROOT_IN_FLOAT32},
    ),
)

SCHEDULE_FREE = (
    Case(schedule_free_sgd(lr=LR), optax=lambda o: o.contrib.schedule_free_sgd(LR)),
    Case(
        schedule_free_sgd(lr=LR, momentum=0.5, weight_decay=0.1),
        optax=lambda o: o.contrib.schedule_free_sgd(LR, b1=0.5, weight_decay=0.1),
    ),
    Case(schedule_free_sgd(lr=LR, weight_lr_power=0.0), optax=lambda o: o.contrib.schedule_free_sgd(LR, weight_lr_power=0.0)),
    Case(schedule_free_sgd(lr=0.2, convention="optax"), optax=lambda o: o.contrib.schedule_free_sgd(0.2)),
    Case(schedule_free_sgd(lr=LR, b1=0.98, convention="optax"), optax=lambda o: o.contrib.schedule_free_sgd(LR, b1=0.98)),
    Case(
        schedule_free_sgd(lr=LR, weight_decay=0.5, weight_lr_power=1.0, convention="optax"),
        optax=lambda o: o.contrib.schedule_free_sgd(LR, weight_decay=0.5, weight_lr_power=1.0),
    ),
)

CASES: tuple[OptimizerCase, ...] = (*ACPROP, *ADEMAMIX, *SIMPLIFIED_ADEMAMIX, *ADOPT, *MADGRAD, *SCHEDULE_FREE)
