"""Losses found from recorded logits, labels and values, whatever made them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lossopt import get_loss
from lossopt.identify.losses import identify_loss
from lossopt.recording import Recording, RunInfo, Step

CLASSES, BATCH, STEPS = 10, 32, 16


def recorded(loss: Any, targets: str = "labels", factor: float = 1.0, logits: bool = True) -> Recording:
    rng, arrays, steps = np.random.default_rng(0), [], []
    for t in range(STEPS):
        x = 2 * rng.normal(size=(BATCH, CLASSES)).astype(np.float32)
        y = rng.normal(size=x.shape).astype(np.float32)
        y = {"labels": rng.integers(0, CLASSES, BATCH), "real": y, "binary": (y > 0).astype(np.float32)}[targets]
        arrays.append({"logits/0": x, "labels/0": y} if logits else {})
        steps.append(Step(t, loss=float(np.float32(factor) * np.float32(loss(x, y)))))
    return Recording(RunInfo("torch", ()), tuple(steps), tuple(range(STEPS)), lambda step: arrays[step])


TABLE = [
    ("cross_entropy", {}, "labels"),
    ("cross_entropy", {"reduction": "sum"}, "labels"),
    ("cross_entropy", {"label_smoothing": 0.1}, "labels"),
    ("cross_entropy", {"ignore_index": 3}, "labels"),
    ("cross_entropy", {"ignore_index": 3, "label_smoothing": 0.05}, "labels"),
    ("focal_loss", {"gamma": 1.5}, "labels"),
    ("multi_margin_loss", {"margin": 0.7}, "labels"),
    ("poly_loss_cross_entropy", {"epsilon": 1.3}, "labels"),
    ("mse_loss", {}, "real"),
    ("l2_loss", {}, "real"),
    ("l1_loss", {"reduction": "sum"}, "real"),
    ("huber_loss", {"delta": 0.3}, "real"),
    ("smooth_l1_loss", {"beta": 0.5}, "real"),
    ("binary_cross_entropy_with_logits", {}, "binary"),
    ("sigmoid_focal_loss", {"alpha": 0.4, "gamma": 3.0}, "binary"),
]


@pytest.mark.parametrize(("name", "options", "targets"), TABLE, ids=[f"{n}{o or ''}" for n, o, _ in TABLE])
def test_the_loss_is_named_with_its_hyperparameters(name, options, targets):
    best = identify_loss(recorded(get_loss(name, **options), targets)).best
    assert best is not None and best.factor == 1
    assert (best.spec.definition.name, best.spec.reduction) == (name, options.get("reduction", "mean"))
    found = {k: best.spec.hyperparameters[k] for k in options if k != "reduction"}
    assert found == {k: pytest.approx(v, rel=1e-3) for k, v in options.items() if k != "reduction"}


def test_class_weights_are_found_up_to_their_common_factor():
    weights = np.linspace(0.5, 2.0, CLASSES)
    best = identify_loss(recorded(get_loss("cross_entropy", weight=tuple(weights)))).best
    assert best is not None
    np.testing.assert_allclose(best.spec.hyperparameters["weight"], weights / 2.0, rtol=1e-3)


def test_a_loss_divided_for_accumulation_is_a_loss_times_a_number():
    found = identify_loss(recorded(get_loss("cross_entropy"), factor=0.25))
    assert str(found.best) == "0.25 * cross_entropy(reduction='mean')"


def test_what_is_no_loss_here_is_not_given_a_name():
    found = identify_loss(recorded(lambda x, y: np.abs(x).mean() ** 0.3))
    assert found.best is None and str(found).startswith("loss: not identified (no loss of lossopt has these values; the nearest is ")


def test_without_logits_it_says_what_was_missing():
    found = identify_loss(recorded(get_loss("cross_entropy"), logits=False))
    assert str(found) == "loss: not identified (no logits were recorded; record with logits and labels)"


def test_it_is_told_as_data():
    told = identify_loss(recorded(get_loss("mse_loss"), "real")).to_dict()
    assert told["identified"] == "mse_loss(reduction='mean')" and told["ranking"][0]["exact"]
