"""Quasi-Newton methods, beside the frameworks' own."""

from __future__ import annotations

from lossopt.optimizers import lbfgs
from lossopt.parity.case import Allowed, OptimizerCase
from lossopt.parity.originals import torch_lbfgs

Case = OptimizerCase

NEARLY_LINEAR = "over a short first step the loss is nearly linear: whether the cubic has a minimum is then for rounding to say, and " \
    "torch.optim's own float32 goes the other way too"

CASES: tuple[OptimizerCase, ...] = (
    Case(lbfgs(lr=0.5, history_size=5), torch_lbfgs(lr=0.5, history_size=5), steps=15, still=True),
    Case(lbfgs(lr=0.2, history_size=3), torch_lbfgs(lr=0.2, history_size=3), steps=15, still=True),
    Case(lbfgs(lr=0.5, history_size=5, min_curvature=1e-2), steps=10, still=True),
    Case(
        lbfgs(history_size=5, line_search="strong_wolfe"),
        torch_lbfgs(history_size=5, max_eval=26, line_search_fn="strong_wolfe"),
        steps=15,
        still=True,
    ),
    Case(
        lbfgs(lr=20.0, history_size=3, line_search="strong_wolfe"),
        torch_lbfgs(lr=20.0, history_size=3, max_eval=26, line_search_fn="strong_wolfe"),
        steps=15,
        still=True,
    ),
    Case(
        lbfgs(lr=0.05, history_size=5, line_search="strong_wolfe"),
        torch_lbfgs(lr=0.05, history_size=5, max_eval=26, line_search_fn="strong_wolfe"),
        steps=15,
        still=True,
        allowed={"float32": Allowed(0.5, NEARLY_LINEAR)},
    ),
    Case(lbfgs(line_search="strong_wolfe", convention="optax"), steps=15, still=True),
    Case(lbfgs(lr=0.5, convention="optax"), optax=lambda o: o.lbfgs(0.5, linesearch=None), steps=15, still=True),
    Case(lbfgs(lr=0.5, memory_size=5, convention="optax"), optax=lambda o: o.lbfgs(0.5, 5, linesearch=None), steps=15, still=True),
    Case(lbfgs(lr=0.2, memory_size=3, convention="optax"), optax=lambda o: o.lbfgs(0.2, 3, linesearch=None), steps=15, still=True),
)
