"""Connectionist temporal classification, by the sum over every alignment."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from published_losses import Values


def _alignments(frames: int, labels: list[int], blank: int) -> Iterator[list[int]]:
    """Graves et al. 2006, section 3.1: the sequences of `frames` classes that B maps to `labels`."""
    said = sorted({blank, *labels})
    for sequence in itertools.product(said, repeat=frames):
        merged = [k for k, _ in itertools.groupby(sequence)]
        if [k for k in merged if k != blank] == labels:
            yield list(sequence)


def ctc_loss(predictions: Any, targets: Any, frames: Any, counts: Any, *, blank: int, zero_infinity: bool, log_epsilon: Any,
             lengths_are: str, time_major: bool, mean_per_label: bool) -> Values:  # fmt: skip
    """Equation 3, and minus its logarithm."""
    if not time_major:
        predictions = np.swapaxes(predictions, 0, 1)
    if lengths_are == "paddings":
        frames, counts = (1 - frames).sum(1), (1 - counts).sum(1)
    values, lengths = [], []
    for n, (said, labels) in enumerate(zip(frames, counts, strict=True)):
        p = np.exp(predictions[:, n]) / np.exp(predictions[:, n]).sum(-1, keepdims=True)
        ways = _alignments(int(said), targets[n, : int(labels)].tolist(), blank)
        total = sum(math.prod(p[t, k] for t, k in enumerate(way)) for way in ways)
        values.append(-math.log(total) if total else 0.0 if zero_infinity else math.inf)
        lengths.append(max(1, int(labels)) if mean_per_label else 1)
    mean = np.mean(np.array(values) / lengths)
    return np.array(values), float(np.sum(values) / mean)


PUBLISHED: Mapping[str, Callable[..., Values]] = {"ctc_loss": ctc_loss}
