"""COCOB, D-Adaptation, DoWG and MoMo, as their papers write them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from published import BETAS, DECAYS, VECTOR, Gradient, Points, Published, Vector

Value = Callable[[Vector, int], float]


def cocob(x: Vector, gradient: Gradient, steps: int, *, alpha: float, first: float) -> Points:
    """Orabona and Tommasi 2017, Algorithm 2 (COCOB-Backprop), one coordinate after the other; first is L at the start."""
    start = x
    largest, total = np.full(x.shape, first), np.zeros_like(x)
    reward, theta = np.zeros_like(x), np.zeros_like(x)
    for t in range(steps):
        g, new = -gradient(x, t), x.copy()
        for i in np.ndindex(x.shape):
            largest[i] = max(largest[i], abs(g[i]))
            total[i] += abs(g[i])
            reward[i] = max(reward[i] + (x[i] - start[i]) * g[i], 0.0)
            theta[i] += g[i]
            new[i] = start[i] + theta[i] / (largest[i] * max(total[i] + largest[i], alpha * largest[i])) * (largest[i] + reward[i])
        x = new
        yield x


def dadapt_adam(x: Vector, gradient: Gradient, steps: int, *, gamma: float, betas: tuple[float, float], eps: float, d0: float) -> Points:
    """Defazio and Mishchenko 2023, Algorithm 5 (D-Adapted Adam), over the whole history of d and gradients."""
    root = np.sqrt(betas[1])
    ds, gradients, products = [d0], [], []
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(steps):
        g = gradient(x, t)
        ages = np.arange(len(gradients))[::-1]
        s = sum(((1 - root) * root**age * gamma * d * old for age, d, old in zip(ages, ds, gradients, strict=False)), np.zeros_like(x))
        products.append(gamma * ds[-1] * float(g @ (s / (np.sqrt(v) + eps))))
        gradients.append(g)
        m = betas[0] * m + (1 - betas[0]) * gamma * ds[-1] * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        x = x - m / (np.sqrt(v) + eps)
        s = root * s + (1 - root) * gamma * ds[-1] * g
        r = sum((1 - root) * root**age * product for age, product in enumerate(reversed(products)))
        ds.append(max(ds[-1], r / ((1 - root) * np.abs(s).sum())))
        yield x


def dowg(x: Vector, gradient: Gradient, steps: int, *, first: float, eps: float) -> Points:
    """Khaled 2023, Algorithm 1: from the whole history of points and gradients; eps beside the root, as libraries have it."""
    points, weighted = [x], 0.0
    for t in range(steps):
        g = gradient(x, t)
        farthest = max(first, *(float(np.linalg.norm(p - points[0])) for p in points))
        weighted += farthest**2 * float(np.linalg.norm(g)) ** 2
        x = x - farthest**2 / (np.sqrt(weighted) + eps) * g
        points.append(x)
        yield x


def momo(x: Vector, gradient: Gradient, steps: int, *, value: Value, alpha: float, beta: float, bound: float, decay: float) -> Points:
    """Schaipp 2023, Algorithm 1 with decay (Lemma A.1), from the whole history: the model is a mean of linear functions."""
    seen: list[tuple[float, Vector, Vector]] = []
    for t in range(steps):
        seen.append((value(x, t), gradient(x, t), x))
        weights = [(1.0 if i == 0 else 1 - beta) * beta ** (t - i) for i in range(t + 1)]
        d = sum((w * g for w, (_, g, _) in zip(weights, seen, strict=True)), np.zeros_like(x))
        at_zero = sum(w * (f - float(g @ p)) for w, (f, g, p) in zip(weights, seen, strict=True))
        growth = 1 + alpha * decay
        tau = min(alpha, max(growth * (at_zero - bound) + float(d @ x), 0.0) / float(d @ d))
        x = x - tau * d - alpha * decay / growth * x
        yield x


def momo_adam(x: Vector, gradient: Gradient, steps: int, *, value: Value, alpha: float, betas: tuple[float, float], eps: float,
              bound: float, decay: float) -> Points:  # fmt: skip
    """Schaipp 2023, Algorithm 2: MoMo in the norm of D = diag(eps + sqrt(v_hat)), its averages without correction."""
    d, v, mean, inner = np.zeros_like(x), np.zeros_like(x), 0.0, 0.0
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        d = betas[0] * d + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        inverse = np.linalg.inv(np.diag(eps + np.sqrt(v / (1 - betas[1] ** t))))
        mean = betas[0] * mean + (1 - betas[0]) * value(x, t - 1)
        inner = betas[0] * inner + (1 - betas[0]) * float(g @ x)
        rho, growth = 1 - betas[0] ** t, 1 + alpha * decay
        tau = min(alpha / rho, max(growth * (mean - inner - rho * bound) + float(d @ x), 0.0) / float(d @ inverse @ d))
        x = 1 / growth * x - tau * inverse @ d
        yield x


# alpha of momo: steps beyond the curvature's reach overshoot, and magnify roundings (3e-12 at alpha=1 after 14 steps).
BOUNDS = st.floats(-12.0, -5.0)

ROWS = {
    "cocob": Published(
        "cocob", cocob, {"alpha": st.floats(1.0, 100.0), "first": st.floats(1e-8, 1.0)}, lambda alpha, first: {"alpha": alpha, "eps": first}
    ),
    "dadapt_adamw": Published(
        "dadapt_adamw",
        dadapt_adam,
        {"gamma": st.floats(0.1, 1.0), "betas": BETAS, "eps": st.floats(1e-8, 1e-2), "d0": st.floats(1e-4, 1e-2)},
        lambda gamma, **h: {**h, "lr": gamma, "use_bias_correction": False},
        shapes=(VECTOR,),
    ),
    "dowg": Published(
        "dowg",
        dowg,
        {"first": st.floats(1e-3, 1.0), "eps": st.floats(1e-8, 1e-3)},
        lambda first, eps: {"sq_distance0": first**2, "eps": eps},
        shapes=(VECTOR,),
    ),
    "momo": Published(
        "momo",
        momo,
        {"alpha": st.floats(0.01, 0.3), "beta": st.floats(0.0, 0.97), "bound": BOUNDS, "decay": DECAYS},
        lambda alpha, bound, decay, **h: {**h, "lr": alpha, "lower_bound": bound, "weight_decay": decay},
        shapes=(VECTOR,),
    ),
    "momo_adam": Published(
        "momo_adam",
        momo_adam,
        {"alpha": st.floats(0.01, 1.0), "betas": BETAS, "eps": st.floats(1e-8, 1e-2), "bound": BOUNDS, "decay": DECAYS},
        lambda alpha, bound, decay, **h: {**h, "lr": alpha, "lower_bound": bound, "weight_decay": decay},
        shapes=(VECTOR,),
    ),
}
