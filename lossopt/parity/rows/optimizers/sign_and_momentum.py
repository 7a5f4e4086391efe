"""Sign methods, averaging, layer-wise norms, accumulators of slices and optimism, beside the frameworks' own."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lossopt.optimizers import (
    asgd,
    fromage,
    lars,
    novograd,
    optimistic_adam,
    optimistic_adam_v2,
    optimistic_gradient_descent,
    rprop,
    sign_sgd,
    signum,
    sm3,
)
from lossopt.parity.case import OptimizerCase
from lossopt.parity.originals import ascending, decayed, from_torch

Case = OptimizerCase


def optax_rprop(optax: ModuleType, *args: Any, **options: Any) -> Any:
    """optax's Rprop with the update of this step, which optax 0.2.8 keeps in its state and gives out at the next one.

    See https://github.com/google-deepmind/optax/pull/1725.
    """
    own = optax.scale_by_rprop(*args, **options)

    def update(grads: Any, state: Any, params: Any = None) -> Any:
        _, state = own.update(grads, state, params)
        return optax.tree.scale(-1.0, state.prev_updates), state

    return optax.GradientTransformation(own.init, update)


RPROP = (
    Case(rprop(lr=0.05), from_torch("Rprop", lr=0.05), lambda o: optax_rprop(o, 0.05)),
    Case(
        rprop(lr=0.05, etas=(0.7, 1.5), step_sizes=(1e-3, 0.2)),
        from_torch("Rprop", lr=0.05, etas=(0.7, 1.5), step_sizes=(1e-3, 0.2)),
        lambda o: optax_rprop(o, 0.05, 0.7, 1.5, 1e-3, 0.2),
    ),
    Case(rprop(lr=0.5, step_sizes=(1e-6, 0.1)), from_torch("Rprop", lr=0.5, step_sizes=(1e-6, 0.1))),
    Case(
        rprop(lr=1e-3, maximize=True),
        from_torch("Rprop", lr=1e-3, maximize=True),
        lambda o: ascending(o, optax_rprop(o, 1e-3)),
        steps=10,
    ),
    Case(rprop(lr=0.05, convention="optax"), optax=lambda o: optax_rprop(o, 0.05)),
    Case(rprop(lr=0.5, max_step_size=0.1, convention="optax"), optax=lambda o: optax_rprop(o, 0.5, max_step_size=0.1)),
    Case(
        rprop(learning_rate=0.05, eta_minus=0.3, eta_plus=1.1, min_step_size=1e-2, convention="optax"),
        optax=lambda o: optax_rprop(o, 0.05, 0.3, 1.1, 1e-2),
    ),
)

ASGD = (
    Case(asgd(lr=0.05), from_torch("ASGD", lr=0.05)),
    Case(asgd(lr=0.05, lambd=0.1, alpha=0.5, t0=10), from_torch("ASGD", lr=0.05, lambd=0.1, alpha=0.5, t0=10)),
    Case(asgd(lr=0.05, t0=0, weight_decay=0.1), from_torch("ASGD", lr=0.05, t0=0, weight_decay=0.1)),
    Case(asgd(lr=1e-3, t0=5, maximize=True), from_torch("ASGD", lr=1e-3, t0=5, maximize=True), steps=20),
    Case(asgd(lr=0.05, convention="optax")),
    Case(asgd(lr=0.05, lambd=0.0, t0=0, convention="optax"), optax=lambda o: o.sgd(0.05)),
    Case(asgd(learning_rate=0.02, lambd=0.0, weight_decay=0.1, convention="optax"), optax=lambda o: decayed(o, 0.1, o.sgd(0.02))),
)

SIGNS = (
    Case(sign_sgd(lr=0.01), optax=lambda o: o.sign_sgd(0.01)),
    Case(sign_sgd(lr=1e-3), optax=lambda o: o.sign_sgd(1e-3)),
    Case(sign_sgd(lr=0.01, momentum=0.5), optax=lambda o: o.signum(0.01, 0.5)),
    Case(sign_sgd(lr=0.02, convention="optax"), optax=lambda o: o.sign_sgd(0.02)),
    Case(sign_sgd(learning_rate=5e-3, convention="optax"), optax=lambda o: o.sign_sgd(5e-3)),
    Case(sign_sgd(lr=0.01, beta=0.99, convention="optax"), optax=lambda o: o.signum(0.01, 0.99)),
    Case(signum(lr=0.01), optax=lambda o: o.signum(0.01)),
    Case(signum(lr=0.01, momentum=0.0), optax=lambda o: o.sign_sgd(0.01)),
    Case(signum(lr=3e-3, momentum=0.95), optax=lambda o: o.signum(3e-3, 0.95)),
    Case(signum(lr=0.01, convention="optax"), optax=lambda o: o.signum(0.01)),
    Case(signum(lr=0.01, beta=0.5, convention="optax"), optax=lambda o: o.signum(0.01, 0.5)),
    Case(signum(learning_rate=3e-3, beta=0.99, convention="optax"), optax=lambda o: o.signum(3e-3, 0.99)),
)

LARS = (
    Case(lars(lr=1.0, trust_coefficient=0.02)),
    Case(lars(lr=1.0, trust_coefficient=0.02, weight_decay=0.1, nesterov=True)),
    Case(
        lars(lr=0.5, trust_coefficient=0.05, momentum=0.0, eps=1e-3),
        optax=lambda o: o.lars(0.5, trust_coefficient=0.05, momentum=0.0, eps=1e-3),
    ),
    Case(lars(lr=1.0, trust_coefficient=0.02, convention="optax"), optax=lambda o: o.lars(1.0, trust_coefficient=0.02)),
    Case(
        lars(lr=1.0, trust_coefficient=0.02, weight_decay=0.1, nesterov=True, convention="optax"),
        optax=lambda o: o.lars(1.0, 0.1, trust_coefficient=0.02, nesterov=True),
    ),
    Case(
        lars(lr=1.0, trust_coefficient=0.05, momentum=0.5, eps=1e-2, weight_decay=0.5, convention="optax"),
        optax=lambda o: o.lars(1.0, 0.5, trust_coefficient=0.05, momentum=0.5, eps=1e-2),
    ),
)

FROMAGE = (
    Case(fromage(lr=0.05), optax=lambda o: o.fromage(0.05, 0.0)),
    Case(fromage(lr=0.5), optax=lambda o: o.fromage(0.5, 0.0)),
    Case(fromage(lr=0.05, min_norm=1.0), optax=lambda o: o.fromage(0.05, 1.0)),
    Case(fromage(lr=0.05, convention="optax"), optax=lambda o: o.fromage(0.05)),
    Case(fromage(lr=0.01, min_norm=3.0, convention="optax"), optax=lambda o: o.fromage(0.01, 3.0)),
    Case(fromage(learning_rate=0.3, convention="optax"), optax=lambda o: o.fromage(0.3)),
)

NOVOGRAD = (
    Case(novograd(lr=0.01), optax=lambda o: o.novograd(0.01, 0.95, 0.98, 1e-8)),
    Case(novograd(lr=0.01, weight_decay=0.1, eps=1e-3), optax=lambda o: o.novograd(0.01, 0.95, 0.98, 1e-3, weight_decay=0.1)),
    Case(novograd(lr=0.05, betas=(0.5, 0.5), grad_averaging=True)),
    Case(novograd(lr=0.01, convention="optax"), optax=lambda o: o.novograd(0.01)),
    Case(
        novograd(lr=0.02, b1=0.5, b2=0.9, eps_root=1e-2, convention="optax"),
        optax=lambda o: o.novograd(0.02, 0.5, 0.9, eps_root=1e-2),
    ),
    Case(novograd(lr=0.01, weight_decay=0.5, convention="optax"), optax=lambda o: o.novograd(0.01, weight_decay=0.5)),
)


def optax_sm3(optax: ModuleType, lr: float, *args: float) -> Any:
    """optax.sm3, whose alias does not offer eps."""
    return optax.chain(optax.scale_by_sm3(*args), optax.scale(-lr))


SM3 = (
    Case(sm3(lr=0.1), optax=lambda o: optax_sm3(o, 0.1, 0.0, 1.0, 1e-30)),
    Case(sm3(lr=0.1, momentum=0.9), optax=lambda o: optax_sm3(o, 0.1, 0.9, 1.0, 1e-30)),
    Case(sm3(lr=0.3, momentum=0.5, eps=1e-2), optax=lambda o: optax_sm3(o, 0.3, 0.5, 1.0, 1e-2)),
    Case(sm3(lr=0.1, convention="optax"), optax=lambda o: o.sm3(0.1)),
    Case(sm3(learning_rate=0.3, momentum=0.0, convention="optax"), optax=lambda o: o.sm3(0.3, 0.0)),
    Case(sm3(lr=0.1, momentum=0.99, eps=1e-4, convention="optax"), optax=lambda o: optax_sm3(o, 0.1, 0.99, 1.0, 1e-4)),
)

OPTIMISTIC = (
    Case(optimistic_gradient_descent(lr=0.02), optax=lambda o: o.optimistic_gradient_descent(0.02)),
    Case(optimistic_gradient_descent(lr=0.02, alpha=0.5, beta=2.0), optax=lambda o: o.optimistic_gradient_descent(0.02, 0.5, 2.0)),
    Case(optimistic_gradient_descent(lr=0.02, beta=0.0), from_torch("SGD", lr=0.02), lambda o: o.sgd(0.02)),
    Case(optimistic_gradient_descent(lr=0.02, convention="optax"), optax=lambda o: o.optimistic_gradient_descent(0.02)),
    Case(
        optimistic_gradient_descent(learning_rate=0.01, alpha=2.0, convention="optax"),
        optax=lambda o: o.optimistic_gradient_descent(0.01, 2.0),
    ),
    Case(
        optimistic_gradient_descent(lr=0.02, beta=-0.5, convention="optax"),
        optax=lambda o: o.optimistic_gradient_descent(0.02, beta=-0.5),
    ),
    Case(optimistic_adam(lr=0.02), optax=lambda o: o.optimistic_adam(0.02)),
    Case(
        optimistic_adam(lr=0.02, betas=(0.5, 0.9), eps=1e-3, optimism=0.05),
        optax=lambda o: o.optimistic_adam(0.02, 0.05, 0.5, 0.9, 1e-3),
    ),
    Case(
        optimistic_adam(lr=0.02, nesterov=False, beta=0.0),
        from_torch("Adam", lr=0.02),
        lambda o: o.optimistic_adam(0.02, 0.0, nesterov=False),
    ),
    Case(optimistic_adam(lr=0.02, convention="optax"), optax=lambda o: o.optimistic_adam(0.02)),
    Case(optimistic_adam(lr=0.02, optimism=0.01, b1=0.5, convention="optax"), optax=lambda o: o.optimistic_adam(0.02, 0.01, b1=0.5)),
    Case(
        optimistic_adam(learning_rate=0.02, eps_root=1e-4, nesterov=False, convention="optax"),
        optax=lambda o: o.optimistic_adam(0.02, eps_root=1e-4, nesterov=False),
    ),
    Case(optimistic_adam_v2(lr=0.02), optax=lambda o: o.optimistic_adam_v2(0.02)),
    Case(
        optimistic_adam_v2(lr=0.02, alpha=0.5, beta=2.0, betas=(0.5, 0.9)),
        optax=lambda o: o.optimistic_adam_v2(0.02, alpha=0.5, beta=2.0, b1=0.5, b2=0.9),
    ),
    Case(
        optimistic_adam_v2(lr=0.02, eps=1e-2, eps_root=1e-4, nesterov=False),
        optax=lambda o: o.optimistic_adam_v2(0.02, eps=1e-2, eps_root=1e-4, nesterov=False),
    ),
    Case(optimistic_adam_v2(lr=0.02, convention="optax"), optax=lambda o: o.optimistic_adam_v2(0.02)),
    Case(optimistic_adam_v2(lr=0.02, beta=0.5, convention="optax"), optax=lambda o: o.optimistic_adam_v2(0.02, beta=0.5)),
    Case(
        optimistic_adam_v2(learning_rate=0.02, b1=0.0, b2=0.9, nesterov=False, convention="optax"),
        optax=lambda o: o.optimistic_adam_v2(0.02, b1=0.0, b2=0.9, nesterov=False),
    ),
)

CASES: tuple[OptimizerCase, ...] = (*RPROP, *ASGD, *SIGNS, *LARS, *FROMAGE, *NOVOGRAD, *SM3, *OPTIMISTIC)
