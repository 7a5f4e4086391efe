"""Where losses of one name differ in their values.

The reduction is written out where the frameworks' own differs: PyTorch and Keras give the mean, optax every element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossopt.parity.case import LossCase
from lossopt.parity.disagreements.topic import Side, Topic
from lossopt.parity.loss_rows import Rng, labelled, real, signed, triplets
from lossopt.parity.rows.losses.sequence import sequences, too_short

Inputs = Callable[[Rng], tuple[Any, ...]]


# ------------------------------------------------------------------------------------------------- sides
def torch_loss(text: str, own: Callable[..., Any], inputs: Inputs, name: str, **options: Any) -> Side:
    """A function of torch.nn.functional, and lossopt's statement of it; `own` takes the module and the tensors."""
    return Side(text, LossCase(name, options, inputs, torch=lambda torch, *tensors: own(torch.nn.functional, *tensors)))


def optax_loss(text: str, own: Callable[..., Any], inputs: Inputs, name: str, unlike: str = "", **options: Any) -> Side:
    """A function of optax.losses."""
    return Side(text, LossCase(name, options, inputs, optax=lambda optax, jnp, *arrays: own(optax.losses, *arrays)), unlike)


def jnp_loss(text: str, own: Callable[..., Any], inputs: Inputs, name: str, unlike: str = "", **options: Any) -> Side:
    """What one writes in jax.numpy where optax has no such loss."""
    return Side(text, LossCase(name, options, inputs, optax=lambda optax, jnp, *arrays: own(jnp, *arrays)), unlike)


# ------------------------------------------------------------------------------------------------- inputs
def _some_zero(rng: Rng) -> tuple[Any, ...]:
    """Pairs of vectors of which one is zero."""
    x, t = real(6, 4)(rng)
    x[0] = 0.0
    return x, t


def _distributions(rng: Rng) -> tuple[Any, ...]:
    """Logarithms of probabilities, and probabilities, of five classes."""
    x = rng.dirichlet(np.ones(5), size=(2, 8))
    return np.log(x[0]), x[1]


def _shares(rng: Rng) -> tuple[Any, ...]:
    """Class probabilities, and masks."""
    return rng.dirichlet(np.ones(5), size=(3, 4)), (rng.uniform(size=(3, 4, 5)) < 0.4).astype(float)


def _as_paddings(of: Inputs) -> Inputs:
    """Sequences as optax has them: samples first, and paddings for lengths."""

    def make(rng: Rng) -> tuple[Any, ...]:
        logits, targets, frames, labels = of(rng)
        return (
            np.swapaxes(logits, 0, 1),
            np.where(targets < 0, 0, targets),
            np.arange(logits.shape[0]) >= frames[:, None],
            np.arange(targets.shape[1]) >= labels[:, None],
        )

    return make


# Both sides of a topic have the very same numbers: a maker begins with the same seed.
PAIRS, SIGNS, LABELS, IGNORED = real(8, 5), signed(6, 3), labelled(8, 5), labelled(8, 5, ignored=-100)
PADDED, PADDED_IMPOSSIBLE = _as_paddings(sequences), _as_paddings(too_short)
SQUARE, TRIPLETS, MASKS = labelled(4, 5, 5), triplets(8, 5), _shares


def _ctc(F: Any, x: Any, t: Any, frames: Any, labels: Any, reduction: str = "mean") -> Any:
    return F.ctc_loss(F.log_softmax(x, -1), t.clamp_min(0), frames, labels, reduction=reduction)


def _optax_ctc(o: Any, x: Any, t: Any, frames: Any, labels: Any) -> Any:
    return o.ctc_loss(x, frames.astype(x.dtype), t, labels.astype(x.dtype))


OPTAX_DICE = Side(
    "optax.losses.dice_loss(log(p), t).mean()",
    LossCase(
        "dice_loss",
        {"activation": "none", "convention": "optax", "reduction": "mean"},
        MASKS,
        optax=lambda optax, jnp, p, t: optax.losses.dice_loss(jnp.log(p), t).mean(),
    ),
)
"""Its apply_softmax=False cannot be traced; the softmax of the logarithm of probabilities is the probabilities."""

