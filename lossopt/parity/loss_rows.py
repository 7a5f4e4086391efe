"""What rows of losses are made of: inputs drawn at random, and the frameworks' own functions by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lossopt.parity.case import Allowed, LossCase

Rng = np.random.Generator
WEIGHT = (0.5, 2.0, 1.0, 0.25, 1.5)
"""One factor for each of the five classes below."""
KERAS_MEAN: Mapping[str, Allowed] = dict.fromkeys(
    ("keras", "keras gradient"), Allowed(1e-7, "keras.ops.mean divides in float32 on JAX, float64 values too")
)


# ------------------------------------------------------------------------------------------------- inputs
def labelled(*shape: int, axis: int = 1, ignored: int | None = None) -> Callable[[Rng], tuple[Any, ...]]:
    """Logits with classes on `axis`, and labels; every fourth label is the ignored one, where there is one."""

    def make(rng: Rng) -> tuple[Any, ...]:
        logits = rng.normal(size=shape) * 3
        labels = rng.integers(0, shape[axis], np.delete(shape, axis))
        if ignored is not None:
            labels.reshape(-1)[::4] = ignored
        return logits, labels

    return make


def log_labelled(*shape: int, axis: int = 1, ignored: int | None = None) -> Callable[[Rng], tuple[Any, ...]]:
    """The same with log-probabilities."""

    def make(rng: Rng) -> tuple[Any, ...]:
        logits, labels = labelled(*shape, axis=axis, ignored=ignored)(rng)
        return np.log(_softmax(logits, axis)), labels

    return make


def soft(*shape: int, axis: int = 1) -> Callable[[Rng], tuple[Any, ...]]:
    """Logits and class probabilities."""
    return lambda rng: (rng.normal(size=shape) * 3, _softmax(rng.normal(size=shape), axis))


def masked(*shape: int, axis: int | None = 1) -> Callable[[Rng], tuple[Any, ...]]:
    """Logits and masks of 0.0 and 1.0: one-hot along `axis`, or with None and over one class independent."""

    def make(rng: Rng) -> tuple[Any, ...]:
        logits = rng.normal(size=shape) * 3
        if axis is None or shape[axis] == 1:
            return logits, (rng.uniform(size=shape) < 0.4).astype(float)
        labels = rng.integers(0, shape[axis], np.delete(shape, axis))
        return logits, np.moveaxis(np.eye(shape[axis])[labels], -1, axis)

    return make


def real(*shape: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Two arrays of numbers, some entries equal: the kink of an absolute error."""

    def make(rng: Rng) -> tuple[Any, ...]:
        x, t = rng.normal(size=shape) * 2, rng.normal(size=shape)
        x.reshape(-1)[::5] = t.reshape(-1)[::5]
        return x, t

    return make


def binary(*shape: int, whole: bool = False) -> Callable[[Rng], tuple[Any, ...]]:
    """Logits and probabilities, or with `whole` 0.0 and 1.0."""

    def make(rng: Rng) -> tuple[Any, ...]:
        t = rng.uniform(size=shape)
        return rng.normal(size=shape) * 4, np.round(t) if whole else t

    return make


def signed(*shape: int, zero: bool = False) -> Callable[[Rng], tuple[Any, ...]]:
    """Scores, and signs of 1 and -1, or with `zero` 1 and 0; whole numbers."""

    def make(rng: Rng) -> tuple[Any, ...]:
        up = rng.uniform(size=shape) < 0.5
        return rng.normal(size=shape) * 2, np.where(up, 1, 0 if zero else -1)

    return make


def chances(*shape: int, whole: bool = False) -> Callable[[Rng], tuple[Any, ...]]:
    """Two probabilities, or with `whole` one and a 0 or 1 of integers."""

    def make(rng: Rng) -> tuple[Any, ...]:
        p, t = rng.uniform(0.2, 0.8, shape), rng.uniform(size=shape)
        return p, np.round(t).astype(int) if whole else t

    return make


