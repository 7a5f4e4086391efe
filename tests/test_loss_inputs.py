"""Sizes down to nothing, labels and targets that mean nothing (NaN where they cannot be read), and weights of elements."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from loss_runs import BACKENDS, MAKE, NAN, close

from lossopt import get_loss, losses, registry
from lossopt.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")


# ------------------------------------------------------------------------------------------------- sizes
ELEMENTWISE = ["l2_loss", "log_cosh_loss", "poisson_nll_loss", "quantile_loss", "binary_cross_entropy", "soft_margin_loss", "hinge_loss",
               "perceptron_loss", "sparsemax_loss", "hinge_embedding_loss"]  # fmt: skip
LABELLED = ["multi_margin_loss", "multiclass_hinge_loss", "multiclass_perceptron_loss", "multiclass_sparsemax_loss", "poly_loss_cross_entropy"]
BY_ROW = ["multilabel_soft_margin_loss", "safe_softmax_cross_entropy", "make_fenchel_young_loss", "ranking_softmax_loss"]


@pytest.mark.parametrize("backend", MAKE)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_one_number_and_none(name: str, backend: str) -> None:
    one, none = (MAKE[backend](np.ones(shape)) for shape in ((), (0, 3)))
    assert get_loss(name)(one, one).shape == ()
    assert get_loss(name, reduction="none")(none, none).shape == (0, 3)
    assert float(get_loss(name, reduction="sum")(none, none)) == 0.0


@pytest.mark.parametrize("backend", MAKE)
@pytest.mark.parametrize("name", [*LABELLED, *BY_ROW, "multilabel_margin_loss"])
def test_one_sample_and_none(name: str, backend: str) -> None:
    make, by_label = MAKE[backend], name in LABELLED

    def loss(batch: tuple[int, ...], reduction: str) -> Any:
        whole = by_label or name == "multilabel_margin_loss"
        targets = np.zeros(batch if by_label else (*batch, 3), np.int64 if whole else np.float64)
        return get_loss(name, reduction=reduction)(make(np.ones((*batch, 3))), make(targets))

    assert loss((), "none").shape == ()
    assert loss((1,), "none").shape == (1,)
    assert loss((0,), "none").shape == (0,)
    assert float(loss((0,), "sum")) == 0.0


# ------------------------------------------------------------------------------------------------- labels
UNSEEN = [
    ("cross_entropy", {}),
    ("cross_entropy", {"label_smoothing": 0.1, "weight": [1.0, 2.0, 3.0]}),
    ("nll_loss", {}),
    ("focal_loss", {"alpha": [1.0, 2.0, 3.0]}),
    ("dice_loss", {}),
    ("dice_ce_loss", {}),
]


@pytest.mark.parametrize("bad", [-1, 3, 255, -100])
@pytest.mark.parametrize(("name", "options"), UNSEEN, ids=[u[0] + ("+" if u[1] else "") for u in UNSEEN])
def test_an_unseen_label_of_no_class_gives_nan_never_another_class(name: str, options: dict[str, Any], bad: int) -> None:
    if "ignore_index" in registry.definition(name, "loss").defaults:
        options = {**options, "ignore_index": None}
    spec = get_loss(name, reduction="none", **options)
    logits, labels = np.random.default_rng(0).normal(size=(2, 3, 4)), np.array([[0, 1, bad, 2], [0, 1, 2, 0]])
    wrong = np.isnan(np.asarray(jax.jit(spec)(logits, labels)))
    assert wrong.any() and wrong[0].any() and not wrong[1].any()
    words = torch.func.vmap(lambda x, y: spec(x[None], y[None])[0])(torch.tensor(logits), torch.tensor(labels))
    np.testing.assert_array_equal(np.isnan(words.numpy()), wrong)
    with pytest.raises(InputError, match=f"the label {bad}"):
        spec(logits, labels)


@pytest.mark.parametrize(("name", "bad"), [("cosine_embedding_loss", 0), ("contrastive_loss", 2)])
def test_an_unseen_pair_target_of_no_meaning_gives_nan(name: str, bad: int) -> None:
    a, b = np.ones((2, 3)), np.zeros((2, 3))
    spec, targets = get_loss(name, reduction="none"), np.array([1, bad])
    assert np.isnan(np.asarray(jax.jit(spec)(a, b, targets))).tolist() == [False, True]


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss", "focal_loss"])
def test_ignored_labels_count_nowhere_even_as_small_integers(name: str) -> None:
    logits = np.log(np.array([[0.5, 0.5], [0.25, 0.75], [0.1, 0.9]]))
    labels = np.array([0, -100, 1])
    for backend in BACKENDS:
        make = MAKE[backend]
        kept = get_loss(name)(make(logits[[0, 2]]), make(labels[[0, 2]]))
        close(get_loss(name)(make(logits), make(labels)), kept)
        close(get_loss(name)(make(logits), make(labels.astype(np.int8))), kept)
        everything = make(np.full(3, -100))
        assert np.isnan(np.asarray(get_loss(name)(make(logits), everything)))
        assert float(get_loss(name, reduction="sum")(make(logits), everything)) == 0
    unsigned = np.array([0, 255, 1], np.uint8)
    for backend in BACKENDS:
        make = MAKE[backend]
        close(get_loss(name, ignore_index=255)(make(logits), make(unsigned)), get_loss(name)(logits[[0, 2]], labels[[0, 2]]))


# ------------------------------------------------------------------------------------------------- what is not seen
@pytest.mark.parametrize("bad", [-1, 3, 255])
@pytest.mark.parametrize("name", LABELLED)
def test_an_unseen_label_of_no_class_gives_nan(name: str, bad: int) -> None:
    spec, x, labels = get_loss(name, reduction="none"), np.random.default_rng(0).normal(size=(3, 3)), np.array([0, bad, 2])
    assert np.isnan(np.asarray(jax.jit(spec)(x, labels))).tolist() == [False, True, False]
    words = torch.func.vmap(lambda a, y: spec(a, y))(torch.tensor(x), torch.tensor(labels))
    assert words.isnan().tolist() == [False, True, False]
    with pytest.raises(InputError, match=f"the label {bad}"):
        spec(x, labels)


def test_an_unseen_label_of_several_gives_nan() -> None:
    spec, labels = get_loss("multilabel_margin_loss", reduction="none"), np.array([[0, 3, -1], [0, -1, 1], [-2, 1, -1]])
    assert np.isnan(np.asarray(jax.jit(spec)(np.ones((3, 3)), labels))).tolist() == [True, False, True]


@pytest.mark.parametrize("name", ["soft_margin_loss", "hinge_loss", "perceptron_loss", "hinge_embedding_loss", "margin_ranking_loss",
                                  "sparsemax_loss"])  # fmt: skip
def test_an_unseen_target_of_no_meaning_gives_nan(name: str) -> None:
    x = np.ones(2)
    found = jax.jit(get_loss(name, reduction="none"))(*([x, x] if name == "margin_ranking_loss" else [x]), np.array([1, 3]))
    assert np.isnan(np.asarray(found)).tolist() == [False, True]


def test_unseen_probabilities_and_variances_out_of_range_give_nan() -> None:
    p = np.array([0.5, -0.1, 1.5])
    assert np.isnan(np.asarray(jax.jit(get_loss("binary_cross_entropy", reduction="none"))(p, np.ones(3)))).tolist() == [False, True, True]
    x = np.ones(2)
    assert np.isnan(np.asarray(jax.jit(get_loss("gaussian_nll_loss", reduction="none"))(x, x, np.array([1.0, -1.0])))).tolist() == [False, True]


def test_a_score_that_is_nan_is_not_lost() -> None:
    for name in (*ELEMENTWISE, *LABELLED, *BY_ROW):
        if name == "binary_cross_entropy":
            continue  # which says so
        targets = np.array([0, 1]) if name in LABELLED else np.ones((2, 2))
        for make in MAKE.values():
            found = np.asarray(get_loss(name, reduction="none")(make(np.array([[0.0, NAN], [1.0, 2.0]])), make(targets)))
            assert np.isnan(found[0]).any() and np.isfinite(found[1]).all(), name


# ------------------------------------------------------------------------------------------------- weights
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
def test_a_weight_of_two_is_the_element_twice(name: str) -> None:
    x, t, w = np.array([[1.0, 2.0], [3.0, 5.0]]), np.zeros((2, 2)), np.array([[2, 1], [0, 1]])
    twice = x.ravel().repeat(w.ravel())
    for make in MAKE.values():
        close(get_loss(name, weight=w)(make(x), make(t)), get_loss(name)(twice, np.zeros_like(twice)))
        close(get_loss(name)(make(x), make(t), weight=[1.0, 3.0]), get_loss(name)(make(x), make(t), weight=[[1.0, 3.0]] * 2))


def test_the_weighted_mean_of_the_huber_loss_counts_elements_as_pytorchs_does() -> None:
    x, t, w = torch.tensor([0.5, 3.0]), torch.zeros(2), torch.tensor([2.0, 4.0])
    close(losses.huber_loss(x, t, weight=w), F.huber_loss(x, t, weight=w))
    close(losses.huber_loss(x, t, weight=w), (2 * 0.125 + 4 * 2.5) / 2)


def test_a_weight_has_a_gradient_and_goes_through_torch_compile_as_any_array() -> None:
    x, t, w = torch.tensor([1.0, 3.0]), torch.zeros(2), torch.tensor([1.0, 3.0], requires_grad=True)
    (ours,) = torch.autograd.grad(losses.mse_loss(x, t, weight=w), w)
    (theirs,) = torch.autograd.grad(F.mse_loss(x, t, weight=w), w)
    close(ours, theirs, rtol=1e-6)
    compiled = torch.compile(get_loss("mse_loss", weight=np.array([1.0, 3.0])), backend="eager", fullgraph=True)
    close(compiled(x, t), 7.0)
