"""Clipping, decay and their order, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import adam, adamw, sgd
from lossopt.parity.case import OptimizerCase
from lossopt.parity.transform_originals import before_step, clip_norm, clip_value
from lossopt.transforms import add_decayed_weights, chain, clip_by_global_norm, clip_by_value, maximize

Case = OptimizerCase
LR = 0.05

CASES: tuple[OptimizerCase, ...] = (
    # clipping
    Case(chain(clip_by_global_norm(), adamw(lr=LR)), before_step(clip_norm(1.0), "AdamW", lr=LR)),
    Case(chain(clip_by_global_norm(max_norm=0.5), sgd(lr=LR, momentum=0.9)), before_step(clip_norm(0.5), "SGD", lr=LR, momentum=0.9)),
    Case(chain(clip_by_global_norm(max_norm=100.0), sgd(lr=LR)), before_step(clip_norm(100.0), "SGD", lr=LR)),
    Case(chain(clip_by_global_norm(convention="optax"), sgd(lr=LR)), optax=lambda o: o.chain(o.clip_by_global_norm(1.0), o.sgd(LR))),
    Case(chain(clip_by_global_norm(max_norm=100.0, convention="optax"), adamw(lr=LR, convention="optax")),
         optax=lambda o: o.chain(o.clip_by_global_norm(100.0), o.adamw(LR))),
    Case(chain(clip_by_value(max_value=0.3), sgd(lr=LR, momentum=0.9)), before_step(clip_value(0.3), "SGD", lr=LR, momentum=0.9),
         lambda o: o.chain(o.clip(0.3), o.sgd(LR, 0.9))),
    # the order of clipping and decay
    Case(chain(clip_by_global_norm(), add_decayed_weights(weight_decay=0.1), sgd(lr=LR)),
         before_step(clip_norm(1.0), "SGD", lr=LR, weight_decay=0.1)),
    Case(chain(add_decayed_weights(weight_decay=0.1), adam(lr=LR)), lambda torch, p: torch.optim.Adam(p, lr=LR, weight_decay=0.1),
         lambda o: o.chain(o.add_decayed_weights(0.1), o.adam(LR))),
    Case(chain(add_decayed_weights(weight_decay=0.1), sgd(lr=LR)), groups={"*.bias": {"add_decayed_weights.weight_decay": 0.0}},
         torch=lambda torch, p: torch.optim.SGD([{"params": [p[0], p[2], p[3]]}, {"params": [p[1]], "weight_decay": 0.0}], lr=LR,
                                                weight_decay=0.1),
         optax=lambda o: o.chain(o.add_decayed_weights(0.1, mask=lambda ps: {n: not n.endswith(".bias") for n in ps}), o.sgd(LR))),
    # ascent
    Case(maximize(adamw(lr=1e-3)), lambda torch, p: torch.optim.AdamW(p, lr=1e-3, maximize=True),
         lambda o: o.chain(o.scale(-1.0), o.adamw(1e-3, weight_decay=1e-2)), steps=30),
    Case(maximize(sgd(lr=1e-3, weight_decay=0.1)), lambda torch, p: torch.optim.SGD(p, lr=1e-3, weight_decay=0.1, maximize=True),
         lambda o: o.chain(o.scale(-1.0), o.add_decayed_weights(0.1), o.sgd(1e-3)), steps=30),
)  # fmt: skip
