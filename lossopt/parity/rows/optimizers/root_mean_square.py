"""RMSprop, Adagrad, Adadelta and Adafactor, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import adadelta, adafactor, adagrad, rmsprop
from lossopt.parity.case import Allowed, OptimizerCase
from lossopt.parity.originals import ascending, decayed, from_torch

Case = OptimizerCase

F32_DECAY = {"optax": Allowed(3e-8, "optax.adafactor computes 1 - t**-0.8 in float32 even under x64")}
KERAS_MEAN = {"keras": Allowed(1e-7, "keras.ops.mean divides in float32 on JAX, float64 values too")}
CENTERED = {"float32": Allowed(3e-5, "centered: v - a**2 cancels where gradients hardly change, and its float32 error with it")}

RMSPROP = (
    Case(rmsprop(lr=0.05), from_torch("RMSprop", lr=0.05), lambda o: o.rmsprop(0.05, decay=0.99, eps_in_sqrt=False)),
    Case(
        rmsprop(lr=0.05, alpha=0.9, centered=True, weight_decay=0.1),
        from_torch("RMSprop", lr=0.05, alpha=0.9, centered=True, weight_decay=0.1),
        lambda o: decayed(o, 0.1, o.rmsprop(0.05, decay=0.9, eps_in_sqrt=False, centered=True)),
        allowed=CENTERED,
    ),
    Case(
        rmsprop(lr=0.01, momentum=0.9, eps=1e-3),
        from_torch("RMSprop", lr=0.01, momentum=0.9, eps=1e-3),
        lambda o: o.rmsprop(0.01, decay=0.99, eps=1e-3, eps_in_sqrt=False, momentum=0.9),
    ),
    Case(rmsprop(lr=0.01, momentum=0.9, centered=True), from_torch("RMSprop", lr=0.01, momentum=0.9, centered=True), allowed=CENTERED),
    Case(
        rmsprop(lr=1e-3, weight_decay=0.1, maximize=True),
        from_torch("RMSprop", lr=1e-3, weight_decay=0.1, maximize=True),
        lambda o: ascending(o, o.add_decayed_weights(0.1), o.rmsprop(1e-3, decay=0.99, eps_in_sqrt=False)),
        steps=20,
    ),
    Case(rmsprop(lr=0.05, convention="optax"), optax=lambda o: o.rmsprop(0.05)),
    Case(rmsprop(lr=0.05, decay=0.8, momentum=0.9, convention="optax"), optax=lambda o: o.rmsprop(0.05, decay=0.8, momentum=0.9)),
    Case(
        rmsprop(lr=0.05, eps=1e-3, centered=True, convention="optax"),
        optax=lambda o: o.rmsprop(0.05, eps=1e-3, centered=True),
        allowed=CENTERED,
    ),
    Case(rmsprop(convention="keras"), optax=lambda o: o.rmsprop(1e-3, eps=1e-7), keras=lambda k: k.optimizers.RMSprop()),
    Case(
        rmsprop(lr=0.01, momentum=0.9, centered=True, convention="keras"),
        optax=lambda o: o.rmsprop(0.01, eps=1e-7, momentum=0.9, centered=True),
        keras=lambda k: k.optimizers.RMSprop(0.01, momentum=0.9, centered=True),
        allowed=CENTERED,
    ),  # fmt: skip
    Case(rmsprop(lr=0.05, rho=0.8, weight_decay=0.1, convention="keras"),
         keras=lambda k: k.optimizers.RMSprop(0.05, rho=0.8, weight_decay=0.1)),
)

ADAGRAD = (
    Case(adagrad(lr=0.5), from_torch("Adagrad", lr=0.5)),
    Case(adagrad(lr=0.5, lr_decay=0.1, weight_decay=0.1), from_torch("Adagrad", lr=0.5, lr_decay=0.1, weight_decay=0.1)),
    Case(
        adagrad(lr=0.5, initial_accumulator_value=0.1, eps=0.0),
        from_torch("Adagrad", lr=0.5, initial_accumulator_value=0.1, eps=0.0),
        lambda o: o.adagrad(0.5, 0.1, eps=0.0),
    ),
    Case(adagrad(lr=1e-3, weight_decay=0.1, maximize=True), from_torch("Adagrad", lr=1e-3, weight_decay=0.1, maximize=True), steps=20),
    Case(adagrad(lr=0.5, convention="optax"), optax=lambda o: o.adagrad(0.5)),
    Case(
        adagrad(lr=0.5, initial_accumulator_value=0.0, eps=0.0, convention="optax"),
        optax=lambda o: o.adagrad(0.5, initial_accumulator_value=0.0, eps=0.0),
    ),
    Case(adagrad(lr=0.5, eps=1e-2, weight_decay=0.1, convention="optax"), optax=lambda o: decayed(o, 0.1, o.adagrad(0.5, eps=1e-2))),
    Case(adagrad(convention="keras"), optax=lambda o: o.adagrad(1e-3), keras=lambda k: k.optimizers.Adagrad()),
    Case(adagrad(lr=0.5, weight_decay=0.1, convention="keras"), keras=lambda k: k.optimizers.Adagrad(0.5, weight_decay=0.1)),
    Case(
        adagrad(lr=0.5, epsilon=1e-2, initial_accumulator_value=0.3, convention="keras"), optax=lambda o: o.adagrad(0.5, 0.3, 1e-2),
        keras=lambda k: k.optimizers.Adagrad(0.5, initial_accumulator_value=0.3, epsilon=1e-2),
    ),  # fmt: skip
)

ADADELTA = (
    Case(adadelta(), from_torch("Adadelta"), lambda o: o.adadelta(1.0)),
    Case(
        adadelta(lr=0.5, rho=0.8, eps=1e-3),
        from_torch("Adadelta", lr=0.5, rho=0.8, eps=1e-3),
        lambda o: o.adadelta(0.5, rho=0.8, eps=1e-3),
    ),
    Case(
        adadelta(lr=2.0, weight_decay=0.1),
        from_torch("Adadelta", lr=2.0, weight_decay=0.1),
        lambda o: o.adadelta(2.0, weight_decay=0.1),
    ),
    Case(adadelta(weight_decay=0.1, maximize=True), from_torch("Adadelta", weight_decay=0.1, maximize=True), steps=20),
    Case(adadelta(convention="optax"), optax=lambda o: o.adadelta(1.0)),
    Case(adadelta(lr=0.3, rho=0.95, convention="optax"), optax=lambda o: o.adadelta(0.3, rho=0.95)),
    Case(adadelta(lr=2.0, eps=1e-2, weight_decay=0.1, convention="optax"), optax=lambda o: o.adadelta(2.0, eps=1e-2, weight_decay=0.1)),
    Case(adadelta(convention="keras"), optax=lambda o: o.adadelta(1e-3, 0.95, 1e-7), keras=lambda k: k.optimizers.Adadelta()),
    Case(adadelta(lr=1.0, convention="keras"), optax=lambda o: o.adadelta(1.0, 0.95, 1e-7), keras=lambda k: k.optimizers.Adadelta(1.0)),
    Case(adadelta(lr=1.0, weight_decay=0.1, convention="keras"), keras=lambda k: k.optimizers.Adadelta(1.0, weight_decay=0.1)),
)

ADAFACTOR = (
    Case(adafactor(lr=0.05), from_torch("Adafactor", lr=0.05)),
    Case(adafactor(lr=0.05, weight_decay=0.1, d=2.0), from_torch("Adafactor", lr=0.05, weight_decay=0.1, d=2.0)),
    Case(
        adafactor(lr=0.5, beta2_decay=-0.5, eps=(1e-2, 1e-1)),
        from_torch("Adafactor", lr=0.5, beta2_decay=-0.5, eps=(1e-2, 1e-1)),
    ),
    Case(adafactor(lr=1e-3, weight_decay=0.1, maximize=True), from_torch("Adafactor", lr=1e-3, weight_decay=0.1, maximize=True), steps=20),
    Case(adafactor(lr=0.05, convention="optax"), optax=lambda o: o.adafactor(0.05), allowed=F32_DECAY),
    Case(
        adafactor(lr=0.05, min_dim_size_to_factor=2, convention="optax"),
        optax=lambda o: o.adafactor(0.05, min_dim_size_to_factor=2),
        allowed=F32_DECAY,
    ),
    Case(
        adafactor(lr=0.05, clipping_threshold=0.5, weight_decay_rate=1e-3, min_dim_size_to_factor=2, convention="optax"),
        optax=lambda o: o.adafactor(0.05, clipping_threshold=0.5, weight_decay_rate=1e-3, min_dim_size_to_factor=2),
        allowed=F32_DECAY,
    ),
    Case(adafactor(convention="keras"), keras=lambda k: k.optimizers.Adafactor(), allowed=KERAS_MEAN),
    Case(adafactor(lr=0.05, weight_decay=0.5, convention="keras"), keras=lambda k: k.optimizers.Adafactor(0.05, weight_decay=0.5),
         allowed=KERAS_MEAN),
    Case(
        adafactor(lr=0.5, eps=(1e-2, 1e-1), clip_threshold=0.5, beta_2_decay=-0.5, convention="keras"),
        keras=lambda k: k.optimizers.Adafactor(0.5, -0.5, 1e-2, 1e-1, 0.5),
        allowed=KERAS_MEAN,
    ),
)

CASES: tuple[OptimizerCase, ...] = (*RMSPROP, *ADAGRAD, *ADADELTA, *ADAFACTOR)
