"""ASGD: gradient descent whose average is the answer."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


def asgd_start(ops: Ops, param: Array) -> State:
    return State(eta=ops.number(0.0), mu=ops.number(1.0), ax=param)


def asgd_average(ops: Ops, state: State, param: Array) -> Array:
    """The average, which is what to evaluate."""
    return state.ax


@optimizer(
    start=asgd_start,
    eval_point=asgd_average,
    conventions={"torch": {}, "optax": {}},
    elsewhere={"torch": "torch.optim.ASGD; keeps eta and mu in the default dtype: 1e-8 apart for float64 parameters in float32"},
)
def asgd(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-2, lambd: NonNegative = 1e-4,
         alpha: NonNegative = 0.75, t0: NonNegative = 1e6, weight_decay: NonNegative = 0.0, maximize: bool = False) -> Update:  # fmt: skip
    """Averaged stochastic gradient descent: the steps shrink slowly, and from t0 on their points are averaged.

    Formula, at step t = 1, 2, ..., with eta = lr and mu = 1 at first::

        g = grad + weight_decay * param
        update = -eta * (g + lambd * param)
        ax = ax + mu * (param + update - ax)
        eta = lr / (1 + lambd * lr * t)**alpha          for the next step
        mu = 1 / max(1, t - t0)                         for the next step

    Args:
        lr: the first step size, at least 0.  A new value counts one step later, as in torch: eta has been computed by then.
        lambd: at least 0; decay of the parameter, and how fast steps shrink.
        alpha: at least 0; the power with which steps shrink.
        t0: at least 0; the step after which points are averaged; before, the average is the parameter.
        weight_decay: at least 0; L2 regularization.
        maximize: ascend.

    Evaluate, and save, at the average: ``eval_params(state, params)`` in JAX and NumPy, ``optimizer.eval()`` in torch.

    Shapes: any, elementwise.  State: ``ax`` as the parameter; ``eta`` and ``mu``, one number each.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        B. T. Polyak, A. B. Juditsky. Acceleration of Stochastic Approximation by Averaging. 1992. doi:10.1137/0330046

    Example:
        >>> import lossopt, numpy as np
        >>> asgd = lossopt.get_optimizer("asgd", backend="numpy", lr=0.5, lambd=0.0, t0=0)
        >>> params, state = np.array([4.0]), asgd.init(np.array([4.0]))
        >>> for _ in range(3):
        ...     updates, state = asgd.update(params, state, params)
        ...     params = params + updates
        >>> params, asgd.eval_params(state, params)
        (array([0.5]), array([0.75]))
    """
    if maximize:
        grad = -grad
    eta = ops.where(step > 1, state.eta, lr)
    update = -eta * (grad + (weight_decay + lambd) * param)
    ax = ops.lerp(state.ax, param + update, state.mu)
    return update, state.replace(ax=ax, eta=lr / (1 + lambd * lr * step) ** alpha, mu=1.0 / ops.maximum(step - t0, 1.0))
