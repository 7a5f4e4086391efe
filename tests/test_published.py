"""Every optimizer against its paper: the float64 referee follows the published algorithm, stated independently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import published_optimizers as published
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lossopt

STEPS = 50
MATRIX, VECTOR = (4, 3), (5,)

RATES = st.floats(1e-4, 0.1)
DECAYS = st.floats(0.0, 0.3)
FRACTIONS = st.floats(0.0, 0.97)
EPSILONS = st.floats(1e-8, 1e-2)
BETAS = st.tuples(st.floats(0.0, 0.97), st.floats(0.5, 0.999))


@dataclass(frozen=True)
class Published:
    """One published algorithm and the definition that states it.

    Attributes:
        name: the definition.
        algorithm: in `published_optimizers`.
        drawn: the published hyperparameters, and where they come from.
        ours: the same in the definition's words.
        shapes: of the parameters; an algorithm over all parameters as one is run on a vector.
        still: the loss does not change from step to step.
        steps: how many updates.
    """

    name: str
    algorithm: Callable[..., Any]
    drawn: Mapping[str, st.SearchStrategy[Any]]
    ours: Callable[..., dict[str, Any]] = field(default=lambda **h: h)
    shapes: tuple[tuple[int, ...], ...] = (MATRIX, VECTOR)
    still: bool = False
    steps: int = STEPS


TABLE = {
    "sgd momentum": Published("sgd", published.heavy_ball, {"lr": RATES, "momentum": FRACTIONS, "weight_decay": DECAYS}),
    "sgd nesterov": Published(
        "sgd", published.nesterov, {"lr": RATES, "momentum": st.floats(0.1, 0.95)}, lambda **h: {**h, "nesterov": True}
    ),
    "adam": Published("adam", published.adam, {"lr": RATES, "betas": BETAS, "eps": EPSILONS}),
    "adam eps_hat": Published(
        "adam", published.adam_eps_hat, {"lr": RATES, "betas": BETAS, "eps": EPSILONS}, lambda **h: {**h, "eps_hat": True}
    ),
    "adam amsgrad": Published(
        "adam",
        published.amsgrad,
        {"lr": RATES, "betas": BETAS, "eps": EPSILONS, "corrected": st.booleans()},
        lambda corrected, **h: {**h, "amsgrad": True, "amsgrad_max": "corrected" if corrected else "raw"},
    ),
    "adamw": Published(
        "adamw",
        published.adamw,
        {"alpha": RATES, "betas": BETAS, "eps": EPSILONS, "decay": st.floats(0.0, 0.05)},
        lambda alpha, decay, **h: {**h, "lr": alpha, "weight_decay": decay / alpha},
    ),
    "rmsprop": Published("rmsprop", published.rmsprop, {"lr": RATES, "alpha": st.floats(0.5, 0.99), "eps": EPSILONS}),
    "rmsprop centered": Published(
        "rmsprop",
        published.graves,
        {"lr": st.floats(1e-4, 1e-2), "alpha": st.floats(0.5, 0.99), "eps": st.floats(1e-4, 1e-2), "momentum": st.floats(0.1, 0.9)},
        lambda **h: {**h, "centered": True, "convention": "optax"},
    ),
    "adagrad": Published("adagrad", published.adagrad, {"lr": RATES, "delta": EPSILONS}, lambda lr, delta: {"lr": lr, "eps": delta}),
    "adadelta": Published("adadelta", published.adadelta, {"rho": st.floats(0.5, 0.99), "eps": st.floats(1e-7, 1e-3)}),
    "lion": Published("lion", published.lion, {"lr": RATES, "betas": BETAS, "weight_decay": DECAYS}),
    "lamb": Published("lamb", published.lamb, {"lr": RATES, "betas": BETAS, "eps": EPSILONS, "weight_decay": DECAYS}),
    "adafactor": Published(
        "adafactor",
        published.adafactor,
        {"cap": RATES, "eps": st.tuples(st.floats(1e-30, 1e-4), st.floats(1e-3, 1.0)), "d": st.floats(0.5, 2.0)},
        lambda cap, **h: {**h, "lr": cap, "eps_added": True},
    ),
    "muon": Published(
        "muon",
        published.muon,
        {"lr": st.floats(1e-4, 1e-2), "momentum": FRACTIONS, "ns_steps": st.integers(1, 6), "weight_decay": DECAYS},
        shapes=(MATRIX, MATRIX[::-1]),
    ),
    "prodigy": Published(
        "prodigy",
        published.prodigy,
        {"gamma": st.floats(0.1, 1.0), "betas": BETAS, "d0": st.floats(1e-4, 1e-2)},
        lambda gamma, **h: {**h, "lr": gamma, "eps": 0.0, "use_bias_correction": False},
        shapes=(VECTOR,),
    ),
    "schedule_free_adamw": Published(
        "schedule_free_adamw",
        published.schedule_free_adamw,
        {"lr": RATES, "betas": st.tuples(st.floats(0.1, 0.98), st.floats(0.5, 0.999)), "eps": EPSILONS, "weight_decay": DECAYS},
    ),
    "lbfgs": Published(
        "lbfgs", published.lbfgs, {"lr": st.floats(0.3, 1.0), "history_size": st.integers(1, 6)}, shapes=(VECTOR,), still=True, steps=8
    ),
    "dog": Published("dog", published.dog, {"reps_rel": st.floats(1e-6, 1e-1)}, lambda **h: {**h, "eps": 0.0}, shapes=(VECTOR,)),
    "polyak_sgd": Published(
        "polyak_sgd", published.polyak, {"f_min": st.floats(-9.0, -5.0), "max_lr": st.floats(0.01, 0.3)}, shapes=(VECTOR,)
    ),
}

TOLERANCE = 1e-12
"""Of the distance moved: a thousandfold of what rounding makes of 50 steps (1e-15 to 1e-14 in most rows)."""

ROUNDING = 2e-15
"""Of the parameters themselves: ten roundings of the sum that adds an update; it counts where the steps are tiny."""


def problem(shape: tuple[int, ...], still: bool) -> tuple[np.ndarray, published.Gradient, Callable[[np.ndarray, int], float]]:
    """A noisy convex problem: its start, gradient and value."""
    rng = np.random.default_rng(sum(shape))
    start, target, weight = rng.normal(size=shape), rng.normal(size=shape), rng.uniform(0.5, 2.0, size=shape)
    noise = 0.3 * rng.normal(size=(STEPS, *shape))

    def gradient(x: np.ndarray, t: int) -> np.ndarray:
        return weight * (x - target) + 0.4 * x**3 + noise[0 if still else t]

    def value(x: np.ndarray, t: int) -> float:
        return float((0.5 * weight * (x - target) ** 2 + 0.1 * x**4 + noise[0 if still else t] * x).sum())

    return start, gradient, value


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
@settings(max_examples=8, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.differing_executors])
@given(data=st.data())
def test_the_referee_follows_the_paper(row: Published, data: st.DataObject) -> None:
    drawn = {name: data.draw(strategy, label=name) for name, strategy in row.drawn.items()}
    ours = lossopt.get_optimizer(row.name, backend="numpy", **row.ours(**drawn))
    for shape in row.shapes:
        start, gradient, value = problem(shape, row.still)
        params, state = start, ours.init(start)
        asked = {"value": value} if "value" in ours.spec.asks else {}
        for t, expected in enumerate(row.algorithm(start, gradient, row.steps, **drawn, **asked)):
            updates, state = ours.update(gradient(params, t), state, params, **{n: f(params, t) for n, f in asked.items()})
            params = params + updates
            bound = TOLERANCE * np.abs(expected - start).max() + ROUNDING * np.abs(expected).max()
            assert np.abs(params - expected).max() <= bound, f"step {t + 1}, {ours!r}"


def test_every_optimizer_has_a_published_algorithm() -> None:
    assert {row.name for row in TABLE.values()} == set(lossopt.list_optimizers())


def test_the_average_of_schedule_free_is_the_published_x() -> None:
    start, gradient, _ = problem(VECTOR, still=False)
    lr, beta = 0.05, 0.9
    ours = lossopt.get_optimizer("schedule_free_adamw", backend="numpy", lr=lr, betas=(beta, 0.99), eps=1e-8)
    x = z = y = start
    v, state = np.zeros_like(start), ours.init(start)
    for t in range(1, STEPS + 1):
        g = gradient(y, t - 1)
        updates, state = ours.update(g, state, y)
        v = 0.99 * v + 0.01 * g**2
        z = z - lr * g / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
        x = (1 - 1 / t) * x + z / t
        y = y + updates
        np.testing.assert_allclose(ours.eval_params(state, y), x, rtol=1e-11)
