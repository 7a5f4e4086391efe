"""The optimizer's vocabulary in JAX.  Numbers are traced scalars, or Python floats where they are constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lossopt.errors import InputError
from lossopt.noise import normal_pairs
from lossopt.ops import log_of_number


class Zero(float):
    """A hyperparameter that is the constant 0: what it multiplies is not read.

    ``grad + 0.0 * param`` would make a slot depend on the old parameter, and XLA then copies every parameter before it
    overwrites it (101 MB and twice the time for RMSprop on 25 M parameters).  PyTorch does not read it either.
    """

    def __mul__(self, other: Any) -> Any:
        return 0.0 * other if isinstance(other, float | int) else self

    __rmul__ = __mul__


def whole(x: Any) -> Any:
    """What a word reduces, unless it is one device's part of it.

    ``optax.clip_by_global_norm`` inside ``shard_map`` clips each part by its own norm, and says nothing.

    Raises:
        InputError: inside ``shard_map``, an array that differs between devices.
    """
    kind = jax.typeof(x)
    varying = kind.manual_axis_type.varying if hasattr(kind, "manual_axis_type") else getattr(kind, "vma", ())
    if varying:
        axes = ", ".join(sorted(varying))
        raise InputError(f"inside shard_map the rule was given one device's part (it varies over {axes}), and its sum or norm would be of "
                         "that part: average gradients first (jax.lax.pmean), and call update on sharded parameters outside of shard_map, "
                         "under jit")  # fmt: skip
    return x


class Words:
    """`lossopt.ops.Ops` in JAX.

    Args:
        scalar_dtype: the dtype of numbers that are traced (the step, live hyperparameters).  Strong, never weak: a
            weakly typed slot would compile the update twice.
    """

    sqrt, sign, abs, exp = staticmethod(jnp.sqrt), staticmethod(jnp.sign), staticmethod(jnp.abs), staticmethod(jnp.exp)
    maximum, minimum, where = staticmethod(jnp.maximum), staticmethod(jnp.minimum), staticmethod(jnp.where)
    zeros_like, full_like, eigh = staticmethod(jnp.zeros_like), staticmethod(jnp.full_like), staticmethod(jnp.linalg.eigh)

    def __init__(self, scalar_dtype: Any) -> None:
        self.scalar_dtype = scalar_dtype

    @staticmethod
    def log(x: Any) -> Any:
        """Of a constant in float64: float32(0.999) is off by 1.3e-8, and its logarithm by 1e-5."""
        return log_of_number(x) if isinstance(x, float | int) else jnp.log(x)

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
    def sum(x: Any, axis: int | None = None) -> Any:
        return jnp.sum(whole(x), axis=axis, keepdims=axis is not None)

    @staticmethod
    def max(x: Any, axis: int | None = None) -> Any:
        return jnp.max(whole(x), axis=axis, keepdims=axis is not None)

    @staticmethod
    def mean(x: Any, axis: int | None = None) -> Any:
        return jnp.mean(whole(x), axis=axis, keepdims=axis is not None)

    @staticmethod
    def normal(like: Any, key: tuple[int, int], step: Any) -> Any:
        """Standard normals shaped like a parameter; see `lossopt.noise`."""
        counter = jnp.arange((like.size + 1) // 2, dtype=jnp.uint32), jnp.asarray(step).astype(jnp.uint32)
        both = jnp.concatenate(normal_pairs(jnp, key, counter, lambda x: x.astype(like.dtype), np.uint32))
        return both[: like.size].reshape(like.shape)

    @staticmethod
    def dot(x: Any, y: Any) -> Any:
        return jnp.sum(whole(x * y))

    @staticmethod
    def norm(x: Any) -> Any:
        return jnp.sqrt(jnp.sum(whole(x * x)))

    @staticmethod
    def is_finite(x: Any) -> Any:
        return jnp.isfinite(whole(x)).all()

    is_finite_number = staticmethod(jnp.isfinite)

    @staticmethod
    def transpose(x: Any) -> Any:
        return jnp.swapaxes(x, -1, -2)

    reshape, move_axis, triu = staticmethod(jnp.reshape), staticmethod(jnp.moveaxis), staticmethod(jnp.triu)

    @staticmethod
    def select(x: Any, order: Any, axis: int) -> Any:
        return jnp.take(x, jnp.asarray(order), axis)

    @staticmethod
    def argsort(x: Any) -> Any:
        return jnp.argsort(x, stable=True)

    @staticmethod
    def qr(x: Any) -> Any:
        q, r = jnp.linalg.qr(x)
        sign = jnp.where(jnp.diagonal(r) < 0, -1.0, 1.0).astype(x.dtype)
        return q * sign, r * sign[:, None]

    @staticmethod
    def svd(x: Any) -> Any:
        u, s, vh = jnp.linalg.svd(x, full_matrices=False)
        sign = jnp.where(jnp.take_along_axis(u, jnp.abs(u).argmax(0)[None], 0)[0] < 0, -1.0, 1.0).astype(x.dtype)
        return u * sign, s, vh * sign[:, None]

    @staticmethod
    def solve_triangular(lower: Any, x: Any) -> Any:
        return jax.scipy.linalg.solve_triangular(lower, x, lower=True)

    def bias_correction(self, beta: Any, step: Any) -> Any:
        """``-expm1(step * log(beta))`` with the logarithm in float64 where beta is a constant.

        float32(0.999) alone is off by 1.3e-8, so that ``1 - beta**step`` would be off by 1e-5.
        """
        if isinstance(beta, float | int) and beta == 0:
            return 1.0
        return -jnp.expm1(self.real(step) * self.log(beta))

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
