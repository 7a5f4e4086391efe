"""Weight decay as a link of a chain."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@transform(
    conventions={"torch": {"weight_decay": 0.0}, "optax": {"weight_decay": 0.0}},
    elsewhere={
        "torch": "torch.optim.SGD(weight_decay); and of Adam: before the rule",
        "optax": "optax.add_decayed_weights",
    },
)
def add_decayed_weights(ops: Ops, grad: Array, state: State, param: Array, *, weight_decay: NonNegative = 0.0) -> Update:
    """Add a multiple of the parameter to what passes through: an L2 penalty where it stands before an optimizer.

        g  <-  g + weight_decay * p

    Before an adaptive rule this is what PyTorch's Adam calls weight_decay; it is not AdamW, whose decay does not pass
    through the moments.  Leave biases and norms out with groups: ``groups={"*.bias": {"weight_decay": 0.0}}``.

    Args:
        weight_decay: the factor, in gradient per parameter; zero or more.

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> decay = get_optimizer("add_decayed_weights", backend="numpy", weight_decay=0.1)
        >>> params = np.array([2.0, -1.0])
        >>> decay.update(np.zeros(2), decay.init(params), params)[0]
        array([ 0.2, -0.1])
    """
    return grad + weight_decay * param, state
