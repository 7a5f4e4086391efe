"""Schedule-free SGD: averaging instead of a schedule."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.optimizers.shared.interpolation import Inside, average_of, moved
from lossopt.vector import State


def schedule_free_start(ops: Ops, param: Array) -> State:
    return State(z=param, weight_sum=ops.number(0.0), lr_max=ops.number(0.0))


def schedule_free_average(ops: Ops, state: State, param: Array, *, momentum: Number) -> Array:
    """x, from y (the parameters in training) and z."""
    return average_of(ops, state, param, momentum)


@optimizer(
    start=schedule_free_start,
    eval_point=schedule_free_average,
    conventions={"torch": {}, "optax": {}},
    spellings={"b1": "momentum"},
    elsewhere={
        "torch": "schedulefree.SGDScheduleFree; its warmup_steps is a schedule of lr here, its r is 0",
        "optax": "optax.contrib.schedule_free_sgd; its warmup_steps is a schedule of lr here, which its weights there read one step ahead; "
                 "momentum is b1",
    },
)  # fmt: skip
def schedule_free_sgd(ops: Ops, grad: Array, state: State, param: Array, *, lr: NonNegative = 1.0, momentum: Inside = 0.9,
                      weight_decay: NonNegative = 0.0, weight_lr_power: NonNegative = 2.0) -> Update:  # fmt: skip
    """Schedule-free SGD: gradients are taken between a fast sequence z and its average x, which is what to evaluate.

    Formula, with y the parameters in training::

        u = grad(y) + weight_decay * y
        z = z - lr * u
        c = w / (sum of all w so far),  w = (largest lr so far)**weight_lr_power
        x = (1 - c) * x + c * z
        y = (1 - momentum) * z + momentum * x

    x is not stored: x = z + (y - z) / momentum.

    Args:
        lr: the learning rate, at least 0; constant, or a warm-up and then constant.
        momentum: y's place between z and x, in (0, 1).
        weight_decay: at least 0; of y.
        weight_lr_power: at least 0; how little the steps of a warm-up count in the average.

    Evaluate, and save, at the average: ``eval_params(state, params)`` in JAX and NumPy, ``optimizer.eval()`` in torch.

    Shapes: any, elementwise.  State: ``z`` as the parameter; ``weight_sum`` and ``lr_max``, one number each.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Aaron Defazio, Xingyu Alice Yang, Harsh Mehta, Konstantin Mishchenko, Ahmed Khaled, Ashok Cutkosky. The Road Less
        Scheduled. 2024. arXiv:2405.15682

    Example:
        >>> import lossopt, numpy as np
        >>> schedule_free = lossopt.get_optimizer("schedule_free_sgd", backend="numpy", lr=0.1)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = schedule_free.update(params, schedule_free.init(params), params)
        >>> updates
        array([-0.1,  0.2])
        >>> updates, state = schedule_free.update(params, state, params + updates)
        >>> updates.round(6)
        array([-0.055,  0.11 ])
    """
    direction = grad + weight_decay * param
    return moved(ops, state, param, -lr * direction, lr=lr, beta=momentum, power=weight_lr_power)
