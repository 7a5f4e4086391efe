"""Schedule-free averaging around any rule."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import NonNegative
from lossopt.ops import Array, Inner, Number, Ops, Update
from lossopt.optimizers.shared.interpolation import Inside, average_of, moved
from lossopt.vector import State


def zero(ops: Ops, param: Array) -> Number:
    """A number of one parameter: groups may differ in lr."""
    return ops.number(0.0)


def start(ops: Ops, params: Array) -> State:
    """The fast sequence begins at the parameters."""
    return State(z=params, weight_sum=ops.each(zero, params), lr_max=ops.each(zero, params))


def averaged(ops: Ops, state: State, params: Array, *, beta: Number) -> Array:
    """x, from y (the parameters in training) and z."""
    return average_of(ops, state, params, beta)


@transform(
    start=start,
    eval_point=averaged,
    conventions={"torch": {}, "optax": {}},
    spellings={"b1": "beta", "momentum": "beta"},
    elsewhere={
        "torch": "schedulefree.ScheduleFreeWrapper; beta is momentum, its weight_decay_at_y is the wrapped rule's weight_decay here",
        "optax": "optax.contrib.schedule_free; beta is b1; where learning_rate is a schedule its weights read it one step ahead",
    },
)
def schedule_free(ops: Ops, grads: Array, state: State, params: Array, inner: Inner, *, lr: NonNegative = 1.0, beta: Inside = 0.9,
                  weight_lr_power: NonNegative = 2.0) -> Update:  # fmt: skip
    """Let the wrapped rule move a fast sequence z, take gradients between z and its average x, and evaluate at x.

        z <- z + rule(g(y))                                       y: the parameters in training, which the rule sees
        x <- (1 - c) x + c z        c = w / (sum of all w so far),  w = (largest lr so far)^weight_lr_power
        y <- (1 - beta) z + beta x

    The averaging takes the place of the rule's momentum and of a decaying schedule: wrap a rule without momentum
    (``sgd()``, ``adamw(betas=(0.0, 0.999))``) whose rate is constant, or warms up and then is.  schedule_free_sgd and
    schedule_free_adamw are the same, on one page each.

    Args:
        inner: the rule that moves z.
        lr: the wrapped rule's rate, at least 0, where it warms up: give the schedule to both.  Any constant gives the
            same average.
        beta: y's place between z and x, in (0, 1).
        weight_lr_power: at least 0; how little the steps of a warm-up count in the average.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    Paper:
        Defazio, Yang, Mehta, Mishchenko, Khaled, Cutkosky: The Road Less Scheduled, 2024, arXiv:2405.15682

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import schedule_free
        >>> optimizer = get_optimizer(schedule_free(sgd(lr=1.0), beta=0.5), backend="numpy")
        >>> params, state = np.zeros(1), optimizer.init(np.zeros(1))
        >>> for _ in range(2):
        ...     updates, state = optimizer.update(-np.ones(1), state, params)
        ...     params = params + updates
        >>> params, optimizer.eval_params(state, params)
        (array([1.75]), array([1.5]))
    """
    change, own = inner(grads, state.inner, params)
    return moved(ops, state.replace(inner=own), params, change, lr=lr, beta=beta, power=weight_lr_power)
