"""Losses of embeddings and of overlap: what they mean at zero vectors, empty masks and lonely samples, and what they do not see."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_runs import MAKE

import lossopt
from lossopt import get_loss, losses
from lossopt.errors import ArgumentError, HyperparameterError, InputError, LossoptError, UnknownNameError
from lossopt.parity.rows.losses.similarity import city_block

pytestmark = pytest.mark.usefixtures("x64")

BATCH = ("ntxent_loss", "supcon_loss")
TOWERS = ("info_nce_loss", "clip_loss", "siglip_loss")
OVERLAP = ("dice_loss", "tversky_loss", "focal_tversky_loss", "multiclass_generalized_dice_loss")


def close(found: Any, wanted: Any, rtol: float = 1e-12, atol: float = 1e-14) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(wanted), rtol=rtol, atol=atol)


def slopes(fn: Callable[..., Any], arrays: tuple[Any, ...], wrt: tuple[int, ...]) -> tuple[Any, list[Any]]:
    """The value, which PyTorch and JAX (compiled) give alike, and the gradients of its sum, alike too."""
    tensors = [torch.tensor(x, requires_grad=i in wrt) for i, x in enumerate(arrays)]
    value = fn(*tensors)
    ours = [g.numpy() for g in torch.autograd.grad(value.sum(), [tensors[i] for i in wrt])]
    traced = jax.jit(jax.value_and_grad(lambda *a: (lambda v: (jnp.sum(v), v))(fn(*a)), wrt, has_aux=True))
    (_, theirs), grads = traced(*map(jnp.asarray, arrays))
    close(theirs, value.detach())
    for a, b in zip(grads, ours, strict=True):
        close(a, b)
    return value.detach().numpy(), ours


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


# ------------------------------------------------------------------------------------------------- zero vectors
def test_a_zero_vector_has_similarity_0_and_pytorchs_gradient() -> None:
    arrays = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[1.0, 2.0], [0.0, 0.0]])
    value, grads = slopes(get_loss("cosine_similarity"), arrays, (0, 1))
    x, t = (torch.tensor(a, requires_grad=True) for a in arrays)
    wanted = F.cosine_similarity(x, t)
    wanted.sum().backward()
    assert (value == 0).all()
    close(grads[0], x.grad)
    close(grads[1], t.grad)


@pytest.mark.parametrize("name", ["cosine_similarity", "cosine_distance"])
def test_without_eps_a_zero_vector_is_nan_as_in_optax(name: str) -> None:
    for make in MAKE.values():
        found = get_loss(name, convention="optax")(make(np.array([[0.0, 0.0], [1.0, 0.0]])), make(np.ones((2, 2))))
        assert np.isnan(np.asarray(found)).tolist() == [True, False]


def test_below_eps_the_gradient_is_that_of_the_value() -> None:
    """PyTorch's own is not, which is why a row of the parity suite is allowed to differ."""
    x, t = torch.tensor([[0.3, 0.4]], dtype=torch.float64, requires_grad=True), torch.tensor([[1.0, 3.0]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda a: get_loss("cosine_similarity", eps=2.0)(a, t), [x])
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(lambda a: F.cosine_similarity(a, t, eps=2.0), [x])


@pytest.mark.parametrize("name", [*BATCH, *TOWERS])
def test_zero_vectors_are_finite_in_every_pair(name: str) -> None:
    x = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0], [-1.0, 0.5]])
    arrays = (x, np.array([0, 0, 1, 1])) if name in BATCH else (x, x[::-1].copy())
    value, grads = slopes(get_loss(name, reduction="none"), arrays, (0,) if name in BATCH else (0, 1))
    assert np.isfinite(value).all() and all(np.isfinite(g).all() for g in grads)


def test_only_components_that_count_are_seen() -> None:
    x, t, among = np.array([[1.0, 2.0, np.inf]]), np.array([[2.0, 1.0, np.nan]]), np.array([[True, True, False]])
    value, (grad,) = slopes(lambda a, b: losses.cosine_similarity(a, b, where=[[1, 1, 0]]), (x, t), (0,))
    close(value, [0.8])
    assert np.isfinite(grad).all() and grad[0, 2] == 0
    for make in MAKE.values():
        close(losses.cosine_distance(make(x), make(t), where=make(among), reduction="none"), [0.2])


