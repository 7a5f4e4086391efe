"""The published formulas of the losses, one sample at a time in plain NumPy: no word of the library's vocabulary.

Each function gives the values of reduction "none" and what the mean divides the sum by; a module's ``PUBLISHED`` says which
loss it is.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

Values = tuple[Any, float]


def published() -> Mapping[str, Callable[..., Values]]:
    """Every family's formulas, by loss."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return {name: formula for module in modules for name, formula in getattr(module, "PUBLISHED", {}).items()}


def reduced(values: Any, divisor: float, reduction: str, batch: int) -> Any:
    """The published values under a reduction."""
    return {"none": values, "sum": values.sum(), "mean": values.sum() / divisor, "batchmean": values.sum() / batch}[reduction]
