"""Recorded runs of known optimizers in JAX, float32: what `lossopt.identify.confusion` plants."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lossopt.definition import Spec
from lossopt.parity.problem import Arrays, Problem, gradient, value
from lossopt_jax.optimizers import emit
from lossopt_jax.parity import _asked, _extras, _float32, x64


def planted(spec: Spec, problem: Problem) -> list[tuple[Arrays, float]]:
    """Of every step the arrays of a recording, updates as the transformation gives them, and the loss."""
    with x64(False):
        made, data = emit(spec), problem.map(lambda x: jnp.asarray(x, jnp.float32))

        @jax.jit
        def step(params: Arrays, state: Any, noise: Arrays, metric: Any) -> Any:
            grads = gradient(params, data.target, data.weight, noise)
            found, state = made.update(grads, state, params, **_extras(_asked(spec.asks), data, params, noise, metric, grads))
            return optax.apply_updates(params, found), state, grads, found, value(params, data.target, data.weight, noise)

        params, rows = data.start, []
        state = made.init(params)
        for t in range(problem.steps):
            after, state, grads, found, loss = step(params, state, *_float32(problem.noise_at(t), problem.metric[t]))
            arrays = jax.device_get({"param": params, "grad": grads, "update": found})
            rows.append(({f"{k}/{n}": np.asarray(x, np.float64) for k, own in arrays.items() for n, x in own.items()}, float(loss)))
            params = after
    return rows
