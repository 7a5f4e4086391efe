"""How the gradient of a loss is spread over a model's parameters."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np

from lossopt.analysis.probe import look


class GradientStats(TypedDict):
    """One parameter's gradient in numbers; `max` is the largest magnitude, `zero_fraction` the share of exact zeros."""

    norm: float
    mean: float
    std: float
    max: float
    zero_fraction: float
    finite: bool


class GradientFlow(TypedDict):
    """What `analyze_gradient_flow` found."""

    total_gradient_norm: float
    loss_value: float
    gradient_stats: dict[str, GradientStats]


def analyze_gradient_flow(model: Any, loss_fn: Any, data: Any, targets: Any) -> GradientFlow:
    """The gradient of the loss at one batch, parameter by parameter.

    Args:
        model: a ``torch.nn.Module``, a ``flax.nnx.Module``, or a pair ``(apply, params)`` of a JAX function
            ``apply(params, data)`` and its parameters.  It is looked at in the mode it is in.
        loss_fn: ``loss_fn(outputs, targets)`` is one number.  ``(model, data, targets, loss_fn)`` is understood too.
        data: what the model is called with; a tuple gives several arguments.
        targets: what the outputs are held against.

    Returns:
        A dict: ``total_gradient_norm``, the norm of all gradients as one vector; ``loss_value``; and
        ``gradient_stats``, by the parameter's dotted name in its own framework, a dict of ``norm``, ``mean``, ``std``,
        ``max`` (the largest magnitude), ``zero_fraction`` and ``finite``, computed in float64.  A parameter that the
        loss does not depend on has gradient 0; one that is frozen in PyTorch is left out.

    Raises:
        InputError: no loss function, or a loss that is not one number.

    Example:
        >>> import torch
        >>> from lossopt import get_loss
        >>> from lossopt.analysis import analyze_gradient_flow
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> with torch.no_grad(): _ = model.weight.copy_(torch.tensor([[1.0, 0.0]]))
        >>> found = analyze_gradient_flow(model, get_loss("mse_loss"), torch.tensor([[3.0, 0.0]]), torch.tensor([[1.0]]))
        >>> found["loss_value"], found["gradient_stats"]["weight"]["norm"], found["gradient_stats"]["weight"]["zero_fraction"]
        (4.0, 12.0, 0.5)
    """
    loss, gradients = look("analyze_gradient_flow", model, loss_fn, data, targets).loss_and_gradients()
    wide = {name: np.asarray(g, np.float64) for name, g in gradients.items()}
    total = float(np.sqrt(sum(float(np.vdot(g, g)) for g in wide.values())))
    return GradientFlow(total_gradient_norm=total, loss_value=loss, gradient_stats={name: _stats(g) for name, g in wide.items()})


def _stats(g: np.ndarray) -> GradientStats:
    with np.errstate(invalid="ignore"):  # infinities among the gradients make a NaN, which is told by `finite`
        return GradientStats(norm=float(np.linalg.norm(g)), mean=float(g.mean()), std=float(g.std()), max=float(np.abs(g).max()),
                             zero_fraction=float((g == 0).mean()), finite=bool(np.isfinite(g).all()))  # fmt: skip
