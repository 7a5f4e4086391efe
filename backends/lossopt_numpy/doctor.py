"""Does the referee work here?  What ``lossopt doctor`` asks of a backend."""

from __future__ import annotations

import numpy as np

from lossopt import get_optimizer


def one_step(start: float, gradient: float, lr: float) -> float:
    """One parameter after one AdamW update at its defaults."""
    optimizer = get_optimizer("adamw", backend="numpy", lr=lr)
    params = np.array([start])
    updates, _ = optimizer.update(np.array([gradient]), optimizer.init(params), params)
    return float((params + updates)[0])


def facts() -> dict[str, str]:
    """What decides about numbers here."""
    return {"precision": "float64"}
