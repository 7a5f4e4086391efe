"""Rprop: a step size for every coordinate, and only the sign of its gradient."""

from __future__ import annotations

from typing import Annotated

from lossopt.definition import optimizer
from lossopt.hyper import NonNegative, Range
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State

Shrink = Annotated[float, Range(0, 1, open_low=True, open_high=True)]
Grow = Annotated[float, Range(low=1, open_low=True)]


@optimizer(
    slots=("prev", "step_size"),
    conventions={"torch": {}, "optax": {"bound_always": False}},
    spellings={"eta_minus": "etas[0]", "eta_plus": "etas[1]", "min_step_size": "step_sizes[0]", "max_step_size": "step_sizes[1]"},
    elsewhere={
        "torch": "torch.optim.Rprop",
        "optax": "optax.rprop; bounds a step size only where it changes it; optax 0.2.8 also gives the update of the step before, "
                 "which is not copied (https://github.com/google-deepmind/optax/pull/1725)",
    },
)  # fmt: skip
def rprop(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-2,
          etas: tuple[Shrink, Grow] = (0.5, 1.2), step_sizes: tuple[NonNegative, NonNegative] = (1e-6, 50.0),
          bound_always: bool = True, maximize: bool = False) -> Update:  # fmt: skip
    """Rprop: coordinates that keep their sign speed up, those that change it slow down and wait a step.  For full batches.

    Formula, with s = lr and prev = 0 at first::

        s = clip(etas[1] * s, step_sizes)            where grad * prev > 0
        s = clip(etas[0] * s, step_sizes); grad = 0  where grad * prev < 0
        update = -s * sign(grad)
        prev = grad

    Args:
        lr: the first step size, at least 0; what it becomes later is not read.
        etas: what a step size is multiplied with: in (0, 1) where the sign changed, above 1 where it stayed.
        step_sizes: the least and the largest step size, at least 0.
        bound_always: bound every step size at every step (torch), so that one that was larger at first shrinks at once, rather
            than only those that change (optax).
        maximize: ascend.

    Shapes: any, elementwise.  State: ``prev`` and ``step_size``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Martin Riedmiller, Heinrich Braun. A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm.
        1993. doi:10.1109/ICNN.1993.298623
        Christian Igel, Michael Huesken. Empirical Evaluation of the Improved Rprop Learning Algorithms. 2003.
        doi:10.1016/S0925-2312(01)00700-7

    Example:
        >>> import lossopt, numpy as np
        >>> rprop = lossopt.get_optimizer("rprop", backend="numpy", lr=0.1)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = rprop.update(params, rprop.init(params), params)
        >>> updates
        array([-0.1,  0.1])
        >>> rprop.update(np.array([1.0, 2.0]), state, params)[0].round(6)
        array([-0.12, -0.  ])
    """
    if maximize:
        grad = -grad
    agreement = grad * state.prev
    before = ops.where(step > 1, state.step_size, ops.full_like(param, lr))
    size = ops.where(agreement > 0, etas[1] * before, ops.where(agreement < 0, etas[0] * before, before))
    bounded = ops.minimum(ops.maximum(size, step_sizes[0]), step_sizes[1])
    size = bounded if bound_always else ops.where((agreement > 0) | (agreement < 0), bounded, before)
    grad = ops.where(agreement < 0, 0.0, grad)
    return -size * ops.sign(grad), state.replace(prev=grad, step_size=size)
