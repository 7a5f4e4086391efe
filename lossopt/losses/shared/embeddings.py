"""What the losses of embeddings share: unit vectors, distances, every pair of a batch, and the arrays that they take."""

from __future__ import annotations

from typing import Any, Literal

from lossopt.errors import InputError
from lossopt.hyper import is_live
from lossopt.losses.shared import checks
from lossopt.losses.shared.parts import shape_of
from lossopt.ops import Array, LossOps, Number
from lossopt.registry import framework_of

Placement = Literal["difference", "root"]


# ------------------------------------------------------------------------------------------------- cosines
def unit(ops: LossOps, x: Array, axis: int | None, floor: Number) -> Array:
    """``x / max(||x||, floor)``; below the floor, and so at the zero vector, the derivative is ``1 / floor``."""
    return x / ops.clamp_min(root(ops, ops.sum(x * x, axis, keepdims=True)), floor)


def root(ops: LossOps, x: Array) -> Array:
    """The square root, with derivative 0 at 0."""
    return ops.where(x == 0, 0.0, ops.sqrt(ops.where(x == 0, 1.0, x)))


def cosine(ops: LossOps, a: Array, b: Array, axis: int | None, eps: Number, eps_on: Literal["norm", "squared"], where: Any) -> Array:
    """The cosine of two vectors, of the components where `where` is not 0."""
    floor = eps if eps_on == "norm" else eps**0.5
    if where is not None:
        among = ops.array(where, a) != 0
        a, b = ops.where(among, a, 0.0), ops.where(among, b, 0.0)
    return ops.sum(unit(ops, a, axis, floor) * unit(ops, b, axis, floor), axis)


def cosines(ops: LossOps, a: Array, b: Array, eps: Number, normalize: bool = True) -> Array:
    """The cosine of every row of `a` with every row of `b`, or without `normalize` their products."""
    return ops.inner(unit(ops, a, -1, eps), unit(ops, b, -1, eps)) if normalize else ops.inner(a, b)


def scaled(ops: LossOps, values: Array, factor: Any) -> Array:
    """Times a number, or an array that is learned with the model."""
    return values * as_number(ops, factor, values)


def as_number(ops: LossOps, given: Any, like: Array) -> Any:
    """A number as it is; an array of one number in the dtype of `like`."""
    return ops.array(given, like) if is_live(given) else given


# ------------------------------------------------------------------------------------------------- distances
def distance(ops: LossOps, difference: Array, p: Number, eps: Number, eps_in: Placement) -> Array:
    """``(sum |d + eps|**p)**(1/p)``, or with eps in the root ``(sum |d|**p + eps)**(1/p)``."""
    if eps_in == "difference":
        return ops.norm(difference + eps, p, -1)
    return ops.power(ops.sum(ops.power(ops.abs(difference), p), -1) + eps, 1 / p)


def triplet(ops: LossOps, to_positive: Array, to_negative: Array, between: Array | None, margin: Number) -> Array:
    """``max(0, d(a, p) - d(a, n) + margin)``, with the smaller of d(a, n) and d(p, n) where that is given."""
    if between is not None:
        to_negative = ops.minimum(to_negative, between)
    return ops.clamp_min(to_positive - to_negative + margin, 0.0)


# ------------------------------------------------------------------------------------------------- every pair of a batch
def compared(ops: LossOps, logits: Array, among: Array | None = None, axis: int = 1) -> tuple[Array, Array]:
    """``(z, log sum exp z)`` along an axis: logits shifted so that the sum neither overflows nor vanishes.

    The sum is over what `among` marks, and -inf where it marks nothing.  The difference of the two does not lose what
    the difference of large logits would.
    """
    if 0 in logits.shape:
        return logits, ops.sum(logits, axis, keepdims=True)  # there is no largest of nothing
    lowest = float("-inf")
    largest = ops.stop_gradient(ops.max(logits if among is None else ops.where(among, logits, lowest), axis, keepdims=True))
    shifted = logits - ops.where(largest == lowest, 0.0, largest)
    if among is None:
        return shifted, ops.log(ops.sum(ops.exp(shifted), axis, keepdims=True))
    total = ops.sum(ops.where(among, ops.exp(ops.where(among, shifted, 0.0)), 0.0), axis, keepdims=True)
    return shifted, ops.where(total == 0, lowest, ops.log(ops.where(total == 0, 1.0, total)))


