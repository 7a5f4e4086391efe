"""Gradients that are not finite, and loss scales, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import adamw, sgd
from lossopt.parity.case import OptimizerCase
from lossopt.parity.transform_originals import grad_scaled
from lossopt.transforms import apply_if_finite, chain, clip_by_global_norm, loss_scale

Case = OptimizerCase
LR = 0.05

CASES: tuple[OptimizerCase, ...] = (
    # gradients that are not finite
    Case(apply_if_finite(adamw(lr=LR)), lambda torch, p: torch.optim.AdamW(p, lr=LR),
         lambda o: o.apply_if_finite(o.adamw(LR, weight_decay=1e-2), 5)),
    Case(apply_if_finite(adamw(lr=LR)), optax=lambda o: o.apply_if_finite(o.adamw(LR, weight_decay=1e-2), 5), poison=(0, 7, 8, 50)),
    Case(apply_if_finite(chain(clip_by_global_norm(convention="optax"), sgd(lr=LR, momentum=0.9)), max_consecutive_errors=3),
         optax=lambda o: o.apply_if_finite(o.chain(o.clip_by_global_norm(1.0), o.sgd(LR, 0.9)), 3), poison=(5, 6, 7, 20)),
    Case(loss_scale(adamw(lr=LR), init_scale=8.0, growth_interval=7),
         lambda torch, p: grad_scaled(torch, p, dict(init_scale=8.0, growth_interval=7), "AdamW", lr=LR), poison=(0, 7, 8, 50)),
    Case(loss_scale(sgd(lr=LR, momentum=0.9), init_scale=64.0, growth_factor=4.0, backoff_factor=0.25, growth_interval=50),
         lambda torch, p: grad_scaled(torch, p, dict(init_scale=64.0, growth_factor=4.0, backoff_factor=0.25, growth_interval=50),
                                      "SGD", lr=LR, momentum=0.9), poison=(20, 21)),
    Case(loss_scale(chain(clip_by_global_norm(), sgd(lr=LR)), init_scale=2.0, growth_factor=1.0, backoff_factor=1.0), poison=(3,)),
)  # fmt: skip
