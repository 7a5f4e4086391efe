"""Cautious updates: only where update and gradient agree."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import Positive
from lossopt.ops import Array, Inner, Number, Ops, Update
from lossopt.vector import State


def keep_agreeing(ops: Ops, delta: Array, grad: Array, floor: Number) -> Array:
    """The elements of one parameter's update that go downhill, scaled up for those that are left out."""
    agree = ops.cast(delta * grad < 0, delta.dtype)
    return delta * agree / ops.maximum(ops.mean(agree), floor)


@transform(
    conventions={"torch": {}, "optax": {}},
    elsewhere={"torch": "c_adamw.AdamW; of github.com/kyleliang919/C-Optim, which leaves the weight decay unmasked"},
)
def cautious(ops: Ops, grads: Array, state: State, params: Array, inner: Inner, *, floor: Positive = 1e-3) -> Update:
    """Leave out the elements of an update that point against the gradient at hand.

        m = 1 where update * g < 0, else 0
        update <- update * m / max(mean(m), floor)              the mean over one parameter

    The whole update is masked, a decoupled weight decay in it too; the authors' code leaves the decay unmasked.

    Args:
        inner: the rule whose update is masked.
        floor: the smallest mean that is divided by; positive.

    Paper:
        Liang, Chen, Liu, Liu: Cautious Optimizers: Improving Training with One Line of Code, 2024, arXiv:2411.16085

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import cautious
        >>> optimizer = get_optimizer(cautious(sgd(lr=1.0, momentum=0.9)), backend="numpy")
        >>> params = np.zeros(2)
        >>> _, state = optimizer.update(np.array([1.0, 1.0]), optimizer.init(params), params)
        >>> optimizer.update(np.array([1.0, -0.5]), state, params)[0]
        array([-3.8, -0. ])
    """
    delta, own = inner(grads, state.inner, params)
    return ops.each(keep_agreeing, delta, grads, floor), state.replace(inner=own)
