"""Adafactor: the second moment of a matrix from the means of its rows and columns."""

from __future__ import annotations

from typing import Any, Literal

from lossopt.definition import optimizer
from lossopt.errors import InputError
from lossopt.hyper import Count, Finite, NonNegative, Positive
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State

MACHINE_EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "bfloat16": 2.0**-7, "float16": 2.0**-10}


def factored_axes(shape: tuple[int, ...], factored_dims: str, min_dim_size_to_factor: int) -> tuple[int, int] | None:
    """The axes that row means and column means run along, or None where the second moment is kept whole."""
    if len(shape) < 2:
        return None
    if factored_dims == "last":
        return len(shape) - 1, len(shape) - 2
    *_, second, largest = sorted(range(len(shape)), key=lambda axis: shape[axis])
    return (largest, second) if shape[second] >= min_dim_size_to_factor else None


def machine_epsilon(param: Any) -> float:
    """The spacing of numbers at 1 in the parameter's dtype."""
    name = str(param.dtype).rpartition(".")[2]
    if name not in MACHINE_EPSILON:
        raise InputError(f"adafactor: eps[0]=None stands for the machine epsilon, unknown for {name}; give eps=(1e-7, 1e-3)")
    return MACHINE_EPSILON[name]


def adafactor_start(ops: Ops, param: Array, *, factored_dims: str, min_dim_size_to_factor: int) -> State:
    axes = factored_axes(tuple(param.shape), factored_dims, min_dim_size_to_factor)
    if axes is None:
        return State(variance=ops.zeros_like(param))
    row, column = (ops.zeros_like(ops.mean(param, axis)) for axis in axes)
    return State(row_var=row, col_var=column)


def root_mean_square(ops: Ops, x: Array) -> Number:
    return ops.sqrt(ops.mean(x * x))


@optimizer(
    start=adafactor_start,
    conventions={
        "torch": {},
        "optax": {
            "lr": 1.0, "eps": (1e-30, 1e-3), "eps_added": True, "lr_capped": False, "decay_times_lr": False,
            "factored_dims": "largest", "min_dim_size_to_factor": 128,
        },
        "keras": {"lr": 1e-3, "eps": (1e-30, 1e-3), "eps_added": True, "decay_first": True},
    },
    spellings={"clipping_threshold": "d", "clip_threshold": "d", "weight_decay_rate": "weight_decay", "beta_2_decay": "beta2_decay"},
    elsewhere={
        "torch": "torch.optim.Adafactor",
        "optax": "optax.adafactor; factors the two largest dimensions from 128 on, adds eps 1e-30, no cap on lr, decay without lr; "
                 "its momentum, multiply_by_parameter_scale=False and factored=False are not expressed here",
        "keras": "keras.optimizers.Adafactor; eps is (epsilon_1, epsilon_2), added; lr 1e-3; decays the parameter before it measures it",
    },
)
def adafactor(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-2, beta2_decay: Finite = -0.8,
              eps: tuple[NonNegative | None, NonNegative] = (None, 1e-3), d: Positive = 1.0, weight_decay: NonNegative = 0.0,
              eps_added: bool = False, lr_capped: bool = True, decay_times_lr: bool = True, decay_first: bool = False,
              factored_dims: Literal["last", "largest"] = "last", min_dim_size_to_factor: Count = 1,
              maximize: bool = False) -> Update:  # fmt: skip
    """Adafactor: adaptive steps with memory for rows and columns only, relative to the parameter's own size.

    Formula for a matrix, at step t = 1, 2, ..., with w = t**beta2_decay::

        R = (1 - w) * R + w * mean of grad**2 along each row
        C = (1 - w) * C + w * mean of grad**2 along each column
        V = R C / max(mean(R), eps[0])
        U = grad / sqrt(max(V, eps[0]**2))
        size = max(rms(param), eps[1]) * min(lr, 1 / sqrt(t))
        update = -size * U / max(rms(U) / d, 1) - lr * weight_decay * param

    A parameter that is not factored, such as a vector, keeps V whole: ``V = (1 - w) * V + w * grad**2``.

    Args:
        lr: at least 0; relative to the root mean square of the parameter.
        beta2_decay: the exponent of t; -0.8 forgets slower and slower.
        eps: two numbers, at least 0: the first keeps V from zero (None: the machine epsilon of the parameter's dtype), the
            second is the least size a parameter is given.
        d: positive; the root mean square at which the direction is clipped.
        weight_decay: at least 0; decoupled.
        eps_added: ``eps[0]`` is added to ``grad**2`` (optax) rather than a lower bound on V and mean(R) (torch).
        lr_capped: never above ``1 / sqrt(t)`` (torch, and the paper's relative step).
        decay_times_lr: decay by ``lr * weight_decay`` (torch) or by ``weight_decay`` alone (optax).
        decay_first: the size is that of the decayed parameter (keras).
        factored_dims: the two ``"last"`` dimensions (torch) or the two ``"largest"`` (optax).
        min_dim_size_to_factor: with ``"largest"``: a second largest dimension below this is not worth factoring.
        maximize: ascend.

    Shapes: any; factored from two dimensions on.  State: ``row_var`` and ``col_var``, the parameter's shape with one dimension
    of length 1 each, or ``variance`` as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.
        ArgumentError: factored_dims or min_dim_size_to_factor is a schedule.

    References:
        Noam Shazeer, Mitchell Stern. Adafactor: Adaptive Learning Rates with Sublinear Memory Cost. 2018. arXiv:1804.04235

    Example:
        >>> import lossopt, numpy as np
        >>> adafactor = lossopt.get_optimizer("adafactor", backend="numpy", lr=0.1)
        >>> params = np.array([[1.0, -1.0], [1.0, 1.0]])
        >>> updates, state = adafactor.update(params, adafactor.init(params), params)
        >>> updates.round(6)
        array([[-0.1,  0.1],
               [-0.1, -0.1]])
    """
    if maximize:
        grad = -grad
    weight = step**beta2_decay
    least = machine_epsilon(param) if eps[0] is None else eps[0]
    square = grad * grad + least if eps_added else grad * grad
    axes = factored_axes(tuple(param.shape), factored_dims, min_dim_size_to_factor)
    if axes is None:
        variance = ops.lerp(state.variance, square, weight)
        state = state.replace(variance=variance)
    else:
        row = ops.lerp(state.row_var, ops.mean(square, axes[0]), weight)
        column = ops.lerp(state.col_var, ops.mean(square, axes[1]), weight)
        state = state.replace(row_var=row, col_var=column)
        mean = ops.mean(row, axes[1])
        variance = row / (mean if eps_added else ops.maximum(mean, least)) * column
    direction = grad / ops.sqrt(variance if eps_added else ops.maximum(variance, least**2))
    rate = ops.minimum(lr, step**-0.5) if lr_capped else lr
    decay = (lr * weight_decay if decay_times_lr else weight_decay) * param
    size = rate * ops.maximum(root_mean_square(ops, param - decay if decay_first else param), eps[1])
    update = -size / ops.maximum(root_mean_square(ops, direction) / d, 1.0) * direction
    return update - decay, state
