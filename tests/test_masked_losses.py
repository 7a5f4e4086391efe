"""What optax's `where` leaves out of a loss can be left out here, in every framework."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from loss_runs import MAKE, close

from lossopt import losses
from lossopt.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")

LOGITS = np.random.default_rng(0).normal(size=(3, 4))
LABELS = np.array([0, 3, 2])
CLASSES = np.array([[True, True, False, True], [True, True, True, True], [False, True, True, False]])
SAMPLES = np.array([True, False, True])


def test_a_class_that_is_not_there_has_a_logit_of_minus_infinity() -> None:
    wanted = optax.losses.softmax_cross_entropy_with_integer_labels(jnp.asarray(LOGITS), jnp.asarray(LABELS), where=jnp.asarray(CLASSES))
    for make in MAKE.values():
        close(losses.cross_entropy(make(np.where(CLASSES, LOGITS, -np.inf)), make(LABELS), reduction="none"), wanted)


def test_a_sample_that_does_not_count_has_the_ignored_label() -> None:
    there = jnp.asarray(SAMPLES)
    wanted = optax.losses.softmax_cross_entropy_with_integer_labels(jnp.asarray(LOGITS), jnp.asarray(LABELS), where=there)
    for make in MAKE.values():
        labels = make(np.where(SAMPLES, LABELS, -100))
        close(losses.cross_entropy(make(LOGITS), labels, reduction="none"), wanted)
        close(losses.cross_entropy(make(LOGITS), labels), wanted.sum() / 2)


@pytest.mark.parametrize("log_target", [False, True])
def test_kl_div_counts_what_where_says(log_target: bool) -> None:
    x, t = np.log(np.abs(LOGITS)), np.abs(LOGITS[::-1])
    x, t = np.where(CLASSES, x, np.inf), np.where(CLASSES, np.log(t) if log_target else t, np.nan)
    terms = np.where(CLASSES, np.exp(t) * (t - x) if log_target else t * (np.log(t) - x), 0.0)
    for make in MAKE.values():
        given = make(x), make(t)
        close(losses.kl_div(*given, where=CLASSES, log_target=log_target), terms.sum() / CLASSES.sum())
        close(losses.kl_div(*given, where=CLASSES, log_target=log_target, reduction="batchmean"), terms.sum() / 3)
        close(losses.kl_div(*given, where=make(CLASSES), log_target=log_target, axis=1, reduction="none"), terms.sum(1))
        rows = make(np.nan_to_num(x, posinf=0.0)), make(np.nan_to_num(t))
        close(losses.kl_div(*rows, where=SAMPLES[:, None], log_target=log_target),
              losses.kl_div(*(r[make(SAMPLES)] for r in rows), log_target=log_target))  # fmt: skip


def test_the_generalized_divergence_too() -> None:
    x, t = np.where(CLASSES, LOGITS, np.inf), np.where(CLASSES, np.abs(LOGITS), np.nan)
    wanted = optax.losses.generalized_kl_divergence(jnp.where(CLASSES, x, 0.0), jnp.asarray(np.nan_to_num(t)), where=jnp.asarray(CLASSES))
    for make in MAKE.values():
        close(losses.generalized_kl_divergence(make(x), make(t), where=CLASSES, convention="optax"), wanted)
        close(losses.generalized_kl_divergence(make(x), make(t), where=CLASSES), wanted.sum() / CLASSES.sum())


def test_what_does_not_count_has_no_gradient() -> None:
    x, t = np.where(CLASSES, LOGITS, -np.inf), np.where(CLASSES, np.abs(LOGITS), 0.0)
    tensor = torch.tensor(x, requires_grad=True)
    losses.kl_div(tensor, torch.tensor(t), where=CLASSES).backward()
    grad = jax.grad(lambda x: losses.kl_div(x, jnp.asarray(t), where=jnp.asarray(CLASSES)))(jnp.asarray(x))
    assert tensor.grad is not None
    close(grad, tensor.grad)
    close(grad, np.where(CLASSES, -t / CLASSES.sum(), 0.0))


def test_a_mask_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(InputError) as caught:
        losses.kl_div(LOGITS, np.abs(LOGITS), where=SAMPLES)
    assert str(caught.value) == ("kl_div: where of shape (3,) does not broadcast to predictions, shape (3, 4); "
                                 "give it that shape or the last axis's")  # fmt: skip
