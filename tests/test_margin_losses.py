"""Losses of errors, likelihoods, margins, ranks and sparse probabilities: kinks, extremes, what they refuse, and what must hold of them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_runs import close, everywhere, in_jax, in_torch, plain_torch

import lossopt
import lossopt_torch.losses
from lossopt import get_loss, losses, registry
from lossopt.errors import ArgumentError, HyperparameterError, InputError, LossoptError
from lossopt.losses import make_fenchel_young_loss
from lossopt.losses.spec import LossSpec

INF, NAN = float("inf"), float("nan")
MAKE: dict[str, Callable[..., Any]] = {"numpy": np.asarray, "jax": jnp.asarray, "torch": torch.as_tensor}


@pytest.fixture(autouse=True)
def x64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


# ------------------------------------------------------------------------------------------------- kinks
KINKS: list[tuple[str, tuple[Any, ...], dict[str, Any], Any]] = [
    ("l1_loss", ([1.0, 2.0], [1.0, 0.0]), {"weight": [3.0, 0.5]}, [0.0, 0.5]),
    ("huber_loss", ([1.0, 0.5], [1.0, 0.0]), {"delta": 0.5, "weight": [3.0, 2.0]}, [0.0, 1.0]),
    ("log_cosh_loss", ([0.0, 1.0], [0.0, 0.0]), {}, [0.0, math.tanh(1.0)]),
    ("quantile_loss", ([1.0, 1.0, 1.0], [1.0, 2.0, 0.0]), {"quantile": 0.9}, [-0.4, -0.9, 0.1]),
    ("hinge_loss", ([1.0, -1.0], [1, -1]), {}, [-1.0, 1.0]),
    ("hinge_loss", ([1.0, -1.0], [1, 0]), {"zero_is_negative": True}, [-1.0, 1.0]),
    ("perceptron_loss", ([0.0, 0.0], [1, -1]), {}, [-1.0, 1.0]),
    ("hinge_embedding_loss", ([0.5, 0.5], [1, -1]), {"margin": 0.5}, [1.0, -1.0]),
    ("margin_ranking_loss", ([1.0, 1.0], [0.5, 1.5], [1, -1]), {"margin": 0.5}, [-1.0, 1.0]),
    ("margin_ranking_loss", ([1.0], [1.0], [1]), {}, [-1.0]),
    ("multi_margin_loss", ([[1.0, 0.0, 0.5]], [0]), {}, [[-1 / 3, 0.0, 1 / 3]]),
    ("multi_margin_loss", ([[1.0, 0.0, 0.5]], [0]), {"p": 2}, [[-1 / 3, 0.0, 1 / 3]]),
    ("multilabel_margin_loss", ([[1.0, 0.0, 0.5]], [[0, -1, 1]]), {}, [[-1 / 3, 0.0, 1 / 3]]),
    ("multiclass_hinge_loss", ([[1.0, 0.0]], [0]), {}, [[-1.0, 1.0]]),
    ("multiclass_hinge_loss", ([[0.5, 0.0, 0.0]], [0]), {}, [[-1.0, 0.5, 0.5]]),
    ("multiclass_hinge_loss", ([[0.5, -1.0, -2.0]], [0]), {"rival_at_least_zero": True}, [[-1.0, 0.0, 0.0]]),
    ("multiclass_perceptron_loss", ([[1.0, 1.0, 0.0]], [0]), {}, [[-0.5, 0.5, 0.0]]),
    ("sparsemax_loss", ([-1.0, 1.0, 0.0], [0, 0, 1]), {}, [0.0, 1.0, -0.5]),
    ("multiclass_sparsemax_loss", ([[1.0, 0.0]], [0]), {}, [[0.0, 0.0]]),
    ("multiclass_sparsemax_loss", ([[0.0, 0.0, 0.0]], [1]), {}, [[1 / 3, -2 / 3, 1 / 3]]),
    ("binary_cross_entropy", ([0.0, 1.0, 0.5], [0, 1, 1]), {}, [0.0, 0.0, -2.0]),
    ("binary_cross_entropy", ([0.0, 1.0, 0.2], [1, 1, 1]), {"clip": 0.1}, [0.0, 0.0, -5.0]),
    ("gaussian_nll_loss", ([1.0], [0.0], [0.0]), {"eps": 0.5}, [2.0]),
]


@pytest.mark.parametrize(("name", "inputs", "options", "slope"), KINKS, ids=[f"{i}-{k[0]}" for i, k in enumerate(KINKS)])
def test_a_kink_has_one_derivative_in_all_frameworks(name: str, inputs: Any, options: dict[str, Any], slope: Any) -> None:
    for where, (_, (grad,)) in everywhere(name, [np.asarray(x) for x in inputs], reduction="sum", **options).items():
        np.testing.assert_allclose(grad, slope, rtol=1e-12, atol=1e-15, err_msg=where)


OF_TORCH: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    (name, inputs, options) for name, inputs, options, _ in KINKS
    if hasattr(F, name) and "clip" not in options and name != "huber_loss"
]  # fmt: skip


@pytest.mark.parametrize(("name", "inputs", "options"), OF_TORCH, ids=[f"{i}-{k[0]}" for i, k in enumerate(OF_TORCH)])
def test_at_a_kink_the_derivative_is_pytorchs(name: str, inputs: Any, options: dict[str, Any]) -> None:
    def theirs(*tensors: torch.Tensor) -> torch.Tensor:
        of_floats = name == "binary_cross_entropy"
        given = {k: torch.tensor(v, dtype=torch.float64) if k == "weight" else v for k, v in options.items()}
        return getattr(F, name)(*(x.double() if of_floats else x for x in tensors), **given, reduction="sum")

    arrays = [np.asarray(x) for x in inputs]
    value, (grad,) = in_torch(theirs, arrays)
    for found, (slope,) in everywhere(name, arrays, reduction="sum", **options).values():
        close(found, value)
        close(slope, grad)


@pytest.mark.parametrize("p", [0.0, 1.0, 1e-13, 1 - 1e-13, 1e-20, 1e-40])
@pytest.mark.parametrize("t", [0.0, 1.0, 0.3])
def test_probabilities_at_the_ends_cost_100_and_slope_as_in_pytorch(p: float, t: float) -> None:
    arrays = np.array([p]), np.array([t])
    value, (slope,) = in_torch(lambda x, y: F.binary_cross_entropy(x, y, reduction="sum"), arrays)
    for found, (grad,) in everywhere("binary_cross_entropy", arrays, reduction="sum").values():
        close(found, value, atol=1e-13)
        close(grad, slope)


def test_the_derivative_in_a_probability_target_is_bounded_at_the_ends() -> None:
    """PyTorch's own is infinite there, so that its function is not used where targets have a gradient."""
    for _, (_, slope) in everywhere("binary_cross_entropy", ([0.0, 1.0, 0.5], [0.0, 1.0, 1.0]), (0, 1), reduction="sum").values():
        close(slope, [100.0, -100.0, 0.0])


