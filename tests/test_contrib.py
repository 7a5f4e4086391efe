"""The optimizers and wrappers of optax.contrib, and MARS: what the parity rows and the published algorithms do not reach."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from helpers import assert_close, assert_same

from lossopt import get_optimizer, schedules
from lossopt.errors import ArgumentError, HyperparameterError
from lossopt.optimizers import (
    acprop,
    adamw,
    ademamix,
    adopt,
    cocob,
    dadapt_adamw,
    dowg,
    madgrad,
    momo,
    momo_adam,
    prodigy,
    schedule_free_adamw,
    schedule_free_sgd,
    sgd,
)
from lossopt.parity.case import OptimizerCase
from lossopt.parity.engine import parity
from lossopt.transforms import mars, mechanize, schedule_free

RNG = np.random.default_rng(0)
PARAMS = {"kernel": RNG.normal(size=(3, 2)), "bias": RNG.normal(size=3)}
STEPS = 30
NOISE = [{n: 0.3 * RNG.normal(size=x.shape) for n, x in PARAMS.items()} for _ in range(STEPS)]


def gradient(params, t):
    return {n: 1.5 * x + 0.4 * x**3 + NOISE[t][n] for n, x in params.items()}


def value(params, t):
    return sum(float((0.75 * x**2 + 0.1 * x**4 + NOISE[t][n] * x).sum()) for n, x in params.items())


@dataclass
class Trained:
    """Where a run in the referee ended: the parameters, and where to evaluate them."""

    params: dict
    point: dict


def train(spec, steps=STEPS, groups=None):
    optimizer = get_optimizer(spec, backend="numpy", groups=groups)
    params, state = PARAMS, optimizer.init(PARAMS)
    for t in range(steps):
        updates, state = optimizer.update(gradient(params, t), state, params)
        params = {n: x + updates[n] for n, x in params.items()}
    return Trained(params, optimizer.eval_params(state, params))


# ------------------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: schedule_free_sgd(momentum=0.0), HyperparameterError, "schedule_free_sgd: momentum must be in (0, 1), got 0.0"),
    (lambda: schedule_free(sgd(), b1=1.0), HyperparameterError, "schedule_free: beta must be in (0, 1), got 1.0"),
    (lambda: schedule_free(), ArgumentError, "schedule_free() wraps another optimizer: schedule_free(adamw(lr=1e-3))"),
    (lambda: mechanize(sgd(), num_betas=0), HyperparameterError, "mechanize: num_betas must be at least 1, and finite, got 0"),
    (lambda: mechanize(sgd(), s_init=lambda t: 0.1), ArgumentError,
     "mechanize: s_init decides the shape of the state, so it is a plain value, not a schedule"),
    (lambda: mars(adamw()), ArgumentError, "mars() wraps nothing; compose with chain(mars(...), ...)"),
    (lambda: mars(max_norm=0.0), HyperparameterError, "mars: max_norm must be positive, and finite, got 0.0"),
    (lambda: ademamix(betas=(0.9, 0.999)), HyperparameterError,
     "ademamix: betas must be 3 numbers, each in [0, 1), got (0.9, 0.999)"),
    (lambda: ademamix(b3=1.0), HyperparameterError, "ademamix: betas[2] must be in [0, 1), got 1.0"),
    (lambda: madgrad(eps=0.0), HyperparameterError, "madgrad: eps must be positive, and finite, got 0.0"),
    (lambda: adopt(use_clipping=False), ArgumentError, "adopt() has no 'use_clipping'. "
     "It takes: lr, betas, eps, weight_decay, decoupled, clip_exponent, nesterov"),
    (lambda: acprop(centered_on="mean"), HyperparameterError, "acprop: centered_on must be 'new' or 'old', got 'mean'"),
    (lambda: dowg(sq_distance0=0.0), HyperparameterError, "dowg: sq_distance0 must be positive, and finite, got 0.0"),
    (lambda: train(momo()), ArgumentError,
     "momo needs 'value': give the loss to this update, value=loss (torch: step(closure) or step(value=loss))"),
    (lambda: train(momo_adam()), ArgumentError,
     "momo_adam needs 'value': give the loss to this update, value=loss (torch: step(closure) or step(value=loss))"),
    (lambda: train(mechanize(sgd()), groups={"bias": {"eps": 0.1}}), ArgumentError,
     "mechanize keeps one m for all parameters, so eps cannot differ between groups: give it outside of groups"),
    (lambda: train(prodigy(), groups={"bias": {"lr": 0.5}}), ArgumentError,
     "prodigy keeps one d for all parameters, so lr cannot differ between groups: give it outside of groups"),
], ids=lambda x: None if callable(x) or isinstance(x, type) else x.split(":")[0].split("(")[0])  # fmt: skip
def test_errors(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_shared_number_that_groups_would_split_is_an_error_in_every_backend(backend):
    """Before there was one, torch kept the number as it began, and the bound did not adapt."""
    spec, groups = momo(adapt_lower_bound=True), {"bias": {"lr": 0.5}}
    if backend == "jax":
        optimizer = get_optimizer(spec, backend, groups=groups)
        params = {n: x.astype(np.float32) for n, x in PARAMS.items()}

        def update():
            optimizer.update(params, optimizer.init(params), params, value=1.0)
    else:
        import torch

        params = {n: torch.nn.Parameter(torch.tensor(x)) for n, x in PARAMS.items()}
        optimizer = get_optimizer(spec, backend, params=params, groups=groups)
        for p in params.values():
            p.grad = torch.ones_like(p)

        def update():
            optimizer.step(value=1.0)

    with pytest.raises(ArgumentError) as caught:
        update()
    expected = "momo keeps one bound for all parameters, so lr cannot differ between groups: give it outside of groups"
    assert str(caught.value) == expected


# ------------------------------------------------------------------------------------------------- schedule-free
WARM_UP = schedules.linear(lr=0.1, start_factor=0.1, total_iters=10)


@pytest.mark.parametrize(("page", "wrapped"), [
    (schedule_free_sgd(lr=0.1, momentum=0.8, weight_decay=0.1), schedule_free(sgd(lr=0.1, weight_decay=0.1), lr=0.1, beta=0.8)),
    (schedule_free_sgd(lr=WARM_UP), schedule_free(sgd(lr=WARM_UP), lr=WARM_UP)),
    (schedule_free_adamw(lr=WARM_UP, betas=(0.95, 0.99), weight_decay=0.1),
     schedule_free(adamw(lr=WARM_UP, betas=(0.0, 0.99), weight_decay=0.1), lr=WARM_UP, beta=0.95)),
], ids=["sgd", "sgd warm-up", "adamw warm-up"])  # fmt: skip
def test_the_wrapper_is_the_page(page, wrapped):
    ours, theirs = train(page), train(wrapped)
    assert_close(theirs.params, ours.params, rtol=1e-13)
    assert_close(theirs.point, ours.point, rtol=1e-13)


def test_a_constant_rate_of_the_wrapper_does_not_matter():
    found = train(schedule_free(sgd(lr=0.1), lr=1.0)), train(schedule_free(sgd(lr=0.1), lr=0.1))
    assert_close(found[0].point, found[1].point, rtol=1e-13)


def test_the_wrapper_in_groups_is_the_page_in_groups():
    slow = schedules.linear(lr=0.02, start_factor=0.5, total_iters=20)
    ours = train(schedule_free_sgd(lr=WARM_UP), groups={"bias": {"lr": slow}})
    theirs = train(schedule_free(sgd(lr=WARM_UP), lr=WARM_UP), groups={"bias": {"sgd.lr": slow, "schedule_free.lr": slow}})
    assert_close(theirs.point, ours.point, rtol=1e-13)


def test_the_point_to_evaluate_at_is_the_mean_of_z():
    """The Road Less Scheduled, eq. 6, with a constant rate."""
    lr, beta, x, zs = 0.1, 0.9, PARAMS, [PARAMS]
    for t in range(STEPS):
        y = {n: (1 - beta) * zs[-1][n] + beta * x[n] for n in x}
        grads = gradient(y, t)
        zs.append({n: z - lr * grads[n] for n, z in zs[-1].items()})
        x = {n: np.mean([z[n] for z in zs[1:]], axis=0) for n in x}
    assert_close(train(schedule_free_sgd(lr=lr, momentum=beta)).point, x, rtol=1e-12)


# ------------------------------------------------------------------------------------------------- MARS
@pytest.mark.parametrize("first_corrected", [True, False])
def test_mars_is_the_papers_formula(first_corrected):
    """arXiv:2411.10438, Algorithm 2, with the gradient before in place of a second gradient."""
    beta, gamma = 0.9, 0.3
    optimizer = get_optimizer(mars(beta=beta, gamma=gamma, first_corrected=first_corrected), backend="numpy")
    state = optimizer.init(PARAMS)
    grads = [{n: scale * g for n, g in NOISE[t].items()} for t, scale in enumerate((1.0, 0.1, 3.0, 0.01))]
    before = {n: np.zeros_like(x) for n, x in PARAMS.items()} if first_corrected else grads[0]
    lengths = []
    for g in grads:
        found, state = optimizer.update(g, state, PARAMS)
        for n, x in g.items():
            c = x + gamma * beta / (1 - beta) * (x - before[n])
            lengths.append(np.linalg.norm(c))
            np.testing.assert_allclose(found[n], c if lengths[-1] <= 1 else c / lengths[-1], rtol=1e-14)
        before = g
    assert min(lengths) < 1 < max(lengths)


# ------------------------------------------------------------------------------------------------- Mechanic
def test_mechanic_is_the_papers_algorithm():
    """arXiv:2306.00144, Algorithm 1, on the displacement of the wrapped rule; the bets are clamped as optax's authors have it."""
    lam, eps, first, betas = 0.05, 1e-12, 1e-2, np.array([0.9, 0.99, 0.999])
    keys = sorted(PARAMS)

    def flat(tree):
        return np.concatenate([tree[n].ravel() for n in keys])

    start = x = flat(PARAMS)
    displacement, s = np.zeros_like(x), np.full(3, first)
    r, m, v = np.zeros(3), np.zeros(3), np.zeros(3)
    params = PARAMS
    optimizer = get_optimizer(mechanize(sgd(lr=1.0), weight_decay=lam, s_init=first, num_betas=3, eps=eps), backend="numpy")
    state = optimizer.init(params)
    for t in range(10):
        g = flat(gradient(params, t))
        inner_product = float((g + lam * s.sum() * np.linalg.norm(g) / (np.linalg.norm(x) + eps) * x) @ displacement)
        bet = np.clip(inner_product, -m, m)
        displacement = displacement + g  # what gradient descent at rate 1 adds to where the start is looked at from
        m = np.maximum(betas * m, abs(inner_product) + eps)
        v = betas**2 * v + inner_product**2
        r = betas * r + s * bet
        s = (first / 3 * m + np.maximum(r, 0)) / (np.sqrt(v) + eps)
        x = start - s.sum() * displacement
        updates, state = optimizer.update(gradient(params, t), state, params)
        params = {n: p + updates[n] for n, p in params.items()}
        np.testing.assert_allclose(flat(params), x, rtol=0, atol=1e-9)  # (p0 - p) / (s + eps) is the displacement to eps / s


