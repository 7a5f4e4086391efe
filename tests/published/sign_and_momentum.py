"""Sign methods, averaging, layer-wise norms, accumulators of slices and optimism."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from published import BETAS, DECAYS, EPSILONS, FRACTIONS, MATRIX, RATES, VECTOR, Gradient, Points, Published, Vector


def irprop_minus(x: Vector, gradient: Gradient, steps: int, *, delta: float, shrink: float, grow: float, least: float,
                 largest: float) -> Points:  # fmt: skip
    """Igel and Huesken 2003, iRprop-, written for one coordinate at a time."""
    deltas, before = np.full(x.shape, delta), np.zeros_like(x)
    for t in range(steps):
        g, x = gradient(x, t).copy(), x.copy()
        for i in np.ndindex(x.shape):
            if g[i] * before[i] > 0:
                deltas[i] = min(grow * deltas[i], largest)
            elif g[i] * before[i] < 0:
                deltas[i] = max(shrink * deltas[i], least)
                g[i] = 0.0
            x[i] -= np.sign(g[i]) * deltas[i]
        before = g
        yield x


def averaged_sgd(x: Vector, gradient: Gradient, steps: int, *, lr: float, lambd: float, alpha: float) -> Points:
    """Bottou's ASGD of a loss with the penalty lambd / 2 * |x|**2: step sizes in closed form.  The averages have a test of their own."""
    for t in range(steps):
        x = x - lr * (1 + lambd * lr * t) ** -alpha * (gradient(x, t) + lambd * x)
        yield x


def sign_descent(x: Vector, gradient: Gradient, steps: int, *, delta: float) -> Points:
    """Bernstein 2018, Algorithm 1."""
    for t in range(steps):
        x = x - delta * np.sign(gradient(x, t))
        yield x


def sign_of_momentum(x: Vector, gradient: Gradient, steps: int, *, delta: float, beta: float) -> Points:
    """Bernstein 2018, Algorithm 2: the average as a sum over all gradients so far."""
    seen: list[Vector] = []
    for t in range(steps):
        seen.append(gradient(x, t))
        x = x - delta * np.sign(sum((1 - beta) * beta**age * g for age, g in enumerate(reversed(seen))))
        yield x


def lars(x: Vector, gradient: Gradient, steps: int, *, gamma: float, eta: float, momentum: float, beta: float) -> Points:
    """You 2017, Algorithm 1, one layer: the global rate inside the momentum."""
    v = np.zeros_like(x)
    for t in range(steps):
        g = gradient(x, t)
        local = eta * np.linalg.norm(x) / (np.linalg.norm(g) + beta * np.linalg.norm(x))
        v = momentum * v + gamma * local * (g + beta * x)
        x = x - v
        yield x


def fromage(x: Vector, gradient: Gradient, steps: int, *, eta: float) -> Points:
    """Bernstein 2020, Algorithm 1, one layer."""
    for t in range(steps):
        g = gradient(x, t)
        x = (x - eta * np.linalg.norm(x) / np.linalg.norm(g) * g) / np.sqrt(1 + eta**2)
        yield x


def novograd(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], decay: float) -> Points:
    """Ginsburg 2019, Algorithm 1, epsilon 0."""
    g = gradient(x, 0)
    v = np.linalg.norm(g) ** 2
    m = g / np.sqrt(v) + decay * x
    x = x - lr * m
    yield x
    for t in range(1, steps):
        g = gradient(x, t)
        v = betas[1] * v + (1 - betas[1]) * np.linalg.norm(g) ** 2
        m = betas[0] * m + (g / np.sqrt(v) + decay * x)
        x = x - lr * m
        yield x


def sm3_ii(x: Vector, gradient: Gradient, steps: int, *, eta: float) -> Points:
    """Anil 2019, SM3-II: the cover is rows and columns of a matrix, single coordinates of a vector."""
    cover = [tuple((axis, k) for axis, k in enumerate(i)) for i in np.ndindex(x.shape)]
    mu: dict[tuple[int, int], float] = {r: 0.0 for sets in cover for r in sets}
    for t in range(steps):
        g, new, x = gradient(x, t), dict.fromkeys(mu, 0.0), x.copy()
        for i, sets in zip(np.ndindex(x.shape), cover, strict=True):
            nu = min(mu[r] for r in sets) + float(g[i]) ** 2
            x[i] -= eta * g[i] / np.sqrt(nu)
            for r in sets:
                new[r] = max(new[r], nu)
        mu = new
        yield x