def test_a_variance_below_eps_counts_as_eps_and_keeps_its_derivative() -> None:
    arrays = np.array([1.0, 1.0]), np.array([0.0, 0.0]), np.array([0.0, 0.25])
    value, grads = in_torch(lambda *xs: F.gaussian_nll_loss(*xs, eps=0.5, reduction="sum"), arrays, (0, 1, 2))
    for found, slopes in everywhere("gaussian_nll_loss", arrays, (0, 1, 2), eps=0.5, reduction="sum").values():
        close(found, value)
        for slope, grad in zip(slopes, grads, strict=True):
            close(slope, grad)


def test_a_count_of_zero_has_a_finite_derivative_of_its_own() -> None:
    arrays = np.array([0.5, 0.5]), np.array([0.0, 3.0])
    for _, (_, slope) in everywhere("poisson_nll_loss", arrays, (0, 1), full=True, reduction="sum").values():
        close(slope, [-0.5, -0.5 + math.log(3) + 1 / 6])


@pytest.mark.parametrize(
    ("name", "arrays", "options"),
    [
        ("binary_cross_entropy", ([0.3, 0.9], [1, 0]), {}),
        ("multi_margin_loss", ([[0.3, 0.9, -0.4]], [0]), {"p": 2}),
        ("multiclass_sparsemax_loss", ([[0.3, 0.9, -0.4, 0.25]], [0]), {}),
        ("log_cosh_loss", ([0.3, -2.0], [1.0, 0.0]), {}),
        ("sparsemax_loss", ([0.3, -2.0], [1, 0]), {}),
    ],
)
def test_second_derivatives_are_those_of_the_first(name: str, arrays: Any, options: dict[str, Any]) -> None:
    """PyTorch's kernels of the multi-margin losses have none, which is why they are not used."""
    spec, (x, t) = get_loss(name, reduction="sum", **options), map(np.asarray, arrays)
    hessian = np.asarray(torch.func.hessian(spec)(torch.tensor(x), torch.tensor(t)))
    close(np.asarray(jax.hessian(spec)(jnp.asarray(x), t)), hessian, rtol=1e-9, atol=1e-12)
    step = 1e-5
    shifted = (x + step * np.eye(x.size).reshape(-1, *x.shape), x - step * np.eye(x.size).reshape(-1, *x.shape))
    ahead, behind = ([in_jax(spec, (one, t))[1][0].ravel() for one in side] for side in shifted)
    close((np.array(ahead) - np.array(behind)).reshape(hessian.shape) / (2 * step), hessian, rtol=1e-5, atol=1e-6)


