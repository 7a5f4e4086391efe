"""Adam's relatives, beside the frameworks' own."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from lossopt.optimizers import (
    adabelief,
    adamax,
    adamaxw,
    adan,
    amsgrad,
    nadam,
    nadamw,
    radam,
    sparse_adam,
    stable_adamw,
    yogi,
)
from lossopt.parity.case import OptimizerCase
from lossopt.parity.originals import ascending, decayed, from_torch

Case = OptimizerCase


def sparse(**options: Any) -> Callable[[ModuleType, list[Any]], Any]:
    """torch.optim.SparseAdam, which takes no dense gradients, given the rows that are not zero."""

    def make(torch: ModuleType, params: list[Any]) -> Any:
        class GivenRows(torch.optim.SparseAdam):
            def step(self, closure: Any = None) -> Any:
                for p in params:
                    p.grad = p.grad.to_sparse(1)
                return super().step(closure)

        return GivenRows(params, **options)

    return make


AMSGRAD = (
    Case(amsgrad(lr=0.05), from_torch("Adam", lr=0.05, amsgrad=True)),
    Case(
        amsgrad(lr=0.05, betas=(0.5, 0.9), weight_decay=0.1), from_torch("Adam", lr=0.05, betas=(0.5, 0.9), weight_decay=0.1, amsgrad=True)
    ),
    Case(
        amsgrad(lr=0.05, decoupled_weight_decay=True, weight_decay=0.1),
        from_torch("AdamW", lr=0.05, weight_decay=0.1, amsgrad=True),
    ),
    Case(amsgrad(lr=0.05, convention="optax"), optax=lambda o: o.amsgrad(0.05)),
    Case(amsgrad(lr=0.05, b1=0.5, b2=0.9, convention="optax"), optax=lambda o: o.amsgrad(0.05, 0.5, 0.9)),
    Case(amsgrad(lr=0.05, eps=1e-2, weight_decay=0.1, convention="optax"), optax=lambda o: decayed(o, 0.1, o.amsgrad(0.05, eps=1e-2))),
    Case(amsgrad(convention="keras"), keras=lambda k: k.optimizers.Adam(amsgrad=True)),
    Case(
        amsgrad(lr=0.05, epsilon=1e-2, weight_decay=0.1, convention="keras"),
        keras=lambda k: k.optimizers.Adam(0.05, epsilon=1e-2, weight_decay=0.1, amsgrad=True),
    ),
    Case(
        amsgrad(lr=0.05, beta_1=0.5, beta_2=0.9, convention="keras"),
        keras=lambda k: k.optimizers.Adam(0.05, beta_1=0.5, beta_2=0.9, amsgrad=True),
    ),
)

ADAMAX = (
    Case(adamax(lr=0.05), from_torch("Adamax", lr=0.05), lambda o: o.adamax(0.05)),
    Case(
        adamax(lr=0.05, weight_decay=0.1),
        from_torch("Adamax", lr=0.05, weight_decay=0.1),
        lambda o: decayed(o, 0.1, o.adamax(0.05)),
    ),
    Case(
        adamax(lr=0.05, betas=(0.0, 0.9), eps=1e-1),
        from_torch("Adamax", lr=0.05, betas=(0.0, 0.9), eps=1e-1),
        lambda o: o.adamax(0.05, 0.0, 0.9, 1e-1),
    ),
    Case(
        adamax(lr=1e-3, weight_decay=0.1, maximize=True),
        from_torch("Adamax", lr=1e-3, weight_decay=0.1, maximize=True),
        lambda o: ascending(o, o.add_decayed_weights(0.1), o.adamax(1e-3)),
        steps=20,
    ),
    Case(adamax(lr=0.05, convention="optax"), optax=lambda o: o.adamax(0.05)),
    Case(adamax(lr=0.05, b1=0.5, b2=0.9, convention="optax"), optax=lambda o: o.adamax(0.05, 0.5, 0.9)),
    Case(adamax(lr=0.05, eps=1e-2, convention="optax"), optax=lambda o: o.adamax(0.05, eps=1e-2)),
    Case(adamax(convention="keras"), keras=lambda k: k.optimizers.Adamax()),
    Case(adamax(lr=0.05, epsilon=1e-1, convention="keras"), keras=lambda k: k.optimizers.Adamax(0.05, epsilon=1e-1)),
    Case(
        adamax(lr=0.05, beta_2=0.9, weight_decay=0.1, convention="keras"),
        keras=lambda k: k.optimizers.Adamax(0.05, beta_2=0.9, weight_decay=0.1),
    ),
    Case(adamaxw(lr=0.05), optax=lambda o: o.adamaxw(0.05, weight_decay=1e-2)),
    Case(adamaxw(lr=0.05, weight_decay=0.5), optax=lambda o: o.adamaxw(0.05, weight_decay=0.5)),
    Case(adamaxw(lr=1e-3, maximize=True), optax=lambda o: ascending(o, o.adamaxw(1e-3, weight_decay=1e-2)), steps=20),
    Case(adamaxw(lr=0.05, convention="optax"), optax=lambda o: o.adamaxw(0.05)),
    Case(adamaxw(lr=0.05, b1=0.5, b2=0.9, convention="optax"), optax=lambda o: o.adamaxw(0.05, 0.5, 0.9)),
    Case(adamaxw(lr=0.05, eps=1e-2, weight_decay=0.1, convention="optax"), optax=lambda o: o.adamaxw(0.05, eps=1e-2, weight_decay=0.1)),
)

# optax states no momentum that warms up: under torch's and keras's conventions it has no column.
NADAM = (
    Case(nadam(lr=0.05), from_torch("NAdam", lr=0.05)),
    Case(nadam(lr=0.05, weight_decay=0.1, momentum_decay=1.0), from_torch("NAdam", lr=0.05, weight_decay=0.1, momentum_decay=1.0)),
    Case(
        nadam(lr=0.05, betas=(0.95, 0.9), eps=1e-2, momentum_decay=0.05),
        from_torch("NAdam", lr=0.05, betas=(0.95, 0.9), eps=1e-2, momentum_decay=0.05),
    ),
    Case(nadam(lr=0.05, momentum_decay=1e4), from_torch("NAdam", lr=0.05, momentum_decay=1e4), lambda o: o.nadam(0.05)),
    Case(
        nadam(lr=1e-3, weight_decay=0.1, maximize=True),
        from_torch("NAdam", lr=1e-3, weight_decay=0.1, maximize=True),
        steps=20,
    ),
    Case(nadam(lr=0.05, convention="optax"), optax=lambda o: o.nadam(0.05)),
    Case(nadam(lr=0.05, b1=0.5, b2=0.9, convention="optax"), optax=lambda o: o.nadam(0.05, 0.5, 0.9)),
    Case(nadam(lr=0.05, eps=1e-2, eps_root=1e-2, convention="optax"), optax=lambda o: o.nadam(0.05, eps=1e-2, eps_root=1e-2)),
    Case(nadam(convention="keras"), keras=lambda k: k.optimizers.Nadam()),
    Case(
        nadam(lr=0.05, beta_1=0.5, epsilon=1e-2, convention="keras"),
        keras=lambda k: k.optimizers.Nadam(0.05, beta_1=0.5, epsilon=1e-2),
    ),
    Case(nadam(lr=0.05, weight_decay=0.1, convention="keras"), keras=lambda k: k.optimizers.Nadam(0.05, weight_decay=0.1)),
    Case(nadamw(lr=0.05), from_torch("NAdam", lr=0.05, weight_decay=1e-2, decoupled_weight_decay=True)),
    Case(
        nadamw(lr=0.05, weight_decay=0.5, momentum_decay=1.0),
        from_torch("NAdam", lr=0.05, weight_decay=0.5, momentum_decay=1.0, decoupled_weight_decay=True),
    ),
    Case(
        nadamw(lr=1e-3, maximize=True),
        from_torch("NAdam", lr=1e-3, weight_decay=1e-2, decoupled_weight_decay=True, maximize=True),
        steps=20,
    ),
    Case(nadamw(lr=0.05, convention="optax"), optax=lambda o: o.nadamw(0.05)),
    Case(nadamw(lr=0.05, b1=0.5, b2=0.9, convention="optax"), optax=lambda o: o.nadamw(0.05, 0.5, 0.9)),
    Case(
        nadamw(lr=0.05, eps_root=1e-4, weight_decay=0.1, convention="optax"),
        optax=lambda o: o.nadamw(0.05, eps_root=1e-4, weight_decay=0.1),
    ),
)

RADAM = (
    Case(radam(lr=0.05), from_torch("RAdam", lr=0.05)),
    Case(radam(lr=0.05, betas=(0.8, 0.9), weight_decay=0.1), from_torch("RAdam", lr=0.05, betas=(0.8, 0.9), weight_decay=0.1)),
    Case(
        radam(lr=0.05, eps=1e-2, weight_decay=0.1, decoupled_weight_decay=True),
        from_torch("RAdam", lr=0.05, eps=1e-2, weight_decay=0.1, decoupled_weight_decay=True),
    ),
    Case(radam(lr=0.01, betas=(0.9, 0.6)), from_torch("RAdam", lr=0.01, betas=(0.9, 0.6)), lambda o: o.radam(0.01, b2=0.6)),
    Case(radam(lr=1e-3, weight_decay=0.1, maximize=True), from_torch("RAdam", lr=1e-3, weight_decay=0.1, maximize=True), steps=20),
    Case(radam(lr=0.05, convention="optax"), optax=lambda o: o.radam(0.05)),
    Case(radam(lr=0.05, b1=0.8, b2=0.9, convention="optax"), optax=lambda o: o.radam(0.05, 0.8, 0.9)),
    Case(
        radam(lr=0.05, eps=1e-2, eps_root=1e-2, threshold=7.0, convention="optax"),
        optax=lambda o: o.radam(0.05, eps=1e-2, eps_root=1e-2, threshold=7.0),
    ),
    Case(radam(lr=0.05, b2=0.99, nesterov=True, convention="optax"), optax=lambda o: o.radam(0.05, b2=0.99, nesterov=True)),
)

SPARSE = (
    Case(sparse_adam(lr=0.05), sparse(lr=0.05)),
    Case(sparse_adam(lr=0.05, betas=(0.5, 0.9), eps=1e-2), sparse(lr=0.05, betas=(0.5, 0.9), eps=1e-2)),
    Case(sparse_adam(lr=1e-3, maximize=True), sparse(lr=1e-3, maximize=True), steps=20),
    Case(sparse_adam(lr=0.05, convention="optax")),
    Case(sparse_adam(lr=0.05, b1=0.0, convention="optax")),
    Case(sparse_adam(lr=0.05, b2=0.9, eps=1e-3, convention="optax")),
)

BELIEF = (
    Case(adabelief(lr=0.05), optax=lambda o: o.adabelief(0.05)),
    Case(
        adabelief(lr=0.05, betas=(0.5, 0.9), eps=1e-2, eps_root=1e-3),
        optax=lambda o: o.adabelief(0.05, 0.5, 0.9, 1e-2, 1e-3),
    ),
    Case(
        adabelief(lr=0.05, weight_decay=0.1),
        optax=lambda o: o.chain(o.scale_by_belief(), o.add_decayed_weights(0.1), o.scale_by_learning_rate(0.05)),
    ),
    Case(adabelief(lr=0.05, weight_decay=0.1, decoupled=False), optax=lambda o: decayed(o, 0.1, o.adabelief(0.05))),
    Case(adabelief(lr=1e-3, maximize=True), optax=lambda o: ascending(o, o.adabelief(1e-3)), steps=20),
    Case(adabelief(lr=0.05, convention="optax"), optax=lambda o: o.adabelief(0.05)),
    Case(adabelief(lr=0.05, nesterov=True, convention="optax"), optax=lambda o: o.adabelief(0.05, nesterov=True)),
    Case(adabelief(lr=0.05, b1=0.5, eps=1e-8, eps_root=0.0, convention="optax"), optax=lambda o: o.adabelief(0.05, 0.5, 0.999, 1e-8, 0.0)),
)

YOGI = (
    Case(yogi(lr=0.05), optax=lambda o: o.yogi(0.05)),
    Case(yogi(lr=0.05, betas=(0.5, 0.9), eps=1e-2, weight_decay=0.1), optax=lambda o: decayed(o, 0.1, o.yogi(0.05, 0.5, 0.9, 1e-2))),
    Case(
        yogi(lr=0.05, initial_accumulator_value=0.1, weight_decay=0.1, decoupled=True),
        optax=lambda o: o.chain(
            o.scale_by_yogi(initial_accumulator_value=0.1), o.add_decayed_weights(0.1), o.scale_by_learning_rate(0.05)
        ),
    ),
    Case(yogi(lr=0.01, bias_correction=False)),
    Case(yogi(lr=1e-3, maximize=True), optax=lambda o: ascending(o, o.yogi(1e-3)), steps=20),
    Case(yogi(lr=0.05, convention="optax"), optax=lambda o: o.yogi(0.05)),
    Case(yogi(lr=0.05, b1=0.5, b2=0.9, convention="optax"), optax=lambda o: o.yogi(0.05, 0.5, 0.9)),
    Case(yogi(lr=0.05, eps=1e-8, convention="optax"), optax=lambda o: o.yogi(0.05, eps=1e-8)),
)

ADAN = (
    Case(adan(lr=0.05)),
    Case(adan(lr=0.05, betas=(0.9, 0.8, 0.95), weight_decay=0.1)),
    Case(
        adan(lr=0.05, betas=(0.9, 0.5, 0.95), eps=1e-2, proximal=False, weight_decay=0.1),  # 0.5 is 1 - 0.5
        optax=lambda o: o.adan(0.05, 0.9, 0.5, 0.95, 1e-2, 0.0, 0.1),
    ),
    Case(adan(lr=1e-3, weight_decay=0.1, maximize=True), steps=20),
    Case(adan(lr=0.05, convention="optax"), optax=lambda o: o.adan(0.05)),
    Case(
        adan(lr=0.05, betas=(0.9, 0.8, 0.95), weight_decay=0.1, convention="optax"),
        optax=lambda o: o.adan(0.05, 0.9, 0.8, 0.95, weight_decay=0.1),
    ),
    Case(adan(lr=0.05, eps=1e-2, eps_root=0.0, convention="optax"), optax=lambda o: o.adan(0.05, eps=1e-2, eps_root=0.0)),
)

STABLE = (
    Case(stable_adamw(lr=0.05)),
    Case(stable_adamw(lr=0.05, betas=(0.5, 0.999), weight_decay=0.5)),
    Case(stable_adamw(lr=1e-3, eps=1e-2, maximize=True), steps=20),
    Case(stable_adamw(lr=0.05, convention="optax")),
    Case(stable_adamw(lr=0.05, b1=0.0, convention="optax")),
    Case(stable_adamw(lr=0.05, b2=0.5, weight_decay=0.0, convention="optax")),
)

CASES: tuple[OptimizerCase, ...] = (*AMSGRAD, *ADAMAX, *NADAM, *RADAM, *SPARSE, *BELIEF, *YOGI, *ADAN, *STABLE)
