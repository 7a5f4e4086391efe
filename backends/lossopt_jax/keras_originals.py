"""Keras's own optimizers, losses and schedules, run on JAX: the originals of the ``keras`` convention.

Keras reads its backend from the environment when it is first imported, and its precision from a global: both are set here
for the run and put back.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lossopt.errors import InputError
from lossopt.parity.case import LossCase, OptimizerCase, ScheduleCase
from lossopt.parity.problem import Arrays, Problem, flatten, value

NAME = "keras"
_alone = threading.Lock()


def installed() -> bool:
    """Whether there is a Keras to compare with."""
    return importlib.util.find_spec("keras") is not None


@contextlib.contextmanager
def keras_on_jax() -> Iterator[ModuleType]:
    """Keras with JAX below it, in float64.

    Raises:
        InputError: this process has imported Keras with another backend.
    """
    with _alone:
        before = os.environ.get("KERAS_BACKEND")
        os.environ["KERAS_BACKEND"] = "jax"
        try:
            keras = importlib.import_module("keras")
        finally:
            os.environ.pop("KERAS_BACKEND") if before is None else os.environ.update(KERAS_BACKEND=before)
        if keras.backend.backend() != "jax":
            raise InputError(f"keras runs on {keras.backend.backend()} in this process; import it after KERAS_BACKEND=jax is set")
        floatx = keras.config.floatx()
        keras.config.set_floatx("float64")
        try:
            with jax.enable_x64(True):
                yield keras
        finally:
            keras.config.set_floatx(floatx)


def optimizer(case: OptimizerCase, problem: Problem) -> np.ndarray:
    """The parameters after every update of Keras's own optimizer, one row each."""
    assert case.keras
    with keras_on_jax() as keras:
        data = problem.map(jnp.asarray)
        made = case.keras(keras)
        names = sorted(data.start)
        made.build([keras.Variable(data.start[n], dtype="float64", name=n.replace(".", "_")) for n in names])

        @jax.jit
        def step(params: list[Any], own: list[Any], noise: Arrays) -> Any:
            grads = jax.grad(value)(dict(zip(names, params, strict=True)), data.target, data.weight, noise)
            return made.stateless_apply(own, [grads[n] for n in names], params)

        params, own, rows = [data.start[n] for n in names], [v.value for v in made.variables], []
        for t in range(problem.steps):
            params, own = step(params, own, problem.noise_at(t))
            rows.append(flatten(dict(zip(names, params, strict=True))))
        return np.stack(rows)


def loss(case: LossCase, inputs: tuple[np.ndarray, ...], wrt: tuple[int, ...]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The value of Keras's own loss, and the gradients of its sum with respect to some inputs."""
    fn: Callable[..., Any] | None = case.keras
    assert fn
    with keras_on_jax() as keras:
        arrays = [jnp.asarray(x) for x in inputs]

        def total(*args: Any) -> Any:
            values = fn(keras, *args)
            return jnp.sum(values), values

        (_, values), grads = jax.value_and_grad(total, argnums=wrt, has_aux=True)(*arrays)
        return np.asarray(values, np.float64), [np.asarray(g, np.float64) for g in grads]


def schedule(case: ScheduleCase) -> np.ndarray:
    """The value of Keras's own schedule at every step."""
    assert case.keras
    with keras_on_jax() as keras:
        made = case.keras(keras)
        return np.array([float(made(step)) for step in range(case.steps)])
