"""Chain: several rules, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from lossopt.definition import transform
from lossopt.ops import Array, Inner, Ops, Update
from lossopt.vector import State


@transform(passes_on=True, conventions={"torch": {}, "optax": {}}, elsewhere={"optax": "optax.chain, optax.named_chain"})
def chain(ops: Ops, grads: Array, state: State, params: Array, inners: Sequence[Inner]) -> Update:
    """Several rules, one after the other: each receives what the one before it returned.

        u_0 = g;   u_j = rule_j(u_{j-1})          the update is u_n

    Gradient transforms stand first, an optimizer last: the last rule's output is added to the parameters.  The order
    matters: ``chain(clip_by_global_norm(), add_decayed_weights(), sgd())`` clips the raw gradient as PyTorch users do;
    with the first two exchanged the decay is clipped too.

    Args:
        *inner: one spec or more, in order.

    Raises:
        ArgumentError: nothing was given to chain, or something that is no spec.

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import chain, clip_by_value
        >>> optimizer = get_optimizer(chain(clip_by_value(max_value=1.0), sgd(lr=0.5)), backend="numpy")
        >>> params = np.zeros(2)
        >>> optimizer.update(np.array([3.0, -0.5]), optimizer.init(params), params)[0]
        array([-0.5 ,  0.25])
    """
    states = []
    for inner, own in zip(inners, state.inners, strict=True):
        grads, new = inner(grads, own, params)
        states.append(new)
    return grads, state.replace(inners=tuple(states))
