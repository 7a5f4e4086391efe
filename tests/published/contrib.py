"""ACProp, the two AdEMAMix, ADOPT, MADGRAD and schedule-free SGD, as their papers write them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from published import BETAS, DECAYS, EPSILONS, RATES, Gradient, Points, Published, Vector


def acprop(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float, weight_decay: float) -> Points:
    """Zhuang 2021, Algorithm 2 without momentum: s is corrected, and its value before this gradient divides."""
    means, variances = [np.zeros_like(x)], [np.zeros_like(x)]
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        below = np.ones_like(x) if t == 1 else np.sqrt(variances[-1] / (1 - betas[1] ** (t - 1)))
        x = x - lr * g / (below + eps) - lr * weight_decay * x
        means.append(betas[0] * means[-1] + (1 - betas[0]) * g)
        variances.append(betas[1] * variances[-1] + (1 - betas[1]) * (g - means[-1]) ** 2)
        yield x


def acprop_from_the_mean_before(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float) -> Points:
    """g - m_{t-1} = (g - m_t) / beta1: the published variance, larger by beta1**-2."""
    mean, variance = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        below = np.ones_like(x) if t == 1 else np.sqrt(variance / (1 - betas[1] ** (t - 1)))
        x = x - lr * g / (below + eps)
        mean = betas[0] * mean + (1 - betas[0]) * g
        variance = betas[1] * variance + (1 - betas[1]) * (g - mean) ** 2 / betas[0] ** 2
        yield x


def ademamix(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float, float], alpha: float, eps: float,
             decay: float) -> Points:  # fmt: skip
    """Pagliardini 2024, Algorithm 1, without warm-ups; each average is a sum over the whole history."""
    history: list[Vector] = []

    def average(beta: float, power: int = 1) -> Vector:
        ages = range(len(history))
        return sum(((1 - beta) * beta**age * g**power for age, g in zip(ages, reversed(history), strict=True)), np.zeros_like(x))

    for t in range(1, steps + 1):
        history.append(gradient(x, t - 1))
        fast, nu = average(betas[0]) / (1 - betas[0] ** t), average(betas[1], 2) / (1 - betas[1] ** t)
        x = x - lr * ((fast + alpha * average(betas[2])) / (np.sqrt(nu) + eps) + decay * x)
        yield x


def simplified_ademamix(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], alpha: float, eps: float,
                        decay: float) -> Points:  # fmt: skip
    """Morwani 2025, Algorithm 2: the sum m and the gradient at hand, over Adam's denominator."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        m = betas[0] * m + g
        v = betas[1] * v + (1 - betas[1]) * g**2
        x = x - lr * ((m + alpha * g) / (np.sqrt(v / (1 - betas[1] ** t)) + eps) + decay * x)
        yield x


def adopt(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float) -> Points:
    """Taniguchi 2024, Algorithm 1: v_0 = g_0 * g_0, and from t = 1 on the v of the step before divides."""
    m, v = np.zeros_like(x), gradient(x, 0) ** 2
    yield x
    for t in range(1, steps):
        g = gradient(x, t)
        m = betas[0] * m + (1 - betas[0]) * g / np.maximum(np.sqrt(v), eps)
        x = x - lr * m
        v = betas[1] * v + (1 - betas[1]) * g**2
        yield x


def adopt_clipped(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float, decay: float) -> Points:
    """Taniguchi 2024, Algorithm 2: u is clipped to c_t = t**0.25; a decoupled decay beside it."""
    m, v = np.zeros_like(x), gradient(x, 0) ** 2
    yield x
    for t in range(1, steps):
        g = gradient(x, t)
        m = betas[0] * m + (1 - betas[0]) * np.clip(g / np.maximum(np.sqrt(v), eps), -(t**0.25), t**0.25)
        x = x - lr * m - lr * decay * x
        v = betas[1] * v + (1 - betas[1]) * g**2
        yield x


def madgrad(x: Vector, gradient: Gradient, steps: int, *, gamma: float, c: float, eps: float, decay: float) -> Points:
    """Defazio and Jelassi 2021, Algorithm 1; gamma is a rate with eps added, as in the authors' code."""
    start, s, v = x, np.zeros_like(x), np.zeros_like(x)
    for k in range(steps):
        g = gradient(x, k) + decay * x
        weight = gamma * np.sqrt(k + 1)
        s = s + weight * g
        v = v + weight * g**2
        z = start - s / (np.cbrt(v) + eps)
        x = (1 - c) * x + c * z
        yield x


def schedule_free_sgd(x: Vector, gradient: Gradient, steps: int, *, gamma: float, beta: float, decay: float) -> Points:
    """Defazio 2024, eq. 4 to 6, constant rate: x is the plain mean of all z; what is yielded is y."""
    zs = [x]
    y = x
    for t in range(steps):
        zs.append(zs[-1] - gamma * (gradient(y, t) + decay * y))
        y = (1 - beta) * zs[-1] + beta * np.mean(zs[1:], axis=0)
        yield y


THREE_BETAS = st.tuples(st.floats(0.0, 0.97), st.floats(0.5, 0.999), st.floats(0.9, 0.9999))

CENTERED = st.tuples(st.floats(0.5, 0.97), st.floats(0.9, 0.999))
"""Where the first is near 0 the mean is the gradient itself, and the variance that divides is next to nothing."""

ROWS = {
    "acprop": Published(
        "acprop",
        acprop,
        {"lr": RATES, "betas": CENTERED, "eps": st.floats(1e-4, 1e-2), "weight_decay": DECAYS},
        lambda **h: {**h, "eps_root": 0.0},
    ),
    "acprop old mean": Published(
        "acprop",
        acprop_from_the_mean_before,
        {"lr": RATES, "betas": CENTERED, "eps": st.floats(1e-4, 1e-2)},
        lambda **h: {**h, "eps_root": 0.0, "convention": "optax"},
    ),
    "ademamix": Published(
        "ademamix",
        ademamix,
        {"lr": RATES, "betas": THREE_BETAS, "alpha": st.floats(0.0, 10.0), "eps": EPSILONS, "decay": DECAYS},
        lambda decay, **h: {**h, "weight_decay": decay},
    ),
    "simplified_ademamix": Published(
        "simplified_ademamix",
        simplified_ademamix,
        {"lr": st.floats(1e-5, 1e-3), "betas": BETAS, "alpha": st.floats(0.0, 10.0), "eps": EPSILONS, "decay": DECAYS},
        lambda decay, **h: {**h, "weight_decay": decay},
    ),
    "adopt": Published("adopt", adopt, {"lr": RATES, "betas": BETAS, "eps": EPSILONS}, lambda **h: {**h, "clip_exponent": None}),
    "adopt clipped": Published(
        "adopt",
        adopt_clipped,
        {"lr": RATES, "betas": BETAS, "eps": EPSILONS, "decay": DECAYS},
        lambda decay, **h: {**h, "weight_decay": decay, "decoupled": True},
    ),
    "madgrad": Published(
        "madgrad",
        madgrad,
        {"gamma": st.floats(2e-2, 0.5), "c": st.floats(0.05, 1.0), "eps": st.floats(1e-8, 1e-2), "decay": DECAYS},
        lambda gamma, c, eps, decay: {"lr": gamma - eps, "momentum": 1 - c, "eps": eps, "weight_decay": decay},
    ),
    "schedule_free_sgd": Published(
        "schedule_free_sgd",
        schedule_free_sgd,
        {"gamma": RATES, "beta": st.floats(0.1, 0.98), "decay": DECAYS},
        lambda gamma, beta, decay: {"lr": gamma, "momentum": beta, "weight_decay": decay},
    ),
}
