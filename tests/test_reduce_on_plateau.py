"""``reduce_on_plateau`` walks on metrics as PyTorch's and optax's own do, for each group, in JAX without a recompilation."""

from __future__ import annotations

import io
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_runs import RTOL, sgd
from torch.optim import lr_scheduler

from lossopt import get_optimizer, get_schedule

METRICS = st.lists(st.one_of(st.floats(-10, 10), st.sampled_from([0.0, 1.0, -1.0, math.nan, math.inf])), min_size=1, max_size=60)
OPTIONS = st.fixed_dictionaries(dict(
    mode=st.sampled_from(["min", "max"]), factor=st.sampled_from([0.1, 0.5, 0.9]), patience=st.integers(0, 4),
    threshold=st.sampled_from([0.0, 1e-4, 0.1]), threshold_mode=st.sampled_from(["rel", "abs"]), cooldown=st.integers(0, 3),
    min_lr=st.sampled_from([0.0, 0.01, 0.2]), eps=st.sampled_from([1e-8, 1e-2]),
))  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(METRICS, OPTIONS)
def test_plateau_equals_torch_s_own_on_any_metrics(metrics: list[float], options: dict[str, Any]) -> None:
    reference, optimizer = sgd(0.1), sgd(0.1)
    theirs = lr_scheduler.ReduceLROnPlateau(reference, **options)
    ours = get_schedule("reduce_on_plateau", "torch", optimizer=optimizer, **options)
    assert isinstance(ours, lr_scheduler.ReduceLROnPlateau)
    spec = get_schedule("reduce_on_plateau", lr=0.1, **options)
    state = spec.init()
    for metric in metrics:
        theirs.step(metric)
        ours.step(metric)
        state = spec.update(state, metric)
        assert state.lr == optimizer.param_groups[0]["lr"] == reference.param_groups[0]["lr"]
        for name in ("best", "num_bad_epochs", "cooldown_counter", "in_cooldown", "last_epoch", "patience", "mode"):
            np.testing.assert_equal(getattr(ours, name), getattr(theirs, name))
        assert ours.get_last_lr() == theirs.get_last_lr()


@pytest.mark.parametrize("patience", [1, 2, 4])
@pytest.mark.parametrize("cooldown", [0, 2])
def test_plateau_with_optax_s_convention_equals_optax(patience: int, cooldown: int, x64: None) -> None:
    metrics = np.random.default_rng(patience).normal(size=120).round(1)
    theirs = optax.contrib.reduce_on_plateau(factor=0.5, patience=patience, cooldown=cooldown, min_scale=1e-6)
    options = dict(factor=0.5, patience=patience, cooldown=cooldown, min_lr=1e-6)
    ours = get_schedule("reduce_on_plateau", "jax", convention="optax", **options)
    shifted = get_schedule("reduce_on_plateau", **{**options, "patience": patience - 1, "eps": 0.0})
    params = jnp.zeros(1, jnp.float64)
    step = jax.jit(lambda state, metric: theirs.update(params, state, value=metric)[1])
    update = jax.jit(ours.update)
    a, b, c = theirs.init(params), ours.init(), shifted.init()
    for metric in metrics:
        a, b, c = step(a, metric), update(b, metric), shifted.update(c, metric)
        assert float(a.scale) == pytest.approx(float(b.lr), rel=RTOL)
        assert c.lr == pytest.approx(float(b.lr), rel=RTOL)


def test_plateau_in_jax_hands_its_lr_to_an_optimizer_without_a_recompilation() -> None:
    tx = get_optimizer("sgd", "jax", lr=0.8)
    plateau = get_schedule("reduce_on_plateau", "jax", lr=0.8, factor=0.5, patience=1)
    params, traces = {"w": jnp.ones(2)}, []
    opt_state, state = tx.init(params), plateau.init()

    @jax.jit
    def step(params, opt_state, state, metric):
        traces.append(1)
        state = plateau.update(state, metric)
        opt_state.hyperparams["learning_rate"] = state.lr
        updates, opt_state = tx.update({"w": jnp.ones(2)}, opt_state, params)
        return updates, opt_state, state

    seen = []
    for metric in (3.0, 2.0, 2.0, 2.0, 2.0, 2.0):
        updates, opt_state, state = step(params, opt_state, state, jnp.float32(metric))
        seen.append(-float(updates["w"][0]))
    assert seen == pytest.approx([0.8, 0.8, 0.8, 0.4, 0.4, 0.2])
    assert len(traces) == 1
    assert [x.dtype for x in jax.tree.leaves(state)] == [jnp.float32, jnp.float32, jnp.int32, jnp.int32]
    last, _ = jax.lax.scan(lambda s, m: (plateau.update(s, m), s.lr), plateau.init(), jnp.ones(5))
    assert float(last.lr) == pytest.approx(0.2)


def test_plateau_keeps_each_group_s_lr_and_resumes() -> None:
    def make() -> tuple[Any, Any]:
        groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (0.1, 0.02)]
        optimizer = torch.optim.SGD(groups)
        return optimizer, get_schedule("reduce_on_plateau", "torch", optimizer=optimizer, factor=0.5, patience=1, min_lr=0.01)

    def run(optimizer: Any, scheduler: Any, metrics: list[float]) -> list[list[float]]:
        found = []
        for m in metrics:
            scheduler.step(torch.tensor(m))
            found.append([g["lr"] for g in optimizer.param_groups])
        return found

    optimizer, scheduler = make()
    assert run(optimizer, scheduler, [1.0, 1.0, 1.0])[-1] == [0.05, 0.01]
    file = io.BytesIO()
    torch.save({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    rest = run(optimizer, scheduler, [1.0, 1.0, 0.5, 0.6, 0.6])
    again, resumed = make()
    again.load_state_dict(saved["optimizer"])
    resumed.load_state_dict(saved["scheduler"])
    assert run(again, resumed, [1.0, 1.0, 0.5, 0.6, 0.6]) == rest
    with pytest.raises(AttributeError, match="'PlateauScheduler' has no attribute 'paticence'"):
        _ = resumed.paticence
