"""The optimizer's vocabulary in JAX.  Numbers are traced scalars, or Python floats where they are constants."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


class Zero(float):
    """A hyperparameter that is the constant 0: what it multiplies is not read.

    ``grad + 0.0 * param`` would make a slot depend on the old parameter, and XLA then copies every parameter before it
    overwrites it (101 MB and twice the time for RMSprop on 25 M parameters).  PyTorch does not read it either.
    """

    def __mul__(self, other: Any) -> Any:
        return 0.0 * other if isinstance(other, float | int) else self

    __rmul__ = __mul__


class Words:
    """`lossopt.ops.Ops` in JAX.

    Args:
        scalar_dtype: the dtype of numbers that are traced (the step, live hyperparameters).  Strong, never weak: a
            weakly typed slot would compile the update twice.
    """

    sqrt, sign, abs, exp = staticmethod(jnp.sqrt), staticmethod(jnp.sign), staticmethod(jnp.abs), staticmethod(jnp.exp)
    log = staticmethod(jnp.log)
    maximum, minimum, where = staticmethod(jnp.maximum), staticmethod(jnp.minimum), staticmethod(jnp.where)
    sum, max = staticmethod(jnp.sum), staticmethod(jnp.max)
    zeros_like, full_like, eigh = staticmethod(jnp.zeros_like), staticmethod(jnp.full_like), staticmethod(jnp.linalg.eigh)

    def __init__(self, scalar_dtype: Any) -> None:
        self.scalar_dtype = scalar_dtype

    @staticmethod
    def lerp(start: Any, end: Any, weight: Any) -> Any:
        return start + weight * (end - start)

    @staticmethod
    def cast(x: Any, dtype: Any) -> Any:
        return x.astype(dtype)

    @staticmethod
    def eye(x: Any, size: int) -> Any:
        return jnp.eye(size, dtype=x.dtype)

    def number(self, value: Any, like: Any = None) -> Any:
        return jnp.asarray(value, self.scalar_dtype)

    def array(self, values: Any, like: Any) -> Any:
        return jnp.asarray(values, self.scalar_dtype)

    @staticmethod
    def mean(x: Any, axis: int | None = None) -> Any:
        return jnp.mean(x, axis=axis, keepdims=axis is not None)

    @staticmethod
    def dot(x: Any, y: Any) -> Any:
        return jnp.sum(x * y)

    @staticmethod
    def norm(x: Any) -> Any:
        return jnp.sqrt(jnp.sum(x * x))

    @staticmethod
    def is_finite(x: Any) -> Any:
        return jnp.isfinite(x).all()

    is_finite_number = staticmethod(jnp.isfinite)

    @staticmethod
    def transpose(x: Any) -> Any:
        return jnp.swapaxes(x, -1, -2)

    def bias_correction(self, beta: Any, step: Any) -> Any:
        """``-expm1(step * log(beta))`` with the logarithm in float64 where beta is a constant.

        float32(0.999) alone is off by 1.3e-8, so that ``1 - beta**step`` would be off by 1e-5.
        """
        if isinstance(beta, float | int):
            if beta == 0:
                return 1.0
            log_beta: Any = math.log(beta)
        else:
            log_beta = jnp.log(beta)
        return -jnp.expm1(self.real(step) * log_beta)

    def real(self, step: Any) -> Any:
        """The step as a floating-point number."""
        return step.astype(self.scalar_dtype) if jnp.issubdtype(step.dtype, jnp.integer) else step

    @staticmethod
    def cond(predicate: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        return jax.lax.cond(predicate, then, otherwise)

    @staticmethod
    def while_loop(keep_going: Callable[[Any], Any], body: Callable[[Any], Any], carry: Any) -> Any:
        return jax.lax.while_loop(keep_going, body, jax.tree.map(jnp.asarray, carry))

    @staticmethod
    def first_step() -> Any:
        return jnp.zeros((), jnp.int32)

    def lend_step(self, step: Any) -> Any:
        """The step as rules see it: float64 where they compute in float64.

        JAX makes float32 of ``1 / step`` and ``sqrt(step)`` for an int32 even then; float32 itself could not count past 2**24.
        """
        return step.astype(jnp.float64) if self.scalar_dtype == jnp.float64 else step
