"""Transforms and wrappers: what the parity rows do not see.  The errors, the edges, and formulas that no framework has."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import assert_close, assert_same

from lossopt import get_optimizer
from lossopt.errors import ArgumentError, HyperparameterError, InputError
from lossopt.optimizers import adam, adamw, lion, sgd
from lossopt.transforms import (
    accumulate,
    apply_if_finite,
    cautious,
    chain,
    clip_by_global_norm,
    clip_by_value,
    ema,
    lookahead,
    maximize,
    route,
    sam,
)

RNG = np.random.default_rng(0)
PARAMS = {"body.kernel": RNG.normal(size=(3, 2)), "body.bias": RNG.normal(size=3), "head.kernel": RNG.normal(size=(2, 2))}
GRADS = {n: RNG.normal(size=x.shape) for n, x in PARAMS.items()}


def once(spec, grads=GRADS, params=PARAMS, **extras):
    """The first update, in the referee."""
    optimizer = get_optimizer(spec, backend="numpy")
    return optimizer.update(grads, optimizer.init(params), params, **extras)[0]


# ------------------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: route(adam(), to=("matrices", "*")), ArgumentError,
     "route() has 1 optimizer and 2 selectors, to=('matrices', '*'); give one selector for each, such as to=('matrices', '*')"),
    (lambda: route(adam(), lion(), adamw()), ArgumentError,
     "route() has 3 optimizers and 2 selectors, to=('matrices', '*'); give one selector for each, such as to=('matrices', '*')"),
    (lambda: route(adam(), to="*"), HyperparameterError, "route: to must be a tuple of strings, got '*'"),
    (lambda: chain(), ArgumentError, "chain() wraps another optimizer: chain(adamw(lr=1e-3))"),
    (lambda: ema(adam(), adamw()), ArgumentError, "ema() wraps one optimizer, got 2"),
    (lambda: clip_by_value(adam()), ArgumentError, "clip_by_value() wraps nothing; compose with chain(clip_by_value(...), ...)"),
    (lambda: accumulate(adam(), every=0), HyperparameterError, "accumulate: every must be at least 1, and finite, got 0"),
    (lambda: accumulate(adam(), reduction="max"), HyperparameterError, "accumulate: reduction must be 'mean' or 'sum', got 'max'"),
    (lambda: sam(adam(), rho=0.0), HyperparameterError, "sam: rho must be positive, and finite, got 0.0"),
    (lambda: lookahead(adam(), alpha=1.5), HyperparameterError, "lookahead: alpha must be in [0, 1], got 1.5"),
    (lambda: ema(adam(), decay=1.0), HyperparameterError, "ema: decay must be in [0, 1), got 1.0"),
    (lambda: clip_by_global_norm(max_norm=-1.0), HyperparameterError,
     "clip_by_global_norm: max_norm must be positive or zero, and finite, got -1.0"),
    (lambda: once(route(adam(), lion(), to=("body.*", "tail.*"))), InputError,
     "route: no selector of ('body.*', 'tail.*') takes the parameter 'head.kernel' of shape (2, 2); end with '*' to take the rest"),
    (lambda: once(sam(adam())), ArgumentError,
     "sam needs 'evaluate': give the loss function to this update (torch: step(closure); jax: value_fn=f; numpy: evaluate=f)"),
], ids=lambda x: None if callable(x) or isinstance(x, type) else x.split(":")[0].split("(")[0])  # fmt: skip
def test_errors(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == message


# ------------------------------------------------------------------------------------------------- route
def test_route_gives_each_parameter_to_the_first_selector_that_takes_it():
    found = once(route(sgd(lr=1.0), sgd(lr=2.0), sgd(lr=3.0), to=("head.*", "matrices", "*")))
    factors = {"body.kernel": -2.0, "body.bias": -3.0, "head.kernel": -1.0}
    assert_same(found, {n: factors[n] * g for n, g in GRADS.items()})


def test_a_reduction_inside_a_route_is_over_its_own_parameters():
    found = once(route(chain(clip_by_global_norm(max_norm=0.1, convention="optax"), sgd(lr=1.0)), sgd(lr=1.0), to=("matrices", "*")))
    own = np.sqrt(sum((g * g).sum() for g in GRADS.values() if g.ndim == 2))
    assert_close(found, {n: -g * (0.1 / own if g.ndim == 2 else 1.0) for n, g in GRADS.items()}, rtol=1e-14)


def test_a_rule_inside_a_route_that_looks_at_other_points_leaves_the_others_where_they_are():
    seen = []

    def evaluate(point):
        seen.append(point)
        return 0.0, {n: 2 * x for n, x in point.items()}

    once(route(sam(sgd(lr=1.0)), sgd(lr=1.0), to=("head.*", "*")), evaluate=evaluate)
    (point,) = seen
    assert_same({n: point[n] for n in ("body.kernel", "body.bias")}, {n: PARAMS[n] for n in ("body.kernel", "body.bias")})
    step = GRADS["head.kernel"] * 0.05 / np.linalg.norm(GRADS["head.kernel"])
    assert_close(point["head.kernel"], PARAMS["head.kernel"] + step, rtol=1e-9)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_a_route_that_no_parameter_takes_is_no_error(backend):
    params = {n: x.astype(np.float32) for n, x in PARAMS.items() if x.ndim == 1}
    optimizer = get_optimizer(route(lion(), sgd(lr=1.0)), backend=backend)
    updates, _ = optimizer.update(params, optimizer.init(params), params)
    assert_close(updates, {n: -x for n, x in params.items()}, rtol=1e-6)


def test_routes_are_fixed_when_the_optimizer_is_made():
    optimizer = {"*": {"to": ("matrices", "*")}}
    with pytest.raises(ArgumentError, match=r"^groups\['\*'\]: to decides the shape of route's state; it is one for all$"):
        get_optimizer(route(lion(), sgd()), backend="numpy", groups=optimizer)


# ------------------------------------------------------------------------------------------------- formulas that no framework has
def test_cautious_is_the_authors_formula():
    """github.com/kyleliang919/C-Optim: mask = update * grad > 0; mask /= mask.mean().clamp(min=1e-3), on each parameter."""
    spec, optimizer = sgd(lr=0.1, momentum=0.9), get_optimizer(cautious(sgd(lr=0.1, momentum=0.9)), backend="numpy")
    plain = get_optimizer(spec, backend="numpy")
    state, own = optimizer.init(PARAMS), plain.init(PARAMS)
    rng = np.random.default_rng(1)
    for _ in range(5):
        grads = {n: rng.normal(size=x.shape) for n, x in PARAMS.items()}
        found, state = optimizer.update(grads, state, PARAMS)
        updates, own = plain.update(grads, own, PARAMS)
        masks = {n: (-u * grads[n] > 0).astype(float) for n, u in updates.items()}
        assert_close(found, {n: updates[n] * m / max(m.mean(), 1e-3) for n, m in masks.items()}, rtol=1e-15)


def test_adaptive_sam_is_the_papers_formula():
    """ASAM, arXiv:2102.11600: epsilon = rho * T^2 g / ||T g||, T = |w|."""
    points = []
    once(sam(sgd(), rho=0.5, adaptive=True, eps=0.0), evaluate=lambda p: (points.append(p) or 0.0, GRADS))
    size = np.sqrt(sum(((np.abs(PARAMS[n]) * g) ** 2).sum() for n, g in GRADS.items()))
    assert_close(points[0], {n: x + 0.5 * np.abs(x) ** 2 * GRADS[n] / size for n, x in PARAMS.items()}, rtol=1e-14)


# ------------------------------------------------------------------------------------------------- edges
@pytest.mark.parametrize("convention", ["torch", "optax"])
def test_clipping_zero_gradients_gives_zero(convention):
    zero = {n: np.zeros_like(g) for n, g in GRADS.items()}
    assert_same(once(clip_by_global_norm(convention=convention), zero), zero)


def test_clipping_under_the_optax_convention_leaves_small_gradients_bit_for_bit():
    assert_same(once(clip_by_global_norm(max_norm=1e3, convention="optax")), GRADS)


@pytest.mark.parametrize("debias", [False, True])
def test_before_the_first_update_the_average_is_the_parameters(debias):
    optimizer = get_optimizer(ema(adam(), debias=debias), backend="numpy")
    assert_same(optimizer.eval_params(optimizer.init(PARAMS), PARAMS), PARAMS)


def test_time_stands_still_for_a_rule_that_waits():
    """Two accumulated halves are one step of Adam, not two: its bias correction has step 1."""
    optimizer = get_optimizer(accumulate(adam(lr=0.1), every=2), backend="numpy")
    state = optimizer.init(PARAMS)
    first, state = optimizer.update(GRADS, state, PARAMS)
    second, state = optimizer.update(GRADS, state, PARAMS)
    assert_same(first, {n: np.zeros_like(g) for n, g in GRADS.items()})
    assert_same(second, once(adam(lr=0.1)))


def test_skipped_updates_are_counted_and_change_nothing():
    optimizer = get_optimizer(apply_if_finite(adam(lr=0.1), max_consecutive_errors=1), backend="numpy")
    state = optimizer.init(PARAMS)
    bad = {**GRADS, "body.bias": np.array([np.nan, 0.0, 0.0])}
    updates, state = optimizer.update(bad, state, PARAMS)
    assert_same(updates, {n: np.zeros_like(g) for n, g in GRADS.items()})
    updates, state = optimizer.update(bad, state, PARAMS)
    assert np.isnan(updates["body.bias"][0])  # the second in a row passes, so that divergence is seen
    assert not np.isnan(updates["head.kernel"]).any()


def test_ascent_still_decays():
    found = once(maximize(sgd(lr=0.1, weight_decay=1.0)))
    assert_close(found, {n: 0.1 * (g - PARAMS[n]) for n, g in GRADS.items()}, rtol=1e-15)
