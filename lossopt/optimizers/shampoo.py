"""Shampoo: a matrix preconditioner for each axis of a parameter, and the size of the step from a simpler method."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import optimizer
from lossopt.hyper import Count, Fraction, NonNegative, UnitInterval
from lossopt.ops import Array, Number, Ops, Update
from lossopt.optimizers.shared.kronecker import gram, matrix_power, multiply, scale, squares
from lossopt.vector import State


def axes_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The parameter's shape, a number being a vector of one."""
    return shape or (1,)


def shampoo_start(ops: Ops, param: Array, *, max_preconditioner_dim: int, grafting: str | None) -> State:
    slots = {"exp_avg": ops.zeros_like(param)}
    if grafting in ("adagrad", "adam"):
        slots["exp_avg_sq"] = ops.zeros_like(param)
    flat = ops.reshape(param, axes_of(tuple(param.shape)))
    for axis, size in enumerate(flat.shape):
        if size <= max_preconditioner_dim:
            slots[f"factor_{axis}"], slots[f"root_{axis}"] = 0.0 * ops.eye(param, size), ops.eye(param, size)
        else:
            line = squares(ops, flat, axis)
            slots[f"factor_{axis}"], slots[f"root_{axis}"] = ops.zeros_like(line), ops.full_like(line, 1.0)
    return State(**slots)


def graft_of(ops: Ops, grad: Array, filtered: Array, state: State, step: Number, grafting: str | None, beta2: Number,
             eps: Number) -> Update:  # fmt: skip
    """The step whose length is taken, and the state with its second moment."""
    if grafting == "adagrad":
        total = state.exp_avg_sq + grad * grad
        return filtered / (ops.sqrt(total) + eps), state.replace(exp_avg_sq=total)
    if grafting == "adam":
        mean = ops.lerp(state.exp_avg_sq, grad * grad, 1 - beta2)
        return filtered / (ops.sqrt(mean / ops.bias_correction(beta2, step)) + eps), state.replace(exp_avg_sq=mean)
    return filtered, state


def power_if(ops: Ops, due: Array, factor: Array, eps: Number, exponent: Number, full: bool, before: Array) -> Array:
    """``(factor + eps) ** exponent``, of a matrix or of each number of a diagonal, where it is due; else what it was before."""
    return ops.cond(due, lambda: matrix_power(ops, factor, eps, exponent) if full else (factor + eps) ** exponent, lambda: before)


