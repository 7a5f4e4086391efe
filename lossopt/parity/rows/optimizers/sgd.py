"""SGD and its momentum, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import sgd
from lossopt.parity.case import OptimizerCase
from lossopt.parity.originals import ascending, decayed, from_torch

Case = OptimizerCase

CASES: tuple[OptimizerCase, ...] = (
    Case(sgd(lr=0.05), from_torch("SGD", lr=0.05), lambda o: o.sgd(0.05)),
    Case(sgd(lr=0.05, momentum=0.9), from_torch("SGD", lr=0.05, momentum=0.9), lambda o: o.sgd(0.05, 0.9)),
    Case(
        sgd(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
        from_torch("SGD", lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
        lambda o: decayed(o, 0.1, o.sgd(0.05, 0.9, nesterov=True)),
    ),
    Case(
        sgd(lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.1),
        from_torch("SGD", lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.1),
    ),
    Case(
        sgd(lr=1e-3, momentum=0.5, weight_decay=0.1, maximize=True),
        from_torch("SGD", lr=1e-3, momentum=0.5, weight_decay=0.1, maximize=True),
        lambda o: ascending(o, o.add_decayed_weights(0.1), o.sgd(1e-3, 0.5)),
        steps=20,
    ),
    Case(sgd(lr=0.05, convention="optax"), optax=lambda o: o.sgd(0.05)),
    Case(sgd(learning_rate=0.05, momentum=0.8, convention="optax"), optax=lambda o: o.sgd(0.05, 0.8)),
    Case(sgd(lr=0.05, momentum=0.8, nesterov=True, convention="optax"), optax=lambda o: o.sgd(0.05, 0.8, nesterov=True)),
    Case(sgd(convention="keras"), optax=lambda o: o.sgd(0.01), keras=lambda k: k.optimizers.SGD()),
    Case(sgd(momentum=0.9, weight_decay=0.1, convention="keras"), keras=lambda k: k.optimizers.SGD(momentum=0.9, weight_decay=0.1)),
    Case(sgd(momentum=0.9, nesterov=True, convention="keras"), optax=lambda o: o.sgd(0.01, 0.9, nesterov=True),
         keras=lambda k: k.optimizers.SGD(momentum=0.9, nesterov=True)),  # fmt: skip
)
