"""Shampoo, SOAP, GaLore and PSGD Kron as their papers write them: Kronecker products of whole matrices, of vectors of entries."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from published import EPSILONS, FRACTIONS, MATRIX, RATES, Gradient, Points, Published, Vector
from published.noisy import SEEDS, normals

FREQUENCIES = st.integers(1, 12)


def power(matrix: Vector, exponent: float) -> Vector:
    """Of a positive definite matrix, from its singular values."""
    u, s, _ = np.linalg.svd(matrix)
    return (u * s**exponent) @ u.T


def shampoo(x: Vector, gradient: Gradient, steps: int, *, eta: float, epsilon: float) -> Points:
    """Gupta 2018, Algorithm 1, on the entries as one vector; of a vector, full-matrix Adagrad, which its Algorithm 2 is there."""
    left, right = epsilon * np.eye(len(x)), epsilon * np.eye(x.shape[1]) if x.ndim == 2 else None
    for t in range(steps):
        g = gradient(x, t)
        if right is None:
            left = left + np.outer(g, g)
            x = x - eta * power(left, -1 / 2) @ g
        else:
            left, right = left + g @ g.T, right + g.T @ g
            x = x - eta * (np.kron(power(left, -1 / 4), power(right, -1 / 4)) @ g.ravel()).reshape(x.shape)
        yield x


def grafted_shampoo(x: Vector, gradient: Gradient, steps: int, *, alpha: float, betas: tuple[float, float], eps: float,
                    frequency: int, decay: float) -> Points:  # fmt: skip
    """Shi 2023, Algorithm 2 with grafting by Adam, whose step is taken before the first inverse roots."""
    graft_beta, graft_eps, history = 0.99, 1e-6, []
    left, right, roots = np.zeros((len(x),) * 2), np.zeros((x.shape[1],) * 2), []
    for t in range(1, steps + 1):
        history.append(gradient(x, t - 1))
        g, ages = history[-1], range(t - 1, -1, -1)
        left, right = (betas[1] * m + (1 - betas[1]) * n for m, n in ((left, g @ g.T), (right, g.T @ g)))
        if t % frequency == 0:
            roots = [power(m / (1 - betas[1] ** t) + eps * np.eye(len(m)), -1 / 4) for m in (left, right)]
        filtered = sum((1 - betas[0]) * betas[0] ** a * h for a, h in zip(ages, history, strict=True)) / (1 - betas[0] ** t)
        second = sum((1 - graft_beta) * graft_beta**a * h**2 for a, h in zip(ages, history, strict=True)) / (1 - graft_beta**t)
        step = filtered / (np.sqrt(second) + graft_eps)
        if roots:
            direction = roots[0] @ filtered @ roots[1]
            step = np.linalg.norm(step) / np.linalg.norm(direction) * direction
        x = x - alpha * decay * x - alpha * step
        yield x


def soap(x: Vector, gradient: Gradient, steps: int, *, lr: float, betas: tuple[float, float], shampoo_beta: float, eps: float,
         frequency: int) -> Points:  # fmt: skip
    """Vyas 2024, Algorithms 3 and 4; the first gradient only founds the bases, as section 5 says, and one matrix turns all entries."""
    g = gradient(x, 0)
    left, right = (1 - shampoo_beta) * g @ g.T, (1 - shampoo_beta) * g.T @ g
    bases = [np.linalg.eigh(m)[1][:, ::-1] for m in (left, right)]
    m, v = np.zeros(x.size), np.zeros(x.shape)
    yield x
    for t in range(1, steps):
        g = gradient(x, t)
        turn = np.kron(*bases)
        m = betas[0] * m + (1 - betas[0]) * g.ravel()
        v = betas[1] * v + (1 - betas[1]) * (turn.T @ g.ravel()).reshape(x.shape) ** 2
        corrected = np.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t)
        x = x - lr * corrected * (turn @ (turn.T @ m / (np.sqrt(v.ravel()) + eps))).reshape(x.shape)
        left, right = (shampoo_beta * old + (1 - shampoo_beta) * new for old, new in ((left, g @ g.T), (right, g.T @ g)))
        if t % frequency == 0:
            for i, moments in enumerate((left, right)):
                order = np.argsort(-np.diag(bases[i].T @ moments @ bases[i]))
                bases[i] = np.linalg.qr(moments @ bases[i][:, order])[0]
                v = np.take(v, order, i)
        yield x


def galore(x: Vector, gradient: Gradient, steps: int, *, lr: float, rank: int, gap: int, alpha: float, betas: tuple[float, float],
           eps: float) -> Points:  # fmt: skip
    """Zhao 2024, Algorithm 2: P from the side that is no longer than the other; each vector's largest entry positive."""
    m = v = p = np.zeros(())
    for t in range(steps):
        g = gradient(x, t)
        wide = g.shape[0] < g.shape[1]
        g = g if wide else g.T  # short by long, so that P^T G is what is kept
        if t % gap == 0:
            values, vectors = np.linalg.eigh(g @ g.T)
            p = vectors[:, np.argsort(-values)[:rank]]
            p = p * np.sign([column[np.argmax(np.abs(column))] for column in p.T])
        low = p.T @ g
        m, v = betas[0] * m + (1 - betas[0]) * low, betas[1] * v + (1 - betas[1]) * low**2
        normal = m / (1 - betas[0] ** (t + 1)) / (np.sqrt(v / (1 - betas[1] ** (t + 1))) + eps)
        update = alpha * p @ normal
        x = x - lr * (update if wide else update.T)
        yield x


