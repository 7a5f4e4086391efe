"""Where a loss has no derivative it has one meaning, in all frameworks: PyTorch's, where PyTorch has the loss."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from loss_runs import INF, close, everywhere, in_jax, in_torch

from lossopt import get_loss

pytestmark = pytest.mark.usefixtures("x64")

Kink = tuple[str, tuple[Any, ...], dict[str, Any], Any]
"""A loss, its arrays, options, and the derivative in the first array."""
HINGE = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([-1])  # cosine 0, so at the margin 0
KINKS: list[Kink] = [
    ("l1_loss", ([1.0, -1.0, 0.0], [1.0, -1.0, -0.0]), {}, [0.0, 0.0, 0.0]),
    ("smooth_l1_loss", ([1.0], [1.0]), {"beta": 0.0}, [0.0]),
    ("smooth_l1_loss", ([1.0, 0.5, -0.5], [1.0, 0.0, 0.0]), {"beta": 0.5}, [0.0, 1.0, -1.0]),
    ("huber_loss", ([1.0, 0.5, -0.5], [1.0, 0.0, 0.0]), {"delta": 0.5}, [0.0, 0.5, -0.5]),
    ("huber_loss", ([INF, 1e300], [0.0, 0.0]), {"delta": 0.5}, [0.5, 0.5]),
    ("cosine_embedding_loss", HINGE, {}, [[0.0, 1 / (1 + 1e-12)]]),  # 1e-12 is added to each squared length
    ("triplet_margin_loss", ([[0.0, 0.0]], [[0.0, 0.0]], [[2.0, 0.0]]), {"margin": 2.0, "eps": 0.0}, [[1.0, 0.0]]),
    ("triplet_margin_loss", ([[0.0, 0.0]], [[0.0, 0.0]], [[0.0, 0.0]]), {"eps": 0.0}, [[0.0, 0.0]]),
    ("triplet_margin_loss", ([[0.0, 1.0]], [[0.0, 0.0]], [[0.0, 1.5]]), {"eps": 0.0, "p": 1.0}, [[0.0, 2.0]]),
    ("triplet_margin_loss", ([[0.0, 1.0]], [[0.0, 0.0]], [[0.0, 1.5]]), {"eps": 0.0, "p": 1.5, "convention": "optax"}, [[0.0, 2.0]]),
    ("contrastive_loss", ([[1.0, 2.0]], [[1.0, 2.0]], [0]), {}, [[0.0, 0.0]]),
    ("contrastive_loss", ([[1.0, 2.0]], [[1.0, 2.0]], [1]), {}, [[0.0, 0.0]]),
    ("contrastive_loss", ([[1.0, 0.0]], [[0.0, 0.0]], [0]), {"margin": 1.0}, [[0.0, 0.0]]),
    ("binary_cross_entropy_with_logits", ([0.0, 0.0], [1.0, 0.0]), {}, [-0.5, 0.5]),
    ("focal_loss", ([[800.0, 0.0]], [0]), {"gamma": 0.5}, [[0.0, 0.0]]),
    ("sigmoid_focal_loss", ([800.0, -800.0], [1.0, 0.0]), {"gamma": 0.5}, [0.0, 0.0]),
    ("focal_loss", ([[0.0, 0.0]], [0]), {"gamma": 0.0}, [[-0.5, 0.5]]),
]


OF_MARGINS: list[Kink] = [
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
ALL = [*KINKS, *OF_MARGINS]


@pytest.mark.parametrize(("name", "inputs", "options", "slope"), ALL, ids=[f"{i}-{k[0]}" for i, k in enumerate(ALL)])
def test_a_kink_has_one_derivative_in_all_frameworks(name: str, inputs: Any, options: dict[str, Any], slope: Any) -> None:
    arrays = [np.asarray(x) for x in inputs]
    for where, (_, (grad,)) in everywhere(name, arrays, reduction="sum", **options).items():
        np.testing.assert_allclose(grad, slope, rtol=1e-12, atol=1e-300, err_msg=where)


OF_TORCH: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    (name, inputs, options) for name, inputs, options, _ in OF_MARGINS
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


def test_zero_vectors_give_cosine_0_and_pytorchs_gradient() -> None:
    arrays = np.zeros((1, 2)), np.array([[0.5, 0.5]]), np.array([1])
    wanted = in_torch(torch.nn.functional.cosine_embedding_loss, arrays, (0, 1))
    for value, grads in everywhere("cosine_embedding_loss", arrays, (0, 1)).values():
        assert value == 1.0
        close(grads[0], wanted[1][0])
        close(grads[1], wanted[1][1])


def test_a_kl_target_of_0_adds_0_and_has_no_derivative_of_its_own() -> None:
    arrays = np.log(np.array([0.5, 0.5])), np.array([0.0, 1.0])
    for value, grads in everywhere("kl_div", arrays, (0, 1), reduction="sum").values():
        close(value, np.log(2))
        close(grads[0], [0.0, -1.0])
        assert np.isnan(grads[1][0]) and np.isfinite(grads[1][1])


# ------------------------------------------------------------------------------------------------- second derivatives
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
