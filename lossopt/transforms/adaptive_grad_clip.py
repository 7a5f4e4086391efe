"""Clipping each unit's gradient relative to the unit's own weights."""

from __future__ import annotations

import math
from typing import Any, Literal

from lossopt.definition import transform
from lossopt.hyper import NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State

LEAST = 1e-6
"""A gradient norm is not divided by less."""


def unit_axes(ndim: int, units: str) -> tuple[int, ...]:
    """The axes that one unit's weights lie along."""
    if units == "first":
        return tuple(range(1, ndim))
    return (0,) if ndim == 3 else tuple(range(ndim - 1))  # three axes are a multi-head kernel to optax


def unit_norm(ops: Ops, x: Array, units: str) -> Any:
    """The norm of each unit, with the reduced axes kept; of a vector or a number the whole."""
    shape = tuple(x.shape)
    if sum(length > 1 for length in shape) <= 1:
        return ops.norm(x)
    axes = unit_axes(len(shape), units)
    square = x * x
    for axis in axes:
        square = ops.mean(square, axis)
    return ops.sqrt(square * math.prod(shape[a] for a in axes))


@transform(
    conventions={"torch": {}, "optax": {"units": "last"}},
    spellings={"clip_factor": "clipping"},
    elsewhere={
        "torch": "timm.utils.adaptive_clip_grad; its argument is clip_factor",
        "optax": "optax.adaptive_grad_clip; units on the last axis; clipping has no default",
    },
)
def adaptive_grad_clip(ops: Ops, grad: Array, state: State, param: Array, *, clipping: NonNegative = 0.01, eps: NonNegative = 1e-3,
                       units: Literal["first", "last"] = "first") -> Update:  # fmt: skip
    """Shrink a unit's gradient where its norm exceeds a fraction of the norm of the unit's weights.

        limit = clipping * max(||w||, eps)                              the norms of each unit
        g  <-  g where ||g|| < limit, else g * limit / max(||g||, 1e-6)

    A unit is one output of a layer: in PyTorch one index of the first axis, in Flax one of the last.  A parameter with no
    more than one axis longer than 1 is one unit.

    Args:
        clipping: the largest gradient norm relative to the weights' norm; zero or more.
        eps: the least norm that a unit's weights are given, so that what begins at zero can move; zero or more.
        units: the axis that counts the units: ``"first"``, weights (out, in, ...) as PyTorch stores them, or ``"last"``,
            kernels (..., in, out) as Flax does; there a parameter with three axes is reduced over its first only, as optax
            does.

    Paper:
        Brock, De, Smith, Simonyan: High-Performance Large-Scale Image Recognition Without Normalization, 2021,
        arXiv:2102.06171

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> clip = get_optimizer("adaptive_grad_clip", backend="numpy", clipping=0.1)
        >>> weights, grads = np.array([[3.0, 4.0], [0.0, 2.0]]), np.array([[0.6, 0.8], [0.0, 0.1]])
        >>> clip.update(grads, clip.init(weights), weights)[0]
        array([[0.3, 0.4],
               [0. , 0.1]])
    """
    size = unit_norm(ops, grad, units)
    limit = clipping * ops.maximum(unit_norm(ops, param, units), eps)
    return ops.where(size < limit, grad, grad * (limit / ops.maximum(size, LEAST))), state