def divergence(*shape: int, log_target: bool = False) -> Callable[[Rng], tuple[Any, ...]]:
    """Log-probabilities, and probabilities with some of exactly 0, or their logarithms."""

    def make(rng: Rng) -> tuple[Any, ...]:
        x, t = np.log(_softmax(rng.normal(size=shape), -1)), _softmax(rng.normal(size=shape), -1)
        if log_target:
            return x, np.log(t)
        t[..., 0] = 0.0
        return x, t / t.sum(-1, keepdims=True)

    return make


def pairs(*shape: int, other: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Two embeddings, and whether each pair is similar (1) or not (`other`)."""

    def make(rng: Rng) -> tuple[Any, ...]:
        return rng.normal(size=shape), rng.normal(size=shape), np.where(np.arange(shape[0]) % 3 == 0, 1, other)

    return make


def triplets(*shape: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Anchors, positives near them and negatives."""

    def make(rng: Rng) -> tuple[Any, ...]:
        anchor = rng.normal(size=shape)
        return anchor, anchor + 0.5 * rng.normal(size=shape), rng.normal(size=shape)

    return make


def grouped(samples: int, width: int, *, groups: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Embeddings, and the group of each: all groups of like size, but that the last has one sample only."""

    def make(rng: Rng) -> tuple[Any, ...]:
        labels = np.append(np.arange(samples - 1) % (groups - 1), groups - 1)
        return rng.normal(size=(samples, width)), rng.permutation(labels)

    return make


def towers(samples: int, width: int, *, more: int = 0) -> Callable[[Rng], tuple[Any, ...]]:
    """Queries, and keys near them, then keys of nobody's."""

    def make(rng: Rng) -> tuple[Any, ...]:
        queries = rng.normal(size=(samples, width))
        near = queries + 0.8 * rng.normal(size=(samples, width))
        return queries, np.concatenate([near, rng.normal(size=(more, width))])

    return make


def faces(samples: int, width: int, *, classes: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Embeddings, class centers, and labels whose center is near, far and on the other side."""

    def make(rng: Rng) -> tuple[Any, ...]:
        centers, labels = rng.normal(size=(classes, width)), rng.integers(0, classes, samples)
        towards = np.linspace(-1.5, 1.5, samples)[:, None]
        return towards * centers[labels] + 0.3 * rng.normal(size=(samples, width)), centers, labels

    return make


def probable(*shape: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Probabilities, and masks of 0.0 and 1.0."""
    return lambda rng: (rng.uniform(size=shape), (rng.uniform(size=shape) < 0.4).astype(float))


def _softmax(x: Any, axis: int) -> Any:
    grown = np.exp(x - x.max(axis, keepdims=True))
    return grown / grown.sum(axis, keepdims=True)


# ------------------------------------------------------------------------------------------------- the frameworks' own
def functional(name: str, **options: Any) -> Callable[..., Any]:
    """A function of ``torch.nn.functional``; `weight` and `pos_weight` become tensors."""

    def call(torch: Any, *tensors: Any) -> Any:
        given = {k: torch.tensor(v, dtype=tensors[0].dtype) if k in ("weight", "pos_weight") else v for k, v in options.items()}
        return getattr(torch.nn.functional, name)(*tensors, **given)

    return call


def own(name: str, **options: Any) -> Callable[..., Any]:
    """A function of ``optax.losses``."""
    return lambda optax, jnp, *arrays: getattr(optax.losses, name)(*arrays, **options)


def case(name: str, inputs: Callable[[Rng], tuple[Any, ...]], *, torch: Any = None, optax: Any = None, keras: Any = None,
         allowed: Mapping[str, Allowed] | None = None, **options: Any) -> LossCase:  # fmt: skip
    return LossCase(name, options, inputs, torch, optax, keras, allowed or {})


def same(name: str, inputs: Callable[[Rng], tuple[Any, ...]], **options: Any) -> LossCase:
    """A row whose name and options are PyTorch's own."""
    return case(name, inputs, torch=functional(name, **options), **options)
