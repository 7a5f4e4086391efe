"""Adam and AdamW, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import adam, adamw
from lossopt.parity.case import OptimizerCase
from lossopt.parity.originals import ascending, decayed, from_torch

Case = OptimizerCase

ADAM = (
    Case(adam(lr=0.05), from_torch("Adam", lr=0.05), lambda o: o.adam(0.05)),
    Case(adam(lr=0.05, weight_decay=0.1), from_torch("Adam", lr=0.05, weight_decay=0.1), lambda o: decayed(o, 0.1, o.adam(0.05))),
    Case(
        adam(lr=0.05, betas=(0.8, 0.95), eps=1e-3),
        from_torch("Adam", lr=0.05, betas=(0.8, 0.95), eps=1e-3),
        lambda o: o.adam(0.05, 0.8, 0.95, 1e-3),
    ),
    Case(adam(lr=0.05, amsgrad=True), from_torch("Adam", lr=0.05, amsgrad=True)),
    Case(
        adam(lr=1e-3, weight_decay=0.1, maximize=True),
        from_torch("Adam", lr=1e-3, weight_decay=0.1, maximize=True),
        lambda o: ascending(o, o.add_decayed_weights(0.1), o.adam(1e-3)),
        steps=20,
    ),
    Case(adam(lr=0.05, convention="optax"), optax=lambda o: o.adam(0.05)),
    Case(adam(learning_rate=0.05, b1=0.0, b2=0.9, convention="optax"), optax=lambda o: o.adam(0.05, b1=0.0, b2=0.9)),
    Case(adam(lr=0.05, b1=0.8, amsgrad=True, convention="optax"), optax=lambda o: o.amsgrad(0.05, b1=0.8)),
    Case(adam(lr=0.05, convention="keras"), keras=lambda k: k.optimizers.Adam(0.05)),
    Case(adam(lr=0.05, epsilon=1e-2, weight_decay=0.1, convention="keras"),
         keras=lambda k: k.optimizers.Adam(0.05, epsilon=1e-2, weight_decay=0.1)),
    Case(adam(lr=0.05, amsgrad=True, convention="keras"), keras=lambda k: k.optimizers.Adam(0.05, amsgrad=True)),
)

ADAMW = (
    Case(adamw(lr=0.05), from_torch("AdamW", lr=0.05), lambda o: o.adamw(0.05, weight_decay=1e-2)),
    Case(
        adamw(lr=0.05, weight_decay=0.1),
        from_torch("AdamW", lr=0.05, weight_decay=0.1),
        lambda o: o.adamw(0.05, weight_decay=0.1),
    ),
    Case(
        adamw(lr=0.05, betas=(0.0, 0.9), eps=1e-2, weight_decay=0.0),
        from_torch("AdamW", lr=0.05, betas=(0.0, 0.9), eps=1e-2, weight_decay=0.0),
        lambda o: o.adamw(0.05, 0.0, 0.9, 1e-2, weight_decay=0.0),
    ),
    Case(adamw(lr=0.05, amsgrad=True, weight_decay=0.1), from_torch("AdamW", lr=0.05, amsgrad=True, weight_decay=0.1)),
    Case(
        adamw(lr=1e-3, maximize=True),
        from_torch("AdamW", lr=1e-3, maximize=True),
        lambda o: ascending(o, o.adamw(1e-3, weight_decay=1e-2)),
        steps=20,
    ),
    Case(adamw(lr=0.05, convention="optax"), optax=lambda o: o.adamw(0.05)),
    Case(
        adamw(learning_rate=0.05, b1=0.8, b2=0.99, weight_decay=0.1, convention="optax"),
        optax=lambda o: o.adamw(0.05, 0.8, 0.99, weight_decay=0.1),
    ),
    Case(
        adamw(lr=0.05, amsgrad=True, convention="optax"),
        optax=lambda o: o.chain(o.scale_by_amsgrad(), o.add_decayed_weights(1e-4), o.scale_by_learning_rate(0.05)),
    ),
    Case(adamw(convention="keras"), keras=lambda k: k.optimizers.AdamW()),
    Case(adamw(lr=0.05, weight_decay=0.1, convention="keras"), keras=lambda k: k.optimizers.AdamW(0.05, weight_decay=0.1)),
    Case(adamw(lr=0.05, eps=1e-2, amsgrad=True, convention="keras"),
         keras=lambda k: k.optimizers.AdamW(0.05, epsilon=1e-2, amsgrad=True)),
)

CASES: tuple[OptimizerCase, ...] = (*ADAM, *ADAMW)
