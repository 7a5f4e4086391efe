"""Extreme inputs give finite or documented values, the same in all frameworks."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from loss_runs import INF, MAKE, NAN, everywhere

from lossopt import get_loss, losses

pytestmark = pytest.mark.usefixtures("x64")

EXTREMES: list[tuple[str, tuple[Any, ...], dict[str, Any], Any]] = [
    ("cross_entropy", ([[1e4, -1e4, 0.0], [1e4, -1e4, 0.0]], [0, 1]), {}, [0.0, 2e4]),
    ("cross_entropy", ([[0.0, -INF], [0.0, -INF]], [0, 1]), {}, [0.0, INF]),
    ("cross_entropy", ([[0.0, -INF]], [0]), {"label_smoothing": 0.1}, [INF]),
    ("cross_entropy", ([[0.0, -INF]], [[1.0, 0.0]]), {}, [NAN]),
    ("cross_entropy", ([[-INF, -INF]], [0]), {}, [NAN]),
    ("nll_loss", ([[0.0, -INF], [0.0, -INF]], [0, 1]), {}, [0.0, INF]),
    ("binary_cross_entropy_with_logits", ([1e4, 1e4, -1e4, -1e4], [1.0, 0.0, 1.0, 0.0]), {}, [0.0, 1e4, 1e4, 0.0]),
    ("binary_cross_entropy_with_logits", ([INF, -INF, INF, -INF], [1.0, 0.0, 0.0, 1.0]), {}, [NAN, NAN, INF, NAN]),
    ("focal_loss", ([[1e4, -1e4], [1e4, -1e4]], [0, 1]), {}, [0.0, 2e4]),
    ("focal_loss", ([[0.0, -INF], [0.0, -INF]], [0, 1]), {"gamma": 0.5}, [0.0, INF]),
    ("sigmoid_focal_loss", ([1e4, 1e4, -1e4, -1e4], [1.0, 0.0, 1.0, 0.0]), {"alpha": None}, [0.0, 1e4, 1e4, 0.0]),
    ("dice_loss", ([[[1e4, -1e4], [-1e4, 1e4]]], [[0, 1]]), {}, [0.0]),
    ("dice_loss", ([[[-1e4, -1e4]]], [[[0.0, 0.0]]]), {}, [0.0]),
    ("dice_ce_loss", ([[[1e4, -1e4], [-1e4, 1e4]]], [[1, 0]]), {}, [2e4 + 2 / 3]),
    ("kl_div", ([-1e4, 0.0], [1.0, 0.0]), {}, [1e4, 0.0]),
    ("kl_div", ([-INF], [0.0]), {}, [NAN]),
    ("kl_div", ([0.0], [-INF]), {"log_target": True}, [NAN]),
    ("contrastive_loss", ([[1e4, 0.0]], [[0.0, 0.0]], [1]), {}, [5e7]),
    ("cosine_embedding_loss", ([[1e-30, 0.0]], [[1.0, 0.0]], [1]), {}, [1.0]),
    ("triplet_margin_loss", ([[1e4]], [[-1e4]], [[1e4]]), {"eps": 0.0}, [20001.0]),
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
"""A loss, its arrays, options, and its values."""


@pytest.mark.parametrize(("name", "inputs", "options", "value"), EXTREMES, ids=[f"{i}-{e[0]}" for i, e in enumerate(EXTREMES)])
def test_extreme_inputs_are_finite_or_documented_and_the_same_in_all_frameworks(name: str, inputs: Any, options: Any, value: Any) -> None:
    arrays = [np.asarray(x) for x in inputs]
    np.testing.assert_allclose(get_loss(name, reduction="none", **options)(*arrays), value, rtol=1e-12, atol=1e-300)
    found = everywhere(name, arrays, reduction="none", **options)
    gradients = found["torch"][1][0]
    for where, (got, (grad,)) in found.items():
        np.testing.assert_allclose(got, value, rtol=1e-12, atol=1e-300, err_msg=where)
        np.testing.assert_allclose(grad, gradients, rtol=1e-12, atol=1e-300, err_msg=where)
    if np.isfinite(value).all():
        assert np.isfinite(gradients).all()


def test_the_focal_loss_keeps_its_gradient_where_the_label_rounds_to_certainty() -> None:
    """In float32 softmax(40, 0) is (1, 4e-18): 1 - p is 0, and (1 - p)**0.5 would have gradient NaN."""
    logits = np.array([[40.0, 0.0]], np.float32)
    for _, (grad,) in everywhere("focal_loss", (logits, np.array([0])), gamma=0.5).values():
        assert np.isfinite(grad).all()
    for _, (grad,) in everywhere("sigmoid_focal_loss", (logits, np.ones((1, 2), np.float32)), gamma=0.5).values():
        assert np.isfinite(grad).all()


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
