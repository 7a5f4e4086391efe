"""LAMB, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import lamb
from lossopt.parity.case import OptimizerCase

Case = OptimizerCase

CASES: tuple[OptimizerCase, ...] = (
    Case(lamb(lr=0.05), optax=lambda o: o.lamb(0.05)),
    Case(lamb(lr=0.05, weight_decay=0.1), optax=lambda o: o.lamb(0.05, weight_decay=0.1)),
    Case(lamb(lr=0.05, betas=(0.8, 0.95), eps=1e-3), optax=lambda o: o.lamb(0.05, 0.8, 0.95, 1e-3)),
    Case(lamb(lr=0.02, convention="optax"), optax=lambda o: o.lamb(0.02)),
    Case(lamb(lr=0.05, b1=0.0, convention="optax"), optax=lambda o: o.lamb(0.05, b1=0.0)),
    Case(lamb(lr=0.05, b2=0.9, weight_decay=0.5, convention="optax"), optax=lambda o: o.lamb(0.05, b2=0.9, weight_decay=0.5)),
    Case(lamb(convention="keras"), keras=lambda k: k.optimizers.Lamb()),
    Case(lamb(lr=0.05, weight_decay=0.5, convention="keras"), keras=lambda k: k.optimizers.Lamb(0.05, weight_decay=0.5)),
    Case(lamb(lr=0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3, convention="keras"),
         keras=lambda k: k.optimizers.Lamb(0.05, 0.8, 0.95, 1e-3)),
)
