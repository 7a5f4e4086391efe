"""Connectionist temporal classification: what ctc_loss and its forward probabilities share, the inputs and the algorithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossopt.errors import InputError
from lossopt.losses.shared import checks
from lossopt.losses.shared.parts import shape_of
from lossopt.ops import Array, LossOps, Number


def ctc_forward(ops: LossOps, log_probs: Array, labels: Array, alive: Array, lengths: Array, blank: int,
                log_zero: Number) -> tuple[Array, Array, Array]:  # fmt: skip
    """The log-probability of each label sequence, and of its prefixes after every frame.

    After frame t, ``after_blank[t, b, n]`` is the log-probability of having said the first n labels and ended on a blank
    (before the first frame: nothing said), ``after_label[t, b, n]`` of having ended on label n, counted from 0.  After the
    last frame the first takes in the second, as it may end on either.  A frame that is not `alive` changes nothing.

    Args:
        log_probs: shape (T, B, C).
        labels: shape (B, S), every one a class.
        alive: shape (T, B), true or false.
        lengths: how many labels of each sequence count, shape (B,).
        log_zero: the finite number that stands for log 0.
    """
    last = log_probs.shape[0] - 1
    emitted = ops.clamp_min(ops.gather(log_probs, labels[None], 2), log_zero)
    blanks = ops.clamp_min(log_probs[:, :, blank : blank + 1], log_zero)
    # A label that repeats the one before it needs a blank between them.
    needs_blank = ops.concat([labels[:, :-1] == labels[:, 1:], labels[:, -1:] != labels[:, -1:]], 1)
    none_yet, nothing = ops.zeros_like(emitted[0]) + log_zero, ops.zeros_like(blanks[0])
    freely, after_gap = ops.where(needs_blank, none_yet, 0.0), ops.where(needs_blank, 0.0, none_yet)

    def reach(after_blank: Array, more: Array) -> Array:
        return ops.concat([after_blank[:, :1], ops.logaddexp(after_blank[:, 1:], more)], 1)

    def frame(before: tuple[Array, Array], seen: tuple[Array, Array, Array]) -> Any:
        (after_blank, after_label), (label, gap, live) = before, seen
        ready = reach(after_blank, after_label + freely)
        next_label = ops.logaddexp(ready[:, :-1], after_label) + label
        next_blank = reach(ready + gap, after_label + gap + after_gap)
        after = ops.where(live[:, None], next_blank, after_blank), ops.where(live[:, None], next_label, after_label)
        return after, after

    start = ops.concat([nothing, none_yet], 1), none_yet
    _, (after_blank, after_label) = ops.scan(frame, start, (emitted, blanks, alive))
    ended = reach(after_blank[last], after_label[last])
    total = ops.gather(ended, lengths[:, None], 1)[:, 0]
    return total, ops.concat([after_blank[:last], ended[None]], 0), after_label


# ------------------------------------------------------------------------------------------------- the inputs
def ctc_inputs(ops: LossOps, predictions: Array, targets: Array, input_lengths: Array, target_lengths: Array, *, blank: int,
               lengths_are: str, time_major: bool, zero_infinity: bool, log_epsilon: float | None, **_: Any) -> None:  # fmt: skip
    """Scores of every frame, a row of labels for each sequence, and how many of both count."""
    if zero_infinity and log_epsilon is not None:
        raise InputError("with log_epsilon no alignment costs inf, so that zero_infinity has nothing to do; leave one of them out")
    checks.floating(predictions=predictions)
    shape, labels = shape_of(predictions), shape_of(targets)
    named = "(T, N, C)" if time_major else "(N, T, C)"
    if len(shape) != 3 or shape[2] == 0 or shape[0 if time_major else 1] == 0:
        raise InputError(f"predictions must have shape {named} with at least one frame and one class, got {shape}")
    frames, batch = shape[:2] if time_major else (shape[1], shape[0])
    if not checks.is_integer(targets):
        raise InputError(f"targets must be integer labels, got {checks.dtype_of(targets)}; write {checks.to_integer('targets', targets)}")
    if len(labels) != 2 or labels[0] != batch:
        raise InputError(f"targets must hold a row of labels for each of the {batch} sequences, shape ({batch}, S), got {labels}"
                         "; pad sequences that stand end to end")  # fmt: skip
    if blank >= shape[2]:
        raise InputError(f"blank={blank} is none of the {shape[2]} classes, 0 to {shape[2] - 1}")
    for name, given, most in (("input_lengths", input_lengths, frames), ("target_lengths", target_lengths, labels[1])):
        want = (batch,) if lengths_are == "lengths" else (batch, most)
        if shape_of(given) != want:
            other = "paddings" if lengths_are == "lengths" else "lengths"
            remedy = f"; of {other} write lengths_are={other!r}" if len(shape_of(given)) == 3 - len(want) else ""
            raise InputError(f"{name} must have shape {want}, got {shape_of(given)}{remedy}")
        if lengths_are == "lengths":
            _lengths_within(ops, name, given, most)
        else:
            _zero_or_one(ops, name, given)
    _labels_within(ops, targets, target_lengths, shape[2], blank, lengths_are)


def _lengths_within(ops: LossOps, name: str, lengths: Array, most: int) -> None:
    if not checks.is_integer(lengths):
        raise InputError(f"{name} must be integers, got {checks.dtype_of(lengths)}; write {checks.to_integer(name, lengths)}")
    seen = ops.seen(lengths)
    if seen is not None and seen.size and (seen.min() < 0 or seen.max() > most):
        raise InputError(f"{name} must be from 0 to {most}, got {int(seen.min() if seen.min() < 0 else seen.max())}")


def _zero_or_one(ops: LossOps, name: str, paddings: Array) -> None:
    seen = ops.seen(paddings)
    if seen is not None and ((seen != 0) & (seen != 1)).any():
        raise InputError(f"{name} must be 1 where there is padding and 0 elsewhere, got {seen[(seen != 0) & (seen != 1)][0].item():g}")


def _labels_within(ops: LossOps, targets: Array, target_lengths: Array, classes: int, blank: int, lengths_are: str) -> None:
    """Every label that counts and can be seen is a class and not the blank; padding may be any number."""
    seen, lengths = ops.seen(targets), ops.seen(target_lengths)
    if seen is None or lengths is None:
        return
    counted = np.arange(seen.shape[1]) < lengths[:, None] if lengths_are == "lengths" else lengths == 0
    wrong = counted & ((seen < 0) | (seen >= classes) | (seen == blank))
    if wrong.any():
        n, place = (int(i) for i in np.argwhere(wrong)[0])
        label = int(seen[n, place])
        told = "which is the blank" if label == blank else f"but there are {classes} classes, 0 to {classes - 1}"
        raise InputError(f"targets has the label {label} at index {(n, place)}, {told}")
