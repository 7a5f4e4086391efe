"""An exponential moving average of the parameters."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import Fraction
from lossopt.ops import Array, Inner, Number, Ops, Update
from lossopt.vector import State


def start(ops: Ops, params: Array, *, debias: bool) -> State:
    """The parameters as they are, or zero where the average is debiased."""
    return State(average=ops.zeros_like(params) if debias else params)


def averaged(ops: Ops, state: State, params: Array, *, decay: Number, debias: bool) -> Array:
    """The average, where the model is evaluated."""
    if not debias:
        return state.average
    begun = ops.where(state.step == 0, 1.0, ops.bias_correction(decay, state.step))
    return ops.where(state.step == 0, params, state.average / begun)


@transform(
    start=start,
    eval_point=averaged,
    passes_on=True,
    conventions={"torch": {}, "optax": {"debias": True}},
    elsewhere={
        "torch": "torch.optim.swa_utils.AveragedModel; with get_ema_multi_avg_fn(decay)",
        "optax": "optax.ema; of the parameters, debias=True",
        "keras": "keras.optimizers.Optimizer(use_ema); ema_momentum is 0.99",
    },
)
def ema(ops: Ops, grads: Array, state: State, params: Array, step: Number, inner: Inner, *, decay: Fraction = 0.999,
        debias: bool = False) -> Update:  # fmt: skip
    """Keep a moving average of the parameters beside the training, and evaluate the model there.

        a_1 = p_1;   a_t = a_{t-1} + (1 - decay) * (p_t - a_{t-1})                                  PyTorch
        a_0 = 0;     a_t = a_{t-1} + (1 - decay) * (p_t - a_{t-1}),   a_t / (1 - decay^t)           debiased, optax

    p_t are the parameters after update t.  The training itself does not change.  The average is the eval point:
    ``optimizer.eval_params(state, params)`` in JAX and NumPy, ``optimizer.eval()`` in PyTorch.

    Args:
        inner: the rule that trains.
        decay: how much of the old average stays, in [0, 1).
        debias: begin from zero and divide by 1 - decay^t, rather than from the first parameters.

    Paper:
        Polyak, Juditsky: Acceleration of stochastic approximation by averaging, SIAM J. Control Optim. 30, 1992

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import ema
        >>> optimizer = get_optimizer(ema(sgd(lr=1.0), decay=0.5), backend="numpy")
        >>> params, state = np.zeros(1), optimizer.init(np.zeros(1))
        >>> for _ in range(2):
        ...     updates, state = optimizer.update(-np.ones(1), state, params)
        ...     params = params + updates
        >>> params, optimizer.eval_params(state, params)
        (array([2.]), array([1.5]))
    """
    delta, own = inner(grads, state.inner, params)
    weight = 1 - decay if debias else ops.where(step == 1, 1.0, 1 - decay)
    return delta, state.replace(average=ops.lerp(state.average, params + delta, weight), inner=own)
