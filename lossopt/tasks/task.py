"""The contract of a task: plain data and functions, so that a user's pair of models is as good as a built-in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lossopt.tasks.scores import accuracy

Arrays = tuple[np.ndarray, np.ndarray]
Shapes = Mapping[str, tuple[int, ...]]
Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Data:
    """Inputs and targets, to train on and held out.  Floating-point arrays take the precision of the run."""

    train: Arrays
    test: Arrays


@dataclass(frozen=True)
class Layout:
    """How one parameter lies in the other framework, where the rules of `lossopt.tasks.mapping` do not say it.

    Attributes:
        to_torch: Flax's array to PyTorch's.
        from_torch: PyTorch's array to Flax's.
    """

    to_torch: Callable[[np.ndarray], np.ndarray]
    from_torch: Callable[[np.ndarray], np.ndarray]


def predictions_and_targets(predictions: Any, targets: Any) -> tuple[Any, ...]:
    """What most losses take."""
    return predictions, targets


@dataclass(frozen=True)
class Task:
    """A pair of models and the data that both are trained on.

    Attributes:
        name: what reports call it.
        data: makes the data; called once.
        models: ``{"torch": make_torch_model, "jax": make_flax_model}``.  The first takes nothing and returns a
            ``torch.nn.Module``; the second takes ``flax.nnx.Rngs`` and returns a ``flax.nnx.Module``.  Each is called
            with a batch of inputs and returns predictions.  Or the name of a built-in model, with `sizes`.
        sizes: the numbers of inputs and outputs of a built-in model; what they count, each says.
        names: PyTorch's parameter names, or dotted beginnings of them, to Flax's, where the two differ by more than
            the leaf (``kernel``, ``scale`` and ``embedding`` are known to be ``weight``): ``{"0": "layers.0"}``.
        layouts: PyTorch's parameter names to a `Layout`.
        initial: ``(shapes by PyTorch's name, generator) -> arrays`` of initial weights.  None takes the values that
            the PyTorch model draws for itself.
        score: ``(predictions, targets) -> number`` on the held-out data.
        score_name: what reports call the score.
        arguments: ``(predictions, targets) -> the loss's arguments``, in the arrays of either framework.  A loss of pairs
            takes two embeddings: ``lambda pairs, same: (pairs[:, 0], pairs[:, 1], same)``.
    """

    name: str
    data: Callable[[], Data]
    models: str | Mapping[str, Callable[..., Any]]
    sizes: tuple[int, int] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    initial: Callable[[Shapes, np.random.Generator], Weights] | None = None
    score: Callable[[np.ndarray, np.ndarray], float] = accuracy
    score_name: str = "accuracy"
    arguments: Callable[[Any, Any], tuple[Any, ...]] = predictions_and_targets


def uniform_fan_in(shapes: Shapes, generator: np.random.Generator) -> Weights:
    """Weights and biases uniform within ``1 / sqrt(fan_in)``, as PyTorch draws those of Linear and Conv.

    A bias has the fan-in of the weight beside it.
    """
    weights: Weights = {}
    for name, shape in shapes.items():
        beside = shapes.get(name.rpartition(".")[0] + ".weight", shape)
        bound = 1 / np.sqrt(np.prod(beside[1:]))
        weights[name] = generator.uniform(-bound, bound, shape)
    return weights


def uniform_he(shapes: Shapes, generator: np.random.Generator) -> Weights:
    """Weights uniform within ``sqrt(6 / fan_in)`` and biases zero: rectified layers keep the size of what passes through.

    He, Zhang, Ren, Sun: Delving Deep into Rectifiers, 2015, arXiv:1502.01852.
    """
    bounds = {name: np.sqrt(6 / np.prod(shape[1:])) if len(shape) > 1 else 0.0 for name, shape in shapes.items()}
    return {name: generator.uniform(-bound, bound, shapes[name]) for name, bound in bounds.items()}
