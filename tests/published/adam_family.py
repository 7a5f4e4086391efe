"""Adam's relatives, from their papers; lazy Adam and Adan from their authors' programs, which say more than the papers do."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from published import BETAS, DECAYS, EPSILONS, RATES, Gradient, Points, Published, Vector


def adamax(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float) -> Points:
    """Kingma and Ba 2015, eq. 12: u is the largest of all gradients so far, each decayed since; with eps the libraries' way."""
    m, sizes = np.zeros_like(x), []
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        m = betas[0] * m + (1 - betas[0]) * g
        sizes = [betas[1] * s for s in sizes] + [np.abs(g) + eps]
        x = x - lr / (1 - betas[0] ** t) * m / np.max(sizes, axis=0)
        yield x


def adamax_outside(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float) -> Points:
    """Kingma and Ba 2015, Algorithm 2, which has no epsilon; Keras adds one to u."""
    m, u = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        m = betas[0] * m + (1 - betas[0]) * g
        u = np.where(betas[1] * u > np.abs(g), betas[1] * u, np.abs(g))
        x = x - lr / (1 - betas[0] ** t) * m / (u + eps)
        yield x


def adamaxw(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float, decay: float) -> Points:
    """Adamax with the decay of Loshchilov and Hutter 2019, Algorithm 2, line 12."""
    m, u = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        m = betas[0] * m + (1 - betas[0]) * g
        u = np.maximum(betas[1] * u, np.abs(g) + eps)
        x = (1 - decay) * x - lr / (1 - betas[0] ** t) * m / u
        yield x


def nadam(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float, psi: float | None,
          decay: float = 0.0) -> Points:  # fmt: skip
    """Dozat 2016, Algorithm 2, with the warm-up of Dozat 2015; nu_hat without its superfluous factor, as every library has it."""
    m, n = np.zeros_like(x), np.zeros_like(x)
    mu = [betas[0] * (1 if psi is None else 1 - 0.5 * 0.96 ** (t * psi)) for t in range(steps + 2)]
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        g_hat = g / (1 - math.prod(mu[1 : t + 1]))
        m = betas[0] * m + (1 - betas[0]) * g
        m_hat = m / (1 - math.prod(mu[1 : t + 2]))
        n = betas[1] * n + (1 - betas[1]) * g**2
        m_bar = (1 - mu[t]) * g_hat + mu[t + 1] * m_hat
        x = (1 - lr * decay) * x - lr * m_bar / (np.sqrt(n / (1 - betas[1] ** t)) + eps)
        yield x


def radam(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float]) -> Points:
    """Liu 2020, Algorithm 2, which has no epsilon and bounds rho by 4; every library has 5, as the authors' program."""
    m, v, rho_inf = np.zeros_like(x), np.zeros_like(x), 2 / (1 - betas[1]) - 1
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        v = betas[1] * v + (1 - betas[1]) * g**2
        m = betas[0] * m + (1 - betas[0]) * g
        m_hat = m / (1 - betas[0] ** t)
        rho = rho_inf - 2 * t * betas[1] ** t / (1 - betas[1] ** t)
        if rho > 5:
            adaptive = np.sqrt((1 - betas[1] ** t) / v)
            r = np.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            x = x - lr * r * m_hat * adaptive
        else:
            x = x - lr * m_hat
        yield x


def lazy_adam(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float) -> Points:
    """torch.optim.SparseAdam: row after row, those without a gradient passed over."""
    x = x.copy()
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        size = lr * math.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t)
        for i in range(len(x)):
            if np.any(g[i] != 0):
                m[i] += (1 - betas[0]) * (g[i] - m[i])
                v[i] += (1 - betas[1]) * (g[i] ** 2 - v[i])
                x[i] -= size * m[i] / (np.sqrt(v[i]) + eps)
        yield x.copy()


def adabelief(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float) -> Points:
    """Zhuang 2020, Algorithm 2: one epsilon, in both places."""
    m, s = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        m = betas[0] * m + (1 - betas[0]) * g
        s = betas[1] * s + (1 - betas[1]) * (g - m) ** 2 + eps
        m_hat, s_hat = m / (1 - betas[0] ** t), s / (1 - betas[1] ** t)
        x = x - lr * m_hat / (np.sqrt(s_hat) + eps)
        yield x


def yogi(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float, start: float) -> Points:
    """Zaheer 2018, Algorithm 2; both moments begin where the libraries let them."""
    m, v = np.full_like(x, start), np.full_like(x, start)
    for t in range(steps):
        g = gradient(x, t)
        m = betas[0] * m + (1 - betas[0]) * g
        v = v - (1 - betas[1]) * np.sign(v - g**2) * g**2
        x = x - lr * m / (np.sqrt(v) + eps)
        yield x


