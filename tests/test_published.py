"""Every optimizer against its paper: the float64 referee follows the published algorithm, stated independently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published import STEPS, VECTOR, Gradient, Published, examples, rows

import lossopt

TABLE = rows()

TOLERANCE = 1e-12
"""Of the distance moved: a thousandfold of what rounding makes of 50 steps (1e-15 to 1e-14 in most rows)."""

ROUNDING = 2e-15
"""Of the parameters themselves: ten roundings of the sum that adds an update; it counts where the steps are tiny."""


def problem(shape: tuple[int, ...], still: bool) -> tuple[np.ndarray, Gradient, dict[str, Callable[[np.ndarray, int], Any]]]:
    """A noisy convex problem: its start and gradient, and by name what else an algorithm may be lent."""
    rng = np.random.default_rng(sum(shape))
    start, target, weight = rng.normal(size=shape), rng.normal(size=shape), rng.uniform(0.5, 2.0, size=shape)
    noise = 0.3 * rng.normal(size=(STEPS, *shape))

    def gradient(x: np.ndarray, t: int) -> np.ndarray:
        return weight * (x - target) + 0.4 * x**3 + noise[0 if still else t]

    def value(x: np.ndarray, t: int) -> float:
        return float((0.5 * weight * (x - target) ** 2 + 0.1 * x**4 + noise[0 if still else t] * x).sum())

    def hessian(x: np.ndarray, t: int) -> np.ndarray:
        return weight + 1.2 * x**2

    return start, gradient, {"value": value, "hessian": hessian}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
@settings(max_examples=8, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.differing_executors])
@given(data=st.data())
def test_the_referee_follows_the_paper(row: Published, data: st.DataObject) -> None:
    drawn = {name: data.draw(strategy, label=name) for name, strategy in row.drawn.items()}
    ours = lossopt.get_optimizer(row.name, backend="numpy", **row.ours(**drawn))
    for shape in row.shapes:
        start, gradient, lent = problem(shape, row.still)
        params, state = start, ours.init(start)
        asked = {name: fn for name, fn in lent.items() if name in ours.spec.asks}
        for t, expected in enumerate(row.algorithm(start, gradient, row.steps, **drawn, **asked)):
            grads = examples(gradient(params, t)) if ours.spec.per_example else gradient(params, t)
            updates, state = ours.update(grads, state, params, **{n: f(params, t) for n, f in asked.items()})
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
