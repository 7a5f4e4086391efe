"""Sophia, beside optax's with the Hessian that both are given."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lossopt.optimizers import sophia
from lossopt.parity.case import OptimizerCase
from lossopt.transforms import chain, clip_by_global_norm

Case = OptimizerCase


def optax_sophia(optax: ModuleType, lr: float, **options: Any) -> Any:
    """optax.contrib.sophia, whose Hessian is the one that the update is given, rather than an estimate."""

    def given(grads: Any, state: Any, params: Any = None, *, hessian: Any, **_: Any) -> Any:
        return hessian, state

    as_given = optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), given)
    return optax.contrib.sophia(lr, hessian_diagonal_fn=as_given, **options)


CASES: tuple[OptimizerCase, ...] = (
    Case(sophia(lr=0.02)),
    Case(sophia(lr=0.02, gamma=2.0, betas=(0.9, 0.5), update_interval=1, weight_decay=0.0, clip_threshold=None)),
    Case(sophia(lr=0.02, gamma=0.5, maximize=True, update_interval=3), steps=30),
    Case(chain(clip_by_global_norm(max_norm=1.0), sophia(lr=0.02, gamma=1.0))),
    Case(sophia(lr=0.02, convention="optax"), optax=lambda o: optax_sophia(o, 0.02), optax_extras=("hessian",)),
    Case(
        sophia(lr=0.02, betas=(0.9, 0.8), gamma=1.5, update_interval=4, weight_decay=0.0, convention="optax"),
        optax=lambda o: optax_sophia(o, 0.02, b1=0.9, b2=0.8, gamma=1.5, update_interval=4, weight_decay=0.0),
        optax_extras=("hessian",),
    ),
    Case(
        sophia(lr=0.02, gamma=2.0, update_interval=2, clip_threshold=0.5, eps=0.1, convention="optax"),
        optax=lambda o: optax_sophia(o, 0.02, gamma=2.0, update_interval=2, clip_threshold=0.5, eps=0.1),
        optax_extras=("hessian",),
    ),
)
