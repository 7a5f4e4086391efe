"""Fenchel-Young losses: the loss that belongs to a way of taking a maximum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from lossopt.definition import loss
from lossopt.errors import InputError
from lossopt.losses.shared import checks
from lossopt.losses.shared.parts import shape_of
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Any, targets: Any, **_: Any) -> None:
    checks.floating(predictions=predictions)
    checks.real(targets=targets)
    if not shape_of(predictions):
        raise InputError("predictions must have the scores on the last axis, got shape (); write predictions.reshape((1, -1))")
    checks.same_shape(predictions=predictions, targets=targets)


@loss(
    check=_check,
    made_from="max_fun",
    elsewhere={
        "optax": "optax.losses.make_fenchel_young_loss; max_fun is a JAX function of a vector, with arguments of its own, no reduction",
        "also": "fenchel_young_loss",
    },
)
def make_fenchel_young_loss(ops: LossOps, predictions: Array, targets: Array, *,
                            max_fun: Literal["logsumexp", "max"] | Callable = "logsumexp") -> Array:  # fmt: skip
    """The Fenchel-Young loss of a smooth maximum: ``make_fenchel_young_loss(max_fun)`` is a loss.

        l = max_fun(x) - sum_k t_k x_k

    over the last axis.  Its derivative is grad max_fun(x) - t: what max_fun predicts less what is true.  "logsumexp" makes the
    cross-entropy of class probabilities (up to their entropy: 0 for one-hot), "max" the perceptron loss.

    Args:
        predictions: scores x, floating, shape (..., C).
        targets: t in predictions' shape, of any real dtype: class probabilities, one-hot rows, or any point that max_fun's
            gradient can reach.
        max_fun: "logsumexp", "max", or a pure function ``(ops, scores) -> values`` in the words of `lossopt.ops.LossOps`
            that drops the last axis; so written it takes arrays of every backend.

    Returns:
        Called with max_fun alone, the loss; the loss of arrays has with reduction "none" predictions' shape without the last
        axis, else it is a scalar, in the floating dtype of the inputs.

    Raises:
        ArgumentError: arrays in the place of max_fun.
        InputError: shapes that differ, integer predictions, a max_fun that does not drop the last axis.

    A target of 0 on a score of -inf gives NaN.

    References:
        Blondel, Martins, Niculae: Learning with Fenchel-Young Losses, 2020, arXiv:1901.02324.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import make_fenchel_young_loss
        >>> def half_square(ops, scores):
        ...     return 0.5 * ops.sum(scores * scores, -1)
        >>> loss = make_fenchel_young_loss(half_square)
        >>> print(loss(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 0.0], [1.0, 0.0]]), reduction="none"))
        [-0.5  2. ]
    """
    function = {"logsumexp": _logsumexp, "max": _max}[max_fun] if isinstance(max_fun, str) else max_fun
    values = function(ops, predictions)
    if values.shape != predictions.shape[:-1]:
        raise InputError(f"make_fenchel_young_loss: max_fun gave shape {tuple(values.shape)} for predictions of shape "
                         f"{tuple(predictions.shape)}; it must drop the last axis, {tuple(predictions.shape[:-1])}")  # fmt: skip
    return values - ops.sum(ops.cast(targets, predictions) * predictions, -1)


def _logsumexp(ops: LossOps, scores: Array) -> Array:
    return ops.logsumexp(scores, -1)


def _max(ops: LossOps, scores: Array) -> Array:
    return ops.max(scores, -1)
