"""Triplet margin loss with a distance of one's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from lossopt.definition import loss
from lossopt.errors import ArgumentError
from lossopt.hyper import Positive
from lossopt.losses.shared import checks, embeddings
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, anchor: Array, positive: Array, negative: Array, *, distance_function: Any = None, **_: Any) -> None:
    checks.triplets(ops, anchor, positive, negative)
    if distance_function is not None and not _takes_three(distance_function):
        raise ArgumentError("triplet_margin_with_distance_loss: distance_function is a pure function (ops, u, v) -> distances, written "
                            f"in the words of lossopt.ops.LossOps, got {distance_function!r}")  # fmt: skip


def _takes_three(fn: Any) -> bool:
    try:
        inspect.signature(fn).bind(None, None, None)
    except (TypeError, ValueError):
        return False
    return True


@loss(
    check=_check,
    elsewhere={
        "torch": "torch.nn.functional.triplet_margin_with_distance_loss, torch.nn.TripletMarginWithDistanceLoss; its distance "
        "function takes two tensors and no ops",
    },
)
def triplet_margin_with_distance_loss(ops: LossOps, anchor: Array, positive: Array, negative: Array, *,
                                      distance_function: Callable | None = None, margin: Positive = 1.0,
                                      swap: bool = False) -> Array:  # fmt: skip
    """Triplet margin loss with a distance of one's own: the anchor nearer to the positive than to the negative, by a margin.

        l = max(0, d(anchor, positive) - d(anchor, negative) + margin)

    Where the maximum's two sides are equal the derivative is that of the distances, as PyTorch's clamp has it.

    Args:
        anchor, positive, negative: embeddings, floating, all of shape (N, D) or (D,); the features are the last axis.
        distance_function: d, a pure function ``(ops, u, v)`` in the words of a loss, which gives one distance per pair,
            shape (N,) or (); it runs in every framework.  None is PyTorch's pairwise distance, ``||u - v + 1e-6||``.
        margin: how much further the negative is to be, positive, in units of the distance.
        swap: use the positive's distance to the negative where that is smaller than the anchor's.

    Returns:
        With reduction "none" what the distance function gives, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer embeddings.
        ArgumentError: a distance function that does not take ops and two arrays.

    References:
        Balntas, Riba, Ponsa, Mikolajczyk: Learning local feature descriptors with triplets and shallow convolutional
        neural networks, 2016.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import triplet_margin_with_distance_loss
        >>> def city_block(ops, u, v):
        ...     return ops.sum(ops.abs(u - v), -1)
        >>> anchor, positive, negative = np.array([[0.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([[1.0, 0.75]])
        >>> float(triplet_margin_with_distance_loss(anchor, positive, negative, distance_function=city_block))
        0.25
    """
    d = _pairwise_distance if distance_function is None else distance_function
    between = d(ops, positive, negative) if swap else None
    return embeddings.triplet(ops, d(ops, anchor, positive), d(ops, anchor, negative), between, margin)


def _pairwise_distance(ops: LossOps, u: Array, v: Array) -> Array:
    return embeddings.distance(ops, u - v, 2.0, 1e-6, "difference")
