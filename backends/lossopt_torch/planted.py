"""Recorded runs of known optimizers in PyTorch, float32: what `lossopt.identify.confusion` plants."""

from __future__ import annotations

import numpy as np
import torch

from lossopt.definition import Spec
from lossopt.parity.problem import Arrays, Problem, value
from lossopt_torch.optimizers import emit
from lossopt_torch.parity import _leaves, _step


def planted(spec: Spec, problem: Problem) -> list[tuple[Arrays, float]]:
    """Of every step the arrays of a recording, updates as differences of parameters, and the loss."""
    params, rows = _leaves(problem, torch.float32), []
    made, data = emit(spec, params=params.items()), problem.map(lambda x: torch.tensor(x, dtype=torch.float32))
    for t in range(problem.steps):
        before = {n: p.detach().double().numpy().copy() for n, p in params.items()}
        loss = value({n: p.detach() for n, p in params.items()}, data.target, data.weight, data.noise_at(t))
        _step(made, params, data, t, spec.asks)
        arrays: Arrays = {}
        for n, p in params.items():
            grad = p.grad
            assert grad is not None
            arrays |= {f"param/{n}": before[n], f"grad/{n}": grad.double().numpy().copy(),
                       f"update/{n}": np.asarray(p.detach().double().numpy() - before[n])}  # fmt: skip
        rows.append((arrays, float(loss)))
    return rows
