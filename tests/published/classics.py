"""Algorithms that every library has: SGD, the Adam and Adagrad families, Lion, LAMB, Muon, L-BFGS and others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from published import BETAS, DECAYS, EPSILONS, FRACTIONS, MATRIX, RATES, VECTOR, Gradient, Points, Published, Vector


def heavy_ball(x: Vector, gradient: Gradient, steps: int, *, lr: float, momentum: float, weight_decay: float = 0.0) -> Points:
    """Polyak 1964: x_{t+1} = x_t - lr g_t + mu (x_t - x_{t-1})."""
    before = x
    for t in range(steps):
        g = gradient(x, t) + weight_decay * x
        before, x = x, x - lr * g + momentum * (x - before)
        yield x


def nesterov(x: Vector, gradient: Gradient, steps: int, *, lr: float, momentum: float) -> Points:
    """Sutskever 2013, eq. 3 and 4: the gradient is taken at theta + mu v, which is the point that libraries store."""
    theta, v = x, np.zeros_like(x)
    for t in range(steps):
        v = momentum * v - lr * gradient(theta + momentum * v, t)
        theta = theta + v
        yield theta + momentum * v


def adam(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float) -> Points:
    """Kingma and Ba 2015, Algorithm 1."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
        x = x - lr * m_hat / (np.sqrt(v_hat) + eps)
        yield x


def adam_eps_hat(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float) -> Points:
    """Kingma and Ba 2015, end of section 2: the corrections in the step size, and an epsilon hat."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        x = x - lr * np.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t) * m / (np.sqrt(v) + eps)
        yield x


def amsgrad(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float, corrected: bool) -> Points:
    """Reddi 2018, Algorithm 2, with Adam's corrections: of the maximum, or of what the maximum is taken of."""
    m, history = np.zeros_like(x), []
    v = np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        history.append(v / (1 - betas[1] ** t) if corrected else v)
        highest = np.max(history, axis=0)
        x = x - lr * m / (1 - betas[0] ** t) / (np.sqrt(highest if corrected else highest / (1 - betas[1] ** t)) + eps)
        yield x


