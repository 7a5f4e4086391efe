"""GaLore: Adam in a subspace of few dimensions, in which the gradient of a matrix mostly lies."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import optimizer
from lossopt.hyper import Betas, Count, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.optimizers.shared.kronecker import multiply
from lossopt.vector import State


def projected_axis(shape: tuple[int, ...], project: str) -> int | None:
    """The axis of a matrix that is projected; None of what is no matrix."""
    if len(shape) != 2:
        return None
    shorter = 1 if shape[0] >= shape[1] else 0
    return shorter if project == "shorter" else 1 - shorter


def galore_start(ops: Ops, param: Array, *, rank: int, project: str) -> State:
    axis = projected_axis(tuple(param.shape), project)
    if axis is None:
        return State(exp_avg=ops.zeros_like(param), exp_avg_sq=ops.zeros_like(param))
    kept = range(min(rank, *param.shape))
    small = ops.zeros_like(ops.select(param, kept, axis))
    projector = ops.select(ops.eye(param, param.shape[axis]), kept, 1)
    return State(exp_avg=small, exp_avg_sq=ops.zeros_like(small), projector=projector)


def leading(ops: Ops, grad: Array, axis: int, kept: range) -> Array:
    """The first singular vectors of a matrix along an axis, as columns."""
    return ops.select(ops.svd(grad if axis == 0 else ops.transpose(grad))[0], kept, 1)


@optimizer(
    start=galore_start,
    conventions={
        "torch": {},
        "optax": {"scale": 1.0, "eps": 1e-8, "eps_hat": False, "project": "longer"},
    },
    elsewhere={
        "torch": "galore_torch.GaLoreAdamW; of github.com/jiaweizzhao/GaLore, projection type std; its weight decay is of the parameter "
                 "after the step",
        "optax": "optax.contrib.galore; projects the longer side, finds the subspace in float32 whatever the gradient is, and leaves the "
                 "signs of singular vectors to LAPACK; its base_optimizer is Adam here, its weight_dimension_numbers are not expressed",
    },
)  # fmt: skip
def galore(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3, rank: Count = 128,
           update_proj_gap: Count = 200, scale: NonNegative = 0.25, betas: Betas = (0.9, 0.999), eps: NonNegative = 1e-6,
           weight_decay: NonNegative = 0.0, eps_hat: bool = True, project: Literal["shorter", "longer"] = "shorter",
           maximize: bool = False) -> Update:  # fmt: skip
    """GaLore: for a matrix, Adam on the gradient's components along its leading singular vectors.

    Formula, of a gradient with at least as many rows as columns (for others, of its transpose)::

        P = the first rank columns of V, grad = U S V^T       (every update_proj_gap updates, the first among them)
        g = grad P
        m = betas[0] * m + (1 - betas[0]) * g                 c1 = 1 - betas[0]**t
        v = betas[1] * v + (1 - betas[1]) * g**2              c2 = 1 - betas[1]**t
        update = -lr * (scale * (m / c1) / (sqrt(v / c2) + eps) P^T + weight_decay * param)

    What is no matrix is updated by Adam, scale 1.  A new P leaves m and v as they are, in coordinates of the old one; therefore
    the signs of singular vectors count, and are fixed here: the entry of each farthest from 0 is positive.

    Args:
        lr: the learning rate, at least 0.
        rank: of the subspace, at least 1; no more than the matrix has.
        update_proj_gap: how many updates from one subspace to the next, at least 1.
        scale: a factor on the step of matrices, at least 0.
        betas: decay rates of m and v, each in [0, 1).
        eps: at least 0; bounds the step where gradients are tiny.
        weight_decay: at least 0; decoupled.
        eps_hat: add eps to ``sqrt(v)`` rather than to ``sqrt(v / c2)``.
        project: which side of a matrix is projected: the ``"shorter"`` one (the paper), whose vectors take less memory, or
            the ``"longer"`` one (optax), whose moments do.
        maximize: ascend.

    Shapes: any; matrices are projected.  State: ``exp_avg`` and ``exp_avg_sq``, as the parameter with the projected side of
    length rank, and ``projector``.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: rank or project is a schedule.

    References:
        Jiawei Zhao, Zhenyu Zhang, Beidi Chen, Zhangyang Wang, Anima Anandkumar, Yuandong Tian. GaLore: Memory-Efficient LLM
        Training by Gradient Low-Rank Projection. 2024. arXiv:2403.03507

    Example:
        >>> import lossopt, numpy as np
        >>> galore = lossopt.get_optimizer("galore", backend="numpy", lr=0.1, rank=1, scale=1.0)
        >>> params = np.array([[3.0, 0.0], [0.0, -4.0]])
        >>> updates, state = galore.update(params, galore.init(params), params)
        >>> updates.round(4) + 0.0
        array([[0. , 0. ],
               [0. , 0.1]])
    """
    if maximize:
        grad = -grad
    axis, g = projected_axis(tuple(param.shape), project), grad
    if axis is not None:
        kept, due = range(min(rank, *param.shape)), (step - 1) % update_proj_gap < 1
        projector = ops.cond(due, lambda: leading(ops, grad, axis, kept), lambda: state.projector)
        state = state.replace(projector=projector)
        g = multiply(ops, ops.transpose(projector), grad, axis)
    exp_avg = ops.lerp(state.exp_avg, g, 1 - betas[0])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, g * g, 1 - betas[1])
    first, second = ops.bias_correction(betas[0], step), ops.bias_correction(betas[1], step)
    bound = eps / ops.sqrt(second) if eps_hat else eps
    direction = exp_avg / first / (ops.sqrt(exp_avg_sq / second) + bound)
    if axis is not None:
        direction = scale * multiply(ops, state.projector, direction, axis)
    return -lr * (direction + weight_decay * param), state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
