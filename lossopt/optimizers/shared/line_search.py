"""How far to go along a direction: the strong Wolfe conditions, by bracketing and cubic interpolation.

The search is that of minFunc (Mark Schmidt, 2005), as torch.optim.LBFGS has it: the same points are tried in the same order.
"""

from __future__ import annotations

from collections.abc import Callable

from lossopt.ops import Array, Number, Ops
from lossopt.vector import State

SUFFICIENT, CURVATURE = 1e-4, 0.9
"""Of the decrease that the slope promises, the part that must be there; of the slope, the part that may be left."""
EVALUATIONS, NARROW = 25, 1e-9
"""How many points are tried after the first; how narrow a bracket is not searched further, as the largest change of a coordinate."""

Phi = Callable[[Number], tuple[Number, Number]]
"""``phi(t) -> (loss, slope)`` at the distance t."""


def cubic_minimum(ops: Ops, a: State, b: State, low: Number, high: Number) -> Number:
    """Where the cubic through two points with their slopes is least, within bounds; their middle where it has no minimum."""
    left, right = ops.where(a.t <= b.t, a.slope, b.slope), ops.where(a.t <= b.t, b.slope, a.slope)
    least, most = ops.minimum(a.t, b.t), ops.maximum(a.t, b.t)
    mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = mean * mean - a.slope * b.slope
    root = ops.sqrt(ops.maximum(square, 0.0))
    below = right - left + 2 * root
    found = most - (most - least) * ((right + root - mean) / ops.where(ops.abs(below) > 0, below, 1.0))
    found = ops.minimum(ops.maximum(found, low), high)
    return ops.where((square >= 0) & (ops.abs(below) > 0), found, (low + high) / 2)


def strong_wolfe(ops: Ops, phi: Phi, first: Number, loss: Number, slope: Number, reach: Number, zero: Array) -> Number:
    """A distance at which the loss has fallen enough and the slope is flat enough; the best that was tried where there is none.

    Args:
        phi: the loss along the direction.
        first: the distance tried first.
        loss, slope: at distance 0.
        reach: the largest change of a coordinate at distance 1.
        zero: a number 0 of the parameters' kind.
    """
    start = State(t=zero, loss=zero + loss, slope=zero + slope)

    def tried(t: Number) -> State:
        value, steep = phi(t)
        return State(t=t, loss=zero + value, slope=zero + steep)

    def too_high(at: State) -> Array:
        return at.loss > loss + SUFFICIENT * at.t * slope

    def flat(at: State) -> Array:
        return ops.abs(at.slope) <= -CURVATURE * slope

    # -- out: until a bracket holds such a point, or is one
    def judged(last: State, before: State, count: Number) -> Number:
        """0: further out; 1: between the two; 2: here."""
        crossed = too_high(last) | ((count > 1) & (last.loss >= before.loss))
        return ops.where(crossed, zero + 1, ops.where(flat(last), zero + 2, ops.where(last.slope >= 0, zero + 1, zero)))

    def further(s: State) -> State:
        t = cubic_minimum(ops, s.before, s.last, s.last.t + 0.01 * (s.last.t - s.before.t), 10 * s.last.t)
        last, count = tried(t), s.count + 1
        return State(before=s.last, last=last, count=count, verdict=judged(last, s.last, count))

    opening = tried(zero + first)
    s = State(before=start, last=opening, count=zero, verdict=judged(opening, start, zero))
    s = ops.while_loop(lambda s: (s.verdict < 1) & (s.count < EVALUATIONS), further, s)
    spent = s.count >= EVALUATIONS
    one, two = chosen(ops, spent, start, s.before), s.last
    ahead = (one.loss <= two.loss) & (s.verdict < 2)

    # -- in: the bracket's better end is `low`; `first` says that it is also the one that came first, which decides ties
    def narrower(z: State) -> State:
        least, most = ops.minimum(z.low.t, z.high.t), ops.maximum(z.low.t, z.high.t)
        t = cubic_minimum(ops, z.low, z.high, least, most)
        margin = 0.1 * (most - least)
        near = ops.minimum(most - t, t - least) < margin
        stuck = near & ((z.stuck > 0) | (t >= most) | (t <= least))
        new = tried(ops.where(stuck, ops.where(ops.abs(t - most) < ops.abs(t - least), most - margin, least + margin), t))
        worse = too_high(new) | (new.loss >= z.low.loss)
        swap = ops.where(z.first > 0, zero + new.loss < z.low.loss, new.loss <= z.low.loss)
        beyond = new.slope * (z.high.t - z.low.t) >= 0
        low = chosen(ops, worse, chosen(ops, swap, new, z.low), new)
        high = chosen(ops, worse, chosen(ops, swap, z.low, new), chosen(ops, beyond & (new.loss < z.low.loss), z.low, z.high))
        first = ops.where(worse & swap, 1 - z.first, z.first)
        done = ops.where(worse, zero, ops.where(flat(new), zero + 1, zero))
        waiting = ops.where(near, ops.where(stuck, zero, zero + 1), zero)
        return State(low=low, high=high, first=first, stuck=waiting, done=done, count=z.count + 1)

    def wide(z: State) -> Array:
        return (z.done < 1) & (z.count < EVALUATIONS) & (ops.abs(z.high.t - z.low.t) * reach >= NARROW)

    z = State(
        low=chosen(ops, ahead, one, two), high=chosen(ops, ahead, two, one), first=ops.where(ahead, zero + 1, zero), stuck=zero,
        done=ops.where(s.verdict < 2, zero, zero + 1), count=s.count,
    )  # fmt: skip
    return ops.while_loop(wide, narrower, z).low.t


def chosen(ops: Ops, condition: Array, x: State, y: State) -> State:
    """One of two points."""
    return State(t=ops.where(condition, x.t, y.t), loss=ops.where(condition, x.loss, y.loss), slope=ops.where(condition, x.slope, y.slope))
