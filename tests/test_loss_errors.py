"""What a loss refuses: one row per mistake, with the exact words of its error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import lossopt
from lossopt import get_loss, losses
from lossopt.errors import ArgumentError, HyperparameterError, InputError, LossoptError, UnknownNameError

X = np.zeros((6, 3))
LABELS = np.array([0, 1, 2, 0, 1, 2])
TX, TLABELS = torch.zeros(6, 3), torch.tensor(LABELS)
JX = jnp.zeros((6, 3))
PAIR = np.ones((2, 4))
IMAGE = np.zeros((2, 3, 4, 4))

SHAPES: list[tuple[str, Callable[[], Any], str]] = [
    ("column against row", lambda: losses.mse_loss(np.zeros((6, 1)), np.zeros(6)),
     "mse_loss: predictions and targets must have the same shape, got (6, 1) and (6,), which would broadcast to (6, 6); "
     "write targets.reshape(predictions.shape)"),
    ("column against row in torch", lambda: losses.huber_loss(torch.zeros(6, 1), torch.zeros(6)),
     "huber_loss: predictions and targets must have the same shape, got (6, 1) and (6,), which would broadcast to (6, 6); "
     "write targets.reshape(predictions.shape)"),
    ("one target for all", lambda: losses.l1_loss(TX, torch.zeros(3)),
     "l1_loss: predictions and targets must have the same shape, got (6, 3) and (3,), which would broadcast to (6, 3); "
     "if every entry is meant to repeat, write targets.expand_as(predictions)"),
    ("one target for all in jax", lambda: losses.smooth_l1_loss(JX, jnp.zeros(3)),
     "smooth_l1_loss: predictions and targets must have the same shape, got (6, 3) and (3,), which would broadcast to (6, 3); "
     "if every entry is meant to repeat, write jnp.broadcast_to(targets, predictions.shape)"),
    ("shapes that do not go together", lambda: losses.kl_div(X, np.zeros((6, 4))),
     "kl_div: predictions and targets must have the same shape, got (6, 3) and (6, 4); give both the same shape"),
    ("an axis that is not there", lambda: losses.kl_div(X, X, axis=2),
     "kl_div: predictions of shape (6, 3) has no axis 2; write axis=None for every element, or -1 for the last"),
    ("binary targets of another shape", lambda: losses.binary_cross_entropy_with_logits(np.zeros((6, 1)), np.zeros(6)),
     "binary_cross_entropy_with_logits: predictions and targets must have the same shape, got (6, 1) and (6,), "
     "which would broadcast to (6, 6); write targets.reshape(predictions.shape)"),
    ("a factor that enlarges", lambda: losses.binary_cross_entropy_with_logits(X, X, pos_weight=np.ones((6, 1, 3))),
     "binary_cross_entropy_with_logits: pos_weight of shape (6, 1, 3) does not broadcast to predictions, shape (6, 3); "
     "give it that shape or the last axis's"),
    ("labels in a column", lambda: losses.cross_entropy(X, LABELS[:, None]),
     "cross_entropy: targets must have the shape of predictions without the class axis 1, (6,), got (6, 1); write targets.reshape((6,))"),
    ("classes last", lambda: losses.cross_entropy(np.zeros((2, 4, 3)), np.zeros((2, 4), int)),
     "cross_entropy: targets must have the shape of predictions without the class axis 1, (2, 3), got (2, 4); "
     "with the classes on axis 2, write axis=-1"),
    ("another number of labels", lambda: losses.nll_loss(X, LABELS[:5]),
     "nll_loss: targets must have the shape of predictions without the class axis 1, (6,), got (5,)"),
    ("probabilities of another shape", lambda: losses.cross_entropy(X, np.zeros((6, 4))),
     "cross_entropy: targets of class probabilities must have predictions' shape, (6, 3), got (6, 4)"),
    ("no such class axis", lambda: losses.focal_loss(X, LABELS, axis=3),
     "focal_loss: predictions of shape (6, 3) have no axis 3 for the classes; write axis=-1 for the last"),
    ("no class axis at all", lambda: losses.cross_entropy(np.zeros(()), np.zeros((), int)),
     "cross_entropy: predictions must have a class axis, got shape (); write predictions.reshape((1, -1))"),
    ("no classes", lambda: losses.cross_entropy(np.zeros((6, 0)), LABELS, reduction="sum"),
     "cross_entropy: predictions of shape (6, 0) have no classes on axis 1; give at least one"),
    ("too few class weights", lambda: losses.cross_entropy(X, LABELS, weight=[1.0, 2.0]),
     "cross_entropy: weight must hold one number for each of the 3 classes, got shape (2,)"),
    ("too many alphas", lambda: losses.focal_loss(X, LABELS, alpha=(1.0, 2.0, 3.0, 4.0)),
     "focal_loss: alpha must hold one number for each of the 3 classes, got shape (4,)"),
    ("class axis on the samples", lambda: losses.dice_loss(IMAGE, IMAGE, axis=0),
     "dice_loss: predictions of shape (2, 3, 4, 4) have their samples on axis 0, so it cannot be the class axis; "
     "write axis=None where there is no class axis"),
    ("class weights without classes", lambda: losses.dice_loss(IMAGE, IMAGE, axis=None, weight=[1.0]),
     "dice_loss: weight is one number per class, and axis=None says that there is no class axis; leave weight out"),
    ("one class and labels", lambda: losses.dice_loss(np.zeros((2, 1, 4)), np.zeros((2, 4), int)),
     "dice_loss: predictions and targets must have the same shape, got (2, 1, 4) and (2, 4), which would broadcast to (2, 2, 4); "
     "write targets.reshape(predictions.shape)"),
    ("masks of a scalar", lambda: losses.dice_ce_loss(np.zeros(()), np.zeros(()), axis=None),
     "dice_ce_loss: predictions must have a batch axis first, got shape (); write predictions.reshape((1, 1))"),
    ("embeddings of two lengths", lambda: losses.cosine_embedding_loss(PAIR, PAIR[:, :3], np.ones(2)),
     "cosine_embedding_loss: x1 and x2 must have the same shape, got (2, 4) and (2, 3); give both the same shape"),
    ("a target column", lambda: losses.contrastive_loss(PAIR, PAIR, np.ones((2, 1))),
     "contrastive_loss: targets must hold one number per pair, shape (2,), got (2, 1); write targets.reshape((2,))"),
    ("one negative for all", lambda: losses.triplet_margin_loss(PAIR, PAIR, PAIR[0]),
     "triplet_margin_loss: anchor and negative must have the same shape, got (2, 4) and (4,), which would broadcast to (2, 4); "
     "if every entry is meant to repeat, write np.broadcast_to(negative, anchor.shape)"),
    ("no features", lambda: losses.triplet_margin_loss(np.zeros(()), np.zeros(()), np.zeros(())),
     "triplet_margin_loss: anchor must have the features on its last axis, got shape (); write anchor.reshape((1,))"),
]  # fmt: skip

DTYPES: list[tuple[str, Callable[[], Any], str]] = [
    ("integer predictions", lambda: losses.mse_loss(LABELS, LABELS),
     "mse_loss: predictions must be floating-point, got int64; write predictions.astype(float)"),
    ("integer predictions in torch", lambda: losses.cross_entropy(TX.long(), TLABELS),
     "cross_entropy: predictions must be floating-point, got int64; write predictions.float()"),
    ("integer predictions in jax", lambda: losses.sigmoid_focal_loss(JX.astype(int), JX),
     "sigmoid_focal_loss: predictions must be floating-point, got int32; write predictions.astype(jnp.float32)"),
    ("boolean targets", lambda: losses.l1_loss(TX, TX > 0),
     "l1_loss: targets must be floating-point, got bool; write targets.float()"),
    ("complex predictions", lambda: losses.mse_loss(X * 1j, X),
     "mse_loss: predictions must be floating-point, got complex128"),
    ("integer regression targets", lambda: losses.huber_loss(X[:, 0], LABELS),
     "huber_loss: targets must be floating-point, got int64; write targets.astype(float)"),
    ("floating labels", lambda: losses.cross_entropy(X, LABELS.astype(float)),
     "cross_entropy: targets is float64 in the shape of class labels, (6,); labels are integers: write targets.astype(int), "
     "or give probabilities of shape (6, 3)"),
    ("floating labels in torch", lambda: losses.cross_entropy(TX, TLABELS.float()),
     "cross_entropy: targets is float32 in the shape of class labels, (6,); labels are integers: write targets.long(), "
     "or give probabilities of shape (6, 3)"),
    ("integer one-hot", lambda: losses.cross_entropy(TX, torch.zeros(6, 3, dtype=torch.int64)),
     "cross_entropy: targets is int64 in the shape of predictions, (6, 3); class probabilities are floating-point: "
     "write targets.float(), or give class labels"),
    ("boolean labels", lambda: losses.nll_loss(X, LABELS > 0),
     "nll_loss: targets must be integer class labels, got bool of shape (6,); write targets.astype(int)"),
    ("one-hot where labels are wanted", lambda: losses.focal_loss(X, X),
     "focal_loss: targets must be integer class labels, got float64 of shape (6, 3); write targets.argmax(1)"),
    ("boolean pair targets", lambda: losses.contrastive_loss(PAIR, PAIR, np.array([True, False])),
     "contrastive_loss: targets must be integers or floating-point, got bool; write targets.astype(int)"),
    ("complex binary targets", lambda: losses.binary_cross_entropy_with_logits(X, X * 1j),
     "binary_cross_entropy_with_logits: targets must be real numbers, got complex128"),
]  # fmt: skip

LABEL_ROWS: list[tuple[str, Callable[[], Any], str]] = [
    ("a label too high", lambda: losses.cross_entropy(X, np.array([0, 1, 2, 0, 7, 2])),
     "cross_entropy: targets has the label 7 at index (4,), but there are 3 classes, 0 to 2; "
     "to leave it out of the loss write ignore_index=7"),
    ("a label too high in torch", lambda: losses.nll_loss(TX, torch.tensor([0, 1, 255, 0, 1, 2])),
     "nll_loss: targets has the label 255 at index (2,), but there are 3 classes, 0 to 2; "
     "to leave it out of the loss write ignore_index=255"),
    ("a negative label in jax", lambda: losses.focal_loss(JX, jnp.array([0, 1, -1, 0, 1, 2])),
     "focal_loss: targets has the label -1 at index (2,), but there are 3 classes, 0 to 2; "
     "to leave it out of the loss write ignore_index=-1"),
    ("labels that begin at 1", lambda: losses.cross_entropy(X, LABELS + 1),
     "cross_entropy: targets has the label 3 at index (2,), but there are 3 classes, 0 to 2; yours begin at 1: write targets - 1"),
    ("torch's ignored label under optax's convention", lambda: losses.cross_entropy(X, np.full(6, -100), convention="optax"),
     "cross_entropy: targets has the label -100 at index (0,), but there are 3 classes, 0 to 2"),
    ("one label alone", lambda: losses.cross_entropy(np.zeros(3), np.array(3)),
     "cross_entropy: targets has the label 3, but there are 3 classes, 0 to 2; "
     "to leave it out of the loss write ignore_index=3"),
    ("a label in an image", lambda: losses.dice_loss(IMAGE, np.full((2, 4, 4), 5)),
     "dice_loss: targets has the label 5 at index (0, 0, 0), but there are 3 classes, 0 to 2"),
    ("a mask of many", lambda: losses.dice_ce_loss(np.zeros((1, 1, 2)), np.array([[[1, 2]]])),
     "dice_ce_loss: targets must be 0 or 1, got 2 at index (0, 0, 1)"),
    ("binary targets of -1 and 1", lambda: losses.binary_cross_entropy_with_logits(np.zeros(2), np.array([-1, 1])),
     "binary_cross_entropy_with_logits: targets must be 0 or 1, got -1 at index (0,); yours are -1 and 1: write (targets + 1) / 2"),
    ("cosine targets of 0 and 1", lambda: losses.cosine_embedding_loss(PAIR, PAIR, np.array([1, 0])),
     "cosine_embedding_loss: targets must be 1 (similar) or -1 (dissimilar), got 0 at index (1,); "
     "yours are 0 and 1: write 2 * targets - 1"),
    ("contrastive targets of -1 and 1", lambda: losses.contrastive_loss(PAIR, PAIR, np.array([1.0, -1.0])),
     "contrastive_loss: targets must be 1 (similar) or 0 (dissimilar), got -1 at index (1,); "
     "yours are -1 and 1: write (targets + 1) / 2"),
    ("contrastive targets of anything", lambda: losses.contrastive_loss(PAIR, PAIR, np.array([1.0, 0.5])),
     "contrastive_loss: targets must be 1 (similar) or 0 (dissimilar), got 0.5 at index (1,)"),
]  # fmt: skip

EMPTY: list[tuple[str, Callable[[], Any], str]] = [
    ("the mean of nothing", lambda: losses.cross_entropy(X[:0], LABELS[:0]),
     "cross_entropy: predictions is empty, shape (0, 3), and the mean of nothing is undefined; skip the batch or write reduction='sum'"),
    ("the mean of nothing in torch", lambda: losses.mse_loss(TX[:0], TX[:0]),
     "mse_loss: predictions is empty, shape (0, 3), and the mean of nothing is undefined; skip the batch or write reduction='sum'"),
    ("the mean of nothing in jax", lambda: losses.contrastive_loss(JX[:0], JX[:0], jnp.zeros(0)),
     "contrastive_loss: x1 is empty, shape (0, 3), and the mean of nothing is undefined; skip the batch or write reduction='sum'"),
    ("the batchmean of nothing", lambda: losses.kl_div(X[:0], X[:0], reduction="batchmean"),
     "kl_div: predictions is empty, shape (0, 3), and the batchmean of nothing is undefined; skip the batch or write reduction='sum'"),
]  # fmt: skip

FRAMEWORKS: list[tuple[str, Callable[[], Any], str]] = [
    ("torch and jax", lambda: losses.cross_entropy(TX, jnp.zeros(6, int)),
     "cross_entropy: arrays of different frameworks in one call (predictions is torch, targets is jax); convert them to one"),
    ("a list", lambda: losses.cross_entropy(X, [0, 1, 2, 0, 1, 2]),
     "cross_entropy: targets must be an array, got list; write numpy.asarray(targets)"),
    ("another backend than asked for", lambda: get_loss("mse_loss", "torch")(X, X),
     "mse_loss was made for torch, but predictions is numpy; write torch.as_tensor(predictions) or get_loss(..., backend='numpy')"),
    ("class weights of another framework", lambda: losses.cross_entropy(JX, jnp.zeros(6, int), weight=torch.ones(3)),
     "cross_entropy: weight is torch, predictions are jax; convert them to one, or give weight as a list"),
]  # fmt: skip

OPTIONS: list[tuple[str, type[LossoptError], Callable[[], Any], str]] = [
    ("reduction", HyperparameterError, lambda: get_loss("mse_loss", reduction="average"),
     "mse_loss: reduction must be 'none' or 'mean' or 'sum', got 'average'"),
    ("delta", HyperparameterError, lambda: get_loss("huber_loss", delta=0.0), "huber_loss: delta must be positive, and finite, got 0.0"),
    ("gamma", HyperparameterError, lambda: get_loss("focal_loss", gamma=-1.0),
     "focal_loss: gamma must be positive or zero, and finite, got -1.0"),
    ("smoothing", HyperparameterError, lambda: get_loss("cross_entropy", label_smoothing=1.5),
     "cross_entropy: label_smoothing must be in [0, 1], got 1.5"),
    ("margin", HyperparameterError, lambda: get_loss("cosine_embedding_loss", margin=2.0),
     "cosine_embedding_loss: margin must be in [-1, 1], got 2.0"),
    ("unknown option", ArgumentError, lambda: get_loss("huber_loss", beta=1.0),
     "huber_loss() has no 'beta'; did you mean 'delta'? It takes: delta, weight"),
    ("unknown loss", UnknownNameError, lambda: get_loss("crossentropy"),
     "unknown loss 'crossentropy'; did you mean 'cross_entropy'? (lossopt list losses shows all)"),
    ("a loss and a number", ArgumentError, lambda: losses.mse_loss + 1.0, "a loss adds to a loss, got 1.0"),
    ("a loss scaled by a loss", ArgumentError, lambda: get_loss("mse_loss") * "2", "a loss is scaled by a number, got '2'"),
]  # fmt: skip

INPUT_ROWS = [*SHAPES, *DTYPES, *LABEL_ROWS, *EMPTY, *FRAMEWORKS]


@pytest.mark.parametrize(("call", "message"), [row[1:] for row in INPUT_ROWS], ids=[row[0] for row in INPUT_ROWS])
def test_a_mistake_in_the_arrays_says_what_was_given_what_is_allowed_and_what_to_type(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize(("error", "call", "message"), [row[1:] for row in OPTIONS], ids=[row[0] for row in OPTIONS])
def test_a_mistake_in_the_options(error: type[LossoptError], call: Callable[[], Any], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_the_remedies_work() -> None:
    """What the messages say to type is accepted."""
    x = np.zeros((6, 1))
    assert losses.mse_loss(x, np.zeros(6).reshape(x.shape)) == 0
    assert np.isfinite(losses.cross_entropy(np.zeros((2, 4, 3)), np.zeros((2, 4), int), axis=-1))
    assert np.isfinite(losses.cross_entropy(X, (LABELS + 1) - 1))
    assert np.isfinite(losses.cross_entropy(X, np.array([0, 1, 2, 0, 7, 2]), ignore_index=7))
    assert losses.cross_entropy(X[:0], LABELS[:0], reduction="sum") == 0
    assert torch.isfinite(losses.l1_loss(TX, torch.zeros(3).expand_as(TX)))
    assert np.isfinite(losses.contrastive_loss(PAIR, PAIR, (np.array([1.0, -1.0]) + 1) / 2))


def test_a_users_check_speaks_in_the_name_of_the_loss() -> None:
    def positive(ops: Any, predictions: Any, targets: Any) -> None:
        if (predictions <= 0).any():
            raise InputError("predictions must be positive")

    @lossopt.loss(check=positive)
    def relative_error(ops: Any, predictions: Any, targets: Any) -> Any:
        return ops.abs(predictions - targets) / predictions

    with pytest.raises(InputError, match=r"^relative_error: predictions must be positive$"):
        relative_error(np.zeros(2), np.zeros(2))
    assert relative_error(np.ones(2), np.zeros(2)) == 1