# ------------------------------------------------------------------------------------------------- MoMo
ADAPTING = [
    (momo(lr=0.5, lower_bound=-50.0, weight_decay=0.01, adapt_lower_bound=True),
     lambda o: o.contrib.momo(0.5, lower_bound=-50.0, weight_decay=0.01, adapt_lower_bound=True)),
    (momo(lower_bound=-9.0, use_fstar=True, convention="optax"), lambda o: o.contrib.momo(lower_bound=-9.0, adapt_lower_bound=True)),
    (momo_adam(lr=0.5, lower_bound=-50.0, weight_decay=0.01, adapt_lower_bound=True),
     lambda o: o.contrib.momo_adam(0.5, lower_bound=-50.0, weight_decay=0.01, adapt_lower_bound=True)),
    (momo_adam(lr=1.0, lower_bound=-9.0, use_fstar=True, convention="optax"),
     lambda o: o.contrib.momo_adam(1.0, lower_bound=-9.0, adapt_lower_bound=True)),
]  # fmt: skip


def test_an_adapting_bound_is_optaxs():
    """In float64: with the parameters held still, as the float32 rows hold them, the bound closes on the loss to a rounding."""
    report = parity(dtypes=["float64"], cases=[OptimizerCase(spec, optax=own, optax_extras=("value",)) for spec, own in ADAPTING])
    assert report.ok, str(report)


