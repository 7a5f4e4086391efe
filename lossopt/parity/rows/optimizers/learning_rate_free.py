"""Optimizers that find their own step size, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import dog, polyak_sgd, prodigy
from lossopt.parity.case import OptimizerCase

Case = OptimizerCase

PRODIGY = (
    Case(prodigy(), optax=lambda o: o.contrib.prodigy()),
    Case(prodigy(weight_decay=0.1, d0=1e-3), optax=lambda o: o.contrib.prodigy(weight_decay=0.1, estim_lr0=1e-3)),
    Case(
        prodigy(betas=(0.8, 0.95), beta3=0.9, safeguard_warmup=True),
        optax=lambda o: o.contrib.prodigy(betas=(0.8, 0.95), beta3=0.9, safeguard_warmup=True),
    ),
    Case(prodigy(use_bias_correction=False)),
    Case(prodigy(convention="optax", estim_lr_coef=0.5), optax=lambda o: o.contrib.prodigy(estim_lr_coef=0.5)),
    Case(prodigy(convention="optax", learning_rate=0.5), optax=lambda o: o.contrib.prodigy(0.5)),
    Case(prodigy(convention="optax", eps=1e-3), optax=lambda o: o.contrib.prodigy(eps=1e-3)),
)

DOG = (
    Case(dog(), optax=lambda o: o.contrib.dog()),
    Case(dog(reps_rel=1e-3, weight_decay=0.1), optax=lambda o: o.contrib.dog(init_step=("heuristic", 1e-3), weight_decay=0.1)),
    Case(dog(lr=0.5, eps=1e-2, reps_rel=0.1), optax=lambda o: o.contrib.dog(0.5, init_step=("heuristic", 0.1), eps=1e-2)),
    Case(dog(convention="optax", reps_rel=1e-4), optax=lambda o: o.contrib.dog(init_step=("heuristic", 1e-4))),
    Case(dog(convention="optax", learning_rate=0.3, reps_rel=1e-2), optax=lambda o: o.contrib.dog(0.3, init_step=("heuristic", 1e-2))),
    Case(
        dog(convention="optax", reps_rel=1e-2, weight_decay=0.5),
        optax=lambda o: o.contrib.dog(init_step=("heuristic", 1e-2), weight_decay=0.5),
    ),
)

POLYAK = (
    Case(polyak_sgd(f_min=-8.0, max_lr=0.2), optax=lambda o: o.polyak_sgd(0.2, f_min=-8.0), optax_extras=("value",)),
    Case(
        polyak_sgd(f_min=-8.0, max_lr=0.2, variant="sps+"),
        optax=lambda o: o.polyak_sgd(0.2, f_min=-8.0, variant="sps+"),
        optax_extras=("value",),
    ),
    Case(polyak_sgd(f_min=-20.0, max_lr=0.1, eps=1.0), optax=lambda o: o.polyak_sgd(0.1, f_min=-20.0, eps=1.0), optax_extras=("value",)),
    Case(polyak_sgd(f_min=-8.0, max_lr=0.2, lr=0.5)),
    Case(
        polyak_sgd(f_min=-8.0, max_learning_rate=0.1, convention="optax"),
        optax=lambda o: o.polyak_sgd(0.1, f_min=-8.0),
        optax_extras=("value",),
    ),
    Case(
        polyak_sgd(f_min=-9.0, max_lr=0.2, eps=0.1, convention="optax"),
        optax=lambda o: o.polyak_sgd(0.2, f_min=-9.0, eps=0.1),
        optax_extras=("value",),
    ),
    Case(
        polyak_sgd(f_min=2.0, max_lr=0.1, variant="sps+", convention="optax"),
        optax=lambda o: o.polyak_sgd(0.1, f_min=2.0, variant="sps+"),
        optax_extras=("value",),
    ),
)

CASES: tuple[OptimizerCase, ...] = (*PRODIGY, *DOG, *POLYAK)