# ------------------------------------------------------------------------------------------------- extremes
EXTREMES: list[tuple[str, tuple[Any, ...], dict[str, Any], Any]] = [
    ("l2_loss", ([1e4, -1e4], [0.0, 0.0]), {}, [5e7, 5e7]),
    ("log_cosh_loss", ([1e4, -1e4, INF], [0.0, 0.0, 0.0]), {}, [1e4 - math.log(2), 1e4 - math.log(2), INF]),
    ("quantile_loss", ([1e4, -1e4], [0.0, 0.0]), {"quantile": 0.25}, [7500.0, 2500.0]),
    ("poisson_nll_loss", ([-1e4, 1e4], [2, 0]), {}, [2e4, INF]),
    ("poisson_nll_loss", ([0.0, 0.0], [0, 1]), {"log_input": False}, [0.0, -math.log(1e-8)]),
    ("poisson_nll_loss", ([-1.0], [1]), {"log_input": False}, [NAN]),
    ("gaussian_nll_loss", ([1e4], [-1e4], [0.0]), {"eps": 1.0}, [2e8]),
    ("binary_cross_entropy", ([0.0, 0.0, 1.0, 1.0], [0, 1, 0, 1]), {}, [0.0, 100.0, 100.0, 0.0]),
    ("soft_margin_loss", ([-1e4, 1e4, -INF], [1, 1, 1]), {}, [1e4, 0.0, INF]),
    ("multilabel_soft_margin_loss", ([[-1e4, 1e4]], [[1, 1]]), {}, [5e3]),
    ("hinge_loss", ([-1e4, 1e4, -INF], [1, 1, 1]), {}, [10001.0, 0.0, INF]),
    ("perceptron_loss", ([-1e4, 1e4, -INF], [1, 1, 1]), {}, [1e4, 0.0, INF]),
    ("hinge_embedding_loss", ([1e4, 1e4], [1, -1]), {}, [1e4, 0.0]),
    ("margin_ranking_loss", ([1e4, 1e4], [-1e4, -1e4], [1, -1]), {}, [0.0, 2e4]),
    ("multi_margin_loss", ([[1e4, -1e4], [1e4, -1e4]], [0, 1]), {}, [0.0, 10000.5]),
    ("multi_margin_loss", ([[0.0, -INF], [0.0, -INF]], [0, 1]), {}, [0.0, INF]),
    ("multilabel_margin_loss", ([[1e4, -1e4], [1e4, -1e4]], [[-1, -1], [1, -1]]), {}, [0.0, 10000.5]),
    ("multiclass_hinge_loss", ([[1e4, -1e4], [1e4, -1e4]], [0, 1]), {}, [0.0, 20001.0]),
    ("multiclass_hinge_loss", ([[0.0, -INF], [0.0, -INF]], [0, 1]), {}, [0.0, INF]),
    ("multiclass_hinge_loss", ([[3.0]], [0]), {}, [0.0]),
    ("multiclass_perceptron_loss", ([[1e4, -1e4], [0.0, -INF]], [1, 1]), {}, [2e4, INF]),
    ("sparsemax_loss", ([1e4, -1e4, 1e300, INF], [1, 1, 0, 0]), {}, [0.0, 1e4, 1e300, INF]),
    ("multiclass_sparsemax_loss", ([[1e4, -1e4], [1e4, -1e4]], [0, 1]), {}, [0.0, 2e4]),
    ("multiclass_sparsemax_loss", ([[0.0, -INF, 0.0], [0.0, -INF, 0.0]], [0, 1]), {}, [0.25, INF]),
    ("multiclass_sparsemax_loss", ([[-INF, -INF]], [0]), {}, [NAN]),
    ("safe_softmax_cross_entropy", ([[1e4, -1e4], [0.0, -INF], [0.0, -INF]], [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]), {}, [2e4, 0.0, INF]),
    ("safe_softmax_cross_entropy", ([[-INF, -INF]], [[1.0, 0.0]]), {}, [NAN]),
    ("poly_loss_cross_entropy", ([[1e4, -1e4], [1e4, -1e4]], [0, 1]), {}, [0.0, 20002.0]),
    ("poly_loss_cross_entropy", ([[0.0, 3.0], [1.0, 2.0]], [0, 1]), {"where": [[False], [True]]}, [0.0, math.log1p(1 / math.e) + 2 / (1 + math.e)]),
    ("make_fenchel_young_loss", ([[1e4, -1e4], [1e4, -1e4]], [[1, 0], [0, 1]]), {}, [0.0, 2e4]),
    ("make_fenchel_young_loss", ([[0.0, -INF]], [[1, 0]]), {}, [NAN]),
    ("ranking_softmax_loss", ([[1e4, -1e4], [0.0, 0.0]], [[0, 1], [0, 0]]), {}, [2e4, 0.0]),
    ("ranking_softmax_loss", ([[5.0, -INF], [1.0, 2.0]], [[1, 0], [1, 1]]), {"where": [[True, False], [False, False]]}, [0.0, 0.0]),
]