@optimizer(
    start=shampoo_start,
    conventions={"torch": {}, "optax": {}},
    spellings={
        "inv_root_override": "exponent_override", "inverse_exponent_override": "exponent_override",
        "preconditioning_compute_steps": "precondition_frequency", "preconditioner_update_steps": "precondition_frequency",
    },
    elsewhere={
        "torch": "distributed_shampoo.DistributedShampoo; of facebookresearch/optimizers: it cuts axes above max_preconditioner_dim into "
                 "blocks, merges small axes, has eps 1e-12 by default; its momentum after the preconditioner is not expressed here",
        "optax": "distributed_shampoo.distributed_shampoo; of google-research/scalable_shampoo: it preconditions the bare gradient and "
                 "puts momentum on the step, eps is relative to the largest eigenvalue there",
    },
)  # fmt: skip
def shampoo(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-2,
            betas: tuple[Fraction, UnitInterval] = (0.9, 1.0), eps: NonNegative = 1e-6, weight_decay: NonNegative = 0.0,
            decoupled: bool = True, max_preconditioner_dim: Count = 1024, precondition_frequency: Count = 1,
            start_preconditioning_step: Count = 1, exponent_override: Count | None = None, use_bias_correction: bool = True,
            grafting: Literal["sgd", "adagrad", "adam"] | None = None, grafting_beta2: Fraction = 0.999,
            grafting_eps: NonNegative = 1e-8, maximize: bool = False) -> Update:  # fmt: skip
    """Shampoo: the gradient times an inverse root of the second moments along each of its axes.

    Formula, for a parameter with k axes, with <g, g>_i the inner products of the slices of g along axis i::

        g = grad                                         (decoupled=False: grad + weight_decay * param)
        L_i = betas[1] * L_i + (1 - betas[1]) * <g, g>_i (betas[1]=1: L_i + <g, g>_i)
        R_i = (L_i / c2 + eps)^(-1 / (2 k))              (every precondition_frequency updates)
        m = betas[0] * m + (1 - betas[0]) * g
        d = m / c1, multiplied by R_i along each axis i
        update = -lr * (norm(graft) / norm(d) * d + weight_decay * param)

    with c1 = 1 - betas[0]**t, c2 = 1 - betas[1]**t (1 where betas[1] is), norms over one parameter, and graft the step that
    another method would take with m / c1.  Without grafting the step is d itself.

    ``shampoo(betas=(0.0, 1.0), eps=1e-4)`` is the first paper's.  A number is a vector of one; a vector has one matrix, and
    its step is that of Adagrad with the full matrix.

    Args:
        lr: the learning rate, at least 0; with grafting that of the method grafted.
        betas: decay rate of m in [0, 1), and of the matrices in [0, 1]; 1 sums them, as Adagrad does.
        eps: at least 0; added to the eigenvalues.  What rounding leaves in directions that no gradient has had is multiplied
            by ``eps**(-1 / (2 k))`` along each axis.
        weight_decay: at least 0.
        decoupled: decay the parameter rather than adding to the gradient.
        max_preconditioner_dim: an axis longer than this, at least 1, keeps the diagonal of its matrix only.
        precondition_frequency: how many updates from one computation of the roots to the next, at least 1.
        start_preconditioning_step: the first update that is preconditioned, at least 1; before it the step is the graft.
        exponent_override: the root to take instead of 2 k, at least 1.
        use_bias_correction: divide by c1 and c2; without, both are 1.
        grafting: whose length a parameter's step has: ``"sgd"``, norm(m / c1); ``"adagrad"``, ``"adam"``; None, its own.
        grafting_beta2: decay rate of Adam's second moment, in [0, 1).
        grafting_eps: at least 0; added to the root of Adam's or Adagrad's second moment.
        maximize: ascend.

    Shapes: any.  State: ``exp_avg``, as the parameter, and with grafting by Adagrad or Adam ``exp_avg_sq``; for each axis
    ``factor_i`` and ``root_i``, a square matrix or a column.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: max_preconditioner_dim is a schedule.

    References:
        Vineet Gupta, Tomer Koren, Yoram Singer. Shampoo: Preconditioned Stochastic Tensor Optimization. 2018. arXiv:1802.09568
        Rohan Anil, Vineet Gupta, Tomer Koren, Kevin Regan, Yoram Singer. Scalable Second Order Optimization for Deep Learning
        (grafting). 2020. arXiv:2002.09018
        Hao-Jun Michael Shi, Tsung-Hsien Lee, Shintaro Iwasaki, et al. A Distributed Data-Parallel PyTorch Implementation of the
        Distributed Shampoo Optimizer for Training Neural Networks At-Scale. 2023. arXiv:2309.06497

    Example:
        >>> import lossopt, numpy as np
        >>> shampoo = lossopt.get_optimizer("shampoo", backend="numpy", lr=0.1, betas=(0.0, 1.0))
        >>> params = np.array([[3.0, 0.0], [0.0, -4.0]])
        >>> updates, state = shampoo.update(params, shampoo.init(params), params)
        >>> updates.round(6) + 0.0
        array([[-0.1,  0. ],
               [ 0. ,  0.1]])
    """
    if maximize:
        grad = -grad
    if not decoupled:
        grad = grad + weight_decay * param
    summed = betas[1] >= 1
    weight: Number = ops.where(summed, 1.0, 1 - betas[1])
    first: Number = ops.bias_correction(betas[0], step) if use_bias_correction else 1.0
    second: Number = ops.where(summed, 1.0, ops.bias_correction(betas[1], step)) if use_bias_correction else 1.0
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    filtered = exp_avg / first
    graft, state = graft_of(ops, grad, filtered, state.replace(exp_avg=exp_avg), step, grafting, grafting_beta2, grafting_eps)

    shape = axes_of(tuple(param.shape))
    gradient, direction = ops.reshape(grad, shape), ops.reshape(filtered, shape)
    exponent = -1 / (2 * len(shape) if exponent_override is None else exponent_override)
    due = (step >= start_preconditioning_step) & ((step % precondition_frequency < 1) | (step <= start_preconditioning_step))
    for axis, size in enumerate(shape):
        full = size <= max_preconditioner_dim
        moments = gram(ops, gradient, axis) if full else squares(ops, gradient, axis)
        factor = betas[1] * getattr(state, f"factor_{axis}") + weight * moments
        root = power_if(ops, due, factor / second, eps, exponent, full, getattr(state, f"root_{axis}"))
        direction = multiply(ops, root, direction, axis) if full else scale(ops, root, direction, axis)
        state = state.replace(**{f"factor_{axis}": factor, f"root_{axis}": root})
    direction = ops.reshape(direction, tuple(param.shape))
    if grafting is not None:
        length = ops.norm(direction)
        moving = length > 0
        direction = ops.where(moving, ops.norm(graft) / ops.where(moving, length, 1.0), 0.0) * direction
    direction = ops.where(step >= start_preconditioning_step, direction, graft)
    return -lr * (direction + weight_decay * param if decoupled else direction), state
