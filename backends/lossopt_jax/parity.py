"""What the parity engine needs in JAX: runs of our transformations and of optax's own, losses, schedules.

float64 is switched on for a ``with`` block and for this thread only: the caller's process keeps its own setting.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lossopt import get_loss, get_schedule
from lossopt.definition import Spec
from lossopt.parity.case import LossCase, OptimizerCase, ScheduleCase
from lossopt.parity.problem import Arrays, Problem, curvature, flatten, of_examples, value
from lossopt_jax import keras_originals
from lossopt_jax.optimizers import emit

if hasattr(jax, "enable_x64"):
    x64: Callable[[bool], Any] = jax.enable_x64
else:  # before jax 0.8
    from jax.experimental import enable_x64 as x64  # type: ignore[attr-defined]

NAME = "jax"
THREADS = 2
"""The float64 switch is each thread's own."""
ORIGINAL = {"optimizer": "optax", "loss": "optax", "schedule": "optax"}
"""Whose own code the originals are."""
SCHEDULE_DTYPES = ("float64", "float32")


def has_original(case: OptimizerCase | LossCase | ScheduleCase) -> bool:
    """Whether optax has the same."""
    return case.optax is not None


def further_originals(case: OptimizerCase | LossCase | ScheduleCase) -> dict[str, ModuleType]:
    """Other libraries on JAX that have the same, if they are installed."""
    return {keras_originals.NAME: keras_originals} if case.keras and keras_originals.installed() else {}


# ------------------------------------------------------------------------------------------------- optimizers
def runs(spec: Spec, problem: Problem, groups: Mapping[str, Any]) -> dict[str, Callable[[], np.ndarray]]:
    """Every way in which JAX carries a spec: one."""
    return {NAME: functools.partial(optimizer, spec, problem, groups)}


def optimizer(spec: Spec, problem: Problem, groups: Mapping[str, Any]) -> np.ndarray:
    """The parameters after every update of the jitted transformation, one row each; then its eval point, if it has one.

    Raises:
        AssertionError: the update was compiled more than once.
    """
    with x64(True):
        made = emit(spec, groups=groups)
        rows, traces = _run(made, problem, _asked(spec.asks), jnp.float64, per_example=spec.per_example)
    if traces != 1:
        raise AssertionError(f"the update of {spec!r} was compiled {traces} times")
    return rows


def original(case: OptimizerCase, problem: Problem) -> np.ndarray:
    """The same from optax's own."""
    assert case.optax
    with x64(True):
        return _run(case.optax(optax), problem, case.optax_extras, jnp.float64, per_example=case.spec.per_example)[0]


def updates(spec: Spec, problem: Problem, gradients: Sequence[Arrays], groups: Mapping[str, Any]) -> np.ndarray:
    """The float32 update at every step for given gradients, with the parameters held where the problem starts."""
    with x64(False):
        return _updates(emit(spec, groups=groups), problem, gradients, _asked(spec.asks), per_example=spec.per_example)


def original_updates(case: OptimizerCase, problem: Problem, gradients: Sequence[Arrays]) -> np.ndarray:
    """The same from optax's own."""
    assert case.optax
    with x64(False):
        return _updates(case.optax(optax), problem, gradients, case.optax_extras, per_example=case.spec.per_example)


def half(spec: Spec, problem: Problem, grads: Arrays) -> np.ndarray:
    """The bfloat16 parameters after one update, eager, as float64."""
    with x64(False):
        made = emit(spec)
        params = {n: jnp.asarray(x, jnp.bfloat16) for n, x in problem.start.items()}
        found, _ = made.update({n: jnp.asarray(g, jnp.bfloat16) for n, g in grads.items()}, made.init(params), params)
        new: Any = optax.apply_updates(params, found)
        return flatten(new)


def _asked(asks: frozenset[str]) -> tuple[str, ...]:
    return tuple("value_fn" if a == "evaluate" else a for a in sorted(asks))


def _extras(wanted: Sequence[str], problem: Problem, params: Arrays, noise: Arrays, metric: Any, grads: Arrays) -> dict[str, Any]:
    def value_fn(point: Arrays) -> Any:
        return value(point, problem.target, problem.weight, noise)

    offered: dict[str, Callable[[], Any]] = {
        "value": lambda: value_fn(params),
        "metric": lambda: metric,
        "grad": lambda: grads,
        "hessian": lambda: curvature(params, problem.weight),
        "value_fn": lambda: value_fn,
        "grad_fn": lambda: lambda point, _: jax.grad(value_fn)(point),
    }
    return {name: offered[name]() for name in wanted}


