"""Masks, routes and wrappers around wrappers, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import adam, adamw, lion, rmsprop, sgd
from lossopt.parity.case import OptimizerCase
from lossopt.parity.transform_originals import by_name, two
from lossopt.transforms import accumulate, apply_if_finite, cautious, chain, clip_by_global_norm, ema, lookahead, route, sam

Case = OptimizerCase
LR = 0.05

CASES: tuple[OptimizerCase, ...] = (
    # masks and routes
    Case(cautious(lion(lr=1e-2))),
    Case(cautious(chain(clip_by_global_norm(), sgd(lr=LR, momentum=0.9)))),
    Case(route(rmsprop(lr=LR), adamw(lr=0.02), to=("matrices", "*")),
         lambda torch, p: two(torch.optim.RMSprop([x for x in p if x.ndim == 2], lr=LR),
                               torch.optim.AdamW([x for x in p if x.ndim != 2], lr=0.02))),
    Case(route(chain(clip_by_global_norm(convention="optax"), sgd(lr=LR)), adamw(lr=0.02), to=("dense.*", "*")),
         optax=lambda o: by_name(o, o.chain(o.clip_by_global_norm(1.0), o.sgd(LR)), o.adamw(0.02, weight_decay=1e-2))),
    Case(route(sam(sgd(lr=LR), rho=0.2), adam(lr=LR), to=("tall.*", "*"))),
    # wrappers around wrappers
    Case(ema(lookahead(accumulate(sam(cautious(adam(lr=LR))), every=2)))),
    Case(apply_if_finite(ema(chain(clip_by_global_norm(), route(lion(lr=1e-2), adamw(lr=LR))), convention="optax")), poison=(3,)),
)  # fmt: skip