TOPICS: tuple[Topic, ...] = (
    Topic(
        "l2-loss-half",
        "squared error",
        torch_loss("F.mse_loss(x, y)", lambda F, x, y: F.mse_loss(x, y), PAIRS, "mse_loss"),
        optax_loss("optax.l2_loss(x, y).mean()", lambda o, x, y: o.l2_loss(x, y).mean(), PAIRS, "l2_loss", reduction="mean"),
        "optax's l2_loss is half the square",
        "`mse_loss` and `l2_loss`",
    ),
    Topic(
        "kl-div-mean",
        "Kullback-Leibler divergence, mean",
        torch_loss("F.kl_div(x, y)", lambda F, x, y: F.kl_div(x, y), _distributions, "kl_div"),
        optax_loss(
            "optax.losses.kl_divergence(x, y).mean()",
            lambda o, x, y: o.kl_divergence(x, y).mean(),
            _distributions,
            "kl_div",
            reduction="mean",
            convention="optax",
        ),
        "the mean over every element, or over the batch",
        "`reduction='mean'` or `'batchmean'`",
    ),
    Topic(
        "smooth-l1-huber",
        "smooth L1 and Huber, threshold 0.5",
        torch_loss("F.smooth_l1_loss(x, y, beta=0.5)", lambda F, x, y: F.smooth_l1_loss(x, y, beta=0.5), PAIRS, "smooth_l1_loss", beta=0.5),
        optax_loss(
            "optax.huber_loss(x, y, delta=0.5).mean()", lambda o, x, y: o.huber_loss(x, y, delta=0.5).mean(), PAIRS, "huber_loss", delta=0.5
        ),
        "huber(delta) = delta * smooth_l1(delta)",
        "`smooth_l1_loss` and `huber_loss`",
    ),
    Topic(
        "triplet-epsilon",
        "triplet margin",
        torch_loss("F.triplet_margin_loss(a, p, n)", lambda F, a, p, n: F.triplet_margin_loss(a, p, n), TRIPLETS, "triplet_margin_loss"),
        optax_loss(
            "optax.losses.triplet_margin_loss(a, p, n).mean()",
            lambda o, a, p, n: o.triplet_margin_loss(a, p, n).mean(),
            TRIPLETS,
            "triplet_margin_loss",
            convention="optax",
            reduction="mean",
        ),
        "eps is added to the difference, or under the root",
        "`eps_in='difference'` or `'root'`",
    ),
    Topic(
        "triplet-city-block",
        "triplet margin, L1 distance",
        torch_loss(
            "F.triplet_margin_loss(a, p, n, p=1)",
            lambda F, a, p, n: F.triplet_margin_loss(a, p, n, p=1.0),
            TRIPLETS,
            "triplet_margin_loss",
            p=1.0,
        ),
        optax_loss(
            "optax.losses.triplet_margin_loss(a, p, n, norm_degree=1).mean()",
            lambda o, a, p, n: o.triplet_margin_loss(a, p, n, norm_degree=1).mean(),
            TRIPLETS,
            "triplet_margin_loss",
            "differences that cancel are not copied",
            p=1.0,
            convention="optax",
            reduction="mean",
        ),
        "optax sums the differences without their absolute values",
        "right in every convention",
    ),
    Topic(
        "cosine-zero-vector",
        "cosine similarity with a zero vector",
        torch_loss("F.cosine_similarity(x, y)", lambda F, x, y: F.cosine_similarity(x, y), _some_zero, "cosine_similarity"),
        optax_loss(
            "optax.losses.cosine_similarity(x, y)",
            lambda o, x, y: o.cosine_similarity(x, y),
            _some_zero,
            "cosine_similarity",
            convention="optax",
        ),
        "0, or 0 / 0: NaN",
        "`eps=1e-8` or `0`",
    ),
    Topic(
        "cosine-epsilon",
        "cosine similarity with eps 0.5",
        torch_loss(
            "F.cosine_similarity(x, y, eps=0.5)",
            lambda F, x, y: F.cosine_similarity(x, y, eps=0.5),
            _some_zero,
            "cosine_similarity",
            eps=0.5,
        ),
        optax_loss(
            "optax.losses.cosine_similarity(x, y, epsilon=0.5)",
            lambda o, x, y: o.cosine_similarity(x, y, epsilon=0.5),
            _some_zero,
            "cosine_similarity",
            eps=0.5,
            convention="optax",
        ),
        "eps bounds the length, or its square",
        "`eps_on='norm'` or `'squared'`",
    ),
    Topic(
        "hinge-names",
        "hinge loss of scores and signs",
        torch_loss("F.hinge_embedding_loss(x, y)", lambda F, x, y: F.hinge_embedding_loss(x, y), SIGNS, "hinge_embedding_loss"),
        optax_loss("optax.losses.hinge_loss(x, y).mean()", lambda o, x, y: o.hinge_loss(x, y).mean(), SIGNS, "hinge_loss"),
        "two functions: of a distance, or of a score",
        "`hinge_embedding_loss` and `hinge_loss`",
    ),
    Topic(
        "multi-margin-maximum",
        "multi-class hinge loss",
        torch_loss("F.multi_margin_loss(x, y)", lambda F, x, y: F.multi_margin_loss(x, y), LABELS, "multi_margin_loss"),
        optax_loss(
            "optax.losses.multiclass_hinge_loss(x, y).mean()",
            lambda o, x, y: o.multiclass_hinge_loss(x, y).mean(),
            LABELS,
            "multiclass_hinge_loss",
        ),
        "the sum over all rivals by the number of classes, or the strongest rival",
        "`multi_margin_loss` and `multiclass_hinge_loss`",
    ),
    Topic(
        "cross-entropy-ignored-label",
        "cross-entropy with labels of -100",
        torch_loss("F.cross_entropy(x, y)", lambda F, x, y: F.cross_entropy(x, y), IGNORED, "cross_entropy"),
        optax_loss(
            "optax.losses.softmax_cross_entropy_with_integer_labels(x, y).mean()",
            lambda o, x, y: o.softmax_cross_entropy_with_integer_labels(x, y).mean(),
            IGNORED,
            "cross_entropy",
            "without an ignored label, -100 is refused",
        ),
        "torch ignores them, optax has no such label: NaN",
        "`ignore_index=-100` or `None`",
    ),
    Topic(
        "cross-entropy-axis",
        "cross-entropy of an array (4, 5, 5)",
        torch_loss("F.cross_entropy(x, y)", lambda F, x, y: F.cross_entropy(x, y), SQUARE, "cross_entropy"),
        optax_loss(
            "optax.losses.softmax_cross_entropy_with_integer_labels(x, y).mean()",
            lambda o, x, y: o.softmax_cross_entropy_with_integer_labels(x, y).mean(),
            SQUARE,
            "cross_entropy",
            reduction="mean",
            convention="optax",
        ),
        "the classes are on axis 1, or on the last",
        "`axis=1` or `-1`",
    ),
    Topic(
        "dice-smooth",
        "Dice loss with smooth 1",
        torch_loss(
            "1 - ((2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)).mean()",
            lambda F, x, t: (1 - (2 * (x * t).sum(1) + 1) / (x.sum(1) + t.sum(1) + 1)).mean(),
            MASKS,
            "dice_loss",
            activation="none",
            axis=2,
        ),
        OPTAX_DICE,
        "smooth is added to the whole, or to the half of it",
        "`smooth_on='sum'` or `'mean'`",
    ),
    Topic(
        "ctc-mean",
        "CTC loss, mean",
        torch_loss("F.ctc_loss(x, y, frames, labels)", _ctc, sequences, "ctc_loss"),
        optax_loss(
            "optax.losses.ctc_loss(x, frames, y, labels).mean()",
            lambda o, *arrays: _optax_ctc(o, *arrays).mean(),
            PADDED,
            "ctc_loss",
            convention="optax",
            reduction="mean",
        ),
        "torch divides each value by the length of its target first",
        "`mean_per_label=`",
    ),
    Topic(
        "ctc-impossible",
        "CTC loss of more labels than frames",
        torch_loss(
            "F.ctc_loss(x, y, frames, labels, reduction='none')",
            lambda F, *tensors: _ctc(F, *tensors, reduction="none"),
            too_short,
            "ctc_loss",
            reduction="none",
        ),
        optax_loss("optax.losses.ctc_loss(x, frames, y, labels)", _optax_ctc, PADDED_IMPOSSIBLE, "ctc_loss", convention="optax"),
        "infinite, or about 1e5",
        "`log_epsilon=None` or `-1e5`",
    ),
)