def _run(made: Any, problem: Problem, wanted: Sequence[str], dtype: Any, *, per_example: bool) -> tuple[np.ndarray, int]:
    data = problem.map(lambda x: jnp.asarray(x, dtype))
    traces = 0

    @jax.jit
    def step(params: Arrays, state: Any, noise: Arrays, metric: Any) -> Any:
        nonlocal traces
        traces += 1
        grads = jax.grad(value)(params, data.target, data.weight, noise)
        given = of_examples(grads, jnp.stack) if per_example else grads
        found, state = made.update(given, state, params, **_extras(wanted, data, params, noise, metric, grads))
        return optax.apply_updates(params, found), state

    params, state, rows = data.start, made.init(data.start), []
    for t in range(problem.steps):
        params, state = step(params, state, problem.noise_at(t), problem.metric[t])
        rows.append(params)
    at = getattr(made, "eval_params", None)
    if at is not None and not (hasattr(made, "spec") and not any(s.definition.eval_point for _, s in made.spec.walk())):
        rows.append(at(state, params))
    return np.stack([flatten(row) for row in jax.device_get(rows)]), traces


def _updates(made: Any, problem: Problem, gradients: Sequence[Arrays], wanted: Sequence[str], *, per_example: bool) -> np.ndarray:
    data = problem.map(lambda x: jnp.asarray(x, jnp.float32))

    @jax.jit
    def step(state: Any, grads: Arrays, noise: Arrays, metric: Any) -> Any:
        given = of_examples(grads, jnp.stack) if per_example else grads
        return made.update(given, state, data.start, **_extras(wanted, data, data.start, noise, metric, grads))

    state, rows = made.init(data.start), []
    for t, grads in enumerate(gradients):
        found, state = step(state, {n: g.astype(np.float32) for n, g in grads.items()}, *_float32(problem.noise_at(t), problem.metric[t]))
        rows.append(found)
    return np.stack([flatten(row) for row in jax.device_get(rows)])


def _float32(noise: Arrays, metric: Any) -> tuple[Arrays, Any]:
    return {n: x.astype(np.float32) for n, x in noise.items()}, np.float32(metric)


# ------------------------------------------------------------------------------------------------- losses
def loss(case: LossCase, inputs: tuple[np.ndarray, ...], wrt: tuple[int, ...], dtype: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """The value, and the gradients of its sum with respect to some inputs."""
    with x64(dtype == "float64"):
        options: dict[str, Any] = {k: jnp.asarray(v, dtype) if isinstance(v, np.ndarray) else v for k, v in case.options.items()}
        return _loss(get_loss(case.name, "jax", **options), inputs, wrt, dtype)


def original_loss(case: LossCase, inputs: tuple[np.ndarray, ...], wrt: tuple[int, ...], dtype: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """The same from optax's own function."""
    fn = case.optax
    assert fn
    with x64(dtype == "float64"):
        return _loss(lambda *arrays: fn(optax, jnp, *arrays), inputs, wrt, dtype)


def _loss(fn: Callable[..., Any], inputs: tuple[np.ndarray, ...], wrt: tuple[int, ...], dtype: str) -> tuple[np.ndarray, list[np.ndarray]]:
    arrays = [jnp.asarray(x, dtype) if x.dtype.kind == "f" else jnp.asarray(x) for x in inputs]

    def total(*args: Any) -> Any:
        values = fn(*args)
        return jnp.sum(values), values

    (_, values), grads = jax.jit(jax.value_and_grad(total, argnums=wrt, has_aux=True))(*arrays)
    return np.asarray(values, np.float64), [np.asarray(g, np.float64) for g in grads]


# ------------------------------------------------------------------------------------------------- schedules
def schedule(case: ScheduleCase, metric: np.ndarray, dtype: str) -> np.ndarray:
    """The value at every step, traced."""
    with x64(dtype == "float64"):
        made = get_schedule(case.name, "jax", **case.options)
        if not made.spec.waits_for_metric:
            return np.asarray(jax.vmap(made)(jnp.arange(case.steps)), np.float64)
        _, rows = jax.lax.scan(lambda state, m: ((new := made.update(state, m)), new.lr), made.init(), jnp.asarray(metric, dtype))
        return np.asarray(rows, np.float64)


def original_schedule(case: ScheduleCase, metric: np.ndarray, dtype: str) -> np.ndarray:
    """The same from optax's own: a function of the step, or a transformation that scales what it is given by a metric."""
    assert case.optax
    with x64(dtype == "float64"):
        made = case.optax(optax)
        if not hasattr(made, "update"):
            return np.asarray(jax.vmap(made)(jnp.arange(case.steps)), np.float64)
        lr = jnp.asarray(case.options.get("lr", 1.0), dtype)

        def step(state: Any, value: Any) -> tuple[Any, Any]:
            scaled, state = made.update(lr, state, value=value)
            return state, scaled

        _, rows = jax.lax.scan(step, made.init(lr), jnp.asarray(metric, dtype))
        return np.asarray(rows, np.float64)
