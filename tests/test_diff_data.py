"""The batches in `lossopt diff`: what two loops tell of them is seldom told in one way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lossopt.diff import diff
from lossopt.recording import Parameter, Recording, RunInfo, Step
from lossopt.recording.contents import checksum

RNG = np.random.default_rng(0)
STEPS = 8
INPUTS = [RNG.normal(size=(16, 5)).astype(np.float32) for _ in range(STEPS)]
LABELS = [RNG.integers(0, 3, 16) for _ in range(STEPS)]
ONE_HOT = [np.eye(3, dtype=np.float32)[y] for y in LABELS]
APART = 1 + 1e-4 * np.arange(STEPS)
"""Of losses: equal at first, and then by more than rounding."""


def told(label: str, *arrays: Sequence[np.ndarray], loss: Sequence[float] = (1.0,) * STEPS) -> Recording:
    """A run of equal weights that says of its data what the arrays are, step for step."""
    steps = tuple(Step(t, float(loss[t]), batch=tuple(checksum(x[t]) for x in arrays)) for t in range(STEPS))
    return Recording(RunInfo("torch", (Parameter("weight", (2,)),)), steps, (0,), {0: {"param/weight": np.ones(2)}}.__getitem__, label)


OTHER_WAY = "the batches are written in another way (labels as numbers or as one-hot rows, another scale); the loss is the same"
OF_B = "a batch has 1 array in a and 2 in b, and what both tell is compared; run.labels(y) in a tells its labels"

WAYS = {
    "labels in one run": ([INPUTS], [INPUTS, LABELS], OF_B),
    "labels in one run, and first": ([INPUTS], [LABELS, INPUTS], OF_B),
    "labels as rows": ([INPUTS, LABELS], [INPUTS, ONE_HOT], OTHER_WAY),
    "the axes of images": ([[x.reshape(16, 5, 1) for x in INPUTS], LABELS], [[x.T for x in INPUTS], LABELS],
                           "the samples of a batch, or its axes, stand in another order; the loss is the same"),
}  # fmt: skip


@pytest.mark.parametrize(("of_a", "of_b", "note"), WAYS.values(), ids=WAYS)
def test_what_is_told_in_another_way_is_no_difference_later_either(of_a, of_b, note):
    """The losses part by their own: the first step says how the batches belong together, and the later ones cannot."""
    data = next(o for o in diff(told("a", *of_a), told("b", *of_b, loss=APART)).outcomes if o.link == "data")
    assert (data.finding, data.notes, data.compared) == (None, (note,), STEPS)


@pytest.mark.parametrize(("of_a", "of_b", "note"), WAYS.values(), ids=WAYS)
def test_what_both_tell_is_compared_to_the_end(of_a, of_b, note):
    """The inputs of step 5 are others."""
    other = [[*arrays[:5], np.flip(arrays[5]) + 1, *arrays[6:]] for arrays in of_b]
    found = diff(told("a", *of_a), told("b", *other, loss=APART))
    data = next(o for o in found.outcomes if o.link == "data")
    assert data.finding is not None and data.finding.step == 5


def test_labels_that_one_run_does_not_tell_do_not_hide_another_loss():
    found = diff(told("a", INPUTS), told("b", INPUTS, LABELS, loss=1.5 * APART))
    assert found.first is not None and found.first.link == "loss"


def test_batches_of_which_nothing_is_written_alike_are_not_compared():
    data = next(o for o in diff(told("a", INPUTS), told("b", [3 * x for x in INPUTS], loss=APART)).outcomes if o.link == "data")
    assert (data.finding, data.compared, data.looked) == (None, 0, "no array of a batch is written alike in both recordings")
    assert data.notes == (OTHER_WAY,)


def test_a_run_that_begins_later_is_lined_up_although_one_tells_no_labels():
    found = diff(told("a", INPUTS), told("b", [*INPUTS[1:], INPUTS[0]], [*LABELS[1:], LABELS[0]], loss=1.5 * APART))
    assert found.first is not None and found.first.finding.told == "b begins 1 batch later than a"


def test_other_inputs_are_told_although_one_run_tells_no_labels():
    other = [x + 1 for x in INPUTS]
    found = diff(told("a", INPUTS), told("b", other, LABELS, loss=1.5 * APART))
    assert found.first is not None and (found.first.link, found.first.finding.step) == ("data", 0)
    assert found.first.finding.told == "a batch has 1 array in a and 2 in b, and none of them is the same"
