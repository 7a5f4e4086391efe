"""Schedule-free AdamW: averaging instead of a schedule."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Fraction, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.optimizers.shared.interpolation import Inside, average_of, moved
from lossopt.vector import State


def schedule_free_start(ops: Ops, param: Array) -> State:
    return State(z=param, exp_avg_sq=ops.zeros_like(param), weight_sum=ops.number(0.0), lr_max=ops.number(0.0))


def schedule_free_average(ops: Ops, state: State, param: Array, *, betas: tuple[float, float]) -> Array:
    """x, from y (the parameters in training) and z."""
    return average_of(ops, state, param, betas[0])


@optimizer(
    start=schedule_free_start,
    eval_point=schedule_free_average,
    conventions={"torch": {}, "optax": {}, "keras": {"weight_lr_power": 0.0, "decay_first": True}},
    elsewhere={
        "torch": "schedulefree.AdamWScheduleFree; its warmup_steps is a schedule of lr here, its r is 0",
        "optax": "optax.contrib.schedule_free_adamw; its warmup_steps is a schedule of lr here",
        "keras": "keras.optimizers.ScheduleFreeAdamW; all steps count alike; decays y before the step; its "
                 "warmup_steps is a schedule of lr here",
    },
)
def schedule_free_adamw(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 2.5e-3,
                        betas: tuple[Inside, Fraction] = (0.9, 0.999), eps: NonNegative = 1e-8, weight_decay: NonNegative = 0.0,
                        weight_lr_power: NonNegative = 2.0, decay_first: bool = False) -> Update:  # fmt: skip
    """Schedule-free AdamW: gradients are taken between a fast sequence z and its average x, which is what to evaluate.

    Formula, with y the parameters in training, v and c2 as in adam::

        u = grad(y) / (sqrt(v / c2) + eps) + weight_decay * y
        z = z - lr * u
        c = w / (sum of all w so far),  w = (largest lr so far)**weight_lr_power
        x = (1 - c) * x + c * z
        y = (1 - betas[0]) * z + betas[0] * x

    x is not stored: x = z + (y - z) / betas[0], and the step of y comes out as
    ``c * (z - y) - lr * (1 - betas[0] * (1 - c)) * u`` with the z and y before it.

    Args:
        lr: the learning rate, at least 0; constant, or a warm-up and then constant.
        betas: the first, in (0, 1), is y's place between z and x; the second, in [0, 1), the decay rate of v.
        eps: at least 0; bounds the step where gradients are tiny.
        weight_decay: at least 0; decoupled, of y.
        decay_first: take ``lr * weight_decay * y`` from y, and then the step of what is left (keras).
        weight_lr_power: at least 0; how little the steps of a warm-up count in the average.

    Evaluate, and save, at the average: ``eval_params(state, params)`` in JAX and NumPy, ``optimizer.eval()`` in torch.

    Shapes: any, elementwise.  State: ``z`` and ``exp_avg_sq`` as the parameter; ``weight_sum`` and ``lr_max``, one number each.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Aaron Defazio, Xingyu Alice Yang, Harsh Mehta, Konstantin Mishchenko, Ahmed Khaled, Ashok Cutkosky. The Road Less
        Scheduled. 2024. arXiv:2405.15682

    Example:
        >>> import lossopt, numpy as np
        >>> schedule_free = lossopt.get_optimizer("schedule_free_adamw", backend="numpy", lr=0.1)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = schedule_free.update(params, schedule_free.init(params), params)
        >>> updates.round(6)
        array([-0.1,  0.1])
        >>> schedule_free.eval_params(state, params + updates).round(6)
        array([ 0.9, -1.9])
    """
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grad * grad, 1 - betas[1])
    direction = grad / (ops.sqrt(exp_avg_sq / ops.bias_correction(betas[1], step)) + eps)
    state = state.replace(exp_avg_sq=exp_avg_sq)
    if not decay_first:
        direction = direction + weight_decay * param
        return moved(ops, state, param, -lr * direction, lr=lr, beta=betas[0], power=weight_lr_power)
    decay = lr * weight_decay * param
    update, state = moved(ops, state, param - decay, -lr * direction, lr=lr, beta=betas[0], power=weight_lr_power)
    return update - decay, state
