"""A schedule is a native object of its framework: traced and scanned by JAX, taken by optimizers, saved and chained in PyTorch."""

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
from schedule_runs import RTOL, plain, same, sgd, walk
from torch.optim import lr_scheduler

from lossopt import get_optimizer, get_schedule


# ------------------------------------------------------------------------------------------------- in JAX
def test_a_new_step_does_not_retrace_and_scan_takes_it() -> None:
    traced = get_schedule("sequential", "jax", schedules=(get_schedule("linear"), get_schedule("cosine", T_max=20)), milestones=(5,))
    traces = []

    @jax.jit
    def value(count):
        traces.append(count)
        return traced(count)

    found = [float(value(jnp.int32(t))) for t in range(30)]
    assert len(traces) == 1
    _, scanned = jax.lax.scan(lambda count, _: (count + 1, traced(count)), jnp.int32(0), length=30)
    np.testing.assert_allclose(scanned, found, rtol=3e-7)
    assert repr(traced) == "jax schedule sequential(schedules=(linear(), cosine(T_max=20)), milestones=(5,))"


def test_optax_takes_it_as_a_learning_rate() -> None:
    spec = get_schedule("one_cycle", lr=0.1, total_steps=20)
    traced = get_schedule(spec, "jax")
    tx = optax.inject_hyperparams(optax.sgd)(learning_rate=traced, momentum=traced.momentum)
    params = jnp.ones(2)
    state = tx.init(params)
    for t in range(5):
        _, state = jax.jit(tx.update)(params, state, params)
        assert float(state.hyperparams["learning_rate"]) == pytest.approx(spec(t), rel=1e-6)
        assert float(state.hyperparams["momentum"]) == pytest.approx(spec.momentum(t), rel=1e-6)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_an_optimizer_takes_a_schedule_and_its_momentum(backend: str, x64: None) -> None:
    spec = get_schedule("one_cycle", lr=0.1, total_steps=20)
    tx = get_optimizer("adam", backend, lr=spec, betas=(spec.momentum, 0.999))
    reference = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    theirs = torch.optim.Adam([reference], lr=0.1)
    scheduler = lr_scheduler.OneCycleLR(theirs, 0.1, 20)
    params = jnp.ones(3, jnp.float64) if backend == "jax" else np.ones(3)
    state = tx.init(params)
    for t in range(20):
        reference.grad = torch.full((3,), math.cos(t), dtype=torch.float64)
        updates, state = tx.update(params * 0 + math.cos(t), state, params)
        params = params + updates
        theirs.step()
        scheduler.step()
        np.testing.assert_allclose(params, reference.detach().numpy(), rtol=RTOL)


# ------------------------------------------------------------------------------------------------- in torch
def test_each_group_keeps_its_own_base() -> None:
    p, q = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    optimizer = torch.optim.SGD([{"params": [p], "lr": 0.1}, {"params": [q], "lr": 0.02}])
    scheduler = get_schedule("cosine", "torch", T_max=10, eta_min=0.001)(optimizer)
    assert isinstance(scheduler, lr_scheduler.LRScheduler)
    for t in range(15):
        wanted = [get_schedule("cosine", lr=lr, T_max=10, eta_min=0.001)(t) for lr in (0.1, 0.02)]
        assert scheduler.get_last_lr() == [g["lr"] for g in optimizer.param_groups] == wanted
        assert scheduler.last_epoch == t
        optimizer.step()
        scheduler.step()
    r = torch.nn.Parameter(torch.zeros(1))
    optimizer.add_param_group({"params": [r], "lr": 0.5})
    scheduler.step()
    assert optimizer.param_groups[2]["lr"] == get_schedule("cosine", lr=0.5, T_max=10, eta_min=0.001)(16)


def test_a_tensor_lr_is_filled_in_place() -> None:
    lr = torch.tensor(0.1)
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    held = optimizer.param_groups[0]["lr"]
    scheduler = get_schedule("linear", "torch", optimizer=optimizer, total_iters=4)
    assert walk(scheduler, 6) == pytest.approx(plain(get_schedule("linear", lr=0.1, total_iters=4), 6), rel=1e-6)
    assert optimizer.param_groups[0]["lr"] is held
    plateau = get_schedule("reduce_on_plateau", "torch", optimizer=optimizer, patience=0)
    plateau.step(1.0)
    plateau.step(1.0)
    assert optimizer.param_groups[0]["lr"] is held and float(held) == pytest.approx(0.01)