# ------------------------------------------------------------------------------------------------- batches
@pytest.mark.parametrize("name", BATCH)
def test_without_positives_the_sum_is_0_and_the_mean_nan(name: str) -> None:
    x, labels = normal(4, 3), np.arange(4)
    value, (grad,) = slopes(get_loss(name, reduction="sum"), (x, labels), (0,))
    assert value == 0 and (grad == 0).all()
    for make in MAKE.values():
        assert np.isnan(np.asarray(get_loss(name)(make(x), make(labels))))


@pytest.mark.parametrize("name", BATCH)
def test_samples_without_positives_are_negatives_only(name: str) -> None:
    x, labels = normal(5, 3), np.array([0, 0, 1, 1, 2])
    values = get_loss(name, reduction="none")(x, labels)
    assert values[4] == 0 and (values[:4] > 0).all()
    close(get_loss(name)(x, labels), values[:4].mean())  # a pair each, so as many pairs as anchors
    assert (get_loss(name, reduction="none")(x[:4], labels[:4]) < values[:4]).all()


def test_ntxent_without_negatives_is_0() -> None:
    value, (grad,) = slopes(get_loss("ntxent_loss", reduction="none"), (normal(3, 2), np.zeros(3, int)), (0,))
    assert (value == 0).all() and (grad == 0).all()


@pytest.mark.parametrize("name", [*BATCH, *TOWERS])
def test_one_sample_and_none(name: str) -> None:
    for n in (0, 1):
        x = normal(n, 3)
        arrays = (x, np.zeros(n, int)) if name in BATCH else (x, x.copy())
        value, (grad,) = slopes(get_loss(name, reduction="sum"), arrays, (0,))
        assert np.isfinite(value) and np.isfinite(grad).all() and grad.shape == x.shape
        assert (value == 0) == (n == 0 or name != "siglip_loss")
    with pytest.raises(InputError, match="the mean of nothing is undefined"):
        get_loss(name)(*(x[:0] for x in arrays))


@pytest.mark.parametrize("name", [*BATCH, *TOWERS])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_sharp_temperature_neither_overflows_nor_vanishes(name: str, dtype: str) -> None:
    """exp(1 / 0.002) is no float64."""
    x = torch.tensor([[1.0, 0.1], [1.0, 0.0], [-1.0, 0.1], [-1.0, 0.3]], dtype=getattr(torch, dtype), requires_grad=True)
    sharp: dict[str, Any] = {"logit_scale": 500.0} if name == "siglip_loss" else {"temperature": 0.002}
    value = get_loss(name, **sharp)(x, torch.tensor([0, 1, 0, 1]) if name in BATCH else x.detach().flip(0))
    value.backward()
    assert value.dtype == x.dtype and value.isfinite() and value > 1 and x.grad is not None and x.grad.isfinite().all()


def test_positives_far_below_the_negatives_keep_their_digits() -> None:
    """The loss is the gap between the logits, which float32 holds to 1e-7 of it."""
    x, labels = np.array([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], np.float32), np.array([0, 0, 1, 1])
    close(losses.ntxent_loss(torch.tensor(x), torch.tensor(labels), temperature=0.01), 200.0, rtol=1e-6)
    close(losses.info_nce_loss(torch.tensor(x), torch.tensor(-x), temperature=0.01), 200 + math.log(2), rtol=1e-6)


def test_autocast_rounds_no_similarity() -> None:
    x, labels = torch.tensor(normal(6, 8)).float(), torch.tensor([0, 0, 1, 1, 2, 2])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(losses.ntxent_loss(x, labels), lossopt.get_loss("ntxent_loss", "torch")(x, labels))
        inside = losses.ntxent_loss(x, labels)
    assert torch.equal(inside, losses.ntxent_loss(x, labels))


