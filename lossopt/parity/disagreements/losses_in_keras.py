"""Where Keras's losses differ in their values from those of PyTorch, or of optax where PyTorch has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lossopt.parity.case import LossCase
from lossopt.parity.disagreements.losses import LABELS, MASKS, OPTAX_DICE, PAIRS, Inputs, optax_loss, torch_loss
from lossopt.parity.disagreements.topic import Side, Topic
from lossopt.parity.loss_rows import Rng, probable, signed

ROUNDED = "keras.ops.mean divides in float32 on JAX"


def keras_loss(text: str, own: Callable[..., Any], inputs: Inputs, name: str, unlike: str = ROUNDED, **options: Any) -> Side:
    """A class of keras.losses."""
    return Side(text, LossCase(name, options, inputs, keras=lambda keras, *arrays: own(keras, *arrays)), unlike)


def _certain(rng: Rng) -> tuple[Any, ...]:
    """Probabilities of which one is 0 where the target is 1."""
    p, t = probable(4, 3)(rng)
    p[0, 0], t[0, 0] = 0.0, 1.0
    return p, t


ZERO_ONE, COUNTS = signed(6, 3, zero=True), probable(4, 3)

TOPICS: tuple[Topic, ...] = (
    Topic(
        "keras-cross-entropy-logits",
        "cross-entropy, given logits",
        torch_loss("F.cross_entropy(x, y)", lambda F, x, y: F.cross_entropy(x, y), LABELS, "cross_entropy"),
        keras_loss(
            "keras.losses.SparseCategoricalCrossentropy()(y, x)",
            lambda k, x, y: k.losses.SparseCategoricalCrossentropy()(y, x),
            LABELS,
            "cross_entropy",
            "logits taken for probabilities are not copied: `from_logits=True` in Keras",
            convention="keras",
        ),
        "Keras takes probabilities unless told, and the target first",
        "logits, or `nll_loss` of log-probabilities",
    ),
    Topic(
        "keras-binary-cross-entropy-clip",
        "binary cross-entropy of a probability of 0",
        torch_loss("F.binary_cross_entropy(p, t)", lambda F, p, t: F.binary_cross_entropy(p, t), _certain, "binary_cross_entropy"),
        keras_loss(
            "keras.losses.BinaryCrossentropy()(t, p)",
            lambda k, p, t: k.losses.BinaryCrossentropy()(t, p),
            _certain,
            "binary_cross_entropy",
            convention="keras",
        ),
        "torch holds the logarithm above -100, Keras the probability above 1e-7",
        "`clip=`",
    ),
    Topic(
        "keras-poisson-rate",
        "Poisson likelihood",
        torch_loss("F.poisson_nll_loss(x, t)", lambda F, x, t: F.poisson_nll_loss(x, t), COUNTS, "poisson_nll_loss"),
        keras_loss(
            "keras.losses.Poisson()(t, x)", lambda k, x, t: k.losses.Poisson()(t, x), COUNTS, "poisson_nll_loss", convention="keras"
        ),
        "predictions are logarithms of the rate, or rates",
        "`log_input=`",
    ),
    Topic(
        "keras-hinge-labels",
        "hinge loss of labels 0 and 1",
        optax_loss(
            "optax.losses.hinge_loss(x, y).mean()",
            lambda o, x, y: o.hinge_loss(x, y).mean(),
            ZERO_ONE,
            "hinge_loss",
            "labels of 0 are refused",
            zero_is_negative=True,
        ),
        keras_loss("keras.losses.Hinge()(y, x)", lambda k, x, y: k.losses.Hinge()(y, x), ZERO_ONE, "hinge_loss", convention="keras"),
        "where all labels are 0 or 1, Keras reads 0 as -1",
        "`zero_is_negative=`",
    ),
    Topic(
        "keras-categorical-hinge",
        "multi-class hinge loss",
        optax_loss(
            "optax.losses.multiclass_hinge_loss(x, y).mean()",
            lambda o, x, y: o.multiclass_hinge_loss(x, y).mean(),
            LABELS,
            "multiclass_hinge_loss",
        ),
        keras_loss(
            "keras.losses.CategoricalHinge()(one_hot(y), x)",
            lambda k, x, y: k.losses.CategoricalHinge()(k.ops.one_hot(y, 5, dtype="float64"), x),
            LABELS,
            "multiclass_hinge_loss",
            unlike="",
            convention="keras",
        ),
        "in Keras no rival's score counts less than 0",
        "`rival_at_least_zero=`",
    ),
    Topic(
        "keras-cosine-sign",
        "cosine similarity",
        torch_loss(
            "F.cosine_similarity(x, y, dim=-1).mean()",
            lambda F, x, y: F.cosine_similarity(x, y, dim=-1).mean(),
            PAIRS,
            "cosine_similarity",
            axis=-1,
            reduction="mean",
        ),
        keras_loss(
            "keras.losses.CosineSimilarity()(y, x)",
            lambda k, x, y: k.losses.CosineSimilarity()(y, x),
            PAIRS,
            "cosine_similarity",
            unlike="",
            convention="keras",
        ),
        "Keras gives its negative, a loss",
        "`negate=`",
    ),
    Topic(
        "keras-dice-batch",
        "Dice loss of probabilities",
        OPTAX_DICE,
        keras_loss("keras.losses.Dice()(t, p)", lambda k, x, t: k.losses.Dice()(t, x), MASKS, "dice_loss", unlike="", convention="keras"),
        "one overlap for each sample and class, or one for everything; smooth 1 or 1e-7",
        "`batch=`, `axis=`, `smooth=`",
    ),
)