@pytest.mark.parametrize("make", [lambda p: torch.optim.SGD(p, lr=0.1), lambda p: torch.optim.AdamW(p, lr=0.1)], ids=["sgd", "adamw"])
def test_one_cycle_cycles_momentum_as_torch_does(make: Any) -> None:
    ours, theirs = (make([torch.nn.Parameter(torch.zeros(1))]) for _ in range(2))
    a = get_schedule("one_cycle", "torch", optimizer=ours, total_steps=30)
    b = lr_scheduler.OneCycleLR(theirs, 0.1, 30)
    for _ in range(30):
        x, y = ours.param_groups[0], theirs.param_groups[0]
        key = "betas" if "betas" in x else "momentum"
        same(np.ravel(x[key]).tolist(), np.ravel(y[key]).tolist())
        same([x["lr"]], [y["lr"]])
        for o, s in ((ours, a), (theirs, b)):
            o.step()
            s.step()
    steady = make([torch.nn.Parameter(torch.zeros(1))])
    before = steady.param_groups[0].get("betas", steady.param_groups[0].get("momentum"))
    get_schedule("one_cycle", "torch", optimizer=steady, total_steps=30, cycle_momentum=False)
    assert steady.param_groups[0].get("betas", steady.param_groups[0].get("momentum")) == before


def test_it_takes_part_in_sequential_lr() -> None:
    linear, cosine = get_schedule("linear", total_iters=5), get_schedule("cosine", T_max=20)
    optimizer = sgd()
    parts = [get_schedule(s, "torch", optimizer=optimizer) for s in (linear, cosine)]
    theirs = lr_scheduler.SequentialLR(optimizer, parts, [5])
    joined = get_schedule("sequential", schedules=(linear, cosine), milestones=(5,))
    same(walk(theirs, 40), plain(joined.with_lr(0.1), 40), rtol=1e-15)
    assert parts[0].outside == parts[1].outside == [1.0]


def test_it_takes_part_in_a_chain_with_torch_s_own() -> None:
    optimizer, reference = sgd(), sgd()
    chain = lr_scheduler.ChainedScheduler([
        get_schedule("linear", "torch", optimizer=optimizer, total_iters=5),
        lr_scheduler.ExponentialLR(optimizer, 0.9),
        get_schedule("step", "torch", optimizer=optimizer, step_size=4, gamma=0.5),
    ])
    theirs = lr_scheduler.ChainedScheduler([
        lr_scheduler.LinearLR(reference, total_iters=5),
        lr_scheduler.ExponentialLR(reference, 0.9),
        lr_scheduler.StepLR(reference, 4, 0.5),
    ])
    same(walk(chain, 120), walk(theirs, 120))


def test_an_edited_lr_stays_as_a_factor_as_with_torch_s_own() -> None:
    optimizer, reference = sgd(), sgd()
    ours, theirs = get_schedule("step", "torch", optimizer=optimizer, step_size=4), lr_scheduler.StepLR(reference, 4)
    for scheduler in (ours, theirs):
        walk(scheduler, 2)
        scheduler.optimizer.param_groups[0]["lr"] *= 0.5
    same(walk(ours, 10), walk(theirs, 10))


@pytest.mark.parametrize("name, options", [
    ("cosine", dict(T_max=20)), ("one_cycle", dict(total_steps=40)),
    ("sequential", dict(schedules=(get_schedule("linear"), get_schedule("exponential", gamma=0.9)), milestones=(5,))),
], ids=lambda v: v if isinstance(v, str) else "")  # fmt: skip
def test_a_saved_scheduler_continues_exactly(name: str, options: dict[str, Any]) -> None:
    def make() -> tuple[Any, Any]:
        optimizer = sgd(0.1, momentum=0.9)
        return optimizer, get_schedule(name, "torch", optimizer=optimizer, **options)

    optimizer, scheduler = make()
    walk(scheduler, 13)
    file = io.BytesIO()
    torch.save({"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    rest = walk(scheduler, 25)
    again, resumed = make()
    again.load_state_dict(saved["optimizer"])
    resumed.load_state_dict(saved["scheduler"])
    assert resumed.last_epoch == 13
    assert walk(resumed, 25) == rest
    assert again.param_groups[0]["momentum"] == optimizer.param_groups[0]["momentum"]


def test_the_factory_and_the_scheduler_say_what_they_are() -> None:
    factory = get_schedule("cosine", "torch", T_max=10)
    assert repr(factory) == "torch scheduler cosine(T_max=10), which takes an optimizer"
    assert repr(factory(sgd())) == "torch scheduler cosine(T_max=10)"
    assert repr(get_schedule("reduce_on_plateau", "jax")) == "jax schedule reduce_on_plateau()"
    assert repr(get_schedule("reduce_on_plateau", "torch", optimizer=sgd(1.0))) == "torch scheduler reduce_on_plateau()"