@pytest.mark.parametrize(("name", "options"), [("clip_loss", {"logit_scale": 5.0}), ("siglip_loss", {"t": 5.0, "b": -2.0})])
def test_a_scale_that_is_learned_has_a_gradient(name: str, options: dict[str, float]) -> None:
    arrays = (normal(4, 3), normal(4, 3, seed=1), *map(np.float64, options.values()))

    def fn(q: Any, k: Any, *factors: Any) -> Any:
        return get_loss(name)(q, k, **dict(zip(options, factors, strict=True)))

    value, grads = slopes(fn, arrays, tuple(range(2, len(arrays))))
    close(value, get_loss(name)(*arrays[:2], **options))
    step = 1e-6
    for i, grad in enumerate(grads):
        moved = [[x + sign * step * (j == i + 2) for j, x in enumerate(arrays)] for sign in (1, -1)]
        plus, minus = (fn(*m) for m in moved)
        close(grad, (plus - minus) / (2 * step), rtol=1e-7)


def test_further_keys_are_further_negatives() -> None:
    q, k, more = normal(3, 4), normal(3, 4, seed=1), normal(2, 4, seed=2)
    with_more = losses.info_nce_loss(q, np.concatenate([k, more]), reduction="none")
    assert (with_more > losses.info_nce_loss(q, k, reduction="none")).all()
    close(with_more, losses.info_nce_loss(q, np.concatenate([k, more[::-1]]), reduction="none"))


def test_clip_is_info_nce_both_ways() -> None:
    q, k = normal(5, 3), normal(5, 3, seed=1)
    both = 0.5 * losses.info_nce_loss + 0.5 * get_loss("info_nce_loss")
    close(losses.clip_loss(q, k), 0.5 * (losses.info_nce_loss(q, k) + losses.info_nce_loss(k, q)))
    close(both(q, k), losses.info_nce_loss(q, k))


# ------------------------------------------------------------------------------------------------- margins of angles
def test_arcface_at_its_center_and_opposite_to_it() -> None:
    centers = np.array([[1.0, 0.0], [0.0, 1.0]])
    x, labels = np.array([[2.0, 0.0], [-3.0, 0.0]]), np.array([0, 0])
    value, grads = slopes(get_loss("arcface_loss", scale=2.0, margin=0.5, reduction="none"), (x, centers, labels), (0, 1))
    own = np.array([math.cos(0.5), -1 - 0.5 * math.sin(0.5)])
    close(value, np.log1p(np.exp(-2 * own)))
    assert all(np.isfinite(g).all() for g in grads)


def test_the_easy_margin_leaves_the_far_side_alone() -> None:
    centers, labels = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0])
    far, near = np.array([[-0.5, 1.0]]), np.array([[0.5, 1.0]])
    none = get_loss("arcface_loss", margin=0.0, scale=4.0)
    easy = get_loss("arcface_loss", easy_margin=True, scale=4.0)
    close(easy(far, centers, labels), none(far, centers, labels))
    assert easy(near, centers, labels) > none(near, centers, labels)


def test_without_a_margin_both_are_softmax_of_scaled_cosines() -> None:
    x, centers, labels = normal(5, 3), normal(4, 3, seed=1), np.array([0, 1, 2, 3, 0])
    cosines = (x / np.linalg.norm(x, axis=1)[:, None]) @ (centers / np.linalg.norm(centers, axis=1)[:, None]).T
    wanted = losses.cross_entropy(8 * cosines, labels, reduction="none")
    for name in ("arcface_loss", "cosface_loss"):
        close(get_loss(name, scale=8.0, margin=0.0, reduction="none")(x, centers, labels), wanted)


def test_an_unseen_label_of_no_class_gives_nan() -> None:
    spec = get_loss("arcface_loss", reduction="none")
    found = jax.jit(spec)(normal(3, 2), normal(4, 2, seed=1), np.array([0, 4, -1]))
    assert np.isnan(np.asarray(found)).tolist() == [False, True, True]


