"""lossopt: define a training recipe once, as pure functions, and get the same numbers in PyTorch and JAX.

>>> import lossopt
>>> lossopt.get_optimizer("lion", backend="numpy")
numpy optimizer lion()
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from lossopt import analysis as analysis
    from lossopt import losses as losses
    from lossopt import optimizers as optimizers
    from lossopt import schedules as schedules
    from lossopt import schemes as schemes
    from lossopt import transforms as transforms
    from lossopt.classes import (
        AdvancedLossOptimizationExamples,
        CustomLossOptimizationSchemes,
        LearningRateSchedulers,
        LossFunctions,
        LossOptimizationAnalyzer,
        Optimizers,
    )
    from lossopt.identify import identify
    from lossopt.port_check import port_check
    from lossopt.precision import Precision
    from lossopt.recipes import Recipe, load_recipe
    from lossopt.recipes.groups import groups
    from lossopt.recipes.rules import layer_decay, no_decay
    from lossopt.recording import read_recording
    from lossopt.recording.record import record

__version__ = "0.1.0"

__all__ = [
    "AdvancedLossOptimizationExamples",
    "CustomLossOptimizationSchemes",
    "LearningRateSchedulers",
    "LossFunctions",
    "LossOptimizationAnalyzer",
    "LossoptError",
    "Optimizers",
    "Precision",
    "Recipe",
    "State",
    "explain",
    "get_loss",
    "get_optimizer",
    "get_schedule",
    "groups",
    "identify",
    "layer_decay",
    "lint",
    "list_losses",
    "list_optimizers",
    "list_schedules",
    "list_transforms",
    "load_recipe",
    "loss",
    "no_decay",
    "optimizer",
    "port_check",
    "read_recording",
    "record",
    "schedule",
    "transform",
]

LAZY = {
    "Precision": "lossopt.precision",
    "Recipe": "lossopt.recipes",
    "groups": "lossopt.recipes.groups",
    "identify": "lossopt.identify",
    "layer_decay": "lossopt.recipes.rules",
    "no_decay": "lossopt.recipes.rules",
    "load_recipe": "lossopt.recipes",
    "port_check": "lossopt.port_check",
    "read_recording": "lossopt.recording",
    "record": "lossopt.recording.record",
    "AdvancedLossOptimizationExamples": "lossopt.classes",
    "CustomLossOptimizationSchemes": "lossopt.classes",
    "LearningRateSchedulers": "lossopt.classes",
    "LossFunctions": "lossopt.classes",
    "LossOptimizationAnalyzer": "lossopt.classes",
    "Optimizers": "lossopt.classes",
}
"""What is imported when it is asked for, and from where: `import lossopt` stays quick, and loads no NumPy."""

ROOMS = ("analysis", "losses", "optimizers", "recipes", "schedules", "schemes", "transforms")
"""What is reached without an import of its own: ``lossopt.losses.focal_loss``."""


def __getattr__(name: str) -> Any:
    if name in ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *LAZY, *ROOMS})
