"""The loss around a model's parameters, along random directions that are as long as the parameters themselves."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

import numpy as np

from lossopt.analysis.probe import look
from lossopt.errors import HyperparameterError, InputError

GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


class Landscape(TypedDict):
    """What `analyze_loss_landscape` found; ``losses[i]`` is the loss at ``points[i]``."""

    current_loss: float
    loss_std: float
    loss_variance: float
    loss_range: tuple[float, float]
    non_finite: int
    points: np.ndarray
    losses: np.ndarray
    radius: float
    seed: int


def analyze_loss_landscape(model: Any, data: Any, targets: Any, loss_fn: Any, num_points: int = 100, *, radius: float = 1.0,
                           dimensions: Literal[1, 2] = 2, seed: int = 0, move_vectors: bool = False,
                           names: Mapping[str, str] | None = None) -> Landscape:  # fmt: skip
    """The loss at points around the model's parameters.

        theta(a, b) = theta + a d_1 + b d_2,    (a, b) in a disc of the given radius (or a in an interval)

    d_1 and d_2 are random directions, filter by filter as long as the filter that they move: a layer of large weights
    is moved far, one of small weights little, so that flatness does not depend on how a network happens to be scaled.
    A filter is the part of a weight that makes one output.  Biases and scales stay, as in the paper.

    A parameter's direction is drawn, in float64, from the seed and the parameter's name as PyTorch has it: Flax's
    ``hidden.kernel`` is ``hidden.weight``, and the ``layers`` of an nnx.Sequential are left out.  So the same weights
    give the same points, and the same losses, in both frameworks.

    Args:
        model: a ``torch.nn.Module``, a ``flax.nnx.Module``, or a pair ``(apply, params)`` of a JAX function
            ``apply(params, data)`` and its parameters.  It is looked at in the mode it is in, and every point sees the
            same dropout masks.
        data: what the model is called with; a tuple gives several arguments.
        targets, loss_fn: ``loss_fn(outputs, targets)`` is one number.  ``(model, loss_fn, data, targets)`` is understood.
        num_points: how many points, at least 2.
        radius: how far they reach, positive: 1 moves every filter by its own length.
        dimensions: 2 spreads the points over a disc, 1 along a line, evenly in both.
        seed: of the directions, 0 or more.
        move_vectors: move biases and scales too, each as one filter.
        names: for a Flax model whose modules are called otherwise than in PyTorch: ``{torch's name: Flax's name}``.

    Returns:
        A dict: ``current_loss``; ``loss_std``, ``loss_variance`` and ``loss_range`` (lowest, highest) over the points;
        ``non_finite``, how many losses are not finite (these count as infinite); ``points`` of shape (num_points,
        dimensions) in units of the radius 1, and ``losses`` of shape (num_points,); ``radius`` and ``seed``.

    Raises:
        HyperparameterError: num_points, radius, dimensions or seed is outside its range.
        InputError: no loss function, a loss that is not one number, or nothing to move.

    References:
        Li, Xu, Taylor, Studer, Goldstein: Visualizing the Loss Landscape of Neural Nets, 2018, arXiv:1712.09913.

    Example:
        >>> import torch
        >>> from lossopt import get_loss
        >>> from lossopt.analysis import analyze_loss_landscape
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> with torch.no_grad(): _ = model.weight.copy_(torch.tensor([[3.0, 4.0]]))
        >>> x = torch.eye(2)
        >>> found = analyze_loss_landscape(model, x, x @ torch.tensor([[3.0], [4.0]]), get_loss("mse_loss"), num_points=50)
        >>> found["current_loss"], found["loss_range"][1] < 25  # moved by two directions, each at most as long as (3, 4)
        (0.0, True)
    """
    _check(num_points, radius, dimensions, seed)
    probe = look("analyze_loss_landscape", model, data, targets, loss_fn, names=names)
    moved = {name: w for name, w in probe.parameters().items() if w.ndim > 1 or move_vectors}
    if not moved:
        raise InputError("the model has no parameter of two or more axes, which are what is moved; "
                         "write move_vectors=True to move the others")  # fmt: skip
    directions = [{name: direction(name, w, seed, k) for name, w in moved.items()} for k in range(dimensions)]
    points = np.concatenate([np.zeros((1, dimensions)), spread(num_points, dimensions) * radius])
    raw = probe.losses(directions, points)
    losses = np.where(np.isfinite(raw[1:]), raw[1:], np.inf)
    lost = int(np.isinf(losses).sum())
    variance = float("inf") if lost else float(losses.var())
    return Landscape(current_loss=float(raw[0]), loss_std=float(np.sqrt(variance)), loss_variance=variance,
                     loss_range=(float(losses.min()), float(losses.max())), non_finite=lost, points=points[1:], losses=losses,
                     radius=radius, seed=seed)  # fmt: skip


def spread(count: int, dimensions: int) -> np.ndarray:
    """Points evenly over the interval [-1, 1], or over the unit disc on a spiral of golden angles (Vogel, 1979).

    >>> spread(3, 1).ravel().tolist()
    [-1.0, 0.0, 1.0]
    """
    if dimensions == 1:
        return np.linspace(-1, 1, count)[:, None]
    k = np.arange(count)
    return (np.sqrt((k + 0.5) / count) * np.stack([np.cos(k * GOLDEN_ANGLE), np.sin(k * GOLDEN_ANGLE)])).T


def direction(name: str, w: np.ndarray, seed: int, which: int) -> np.ndarray:
    """A random direction, each of its filters as long as the parameter's."""
    generator = np.random.default_rng([seed, which, zlib.crc32(name.encode())])
    rows = (w.shape[0], -1) if w.ndim > 1 else (1, -1)
    drawn = generator.standard_normal(w.shape).reshape(rows)
    lengths = np.linalg.norm(w.reshape(rows), axis=1, keepdims=True) / np.linalg.norm(drawn, axis=1, keepdims=True)
    return (drawn * lengths).reshape(w.shape)


def _check(num_points: int, radius: float, dimensions: int, seed: int) -> None:
    whole = {"num_points": (num_points, 2), "seed": (seed, 0)}
    for name, (value, low) in whole.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise HyperparameterError(f"analyze_loss_landscape: {name} must be a whole number, at least {low}, got {value!r}")
    if not (isinstance(radius, int | float) and 0 < radius < float("inf")):
        raise HyperparameterError(f"analyze_loss_landscape: radius must be positive, and finite, got {radius!r}")
    if dimensions not in (1, 2):
        raise HyperparameterError(f"analyze_loss_landscape: dimensions must be 1 or 2, got {dimensions!r}")
