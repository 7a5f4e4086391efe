"""Descent with noise, and the generator that all backends share, both from their papers, one number at a time."""

from __future__ import annotations

import hashlib
import math

import numpy as np
from hypothesis import strategies as st

from published import FRACTIONS, RATES, Gradient, Points, Published, Vector, examples

WORD = 2**32
SEEDS = st.integers(0, WORD - 1)


def threefry2x32_20(counter: tuple[int, int], key: tuple[int, int]) -> tuple[int, int]:
    """Salmon 2011, section 4.2 and Table 1, round by round."""
    schedule = [*key, 0x1BD11BDA ^ key[0] ^ key[1]]
    a, b = (counter[0] + key[0]) % WORD, (counter[1] + key[1]) % WORD
    for i in range(20):
        a = (a + b) % WORD
        turn = (13, 15, 26, 6, 17, 29, 16, 24)[i % 8]
        b = (b * 2**turn % WORD + b // 2 ** (32 - turn)) ^ a
        if i % 4 == 3:
            s = i // 4 + 1
            a, b = (a + schedule[s % 3]) % WORD, (b + schedule[(s + 1) % 3] + s) % WORD
    return a, b


def normals(shape: tuple[int, ...], seed: int, step: int, name: str = "0") -> Vector:
    """Box and Muller 1958: a pair from each block; the first of the pairs fill the first half, the second ones the second."""
    digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    key = threefry2x32_20((digest // WORD, digest % WORD), (seed, 0))
    size = math.prod(shape)
    first, second = [], []
    for j in range(math.ceil(size / 2)):
        a, b = threefry2x32_20((j, step), key)
        radius = math.sqrt(-2 * math.log((a // 2**8 + 1) / 2**24))
        turn = math.pi / 2 * (b // 2**8 % 2**23 + 0.5) / 2**23
        first.append((-1) ** (b % 2) * radius * math.cos(turn))
        second.append((-1) ** (b // 2 % 2) * radius * math.sin(turn))
    return np.array([*first, *second])[:size].reshape(shape)


def noisy_descent(x: Vector, gradient: Gradient, steps: int, *, lr: float, eta: float, gamma: float, seed: int) -> Points:
    """Neelakantan 2015, equation 1, t counted from 0."""
    for t in range(steps):
        deviation = math.sqrt(eta / (1 + t) ** gamma)
        x = x - lr * (gradient(x, t) + deviation * normals(x.shape, seed, t + 1))
        yield x


def private_descent(x: Vector, gradient: Gradient, steps: int, *, eta: float, c: float, sigma: float, momentum: float, seed: int) -> Points:
    """Abadi 2016, Algorithm 1, with the momentum of Polyak's heavy ball on its noisy gradient."""
    before = x
    for t in range(steps):
        clipped = [g / max(1.0, np.linalg.norm(g) / c) for g in examples(gradient(x, t))]
        g = (sum(clipped) + sigma * c * normals(x.shape, seed, t + 1)) / len(clipped)
        before, x = x, x - eta * g + momentum * (x - before)
        yield x


ROWS = {
    "noisy_sgd": Published(
        "noisy_sgd", noisy_descent, {"lr": RATES, "eta": st.floats(0.0, 1.0), "gamma": st.floats(0.0, 1.0), "seed": SEEDS}
    ),
    "dpsgd": Published(
        "dpsgd",
        private_descent,
        {"eta": RATES, "c": st.floats(0.1, 10.0), "sigma": st.floats(0.0, 3.0), "momentum": FRACTIONS, "seed": SEEDS},
        lambda eta, c, sigma, **h: {**h, "lr": eta, "max_grad_norm": c, "noise_multiplier": sigma, "eps": 0.0},
    ),
}
