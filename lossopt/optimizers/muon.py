"""Muon: momentum, made orthogonal by a Newton-Schulz iteration."""

from __future__ import annotations

import math
from typing import Literal

from lossopt.definition import optimizer
from lossopt.errors import InputError
from lossopt.hyper import Count, Finite, Fraction, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


def muon_start(ops: Ops, param: Array) -> State:
    if len(param.shape) != 2:
        raise InputError(
            f"muon takes matrices, got a parameter of shape {tuple(param.shape)}; "
            "write route(muon(lr=0.02), adamw(lr=1e-3), to=('matrices', '*'))"
        )
    return State(momentum_buffer=ops.zeros_like(param))


def lr_ratio(shape: tuple[int, ...], adjust_lr_fn: str | None, input_axis: int) -> float:
    """What the learning rate is multiplied by for a matrix of this shape."""
    rows, columns = shape
    if adjust_lr_fn == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    fan_in, fan_out = (columns, rows) if input_axis == 1 else (rows, columns)
    return math.sqrt(max(1.0, fan_out / fan_in))


@optimizer(
    start=muon_start,
    conventions={
        "torch": {},
        "optax": {"weight_decay": 0.0, "eps": 1e-8, "eps_added": True, "bias_corrected": True, "input_axis": 0},
        "keras": {"weight_decay": 4e-3, "eps_added": True, "summed": True, "adjust_lr_fn": "match_rms_adamw"},
    },
    spellings={"ns_coeffs": "ns_coefficients", "beta": "momentum"},
    elsewhere={
        "torch": "torch.optim.Muon; iterates in bfloat16 whatever the parameters are, which is ns_dtype='bfloat16' here",
        "optax": "optax.contrib.muon; no weight decay by default, weights are (in, out), bias-corrected momentum; "
                 "it sends what is no matrix to Adam, which is route() here",
        "keras": "keras.optimizers.Muon; sums the momentum, lr as AdamW's, weight decay 0.004; "
                 "what is no matrix goes to Adam, which is route() here",
    },
)  # fmt: skip
def muon(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3, weight_decay: NonNegative = 0.1,
         momentum: Fraction = 0.95, nesterov: bool = True, ns_steps: Count = 5,
         ns_coefficients: tuple[Finite, Finite, Finite] = (3.4445, -4.7750, 2.0315), eps: NonNegative = 1e-7,
         adjust_lr_fn: Literal["original", "match_rms_adamw"] | None = None, eps_added: bool = False, bias_corrected: bool = False,
         summed: bool = False, input_axis: Literal[0, 1] = 1, ns_dtype: Literal["bfloat16"] | None = None) -> Update:  # fmt: skip
    """Muon: for matrices, a step whose singular values are all about 1, along the momentum.

    Formula, with (a, b, c) the coefficients::

        B = momentum * B + (1 - momentum) * grad
        X = (1 - momentum) * grad + momentum * B         (without nesterov: X = B)
        X = X / max(norm(X), eps)
        X = a * X + (b * A + c * A A) X,  A = X X^T      (ns_steps times)
        update = -lr * (ratio * X + weight_decay * param)

    where ratio is ``sqrt(max(1, fan_out / fan_in))``, or with ``"match_rms_adamw"`` ``0.2 * sqrt(max(rows, columns))``.

    The other parameters of a model go to another optimizer::

        route(muon(lr=0.02), adamw(lr=1e-3), to=("matrices", "*"))

    Args:
        lr: the learning rate, at least 0.
        weight_decay: at least 0; decoupled and scaled by lr.
        momentum: decay rate of B, in [0, 1).
        nesterov: look ahead along the momentum.
        ns_steps: how often to iterate, at least 1; 5 brings singular values to about 0.7 to 1.2.
        ns_coefficients: three numbers, of the odd polynomial that is iterated.
        eps: at least 0; bounds the first division.
        adjust_lr_fn: ``"original"`` (as None), or ``"match_rms_adamw"`` so that AdamW's lr and decay carry over.
        eps_added: divide by ``norm(X) + eps`` (optax).
        bias_corrected: correct grad and B for B's starting at zero (optax); it matters with nesterov.
        summed: B is the decaying sum ``momentum * B + grad`` and X ``grad + momentum * B`` (keras); it differs by eps only.
        input_axis: the axis of a weight that meets the input: 1 as torch stores it, 0 as flax does.
        ns_dtype: ``"bfloat16"`` iterates in half precision, as torch.optim.Muon always does: faster on accelerators, and
            two frameworks then agree to 3e-2 only.  None iterates in the parameter's precision.

    Shapes: matrices.  State: ``momentum_buffer``, as the parameter.

    Raises:
        InputError: a parameter is no matrix.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Keller Jordan, Yuchen Jin, Vlado Boza, Jiacheng You, Franz Cesista, Laker Newhouse, Jeremy Bernstein. Muon: An
        optimizer for hidden layers in neural networks. 2024. kellerjordan.github.io/posts/muon
        Jingyuan Liu, Jianlin Su, Xingcheng Yao, et al. Muon is Scalable for LLM Training. 2025. arXiv:2502.16982

    Example:
        >>> import lossopt, numpy as np
        >>> muon = lossopt.get_optimizer("muon", backend="numpy", lr=0.1, weight_decay=0.0)
        >>> params = np.array([[3.0, 0.0], [0.0, -4.0]])
        >>> updates, state = muon.update(params, muon.init(params), params)
        >>> updates.round(2) + 0.0
        array([[-0.07,  0.  ],
               [ 0.  ,  0.11]])
    """
    fresh: Number = 1.0 if summed else 1 - momentum
    buffer = momentum * state.momentum_buffer + grad if summed else ops.lerp(state.momentum_buffer, grad, fresh)
    now: Number = ops.bias_correction(momentum, step) if bias_corrected else 1.0
    ahead: Number = ops.bias_correction(momentum, step + 1) if bias_corrected else 1.0
    x = fresh / now * grad + momentum / ahead * buffer if nesterov else buffer / now
    tall = param.shape[0] > param.shape[1]  # the iteration commutes with transposing; the smaller Gram matrix is cheaper
    x = ops.transpose(x) if tall else x
    x = ops.cast(x, ns_dtype) if ns_dtype else x
    x = x / (ops.norm(x) + eps if eps_added else ops.maximum(ops.norm(x), eps))
    a, b, c = ns_coefficients
    for _ in range(ns_steps):
        gram = x @ ops.transpose(x)
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    x = ops.cast(x, param.dtype) if ns_dtype else x
    x = ops.transpose(x) if tall else x
    ratio = lr_ratio(tuple(param.shape), adjust_lr_fn, input_axis)
    return -(lr * ratio) * x - lr * weight_decay * param, state.replace(momentum_buffer=buffer)
