"""Losses in JAX: the vocabulary of a loss, for jit, grad and vmap; nothing waits for the device."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lossopt.definition import Loss
from lossopt_jax import fused


class Words:
    """`lossopt.ops.LossOps` in JAX.  Where JAX's derivative at a kink is not the vocabulary's, `where` states it."""

    sqrt, sign, exp, log = staticmethod(jnp.sqrt), staticmethod(jnp.sign), staticmethod(jnp.exp), staticmethod(jnp.log)
    log1p, cumsum = staticmethod(jnp.log1p), staticmethod(jnp.cumsum)
    maximum, minimum = staticmethod(jnp.maximum), staticmethod(jnp.minimum)
    where, zeros_like = staticmethod(jnp.where), staticmethod(jnp.zeros_like)
    log_softmax, softmax, softplus = staticmethod(jax.nn.log_softmax), staticmethod(jax.nn.softmax), staticmethod(jax.nn.softplus)
    sigmoid, stop_gradient = staticmethod(jax.nn.sigmoid), staticmethod(jax.lax.stop_gradient)

    @staticmethod
    def abs(x: Any) -> Any:
        return x * jnp.sign(x)  # jnp.abs has derivative 1 at 0: https://github.com/jax-ml/jax/issues/37820

    @staticmethod
    def clamp_min(x: Any, low: Any) -> Any:
        return jnp.where(x < low, low, x)  # jnp.maximum has 1/2 at the bound: https://github.com/jax-ml/jax/issues/37821

    @staticmethod
    def power(x: Any, exponent: Any) -> Any:
        return jnp.where(x == 0, 0.0**exponent, jnp.where(x == 0, 1.0, x) ** exponent)

    @staticmethod
    def xlogy(x: Any, y: Any) -> Any:
        return jnp.where(x == 0, 0.0, x * jnp.log(y))

    @staticmethod
    def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return jnp.sum(x, axis, keepdims=keepdims)

    @staticmethod
    def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return jnp.mean(x, axis, keepdims=keepdims)

    @staticmethod
    def norm(x: Any, p: Any, axis: int) -> Any:
        # Both powers have infinite or undefined slopes at 0, and NaN * 0 stays NaN: 1 stands in for 0 before each,
        # and 0 for the result after.  https://github.com/jax-ml/jax/issues/3058
        nonzero = x != 0
        powers = jnp.where(nonzero, jnp.abs(jnp.where(nonzero, x, 1.0)) ** p, 0.0)
        total = jnp.sum(powers, axis)
        nonzero = total != 0
        return jnp.where(nonzero, jnp.where(nonzero, total, 1.0) ** (1.0 / p), 0.0)

    @staticmethod
    def sort(x: Any, axis: int) -> Any:
        return jnp.sort(x, axis, descending=True)

    @staticmethod
    def pick(x: Any, labels: Any, axis: int) -> Any:
        inside = (labels >= 0) & (labels < x.shape[axis])
        found = jnp.take_along_axis(x, jnp.expand_dims(jnp.where(inside, labels, 0), axis), axis)
        return jnp.where(inside, jnp.squeeze(found, axis), jnp.nan)

    @staticmethod
    def one_hot(labels: Any, classes: int, axis: int, like: Any) -> Any:
        inside = (labels >= 0) & (labels < classes)
        hot = jax.nn.one_hot(labels, classes, dtype=like.dtype, axis=axis)
        return jnp.where(jnp.expand_dims(inside, axis), hot, jnp.nan)

    @staticmethod
    def take(values: Any, labels: Any, like: Any) -> Any:
        table = jnp.asarray(values, like.dtype)
        inside = (labels >= 0) & (labels < table.shape[0])
        return jnp.where(inside, table[jnp.where(inside, labels, 0)], jnp.nan)

    @staticmethod
    def along(values: Any, axis: int, like: Any) -> Any:
        return jnp.asarray(values, like.dtype).reshape([-1 if i == axis else 1 for i in range(like.ndim)])

    @staticmethod
    def array(values: Any, like: Any) -> Any:
        return jnp.asarray(values, like.dtype)

    @staticmethod
    def cast(x: Any, like: Any) -> Any:
        return x.astype(like.dtype)

    @staticmethod
    def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return jnp.max(x, axis, keepdims=keepdims)

    @staticmethod
    def inner(x: Any, y: Any) -> Any:
        return jnp.inner(x, y, precision="highest")  # by default an accelerator rounds float32 factors to fewer bits

    @staticmethod
    def eye(x: Any, rows: int, columns: int) -> Any:
        return jnp.eye(rows, columns, dtype=x.dtype)

    logaddexp, logsumexp = staticmethod(jnp.logaddexp), staticmethod(jax.nn.logsumexp)
    gather, concat, scan = staticmethod(jnp.take_along_axis), staticmethod(jnp.concatenate), staticmethod(jax.lax.scan)
    swap_axes = staticmethod(jnp.swapaxes)

    @staticmethod
    def arange(count: int, like: Any) -> Any:
        return jnp.arange(count)

    @staticmethod
    def is_floating(x: Any) -> bool:
        return bool(jnp.issubdtype(x.dtype, jnp.floating))

    @staticmethod
    def seen(x: Any) -> Any:
        if isinstance(x, np.ndarray | np.generic):
            return x
        if isinstance(x, Tracer) or any(device.platform != "cpu" for device in x.devices()):
            return None
        return np.asarray(x) if x.is_fully_addressable else None


words = Words()


def carry(body: Callable[..., Any], inputs: tuple[Any, ...]) -> Any:
    """`body` of the inputs in one floating dtype: half precision is computed in float32, and the result rounded once."""
    arrays = [jnp.asarray(x) for x in inputs]
    dtype = functools.reduce(jnp.promote_types, [x.dtype for x in arrays if words.is_floating(x)])
    wide = jnp.promote_types(dtype, jnp.float32)
    # Small integers cannot be compared with ignore_index=-100.
    found = body(*(x.astype(wide if words.is_floating(x) else jnp.promote_types(x.dtype, jnp.int32)) for x in arrays))
    return jax.tree.map(lambda x: x.astype(dtype), found) if dtype != wide else found


def native(definition: Loss, inputs: tuple[Any, ...], hyperparameters: Mapping[str, Any], reduction: str) -> Callable[[], Any] | None:
    """JAX compiles the definition itself, here in chunks; optax's losses are the same arithmetic, with other derivatives at the kinks."""
    if definition.name == "linear_cross_entropy":
        return fused.linear_cross_entropy(definition, words, inputs, hyperparameters, reduction)
    return None
