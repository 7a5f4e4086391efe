"""Ascent instead of descent."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.ops import Array, Inner, Ops, Update
from lossopt.vector import State


@transform(
    passes_on=True,
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "torch": "torch.optim.Optimizer(maximize=True); an argument of every class",
        "optax": "optax.scale(-1); in a chain before the optimizer",
    },
)
def maximize(ops: Ops, grads: Array, state: State, params: Array, inner: Inner) -> Update:
    """Let the wrapped rule climb: it sees the gradient with its sign turned.

        update = rule(-g)

    The sign is turned before the rule, so that its weight decay still shrinks the weights.  A rule that reads the loss
    itself (a line search, Polyak's step) sees the loss as it is, and does not go with this wrapper.

    Args:
        inner: the rule that should climb.

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import maximize
        >>> climb = get_optimizer(maximize(sgd(lr=0.1)), backend="numpy")
        >>> params = np.zeros(2)
        >>> climb.update(np.array([1.0, -2.0]), climb.init(params), params)[0]
        array([ 0.1, -0.2])
    """
    delta, own = inner(-grads, state.inner, params)
    return delta, state.replace(inner=own)
