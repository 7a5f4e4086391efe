"""Quasi-Newton methods, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import lbfgs
from lossopt.parity.case import OptimizerCase
from lossopt.parity.originals import torch_lbfgs

Case = OptimizerCase

CASES: tuple[OptimizerCase, ...] = (
    Case(lbfgs(lr=0.5, history_size=5), torch_lbfgs(lr=0.5, history_size=5), steps=15, still=True),
    Case(lbfgs(lr=0.2, history_size=3), torch_lbfgs(lr=0.2, history_size=3), steps=15, still=True),
    Case(lbfgs(lr=0.5, history_size=5, min_curvature=1e-2), steps=10, still=True),
    Case(lbfgs(lr=0.5, convention="optax"), optax=lambda o: o.lbfgs(0.5, linesearch=None), steps=15, still=True),
    Case(lbfgs(lr=0.5, memory_size=5, convention="optax"), optax=lambda o: o.lbfgs(0.5, 5, linesearch=None), steps=15, still=True),
    Case(lbfgs(lr=0.2, memory_size=3, convention="optax"), optax=lambda o: o.lbfgs(0.2, 3, linesearch=None), steps=15, still=True),
)
