"""Accumulation of gradients and averages of parameters, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import adam, adamw, sgd
from lossopt.parity.case import OptimizerCase
from lossopt.parity.transform_originals import averaged, multi_steps, optax_ema, optax_lookahead, summed
from lossopt.transforms import accumulate, chain, clip_by_global_norm, ema, lookahead, swa

Case = OptimizerCase
LR = 0.05

CASES: tuple[OptimizerCase, ...] = (
    # accumulation
    Case(accumulate(adamw(lr=LR), every=4), lambda torch, p: summed(torch, p, 4, True, "AdamW", lr=LR),
         lambda o: multi_steps(o, o.adamw(LR, weight_decay=1e-2), 4)),
    Case(accumulate(sgd(lr=LR, momentum=0.9), every=3, reduction="sum"),
         lambda torch, p: summed(torch, p, 3, False, "SGD", lr=LR, momentum=0.9),
         lambda o: multi_steps(o, o.sgd(LR, 0.9), 3, use_grad_mean=False)),
    Case(accumulate(chain(clip_by_global_norm(convention="optax"), adamw(lr=LR)), every=4),
         optax=lambda o: multi_steps(o, o.chain(o.clip_by_global_norm(1.0), o.adamw(LR, weight_decay=1e-2)), 4)),
    Case(accumulate(adam(lr=LR), every=1), lambda torch, p: torch.optim.Adam(p, lr=LR), lambda o: o.adam(LR)),
    # averages of the parameters, and where they are evaluated
    Case(ema(adamw(lr=LR)), lambda torch, p: averaged(torch, p, 0.999, "AdamW", lr=LR)),
    Case(ema(sgd(lr=LR, momentum=0.9), decay=0.9), lambda torch, p: averaged(torch, p, 0.9, "SGD", lr=LR, momentum=0.9)),
    Case(ema(adam(lr=LR), decay=0.99, convention="optax"), optax=lambda o: optax_ema(o, o.adam(LR), 0.99, debias=True)),
    Case(swa(adamw(lr=LR)), lambda torch, p: averaged(torch, p, None, "AdamW", lr=LR)),
    Case(swa(sgd(lr=LR, momentum=0.9), first=30, every=7), lambda torch, p: averaged(torch, p, None, "SGD", 30, 7, lr=LR, momentum=0.9)),
    Case(swa(adam(lr=LR), first=50, every=2, convention="optax"), lambda torch, p: averaged(torch, p, None, "Adam", 50, 2, lr=LR)),
    Case(lookahead(adamw(lr=LR)), optax=lambda o: optax_lookahead(o, o.adamw(LR, weight_decay=1e-2), 5, 0.5)),
    Case(lookahead(sgd(lr=LR, momentum=0.9), every=6, alpha=0.8), optax=lambda o: optax_lookahead(o, o.sgd(LR, 0.9), 6, 0.8)),
)  # fmt: skip