@pytest.mark.parametrize(("name", "inputs", "options", "value"), EXTREMES, ids=[f"{i}-{e[0]}" for i, e in enumerate(EXTREMES)])
def test_extreme_inputs_are_finite_or_documented_and_the_same_in_all_frameworks(name: str, inputs: Any, options: Any, value: Any) -> None:
    arrays = [np.asarray(x) for x in inputs]
    close(get_loss(name, reduction="none", **options)(*arrays), value)
    found = everywhere(name, arrays, reduction="none", **options)
    gradients = found["torch"][1][0]
    for where, (got, (grad,)) in found.items():
        np.testing.assert_allclose(got, value, rtol=1e-12, atol=1e-15, err_msg=where)
        np.testing.assert_allclose(grad, gradients, rtol=1e-12, atol=1e-15, err_msg=where)
    if np.isfinite(value).all():
        assert np.isfinite(gradients).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_the_logistic_loss_is_finite_where_pytorchs_overflows(dtype: str) -> None:
    low, one = torch.tensor([-200.0], dtype=getattr(torch, dtype)), torch.ones(1, dtype=getattr(torch, dtype))
    assert torch.isinf(F.soft_margin_loss(low, one))
    assert losses.soft_margin_loss(low, one) == 200.0
    assert losses.soft_margin_loss(jnp.asarray([-200.0], dtype), jnp.ones(1, dtype)) == 200.0


def test_the_mean_of_lists_without_items_is_zero_as_in_optax() -> None:
    scores, relevance = np.ones((2, 3)), np.ones((2, 3))
    for make in MAKE.values():
        assert float(losses.ranking_softmax_loss(make(scores), make(relevance), where=np.zeros((2, 3), bool))) == 0.0


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


# ------------------------------------------------------------------------------------------------- PyTorch's own
def test_pytorchs_own_probabilities_are_used_only_where_they_are_the_same() -> None:
    row = lossopt_torch.losses.NATIVE["binary_cross_entropy"]
    p, t = torch.tensor([0.5]), torch.tensor([1.0])
    given: dict[str, Any] = {"weight": None, "clip": None, "reduction": "mean"}
    assert row(p, t, **given) is not None
    assert row(p, t, **{**given, "clip": 0.1}) is None
    assert row(p, t.requires_grad_(), **given) is None


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_a_weight_per_element_is_the_texts(name: str) -> None:
    options = {"delta": 1.0} if name == "huber_loss" else {}
    row = lossopt_torch.losses.NATIVE[name]
    assert row(torch.ones(2), torch.ones(2), weight=None, reduction="mean", **options) is not None
    assert row(torch.ones(2), torch.ones(2), weight=[1.0, 2.0], reduction="mean", **options) is None


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
