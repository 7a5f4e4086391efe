"""Schedule-free optimizers, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import schedule_free_adamw
from lossopt.parity.case import OptimizerCase

Case = OptimizerCase

CASES: tuple[OptimizerCase, ...] = (
    Case(schedule_free_adamw(lr=0.05), optax=lambda o: o.contrib.schedule_free_adamw(0.05)),
    Case(schedule_free_adamw(lr=0.05, weight_decay=0.1), optax=lambda o: o.contrib.schedule_free_adamw(0.05, weight_decay=0.1)),
    Case(
        schedule_free_adamw(lr=0.05, betas=(0.95, 0.9), eps=1e-3, weight_lr_power=1.0),
        optax=lambda o: o.contrib.schedule_free_adamw(0.05, b1=0.95, b2=0.9, eps=1e-3, weight_lr_power=1.0),
    ),
    Case(schedule_free_adamw(convention="optax"), optax=lambda o: o.contrib.schedule_free_adamw()),
    Case(schedule_free_adamw(lr=0.1, b1=0.8, convention="optax"), optax=lambda o: o.contrib.schedule_free_adamw(0.1, b1=0.8)),
    Case(
        schedule_free_adamw(lr=0.05, b2=0.9, weight_decay=0.5, convention="optax"),
        optax=lambda o: o.contrib.schedule_free_adamw(0.05, b2=0.9, weight_decay=0.5),
    ),  # fmt: skip
    Case(schedule_free_adamw(convention="keras"), keras=lambda k: k.optimizers.ScheduleFreeAdamW()),
    Case(
        schedule_free_adamw(lr=0.05, beta_1=0.8, weight_decay=0.5, convention="keras"),
        keras=lambda k: k.optimizers.ScheduleFreeAdamW(0.05, beta_1=0.8, weight_decay=0.5),
    ),
    Case(
        schedule_free_adamw(lr=0.1, beta_2=0.9, epsilon=1e-3, convention="keras"),
        keras=lambda k: k.optimizers.ScheduleFreeAdamW(0.1, beta_2=0.9, epsilon=1e-3),
    ),
)
