"""What optimizers with a matrix for each axis of a parameter share: the axes, products along one, roots, eigenbases."""

from __future__ import annotations

from lossopt.ops import Array, Number, Ops


def unfold(ops: Ops, x: Array, axis: int) -> Array:
    """`x` as a matrix whose rows run along an axis."""
    return ops.reshape(ops.move_axis(x, axis, 0), (x.shape[axis], -1))


def fold(ops: Ops, rows: Array, like: Array, axis: int) -> Array:
    """The way back from `unfold`; the axis may have another length than in `like`."""
    others = (n for i, n in enumerate(like.shape) if i != axis)
    return ops.move_axis(ops.reshape(rows, (rows.shape[0], *others)), 0, axis)


def multiply(ops: Ops, matrix: Array, x: Array, axis: int) -> Array:
    """``matrix @ x`` along an axis: each line of `x` in that direction is multiplied by the matrix."""
    return fold(ops, matrix @ unfold(ops, x, axis), x, axis)


def scale(ops: Ops, column: Array, x: Array, axis: int) -> Array:
    """The slices of `x` along an axis, each times its number in a column."""
    return fold(ops, column * unfold(ops, x, axis), x, axis)


def gram(ops: Ops, x: Array, axis: int) -> Array:
    """The inner products of the slices of `x` along an axis."""
    rows = unfold(ops, x, axis)
    return rows @ ops.transpose(rows)


def squares(ops: Ops, x: Array, axis: int) -> Array:
    """The diagonal of `gram`, as a column."""
    rows = unfold(ops, x, axis)
    return rows.shape[1] * ops.mean(rows * rows, 1)


def matrix_power(ops: Ops, matrix: Array, eps: Number, exponent: Number) -> Array:
    """``(matrix + eps) ** exponent`` of a positive semi-definite matrix; what rounding made negative counts as 0."""
    values, vectors = ops.eigh(matrix)
    return (vectors * (ops.maximum(values, 0.0) + eps) ** exponent) @ ops.transpose(vectors)


def eigenbasis(ops: Ops, matrix: Array) -> Array:
    """The eigenvectors of a positive semi-definite matrix as columns; in its null space a basis that is one for all.

    The Gram matrix of one gradient often has a null space, which has no basis of its own: each LAPACK would choose another.
    """
    values, vectors = ops.eigh(matrix)
    largest = ops.max(values)
    null = vectors * ops.cast(values <= rounding(matrix) * largest, matrix.dtype)
    within = null @ ops.transpose(null)
    return ops.eigh(matrix / ops.where(largest > 0, largest, 1.0) - within @ unequal(ops, matrix) @ within)[1]


def completed(ops: Ops, q: Array, r: Array) -> tuple[Array, Array]:
    """Of a QR decomposition: q, and the order in which its columns stand.

    Where the decomposed matrix had no full rank, the columns of q that only rounding made come last, and are replaced by a
    basis of the same space that is one for all.
    """
    size = q.shape[0]
    pivots = ops.reshape(ops.abs(ops.sum(r * ops.eye(r, size), 0)), (size,))
    known = ops.cast(pivots > rounding(q) * ops.max(pivots), q.dtype)
    order = ops.argsort(1 - known)
    found = ops.select(q, order, 1)

    def complete() -> Array:
        rest = ops.eye(q, size) - (q * known) @ ops.transpose(q * known)
        return ops.where(ops.select(known, order, 0) > 0, found, ops.eigh(rest @ unequal(ops, q) @ rest)[1])

    return ops.cond(ops.sum(known) < size, complete, lambda: found), order


def rounding(matrix: Array) -> float:
    """What part of the largest eigenvalue rounding may make of none."""
    spacing = 2.0**-52 if str(matrix.dtype).endswith("float64") else 2.0**-23
    return 4 * spacing * matrix.shape[0] ** 0.5


def unequal(ops: Ops, matrix: Array) -> Array:
    """A diagonal matrix without two equal entries: 1, 1 - 1/n, ..., 1/n.  Within a null space its eigenvectors are a basis."""
    return ops.eye(matrix, matrix.shape[0]) * ops.mean(ops.triu(ops.full_like(matrix, 1.0)), 1)
