"""Sophia: momentum over the diagonal of the Hessian, each coordinate clipped."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, Count, NonNegative, Positive
from lossopt.ops import Array, Hessian, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "hessian_diagonal"),
    conventions={
        "torch": {},
        "optax": {"betas": (0.965, 0.99), "eps": 1e-8, "weight_decay": 1e-4, "bias_corrected": True, "delayed": True},
    },
    spellings={"update_period": "update_interval", "rho": "clip_threshold"},
    elsewhere={
        "torch": "sophia.SophiaG; of github.com/Liuhong99/Sophia, whose Hessian is Gauss-Newton's and is used from the next update on",
        "optax": "optax.contrib.sophia; estimates the Hessian itself by Hutchinson's method from obj_fn, which here is "
                 "hessian=lambda step: lossopt_jax.curvature.hutchinson(obj_fn, params, step=step), with other random signs",
    },
)  # fmt: skip
def sophia(ops: Ops, grads: Array, state: State, params: Array, step: Number, hessian: Hessian, *, lr: NonNegative = 1e-4,
           betas: Betas = (0.96, 0.99), eps: NonNegative = 1e-12, weight_decay: NonNegative = 0.2, gamma: NonNegative = 0.01,
           clip_threshold: Positive | None = 1.0, update_interval: Count = 10, bias_corrected: bool = False, delayed: bool = False,
           maximize: bool = False) -> Update:  # fmt: skip
    """Sophia: a mean gradient over a mean of the Hessian's diagonal, no coordinate of which moves far.

    Formula::

        m = betas[0] * m + (1 - betas[0]) * grad
        h = betas[1] * h + (1 - betas[1]) * hessian          (at updates 1, 1 + update_interval, ...)
        update = -lr * (clip(m / max(gamma * h, eps), -clip_threshold, clip_threshold) + weight_decay * param)

    Args:
        lr: the learning rate, at least 0: with clip_threshold 1 the largest change of a coordinate in one step, but for the decay.
        betas: decay rates of m and h, each in [0, 1).
        eps: at least 0; where gamma * h is below it, negative curvature too, the step is that of a sign.
        weight_decay: at least 0; decoupled.
        gamma: at least 0; the larger, the fewer coordinates are clipped.
        clip_threshold: how far a coordinate moves, in units of lr; positive, or None for as far as it comes.
        update_interval: how many updates from one estimate of the Hessian to the next, at least 1.
        bias_corrected: divide m by ``1 - betas[0]**t`` (optax).
        delayed: use a new h from the next update on (optax, the authors' code), rather than at once (the paper).
        maximize: ascend; the Hessian is that of the loss negated.

    Asks for the diagonal of the Hessian at the parameters, or an estimate: ``update(grads, state, params, hessian=tree)``, in torch
    ``step(hessian=[...])``, one array for each parameter; or a function of the step that gives it, which is called at the updates
    that need it only.  ``hutchinson`` in ``lossopt_numpy.curvature``, ``lossopt_jax.curvature`` and ``lossopt_torch.curvature``
    estimates it from a loss; a recipe does so by itself.

    Shapes: any, elementwise.  State: ``exp_avg`` and ``hessian_diagonal``, as the parameter.

    Raises:
        ArgumentError: the update was not given the Hessian.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Hong Liu, Zhiyuan Li, David Hall, Percy Liang, Tengyu Ma. Sophia: A Scalable Stochastic Second-order Optimizer for Language
        Model Pre-training. 2023. arXiv:2305.14342

    Example:
        >>> import lossopt, numpy as np
        >>> sophia = lossopt.get_optimizer("sophia", backend="numpy", lr=0.1, weight_decay=0.0, betas=(0.0, 0.0), gamma=2.0)
        >>> params, curvature = np.array([1.0, -2.0]), np.array([1.0, 0.1])
        >>> updates, state = sophia.update(curvature * params, sophia.init(params), params, hessian=curvature)
        >>> updates
        array([-0.05,  0.1 ])
    """
    sign = -1.0 if maximize else 1.0
    exp_avg = ops.lerp(state.exp_avg, sign * grads, 1 - betas[0])
    due = (step - 1) % update_interval < 1
    diagonal = ops.cond(due, lambda: ops.lerp(state.hessian_diagonal, sign * hessian(step), 1 - betas[1]), lambda: state.hessian_diagonal)
    known = state.hessian_diagonal if delayed else diagonal
    mean = exp_avg / ops.bias_correction(betas[0], step) if bias_corrected else exp_avg
    direction = mean / ops.maximum(gamma * known, eps)
    if clip_threshold is not None:
        direction = ops.minimum(ops.maximum(direction, -clip_threshold), clip_threshold)
    return -lr * (direction + weight_decay * params), state.replace(exp_avg=exp_avg, hessian_diagonal=diagonal)