def on_diagonal(ops: LossOps, matrix: Array, axis: int = 1) -> Array:
    """What stands on the diagonal, one number per row (or with axis 0 per column)."""
    return ops.sum(ops.where(ops.eye(matrix, *matrix.shape) == 1, matrix, 0.0), axis)


def positives(ops: LossOps, labels: Array, like: Array) -> tuple[Array, Array]:
    """For every pair of a batch, whether the two are different samples of one label, and whether they differ in label."""
    same = labels[:, None] == labels[None, :]
    return same & (ops.eye(like, *like.shape) == 0), labels[:, None] != labels[None, :]


# ------------------------------------------------------------------------------------------------- what arrays they take
def grouped(ops: LossOps, embeddings: Any, labels: Any, **_: Any) -> None:
    """A batch of floating embeddings, and an integer label for each."""
    checks.floating(embeddings=embeddings)
    batches(embeddings=embeddings)
    labels_of("labels", labels, embeddings)


def two_towers(ops: LossOps, queries: Any, keys: Any, *, symmetric: bool = True, logit_scale: Any = None, logit_bias: Any = None,
               temperature: Any = None, **_: Any) -> None:  # fmt: skip
    """Two batches of floating embeddings, row i of one belonging to row i of the other."""
    checks.floating(queries=queries, keys=keys)
    batches(queries=queries, keys=keys)
    given = {"logit_scale": logit_scale, "logit_bias": logit_bias, "temperature": temperature}
    for name, factor in given.items():
        one_number(name, factor, queries=queries)
    if symmetric:
        checks.same_shape(queries=queries, keys=keys)
        return
    (n, width), (m, other) = shape_of(queries), shape_of(keys)
    if width != other:
        raise InputError(f"queries and keys must have the same number of features, got {width} and {other}")
    if m < n:
        raise InputError(f"keys must hold a key for each of the {n} queries, then further negatives if any; got {m}")


def labels_of(name: str, labels: Any, embeddings: Any) -> None:
    """An integer for each embedding."""
    have, want = shape_of(labels), shape_of(embeddings)[:1]
    if have != want:
        remedy = f"; write {name}.reshape({want})" if have in ((*want, 1), (1, *want)) else ""
        raise InputError(f"{name} must hold one label for each of the {want[0]} embeddings, shape {want}, got {have}{remedy}")
    if not checks.is_integer(labels):
        raise InputError(f"{name} must be integers, got {checks.dtype_of(labels)}; write {checks.to_integer(name, labels)}")


def one_number(name: str, given: Any, **array: Any) -> None:
    """`given` is None, a number, or an array of one number of the same framework."""
    ((first, x),) = array.items()
    if not is_live(given):
        return
    if shape_of(given) != ():
        raise InputError(f"{name} must be one number, got shape {shape_of(given)}; write {name}.reshape(())")
    if framework_of(given) not in ("numpy", framework_of(x)):
        raise InputError(f"{name} is {framework_of(given)}, {first} are {framework_of(x)}; convert them to one")


def batches(**arrays: Any) -> None:
    """Each array is a batch of vectors, shape (N, D)."""
    for name, x in arrays.items():
        if len(shape_of(x)) != 2:
            remedy = f"; write {name}.reshape(1, -1) for one sample" if len(shape_of(x)) == 1 else ""
            raise InputError(f"{name} must be a batch of vectors, shape (N, D), got {shape_of(x)}{remedy}")
