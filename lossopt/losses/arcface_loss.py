"""ArcFace, softmax classification with a margin added to the angle; and CosFace, with one taken from the cosine."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from lossopt.definition import loss
from lossopt.errors import InputError
from lossopt.hyper import NonNegative, Positive, Range
from lossopt.losses.shared import checks
from lossopt.losses.shared import embeddings as between
from lossopt.losses.shared.parts import shape_of
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, embeddings: Any, centers: Any, targets: Any, **_: Any) -> None:
    checks.floating(embeddings=embeddings, centers=centers)
    between.batches(embeddings=embeddings, centers=centers)
    width, (classes, other) = shape_of(embeddings)[1], shape_of(centers)
    if width != other:
        remedy = "; write centers.T" if width == classes else ""
        raise InputError(f"centers must have the {width} features of the embeddings, shape (C, {width}), got {shape_of(centers)}{remedy}")
    if not classes:
        raise InputError(f"centers of shape {shape_of(centers)} are of no classes; give at least one")
    between.labels_of("targets", targets, embeddings)
    checks.labels_within(ops, targets, classes, None)


@loss(
    check=_check,
    conventions={"torch": {}, "optax": {"reduction": "none"}},
    spellings={"s": "scale", "m": "margin"},
    elsewhere={
        "pytorch-metric-learning": "pytorch_metric_learning.losses.ArcFaceLoss; margin in degrees, centers (D, C) of its own",
        "also": "ArcFace, additive_angular_margin_loss",
    },
)
def arcface_loss(ops: LossOps, embeddings: Array, centers: Array, targets: Array, *, scale: Positive = 64.0,
                 margin: Annotated[float, Range(0, math.pi)] = 0.5, margin_on: Literal["angle", "cosine"] = "angle",
                 easy_margin: bool = False, eps: NonNegative = 1e-12) -> Array:  # fmt: skip
    """ArcFace: cross-entropy of cosines to class centers, with a margin added to the angle of the label's.

        l = -log(exp(s f(c_y)) / (exp(s f(c_y)) + sum_{j != y} exp(s c_j)))            s = scale, m = margin
        f(c) = cos(arccos(c) + m)  where that angle is below pi, and c - m sin(m) beyond         easy_margin=False
        f(c) = cos(arccos(c) + m)  where c > 0, and c elsewhere                                  easy_margin=True
        f(c) = c - m                                                                             margin_on="cosine", CosFace

    with c_j the cosine of the embedding and center j.

    Args:
        embeddings: floating, shape (N, D); their lengths do not matter.
        centers: floating, shape (C, D): one learned vector per class, of any length.
        targets: integer labels in [0, C), shape (N,).
        scale: s, positive: the length that embeddings are given.
        margin: m in [0, pi], in radians, or with margin_on="cosine" a difference of cosines.
        margin_on: whether the margin is added to the angle or taken from the cosine.
        easy_margin: no margin for embeddings more than a right angle from their center; of use with the angle only.
        eps: the least length that is divided by, 0 or above.

    Returns:
        With reduction "none" shape (N,), else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer embeddings, labels outside [0, C).  Labels that cannot be seen (traced,
            or on an accelerator) give NaN where they are outside.

    Where embedding and center are parallel the angle has no derivative; here it is 0.

    References:
        Deng, Guo, Yang, Xue, Kotsia, Zafeiriou: ArcFace: Additive Angular Margin Loss for Deep Face Recognition, 2018,
        arXiv:1801.07698.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import arcface_loss
        >>> faces, centers = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
        >>> print(arcface_loss(faces, centers, np.array([0, 1]), scale=4.0, reduction="none").round(4))
        [0.0294 1.8697]
    """
    cosines = between.cosines(ops, embeddings, centers, eps)
    own = ops.pick(cosines, targets, 1)
    given = own - margin if margin_on == "cosine" else _angle_more(ops, own, margin, easy_margin)
    hot = ops.one_hot(targets, centers.shape[0], 1, cosines)
    logits = scale * (cosines + hot * (given - own)[:, None])
    return -ops.pick(ops.log_softmax(logits, 1), targets, 1)


def _angle_more(ops: LossOps, cosine: Array, margin: float, easy: bool) -> Array:
    sine = between.root(ops, ops.clamp_min((1 - cosine) * (1 + cosine), 0.0))
    turned = cosine * math.cos(margin) - sine * math.sin(margin)
    if easy:
        return ops.where(cosine > 0, turned, cosine)
    return ops.where(cosine > -math.cos(margin), turned, cosine - margin * math.sin(margin))


cosface_loss = arcface_loss.variant(
    "cosface_loss",
    margin=0.35,
    margin_on="cosine",
    conventions={"torch": {}, "optax": {"reduction": "none"}},
    elsewhere={
        "pytorch-metric-learning": "pytorch_metric_learning.losses.CosFaceLoss; centers (D, C) of its own",
        "also": "CosFace, additive_margin_softmax_loss",
    },
    doc="""CosFace: cross-entropy of cosines to class centers, with a margin taken from the label's.

    l = -log(exp(s (c_y - m)) / (exp(s (c_y - m)) + sum_{j != y} exp(s c_j)))            s = scale, m = margin

with c_j the cosine of the embedding and center j: arcface_loss with margin_on="cosine".

Args:
    embeddings: floating, shape (N, D); their lengths do not matter.
    centers: floating, shape (C, D): one learned vector per class, of any length.
    targets: integer labels in [0, C), shape (N,).
    scale: s, positive: the length that embeddings are given.
    margin: m in [0, pi], a difference of cosines.
    margin_on: "cosine"; "angle" is arcface_loss.
    easy_margin: of use with the angle only.
    eps: the least length that is divided by, 0 or above.

Returns:
    With reduction "none" shape (N,), else a scalar, in the floating dtype of the inputs.

Raises:
    InputError: shapes that do not fit, integer embeddings, labels outside [0, C).

References:
    Wang, Wang, Zhou, Ji, Gong, Zhou, Li, Liu: CosFace: Large Margin Cosine Loss for Deep Face Recognition, 2018,
    arXiv:1801.09414.

Example:
    >>> import numpy as np
    >>> from lossopt.losses import cosface_loss
    >>> faces, centers = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> print(cosface_loss(faces, centers, np.array([0, 1]), scale=4.0, reduction="none").round(4))
    [0.0716 1.6204]
""",
)
