"""The step under a trace: a whole number over a whole number, exact until it must become a floating-point one.

In float32, ``floor(step / 10)`` is wrong at some multiples of ten (XLA multiplies by 0.1), ``0.9999 ** step`` is off by
1e-3 after 100,000 steps, and a step above 2**24 is no longer itself.  A schedule's text says ``step // 10``,
``step / 10``, ``step < 10`` as it would to Python's integers, and gets what they would give.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any, TypeGuard

import jax
import jax.numpy as jnp
import numpy as np

from lossopt.errors import ArgumentError

INT32 = 2**31


class Steps:
    """``count / over``: a traced int32 over a Python whole number.

    Args:
        count: the traced numerator.
        over: the denominator, at least 1.
        dtype: the floating dtype to become where arithmetic leaves the whole numbers.
    """

    def __init__(self, count: Any, over: int, dtype: Any) -> None:
        self.count, self.over, self.dtype = count, over, dtype

    @property
    def real(self) -> Any:
        """The floating-point number: whole part and remainder apart, so that whole results are exact."""
        if self.over == 1:
            return self.count.astype(self.dtype)
        over = jnp.asarray(self.over, self.count.dtype)
        whole, rest = jax.lax.div(self.count, over), jax.lax.rem(self.count, over)  # both of the count's sign: nothing cancels
        return whole.astype(self.dtype) + rest.astype(self.dtype) / self.over

    # -- whole arithmetic
    def _like(self, count: Any, over: int) -> Steps:
        return Steps(count, over, self.dtype)

    def _scaled(self, other: Any) -> int | None:
        """`other * over` where that is a whole number which an int32 holds."""
        whole = _whole(other)
        return None if whole is None else _whole(whole * self.over)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Steps) and other.over == self.over:
            return self._like(self.count + other.count, self.over)
        shift = self._scaled(other)
        if shift is not None:
            return self._like(self.count + shift, self.over)
        if is_number(other) and self._scaled(round(other)) is not None:  # 1 - 0.9: the whole parts first
            return (self + round(other)).real + (float(other) - round(other))
        return self.real + as_real(other, self.dtype)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __truediv__(self, other: Any) -> Any:
        by = self._scaled(other)
        return self._like(self.count, by) if by is not None and by > 0 else self.real / as_real(other, self.dtype)

    def __floordiv__(self, other: Any) -> Any:
        by = self._scaled(other)
        return self._like(self.count // by, 1) if by is not None and by > 0 else self.real // as_real(other, self.dtype)

    def __mod__(self, other: Any) -> Any:
        by = self._scaled(other)
        return self._like(self.count % by, self.over) if by is not None and by > 0 else self.real % as_real(other, self.dtype)

    def __neg__(self) -> Steps:
        return self._like(-self.count, self.over)

    # -- comparisons: a whole number is below 2.5 where it is below 3
    def __lt__(self, other: Any) -> Any:
        return self._compare(other, math.ceil, lambda a, b: a < b)

    def __ge__(self, other: Any) -> Any:
        return self._compare(other, math.ceil, lambda a, b: a >= b)

    def __le__(self, other: Any) -> Any:
        return self._compare(other, math.floor, lambda a, b: a <= b)

    def __gt__(self, other: Any) -> Any:
        return self._compare(other, math.floor, lambda a, b: a > b)

    def _compare(self, other: Any, rounded: Callable[[float], int], holds: Callable[[Any, Any], Any]) -> Any:
        if is_number(other) and abs(other * self.over) < INT32:
            return holds(self.count, rounded(float(other) * self.over))
        return holds(self.real, as_real(other, self.dtype))

    # -- what leaves the whole numbers
    def __mul__(self, other: Any) -> Any:
        return self.real * as_real(other, self.dtype)

    def __rmul__(self, other: Any) -> Any:
        return as_real(other, self.dtype) * self.real

    def __rtruediv__(self, other: Any) -> Any:
        return as_real(other, self.dtype) / self.real

    def __pow__(self, exponent: Any) -> Any:
        return self.real ** as_real(exponent, self.dtype)

    def __rpow__(self, base: Any) -> Any:
        return ScheduleWords(self.dtype).power(base, self)

    def __jax_array__(self) -> Any:
        return self.real

    def __bool__(self) -> bool:
        raise TypeError("a schedule may not branch on the step: use ops.where")


class ScheduleWords:
    """`lossopt.ops.ScheduleOps` in JAX, for values of one floating dtype."""

    pi = math.pi

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype

    def sqrt(self, x: Any) -> Any:
        return jnp.sqrt(as_real(x, self.dtype))

    def sin(self, x: Any) -> Any:
        return jnp.sin(as_real(x, self.dtype))

    def cos(self, x: Any) -> Any:
        return jnp.cos(as_real(x, self.dtype))

    def exp(self, x: Any) -> Any:
        return jnp.exp(as_real(x, self.dtype))

    def log(self, x: Any) -> Any:
        return jnp.log(as_real(x, self.dtype))

    def floor(self, x: Any) -> Any:
        return x // 1 if isinstance(x, Steps) else jnp.floor(as_real(x, self.dtype))

    def minimum(self, x: Any, y: Any) -> Any:
        return self._choose(jnp.minimum, x, y)

    def maximum(self, x: Any, y: Any) -> Any:
        return self._choose(jnp.maximum, x, y)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return self._choose(lambda a, b: jnp.where(condition, a, b), x, y)

    def power(self, base: Any, exponent: Any) -> Any:
        if isinstance(exponent, Steps) and is_number(base):
            return _power_of_steps(float(base), exponent)
        exponent = as_real(exponent, self.dtype)
        if is_number(base) and base > 0:
            return jnp.exp(exponent * math.log(base))
        return as_real(base, self.dtype) ** exponent

    def call(self, fn: Callable[[Any], Any], step: Any) -> Any:
        if not isinstance(step, Steps) or step.over != 1:
            return fn(as_real(step, self.dtype))
        return fn(step.count.astype(jnp.int64) if self.dtype == jnp.float64 else step.count)  # int32 / int32 is float32

    def tabulate(self, fn: Callable[[int], float], step: Any, last: int | None) -> Any:
        if last is None:
            raise ArgumentError("JAX traces the step, and takes such a function as a table of its values: give total_iters, the last step "
                                "at which the value changes")  # fmt: skip
        table = np.array([float(fn(k)) for k in range(last + 1)]).astype(self.dtype)
        index = step.count if isinstance(step, Steps) else jnp.asarray(step, jnp.int32)
        return jnp.asarray(table)[index]

    def _choose(self, chosen: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
        """A choice between whole numbers is one, else a real number."""
        if all(_whole(v) is not None or (isinstance(v, Steps) and v.over == 1) for v in (x, y)):
            a, b = (v.count if isinstance(v, Steps) else jnp.int32(v) for v in (x, y))
            return Steps(chosen(a, b), 1, self.dtype)
        return chosen(as_real(x, self.dtype), as_real(y, self.dtype))


def is_number(x: Any) -> TypeGuard[float]:
    """A constant: no array, and nothing traced."""
    return isinstance(x, numbers.Real)


def as_real(x: Any, dtype: Any) -> Any:
    """The floating-point number of that dtype."""
    return x.real if isinstance(x, Steps) else jnp.asarray(x, dtype)


def _whole(x: Any) -> int | None:
    """A constant that is a whole number, 10 or 10.0, and fits an int32."""
    return int(x) if is_number(x) and abs(x) < INT32 and float(x).is_integer() else None


def _power_of_steps(base: float, exponent: Steps) -> jax.Array:
    """The product of one entry for each base-256 digit of the count, from tables made in float64: four roundings."""
    digits, count = np.arange(256), jnp.abs(exponent.count)
    value = jnp.ones((), exponent.dtype)
    with np.errstate(over="ignore", under="ignore"):
        for place in range(4):
            table = np.power(np.float64(base), digits * (256**place / exponent.over)).astype(exponent.dtype)
            value = value * jnp.asarray(table)[(count >> (8 * place)) & 255]
    return jnp.where(exponent.count < 0, 1 / value, value)
