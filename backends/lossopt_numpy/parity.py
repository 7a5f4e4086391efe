"""What the parity engine needs in NumPy: the referee's own numbers, in float64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lossopt import get_loss
from lossopt.definition import Spec
from lossopt.parity.case import LossCase, ScheduleCase
from lossopt.parity.problem import Arrays, Problem, curvature, flatten, gradient, of_examples, value
from lossopt_numpy.optimizers import emit


def optimizer(spec: Spec, problem: Problem, groups: Mapping[str, Any]) -> np.ndarray:
    """The parameters after every update, one row each; where the spec has an eval point, that as the last row."""
    made = emit(spec, groups=groups)
    params, state, rows = dict(problem.start), made.init(problem.start), []
    for step in range(problem.steps):
        updates, state = _update(made, spec, problem, step, params, state)
        params = {n: params[n] + updates[n] for n in params}
        rows.append(flatten(params))
    if has_eval_point(spec):
        rows.append(flatten(made.eval_params(state, params)))
    return np.stack(rows)


def updates(spec: Spec, problem: Problem, gradients: Sequence[Arrays], groups: Mapping[str, Any]) -> np.ndarray:
    """The update at every step for given gradients, with the parameters held where the problem starts."""
    made = emit(spec, groups=groups)
    state, rows = made.init(problem.start), []
    for step, grads in enumerate(gradients):
        found, state = _update(made, spec, problem, step, problem.start, state, grads)
        rows.append(flatten(found))
    return np.stack(rows)


def has_eval_point(spec: Spec) -> bool:
    return any(s.definition.eval_point for _, s in spec.walk())


def _update(made: Any, spec: Spec, problem: Problem, step: int, params: Arrays, state: Any, grads: Arrays | None = None) -> Any:
    data = problem.target, problem.weight, problem.noise_at(step)
    extras: dict[str, Any] = {}
    if "value" in spec.asks:
        extras["value"] = value(params, *data)
    if "metric" in spec.asks:
        extras["metric"] = problem.metric[step]
    if "evaluate" in spec.asks:
        extras["evaluate"] = lambda point: (value(point, *data), gradient(point, *data))
    if "hessian" in spec.asks:
        extras["hessian"] = curvature(params, problem.weight)
    grads = gradient(params, *data) if grads is None else grads
    return made.update(of_examples(grads, np.stack) if spec.per_example else grads, state, params, **extras)


def loss(case: LossCase, inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    """The loss; NumPy has no gradients."""
    return np.asarray(get_loss(case.name, "numpy", **case.options)(*inputs), np.float64)


def schedule(case: ScheduleCase, metric: np.ndarray) -> np.ndarray:
    """The value at every step, from the plain Python function."""
    from lossopt import get_schedule

    spec = get_schedule(case.name, **case.options)
    if not spec.waits_for_metric:
        return np.array([spec(step) for step in range(case.steps)])
    state, rows = spec.init(), []
    for step in range(case.steps):
        state = spec.update(state, metric[step])
        rows.append(float(state.lr))
    return np.array(rows)
