"""Stochastic weight averaging: the plain mean of the parameters."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import Count, NaturalNumber
from lossopt.ops import Array, Inner, Number, Ops, Update
from lossopt.vector import State


def start(ops: Ops, params: Array) -> State:
    """Nothing is averaged yet."""
    return State(average=params, averaged=ops.number(0.0, params))


def mean_so_far(ops: Ops, state: State, params: Array) -> Array:
    """The mean, where the model is evaluated; before the first one the parameters."""
    return ops.where(state.averaged > 0, state.average, params)


@transform(
    start=start,
    eval_point=mean_so_far,
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "torch": "torch.optim.swa_utils.AveragedModel; update_parameters() every swa_freq steps",
        "also": "stochastic_weight_averaging",
    },
)
def swa(ops: Ops, grads: Array, state: State, params: Array, step: Number, inner: Inner, *, first: NaturalNumber = 0,
        every: Count = 1) -> Update:  # fmt: skip
    """Keep the plain mean of the parameters beside the training, and evaluate the model there.

        at the updates first + 1, first + 1 + every, first + 1 + 2 * every, ...:
            n <- n + 1;   a <- a + (p - a) / n

    p are the parameters after the update.  The training itself does not change; `swa_lr` is the schedule that goes with it.
    The mean is the eval point: ``optimizer.eval_params(state, params)`` in JAX and NumPy, ``optimizer.eval()`` in PyTorch.
    Batch norms hold statistics of other parameters: run `torch.optim.swa_utils.update_bn` after moving there.

    Args:
        inner: the rule that trains.
        first: how many updates pass before the first one that counts; a whole number.
        every: count one update in so many; a whole number, at least 1.

    Paper:
        Izmailov, Podoprikhin, Garipov, Vetrov, Wilson: Averaging Weights Leads to Wider Optima and Better Generalization,
        2018, arXiv:1803.05407

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import swa
        >>> optimizer = get_optimizer(swa(sgd(lr=1.0), first=1), backend="numpy")
        >>> params, state = np.zeros(1), optimizer.init(np.zeros(1))
        >>> for _ in range(3):
        ...     updates, state = optimizer.update(-np.ones(1), state, params)
        ...     params = params + updates
        >>> params, optimizer.eval_params(state, params)
        (array([3.]), array([2.5]))
    """
    delta, own = inner(grads, state.inner, params)
    counts = (step > first) & ((step - 1 - first) % every == 0)
    averaged = ops.where(counts, state.averaged + 1, state.averaged)
    weight = ops.where(counts, 1 / ops.maximum(averaged, 1.0), 0.0)
    return delta, state.replace(average=ops.lerp(state.average, params + delta, weight), averaged=averaged, inner=own)
