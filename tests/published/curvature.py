"""Sophia, as its paper writes it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from published import DECAYS, EPSILONS, RATES, Gradient, Points, Published, Vector


def sophia(x: Vector, gradient: Gradient, steps: int, *, hessian: Callable[[Vector, int], Vector], eta: float,
           betas: tuple[float, float], gamma: float, eps: float, k: int, decay: float) -> Points:  # fmt: skip
    """Liu 2023, Algorithm 3."""
    m, h = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        m = betas[0] * m + (1 - betas[0]) * gradient(x, t - 1)
        if k == 1 or t % k == 1:
            h = betas[1] * h + (1 - betas[1]) * hessian(x, t - 1)
        x = x - eta * decay * x
        x = x - eta * np.clip(m / np.maximum(gamma * h, eps), -1, 1)
        yield x


ROWS = {
    "sophia": Published(
        "sophia",
        sophia,
        {
            "eta": RATES, "betas": st.tuples(st.floats(0.0, 0.97), st.floats(0.5, 0.9)), "gamma": st.floats(1.0, 3.0), "eps": EPSILONS,
            "k": st.integers(1, 12), "decay": DECAYS,
        },
        lambda eta, k, decay, **h: {**h, "lr": eta, "update_interval": k, "weight_decay": decay},
    ),
}  # fmt: skip
