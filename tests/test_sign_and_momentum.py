"""Options and edges of rprop, asgd, the sign methods, lars, fromage, novograd, sm3 and the optimistic ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from lossopt import get_optimizer
from lossopt.errors import ArgumentError, HyperparameterError
from lossopt.optimizers import asgd, novograd, rprop, sm3


def trajectory(spec: Any, grads: list[Any], start: Any) -> tuple[list[np.ndarray], Any]:
    made, points = get_optimizer(spec, "numpy"), [np.asarray(start, float)]
    state = made.init(points[0])
    for g in grads:
        updates, state = made.update(np.asarray(g, float), state, points[-1])
        points.append(points[-1] + updates)
    return points, (made, state)


def test_rprop_gives_the_update_of_its_own_step() -> None:
    points, _ = trajectory(rprop(lr=0.1), [1.0, 1.0, 1.0, -1.0, 1.0, 1.0], 0.0)
    np.testing.assert_allclose(np.diff(points), [-0.1, -0.12, -0.144, 0.0, -0.072, -0.0864], rtol=1e-12)


@pytest.mark.parametrize(("convention", "first"), [("torch", 0.2), ("optax", 1.0)])
def test_rprop_bounds_a_first_step_in_torch_only(convention: str, first: float) -> None:
    points, _ = trajectory(rprop(lr=1.0, step_sizes=(1e-6, 0.2), convention=convention), [1.0, 1.0], 0.0)
    np.testing.assert_allclose(np.diff(points), [-first, -0.2])


@pytest.mark.parametrize("executor", ["replay", "single"])
def test_rprop_groups_begin_at_their_own_rates(executor: str) -> None:
    params = [("a", torch.nn.Parameter(torch.zeros(2))), ("b", torch.nn.Parameter(torch.zeros(2)))]
    opt = get_optimizer(rprop(lr=0.1), "torch", params=params, groups={"b": {"lr": 0.5}}, executor=executor)
    for t in range(2):
        for _, p in params:
            p.grad = torch.ones(2)
        opt.step()
        if not t:
            opt.param_groups[0]["lr"] = 100.0  # the first rate only
    assert [p[0].item() for _, p in params] == pytest.approx([-0.22, -1.1])
    assert {s["step_size"].dtype for s in opt.state.values()} == {torch.float32}


def test_rprop_refuses_factors_that_do_not_shrink_and_grow() -> None:
    for etas, said in (((1.0, 1.2), "[0] must be in (0, 1), got 1.0"), ((0.5, 1.0), "[1] must be above 1, and finite, got 1.0")):
        with pytest.raises(HyperparameterError) as caught:
            rprop(etas=etas)
        assert str(caught.value) == f"rprop: etas{said}"


@pytest.mark.parametrize("t0", [0, 3])
def test_the_average_of_asgd_is_the_mean_of_the_points_after_t0(t0: int) -> None:
    rng = np.random.default_rng(0)
    points, (made, state) = trajectory(asgd(lr=0.1, lambd=0.2, t0=t0), list(rng.normal(size=(12, 3))), np.ones(3))
    np.testing.assert_allclose(made.eval_params(state, points[-1]), np.mean(points[t0 + 2 :], axis=0), rtol=1e-12)


def test_asgd_is_evaluated_where_it_stands_before_it_has_begun() -> None:
    made = get_optimizer("asgd", "numpy")
    np.testing.assert_array_equal(made.eval_params(made.init(np.ones(2)), np.ones(2)), 1.0)


@pytest.mark.parametrize("executor", ["replay", "single"])
def test_a_new_rate_of_asgd_counts_one_step_later_as_in_torch(executor: str) -> None:
    ends = []
    for make in (lambda p: torch.optim.ASGD([p], lr=0.1), lambda p: get_optimizer("asgd", "torch", params=[p], lr=0.1, executor=executor)):
        p = torch.nn.Parameter(torch.ones(3))
        opt, moved = make(p), []
        for lr in (0.1, 0.5, 0.5):
            opt.param_groups[0]["lr"] = lr
            before, p.grad = p.detach().clone(), torch.ones(3)
            opt.step()
            moved.append((p - before)[0].item())
        ends.append(moved)
    assert ends[0] == pytest.approx(ends[1], rel=1e-6)
    assert ends[1] == pytest.approx([-0.1, -0.1, -0.5], rel=1e-3)


@pytest.mark.parametrize("name", ["lars", "fromage"])
@pytest.mark.parametrize("convention", ["torch", "optax"])
def test_a_parameter_of_zero_leaves_zero(name: str, convention: str) -> None:
    made, params = get_optimizer(name, "numpy", lr=0.5, convention=convention), np.zeros(2)
    updates, _ = made.update(np.array([3.0, 4.0]), made.init(params), params)
    assert np.isfinite(updates).all() and (updates < 0).all()


def test_novograd_keeps_one_number_for_each_parameter() -> None:
    params = {"a": torch.nn.Parameter(torch.ones(3, 2)), "b": torch.nn.Parameter(torch.ones(4))}
    opt = get_optimizer(novograd(), "torch", params=params.items())
    for p in params.values():
        p.grad = 2 * torch.ones_like(p)
    opt.step()
    assert [opt.state[p]["grads_ema"].item() for p in params.values()] == [24.0, 16.0]
    assert opt.reason == "novograd keeps a number of each parameter's tensors in the slot 'grads_ema', which replay cannot record"


@pytest.mark.parametrize("shape", [(), (5,), (4, 3), (2, 3, 4), (1, 1), (2, 1, 3, 2)], ids=str)
@pytest.mark.parametrize("backend", ["numpy", "jax", "torch"])
def test_sm3_has_an_accumulator_for_each_axis(shape: tuple[int, ...], backend: str) -> None:
    grad = np.random.default_rng(0).normal(size=shape)
    if backend == "torch":
        p = torch.nn.Parameter(torch.zeros(shape, dtype=torch.float64))
        p.grad = torch.tensor(grad)
        opt = get_optimizer(sm3(), backend, params=[p])
        opt.step()
        slots = {n: np.asarray(x) for n, x in opt.state[p].items()}
    else:
        made, params = get_optimizer(sm3(), backend), np.zeros(shape, np.float32)
        state = made.update(grad.astype(np.float32), made.init(params), params)[1]
        slots = {n: np.asarray(x.leaves[0]) for n, x in state[1].items()} if backend == "numpy" else dict(state.slots._asdict())
    assert list(slots) == [f"accumulator_{i}" for i in range(max(len(shape), 1))]
    for axis, slot in enumerate(slots.values()):
        others = tuple(i for i in range(len(shape)) if i != axis)
        np.testing.assert_allclose(slot, (grad**2).max(axis=others, keepdims=True) if shape else grad**2, rtol=1e-6)


def test_sm3_takes_no_step_where_the_gradient_has_always_been_zero() -> None:
    points, _ = trajectory(sm3(lr=1.0, eps=0.0), [[0.0, 2.0]] * 2, [1.0, 1.0])
    np.testing.assert_allclose(points[-1], [1.0, 1.0 - 1.0 - 2**-0.5])


def test_the_momentum_of_sm3_is_no_schedule() -> None:
    with pytest.raises(ArgumentError) as caught:
        sm3(momentum=lambda step: 0.9)
    assert str(caught.value) == "sm3: momentum decides the shape of the state, so it is a plain value, not a schedule"


def test_the_first_optimistic_step_has_no_change_of_the_gradient() -> None:
    """As in optax since https://github.com/google-deepmind/optax/issues/1082: the gradient before the first is the first."""
    for name in ("optimistic_gradient_descent", "optimistic_adam", "optimistic_adam_v2"):
        made = get_optimizer(name, "numpy", lr=0.1, beta=100.0)
        updates, _ = made.update(np.array([1.0]), made.init(np.zeros(1)), np.zeros(1))
        assert abs(float(updates[0])) < 0.2
