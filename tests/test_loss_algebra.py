"""Losses are values that add, scale and are called; and one loss is another's, shifted, permuted or under another name."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_runs import BACKENDS, MAKE, close, everywhere, in_jax, in_torch

import lossopt
import lossopt_numpy.losses
from lossopt import get_loss, losses
from lossopt.losses.spec import LossSum

pytestmark = pytest.mark.usefixtures("x64")


# ------------------------------------------------------------------------------------------------- algebra
@lossopt.loss
def ratio_loss(ops: Any, predictions: Any, targets: Any, *, scale: float = 1.0) -> Any:
    """A user's loss: the absolute logarithm of the ratio."""
    return scale * ops.abs(ops.log(predictions) - ops.log(targets))


@lossopt.loss
def weighted_square(ops: Any, predictions: Any, targets: Any, sizes: Any) -> Any:
    """A user's loss with a third input and a weighted mean."""
    return sizes * (predictions - targets) ** 2, sizes


def test_a_users_loss_works_in_every_backend() -> None:
    x, t, n = np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 1.0])
    for backend in BACKENDS:
        make = MAKE[backend]
        close(ratio_loss(make(x), make(t), scale=3.0), 2 * np.log(2))
        close(get_loss("ratio_loss", backend, reduction="sum")(make(x), make(t)), 2 * np.log(2))
        close(weighted_square(make(x), make(t), make(n)), (2 * 1 + 1 * 4) / 4)
    for _, (grad,) in everywhere("ratio_loss", (x, t), reduction="sum").values():
        close(grad, [0.0, 0.5, 0.25])  # 0 where the two are equal


@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_losses_add_and_scale_before_and_after_get_loss(backend: str | None) -> None:
    make = MAKE[backend or "numpy"]
    logits, labels = make(np.random.default_rng(0).normal(size=(6, 3))), make(np.array([0, 1, 2, 0, 1, 2]))
    parts = float(losses.cross_entropy(logits, labels)), float(losses.focal_loss(logits, labels))
    from_pages = get_loss(0.5 * losses.cross_entropy + 0.5 * losses.focal_loss, backend)
    from_names = 0.5 * get_loss("cross_entropy", backend) + get_loss("focal_loss", backend) * 0.5
    assert isinstance(from_pages, LossSum) and isinstance(from_names, LossSum)
    for combined in (from_pages, from_names):
        close(combined(logits, labels), 0.5 * sum(parts))
        close(combined(predictions=logits, targets=labels), 0.5 * sum(parts))
    close(sum([get_loss("cross_entropy"), get_loss("focal_loss")])(logits, labels), sum(parts))
    assert repr(from_pages) == "0.5 * cross_entropy() + 0.5 * focal_loss()"


def test_a_sum_of_losses_trains_alike_in_both_frameworks() -> None:
    combined = losses.dice_loss + 0.5 * get_loss("cross_entropy", weight=[1.0, 2.0])
    logits, labels = np.random.default_rng(0).normal(size=(2, 2, 5)), np.array([[0, 1, 0, 1, 1], [1, 0, 0, 1, 0]])
    close(in_torch(combined, (logits, labels))[1][0], in_jax(combined, (logits, labels))[1][0])


def test_a_call_may_change_hyperparameters_in_any_spelling() -> None:
    logits, labels = np.random.default_rng(0).normal(size=(4, 3)), np.array([0, 1, 2, 2])
    spec = get_loss("cross_entropy", weight=[1.0, 2.0, 3.0])
    close(spec(logits, labels, class_weight=[3.0, 2.0, 1.0]), losses.cross_entropy(logits, labels, [3.0, 2.0, 1.0]))
    close(spec(logits, labels, reduction="sum"), get_loss("cross_entropy", reduction="sum", weight=[1.0, 2.0, 3.0])(logits, labels))


def test_a_loss_is_a_value_that_can_be_a_static_argument_of_jit() -> None:
    step = jax.jit(lambda spec, x, t: spec(x, t), static_argnums=0)
    x, t = jnp.ones(3), jnp.zeros(3)
    close(step(get_loss("huber_loss", delta=0.5), x, t), 0.375)
    close(step(get_loss("huber_loss", delta=2.0), x, t), 0.5)
    assert step._cache_size() == 2
    close(step(get_loss("huber_loss", delta=2.0), x, t), 0.5)
    assert step._cache_size() == 2
    weighted = get_loss("cross_entropy", weight=np.ones(2))
    assert weighted == weighted.bind(None) and weighted != get_loss("cross_entropy", weight=np.ones(3)) and weighted != 1


# ------------------------------------------------------------------------------------------------- properties
LOGITS = st.integers(0, 2**31 - 1).map(lambda seed: np.random.default_rng(seed).normal(size=(6, 4)) * 5)
LABELS = st.lists(st.integers(0, 3), min_size=6, max_size=6).map(np.array)
few = settings(max_examples=40, deadline=None)


@few
@given(LOGITS, LABELS, st.floats(-1e3, 1e3), st.floats(0, 1))
def test_cross_entropy_does_not_see_a_shift_of_all_logits(logits: Any, labels: Any, shift: float, smoothing: float) -> None:
    options = {"label_smoothing": smoothing, "reduction": "none"}
    close(losses.cross_entropy(logits + shift, labels, **options), losses.cross_entropy(logits, labels, **options), rtol=1e-9, atol=1e-11)


@few
@given(LOGITS, LABELS, st.permutations(range(6)), st.permutations(range(4)))
def test_order_of_samples_and_of_classes_does_not_matter(logits: Any, labels: Any, rows: list[int], classes: list[int]) -> None:
    weight, place = np.array([1.0, 2.0, 0.5, 3.0]), np.argsort(classes)
    for loss in (losses.cross_entropy, losses.focal_loss):
        name = "weight" if loss is losses.cross_entropy else "alpha"
        whole = loss(logits, labels, **{name: weight})
        close(loss(logits[rows], labels[rows], **{name: weight}), whole)
        close(loss(logits[:, classes], place[labels], **{name: weight[classes]}), whole)


@few
@given(LOGITS, LABELS, st.floats(0, 0.5))
def test_labels_are_one_hot_probabilities(logits: Any, labels: Any, smoothing: float) -> None:
    hot = np.eye(4)[labels]
    close(losses.cross_entropy(logits, hot, label_smoothing=smoothing), losses.cross_entropy(logits, labels, label_smoothing=smoothing))
    close(losses.focal_loss(logits, labels, gamma=0.0), losses.cross_entropy(logits, labels))
    shaped = logits.reshape(2, 4, 3), labels.reshape(2, 3)
    masks = np.moveaxis(np.eye(4)[shaped[1]], -1, 1)
    close(losses.dice_loss(*shaped), losses.dice_loss(shaped[0], masks))
    close(losses.dice_ce_loss(*shaped), losses.dice_loss(*shaped) + losses.cross_entropy(*shaped))


@few
@given(LOGITS, st.floats(1e-3, 10))
def test_huber_is_delta_times_smooth_l1(x: Any, delta: float) -> None:
    close(losses.huber_loss(x, x[::-1], delta=delta), delta * losses.smooth_l1_loss(x, x[::-1], beta=delta))


@few
@given(LOGITS, LABELS)
def test_cross_entropy_is_nll_of_log_softmax(logits: Any, labels: Any) -> None:
    close(losses.nll_loss(lossopt_numpy.losses.words.log_softmax(logits, 1), labels), losses.cross_entropy(logits, labels))