def kron(x: Vector, gradient: Gradient, steps: int, *, lr: float, beta: float, mu: float, seed: int) -> Points:
    """Li 2022, the Kronecker group of triangular matrices, with the whitening pair (v, g), on matrices; Q is updated always.

    Balanced at every hundredth update, which 50 do not reach; the step is cut to a root mean square of 1.1.
    """
    factors, m = [np.eye(n) for n in x.shape], np.zeros_like(x)
    for t in range(1, steps + 1):
        m = beta * m + (1 - beta) * gradient(x, t - 1)
        g, v = m / (1 - beta**t), normals(x.shape, seed, t)
        a = factors[0] @ g @ factors[1].T
        b = np.linalg.inv(factors[0]).T @ v @ np.linalg.inv(factors[1])
        for i, (ours, theirs) in enumerate(((a @ a.T, b @ b.T), (a.T @ a, b.T @ b))):
            both = ours + theirs
            column = both[:, np.argmax(np.linalg.norm(both, axis=0))]
            along = both @ column
            bound = np.linalg.norm(both @ along) / np.linalg.norm(along)
            factors[i] = factors[i] - mu / bound * np.triu(ours - theirs) @ factors[i]
        q = np.kron(*factors)
        d = (q.T @ q @ g.ravel()).reshape(x.shape)
        x = x - lr * min(1.0, 1.1 / (np.sqrt(np.mean(d**2)) + 1e-6)) * d
        yield x


BOTH = (MATRIX, MATRIX[::-1])
ROWS = {
    "shampoo": Published(
        "shampoo",
        shampoo,
        {"eta": RATES, "epsilon": st.floats(1e-2, 1.0)},
        lambda eta, epsilon: {"lr": eta, "betas": (0.0, 1.0), "eps": epsilon, "use_bias_correction": False},
    ),
    "shampoo grafted": Published(
        "shampoo",
        grafted_shampoo,
        {
            "alpha": RATES, "betas": st.tuples(st.floats(0.0, 0.9), st.floats(0.5, 0.99)), "eps": st.floats(1e-2, 1.0),
            "frequency": FREQUENCIES, "decay": st.floats(0.0, 0.3),
        },
        lambda alpha, frequency, decay, **h: {
            **h, "lr": alpha, "weight_decay": decay, "precondition_frequency": frequency, "start_preconditioning_step": frequency,
            "grafting": "adam", "grafting_beta2": 0.99, "grafting_eps": 1e-6,
        },
        shapes=BOTH,
    ),
    "soap": Published(
        "soap",
        soap,
        {
            "lr": st.floats(1e-3, 0.05), "betas": st.tuples(st.floats(0.0, 0.95), st.floats(0.5, 0.99)),
            "shampoo_beta": st.floats(0.5, 0.99), "eps": EPSILONS, "frequency": FREQUENCIES,
        },
        lambda frequency, **h: {**h, "weight_decay": 0.0, "precondition_frequency": frequency},
        shapes=BOTH,
    ),
    "galore": Published(
        "galore",
        galore,
        {
            "lr": RATES, "rank": st.integers(1, 3), "gap": FREQUENCIES, "alpha": st.floats(0.1, 1.0),
            "betas": st.tuples(FRACTIONS, st.floats(0.5, 0.999)), "eps": EPSILONS,
        },
        lambda gap, alpha, **h: {**h, "update_proj_gap": gap, "scale": alpha, "eps_hat": False},
        shapes=BOTH,
    ),
    "psgd_kron": Published(
        "psgd_kron",
        kron,
        {"lr": RATES, "beta": FRACTIONS, "mu": st.floats(0.01, 0.3), "seed": SEEDS},
        lambda beta, mu, **h: {**h, "momentum": beta, "precond_lr": mu},
        shapes=BOTH,
    ),
}  # fmt: skip
