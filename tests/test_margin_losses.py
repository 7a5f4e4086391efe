"""Losses of errors, likelihoods, margins, ranks and sparse probabilities: the made one, names, what they refuse, what must hold."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_runs import MAKE, NAN, close, in_jax, in_torch, plain_torch

import lossopt
from lossopt import get_loss, losses, registry
from lossopt.errors import ArgumentError, HyperparameterError, InputError, LossoptError
from lossopt.losses import make_fenchel_young_loss
from lossopt.losses.spec import LossSpec

pytestmark = pytest.mark.usefixtures("x64")


# ------------------------------------------------------------------------------------------------- the factory
def gini(ops: Any, scores: Any) -> Any:
    """The largest over the simplex of p.x + sum p (1 - p) / 2, for two scores: half of the hinge that sparsemax_loss has."""
    first, second = scores[..., 0], scores[..., 1]
    gap = ops.minimum(ops.abs(first - second), 1.0)
    return 0.5 * (first + second) + 0.25 + 0.5 * ops.abs(first - second) - 0.25 * gap * (2 - gap)


@pytest.mark.parametrize("backend", MAKE)
def test_a_maximum_in_the_words_makes_a_loss_of_every_backend(backend: str) -> None:
    make = MAKE[backend]
    x, y = np.random.default_rng(0).normal(size=(7, 2)), np.random.default_rng(1).integers(0, 2, 7)
    made = make_fenchel_young_loss(gini)
    assert isinstance(made, LossSpec)
    close(made(make(x), make(np.eye(2)[y])), losses.multiclass_sparsemax_loss(x, y))
    close(made(make(x), make(np.eye(2)[y]), reduction="sum"), losses.multiclass_sparsemax_loss(x, y, reduction="sum"))
    close(get_loss("make_fenchel_young_loss", backend, max_fun=gini)(make(x), make(np.eye(2)[y])), losses.multiclass_sparsemax_loss(x, y))


def test_the_derivative_is_what_the_maximum_predicts_less_the_target() -> None:
    x, y = np.random.default_rng(0).normal(size=(7, 2)), np.random.default_rng(1).integers(0, 2, 7)
    made, hot = make_fenchel_young_loss(max_fun=gini, reduction="sum"), np.eye(2)[y]
    _, (wanted,) = in_jax(get_loss("multiclass_sparsemax_loss", reduction="sum"), (x, y))
    for found in (in_torch(made, (x, hot)), in_torch(plain_torch(made), (x, hot)), in_jax(made, (x, hot))):
        close(found[1][0], wanted, atol=1e-14)


def test_the_named_maxima_make_losses_that_have_names() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 3, 4)), np.random.default_rng(1).integers(0, 4, (2, 3))
    hot = np.eye(4)[y]
    close(make_fenchel_young_loss("logsumexp")(x, hot), losses.cross_entropy(x, y, axis=-1))
    close(make_fenchel_young_loss("max")(x, hot), losses.multiclass_perceptron_loss(x, y, axis=-1))
    assert make_fenchel_young_loss() == make_fenchel_young_loss("logsumexp") == get_loss("make_fenchel_young_loss")
    assert make_fenchel_young_loss("max", convention="optax")(x, hot).shape == (2, 3)


def test_a_made_loss_is_a_value_like_any_other() -> None:
    made = make_fenchel_young_loss("max")
    assert repr(made) == "make_fenchel_young_loss(max_fun='max')"
    assert repr(0.5 * made + losses.l2_loss) == "0.5 * make_fenchel_young_loss(max_fun='max') + 1 * l2_loss()"
    assert copy.deepcopy(made) == made and hash(made) == hash(copy.deepcopy(made)) and made != make_fenchel_young_loss()
    assert "make_fenchel_young_loss" in lossopt.list_losses("make*")
    static = jax.jit(lambda spec, x, t: spec(x, t), static_argnums=0)
    close(static(made, jnp.array([[1.0, 3.0]]), jnp.array([[1.0, 0.0]])), 2.0)


# ------------------------------------------------------------------------------------------------- what they refuse
X, T = np.zeros((2, 3)), np.ones((2, 3))
LABELS = np.array([0, 2])
REFUSED: list[tuple[str, Callable[[], Any], type[LossoptError], str]] = [
    ("0 and 1 for signs", lambda: losses.hinge_loss(X, X), InputError,
     "hinge_loss: targets must be 1 or -1, got 0 at index (0, 0); yours are 0 and 1: write 2 * targets - 1"),
    ("signs for 0 and 1", lambda: losses.sparsemax_loss(X, -T), InputError,
     "sparsemax_loss: targets must be 0 or 1, got -1 at index (0, 0); yours are -1 and 1: write (targets + 1) / 2"),
    ("soft signs", lambda: losses.soft_margin_loss(X, 0.5 * T), InputError,
     "soft_margin_loss: targets must be 1 or -1, got 0.5 at index (0, 0)"),
    ("neither sign nor 0", lambda: losses.hinge_loss(X, 2 * T, zero_is_negative=True), InputError,
     "hinge_loss: targets must be 1, -1 or 0, got 2 at index (0, 0)"),
    ("boolean signs", lambda: losses.perceptron_loss(X, X > 0), InputError,
     "perceptron_loss: targets must be integers or floating-point, got bool; write targets.astype(int)"),
    ("order of pairs", lambda: losses.margin_ranking_loss(X, X, X), InputError,
     "margin_ranking_loss: targets must be 1 (x1 ranks higher) or -1 (x2 does), got 0 at index (0, 0); yours are 0 and 1: "
     "write 2 * targets - 1"),
    ("pairs that broadcast", lambda: losses.margin_ranking_loss(X, X[0], T), InputError,
     "margin_ranking_loss: x1 and x2 must have the same shape, got (2, 3) and (3,), which would broadcast to (2, 3); "
     "if every entry is meant to repeat, write np.broadcast_to(x2, x1.shape)"),
    ("logits for probabilities", lambda: losses.binary_cross_entropy(X - 2, T), InputError,
     "binary_cross_entropy: predictions must be probabilities in [0, 1], got -2 at index (0, 0); of logits, write "
     "binary_cross_entropy_with_logits"),
    ("probabilities that are nan", lambda: losses.binary_cross_entropy(torch.tensor([0.5, NAN]), torch.ones(2)), InputError,
     "binary_cross_entropy: predictions must be probabilities in [0, 1], got nan at index (1,); of logits, write "
     "binary_cross_entropy_with_logits"),
    ("targets beyond 1", lambda: losses.binary_cross_entropy(X, 1.5 * T), InputError,
     "binary_cross_entropy: targets must be probabilities in [0, 1], got 1.5 at index (0, 0)"),
    ("a clip of a half", lambda: get_loss("binary_cross_entropy", clip=0.75), HyperparameterError,
     "binary_cross_entropy: clip must be in (0, 0.5], got 0.75"),
    ("a negative variance", lambda: losses.gaussian_nll_loss(X, X, X - 2), InputError,
     "gaussian_nll_loss: var must be positive or zero, got -2; of its logarithm, write exp(var)"),
    ("variances of another shape", lambda: losses.gaussian_nll_loss(X, X, np.ones(3)), InputError,
     "gaussian_nll_loss: var must have the shape of predictions, (2, 3), or 1 in the place of an axis, or no last axis, (2,), "
     "or be one number, (); got (3,)"),
    ("a variance that is no array", lambda: losses.gaussian_nll_loss(torch.zeros(2), torch.zeros(2), 1.0), InputError,
     "gaussian_nll_loss: var must be an array, got float; write numpy.asarray(var)"),
    ("counts that are words", lambda: losses.poisson_nll_loss(X, X > 0), InputError,
     "poisson_nll_loss: targets must be integers or floating-point, got bool; write targets.astype(int)"),
    ("a quantile of 1", lambda: get_loss("quantile_loss", quantile=1.0), HyperparameterError,
     "quantile_loss: quantile must be in (0, 1), got 1.0"),
    ("a quantile twice", lambda: get_loss("quantile_loss", quantile=0.5, q=0.5), ArgumentError,
     "quantile_loss() got quantile twice: as 'quantile' and as 'q'"),
    ("a third exponent", lambda: get_loss("multi_margin_loss", p=3), HyperparameterError, "multi_margin_loss: p must be 1 or 2, got 3"),
    ("too few class weights", lambda: losses.multi_margin_loss(X, LABELS, weight=[1.0]), InputError,
     "multi_margin_loss: weight must hold one number for each of the 3 classes, got shape (1,)"),
    ("floating sets of labels", lambda: losses.multilabel_margin_loss(X, X), InputError,
     "multilabel_margin_loss: targets must be integer class labels, filled up with -1, got float64; write targets.astype(int)"),
    ("short sets of labels", lambda: losses.multilabel_margin_loss(X, LABELS), InputError,
     "multilabel_margin_loss: predictions and targets must have the same shape, got (2, 3) and (2,); give both the same shape"),
    ("a label of no class", lambda: losses.multilabel_margin_loss(X, np.full((2, 3), 3)), InputError,
     "multilabel_margin_loss: targets has the label 3, but there are 3 classes, 0 to 2, and -1 ends a sample's labels"),
    ("labels for class probabilities", lambda: losses.safe_softmax_cross_entropy(X, LABELS), InputError,
     "safe_softmax_cross_entropy: targets must be floating-point, got int64; write targets.astype(float)"),
    ("a mask that enlarges", lambda: losses.ranking_softmax_loss(X, T, where=np.ones((2, 1, 3))), InputError,
     "ranking_softmax_loss: where of shape (2, 1, 3) does not broadcast to predictions, shape (2, 3); give it that shape or the last axis's"),
    ("a weight that enlarges", lambda: losses.mse_loss(X, T, weight=np.ones((4, 2, 3))), InputError,
     "mse_loss: weight of shape (4, 2, 3) does not broadcast to predictions, shape (2, 3); give it that shape or the last axis's"),
    ("a list of no items", lambda: losses.ranking_softmax_loss(np.zeros(()), np.zeros(())), InputError,
     "ranking_softmax_loss: predictions must have the items on the last axis, got shape (); write predictions.reshape((1, -1))"),
    ("no classes for several labels", lambda: losses.multilabel_soft_margin_loss(np.zeros(()), np.zeros(())), InputError,
     "multilabel_soft_margin_loss: predictions must have the classes on the last axis, got shape (); write predictions.reshape((1, -1))"),
    ("arrays for a maximum", lambda: make_fenchel_young_loss(X, T), ArgumentError,
     "make_fenchel_young_loss(max_fun) makes a loss, which takes the arrays: make_fenchel_young_loss(max_fun)(predictions, targets)"),
    ("an array for a maximum", lambda: make_fenchel_young_loss(X), ArgumentError,
     "make_fenchel_young_loss(max_fun) makes a loss, which takes the arrays: make_fenchel_young_loss(max_fun)(predictions, targets)"),
    ("a maximum twice", lambda: make_fenchel_young_loss(gini, max_fun=gini), ArgumentError,
     "make_fenchel_young_loss() got 'max_fun' twice"),
    ("a number for a maximum", lambda: make_fenchel_young_loss(3), HyperparameterError,
     "make_fenchel_young_loss: max_fun must be 'logsumexp' or 'max' or a function, got 3"),
    ("another word for a maximum", lambda: make_fenchel_young_loss("sum"), HyperparameterError,
     "make_fenchel_young_loss: max_fun must be 'logsumexp' or 'max' or a function, got 'sum'"),
    ("a maximum that keeps the axis", lambda: make_fenchel_young_loss(lambda ops, s: ops.max(s, -1, keepdims=True))(X, T), InputError,
     "make_fenchel_young_loss: max_fun gave shape (2, 1) for predictions of shape (2, 3); it must drop the last axis, (2,)"),
    ("scores without an axis", lambda: make_fenchel_young_loss()(np.zeros(()), np.zeros(())), InputError,
     "make_fenchel_young_loss: predictions must have the scores on the last axis, got shape (); write predictions.reshape((1, -1))"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "error", "message"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_mistake_is_refused_with_a_remedy(make: Callable[[], Any], error: type[LossoptError], message: str) -> None:
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == message


# ------------------------------------------------------------------------------------------------- names
@pytest.mark.parametrize(("alias", "name"), [
    ("torch.nn.PoissonNLLLoss", "poisson_nll_loss"), ("keras.losses.Poisson", "poisson_nll_loss"), ("GaussianNLLLoss", "gaussian_nll_loss"),
    ("log_cosh", "log_cosh_loss"), ("LogCosh", "log_cosh_loss"), ("pinball_loss", "quantile_loss"), ("BCELoss", "binary_cross_entropy"),
    ("BinaryCrossentropy", "binary_cross_entropy"), ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits"), ("Hinge", "hinge_loss"),
    ("CategoricalHinge", "multiclass_hinge_loss"), ("optax.losses.hinge_loss", "hinge_loss"), ("MultiMarginLoss", "multi_margin_loss"),
    ("HingeEmbeddingLoss", "hinge_embedding_loss"), ("MarginRankingLoss", "margin_ranking_loss"), ("SoftMarginLoss", "soft_margin_loss"),
    ("MultiLabelMarginLoss", "multilabel_margin_loss"), ("MultiLabelSoftMarginLoss", "multilabel_soft_margin_loss"),
    ("optax.l2_loss", "l2_loss"), ("optax.losses.safe_softmax_cross_entropy", "safe_softmax_cross_entropy"),
])  # fmt: skip
def test_names_that_people_type(alias: str, name: str) -> None:
    assert registry.definition(alias, "loss").name == name


# ------------------------------------------------------------------------------------------------- what must hold
SCORES = st.integers(0, 2**31 - 1).map(lambda seed: np.random.default_rng(seed).normal(size=(6, 4)) * 2)
PICKED = st.lists(st.integers(0, 3), min_size=6, max_size=6).map(np.array)
few = settings(max_examples=30, deadline=None)
OF_LABELS = ("multi_margin_loss", "multiclass_hinge_loss", "multiclass_perceptron_loss", "multiclass_sparsemax_loss", "poly_loss_cross_entropy")


@few
@given(SCORES, PICKED, st.floats(-1e3, 1e3))
def test_a_shift_of_all_scores_changes_nothing(x: Any, y: Any, shift: float) -> None:
    for name in OF_LABELS:
        close(get_loss(name)(x + shift, y), get_loss(name)(x, y), rtol=1e-9, atol=1e-11)
    hot = np.eye(4)[y]
    for name in ("safe_softmax_cross_entropy", "make_fenchel_young_loss", "ranking_softmax_loss"):
        close(get_loss(name)(x + shift, hot), get_loss(name)(x, hot), rtol=1e-9, atol=1e-11)


@few
@given(SCORES, PICKED, st.permutations(range(6)), st.permutations(range(4)))
def test_order_of_samples_and_of_classes_does_not_matter(x: Any, y: Any, rows: list[int], classes: list[int]) -> None:
    place = np.argsort(classes)
    for name in OF_LABELS:
        close(get_loss(name)(x[rows][:, classes], place[y[rows]]), get_loss(name)(x, y), atol=1e-14)
    hot = np.eye(4)[y]
    for name in ("safe_softmax_cross_entropy", "ranking_softmax_loss", "multilabel_soft_margin_loss"):
        close(get_loss(name)(x[rows][:, classes], hot[rows][:, classes]), get_loss(name)(x, hot), atol=1e-14)


@few
@given(SCORES, SCORES, st.floats(0.01, 0.99))
def test_errors_are_symmetric(x: Any, t: Any, q: float) -> None:
    close(losses.l2_loss(x, t), losses.l2_loss(t, x))
    close(losses.l2_loss(x, t), 0.5 * losses.mse_loss(x, t))
    close(losses.log_cosh_loss(x, t), losses.log_cosh_loss(t, x))
    close(losses.quantile_loss(x, t, quantile=q), losses.quantile_loss(t, x, quantile=1 - q))
    close(losses.quantile_loss(x, t), 0.5 * losses.l1_loss(x, t))


@few
@given(SCORES, PICKED)
def test_one_loss_under_another_name(x: Any, y: Any) -> None:
    signs, hot, several = np.where(x[::-1] > 0, 1, -1), np.eye(4)[y], np.full((6, 4), -1)
    several[:, 0] = y
    close(losses.soft_margin_loss(x, signs), losses.binary_cross_entropy_with_logits(x, (signs + 1) / 2))
    close(losses.multilabel_soft_margin_loss(x, hot), losses.binary_cross_entropy_with_logits(x, hot))
    close(losses.binary_cross_entropy(1 / (1 + np.exp(-x)), hot), losses.binary_cross_entropy_with_logits(x, hot), rtol=1e-9)
    close(losses.multilabel_margin_loss(x, several), losses.multi_margin_loss(x, y))
    close(losses.margin_ranking_loss(x, np.zeros_like(x), signs, margin=1.0), losses.hinge_loss(x, signs))
    close(losses.safe_softmax_cross_entropy(x, hot), losses.cross_entropy(x, y))
    close(losses.poly_loss_cross_entropy(x, y, epsilon=0.0), losses.cross_entropy(x, y))
    close(losses.poly_loss_cross_entropy(x, hot), losses.poly_loss_cross_entropy(x, y))
    close(losses.ranking_softmax_loss(x, hot), losses.cross_entropy(x, y))
    two = np.stack([np.zeros(24), x.ravel()], 1)
    close(losses.sparsemax_loss(x.ravel(), signs.ravel() > 0), losses.multiclass_sparsemax_loss(two, (signs.ravel() > 0).astype(int)), atol=1e-14)
    close(losses.hinge_loss(x, (signs + 1) // 2, zero_is_negative=True), losses.hinge_loss(x, signs))


@few
@given(SCORES, PICKED)
def test_margins_order_the_losses_of_labels(x: Any, y: Any) -> None:
    perceptron, hinge, sparse = (get_loss(f"multiclass_{n}_loss", reduction="none")(x, y) for n in ("perceptron", "hinge", "sparsemax"))
    assert (perceptron <= sparse + 1e-12).all() and (sparse <= hinge + 1e-12).all()
    margin = x[np.arange(6), y] - np.where(np.eye(4)[y] == 1, -np.inf, x).max(1)
    np.testing.assert_array_equal(np.abs(sparse) < 1e-12, margin >= 1 - 1e-6)
    np.testing.assert_array_equal(hinge == 0, margin >= 1)


@few
@given(SCORES, st.integers(0, 2**31 - 1))
def test_items_that_are_not_there_may_as_well_be_cut_off(x: Any, seed: int) -> None:
    grades = np.random.default_rng(seed).integers(0, 5, (6, 4))
    there = np.array([True, True, True, False])
    close(losses.ranking_softmax_loss(x, grades, where=there), losses.ranking_softmax_loss(x[:, :3], grades[:, :3]))
    share = grades / np.maximum(grades.sum(1, keepdims=True), 1)
    close(losses.poly_loss_cross_entropy(x, share, where=there), losses.poly_loss_cross_entropy(x[:, :3], share[:, :3]))
