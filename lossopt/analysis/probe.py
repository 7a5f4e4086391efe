"""What an analysis asks of a framework: a model, a loss and a batch, looked at without being changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from lossopt import loop, registry
from lossopt.errors import InputError
from lossopt.tasks.task import Weights


class Probe(Protocol):
    """A backend's ``analysis.Probe(model, loss_fn, data, targets, names)``."""

    def parameters(self) -> Weights:
        """Every parameter in float64, by the name and in the layout that it has in PyTorch (`lossopt.tasks.mapping`)."""
        ...

    def losses(self, directions: Sequence[Weights], points: np.ndarray) -> np.ndarray:
        """The loss at ``parameters + sum_k points[i, k] * directions[k]``, for each i, in float64.

        A direction holds arrays as `parameters` does; a parameter that it lacks stays.
        """
        ...

    def loss_and_gradients(self) -> tuple[float, dict[str, np.ndarray]]:
        """The loss, and its gradient by each parameter's own name, in the framework's own layout."""
        ...


def look(owner: str, model: Any, *given: Any, names: Mapping[str, str] | None = None) -> Probe:
    """The probe of the model's framework; `given` is the data, the targets and the loss function, which may come first.

    Raises:
        InputError: none of the three, or not the first or last, is a function.
    """
    if len(given) == 3 and _is_function(given[0]) and not _is_function(given[2]):
        loss_fn, data, targets = given
    elif len(given) == 3 and _is_function(given[2]) and not _is_function(given[0]):
        data, targets, loss_fn = given
    else:
        told = ", ".join(type(x).__name__ for x in given)
        raise InputError(f"{owner}(model, data, targets, loss_fn) takes one function, loss_fn(outputs, targets), last, "
                         f"or first: (model, loss_fn, data, targets); after the model it got {told}")  # fmt: skip
    return registry.backend(loop.framework_of(model)).part("analysis").Probe(model, loss_fn, data, targets, names or {})


def _is_function(x: Any) -> bool:
    return callable(x) and not hasattr(x, "shape")


def check_scalar(shape: tuple[int, ...]) -> None:
    """Raise InputError unless a loss came out as one number."""
    if tuple(shape) != ():
        raise InputError(f"loss_fn must return one number, got shape {tuple(shape)}; write reduction='mean'")
