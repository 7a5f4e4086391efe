"""Whole training set-ups by task: ``loss_fn, optimizer, scheduler = classification_scheme(model, num_classes=10)``.

The model decides the framework: a ``torch.nn.Module`` gets a ``torch.optim`` optimizer and an LRScheduler, a
``flax.nnx.Module`` an ``nnx.Optimizer`` and a scheduler of the same methods; a tree of JAX parameters an optax
transformation, whose state is the caller's (``state = scheduler.step(state=state)``).

Every part is replaced by a name, by a name with hyperparameters (``{"name": "focal_loss", "gamma": 1.0}``), by a spec
(``lossopt.optimizers.lion(lr=1e-4)``) or by a function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from lossopt import loop, registry
from lossopt.definition import Definition
from lossopt.errors import ArgumentError, HyperparameterError, InputError, suggest

REGRESSION = {"mse": "mse_loss", "mae": "l1_loss", "l1": "l1_loss", "huber": "huber_loss", "smooth_l1": "smooth_l1_loss"}
METRIC = {"triplet": "triplet_margin_loss", "triplets": "triplet_margin_loss",
          "contrastive": "contrastive_loss", "pairs": "contrastive_loss"}  # fmt: skip


class Scheme(NamedTuple):
    """The three things that a training loop needs beside its model and its data."""

    loss_fn: Callable[..., Any]
    optimizer: Any
    scheduler: Any


def classification_scheme(model: Any, num_classes: int = 10, *, loss: Any = "cross_entropy", optimizer: Any = "adamw",
                          scheduler: Any = None, lr: float | None = None, steps: int | None = None) -> Scheme:  # fmt: skip
    """Cross-entropy, AdamW and a decaying learning rate, for one label among `num_classes`.

    Args:
        model: a ``torch.nn.Module``, a ``flax.nnx.Module`` or a tree of JAX parameters.
        num_classes: how many classes the model's outputs tell apart, at least 2.  It says which axis of the outputs is
            the classes': in PyTorch axis 1 where that has this size, else the last; in JAX the other way round.
        loss: another loss: a name, ``{"name": ..., hyperparameters}``, a loss, or a function ``(outputs, targets)``.
        optimizer: another optimizer: a name, ``{"name": ..., hyperparameters}``, a spec or a function.
        scheduler: another schedule, in the same ways, or a function of the step that gives a factor.  One that waits
            for a metric ("reduce_on_plateau") wants ``scheduler.step(metric)``.
        lr: the learning rate at the beginning.  For adam and adamw 3e-3 by default (regression 1e-3, segmentation
            5e-3), for others their own.
        steps: how often ``scheduler.step()`` will be called: then half a cosine down to zero, which trains best.
            Without it warm restarts, which suit any number: half cosines of 20, 40, 80, ... steps.

    Returns:
        ``(loss_fn, optimizer, scheduler)``.

    Raises:
        HyperparameterError: num_classes, lr or steps outside its range.
        InputError: when the loss is called, outputs without an axis of `num_classes`.

    Example:
        >>> import torch
        >>> from lossopt.schemes import classification_scheme
        >>> loss_fn, optimizer, scheduler = classification_scheme(torch.nn.Linear(4, 3), num_classes=3)
        >>> loss_fn.__name__, type(optimizer).__name__, scheduler.get_last_lr()
        ('cross_entropy', 'AdamW', [0.003])
    """
    loss_fn = _by_class("classification_scheme", model, loss, num_classes)
    return _scheme("classification", model, loss_fn, optimizer, scheduler, lr, steps)


def regression_scheme(model: Any, loss_type: str = "mse", *, loss: Any = None, optimizer: Any = "adamw", scheduler: Any = None,
                      lr: float | None = None, steps: int | None = None) -> Scheme:  # fmt: skip
    """Squared error (or another), AdamW and a decaying learning rate, for numbers.

    Args:
        loss_type: ``"mse"``; ``"mae"`` or ``"huber"`` or ``"smooth_l1"`` for errors with outliers; or any loss's name.
        loss: in place of `loss_type`, as in `classification_scheme`.
        model, optimizer, scheduler, lr, steps: as in `classification_scheme`.

    Raises:
        UnknownNameError: a loss_type that is none.

    Example:
        >>> import torch
        >>> from lossopt.schemes import regression_scheme
        >>> regression_scheme(torch.nn.Linear(4, 1), loss_type="huber").loss_fn
        huber_loss()
    """
    loss_fn = _loss(REGRESSION.get(loss_type, loss_type) if loss is None else loss)
    return _scheme("regression", model, loss_fn, optimizer, scheduler, lr, steps)


def segmentation_scheme(model: Any, num_classes: int = 2, *, loss: Any = "dice_ce_loss", optimizer: Any = "adamw",
                        scheduler: Any = None, lr: float | None = None, steps: int | None = None) -> Scheme:  # fmt: skip
    """Dice and cross-entropy together, AdamW and a decaying learning rate, for one label per position.

    Args:
        num_classes: how many classes; 1 is a binary mask with one output per position.  It says which axis of the
            outputs is the classes', as in `classification_scheme`.
        model, loss, optimizer, scheduler, lr, steps: as in `classification_scheme`.

    Example:
        >>> import torch
        >>> from lossopt.schemes import segmentation_scheme
        >>> loss_fn, optimizer, scheduler = segmentation_scheme(torch.nn.Conv2d(3, 5, 1), num_classes=5)
        >>> loss_fn(torch.zeros(2, 5, 8, 8), torch.zeros(2, 8, 8, dtype=torch.int64)).shape
        torch.Size([])
    """
    loss_fn = _by_class("segmentation_scheme", model, loss, num_classes, low=1)
    return _scheme("segmentation", model, loss_fn, optimizer, scheduler, lr, steps)


def metric_learning_scheme(model: Any, loss_type: Literal["triplet", "contrastive"] = "triplet", *, loss: Any = None,
                           optimizer: Any = "adamw", scheduler: Any = None, lr: float | None = None,
                           steps: int | None = None) -> Scheme:  # fmt: skip
    """Embeddings in which equal labels are near and others far, AdamW and a decaying learning rate.

    ``loss_fn(embeddings, labels)`` makes every triplet (or pair) of the batch from its labels, under jit too.  What is
    chosen elsewhere goes straight to the loss: ``loss_fn(anchor, positive, negative)``, ``loss_fn(x1, x2, similar)``.

    Args:
        loss_type: ``"triplet"`` (or "triplets"): triplet_margin_loss; ``"contrastive"`` (or "pairs"): contrastive_loss.
            A batch of N makes N (N - 1) (N - 2) triplets or N (N - 1) / 2 pairs: keep N at 64 or below for triplets.
        loss: in place of `loss_type`: triplet_margin_loss or contrastive_loss with hyperparameters, or any function.
        model, optimizer, scheduler, lr, steps: as in `classification_scheme`.

    Example:
        >>> import torch
        >>> from lossopt.schemes import metric_learning_scheme
        >>> loss_fn, optimizer, scheduler = metric_learning_scheme(torch.nn.Linear(4, 2), "contrastive")
        >>> loss_fn(torch.tensor([[0.0, 0.0], [0.0, 3.0], [0.0, 0.0]]), torch.tensor([0, 1, 0]))  # no pair is amiss
        tensor(0.)
    """
    if loss is None and loss_type not in METRIC:
        raise HyperparameterError(f"metric_learning_scheme: loss_type must be {' or '.join(map(repr, METRIC))}, got {loss_type!r}"
                                  f"{suggest(str(loss_type), METRIC)}")  # fmt: skip
    made = _loss(METRIC[loss_type] if loss is None else loss)
    batched = {"triplet_margin_loss": Triplets, "contrastive_loss": Pairs}.get(getattr(made, "__name__", ""))
    return _scheme("metric learning", model, made if batched is None else batched(made), optimizer, scheduler, lr, steps)


# ------------------------------------------------------------------------------------------------- optimizer and scheduler
RATES = {"classification": 3e-3, "regression": 1e-3, "segmentation": 5e-3, "metric learning": 3e-3}
"""What Adam and AdamW begin with.  From 1e-3 to 1e-2, on handwritten digits, the diabetes data, digits to be outlined and
digits to be recognised by nearness, higher rates learn the images faster and overfit the few patients."""

RESTARTS = {"name": "cosine_warm_restarts", "T_0": 20, "T_mult": 2}
"""Where the number of steps is not known.  Of constant, step, exponential and restarts, each stepped every epoch, every
batch, 50 times and 300 times, these are never far from the best.  A step schedule of 30 and 0.1 stops the training when it
is stepped every batch: 76 % of the digits after 30 epochs, against 96 %."""


def _scheme(task: str, model: Any, loss_fn: Any, optimizer: Any, scheduler: Any, lr: float | None, steps: int | None) -> Scheme:
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
        raise HyperparameterError(f"steps must be a whole number, at least 1, got {steps!r}")
    if scheduler is not None and steps is not None:
        raise ArgumentError("steps is the length of the scheme's own schedule; with another scheduler leave it out")
    named = _entries(optimizer)
    if lr is None and named.get("name") in ("adam", "adamw") and "lr" not in named:
        lr = RATES[task]
    made = loop.optimizer_for(model, optimizer, **({} if lr is None else {"lr": lr}))
    if scheduler is None:
        scheduler = RESTARTS if steps is None else {"name": "cosine", "T_max": steps, "past_end": "stay"}
    return Scheme(loss_fn, made, loop.scheduler_for(made, scheduler))


def _entries(part: Any) -> Mapping[str, Any]:
    """A part as ``{"name": ..., hyperparameters}``, where that is how it was named."""
    if isinstance(part, Definition):
        return {"name": part.name}
    return {"name": part} if isinstance(part, str) else part if isinstance(part, Mapping) else {}


# ------------------------------------------------------------------------------------------------- losses
def _loss(given: Any) -> Any:
    """A loss function from a name, a name with hyperparameters, a definition, or a function."""
    named = dict(_entries(given))
    if isinstance(given, Mapping) and "name" not in named:
        raise ArgumentError(f"which loss? Write {{'name': ..., {', '.join(map(repr, given))}}}")
    if named:
        return registry.get_loss(named.pop("name"), **named)
    if not callable(given):
        raise ArgumentError(f"a loss is a name such as 'cross_entropy' or a function (outputs, targets), got {given!r}")
    return given


def _by_class(owner: str, model: Any, given: Any, num_classes: int, low: int = 2) -> Any:
    """A loss that finds the class axis by its size, unless it is a function or its axis is given."""
    if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < low:
        raise HyperparameterError(f"{owner}: num_classes must be a whole number, at least {low}, got {num_classes!r}")
    made, named = _loss(given), _entries(given)
    if not named or "axis" in named or "axis" not in made.definition.defaults:
        return made
    return ByClass(made, num_classes, owner, last_first=loop.framework_of(model) == "jax")


class ByClass:
    """A loss whose class axis is the one of size `num_classes`: axis 1 and then the last, or in JAX the last and then 1."""

    def __init__(self, loss: Any, num_classes: int, owner: str, *, last_first: bool) -> None:
        self.loss, self.num_classes, self.owner, self.last_first = loss, num_classes, owner, last_first
        self.__name__ = loss.__name__

    def __call__(self, outputs: Any, targets: Any, **named: Any) -> Any:
        """The loss of logits and targets."""
        return self.loss(outputs, targets, **{"axis": self._axis(tuple(outputs.shape)), **named})

    def _axis(self, shape: tuple[int, ...]) -> int | None:
        axes = (-1, 1) if self.last_first else (1, -1)
        for axis in axes if len(shape) > 1 else (0,) if shape else ():
            if shape[axis] == self.num_classes:
                return axis
        if self.num_classes == 1:
            return None  # a binary mask needs no axis for its one class
        raise InputError(f"{self.owner} was made for {self.num_classes} classes, but outputs of shape {shape} have no class axis "
                         "of that size: write num_classes=... as the model has them, or loss={'name': ..., 'axis': ...}")  # fmt: skip

    def __repr__(self) -> str:
        return f"{self.loss!r} over {self.num_classes} classes"


class _FromLabels:
    """A loss of several embeddings that also takes one batch of embeddings with its labels."""

    def __init__(self, loss: Any) -> None:
        self.loss = loss
        self.__name__ = loss.__name__

    def __repr__(self) -> str:
        return f"{self.loss!r} of all {type(self).__name__.lower()} of a batch"


class Pairs(_FromLabels):
    """``pairs(embeddings, labels)``: every pair of the batch, similar where the labels are equal; or ``(x1, x2, targets)``."""

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """The loss."""
        if len(arrays) != 2:
            return self.loss(*arrays, **named)
        embeddings, labels = arrays
        _check_labels(self.__name__, embeddings, labels, "pair", 2)
        i, j = np.triu_indices(labels.shape[0], 1)
        return self.loss(embeddings[i], embeddings[j], (labels[i] == labels[j]) * 1, **named)


class Triplets(_FromLabels):
    """``triplets(embeddings, labels)``: the mean over every triplet of the batch whose labels allow it, 0 where none does;
    or ``(anchor, positive, negative)``.

    Which triplets there are depends on the size of the batch alone, and the labels only on which count: jit compiles once.
    """

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """The loss."""
        if len(arrays) != 2:
            return self.loss(*arrays, **named)
        embeddings, labels = arrays
        _check_labels(self.__name__, embeddings, labels, "triplet", 3)
        a, p, n = _triplets(labels.shape[0])
        counts = (labels[a] == labels[p]) & (labels[a] != labels[n])
        values = self.loss(embeddings[a], embeddings[p], embeddings[n], reduction="none", **named) * counts
        total = counts.sum()
        return values.sum() / (total + (total == 0))


@functools.lru_cache(maxsize=4)
def _triplets(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All ordered choices of three different samples."""
    a, p, n = np.indices((count, count, count)).reshape(3, -1)
    kept = (a != p) & (a != n) & (p != n)
    return a[kept], p[kept], n[kept]


def _check_labels(name: str, embeddings: Any, labels: Any, what: str, least: int) -> None:
    have, want = tuple(getattr(labels, "shape", ())), tuple(embeddings.shape)[:1]
    if len(tuple(embeddings.shape)) != 2 or have != want:
        raise InputError(f"{name}: embeddings (N, D) go with labels (N,), got {tuple(embeddings.shape)} and {have}")
    if want[0] < least:
        raise InputError(f"{name}: a batch of {want[0]} makes no {what}; give at least {least} samples")
