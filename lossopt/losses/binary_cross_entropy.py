"""Binary cross-entropy of probabilities."""

from __future__ import annotations

from typing import Annotated, Any

from lossopt.definition import loss
from lossopt.hyper import Range
from lossopt.losses.shared import checks
from lossopt.ops import Array, LossOps

LEAST = 9.999999960041972e-13
"""Of p (1 - p) where the slope is divided by it: PyTorch's constant, which is the float32 nearest to 1e-12 in float64 too."""


def _check(ops: LossOps, predictions: Any, targets: Any, *, weight: Any = None, **_: Any) -> None:
    checks.binary(ops, predictions, targets, weight=weight)
    checks.probabilities(ops, "predictions", predictions, "; of logits, write binary_cross_entropy_with_logits")
    checks.probabilities(ops, "targets", targets)


@loss(
    check=_check,
    conventions={"torch": {}, "optax": {"reduction": "none"}, "keras": {"clip": 1e-7}},
    spellings={"epsilon": "clip"},
    elsewhere={
        "torch": "torch.nn.functional.binary_cross_entropy, torch.nn.BCELoss; refuses integer targets",
        "keras": "keras.losses.BinaryCrossentropy; clips to [1e-7, 1 - 1e-7]; targets first",
        "also": "bce, bce_loss",
    },
)
def binary_cross_entropy(ops: LossOps, predictions: Array, targets: Array, *, weight: Any = None,
                         clip: Annotated[float, Range(0, 0.5, open_low=True)] | None = None) -> Array:  # fmt: skip
    """Binary cross-entropy of probabilities, element by element.

        l = -weight [t max(log p, -100) + (1 - t) max(log(1 - p), -100)]

    Its derivative in p is ``weight (p - t) / max(p (1 - p), 1e-12)``, at 0 and 1 too.  Where there are logits,
    binary_cross_entropy_with_logits is the better choice: it keeps digits that a probability has lost.

    Args:
        predictions: probabilities p in [0, 1], floating, any shape.
        targets: probabilities t in [0, 1], or 0 and 1 in any dtype, in predictions' shape.
        weight: a factor on each element, broadcast to predictions' shape; the mean still divides by their number.
        clip: p is held in [clip, 1 - clip] first, with derivative 0 outside, as in keras; None leaves it.

    Returns:
        With reduction "none" predictions' shape, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer predictions, predictions or targets outside [0, 1].  Predictions that cannot
            be seen (traced, or on an accelerator) give NaN where they are outside.

    References:
        Goodfellow, Bengio, Courville: Deep Learning, 2016, section 6.2.2.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import binary_cross_entropy
        >>> print(binary_cross_entropy(np.array([0.5, 0.9, 0.0]), np.array([1, 1, 1]), reduction="none").round(4))
        [  0.6931   0.1054 100.    ]
    """
    p, t = predictions, ops.cast(targets, predictions)
    if clip is not None:
        p = -ops.clamp_min(-ops.clamp_min(p, clip), clip - 1)
    between = p * (1 - p) > LEAST
    inner = ops.where(between, p, 0.5)  # the logarithms' own slopes would be infinite at 0 and 1
    values = -(t * ops.log(inner) + (1 - t) * ops.log1p(-inner))
    fixed = ops.stop_gradient(p)
    ends = -(t * ops.clamp_min(ops.log(fixed), -100.0) + (1 - t) * ops.clamp_min(ops.log1p(-fixed), -100.0))
    slope = ops.stop_gradient((p - t) / LEAST)
    values = ops.where(between, values, ends + slope * (p - fixed))
    return values if weight is None else values * ops.array(weight, predictions)
