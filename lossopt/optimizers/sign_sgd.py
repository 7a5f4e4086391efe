"""signSGD and Signum: every coordinate moves by lr."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Fraction, NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg if momentum",),
    conventions={"torch": {}, "optax": {}},
    spellings={"beta": "momentum"},
    elsewhere={"optax": "optax.sign_sgd; no default lr, momentum is optax.signum's"},
)
def sign_sgd(ops: Ops, grad: Array, state: State, param: Array, *, lr: NonNegative = 1e-3, momentum: Fraction = 0.0) -> Update:
    """signSGD: the sign of the gradient, or of its moving average, times lr.

    Formula::

        m = momentum * m + (1 - momentum) * grad          (m = grad without momentum)
        update = -lr * sign(m)

    Args:
        lr: the learning rate, at least 0: how far each coordinate moves.
        momentum: decay rate of the moving average, in [0, 1); 0 keeps none.

    Shapes: any, elementwise.  State: ``exp_avg`` where there is momentum, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Jeremy Bernstein, Yu-Xiang Wang, Kamyar Azizzadenesheli, Anima Anandkumar. signSGD: Compressed Optimisation for
        Non-Convex Problems. 2018. arXiv:1802.04434

    Example:
        >>> import lossopt, numpy as np
        >>> sign_sgd = lossopt.get_optimizer("sign_sgd", backend="numpy", lr=0.01)
        >>> params = np.array([1.0, -20.0])
        >>> sign_sgd.update(params, sign_sgd.init(params), params)[0]
        array([-0.01,  0.01])
    """
    average = grad
    if "exp_avg" in state:
        average = ops.lerp(state.exp_avg, grad, 1 - momentum)
        state = state.replace(exp_avg=average)
    return -lr * ops.sign(average), state


signum = sign_sgd.variant(
    "signum",
    momentum=0.9,
    conventions={"torch": {}, "optax": {}},
    elsewhere={"optax": "optax.signum; no default lr, beta is momentum"},
    doc="""Signum: signSGD of the moving average of the gradient.

Formula::

    m = momentum * m + (1 - momentum) * grad
    update = -lr * sign(m)

Args:
    lr: the learning rate, at least 0: how far each coordinate moves.
    momentum: decay rate of the moving average, in [0, 1).

The formula, the state and the paper are those of `sign_sgd`, whose momentum is 0.

Example:
    >>> import lossopt, numpy as np
    >>> signum = lossopt.get_optimizer("signum", backend="numpy", lr=0.01, momentum=0.75)
    >>> params = np.array([1.0, -20.0])
    >>> updates, state = signum.update(params, signum.init(params), params)
    >>> signum.update(-params, state, params)[0]
    array([ 0.01, -0.01])
""",
)
