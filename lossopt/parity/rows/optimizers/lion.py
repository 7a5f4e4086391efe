"""Lion, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import lion
from lossopt.parity.case import OptimizerCase
from lossopt.parity.originals import lion_pytorch

Case = OptimizerCase

CASES: tuple[OptimizerCase, ...] = (
    Case(lion(lr=0.01), lion_pytorch(lr=0.01), lambda o: o.lion(0.01, weight_decay=0.0)),
    Case(lion(lr=0.01, weight_decay=0.1), lion_pytorch(lr=0.01, weight_decay=0.1), lambda o: o.lion(0.01, weight_decay=0.1)),
    Case(
        lion(lr=0.01, betas=(0.95, 0.98), weight_decay=1.0),
        lion_pytorch(lr=0.01, betas=(0.95, 0.98), weight_decay=1.0),
        lambda o: o.lion(0.01, 0.95, 0.98, weight_decay=1.0),
    ),
    Case(lion(lr=0.01, convention="optax"), optax=lambda o: o.lion(0.01)),
    Case(lion(lr=0.01, b1=0.8, convention="optax"), optax=lambda o: o.lion(0.01, b1=0.8)),
    Case(lion(lr=0.01, b2=0.9, weight_decay=0.5, convention="optax"), optax=lambda o: o.lion(0.01, b2=0.9, weight_decay=0.5)),
    Case(lion(convention="keras"), lion_pytorch(lr=1e-3), lambda o: o.lion(1e-3, weight_decay=0.0), keras=lambda k: k.optimizers.Lion()),
    Case(lion(weight_decay=0.1, convention="keras"), lion_pytorch(lr=1e-3, weight_decay=0.1), lambda o: o.lion(1e-3, weight_decay=0.1),
         keras=lambda k: k.optimizers.Lion(weight_decay=0.1)),
    Case(
        lion(lr=0.01, beta_1=0.95, convention="keras"),
        lion_pytorch(lr=0.01, betas=(0.95, 0.99)),
        lambda o: o.lion(0.01, 0.95, weight_decay=0.0),
        keras=lambda k: k.optimizers.Lion(0.01, beta_1=0.95),
    ),
)
