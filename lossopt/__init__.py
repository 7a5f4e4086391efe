"""lossopt: define a training recipe once, as pure functions, and get the same numbers in PyTorch and JAX.

>>> import lossopt
>>> lossopt.get_optimizer("lion", backend="numpy")
numpy optimizer lion()
"""

from __future__ import annotations

from lossopt.definition import loss, optimizer, schedule, transform
from lossopt.errors import LossoptError
from lossopt.explain import explain
from lossopt.lint import lint
from lossopt.registry import (
    get_loss,
    get_optimizer,
    get_schedule,
    list_losses,
    list_optimizers,
    list_schedules,
    list_transforms,
)
from lossopt.vector import State

__version__ = "0.1.0"

__all__ = [
    "LossoptError",
    "State",
    "explain",
    "get_loss",
    "get_optimizer",
    "get_schedule",
    "lint",
    "list_losses",
    "list_optimizers",
    "list_schedules",
    "list_transforms",
    "loss",
    "optimizer",
    "schedule",
    "transform",
]
