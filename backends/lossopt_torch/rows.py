"""Sparse gradients: a rule that works by rows is given the rows that a gradient holds, and the others are not read."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from lossopt.vector import State, Vector


class Rows:
    """The rows that gradients hold, along the first axis; a dense one holds them all.

    Args:
        grads: the gradient of each parameter, some of them sparse, with one sparse dimension.
    """

    def __init__(self, grads: Sequence[Tensor]) -> None:
        grads = [g.coalesce() if g.is_sparse else g for g in grads]
        self.held = [g.indices()[0] if g.is_sparse else None for g in grads]
        self.values = Vector(g.values() if g.is_sparse else g for g in grads)

    def of(self, whole: Vector) -> Vector:
        """The held rows of every tensor; numbers as they are."""
        return Vector(x if r is None or not isinstance(x, Tensor) else x[r] for x, r in zip(whole.leaves, self.held, strict=True))

    def of_state(self, whole: State) -> State:
        if all(held is None for held in self.held):
            return whole
        return whole.map(lambda _, slot: self.of(slot) if isinstance(slot, Vector) else slot)

    def put(self, whole: State, rows: State) -> State:
        """The whole state with new rows, in place."""
        if all(held is None for held in self.held):
            return rows

        def leaf(old: Tensor, new: Tensor, held: Tensor | None) -> Tensor:
            return new if held is None or not isinstance(new, Tensor) else old.index_copy_(0, held, new)

        return State(**{
            name: Vector(map(leaf, getattr(whole, name).leaves, new.leaves, self.held)) if isinstance(new, Vector) else new
            for name, new in rows.items()
        })  # fmt: skip
