"""What rules that leave updates out share: the counts, and the choice between applying and skipping."""

from __future__ import annotations

from lossopt.ops import Array, Inner, Ops, Update
from lossopt.vector import State


def start(ops: Ops, params: Array) -> State:
    """Two counts: all that were skipped, and those in a row."""
    return State(skipped=ops.number(0.0, params), in_a_row=ops.number(0.0, params))


def guarded(ops: Ops, good: Array, grads: Array, state: State, params: Array, inner: Inner, bound: int | None) -> Update:
    """The wrapped rule's update where `good`, or where more than `bound` bad ones came in a row; else none, and no time passes."""
    in_a_row = ops.where(good, 0.0, state.in_a_row + 1)
    skipped = ops.where(good, state.skipped, state.skipped + 1)
    passes = good if bound is None else good | (in_a_row > bound)

    def apply() -> Update:
        delta, own = inner(grads, state.inner, params)
        return delta, State(skipped=skipped, in_a_row=in_a_row, inner=own)

    def skip() -> Update:
        return ops.zeros_like(params), State(skipped=skipped, in_a_row=in_a_row, inner=state.inner)

    return ops.cond(passes, apply, skip)
