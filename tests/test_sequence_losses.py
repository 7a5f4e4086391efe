"""ctc_loss and its forward probabilities, divergences, distillation and preferences: options, edges and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from lossopt import get_loss, losses
from lossopt.errors import ArgumentError, HyperparameterError, InputError

pytestmark = pytest.mark.usefixtures("x64")

MAKE: dict[str, Callable[..., Any]] = {"numpy": np.asarray, "jax": jnp.asarray, "torch": torch.tensor}
LOGITS = np.random.default_rng(0).normal(size=(5, 3, 4))
TARGETS = np.array([[1, 1, 2], [2, 3, -1], [1, 1, 1]])
FRAMES, LABELS = np.array([5, 4, 4]), np.array([3, 2, 3])
"""The last target needs five frames and has four: 1 blank 1 blank 1."""


def gradients(fn: Callable[..., Any], x: Any, *rest: Any) -> dict[str, np.ndarray]:
    tensor = torch.tensor(x, requires_grad=True)
    (theirs,) = torch.autograd.grad(fn(tensor, *map(torch.tensor, rest)).sum(), tensor)
    return {"torch": theirs.numpy(), "jax": np.asarray(jax.grad(lambda x: jnp.sum(fn(x, *rest)))(jnp.asarray(x)))}


# ------------------------------------------------------------------------------------------------- ctc
def test_an_impossible_alignment_costs_inf_with_gradient_nan_as_in_pytorch() -> None:
    spec = get_loss("ctc_loss", reduction="none")
    for make in MAKE.values():
        assert np.isposinf(np.asarray(spec(*map(make, (LOGITS, TARGETS, FRAMES, LABELS))))).tolist() == [False, False, True]
    for found in gradients(spec, LOGITS, TARGETS, FRAMES, LABELS).values():
        assert np.isnan(found[:4, 2]).all() and (found[4:, 2] == 0).all() and np.isfinite(found[:, :2]).all()


def test_zero_infinity_makes_it_0_with_gradient_0() -> None:
    spec = get_loss("ctc_loss", reduction="none", zero_infinity=True)
    for make in MAKE.values():
        assert np.asarray(spec(*map(make, (LOGITS, TARGETS, FRAMES, LABELS))))[2] == 0
    for found in gradients(spec, LOGITS, TARGETS, FRAMES, LABELS).values():
        assert (found[:, 2] == 0).all() and np.isfinite(found).all()


def test_log_probabilities_and_logits_give_the_same() -> None:
    spec = get_loss("ctc_loss", zero_infinity=True)
    log_probs = np.asarray(jax.nn.log_softmax(LOGITS, -1))
    assert np.isclose(spec(LOGITS, TARGETS, FRAMES, LABELS), spec(log_probs, TARGETS, FRAMES, LABELS), rtol=1e-14)


def test_a_class_of_probability_0_leaves_the_gradient_finite() -> None:
    logits = LOGITS.copy()
    logits[:, :, 3] = -np.inf
    spec = get_loss("ctc_loss", reduction="none", zero_infinity=True)
    values = [np.asarray(spec(*map(make, (logits, TARGETS, FRAMES, LABELS)))) for make in MAKE.values()]
    assert values[0][1] == 0 and values[0][0] > 0  # the second target has class 3
    for other in values[1:]:
        np.testing.assert_allclose(other, values[0], rtol=1e-12)
    found = gradients(spec, logits, TARGETS, FRAMES, LABELS)
    for slope in found.values():
        assert np.isfinite(slope).all()
        np.testing.assert_allclose(slope, found["torch"], rtol=1e-10, atol=1e-14)


def test_a_target_without_labels_costs_its_blanks() -> None:
    spec, empty = get_loss("ctc_loss", reduction="none"), np.zeros(3, int)
    blanks = np.asarray(jax.nn.log_softmax(LOGITS, -1))[:, :, 0]
    wanted = [-blanks[:n, i].sum() for i, n in enumerate(FRAMES)]
    for make in MAKE.values():
        np.testing.assert_allclose(np.asarray(spec(*map(make, (LOGITS, TARGETS, FRAMES, empty)))), wanted, rtol=1e-12)
        np.testing.assert_allclose(np.asarray(spec(*map(make, (LOGITS, TARGETS[:, :0], FRAMES, empty)))), wanted, rtol=1e-12)


def test_unseen_labels_that_are_wrong_give_nan() -> None:
    targets = np.array([[1, 4, 2], [2, 3, -1], [0, 1, 1]])
    found = jax.jit(get_loss("ctc_loss", reduction="none", zero_infinity=True))(LOGITS, targets, FRAMES, LABELS)
    assert np.isnan(np.asarray(found)).tolist() == [True, False, True]


@pytest.mark.parametrize("framework", ["numpy", "jax", "torch"])
@pytest.mark.parametrize("log_epsilon", [-1e5, -50.0])
def test_forward_probabilities_are_optaxs(framework: str, log_epsilon: float) -> None:
    logits, targets = np.swapaxes(LOGITS, 0, 1), np.where(TARGETS < 0, 0, TARGETS)
    frames, labels = (np.arange(most) >= lengths[:, None] for most, lengths in ((5, FRAMES), (3, LABELS)))
    given = logits, frames.astype(float), targets, labels.astype(float)
    wanted = optax.losses.ctc_loss_with_forward_probs(*map(jnp.asarray, given), log_epsilon=log_epsilon)
    found = losses.ctc_loss_with_forward_probs(*map(MAKE[framework], given), log_epsilon=log_epsilon)
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-12)


def test_forward_probabilities_of_half_precision_are_rounded_once() -> None:
    given = np.swapaxes(LOGITS, 0, 1), np.zeros((3, 5)), np.where(TARGETS < 0, 1, TARGETS), np.zeros((3, 3))
    halves = [torch.tensor(x).bfloat16() if x.dtype.kind == "f" else torch.tensor(x) for x in given]
    wide = [x.float() if x.is_floating_point() else x for x in halves]
    for half, full in zip(losses.ctc_loss_with_forward_probs(*halves), losses.ctc_loss_with_forward_probs(*wide), strict=True):
        assert torch.equal(half, full.bfloat16())
    jaxes = [jnp.asarray(x.float().numpy()).astype(jnp.bfloat16) if x.is_floating_point() else jnp.asarray(x.numpy()) for x in halves]
    assert {str(x.dtype) for x in losses.ctc_loss_with_forward_probs(*jaxes)} == {"bfloat16"}


CTC_ERRORS: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    ((LOGITS[0], TARGETS, FRAMES, LABELS), {},
     "ctc_loss: predictions must have shape (T, N, C) with at least one frame and one class, got (3, 4)"),
    ((LOGITS[:0], TARGETS, FRAMES, LABELS), {},
     "ctc_loss: predictions must have shape (T, N, C) with at least one frame and one class, got (0, 3, 4)"),
    ((LOGITS, TARGETS.astype(float), FRAMES, LABELS), {}, "ctc_loss: targets must be integer labels, got float64; write targets.astype(int)"),
    ((LOGITS, TARGETS.ravel(), FRAMES, LABELS), {},
     "ctc_loss: targets must hold a row of labels for each of the 3 sequences, shape (3, S), got (9,); pad sequences that stand end to end"),
    ((LOGITS, TARGETS, FRAMES[:2], LABELS), {}, "ctc_loss: input_lengths must have shape (3,), got (2,)"),
    ((LOGITS, TARGETS, np.zeros((3, 5)), LABELS), {},
     "ctc_loss: input_lengths must have shape (3,), got (3, 5); of paddings write lengths_are='paddings'"),
    ((LOGITS, TARGETS, FRAMES * 1.0, LABELS), {}, "ctc_loss: input_lengths must be integers, got float64; write input_lengths.astype(int)"),
    ((LOGITS, TARGETS, FRAMES + 1, LABELS), {}, "ctc_loss: input_lengths must be from 0 to 5, got 6"),
    ((LOGITS, TARGETS, FRAMES, LABELS - 3), {}, "ctc_loss: target_lengths must be from 0 to 3, got -1"),
    ((LOGITS, TARGETS + 2, FRAMES, LABELS), {}, "ctc_loss: targets has the label 4 at index (0, 2), but there are 4 classes, 0 to 3"),
    ((LOGITS, TARGETS - 1, FRAMES, LABELS), {}, "ctc_loss: targets has the label 0 at index (0, 0), which is the blank"),
    ((LOGITS, TARGETS, FRAMES, LABELS), {"blank": 4}, "ctc_loss: blank=4 is none of the 4 classes, 0 to 3"),
    ((LOGITS, TARGETS, FRAMES, LABELS), {"zero_infinity": True, "log_epsilon": -1e5},
     "ctc_loss: with log_epsilon no alignment costs inf, so that zero_infinity has nothing to do; leave one of them out"),
    ((LOGITS, TARGETS, np.full((3, 5), 2), np.zeros((3, 3))), {"lengths_are": "paddings"},
     "ctc_loss: input_lengths must be 1 where there is padding and 0 elsewhere, got 2"),
]  # fmt: skip


@pytest.mark.parametrize(("arrays", "options", "message"), CTC_ERRORS)
def test_ctc_errors_say_what_is_wrong(arrays: tuple[Any, ...], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as found:
        get_loss("ctc_loss", **options)(*arrays)
    assert str(found.value) == message


def test_forward_probabilities_name_themselves_in_errors() -> None:
    with pytest.raises(InputError) as found:
        losses.ctc_loss_with_forward_probs(LOGITS[0], np.zeros((3, 5)), TARGETS, np.zeros((3, 3)))
    assert str(found.value) == (
        "ctc_loss_with_forward_probs: predictions must have shape (N, T, C) with at least one frame and one class, got (3, 4)"
    )


# ------------------------------------------------------------------------------------------------- labels
@pytest.mark.parametrize("framework", ["numpy", "jax", "torch"])
def test_smooth_labels_are_optaxs_in_every_framework(framework: str) -> None:
    hot = np.eye(4)[[0, 2, 1]]
    for axis in (-1, 0):
        found = losses.smooth_labels(MAKE[framework](hot), 0.1, axis=axis)
        assert type(found) is type(MAKE[framework](hot))
        np.testing.assert_allclose(np.asarray(found), optax.losses.smooth_labels(jnp.asarray(hot), 0.1, axis=axis), rtol=1e-14)


def test_smooth_labels_say_what_is_wrong() -> None:
    with pytest.raises(InputError) as found:
        losses.smooth_labels(np.eye(2, dtype=int), 0.1)
    assert str(found.value) == "smooth_labels: labels must be floating-point, got int64; write labels.astype(float)"
    with pytest.raises(ArgumentError) as untyped:
        losses.smooth_labels([1.0, 0.0], 0.1)
    assert str(untyped.value) == "smooth_labels: labels must be an array, got list"


def test_functions_are_listed_beside_the_losses() -> None:
    assert {"smooth_labels", "ctc_loss_with_forward_probs"} <= set(dir(losses))


# ------------------------------------------------------------------------------------------------- divergences
def test_the_jensen_shannon_divergence_is_symmetric_bounded_and_finite_at_its_ends() -> None:
    p, q = np.random.default_rng(0).dirichlet(np.ones(4), (2, 6))
    spec = get_loss("jsd_loss", axis=-1, reduction="none")
    np.testing.assert_allclose(spec(np.log(p), q), spec(np.log(q), p), rtol=1e-12)
    apart = np.log(np.array([[1.0, 1e-300]])), np.array([[0.0, 1.0]])
    np.testing.assert_allclose(spec(*apart), np.log(2), rtol=1e-12)
    edge = np.array([[-np.inf, 0.0, -np.inf]]), np.array([[0.5, 0.5, 0.0]])
    for make in MAKE.values():
        assert np.isfinite(np.asarray(spec(*map(make, edge)))).all()
    found = gradients(spec, *edge)
    np.testing.assert_allclose(found["jax"], found["torch"], rtol=1e-12, atol=1e-300)
    assert np.isfinite(found["torch"]).all()


def test_the_generalized_divergence_is_the_plain_one_of_probabilities() -> None:
    p, q = np.random.default_rng(0).dirichlet(np.ones(4), (2, 6))
    plain, general = (get_loss(name, reduction="batchmean")(np.log(p), q) for name in ("kl_div", "generalized_kl_divergence"))
    np.testing.assert_allclose(general, plain, rtol=1e-12)
    assert get_loss("generalized_kl_divergence", reduction="sum")(np.log(2 * p), 2 * p) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("alias", "name"), [("optax.losses.kl_divergence_with_log_targets", "kl_divergence_with_log_targets"),
                                             ("convex_kl_divergence", "generalized_kl_divergence"), ("CTCLoss", "ctc_loss"),
                                             ("LinearCrossEntropyLoss", "linear_cross_entropy"), ("DPOLoss", "dpo_loss")])  # fmt: skip
def test_names_that_people_type(alias: str, name: str) -> None:
    assert get_loss(alias) == get_loss(name)


def test_distillation_without_a_teachers_share_is_cross_entropy() -> None:
    x, z, y = np.random.default_rng(0).normal(size=(6, 3)), np.zeros((6, 3)), np.array([0, 1, 2, -100, 1, 0])
    np.testing.assert_allclose(losses.distillation_loss(x, z, y, alpha=1.0), losses.cross_entropy(x, y), rtol=1e-12)
    assert losses.distillation_loss(z, z, np.where(y < 0, 0, y), alpha=0.0) == 0


def test_distillation_wants_a_teacher_of_the_same_shape() -> None:
    with pytest.raises(InputError) as found:
        losses.distillation_loss(np.ones((2, 3)), np.ones((2, 1)), np.array([0, 1]))
    assert str(found.value) == (
        "distillation_loss: predictions and teacher must have the same shape, got (2, 3) and (2, 1), which would broadcast to (2, 3); "
        "if every entry is meant to repeat, write np.broadcast_to(teacher, predictions.shape)"
    )


# ------------------------------------------------------------------------------------------------- preferences
ANSWERS = tuple(np.random.default_rng(0).normal(size=(4, 6)) * 3)
TYPES = ("sigmoid", "hinge", "ipo", "robust", "exo_pair", "nca_pair", "apo_zero", "apo_down", "sppo_hard")


@pytest.mark.parametrize("loss_type", TYPES)
def test_without_a_reference_none_is_read(loss_type: str) -> None:
    smoothing: dict[str, Any] = {"label_smoothing": 0.1} if loss_type == "exo_pair" else {}
    free = get_loss("dpo_loss", loss_type=loss_type, reference_free=True, **smoothing)
    uniform = get_loss("dpo_loss", loss_type=loss_type, **smoothing)
    none = np.zeros(6)
    assert free(*ANSWERS) == uniform(*ANSWERS[:2], none, none)
    for found in gradients(free, *ANSWERS).values():
        np.testing.assert_allclose(found, gradients(uniform, *ANSWERS[:2], none, none)["torch"], rtol=1e-12)


@pytest.mark.parametrize("loss_type", TYPES)
def test_far_apart_answers_have_finite_losses_and_gradients(loss_type: str) -> None:
    smoothing: dict[str, Any] = {"label_smoothing": 0.1} if loss_type == "exo_pair" else {}
    spec = get_loss("dpo_loss", loss_type=loss_type, beta=1.0, reduction="none", **smoothing)
    far = np.array([1e4, -1e4]), np.array([-1e4, 1e4]), np.zeros(2), np.zeros(2)
    values = [np.asarray(spec(*map(make, far))) for make in MAKE.values()]
    assert np.isfinite(values[0]).all()
    np.testing.assert_allclose(values[1:], [values[0]] * 2, rtol=1e-12, atol=1e-300)
    found = gradients(spec, *far)
    np.testing.assert_allclose(found["jax"], found["torch"], rtol=1e-12, atol=1e-300)
    assert np.isfinite(found["torch"]).all()


def test_the_hinges_kink_has_the_falling_sides_slope() -> None:
    at = np.array([1.0]), np.array([0.0]), np.array([0.0]), np.array([0.0])
    for found in gradients(get_loss("dpo_loss", loss_type="hinge", beta=1.0), *at).values():
        assert found == -1.0


DPO_ERRORS: list[tuple[dict[str, Any], str]] = [
    ({"loss_type": "ipo", "label_smoothing": 0.1},
     "dpo_loss: loss_type='ipo' has no label_smoothing; leave it out, or take one of 'sigmoid', 'robust', 'exo_pair'"),
    ({"loss_type": "exo_pair"},
     "dpo_loss: loss_type='exo_pair' takes log(label_smoothing), so that it must not be 0; write label_smoothing=1e-3"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), DPO_ERRORS)
def test_smoothing_goes_where_it_has_a_meaning(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as found:
        get_loss("dpo_loss", **options)(*ANSWERS)
    assert str(found.value) == message
    with pytest.raises(HyperparameterError) as out:
        get_loss("dpo_loss", loss_type="robust", label_smoothing=0.5)
    assert str(out.value) == "dpo_loss: label_smoothing must be in [0, 0.5), got 0.5"
