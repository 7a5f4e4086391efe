"""Connectionist temporal classification: label sequences without an alignment to the frames."""

from __future__ import annotations

from typing import Any, Literal

from lossopt.definition import loss
from lossopt.hyper import Finite, NaturalNumber
from lossopt.losses.reduction import Averaged
from lossopt.losses.shared import alignment
from lossopt.ops import Array, LossOps

LOG_ZERO = -1e30
"""For log 0 while alignments are added up, so that no difference of infinities arises; what remains below a tenth is inf."""


@loss(
    check=alignment.ctc_inputs,
    conventions={
        "torch": {},
        "optax": {"time_major": False, "lengths_are": "paddings", "log_epsilon": -1e5, "mean_per_label": False, "reduction": "none"},
    },
    spellings={"blank_id": "blank"},
    elsewhere={
        "torch": "torch.nn.functional.ctc_loss, torch.nn.CTCLoss; of log-probabilities; targets may stand end to end, and one sequence "
        "alone needs no batch axis",
        "optax": "optax.losses.ctc_loss; paddings of frames before the labels; an impossible alignment costs about -log_epsilon",
        "keras": "keras.losses.CTC; blank is class 0 and so is padding",
    },
)
def ctc_loss(ops: LossOps, predictions: Array, targets: Array, input_lengths: Array, target_lengths: Array, *, blank: NaturalNumber = 0,
             zero_infinity: bool = False, log_epsilon: Finite | None = None, lengths_are: Literal["lengths", "paddings"] = "lengths",
             time_major: bool = True, mean_per_label: bool = True) -> Any:  # fmt: skip
    """Connectionist temporal classification: label sequences without an alignment to the frames.

        l = -log sum_a prod_t p_t(a_t)

    over every sequence a of one class per frame that gives the target when repetitions are merged and then blanks
    removed, with log p = log_softmax(predictions).  Log-probabilities stay what they are under log_softmax, so that both
    they and logits will do; the gradient is that of logits, as PyTorch's is.

        mean = mean_n (l_n / max(1, length of target n))         mean_per_label=True, PyTorch

    Args:
        predictions: logits or log-probabilities, floating, shape (T, N, C), or (N, T, C) with time_major=False.
        targets: integer labels in [0, C), shape (N, S), other than `blank`; what is beyond a target's length may be any.
        input_lengths: how many frames of each sequence count, integers, shape (N,); or with lengths_are="paddings" 1 where
            a frame is padding and 0 elsewhere, shape (N, T).
        target_lengths: the same of labels: shape (N,) or (N, S), where padding stands at the end.
        blank: the class of no label.
        zero_infinity: an impossible alignment (more labels than frames) costs 0 rather than inf.
        log_epsilon: a finite number in the place of log 0, so that an impossible alignment costs about -log_epsilon, as
            in optax; None adds up exactly, and it costs inf with gradient NaN.
        lengths_are: "lengths", or "paddings" as optax has them.
        time_major: frames before samples.
        mean_per_label: the mean is of values divided by their targets' lengths.

    Returns:
        With reduction "none" shape (N,), else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, no frames, labels outside [0, C) or of the blank, lengths outside their range.
            Labels that cannot be seen (traced, or on an accelerator) give NaN where they are wrong.

    A target without labels costs the blanks of all frames.  Class probabilities below log_epsilon (or 1e-30, as
    logarithms) count as that.

    References:
        Graves, Fernandez, Gomez, Schmidhuber: Connectionist Temporal Classification: Labelling Unsegmented Sequence Data
        with Recurrent Neural Networks, ICML 2006.

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import ctc_loss
        >>> logits = np.zeros((2, 1, 3))  # two frames, of 9 class pairs: 1 1, 1 blank and blank 1 give the target
        >>> round(float(ctc_loss(logits, np.array([[1]]), np.array([2]), np.array([1]))), 4)
        1.0986
    """
    log_probs = ops.log_softmax(predictions if time_major else ops.swap_axes(predictions, 0, 1), -1)
    if lengths_are == "lengths":
        alive = ops.arange(log_probs.shape[0], targets)[:, None] < input_lengths[None, :]
        counted = ops.arange(targets.shape[1], targets)[None, :] < target_lengths[:, None]
    else:
        alive, counted = ops.swap_axes(input_lengths, 0, 1) == 0, target_lengths == 0
    lengths = ops.sum(ops.where(counted, 1, 0), 1)
    wrong = counted & ((targets < 0) | (targets >= log_probs.shape[2]) | (targets == blank))
    labels = ops.where(counted & (targets >= 0) & (targets < log_probs.shape[2]), targets, blank)
    log_zero = LOG_ZERO if log_epsilon is None else log_epsilon
    values = -alignment.ctc_forward(ops, log_probs, labels, alive, lengths, blank, log_zero)[0]
    if log_epsilon is None:
        impossible = values > -0.1 * LOG_ZERO
        values = ops.where(impossible, 0.0, values) if zero_infinity else values * ops.where(impossible, float("inf"), 1.0)
    values = ops.where(ops.sum(ops.where(wrong, 1, 0), 1) > 0, float("nan"), values)
    return values, Averaged(values / ops.cast(ops.maximum(lengths, 1), values)) if mean_per_label else None