def adamw(x: Vector, gradient: Gradient, steps: int, *, alpha: float, betas: tuple[float, float], eps: float, decay: float) -> Points:
    """Loshchilov and Hutter 2019, Algorithm 2, schedule multiplier 1: the decay is not multiplied by alpha."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
        x = x - (alpha * m_hat / (np.sqrt(v_hat) + eps) + decay * x)
        yield x


def rmsprop(x: Vector, gradient: Gradient, steps: int, *, lr: float, alpha: float, eps: float) -> Points:
    """Tieleman and Hinton 2012: divide by the root of MeanSquare."""
    mean_square = np.zeros_like(x)
    for t in range(steps):
        g = gradient(x, t)
        mean_square = alpha * mean_square + (1 - alpha) * g**2
        x = x - lr * g / (np.sqrt(mean_square) + eps)
        yield x


def graves(x: Vector, gradient: Gradient, steps: int, *, lr: float, alpha: float, eps: float, momentum: float) -> Points:
    """Graves 2013, eq. 38 to 45: centered, the constant inside the root, the rate inside the momentum."""
    n, mean, delta = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    for t in range(steps):
        e = gradient(x, t)
        n = alpha * n + (1 - alpha) * e**2
        mean = alpha * mean + (1 - alpha) * e
        delta = momentum * delta - lr * e / np.sqrt(n - mean**2 + eps)
        x = x + delta
        yield x


def adagrad(x: Vector, gradient: Gradient, steps: int, *, lr: float, delta: float) -> Points:
    """Duchi 2011, Figure 1: H = delta I + diag(norms of all gradients so far)."""
    seen = []
    for t in range(steps):
        seen.append(gradient(x, t))
        h = delta + np.linalg.norm(np.stack(seen), axis=0)
        x = x - lr * seen[-1] / h
        yield x


def adadelta(x: Vector, gradient: Gradient, steps: int, *, rho: float, eps: float) -> Points:
    """Zeiler 2012, Algorithm 1."""
    mean_g, mean_x = np.zeros_like(x), np.zeros_like(x)
    for t in range(steps):
        g = gradient(x, t)
        mean_g = rho * mean_g + (1 - rho) * g**2
        change = -np.sqrt(mean_x + eps) / np.sqrt(mean_g + eps) * g
        mean_x = rho * mean_x + (1 - rho) * change**2
        x = x + change
        yield x


def lion(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], weight_decay: float) -> Points:
    """Chen 2023, Algorithm 2."""
    m = np.zeros_like(x)
    for t in range(steps):
        g = gradient(x, t)
        c = betas[0] * m + (1 - betas[0]) * g
        x = x - lr * (np.sign(c) + weight_decay * x)
        m = betas[1] * m + (1 - betas[1]) * g
        yield x


def lamb(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float, weight_decay: float) -> Points:
    """You 2020, Algorithm 2, phi the identity."""
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        r = m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
        x = x - lr * np.linalg.norm(x) / np.linalg.norm(r + weight_decay * x) * (r + weight_decay * x)
        yield x


def adafactor(x: Vector, gradient: Gradient, steps: int, *, cap: float, eps: tuple[float, float], d: float) -> Points:
    """Shazeer and Stern 2018, Algorithms 4 (matrices) and 5 (vectors), with sums of rows and columns."""
    rows, columns, whole = np.zeros(x.shape[:1]), np.zeros(x.shape[1:]), np.zeros_like(x)

    def rms(a: Vector) -> float:
        return float(np.sqrt(np.mean(a**2)))

    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        size, beta = max(eps[1], rms(x)) * min(cap, 1 / np.sqrt(t)), 1 - t**-0.8
        square = g**2 + eps[0]
        if x.ndim == 2:
            rows = beta * rows + (1 - beta) * square.sum(axis=1)
            columns = beta * columns + (1 - beta) * square.sum(axis=0)
            v = np.outer(rows, columns) / rows.sum()
        else:
            v = whole = beta * whole + (1 - beta) * square
        u = g / np.sqrt(v)
        x = x - size * u / max(1.0, rms(u) / d)
        yield x


def muon(x: Vector, gradient: Gradient, steps: int, *, lr: float, momentum: float, ns_steps: int, weight_decay: float) -> Points:
    """Jordan 2024.  Newton-Schulz moves singular values only: here the polynomial is applied to them."""
    buffer = np.zeros_like(x)
    for t in range(steps):
        g = gradient(x, t)
        buffer = momentum * buffer + (1 - momentum) * g
        left, values, right = np.linalg.svd(momentum * buffer + (1 - momentum) * g, full_matrices=False)
        values = values / np.linalg.norm(values)
        for _ in range(ns_steps):
            values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
        orthogonal = left @ np.diag(values) @ right
        x = x * (1 - lr * weight_decay) - lr * max(1.0, x.shape[0] / x.shape[1]) ** 0.5 * orthogonal
        yield x


def prodigy(x: Vector, gradient: Gradient, steps: int, *, gamma: float, betas: tuple[float, float], d0: float) -> Points:
    """Mishchenko and Defazio 2023, Algorithm 4, epsilon 0."""
    start, d, r, s, root = x, d0, 0.0, np.zeros_like(x), np.sqrt(betas[1])
    m, v = np.zeros_like(x), np.zeros_like(x)
    for t in range(steps):
        g = gradient(x, t)
        m = betas[0] * m + (1 - betas[0]) * d * g
        v = betas[1] * v + (1 - betas[1]) * d**2 * g**2
        r = root * r + (1 - root) * gamma * d**2 * float(g @ (start - x))
        s = root * s + (1 - root) * gamma * d**2 * g
        x = x - gamma * d * m / np.sqrt(v)
        d = max(d, r / np.abs(s).sum())
        yield x


def schedule_free_adamw(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], eps: float,
                        weight_decay: float) -> Points:  # fmt: skip
    """Defazio 2024, Algorithm 1, constant rate, without warm-up; what is yielded is y."""
    z, y, v, weights = x, x, np.zeros_like(x), 0.0
    for t in range(1, steps + 1):
        g = gradient(y, t - 1)
        v = betas[1] * v + (1 - betas[1]) * g**2
        z = z - lr * g / (np.sqrt(v / (1 - betas[1] ** t)) + eps) - lr * weight_decay * y
        weights += lr**2
        c = lr**2 / weights
        x = (1 - c) * x + c * z
        y = (1 - betas[0]) * z + betas[0] * x
        yield y


def lbfgs(x: Vector, gradient: Gradient, steps: int, *, lr: float, history_size: int) -> Points:
    """Liu and Nocedal 1989, eq. 2.4 to 2.6: the inverse Hessian as a dense matrix."""
    pairs: list[tuple[Vector, Vector]] = []
    before: tuple[Vector, Vector] | None = None
    for t in range(steps):
        g = gradient(x, t)
        if before is not None:
            pairs = [*pairs, (x - before[0], g - before[1])][-history_size:]
        before = x, g
        if pairs:
            s, y = pairs[-1]
            h = s @ y / (y @ y) * np.eye(len(x))
        else:
            h = min(1.0, 1 / np.abs(g).sum()) * np.eye(len(x))
        for s, y in pairs:
            rho = 1 / (s @ y)
            v = np.eye(len(x)) - rho * np.outer(y, s)
            h = v.T @ h @ v + rho * np.outer(s, s)
        x = x - lr * h @ g
        yield x


def dog(x: Vector, gradient: Gradient, steps: int, *, reps_rel: float) -> Points:
    """Ivgi 2023, eq. 1 and section 4: from the whole history of points and gradients."""
    points, gradients, first = [x], [], reps_rel * (1 + np.linalg.norm(x))
    for t in range(steps):
        gradients.append(gradient(x, t))
        farthest = max(first, *(np.linalg.norm(p - points[0]) for p in points))
        x = x - farthest / np.sqrt(sum(np.linalg.norm(g) ** 2 for g in gradients)) * gradients[-1]
        points.append(x)
        yield x


def polyak(x: Vector, gradient: Gradient, steps: int, *, value: Callable[[Vector, int], float], f_min: float, max_lr: float) -> Points:
    """Loizou 2021, SPS_max with c = 1."""
    for t in range(steps):
        g = gradient(x, t)
        x = x - min((value(x, t) - f_min) / np.linalg.norm(g) ** 2, max_lr) * g
        yield x


ROWS = {
    "sgd momentum": Published("sgd", heavy_ball, {"lr": RATES, "momentum": FRACTIONS, "weight_decay": DECAYS}),
    "sgd nesterov": Published(
        "sgd", nesterov, {"lr": RATES, "momentum": st.floats(0.1, 0.95)}, lambda **h: {**h, "nesterov": True}
    ),
    "adam": Published("adam", adam, {"lr": RATES, "betas": BETAS, "eps": EPSILONS}),
    "adam eps_hat": Published(
        "adam", adam_eps_hat, {"lr": RATES, "betas": BETAS, "eps": EPSILONS}, lambda **h: {**h, "eps_hat": True}
    ),
    "adam amsgrad": Published(
        "adam",
        amsgrad,
        {"lr": RATES, "betas": BETAS, "eps": EPSILONS, "corrected": st.booleans()},
        lambda corrected, **h: {**h, "amsgrad": True, "amsgrad_max": "corrected" if corrected else "raw"},
    ),
    "adamw": Published(
        "adamw",
        adamw,
        {"alpha": RATES, "betas": BETAS, "eps": EPSILONS, "decay": st.floats(0.0, 0.05)},
        lambda alpha, decay, **h: {**h, "lr": alpha, "weight_decay": decay / alpha},
    ),
    "rmsprop": Published("rmsprop", rmsprop, {"lr": RATES, "alpha": st.floats(0.5, 0.99), "eps": EPSILONS}),
    "rmsprop centered": Published(
        "rmsprop",
        graves,
        {"lr": st.floats(1e-4, 1e-2), "alpha": st.floats(0.5, 0.99), "eps": st.floats(1e-4, 1e-2), "momentum": st.floats(0.1, 0.9)},
        lambda **h: {**h, "centered": True, "convention": "optax"},
    ),
    "adagrad": Published("adagrad", adagrad, {"lr": RATES, "delta": EPSILONS}, lambda lr, delta: {"lr": lr, "eps": delta}),
    "adadelta": Published("adadelta", adadelta, {"rho": st.floats(0.5, 0.99), "eps": st.floats(1e-7, 1e-3)}),
    "lion": Published("lion", lion, {"lr": RATES, "betas": BETAS, "weight_decay": DECAYS}),
    "lamb": Published("lamb", lamb, {"lr": RATES, "betas": BETAS, "eps": EPSILONS, "weight_decay": DECAYS}),
    "adafactor": Published(
        "adafactor",
        adafactor,
        {"cap": RATES, "eps": st.tuples(st.floats(1e-30, 1e-4), st.floats(1e-3, 1.0)), "d": st.floats(0.5, 2.0)},
        lambda cap, **h: {**h, "lr": cap, "eps_added": True},
    ),
    "muon": Published(
        "muon",
        muon,
        {"lr": st.floats(1e-4, 1e-2), "momentum": FRACTIONS, "ns_steps": st.integers(1, 6), "weight_decay": DECAYS},
        shapes=(MATRIX, MATRIX[::-1]),
    ),
    "prodigy": Published(
        "prodigy",
        prodigy,
        {"gamma": st.floats(0.1, 1.0), "betas": BETAS, "d0": st.floats(1e-4, 1e-2)},
        lambda gamma, **h: {**h, "lr": gamma, "eps": 0.0, "use_bias_correction": False},
        shapes=(VECTOR,),
    ),
    "schedule_free_adamw": Published(
        "schedule_free_adamw",
        schedule_free_adamw,
        {"lr": RATES, "betas": st.tuples(st.floats(0.1, 0.98), st.floats(0.5, 0.999)), "eps": EPSILONS, "weight_decay": DECAYS},
    ),
    "lbfgs": Published(
        "lbfgs", lbfgs, {"lr": st.floats(0.3, 1.0), "history_size": st.integers(1, 6)}, shapes=(VECTOR,), still=True, steps=8
    ),
    "dog": Published("dog", dog, {"reps_rel": st.floats(1e-6, 1e-1)}, lambda **h: {**h, "eps": 0.0}, shapes=(VECTOR,)),
    "polyak_sgd": Published(
        "polyak_sgd", polyak, {"f_min": st.floats(-9.0, -5.0), "max_lr": st.floats(0.01, 0.3)}, shapes=(VECTOR,)
    ),
}
