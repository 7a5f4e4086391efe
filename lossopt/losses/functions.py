"""Functions beside the losses, of arrays of any backend: no reduction, no convention."""

from __future__ import annotations

from typing import Any

from lossopt import registry
from lossopt.errors import ArgumentError, InputError
from lossopt.losses.shared import alignment, checks
from lossopt.losses.shared.parts import shape_of
from lossopt.ops import LossOps


def smooth_labels(labels: Any, alpha: float, *, axis: int = -1) -> Any:
    """One-hot labels, or probabilities, with the share alpha spread over all classes: ``(1 - alpha) t + alpha / K``.

    Args:
        labels: probabilities, floating, the classes on `axis`.
        alpha: the share, in [0, 1].
        axis: the class axis.

    Returns:
        The smoothed labels, an array of the same kind.  ``optax.smooth_labels`` does the same.

    Raises:
        InputError: integer labels, an axis that is not there.
        ArgumentError: no array.

    References:
        Mueller, Kornblith, Hinton: When Does Label Smoothing Help?, 2019, arXiv:1906.02629.

    Example:
        >>> import numpy as np
        >>> print(smooth_labels(np.eye(2), 0.1))
        [[0.95 0.05]
         [0.05 0.95]]
    """
    if registry.framework_of(labels) is None:
        raise ArgumentError(f"smooth_labels: labels must be an array, got {type(labels).__name__}")
    try:
        checks.floating(labels=labels)
        checks.has_axis("labels", labels, axis)
    except InputError as problem:
        raise InputError(f"smooth_labels: {problem}") from None
    return (1 - alpha) * labels + alpha / shape_of(labels)[axis]


def ctc_loss_with_forward_probs(logits: Any, logit_paddings: Any, labels: Any, label_paddings: Any, *, blank_id: int = 0,
                                log_epsilon: float = -1e5) -> tuple[Any, Any, Any]:  # fmt: skip
    """The CTC loss of each sequence and the forward log-probabilities of its prefixes, as ``optax.losses`` has it.

    Args:
        logits: floating, shape (N, T, C).
        logit_paddings: 1 where a frame is padding and 0 elsewhere, shape (N, T).
        labels: integers in [0, C), shape (N, S).
        label_paddings: the same of labels, shape (N, S); padding stands at the end.
        blank_id: the class of no label.
        log_epsilon: the finite number that stands for log 0.

    Returns:
        ``(loss, after_blank, after_label)`` of shapes (N,), (T, N, S + 1) and (T, N, S): after frame t the
        log-probability of having said n labels and ended on a blank, and of having ended on label n.  The last frame's
        after_blank takes in after_label, as a sequence may end on either.

    Raises:
        InputError: as ctc_loss.

    References:
        Graves, Fernandez, Gomez, Schmidhuber: Connectionist Temporal Classification, ICML 2006.

    Example:
        >>> import numpy as np
        >>> loss, _, _ = ctc_loss_with_forward_probs(np.zeros((1, 2, 3)), np.zeros((1, 2)), np.array([[1]]), np.zeros((1, 1)))
        >>> print(loss.round(4))
        [1.0986]
    """
    ctc_loss: Any = registry.definition("ctc_loss", "loss")
    spec = ctc_loss.configure(convention="optax", blank=blank_id, log_epsilon=log_epsilon)
    given = dict(predictions=logits, targets=labels, input_lengths=logit_paddings, target_lengths=label_paddings)
    backend = registry.backend_of_arrays(ctc_loss, given, None)
    try:
        ctc_loss.input_check(backend.losses.words, *given.values(), **spec.hyperparameters)
    except InputError as problem:
        raise InputError(f"ctc_loss_with_forward_probs: {problem}") from None

    def body(x: Any, t: Any, frames: Any, counted: Any) -> tuple[Any, Any, Any]:
        ops: LossOps = backend.losses.words
        lengths = ops.sum(ops.where(counted == 0, 1, 0), 1)
        inside = (t >= 0) & (t < x.shape[2])  # of padding too: optax says what its prefixes would be
        total, after_blank, after_label = alignment.ctc_forward(
            ops, ops.log_softmax(ops.swap_axes(x, 0, 1), -1), ops.where(inside, t, blank_id), ops.swap_axes(frames, 0, 1) == 0,
            lengths, blank_id, log_epsilon)  # fmt: skip
        return -total, after_blank, after_label

    return backend.losses.carry(body, tuple(given.values()))
