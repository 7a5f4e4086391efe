"""The referee: what goes in and what comes out, what it refuses, and that it is float64 and pure."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from specs import every_spec

from lossopt import get_optimizer
from lossopt.errors import ArgumentError, HyperparameterError, InputError
from lossopt.optimizers import adam, adamw, lbfgs, lion, muon, polyak_sgd, schedule_free_adamw, sgd
from lossopt.transforms import chain, clip_by_global_norm, route
from lossopt.vector import State

KERNEL, BIAS = np.arange(6.0).reshape(2, 3) / 5 - 0.5, np.array([1.0, -2.0, 0.5])
PARAMS = {"dense": {"kernel": KERNEL, "bias": BIAS}}
HESSIAN = {"dense": {"kernel": np.ones_like(KERNEL), "bias": np.ones_like(BIAS)}}


def quadratic(point: Any) -> tuple[float, Any]:
    """A loss and its gradient for parameters of that structure."""
    kernel, bias = point["dense"]["kernel"], point["dense"]["bias"]
    return float(0.5 * ((kernel**2).sum() + (bias**2).sum())), {"dense": {"kernel": kernel.copy(), "bias": bias.copy()}}


def of_examples(spec: Any, grads: Any) -> Any:
    """The gradients of two examples with this mean for rules that take each; else the gradient."""
    return {"dense": {n: np.stack([0.5 * g, 1.5 * g]) for n, g in grads["dense"].items()}} if spec.per_example else grads


def run(optimizer: Any, steps: int = 4, params: Any = PARAMS) -> tuple[Any, Any]:
    """Some updates on the quadratic, whatever the optimizer asks for."""
    state = optimizer.init(params)
    for _ in range(steps):
        value, grads = quadratic(params)
        offered = {"value": value, "metric": value, "evaluate": quadratic, "hessian": HESSIAN}
        grads = of_examples(optimizer.spec, grads)
        updates, state = optimizer.update(grads, state, params, **{n: offered[n] for n in optimizer.spec.asks})
        params = {"dense": {n: params["dense"][n] + u for n, u in updates["dense"].items()}}
    return params, state


def arrays_of(tree: Any) -> list[np.ndarray]:
    """Every array in a state, however deep."""
    if isinstance(tree, State):
        return [a for _, slot in tree.items() for a in arrays_of(slot)]
    if hasattr(tree, "leaves"):
        tree = tree.leaves
    if isinstance(tree, tuple | list):
        return [a for part in tree for a in arrays_of(part)]
    return [tree] if isinstance(tree, np.ndarray) else []


# ------------------------------------------------------------------------------------------------- contracts of every spec
@pytest.mark.parametrize("spec", every_spec().values(), ids=every_spec().keys())
class TestEverySpec:
    def test_moves_to_a_finite_point_in_the_structure_it_was_given(self, spec: Any) -> None:
        with np.errstate(all="raise", under="ignore"):
            params, _ = run(get_optimizer(spec, backend="numpy"))
        assert list(params) == ["dense"] and list(params["dense"]) == ["kernel", "bias"]
        assert params["dense"]["kernel"].shape == (2, 3) and params["dense"]["bias"].shape == (3,)
        assert all(np.isfinite(p).all() for p in params["dense"].values())
        assert not np.array_equal(params["dense"]["bias"], BIAS)

    def test_is_float64_whatever_it_is_given(self, spec: Any) -> None:
        optimizer = get_optimizer(spec, backend="numpy")
        half = {"dense": {"kernel": KERNEL.astype(np.float16), "bias": BIAS.astype(np.float32)}}
        params, (count, slots) = run(optimizer, params=half)
        assert {p.dtype for p in params["dense"].values()} == {np.dtype(np.float64)}
        assert {a.dtype for a in arrays_of(slots)} <= {np.dtype(np.float64)}
        assert count == 4

    def test_changes_nothing_that_it_was_given(self, spec: Any) -> None:
        optimizer = get_optimizer(spec, backend="numpy")
        params, state = run(optimizer, steps=2)
        value, grads = quadratic(params)
        grads = of_examples(spec, grads)
        before = copy.deepcopy((params, state, grads))
        offered = {"value": value, "metric": value, "evaluate": quadratic, "hessian": HESSIAN}
        extras = {n: offered[n] for n in spec.asks}
        first, _ = optimizer.update(grads, state, params, **extras)
        again, _ = optimizer.update(grads, state, params, **extras)
        for kept, now in zip(before, (params, state, grads), strict=True):
            for x, y in zip(_leaves(kept), _leaves(now), strict=True):
                np.testing.assert_array_equal(x, y)
        for x, y in zip(_leaves(first), _leaves(again), strict=True):
            np.testing.assert_array_equal(x, y)


def _leaves(tree: Any) -> list[np.ndarray]:
    if isinstance(tree, dict):
        return [a for part in tree.values() for a in _leaves(part)]
    return [tree] if isinstance(tree, np.ndarray) else arrays_of(tree)


# ------------------------------------------------------------------------------------------------- structures
@pytest.mark.parametrize(
    "params",
    [np.array([1.0, -2.0]), [np.ones(2), np.zeros(3)], (np.ones(2), [np.ones(1)]), {"a": np.float64(2.0)}, {"a": {"b": (np.ones(2),)}}],
    ids=["array", "list", "tuple", "scalar", "nested"],
)
def test_updates_have_the_structure_of_the_parameters(params: Any) -> None:
    optimizer = get_optimizer("lion", backend="numpy", lr=0.5)
    updates, _ = optimizer.update(params, optimizer.init(params), params)

    def same(u: Any, p: Any) -> None:
        assert isinstance(u, type(p)) or not isinstance(p, dict | list | tuple)
        if isinstance(p, dict):
            assert list(u) == list(p)
            [same(u[k], p[k]) for k in p]
        elif isinstance(p, list | tuple):
            [same(a, b) for a, b in zip(u, p, strict=True)]
        else:
            np.testing.assert_array_equal(u, -0.5 * np.sign(p))

    same(updates, params)


def test_an_optimizer_survives_a_copy() -> None:
    optimizer = get_optimizer(chain(clip_by_global_norm(), adamw(lr=0.1)), backend="numpy")
    _, state = run(optimizer)
    for other in (copy.copy(state), copy.deepcopy(state)):
        for x, y in zip(arrays_of(state[1]), arrays_of(other[1]), strict=True):
            np.testing.assert_array_equal(x, y)


# ------------------------------------------------------------------------------------------------- hyperparameters
def test_a_schedule_is_asked_at_the_count_of_updates() -> None:
    asked: list[int] = []

    def lr(count: int) -> float:
        asked.append(count)
        return 0.1 * 0.5**count

    optimizer, params = get_optimizer("sgd", backend="numpy", lr=lr), np.array([1.0])
    state = optimizer.init(params)
    found = []
    for _ in range(3):
        updates, state = optimizer.update(np.array([1.0]), state, params)
        found.append(float(updates[0]))
    assert found == [-0.1, -0.05, -0.025]
    assert asked == [0, 1, 2]


def test_any_number_may_be_a_schedule() -> None:
    scheduled = get_optimizer(
        adam(lr=lambda t: 0.1, betas=(lambda t: 0.8, 0.99), eps=lambda t: 1e-3, weight_decay=lambda t: 0.2), backend="numpy"
    )
    plain = get_optimizer(adam(lr=0.1, betas=(0.8, 0.99), eps=1e-3, weight_decay=0.2), backend="numpy")
    np.testing.assert_array_equal(run(scheduled)[0]["dense"]["kernel"], run(plain)[0]["dense"]["kernel"])


def test_a_momentum_schedule_keeps_its_slot_through_zero() -> None:
    optimizer, params = get_optimizer("sgd", backend="numpy", lr=1.0, momentum=lambda t: 0.0 if t < 2 else 0.5), np.array([0.0])
    state, found = optimizer.init(params), []
    for _ in range(4):
        updates, state = optimizer.update(np.array([1.0]), state, params)
        found.append(float(updates[0]))
    assert found == [-1.0, -1.0, -1.5, -1.75]


def test_slots_are_there_only_when_needed() -> None:
    def slots(spec: Any) -> set[str]:
        return {name for name, _ in get_optimizer(spec, backend="numpy").init(np.ones(2))[1].items()}

    assert slots(sgd()) == {"step"}
    assert slots(sgd(momentum=0.9)) == {"step", "momentum_buffer"}
    assert slots(adam()) == {"step", "exp_avg", "exp_avg_sq"}
    assert slots(adam(amsgrad=True)) == {"step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"}


def test_groups_change_hyperparameters_by_name() -> None:
    optimizer = get_optimizer("sgd", backend="numpy", lr=1.0, groups={"*.bias": {"learning_rate": 0.1}, "dense.*": {"weight_decay": 0.0}})
    updates, _ = optimizer.update(PARAMS, optimizer.init(PARAMS), PARAMS)
    np.testing.assert_allclose(updates["dense"]["kernel"], -KERNEL)
    np.testing.assert_allclose(updates["dense"]["bias"], -0.1 * BIAS)


def test_a_group_without_momentum_has_no_buffer() -> None:
    optimizer = get_optimizer("sgd", backend="numpy", lr=1.0, momentum=0.9, groups={"*.bias": {"momentum": 0.0}})
    params, (_, slots) = run(optimizer, steps=1)
    kernel, bias = slots.momentum_buffer.leaves
    assert bias is None and kernel.shape == (2, 3)
    np.testing.assert_allclose(params["dense"]["bias"], 0.0)


def test_a_later_group_wins() -> None:
    optimizer = get_optimizer("sgd", backend="numpy", groups={"*": {"lr": 0.5}, "*.bias": {"lr": 0.25}})
    updates, _ = optimizer.update(PARAMS, optimizer.init(PARAMS), PARAMS)
    np.testing.assert_allclose(updates["dense"]["kernel"], -0.5 * KERNEL)
    np.testing.assert_allclose(updates["dense"]["bias"], -0.25 * BIAS)


# ------------------------------------------------------------------------------------------------- eval points
def test_eval_params_of_an_optimizer_without_an_average_are_the_parameters() -> None:
    optimizer = get_optimizer(adamw(), backend="numpy")
    params, state = run(optimizer)
    np.testing.assert_array_equal(optimizer.eval_params(state, params)["dense"]["bias"], params["dense"]["bias"])


def test_eval_params_look_through_wrappers_and_routes() -> None:
    spec = route(chain(clip_by_global_norm(), schedule_free_adamw(lr=0.1)), sgd(lr=0.1), to=("*.bias", "*"))
    optimizer = get_optimizer(spec, backend="numpy")
    params, state = run(optimizer)
    point = optimizer.eval_params(state, params)
    assert not np.allclose(point["dense"]["bias"], params["dense"]["bias"])
    np.testing.assert_array_equal(point["dense"]["kernel"], params["dense"]["kernel"])


# ------------------------------------------------------------------------------------------------- edges of the mathematics
@pytest.mark.parametrize("spec", every_spec().values(), ids=every_spec().keys())
def test_a_zero_gradient_at_first_is_no_nan(spec: Any) -> None:
    optimizer = get_optimizer(spec, backend="numpy")
    still = {"dense": {"kernel": np.zeros((2, 3)), "bias": np.zeros(3)}}
    state = optimizer.init(PARAMS)
    offered = {"value": 1.0, "metric": 1.0, "evaluate": lambda point: (1.0, still), "hessian": still}
    extras = {n: offered[n] for n in spec.asks}
    for grads in (still, quadratic(PARAMS)[1]):
        updates, state = optimizer.update(of_examples(spec, grads), state, PARAMS, **extras)
        assert all(np.isfinite(u).all() for u in updates["dense"].values())


@pytest.mark.parametrize("convention", ["torch", "optax"])
def test_lbfgs_learns_nothing_from_standing_still(convention: str) -> None:
    optimizer, params = get_optimizer(lbfgs(convention=convention, history_size=3), backend="numpy"), np.array([1.0, 2.0])
    state = optimizer.init(params)
    with np.errstate(all="raise"):
        for _ in range(3):  # the same point and gradient again: no curvature
            updates, state = optimizer.update(params, state, params)
    assert np.isfinite(updates).all()


def test_adagrad_of_optax_takes_no_step_where_the_sum_is_zero() -> None:
    optimizer = get_optimizer("adagrad", backend="numpy", convention="optax", initial_accumulator_value=0.0, eps=0.0, lr=1.0)
    params = np.array([0.0, 2.0])
    with np.errstate(divide="ignore", invalid="ignore"):
        updates, _ = optimizer.update(params, optimizer.init(params), params)
    np.testing.assert_array_equal(updates, [0.0, -1.0])


def test_adadelta_descends_under_the_optax_convention() -> None:
    """optax.adadelta() itself ascends by default: its lr None leaves out the sign."""
    optimizer, params = get_optimizer("adadelta", backend="numpy", convention="optax"), np.array([1.0])
    updates, _ = optimizer.update(params, optimizer.init(params), params)
    assert updates[0] < 0


def test_lr_halves_the_step_of_polyak() -> None:
    """optax.polyak_sgd(scaling=0.5) doubles it instead: its code squares the factor into the denominator."""
    params = np.array([1.0, -2.0])

    def step(lr: float) -> np.ndarray:
        optimizer = get_optimizer("polyak_sgd", backend="numpy", lr=lr, max_lr=10.0)
        return optimizer.update(params, optimizer.init(params), params, value=2.5)[0]

    np.testing.assert_allclose(step(0.5), 0.5 * step(1.0))


@pytest.mark.parametrize(("shape", "factored"), [((4, 3), True), ((3,), False), ((), False), ((2, 3, 4), True)])
def test_adafactor_factors_the_last_two_dimensions(shape: tuple[int, ...], factored: bool) -> None:
    _, slots = get_optimizer("adafactor", backend="numpy").init(np.ones(shape))
    found = {name: slot.leaves[0].shape for name, slot in slots.items() if name != "step"}
    assert found == ({"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])} if factored else {"variance": shape})


@pytest.mark.parametrize(
    ("shape", "row", "column"), [((8, 5, 3), (1, 5, 3), (8, 1, 3)), ((3, 8, 5), (3, 1, 5), (3, 8, 1)), ((2, 4, 4), (2, 4, 1), (2, 1, 4))]
)
def test_adafactor_of_optax_factors_the_two_largest(shape: tuple[int, ...], row: tuple[int, ...], column: tuple[int, ...]) -> None:
    optimizer = get_optimizer("adafactor", backend="numpy", convention="optax", min_dim_size_to_factor=4)
    _, slots = optimizer.init(np.ones(shape))
    assert (slots.row_var.leaves[0].shape, slots.col_var.leaves[0].shape) == (row, column)
    _, small = get_optimizer("adafactor", backend="numpy", convention="optax").init(np.ones(shape))
    assert small.variance.leaves[0].shape == shape


# ------------------------------------------------------------------------------------------------- errors
def _update(name: Any, grads: Any, params: Any, **extras: Any) -> Callable[[], Any]:
    def call() -> Any:
        optimizer = get_optimizer(name, backend="numpy")
        return optimizer.update(grads, optimizer.init(params), params, **extras)

    return call


ERRORS = {
    "params": (
        lambda: get_optimizer("adam", backend="numpy", params=[BIAS]),
        ArgumentError,
        "the numpy backend takes its parameters in init(params), not here",
    ),
    "executor": (
        lambda: get_optimizer("adam", backend="numpy", executor="fused"),
        ArgumentError,
        "the numpy backend has no executor 'fused'; it has: auto, single",
    ),
    "no parameters": (lambda: get_optimizer("adam", backend="numpy").init({}), InputError, "init(params) got no parameters"),
    "whole numbers": (
        lambda: get_optimizer("adam", backend="numpy").init({"a": {"b": np.arange(3)}}),
        InputError,
        "parameter a.b must be floating point, got int64",
    ),
    "other names": (
        _update("adam", {"a": BIAS}, {"b": BIAS}),
        InputError,
        "gradients are named ['a'], parameters ['b']",
    ),
    "muon on a vector": (
        _update(muon(), BIAS, BIAS),
        InputError,
        "muon takes matrices, got a parameter of shape (3,); write route(muon(lr=0.02), adamw(lr=1e-3), to=('matrices', '*'))",
    ),
    "polyak without a loss": (
        _update(polyak_sgd(), BIAS, BIAS),
        ArgumentError,
        "polyak_sgd needs 'value': give the loss to this update, value=loss (torch: step(closure) or step(value=loss))",
    ),
    "schedule-free with beta 0": (
        lambda: schedule_free_adamw(betas=(0.0, 0.999)),
        HyperparameterError,
        "schedule_free_adamw: betas[0] must be in (0, 1), got 0.0",
    ),
    "a negative rate": (lambda: sgd(lr=-0.1), HyperparameterError, "sgd: lr must be positive or zero, and finite, got -0.1"),
    "a decay rate of 1": (lambda: lion(betas=(0.9, 1.0)), HyperparameterError, "lion: betas[1] must be in [0, 1), got 1.0"),
    "no such switch": (
        lambda: adam(amsgrad_max="new"),
        HyperparameterError,
        "adam: amsgrad_max must be 'raw' or 'corrected', got 'new'",
    ),
    "a structural schedule": (
        lambda: lbfgs(history_size=lambda t: 3),
        ArgumentError,
        "lbfgs: history_size decides the shape of the state, so it is a plain value, not a schedule",
    ),
    "a group of nothing": (
        lambda: get_optimizer("sgd", backend="numpy", groups={"*.wieght": {"lr": 0.1}}).init({"weight": BIAS}),
        ArgumentError,
        "groups['*.wieght'] matched 0 of 1 parameters; did you mean 'weight'? Names are like 'weight'",
    ),
}


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_an_error_says_what_to_type(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


def test_repr_is_what_was_asked_for() -> None:
    assert repr(get_optimizer("AdamW", backend="numpy", learning_rate=0.1)) == "numpy optimizer adamw(lr=0.1)"
