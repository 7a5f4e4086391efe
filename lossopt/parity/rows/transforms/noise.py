"""Noise in a chain, beside optax's where the noise is none; in every row all backends draw the same."""

from __future__ import annotations

from lossopt.optimizers import adamw, dpsgd, lion, sgd
from lossopt.parity.case import OptimizerCase
from lossopt.parity.originals import from_torch
from lossopt.transforms import add_noise, chain, clip_by_value, ema, route

Case = OptimizerCase

CASES: tuple[OptimizerCase, ...] = (
    Case(chain(add_noise(), sgd(lr=0.05))),
    Case(chain(add_noise(eta=1.0, gamma=0.0, seed=1), add_noise(eta=0.1, seed=2), adamw(lr=0.02))),
    Case(
        chain(add_noise(eta=0.0), sgd(lr=0.05, momentum=0.9)),
        from_torch("SGD", lr=0.05, momentum=0.9),
        lambda o: o.chain(o.add_noise(0.0, 0.55, 0), o.sgd(0.05, 0.9)),
    ),
    Case(route(chain(add_noise(eta=0.5), sgd(lr=0.05)), lion(lr=0.01), to=("tall.*", "*"))),
    Case(chain(add_noise(convention="optax"), sgd(lr=0.05))),
    Case(chain(add_noise(eta=0.3, gamma=1.0, key=9, convention="optax"), sgd(lr=0.02))),
    Case(
        chain(add_noise(eta=0.0, gamma=2.0, convention="optax"), sgd(lr=0.02)),
        optax=lambda o: o.chain(o.add_noise(0.0, 2.0, 0), o.sgd(0.02)),
    ),
    Case(ema(chain(dpsgd(lr=0.05, noise_multiplier=0.3), clip_by_value(max_value=0.02)))),
)
