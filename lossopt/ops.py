"""The vocabulary that definitions are written in, and what each word means at its kinks.

A definition receives `ops` as its first argument and touches arrays only through these words and the operators
``+ - * / ** @ < <= > >= & |`` (a loss also ``== !=``).  Each backend says the words in its framework's language (``words.py`` in each).
The meaning is fixed here, not there: where frameworks disagree on a derivative, the meaning is PyTorch's.

=============================  ==========================================================================
``abs`` at 0                   derivative 0
``maximum(x, y)`` at a tie     half to each
``clamp_min(x, low)`` at low   derivative 1 (so ``clamp_min(1 - x, 0)``, the hinge, has slope -1 at the margin)
``norm`` at the zero vector    derivative 0
``sqrt`` at 0                  derivative inf; write ``norm`` where a root of squares is meant
``sign`` of NaN                NaN
``log_softmax`` of -inf        -inf, with probability 0 in its derivative
``power(x, p)`` at 0           derivative 0, whatever p; ``0**0`` is 1
``xlogy(x, x)`` at 0           0, and its derivative is NaN
=============================  ==========================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

from lossopt.hyper import Number
from lossopt.vector import State

T = TypeVar("T")

Array: TypeAlias = Any
"""An array of the backend at hand, or in a plural rule all parameters as one Vector; both answer the operators."""

Update: TypeAlias = tuple[Array, State]
"""What a rule returns: what to add to the parameter, and the next state."""

Inner: TypeAlias = Callable[..., Update]
"""A wrapped rule: ``inner(grads, state.inner, params) -> (update, state)``."""

Hessian: TypeAlias = Callable[[Number], Array]
"""``hessian(step)``: the diagonal of the Hessian at the parameters, shaped as they are, or an estimate."""

Noise: TypeAlias = Callable[[int, Number], Array]
"""``noise(seed, step)``: standard normals shaped as the parameter, the same in every backend (`lossopt.noise`)."""

Evaluate: TypeAlias = Callable[[Array], tuple[Number, Array]]
"""``evaluate(point) -> (loss value, gradient)``: the model at another point."""


class Ops(Protocol):
    """The words of an optimizer's rule."""

    # element by element
    def sqrt(self, x: Array, /) -> Any: ...
    def sign(self, x: Array, /) -> Any: ...
    def abs(self, x: Array, /) -> Any: ...
    def exp(self, x: Array, /) -> Any: ...
    def log(self, x: Array, /) -> Any:
        """The logarithm; of a constant number in float64."""
        ...

    def maximum(self, x: Array, y: Array, /) -> Any: ...
    def minimum(self, x: Array, y: Array, /) -> Any: ...
    def where(self, condition: Array, x: Array, y: Array, /) -> Any: ...
    def lerp(self, start: Array, end: Array, weight: Number, /) -> Any:
        """``start + weight * (end - start)``, the moving average."""
        ...

    def cast(self, x: Array, dtype: Any, /) -> Any: ...

    # new arrays, shaped and placed like a parameter
    def zeros_like(self, x: Array, /) -> Any: ...
    def full_like(self, x: Array, value: Number, /) -> Any: ...
    def eye(self, x: Array, size: int, /) -> Any:
        """The identity matrix of that size, in the dtype and on the device of `x`."""
        ...

    def number(self, value: Number, like: Array | None = None, /) -> Any:
        """A number kept in a slot: of one parameter, or with `like` (all parameters) one that all share."""
        ...

    def array(self, values: Any, like: Array, /) -> Any: ...

    # reductions: of one parameter in a singular rule, over all parameters in a plural one
    def sum(self, x: Array, axis: int | None = None, /) -> Any:
        """The sum; along an axis (of one parameter) that axis is kept with length 1."""
        ...

    def mean(self, x: Array, axis: int | None = None, /) -> Any:
        """The mean; along an axis that axis is kept with length 1."""
        ...

    def max(self, x: Array, axis: int | None = None, /) -> Any:
        """The largest; along an axis (of one parameter) that axis is kept with length 1."""
        ...

    def dot(self, x: Array, y: Array, /) -> Any: ...
    def norm(self, x: Array, /) -> Any:
        """The Euclidean norm: of a parameter in a singular rule, the global norm in a plural one."""
        ...

    def is_finite(self, x: Array, /) -> Any: ...

    # matrices (and ``@``); a decomposition of what is not finite is NaN
    def transpose(self, x: Array, /) -> Any: ...
    def reshape(self, x: Array, shape: tuple[int, ...], /) -> Any: ...
    def move_axis(self, x: Array, source: int, destination: int, /) -> Any: ...
    def select(self, x: Array, order: Any, axis: int, /) -> Any:
        """The entries of `x` along an axis, in the order of a range or of what `argsort` gave."""
        ...

    def argsort(self, x: Array, /) -> Any:
        """The order that sorts a vector, smallest first; equal entries keep theirs."""
        ...

    def triu(self, x: Array, /) -> Any:
        """The upper triangle of a matrix with its diagonal, 0 below."""
        ...

    def eigh(self, x: Array, /) -> Any:
        """``(eigenvalues, eigenvectors)`` of a symmetric matrix, smallest first.  The sign of a vector is anyone's."""
        ...

    def qr(self, x: Array, /) -> Any:
        """``(q, r)`` with no negative number on the diagonal of r, which makes them unique where `x` has full rank."""
        ...

    def svd(self, x: Array, /) -> Any:
        """``(u, s, vh)``, reduced, largest first; the entry of u farthest from 0 in each column is positive."""
        ...

    def solve_triangular(self, lower: Array, x: Array, /) -> Any:
        """``lower^-1 x`` for a lower triangular matrix."""
        ...

    # scalars and control
    def bias_correction(self, beta: Number, step: Number, /) -> Any:
        """``1 - beta**step`` without cancellation: ``-expm1(step * log(beta))``, the logarithm in float64."""
        ...

    def cond(self, predicate: Any, then: Callable[[], T], otherwise: Callable[[], T], /) -> T: ...
    def while_loop(self, keep_going: Callable[[T], Any], body: Callable[[T], T], carry: T, /) -> T: ...
    def each(self, fn: Callable[..., Any], /, *args: Array) -> Any:
        """In a plural rule, ``fn(ops, ...)`` on one parameter at a time."""
        ...