# ------------------------------------------------------------------------------------------------- AdEMAMix
def test_ademamix_warms_up_by_schedules():
    """arXiv:2409.03137, Algorithm 1: alpha linearly, and beta3 linearly in its half-life, from beta1."""
    lr, beta1, beta2, beta3, alpha, over = 0.1, 0.9, 0.99, 0.999, 5.0, 20

    def alpha_at(count):
        return alpha * min((count + 1) / over, 1.0)

    def beta3_at(count):
        done, low, high = min((count + 1) / over, 1.0), math.log(beta1), math.log(beta3)
        return math.exp(low * high / ((1 - done) * high + done * low))

    ours = train(ademamix(lr=lr, betas=(beta1, beta2, beta3_at), alpha=alpha_at)).params
    x = PARAMS
    fast, slow, nu = ({n: np.zeros_like(p) for n, p in x.items()} for _ in range(3))
    for t in range(1, STEPS + 1):
        g = gradient(x, t - 1)
        half_lives = [math.log(0.5) / math.log(b) for b in (beta1, beta3)]
        now = 0.5 ** (1 / (half_lives[0] + min(t / over, 1.0) * (half_lives[1] - half_lives[0])))
        fast = {n: beta1 * m + (1 - beta1) * g[n] for n, m in fast.items()}
        slow = {n: now * m + (1 - now) * g[n] for n, m in slow.items()}
        nu = {n: beta2 * v + (1 - beta2) * g[n] ** 2 for n, v in nu.items()}
        x = {n: p - lr * (fast[n] / (1 - beta1**t) + alpha_at(t - 1) * slow[n]) / (np.sqrt(nu[n] / (1 - beta2**t)) + 1e-8)
             for n, p in x.items()}  # fmt: skip
    assert_close(ours, x, rtol=1e-11)


