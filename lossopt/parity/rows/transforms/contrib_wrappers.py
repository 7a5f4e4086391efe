"""Wrappers of optax.contrib, and MARS, beside the frameworks' own."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from lossopt.optimizers import adam, adamw, lion, sgd
from lossopt.parity.case import Allowed, OptimizerCase
from lossopt.parity.transform_originals import Pair, before_step
from lossopt.transforms import chain, clip_by_global_norm, mars, mechanize, schedule_free

Case = OptimizerCase
LR = 0.05


def averaging(optax: ModuleType, inner: Any, *args: Any, **options: Any) -> Pair:
    """optax.contrib.schedule_free, with its own function for the point to evaluate at."""
    made = optax.contrib.schedule_free(inner, *args, **options)
    return Pair(made.init, made.update, optax.contrib.schedule_free_eval_params)


def corrected(beta: float, gamma: float, max_norm: float | None = 1.0) -> Callable[[ModuleType, list[Any]], None]:
    """What the authors' step does to each gradient before it is averaged."""
    last: dict[Any, Any] = {}

    def prepare(torch: ModuleType, params: list[Any]) -> None:
        for p in params:
            grad, before = p.grad, last.get(p, torch.zeros_like(p))
            p.grad = grad + gamma * beta / (1 - beta) * (grad - before)
            if max_norm is not None and (norm := p.grad.norm()) > max_norm:
                p.grad = p.grad / norm * max_norm
            last[p] = grad

    return prepare


SCHEDULE_FREE = (
    Case(schedule_free(sgd(lr=LR)), optax=lambda o: averaging(o, o.sgd(LR), LR)),
    Case(
        schedule_free(adamw(lr=LR, betas=(0.0, 0.99), weight_decay=0.1), lr=LR, beta=0.95, weight_lr_power=1.0),
        optax=lambda o: averaging(o, o.adamw(LR, b1=0.0, b2=0.99, weight_decay=0.1), LR, b1=0.95, weight_lr_power=1.0),
    ),
    Case(
        schedule_free(chain(clip_by_global_norm(max_norm=1.0, convention="optax"), lion(lr=0.01)), beta=0.5),
        optax=lambda o: averaging(o, o.chain(o.clip_by_global_norm(1.0), o.lion(0.01, b2=0.99, weight_decay=0.0)), 0.01, b1=0.5),
    ),
    Case(
        schedule_free(sgd(lr=LR, momentum=0.9), b1=0.9, convention="optax"),
        optax=lambda o: averaging(o, o.sgd(LR, 0.9), LR, b1=0.9),
    ),
    Case(schedule_free(adam(lr=LR), lr=LR, convention="optax"), optax=lambda o: averaging(o, o.adam(LR), LR)),
    Case(
        schedule_free(sgd(lr=LR), b1=0.98, weight_lr_power=0.0, convention="optax"),
        optax=lambda o: averaging(o, o.sgd(LR), LR, b1=0.98, weight_lr_power=0.0),
    ),
)

FED_BACK = Allowed(
    1e-10, "(p0 - p) is divided by a scale of 1e-6: in the referee itself one ulp of the start is 7e-11 of the distance moved later"
)
OVERSHOT = Allowed(1e-11, "the scale overshoots and magnifies: in the referee itself one ulp of the start is 2e-12 of the distance moved")

MECHANIZE = (
    Case(
        mechanize(sgd(lr=1.0)),
        optax=lambda o: o.contrib.mechanize(o.sgd(1.0)),
        allowed={"torch": FED_BACK, "jax": FED_BACK, "optax": FED_BACK},
    ),
    Case(
        mechanize(adam(lr=1.0), s_init=1e-2, weight_decay=0.1),
        optax=lambda o: o.contrib.mechanize(o.adam(1.0), s_init=1e-2, weight_decay=0.1),
    ),
    Case(
        mechanize(lion(lr=1.0), s_init=1e-3, num_betas=3, eps=1e-4),
        optax=lambda o: o.contrib.mechanize(o.lion(1.0, weight_decay=0.0), s_init=1e-3, num_betas=3, eps=1e-4),
    ),
    Case(
        mechanize(sgd(lr=1.0, momentum=0.9), s_init=1e-2, convention="optax"),
        optax=lambda o: o.contrib.mechanize(o.sgd(1.0, 0.9), s_init=1e-2),
        allowed={"torch": OVERSHOT, "jax": OVERSHOT, "optax": OVERSHOT},
    ),
    Case(
        mechanize(adamw(lr=1.0, convention="optax"), s_init=1e-2, num_betas=2, convention="optax"),
        optax=lambda o: o.contrib.mechanize(o.adamw(1.0), s_init=1e-2, num_betas=2),
    ),
    Case(
        mechanize(adam(lr=1.0), s_init=1e-2, weight_decay=0.0, convention="optax"),
        optax=lambda o: o.contrib.mechanize(o.adam(1.0), s_init=1e-2, weight_decay=0.0),
    ),
)

MARS = (
    Case(
        chain(mars(), adamw(lr=LR, betas=(0.95, 0.99))),
        torch=before_step(corrected(0.95, 0.025), "AdamW", lr=LR, betas=(0.95, 0.99)),
    ),
    Case(
        chain(mars(beta=0.9, gamma=0.1, max_norm=None), sgd(lr=LR, momentum=0.9, dampening=0.1)),
        torch=before_step(corrected(0.9, 0.1, None), "SGD", lr=LR, momentum=0.9, dampening=0.1),
    ),
    Case(chain(mars(first_corrected=False), lion(lr=0.01, betas=(0.95, 0.98)))),
    Case(
        chain(mars(beta=0.8, gamma=0.5, max_norm=3.0, convention="optax"), adam(lr=LR)),
        torch=before_step(corrected(0.8, 0.5, 3.0), "Adam", lr=LR),
    ),
    Case(chain(mars(b1=0.9, convention="optax"), adam(lr=LR))),
    Case(chain(mars(gamma=0.0, convention="optax"), adam(lr=LR)), torch=before_step(corrected(0.95, 0.0), "Adam", lr=LR)),
)

CASES: tuple[OptimizerCase, ...] = (*SCHEDULE_FREE, *MECHANIZE, *MARS)