def log_of_number(x: float) -> float:
    """The logarithm of a host number, as an array has it: of 0 it is -inf, below NaN, where `math.log` raises."""
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan


class HostNumbers:
    """The scalar words of a backend whose numbers are Python floats on the host: float64, and Python's own control flow."""

    @staticmethod
    def bias_correction(beta: float, step: float) -> float:
        return -math.expm1(step * math.log(beta)) if beta else 1.0

    @staticmethod
    def cond(predicate: Any, then: Callable[[], T], otherwise: Callable[[], T]) -> T:
        return then() if predicate else otherwise()

    @staticmethod
    def while_loop(keep_going: Callable[[T], Any], body: Callable[[T], T], carry: T) -> T:
        while keep_going(carry):
            carry = body(carry)
        return carry

    @staticmethod
    def first_step() -> int:
        return 0

    @staticmethod
    def lend_step(step: int) -> int:
        """The step as rules see it; see the JAX backend, where it matters."""
        return step


class LossOps(Protocol):
    """The words of a loss. Axes count as numpy's do; a reduction along an axis drops it unless `keepdims`."""

    def sqrt(self, x: Array, /) -> Any: ...
    def sign(self, x: Array, /) -> Any: ...
    def abs(self, x: Array, /) -> Any: ...
    def exp(self, x: Array, /) -> Any: ...
    def log(self, x: Array, /) -> Any: ...
    def maximum(self, x: Array, y: Array, /) -> Any: ...
    def minimum(self, x: Array, y: Array, /) -> Any: ...
    def clamp_min(self, x: Array, low: Number, /) -> Any: ...
    def where(self, condition: Array, x: Array, y: Array, /) -> Any: ...
    def power(self, x: Array, exponent: Number, /) -> Any:
        """``x ** exponent`` for x of 0 and above; its derivative at 0 is 0."""
        ...

    def xlogy(self, x: Array, y: Array, /) -> Any:
        """``x * log(y)``, and 0 where x is 0."""
        ...

    def log1p(self, x: Array, /) -> Any:
        """``log(1 + x)`` without cancellation."""
        ...

    def softplus(self, x: Array, /) -> Any:
        """``log(1 + exp(x))`` without overflow."""
        ...

    def sigmoid(self, x: Array, /) -> Any: ...
    def log_softmax(self, x: Array, axis: int, /) -> Any: ...
    def softmax(self, x: Array, axis: int, /) -> Any: ...
    def logsumexp(self, x: Array, axis: int, /) -> Any:
        """``log(sum(exp(x)))`` along an axis, which is dropped, without overflow."""
        ...

    def sort(self, x: Array, axis: int, /) -> Any:
        """The entries along an axis, largest first."""
        ...

    def cumsum(self, x: Array, axis: int, /) -> Any: ...
    def sum(self, x: Array, /, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any: ...
    def mean(self, x: Array, /, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any: ...
    def max(self, x: Array, /, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
        """The largest; its derivative is shared equally among those that are equal."""
        ...

    def norm(self, x: Array, p: Number, axis: int, /) -> Any:
        """The p-norm along an axis; its derivative at the zero vector is 0."""
        ...

    def pick(self, x: Array, labels: Array, axis: int, /) -> Any:
        """``x`` at each label along `axis`, which is dropped. A label outside the range gives NaN."""
        ...

    def one_hot(self, labels: Array, classes: int, axis: int, like: Array, /) -> Any:
        """1 at each label along a new `axis`, 0 elsewhere. A label outside the range gives NaN."""
        ...

    def take(self, values: Any, labels: Array, like: Array, /) -> Any:
        """The number of each label, from one number per class. A label outside the range gives NaN."""
        ...

    def along(self, values: Any, axis: int, like: Array, /) -> Any:
        """One number per class, laid along `axis` so that it multiplies `like`."""
        ...

    def array(self, values: Any, like: Array, /) -> Any:
        """Numbers, or an array of any kind, in the dtype and on the device of `like`."""
        ...

    def cast(self, x: Array, like: Array, /) -> Any:
        """`x` in the floating dtype of `like`."""
        ...

    def inner(self, x: Array, y: Array, /) -> Any:
        """The product of every row of `x` with every row of `y`, in the inputs' full precision: shape (N, M)."""
        ...

    def eye(self, x: Array, rows: int, columns: int, /) -> Any:
        """1 on the main diagonal and 0 elsewhere, in the dtype and on the device of `x`."""
        ...

    def logaddexp(self, x: Array, y: Array, /) -> Any:
        """``log(exp(x) + exp(y))`` of finite numbers."""
        ...

    def gather(self, x: Array, indices: Array, axis: int, /) -> Any:
        """The entries of `x` at indices within an axis; the other axes broadcast."""
        ...

    def arange(self, count: int, like: Array, /) -> Any:
        """0, 1, ... as integers, on the device of `like`."""
        ...

    def swap_axes(self, x: Array, first: int, second: int, /) -> Any: ...
    def concat(self, arrays: Sequence[Array], axis: int, /) -> Any: ...
    def scan(self, body: Callable[[T, Any], tuple[T, Any]], carry: T, xs: tuple[Array, ...], /) -> tuple[T, Any]:
        """``body(carry, entries of xs) -> (carry, out)`` along the first axis of every array in `xs`; the outs stacked."""
        ...

    def zeros_like(self, x: Array, /) -> Any: ...
    def stop_gradient(self, x: Array, /) -> Any: ...
    def is_floating(self, x: Array, /) -> bool: ...
    def seen(self, x: Array, /) -> Any:
        """The values as a NumPy array, or None where looking is impossible (traced) or would wait (an accelerator)."""
        ...


class ScheduleOps(Protocol):
    """The words of a schedule: arithmetic on one number, the step.

    The step is whole, and stays exact through ``+ - // %``, division by whole numbers, comparisons, ``minimum``,
    ``maximum``, ``where`` and ``floor``, in float32 frameworks too.
    """

    pi: float

    def sqrt(self, x: Number, /) -> Any: ...
    def sin(self, x: Number, /) -> Any: ...
    def cos(self, x: Number, /) -> Any: ...
    def floor(self, x: Number, /) -> Any: ...
    def exp(self, x: Number, /) -> Any: ...
    def log(self, x: Number, /) -> Any: ...
    def power(self, base: Number, exponent: Number, /) -> Any:
        """``base ** exponent``, from constants folded in float64; exact to a rounding where the exponent counts steps."""
        ...

    def minimum(self, x: Number, y: Number, /) -> Any: ...
    def maximum(self, x: Number, y: Number, /) -> Any: ...
    def where(self, condition: Any, x: Number, y: Number, /) -> Any: ...
    def call(self, fn: Callable[[Any], Any], step: Number, /) -> Any:
        """``fn(step)`` for somebody's function: of a whole number, or where the step is traced of the framework's array."""
        ...

    def tabulate(self, fn: Callable[[int], float], step: Number, last: int | None, /) -> Any:
        """``fn(step)`` for a function of Python's whole numbers.

        Where the step is traced, fn is called with 0, ..., last once, and the values are a table made in float64.
        """
        ...