# ------------------------------------------------------------------------------------------------- overlap
@pytest.mark.parametrize("name", OVERLAP)
def test_empty_masks_that_are_found_empty_cost_nothing(name: str) -> None:
    x, t = np.full((2, 2, 4), -1e4), np.zeros((2, 2, 4))
    value, (grad,) = slopes(get_loss(name, activation="sigmoid", reduction="none"), (x, t), (0,))
    assert (value == 0).all() and (grad == 0).all()


def test_empty_masks_cost_1_in_keras() -> None:
    for name in ("dice_loss", "tversky_loss"):
        for make in MAKE.values():
            assert get_loss(name, convention="keras")(make(np.zeros((2, 4))), make(np.zeros((2, 4)))) == 1


def test_without_smooth_empty_masks_are_nan() -> None:
    for make in MAKE.values():
        found = losses.tversky_loss(make(np.zeros((1, 4))), make(np.zeros((1, 4))), smooth=0.0, activation="none", axis=None)
        assert np.isnan(np.asarray(found))


def test_the_focal_tversky_loss_has_derivative_0_at_its_minimum() -> None:
    t = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    value, (grad,) = slopes(get_loss("focal_tversky_loss", activation="none", gamma=4.0), (t, t), (0,))
    assert value == 0 and (grad == 0).all()


def test_kerass_alpha_weighs_what_is_missed() -> None:
    p, t = np.array([[0.2, 0.9, 0.4]]), np.array([[1.0, 1.0, 0.0]])
    both, missed, extra = 1.1, 0.9, 0.4
    found = losses.tversky_loss(p, t, convention="keras", alpha=0.9, beta=0.2)
    close(found, 1 - both / (both + 0.9 * missed + 0.2 * extra + 1e-7))
    close(losses.tversky_loss(p, t, alpha=0.2, beta=0.9, activation="none", axis=None, smooth=1e-7, smooth_in="denominator"), found)


def test_a_class_that_a_batch_lacks_takes_all_the_weight() -> None:
    """Of optax's weights, as its page says."""
    x, labels = normal(2, 3, 5), np.array([[0, 1, 0, 1, 1], [1, 0, 0, 1, 0]])
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    lacking = 1 - 1 / (p[:, 2].sum(1) / 2 + 1)
    close(losses.multiclass_generalized_dice_loss(x, labels, reduction="none"), lacking, rtol=1e-6)


# ------------------------------------------------------------------------------------------------- what they do not see
SEEDS = st.integers(0, 2**31 - 1)
FACTORS = st.floats(1e-3, 1e3)
few = settings(max_examples=25, deadline=None)


@few
@given(SEEDS, st.permutations(range(6)), FACTORS)
def test_order_and_length_do_not_matter_in_a_batch(seed: int, order: list[int], factor: float) -> None:
    x, labels = normal(6, 4, seed=seed), np.random.default_rng(seed).integers(0, 3, 6)
    for name in BATCH:
        spec = get_loss(name, temperature=0.3, reduction="none")
        values = spec(x, labels)
        close(spec(x[order], labels[order]), values[order], rtol=1e-9, atol=1e-9)
        close(spec(x * factor, labels), values, rtol=1e-9, atol=1e-9)
        close(spec(x, 7 - 3 * labels), values)


@few
@given(SEEDS, st.permutations(range(5)), FACTORS)
def test_order_length_and_side_do_not_matter_between_towers(seed: int, order: list[int], factor: float) -> None:
    q, k = normal(5, 4, seed=seed), normal(5, 4, seed=seed + 1)
    for name in TOWERS:
        spec = get_loss(name, reduction="none")
        values = spec(q, k)
        close(spec(q[order], k[order]), values[order], rtol=1e-9, atol=1e-9)
        close(spec(q * factor, k / factor), values, rtol=1e-9, atol=1e-9)
    for name in ("clip_loss", "siglip_loss"):
        close(get_loss(name)(q, k), get_loss(name)(k, q), rtol=1e-9)


