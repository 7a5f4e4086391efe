"""Recorded runs of known optimizers in NumPy: what `lossopt.identify.confusion` plants."""

from __future__ import annotations

import numpy as np

from lossopt.definition import Spec
from lossopt.parity.problem import Arrays, Problem, gradient, value
from lossopt_numpy.optimizers import emit
from lossopt_numpy.parity import _update


def planted(spec: Spec, problem: Problem) -> list[tuple[Arrays, float]]:
    """Of every step the arrays of a recording, in float64, and the loss."""
    made, params, rows = emit(spec), dict(problem.start), []
    state = made.init(params)
    for t in range(problem.steps):
        data = problem.target, problem.weight, problem.noise_at(t)
        grads = gradient(params, *data)
        updates, state = _update(made, spec, problem, t, params, state, grads)
        rows.append((named(params, grads, updates), float(value(params, *data))))
        params = {n: params[n] + updates[n] for n in params}
    return rows


def named(params: Arrays, grads: Arrays, updates: Arrays) -> Arrays:
    """Arrays as a recording names them."""
    kinds = (("param", params), ("grad", grads), ("update", updates))
    return {f"{kind}/{n}": np.asarray(x, np.float64) for kind, arrays in kinds for n, x in arrays.items()}