def adan(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float, float], eps: float, decay: float) -> Points:
    """Xie 2022, Algorithm 1, whose betas are 1 minus the authors' program's; the corrections for zero starts are that program's."""
    b1, b2, b3 = (1 - b for b in betas)
    m, v, n, before = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x), None
    for k in range(1, steps + 1):
        g = gradient(x, k - 1)
        before = g if before is None else before
        m = (1 - b1) * m + b1 * g
        v = (1 - b2) * v + b2 * (g - before)
        n = (1 - b3) * n + b3 * (g + (1 - b2) * (g - before)) ** 2
        m_hat, v_hat, n_hat = m / (1 - betas[0] ** k), v / (1 - betas[1] ** k), n / (1 - betas[2] ** k)
        x = (x - lr / (np.sqrt(n_hat) + eps) * (m_hat + (1 - b2) * v_hat)) / (1 + decay * lr)
        before = g
        yield x


def stable_adamw(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float,
                 decay: float) -> Points:  # fmt: skip
    """Wortsman 2023, Algorithm 2: moments corrected through their decay rates, the rate divided by RMS."""
    v, u = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        b1, b2 = (b * (1 - b ** (t - 1)) / (1 - b**t) for b in betas)
        v = b1 * v + (1 - b1) * g
        u = b2 * u + (1 - b2) * g**2
        rms = np.sqrt(np.mean(g**2 / np.maximum(u, eps**2)))
        eta = lr / max(1, rms)
        x = x - eta * decay * x - eta * v / (np.sqrt(u) + eps)
        yield x


def amsgrad(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float]) -> Points:
    """Reddi 2018, Algorithm 2, which has no epsilon; its step corrected for zero starts, as libraries do."""
    m, v, v_hat = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    for t in range(steps):
        g = gradient(x, t)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        v_hat = np.maximum(v_hat, v)
        scale = np.sqrt(1 - betas[1] ** (t + 1)) / (1 - betas[0] ** (t + 1))
        x = x - lr * scale * m / np.sqrt(v_hat)
        yield x


MOMENTS = {"lr": RATES, "betas": BETAS, "eps": EPSILONS}

ROWS = {
    "amsgrad": Published("amsgrad", amsgrad, {"lr": RATES, "betas": BETAS}, lambda **h: {**h, "eps": 0.0}),
    "adamax": Published("adamax", adamax, MOMENTS),
    "adamax keras": Published("adamax", adamax_outside, MOMENTS, lambda **h: {**h, "eps_inside_max": False}),
    "adamaxw": Published(
        "adamaxw",
        adamaxw,
        {**MOMENTS, "decay": st.floats(0.0, 0.05)},
        lambda lr, decay, **h: {**h, "lr": lr, "weight_decay": decay / lr},
    ),
    "nadam": Published(
        "nadam",
        nadam,
        {**MOMENTS, "psi": st.one_of(st.none(), st.floats(0.0, 1.0))},
        lambda psi, **h: {**h, "momentum_decay": psi},
    ),
    "nadamw": Published(
        "nadamw",
        nadam,
        {**MOMENTS, "psi": st.floats(0.0, 1.0), "decay": DECAYS},
        lambda psi, decay, **h: {**h, "momentum_decay": psi, "weight_decay": decay},
    ),
    "radam": Published(
        "radam",
        radam,
        {"lr": RATES, "betas": st.tuples(st.floats(0.0, 0.97), st.floats(0.7, 0.995))},
        lambda **h: {**h, "eps": 0.0},
    ),
    "sparse_adam": Published("sparse_adam", lazy_adam, MOMENTS),
    "adabelief": Published(
        "adabelief",
        adabelief,
        {**MOMENTS, "betas": st.tuples(st.floats(0.5, 0.97), st.floats(0.5, 0.999))},  # at 0, every gradient is as its mean foretold
        lambda eps, **h: {**h, "eps": eps, "eps_root": eps},
    ),
    "yogi": Published(
        "yogi",
        yogi,
        {**MOMENTS, "start": st.floats(1e-6, 1e-2)},
        lambda start, **h: {**h, "initial_accumulator_value": start, "bias_correction": False},
    ),
    "adan": Published(
        "adan",
        adan,
        {"lr": RATES, "betas": st.tuples(*(st.floats(0.1, 0.98) for _ in range(3))), "eps": EPSILONS, "decay": DECAYS},
        lambda decay, **h: {**h, "weight_decay": decay},
    ),
    "stable_adamw": Published(
        "stable_adamw",
        stable_adamw,
        {**MOMENTS, "decay": DECAYS},
        lambda decay, **h: {**h, "weight_decay": decay},
    ),
}