@few
@given(SEEDS, FACTORS)
def test_cosines_are_symmetric_see_no_length_and_stay_in_their_range(seed: int, factor: float) -> None:
    a, b = normal(5, 3, seed=seed), normal(5, 3, seed=seed + 1)
    similarity = losses.cosine_similarity(a, b)
    assert (np.abs(similarity) <= 1 + 1e-15).all()
    close(similarity, losses.cosine_similarity(b, a))
    close(similarity, losses.cosine_similarity(factor * a, b))
    close(losses.cosine_distance(a, b, reduction="none"), 1 - similarity)
    close(losses.cosine_similarity(a, b, convention="keras"), -similarity.mean(), rtol=1e-6, atol=1e-6)
    close(losses.cosine_similarity(a, b, convention="optax"), similarity)


@few
@given(SEEDS, FACTORS, st.permutations(range(3)))
def test_a_margin_sees_no_length_and_no_order_of_classes(seed: int, factor: float, order: list[int]) -> None:
    x, centers, labels = normal(4, 5, seed=seed), normal(3, 5, seed=seed + 1), np.random.default_rng(seed).integers(0, 3, 4)
    for name in ("arcface_loss", "cosface_loss"):
        spec = get_loss(name, scale=8.0)
        close(spec(factor * x, centers / factor, labels), spec(x, centers, labels), rtol=1e-9)
        close(spec(x, centers[order], np.argsort(order)[labels]), spec(x, centers, labels), rtol=1e-9)


@few
@given(SEEDS, st.floats(0, 3), st.floats(0, 3))
def test_tversky_is_dice_at_one_half_and_changes_sides_with_its_masks(seed: int, alpha: float, beta: float) -> None:
    rng = np.random.default_rng(seed)
    p, t = rng.uniform(size=(2, 7)), np.round(rng.uniform(size=(2, 7)))
    bare: dict[str, Any] = {"activation": "none", "axis": None, "reduction": "none"}
    close(losses.tversky_loss(p, t, alpha=0.5, beta=0.5, **bare), losses.dice_loss(p, t, smooth=2.0, **bare))
    close(losses.tversky_loss(p, t, alpha=alpha, beta=beta, **bare), losses.tversky_loss(t, p, alpha=beta, beta=alpha, **bare))
    close(losses.focal_tversky_loss(p, t, gamma=1.0, **bare), losses.tversky_loss(p, t, **bare))
    close(losses.binary_dice_loss(p, t, activation="none"), losses.dice_loss(p, t, activation="none", axis=None))
    values = losses.tversky_loss(p, t, alpha=alpha, beta=beta, **bare)
    assert ((values >= 0) & (values < 1)).all()


# ------------------------------------------------------------------------------------------------- a distance of one's own
def test_the_default_distance_is_that_of_triplet_margin_loss() -> None:
    arrays = normal(4, 3), normal(4, 3, seed=1), normal(4, 3, seed=2)
    for swap in (False, True):
        close(losses.triplet_margin_with_distance_loss(*arrays, swap=swap), losses.triplet_margin_loss(*arrays, swap=swap))


def test_the_margins_edge_and_a_tied_swap_have_one_derivative() -> None:
    spec = get_loss("triplet_margin_with_distance_loss", distance_function=city_block, swap=True, reduction="sum")
    edge = np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])
    value, grads = slopes(spec, edge, (0, 1, 2))
    fn = F.triplet_margin_with_distance_loss
    tensors = [torch.tensor(x, requires_grad=True) for x in edge]
    wanted = fn(*tensors, distance_function=lambda u, v: (u - v).abs().sum(-1), swap=True, reduction="sum")
    close(value, wanted.detach())
    for grad, theirs in zip(grads, torch.autograd.grad(wanted, tensors), strict=True):
        close(grad, theirs)


# ------------------------------------------------------------------------------------------------- sums of losses
def test_losses_combine_by_name_and_by_value() -> None:
    combined = losses.combine_losses("mse_loss", losses.l1_loss, get_loss("huber_loss", delta=0.5), weights=(0.5, 2, 1))
    assert combined == 0.5 * losses.mse_loss + 2 * losses.l1_loss + get_loss("huber_loss", delta=0.5)
    assert losses.combine_losses("mse_loss") == losses.mse_loss + 0
    assert losses.combine_losses(combined, weights=[2.0]) == 2 * combined
    assert "combine_losses" in dir(losses)
    x, t = normal(3, 2), normal(3, 2, seed=1)
    wanted = 0.5 * losses.mse_loss(x, t) + 2 * losses.l1_loss(x, t) + losses.huber_loss(x, t, delta=0.5)
    for make in MAKE.values():
        close(combined(make(x), make(t)), wanted)


