"""Knowledge distillation: cross-entropy with the labels, and divergence from a teacher at a temperature."""

from __future__ import annotations

from lossopt.definition import loss
from lossopt.hyper import Positive, UnitInterval
from lossopt.losses.shared import checks, parts
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, predictions: Array, teacher: Array, targets: Array, *, axis: int = 1, ignore_index: int | None = None,
           **_: object) -> None:  # fmt: skip
    checks.labelled(ops, predictions, targets, axis=axis, ignore_index=ignore_index)
    checks.floating(teacher=teacher)
    checks.same_shape(predictions=predictions, teacher=teacher)


@loss(
    check=_check,
    conventions={"torch": {}, "optax": {"axis": -1, "ignore_index": None, "reduction": "none"}},
    spellings={"T": "temperature"},
    elsewhere={"also": "knowledge_distillation_loss, KDLoss"},
)
def distillation_loss(ops: LossOps, predictions: Array, teacher: Array, targets: Array, *, temperature: Positive = 2.0,
                      alpha: UnitInterval = 0.5, ignore_index: int | None = -100, axis: int = 1) -> Array:  # fmt: skip
    """Knowledge distillation: cross-entropy with the labels, and divergence from a teacher at a temperature.

        l = alpha CE(x, y) + (1 - alpha) T**2 KL(softmax(z / T) || softmax(x / T))

    with x the student's logits, z the teacher's and T the temperature; T**2 keeps the second gradient's size as T grows.
    The mean divides by the number of labels that are not ignored.

    Args:
        predictions: the student's logits x, floating, shape (N, C), (N, C, d1, ...) or (C,): the classes on `axis`.
        teacher: the teacher's logits z, in predictions' shape.  Gradients flow into them: detach them, or stop them.
        targets: integer labels y in [0, C), predictions' shape without `axis`.
        temperature: T, positive; larger ones show more of how the teacher ranks the wrong classes.
        alpha: the labels' share in [0, 1]; 0 learns from the teacher alone.
        ignore_index: the label that counts nowhere, in neither term; None ignores no label.  The mean where every label
            is ignored is NaN.
        axis: the class axis: 1 in PyTorch (0 for a single sample), -1 in optax.

    Returns:
        With reduction "none" predictions' shape without `axis`, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer logits, labels outside [0, C).  Labels that cannot be seen (traced, or
            on an accelerator) give NaN where they are outside.

    A teacher's logit of -inf gives 0 * inf, NaN, as kl_div of a log-target does.

    References:
        Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, 2015, arXiv:1503.02531.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import distillation_loss
        >>> student, teacher = np.array([[0.0, 0.0]]), np.array([[2.0, 0.0]])
        >>> round(float(distillation_loss(student, teacher, np.array([0]))), 4)
        0.5685
    """
    axis = parts.class_axis(axis, predictions.shape)
    labels, _ = parts.kept_labels(ops, targets, ignore_index)
    hard = -ops.pick(ops.log_softmax(predictions, axis), labels, axis)
    student, wanted = ops.log_softmax(predictions / temperature, axis), ops.log_softmax(teacher / temperature, axis)
    soft = temperature**2 * ops.sum(ops.exp(wanted) * (wanted - student), axis)
    return parts.of_kept(ops, alpha * hard + (1 - alpha) * soft, targets, ignore_index)
