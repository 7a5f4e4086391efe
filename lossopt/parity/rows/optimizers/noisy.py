"""Optimizers with noise, beside the frameworks' own where the noise is none; in every row all backends draw the same."""

from __future__ import annotations

from lossopt.optimizers import dpsgd, noisy_sgd
from lossopt.parity.case import OptimizerCase
from lossopt.parity.originals import from_torch

Case = OptimizerCase

NOISY_SGD = (
    Case(noisy_sgd(lr=0.05)),
    Case(noisy_sgd(lr=0.05, eta=1.0, gamma=0.0, seed=7)),
    Case(noisy_sgd(lr=0.05, eta=0.0), from_torch("SGD", lr=0.05), lambda o: o.noisy_sgd(0.05, 0.0, key=0)),
    Case(noisy_sgd(lr=0.05, eta=0.1, seed=2**32 - 1), groups={"*.bias": {"seed": 5}, "tall.*": {"eta": 0.0}}),
    Case(noisy_sgd(lr=0.05, convention="optax")),
    Case(noisy_sgd(learning_rate=0.02, eta=0.3, gamma=1.0, key=3, convention="optax")),
    Case(noisy_sgd(lr=0.02, eta=0.0, convention="optax"), optax=lambda o: o.noisy_sgd(0.02, 0.0, key=0)),
)

DPSGD = (
    Case(dpsgd(lr=0.05)),
    Case(dpsgd(lr=0.05, max_grad_norm=3.0, noise_multiplier=0.1, momentum=0.9, nesterov=True, seed=7)),
    Case(dpsgd(lr=0.05, max_grad_norm=0.5, noise_multiplier=0.5, momentum=0.5, expected_batch_size=5)),
    Case(dpsgd(lr=0.05, max_grad_norm=1e9, noise_multiplier=0.0, momentum=0.9), from_torch("SGD", lr=0.05, momentum=0.9)),
    Case(dpsgd(lr=0.05, noise_multiplier=0.0, convention="optax"), optax=lambda o: o.contrib.dpsgd(0.05, 1.0, 0.0, seed=0)),
    Case(
        dpsgd(lr=0.02, l2_norm_clip=3.0, noise_multiplier=0.0, momentum=0.9, convention="optax"),
        optax=lambda o: o.contrib.dpsgd(0.02, 3.0, 0.0, seed=0, momentum=0.9),
    ),
    Case(
        dpsgd(learning_rate=0.02, l2_norm_clip=0.1, noise_multiplier=0.0, momentum=0.5, nesterov=True, convention="optax"),
        optax=lambda o: o.contrib.dpsgd(0.02, 0.1, 0.0, seed=0, momentum=0.5, nesterov=True),
    ),
    Case(dpsgd(lr=0.05, noise_multiplier=2.0, seed=3, convention="optax")),
)

CASES: tuple[OptimizerCase, ...] = (*NOISY_SGD, *DPSGD)