# ------------------------------------------------------------------------------------------------- names
@pytest.mark.parametrize(("alias", "name"), [
    ("ntxent", "ntxent_loss"), ("optax.losses.ntxent", "ntxent_loss"), ("SupConLoss", "supcon_loss"), ("InfoNCE", "info_nce_loss"),
    ("ClipLoss", "clip_loss"), ("SigLipLoss", "siglip_loss"), ("ArcFace", "arcface_loss"), ("CosFace", "cosface_loss"),
    ("CosineSimilarity", "cosine_similarity"), ("keras.losses.CosineSimilarity", "cosine_similarity"), ("Tversky", "tversky_loss"),
    ("optax.losses.cosine_distance", "cosine_distance"), ("Dice", "dice_loss"), ("optax.losses.binary_dice_loss", "binary_dice_loss"),
    ("TripletMarginWithDistanceLoss", "triplet_margin_with_distance_loss"), ("optax.losses.dice_loss", "dice_loss"),
    ("generalized_dice_loss", "multiclass_generalized_dice_loss"),
])  # fmt: skip
def test_names_that_people_type(alias: str, name: str) -> None:
    assert get_loss(alias) == get_loss(name)


# ------------------------------------------------------------------------------------------------- errors
X, Y = np.zeros((4, 3)), np.array([0, 0, 1, 1])
ERRORS: list[tuple[type[LossoptError], Callable[[], Any], str]] = [
    (InputError, lambda: losses.ntxent_loss(X[0], Y), "ntxent_loss: embeddings must be a batch of vectors, shape (N, D), got (3,); "
     "write embeddings.reshape(1, -1) for one sample"),
    (InputError, lambda: losses.supcon_loss(np.zeros((2, 2, 3)), Y),
     "supcon_loss: embeddings must be a batch of vectors, shape (N, D), got (2, 2, 3)"),
    (InputError, lambda: losses.ntxent_loss(X, Y[:, None]),
     "ntxent_loss: labels must hold one label for each of the 4 embeddings, shape (4,), got (4, 1); write labels.reshape((4,))"),
    (InputError, lambda: losses.supcon_loss(X, Y[:2]),
     "supcon_loss: labels must hold one label for each of the 4 embeddings, shape (4,), got (2,)"),
    (InputError, lambda: losses.ntxent_loss(torch.zeros(4, 3), torch.zeros(4)),
     "ntxent_loss: labels must be integers, got float32; write labels.long()"),
    (InputError, lambda: losses.ntxent_loss(X.astype(int), Y),
     "ntxent_loss: embeddings must be floating-point, got int64; write embeddings.astype(float)"),
    (InputError, lambda: losses.clip_loss(X, X[:3]),
     "clip_loss: queries and keys must have the same shape, got (4, 3) and (3, 3); give both the same shape"),
    (InputError, lambda: losses.info_nce_loss(X, X[:3]),
     "info_nce_loss: keys must hold a key for each of the 4 queries, then further negatives if any; got 3"),
    (InputError, lambda: losses.info_nce_loss(X, X[:, :2]),
     "info_nce_loss: queries and keys must have the same number of features, got 3 and 2"),
    (InputError, lambda: losses.siglip_loss(X, X, logit_scale=np.ones(2)),
     "siglip_loss: logit_scale must be one number, got shape (2,); write logit_scale.reshape(())"),
    (InputError, lambda: losses.clip_loss(X, X, logit_scale=torch.tensor(2.0)),
     "clip_loss: logit_scale is torch, queries are numpy; convert them to one"),
    (HyperparameterError, lambda: losses.ntxent_loss(X, Y, temperature=0.0),
     "ntxent_loss: temperature must be positive, and finite, got 0.0"),
    (InputError, lambda: losses.arcface_loss(X, np.zeros((3, 2)), Y),
     "arcface_loss: centers must have the 3 features of the embeddings, shape (C, 3), got (3, 2); write centers.T"),
    (InputError, lambda: losses.arcface_loss(X, np.zeros((5, 2)), Y),
     "arcface_loss: centers must have the 3 features of the embeddings, shape (C, 3), got (5, 2)"),
    (InputError, lambda: losses.cosface_loss(X, np.zeros((0, 3)), Y),
     "cosface_loss: centers of shape (0, 3) are of no classes; give at least one"),
    (InputError, lambda: losses.arcface_loss(X, X, Y + 4),
     "arcface_loss: targets has the label 4 at index (0,), but there are 4 classes, 0 to 3"),
    (InputError, lambda: losses.arcface_loss(X, X, X),
     "arcface_loss: targets must hold one label for each of the 4 embeddings, shape (4,), got (4, 3)"),
    (HyperparameterError, lambda: losses.arcface_loss(X, X, Y, margin=28.6),
     "arcface_loss: margin must be in [0, 3.14159], got 28.6"),
    (InputError, lambda: losses.cosine_similarity(X[0], X[0]),
     "cosine_similarity: predictions of shape (3,) has no axis 1; write axis=None for every element, or -1 for the last"),
    (InputError, lambda: losses.cosine_similarity(X, X[0]),
     "cosine_similarity: predictions and targets must have the same shape, got (4, 3) and (3,), which would broadcast to (4, 3); "
     "if every entry is meant to repeat, write np.broadcast_to(targets, predictions.shape)"),
    (InputError, lambda: losses.cosine_distance(X, X, where=np.ones((2, 3))),
     "cosine_distance: where of shape (2, 3) does not broadcast to predictions, shape (4, 3); give it that shape or the last axis's"),
    (HyperparameterError, lambda: losses.triplet_margin_with_distance_loss(X, X, X, distance_function="euclidean"),
     "triplet_margin_with_distance_loss: distance_function must be a function or None, got 'euclidean'"),
    (ArgumentError, lambda: losses.triplet_margin_with_distance_loss(X, X, X, distance_function=len),
     "triplet_margin_with_distance_loss: distance_function is a pure function (ops, u, v) -> distances, written in the words of "
     "lossopt.ops.LossOps, got <built-in function len>"),
    (InputError, lambda: losses.multiclass_generalized_dice_loss(X, X, axis=0),
     "multiclass_generalized_dice_loss: predictions of shape (4, 3) have their samples on axis 0, so it cannot be the class axis; "
     "write axis=None where there is no class axis"),
    (ArgumentError, lambda: losses.combine_losses(),
     "combine_losses() takes a weight for each loss, got 0 losses and 0 weights: write "
     "combine_losses('cross_entropy', 'dice_loss', weights=(0.5, 0.5))"),
    (ArgumentError, lambda: losses.combine_losses("mse_loss", weights=(0.5, 0.5)),
     "combine_losses() takes a weight for each loss, got 1 loss and 2 weights: write "
     "combine_losses('cross_entropy', 'dice_loss', weights=(0.5, 0.5))"),
    (ArgumentError, lambda: losses.combine_losses(["mse_loss", "l1_loss"]),
     "combine_losses() takes losses by name or as values, got ['mse_loss', 'l1_loss']; write combine_losses(*losses)"),
    (UnknownNameError, lambda: losses.combine_losses("mse_los"),
     "unknown loss 'mse_los'; did you mean 'mse_loss'? (lossopt list losses shows all)"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "call", "message"), ERRORS, ids=[str(i) for i in range(len(ERRORS))])
def test_an_error_says_what_was_given_and_what_to_type(kind: type[LossoptError], call: Callable[[], Any], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


def test_a_distance_of_two_arguments_is_pytorchs_and_not_ours() -> None:
    def two(u: Any, v: Any) -> Any:
        return ((u - v) ** 2).sum(-1)

    with pytest.raises(ArgumentError, match=r"distance_function is a pure function \(ops, u, v\)"):
        losses.triplet_margin_with_distance_loss(X, X, X, distance_function=two)
