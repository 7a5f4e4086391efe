"""The loss scale of float16: its transition is GradScaler's in every backend, and an overflow is skipped, saved and gone on from."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from helpers import assert_close, assert_same
from hypothesis import given, settings
from hypothesis import strategies as st
from precision_loops import BOTH, Torch, X, Y

from lossopt import get_optimizer
from lossopt.errors import ArgumentError, HyperparameterError
from lossopt.optimizers import adam, polyak_sgd, sgd
from lossopt.transforms import loss_scale, sam


# ------------------------------------------------------------------------------------------------- the transition
def scaler_like(**options: Any) -> tuple[Any, Any, Any]:
    """A GradScaler that has its scale, an optimizer and its only parameter."""
    param = torch.nn.Parameter(torch.ones(3))
    scaler = torch.amp.GradScaler("cpu", **options)
    scaler.scale(torch.zeros(()))
    return scaler, torch.optim.SGD([param], lr=0.25, momentum=0.5), param


FINITE = st.lists(st.sampled_from([True, True, True, False]), min_size=1, max_size=40)
FACTORS = st.sampled_from([
    dict(init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5),
    dict(init_scale=2.0**126, growth_factor=2.0, backoff_factor=0.25),  # GradScaler does not grow beyond float32
    dict(init_scale=1.0, growth_factor=4.0, backoff_factor=0.5),
    dict(init_scale=1024.0, growth_factor=1.5, backoff_factor=0.75),  # no powers of two: float32 rounds, and so does JAX
])  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(FINITE, FACTORS, st.integers(1, 6), st.sampled_from([math.inf, -math.inf, math.nan]))
def test_the_transition_is_grad_scaler_s(finite: list[bool], factors: dict[str, float], interval: int, bad: float) -> None:
    options = {**factors, "growth_interval": interval}
    scaler, theirs, param = scaler_like(**options)
    spec = loss_scale(sgd(lr=0.25, momentum=0.5), **options)
    referee, ours = get_optimizer(spec, "numpy"), torch.nn.Parameter(torch.ones(3))
    rule = get_optimizer(spec, "torch", params=[ours], executor="single")
    values, state = np.ones(3), referee.init(np.ones(3))
    rounding = 1e-5 if factors["growth_factor"] == 1.5 else 0.0
    for step, good in enumerate(finite):
        grads = np.array([scaler.get_scale() * (1 + step % 3) / 4, 0.0, 1.0])
        if not good:
            grads[step % 3] = bad
        param.grad, ours.grad = (torch.tensor(grads, dtype=torch.float32) for _ in range(2))
        with np.errstate(invalid="ignore"):
            updates, state = referee.update(grads, state, values)
        values = values + updates
        rule.step()
        scaler.step(theirs)
        scaler.update()
        slots, shared = state[1], rule.param_groups[0]["shared"]
        for scale, tracker in ((slots.scale, slots.growth_tracker), (shared["scale"], shared["growth_tracker"])):
            np.testing.assert_allclose(float(scale), scaler.get_scale(), rtol=rounding)
            assert float(tracker) == scaler._get_growth_tracker()
        assert_close(values, param, rtol=1e-5)
        assert_close(ours, param, rtol=1e-5)


@settings(max_examples=30, deadline=None)
@given(FINITE)
def test_the_compiled_transition_is_grad_scaler_s(finite: list[bool]) -> None:
    for good, (scale, tracker), scaler in zip(finite, walk(finite), scales(finite), strict=True):
        assert (scale, tracker) == scaler, good


def scales(finite: list[bool]) -> list[tuple[float, int]]:
    scaler, optimizer, param = scaler_like(growth_interval=3)
    found = []
    for good in finite:
        param.grad = torch.full((3,), 1.0 if good else math.inf)
        scaler.step(optimizer)
        scaler.update()
        found.append((scaler.get_scale(), scaler._get_growth_tracker()))
    return found


TX = get_optimizer(loss_scale(sgd(lr=0.25), growth_interval=3), "jax")
UPDATE = jax.jit(TX.update)


def walk(finite: list[bool]) -> list[tuple[float, int]]:
    params, found = jnp.ones(3), []
    state = TX.init(params)
    for good in finite:
        _, state = UPDATE(jnp.full(3, 1.0 if good else jnp.inf), state, params)
        found.append((float(state.slots.scale), float(state.slots.growth_tracker)))
    return found


def test_a_skipped_step_leaves_parameters_and_moments_and_time_goes_on_for_the_next():
    tx = get_optimizer(loss_scale(adam(lr=0.1), init_scale=4.0), "jax")
    plain = get_optimizer(adam(lr=0.1), "jax")
    params, g = jnp.array([1.0, 2.0]), jnp.array([0.5, -1.0])
    skipped, state = tx.update(jnp.array([jnp.inf, 1.0]), tx.init(params), params)
    assert_same(skipped, jnp.zeros(2))
    updates, state = tx.update(g * 2.0, state, params)  # the scale is 2 now
    assert_same(updates, plain.update(g, plain.init(params), params)[0])
    assert float(state.slots.scale) == 2.0


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: loss_scale(sam(sgd())), ArgumentError,
     "loss_scale() cannot wrap sam(sgd()), which takes further gradients, of the loss without its scale: leave the loss scale out, "
     "as with bfloat16"),
    (lambda: loss_scale(sgd(), growth_factor=0.5), HyperparameterError,
     "loss_scale: growth_factor must be at least 1, and finite, got 0.5"),
    (lambda: loss_scale(sgd(), backoff_factor=0.0), HyperparameterError, "loss_scale: backoff_factor must be in (0, 1], got 0.0"),
    (lambda: loss_scale(sgd(), init_scale=0), HyperparameterError, "loss_scale: init_scale must be positive, and finite, got 0"),
    (lambda: loss_scale(sgd(), growth_interval=0), HyperparameterError,
     "loss_scale: growth_interval must be at least 1, and finite, got 0"),
], ids=["sam", "growth", "backoff", "scale", "interval"])  # fmt: skip
def test_errors_of_the_loss_scale(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == message


# ------------------------------------------------------------------------------------------------- overflow and saving
@BOTH
def test_a_loss_that_overflows_is_skipped_and_the_scale_halved_in_both(make):
    loop = make({"compute": "float16", "loss_scale": "dynamic"}, sgd(lr=0.1))
    before = {n: np.asarray(p).copy() for n, p in loop.parameters().items()}
    loop.step(X * 1e6, Y)  # more than float16 holds
    assert_same(loop.parameters(), before)
    assert loop.scale() == 2.0**15
    loop.step(X, Y)
    assert any((np.asarray(p) != before[n]).any() for n, p in loop.parameters().items())
    assert loop.scale() == 2.0**15


@BOTH
def test_a_fixed_scale_stays_after_an_overflow(make):
    loop = make({"compute": "float16", "loss_scale": 128}, sgd(lr=0.1))
    before = {n: np.asarray(p).copy() for n, p in loop.parameters().items()}
    loop.step(X * 1e6, Y)
    assert_same(loop.parameters(), before)
    assert loop.scale() == 128.0


def test_the_scale_in_torch_is_saved_and_goes_on():
    a, b = (Torch("float16", sgd(lr=0.1)) for _ in range(2))
    assert a.policy.state_dict() == {}
    assert a.scale() == 2.0**16
    a.step(X * 1e6, Y)
    b.policy.load_state_dict(a.policy.state_dict())
    assert b.policy.state_dict() == a.policy.state_dict()
    assert b.scale() == 2.0**15  # before its first loss
    b.step(X, Y)
    assert b.scale() == 2.0**15
    b.policy.load_state_dict({**b.policy.state_dict(), "scale": 4.0})
    assert b.scale() == 4.0


@BOTH
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_rules_that_read_the_loss_are_given_it_without_the_scale(make, precision):
    loop = make(precision, polyak_sgd(max_lr=0.1))
    assert loop.step(X, Y) > loop.step(X, Y)


@BOTH
def test_rules_that_look_at_other_points(make):
    loop = make("bfloat16", sam(sgd(lr=0.2), rho=0.05))
    losses = [loop.step(X, Y, parts=2) for _ in range(10)]
    assert losses[-1] < 0.8 * losses[0]