# ------------------------------------------------------------------------------------------------- edges
@pytest.mark.parametrize("spec", [
    acprop(), ademamix(), adopt(), madgrad(), cocob(), dadapt_adamw(), dowg(), momo(), momo_adam(), schedule_free_sgd(), mechanize(sgd()),
    mars(),
], ids=lambda spec: spec.definition.name)  # fmt: skip
def test_zero_gradients_move_nothing_and_leave_the_state_finite(spec):
    optimizer = get_optimizer(spec, backend="numpy")
    zero, state = {n: np.zeros_like(x) for n, x in PARAMS.items()}, optimizer.init(PARAMS)
    given = {"value": 1.0} if "value" in spec.asks else {}
    for _ in range(2):
        updates, state = optimizer.update(zero, state, PARAMS, **given)
        assert_same({n: np.abs(u) for n, u in updates.items()}, zero)
    updates, state = optimizer.update(gradient(PARAMS, 0), state, PARAMS, **given)
    assert all(np.isfinite(u).all() for u in updates.values())


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("clip_exponent", [None, 0.25])
def test_the_first_step_of_adopt_moves_nothing(decoupled, nesterov, clip_exponent):
    found = train(adopt(weight_decay=0.1, decoupled=decoupled, nesterov=nesterov, clip_exponent=clip_exponent), steps=1)
    assert_same(found.params, PARAMS)


def test_the_estimate_of_d_adaptation_only_grows_and_groups_may_differ_in_lr():
    optimizer = get_optimizer(dadapt_adamw(d0=1e-3), backend="numpy", groups={"bias": {"lr": 0.0}})
    params, state, seen = PARAMS, optimizer.init(PARAMS), [1e-3]
    for t in range(STEPS):
        updates, state = optimizer.update(gradient(params, t), state, params)
        params = {n: x + updates[n] for n, x in params.items()}
        seen.append(float(state[1].d))
    assert seen == sorted(seen)
    assert seen[-1] > 10 * seen[0]
    assert_same(params["bias"], PARAMS["bias"])


@pytest.mark.parametrize("name", ["momo", "momo_adam"])
def test_momo_takes_no_step_where_the_loss_is_at_its_bound(name):
    spec = {"momo": momo, "momo_adam": momo_adam}[name](lower_bound=5.0)
    optimizer = get_optimizer(spec, backend="numpy")
    updates, _ = optimizer.update(gradient(PARAMS, 0), optimizer.init(PARAMS), PARAMS, value=5.0)
    assert max(np.abs(u).max() for u in updates.values()) < 1e-15
    further, _ = optimizer.update(gradient(PARAMS, 0), optimizer.init(PARAMS), PARAMS, value=6.0)
    assert min(np.abs(u).max() for u in further.values()) > 1e-4


def test_momo_reads_the_closures_loss_in_torch():
    import torch

    params = {n: torch.nn.Parameter(torch.tensor(x)) for n, x in PARAMS.items()}
    optimizer = get_optimizer(momo(lr=0.3), "torch", params=params)

    def closure():
        optimizer.zero_grad()
        loss = torch.cat([(p**2).flatten() for p in params.values()]).sum()
        loss.backward()
        return loss

    loss = optimizer.step(closure)
    ours = get_optimizer(momo(lr=0.3), "numpy")
    updates, _ = ours.update({n: 2 * x for n, x in PARAMS.items()}, ours.init(PARAMS), PARAMS, value=loss.item())
    assert_close({n: p.detach().numpy() for n, p in params.items()}, {n: x + updates[n] for n, x in PARAMS.items()}, rtol=1e-14)