def optimistic_gradient(x: Vector, gradient: Gradient, steps: int, *, alpha: float, beta: float) -> Points:
    """Mokhtari 2019, generalized OGDA, with the first gradient as the one before it."""
    before = gradient(x, 0)
    for t in range(steps):
        g = gradient(x, t)
        x = x - (alpha + beta) * g + beta * before
        before = g
        yield x


def optimistic_adam(x: Vector, gradient: Gradient, steps: int, *, eta: float, betas: tuple[float, float], eps: float) -> Points:
    """Daskalakis 2018, Algorithm 1, with the first direction as the one before it."""
    m, v, directions = np.zeros_like(x), np.zeros_like(x), list[Vector]()
    for t in range(1, steps + 1):
        g = gradient(x, t - 1)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        directions.append(m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + eps))
        x = x - 2 * eta * directions[-1] + eta * directions[max(t - 2, 0)]
        yield x


PLAIN_ADAM = {"eta": RATES, "betas": BETAS, "eps": EPSILONS}

ROWS = {
    "rprop": Published(
        "rprop",
        irprop_minus,
        {"delta": RATES, "shrink": st.floats(0.2, 0.9), "grow": st.floats(1.05, 1.5), "least": st.floats(1e-6, 1e-5),
         "largest": st.floats(0.2, 1.0)},
        lambda delta, shrink, grow, least, largest: {"lr": delta, "etas": (shrink, grow), "step_sizes": (least, largest)},
    ),
    "asgd": Published("asgd", averaged_sgd, {"lr": RATES, "lambd": st.floats(1e-4, 0.5), "alpha": st.floats(0.5, 1.0)}),
    "sign_sgd": Published("sign_sgd", sign_descent, {"delta": RATES}, lambda delta: {"lr": delta}),
    "signum": Published(
        "signum", sign_of_momentum, {"delta": RATES, "beta": st.floats(0.1, 0.97)}, lambda delta, beta: {"lr": delta, "momentum": beta}
    ),
    "lars": Published(
        "lars",
        lars,
        {"gamma": st.floats(0.1, 1.0), "eta": st.floats(1e-3, 0.1), "momentum": FRACTIONS, "beta": DECAYS},
        lambda gamma, eta, momentum, beta: {"lr": gamma, "trust_coefficient": eta, "momentum": momentum, "weight_decay": beta,
                                            "lr_before_momentum": True},
    ),
    "fromage": Published("fromage", fromage, {"eta": RATES}, lambda eta: {"lr": eta}),
    "novograd": Published(
        "novograd",
        novograd,
        {"lr": st.floats(1e-4, 1e-2), "betas": BETAS, "decay": DECAYS},
        lambda decay, **h: {**h, "weight_decay": decay, "eps": 0.0},
    ),
    "sm3": Published("sm3", sm3_ii, {"eta": RATES}, lambda eta: {"lr": eta, "eps": 0.0}, shapes=(MATRIX, VECTOR, (2, 3, 2))),
    "optimistic_gradient_descent": Published(
        "optimistic_gradient_descent",
        optimistic_gradient,
        {"alpha": RATES, "beta": RATES},
        lambda alpha, beta: {"lr": 1.0, "alpha": alpha, "beta": beta},
    ),
    "optimistic_adam": Published(
        "optimistic_adam", optimistic_adam, PLAIN_ADAM, lambda eta, **h: {**h, "lr": eta, "nesterov": False}
    ),
    "optimistic_adam_v2": Published(
        "optimistic_adam_v2", optimistic_adam, PLAIN_ADAM, lambda eta, **h: {**h, "lr": 2 * eta, "alpha": 0.5, "beta": 0.5, "nesterov": False}
    ),
}  # fmt: skip
