"""L-BFGS: Newton's direction from the last few changes of parameters and gradient."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import optimizer
from lossopt.hyper import Count, NonNegative
from lossopt.ops import Array, Evaluate, Number, Ops, Update
from lossopt.optimizers.shared.line_search import strong_wolfe
from lossopt.vector import State


def lbfgs_start(ops: Ops, params: Array, *, history_size: int) -> State:
    none = State(s=ops.zeros_like(params), y=ops.zeros_like(params), rho=ops.number(0.0, params))
    return State(params=params, grads=ops.zeros_like(params), pairs=(none,) * history_size, scale=ops.number(1.0, params))


@optimizer(
    start=lbfgs_start,
    conventions={"torch": {}, "optax": {"history_size": 10, "min_curvature": None, "first_norm": 2}},
    asks_with={"value": "line_search", "evaluate": "line_search"},
    spellings={"memory_size": "history_size", "line_search_fn": "line_search"},
    elsewhere={
        "torch": "torch.optim.LBFGS; this is max_iter=1, max_eval=26 and zero tolerances: one direction for each update",
        "optax": "optax.lbfgs; this is linesearch=None, memory_size 10 by default; its own line search, zoom, is another than "
                 "strong_wolfe here: it tries other points, and both end where the strong Wolfe conditions hold",
    },
)  # fmt: skip
def lbfgs(ops: Ops, grads: Array, state: State, params: Array, step: Number, value: Number, evaluate: Evaluate, *,
          lr: NonNegative = 1.0, history_size: Count = 100, min_curvature: NonNegative | None = 1e-10, first_norm: Literal[1, 2] = 1,
          line_search: Literal["strong_wolfe"] | None = None) -> Update:  # fmt: skip
    """L-BFGS: the gradient times an inverse Hessian that the last pairs (s, y) imply.  For losses without noise.

    Formula, with s the last change of the parameters, y of the gradient, rho = 1 / <s, y>::

        q = grad
        for each pair, newest first:   a = rho * <s, q>;   q = q - a * y
        q = q * <s, y> / <y, y>                                (newest pair; at the first update: / max(norm(grad), 1))
        for each pair, oldest first:   q = q + (a - rho * <y, q>) * s
        update = -lr * q                                       (line_search=None)
        update = -t * q, searched from t = lr                  (line_search="strong_wolfe"), so that with d = -q
            loss(params + t d) <= loss + 1e-4 * t * <grad, d>   and   |<grad(params + t d), d>| <= 0.9 * |<grad, d>|

    Args:
        lr: the length of a step in units of the direction, at least 0; with a line search the first that is tried.
        history_size: how many pairs to keep, at least 1.  In JAX the loops are unrolled: 10 compiles fast, 100 does not.
        min_curvature: pairs whose <s, y> is not above this are dropped (torch); None keeps all (optax).
        first_norm: the norm that limits the first step: 1 (torch) or 2 (optax).
        line_search: ``"strong_wolfe"`` brackets and interpolates by cubics, as torch.optim.LBFGS does, with at most 26 evaluations;
            None takes lr as it is.

    A line search asks for the loss and its function: ``step(closure)`` in torch, ``update(..., value=loss, value_fn=f)`` in jax,
    ``update(..., value=loss, evaluate=f)`` in numpy.

    Shapes: any; inner products are over all parameters together.  State: ``params``, ``grads`` and the ``pairs`` (``s``, ``y``
    as the parameters, ``rho`` one number); ``scale``, one number.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: history_size is a schedule; with a line search, the update was not given the loss and its function.

    References:
        Dong C. Liu, Jorge Nocedal. On the limited memory BFGS method for large scale optimization. 1989.
        doi:10.1007/BF01589116

    Example:
        >>> import lossopt, numpy as np
        >>> lbfgs = lossopt.get_optimizer("lbfgs", backend="numpy", history_size=5)
        >>> scale, params = np.array([1.0, 10.0]), np.array([1.0, -2.0])
        >>> state = lbfgs.init(params)
        >>> for _ in range(12):
        ...     updates, state = lbfgs.update(scale * params, state, params)
        ...     params = params + updates
        >>> bool(np.abs(params).max() < 1e-6)
        True
    """
    s, y = params - state.params, grads - state.grads
    curvature, square, pairs = ops.dot(s, y), ops.dot(y, y), state.pairs
    keep = step > 1 if min_curvature is None else curvature > min_curvature

    def remember() -> tuple[tuple[State, ...], Number]:
        curved, changed = ops.abs(curvature) > 0, square > 0  # where not, nothing is learned, and nothing is divided by zero
        rho = ops.where(curved, 1 / ops.where(curved, curvature, 1.0), 0.0)
        scale = ops.where(changed, curvature / ops.where(changed, square, 1.0), 1.0)
        return (State(s=s, y=y, rho=rho), *pairs[:-1]), scale

    pairs, scale = ops.cond(keep, remember, lambda: (pairs, state.scale))
    length = ops.sum(ops.abs(grads)) if first_norm == 1 else ops.norm(grads)
    q, passed = grads, []
    for pair in pairs:
        a = pair.rho * ops.dot(pair.s, q)
        q = q - a * pair.y
        passed.append((pair, a))
    q = ops.where(step > 1, scale, 1 / ops.maximum(length, 1.0)) * q
    for pair, a in reversed(passed):
        q = q + (a - pair.rho * ops.dot(pair.y, q)) * pair.s
    state = state.replace(params=params, grads=grads, pairs=pairs, scale=scale)
    if line_search is None:
        return -lr * q, state

    def along(t: Number) -> tuple[Number, Number]:
        loss, slopes = evaluate(params - t * q)
        return loss, -ops.dot(slopes, q)

    zero = ops.number(0.0, params)
    return -strong_wolfe(ops, along, lr, value, -ops.dot(grads, q), ops.max(ops.abs(q)), zero) * q, state
