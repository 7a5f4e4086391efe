"""Rules that look at other points, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import adam, sgd
from lossopt.parity.case import OptimizerCase
from lossopt.parity.transform_originals import optax_sam
from lossopt.transforms import sam

Case = OptimizerCase
LR = 0.05

CASES: tuple[OptimizerCase, ...] = (
    # other points
    Case(sam(sgd(lr=LR, momentum=0.9)), optax=lambda o: optax_sam(o, o.sgd(LR, 0.9), 0.05), optax_extras=("grad_fn",)),
    Case(sam(adam(lr=LR), rho=0.2, convention="optax"), optax=lambda o: optax_sam(o, o.adam(LR), 0.2), optax_extras=("grad_fn",)),
    Case(sam(sgd(lr=LR), rho=0.5, adaptive=True)),
)  # fmt: skip
