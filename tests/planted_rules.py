"""Rules that branch where they must not, and ones that only look as if they did.  Each line that is wrong says why."""

from __future__ import annotations

import math

from lossopt.definition import Optimizer, optimizer
from lossopt.hyper import Count
from lossopt.vector import State


def helper(ops, x, scale):
    if x > scale:  # BAD: branches on a number
        return x
    return scale


def on_switch(ops, x, mode):
    return ops.sqrt(x) if mode == "root" else x


@optimizer(slots=("trace",))
def planted_bad_rule(ops, grad, state, param, step, value, *, lr=0.1, momentum=0.9, every: Count = 2, floor: float | None = None):
    if lr > 0:  # BAD: branches on a number
        grad = -grad
    while step < 10:  # BAD: loops on a number
        step = step + 1
    update = grad if momentum else -grad  # BAD: branches on a number
    bound = max(lr, 1e-3)  # BAD: needs a number that is known
    root = math.sqrt(lr)  # BAD: computes outside ops
    assert value > 0  # BAD: asserts on a number
    both = (lr > 0) and (momentum > 0)  # BAD: takes the truth of a number
    opposite = not lr  # BAD: takes the truth of a number
    inside = 0 < lr < 1  # BAD: is a chain of comparisons
    if every == 2:  # BAD: branches on a number
        update = update * 2
    derived = grad * 2
    total = [x for x in (derived, grad) if x]  # BAD: filters on a number
    if floor is not None and derived > floor:  # BAD: branches on a number
        update = floor
    whole = int(step)  # BAD: needs a number that is known
    update = ops.where(inside, helper(ops, update, lr), root)
    for _ in range(step):  # BAD: loops over a number
        update = update * bound
    for pair, flag in zip((grad, param), (True, False)):  # noqa: B905
        if flag:
            update = update + pair
        if pair:  # BAD: branches on a number
            update = update - pair

    def inner(x):
        return x if x > 0 else -x  # BAD: branches on a number

    match step:  # BAD: branches on a number
        case 1:
            update = inner(update)
    return update * (both + opposite + whole + len(total)), state


def planted_start(ops, param, *, history, factored):
    if history and len(param.shape) > 1 and factored:
        return State(trace=ops.zeros_like(param), wide=ops.zeros_like(param))
    return State(trace=ops.zeros_like(param))


@optimizer(start=planted_start)
def planted_good_rule(ops, grad, state, param, step, *, lr=0.1, history: Count = 2, factored: bool = True, mode: str = "root",
                      floor: float | None = None, steps: Count = 3):  # fmt: skip
    rows = param.shape[0] if param.shape else 1
    if "wide" in state and factored:
        grad = grad * 2
    if floor is not None:
        grad = ops.maximum(grad, floor)
    if rows > 2 and history > 1:
        grad = grad / math.sqrt(max(1, rows))
    for _ in range(steps):
        grad = on_switch(ops, grad, mode)
    for x, flag in zip((grad, param), (factored, not factored), strict=True):
        grad = grad + x if flag else grad
    small = ops.where((step > 1) & (step < 10), lr, lr / 2)
    return ops.cond(step > 3, lambda: -small * grad, lambda: grad), state


assert isinstance(planted_good_rule, Optimizer)
