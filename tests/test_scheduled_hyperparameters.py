"""Schedules of any number that an optimizer takes, not of lr alone: the same in every backend, and without recompilation."""

from __future__ import annotations

import io
import types
from collections.abc import Callable
from typing import Annotated, Any, Union, get_args, get_origin

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from specs import every_spec
from torch.optim import lr_scheduler

from lossopt import get_optimizer, get_schedule
from lossopt.definition import Spec
from lossopt.errors import ArgumentError, HyperparameterError
from lossopt.optimizers import adamw, schedule_free_sgd, sgd, shampoo
from lossopt.parity.case import OptimizerCase
from lossopt.parity.engine import parity
from lossopt.recipes import parse_recipe
from lossopt.schedules.spec import ScheduleSpec
from lossopt.transforms import chain, clip_by_global_norm, ema, skip_large_updates

STEPS = 20


# ------------------------------------------------------------------------------------------------- every optimizer
def scheduled(value: Any, annotation: Any) -> Any:
    """A schedule that begins at a hyperparameter's value and stays in its range; the value itself, where it is no number."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is tuple and Ellipsis not in parts and isinstance(value, tuple):
        return tuple(map(scheduled, value, parts))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if origin in (Union, types.UnionType) and number:
        return scheduled(value, next((p for p in parts if get_origin(p) is Annotated), None))
    if origin is not Annotated or parts[0] is not float or not number or not np.isfinite(value) or getattr(parts[1], "plain", False):
        return value
    begin = float(value) or 0.05
    for gamma in (0.98, 1.01):
        if all(begin * gamma**t in parts[1] for t in range(STEPS + 1)):
            return get_schedule("exponential", lr=begin, gamma=gamma) if begin > 0 else falling(begin, gamma)
    return value


def falling(begin: float, gamma: float) -> Callable[[Any], Any]:
    """For numbers below 0, which no lr of a schedule is: any function of the step."""
    return lambda step: begin * gamma**step


def with_schedules(spec: Spec) -> Spec:
    """The spec with a schedule in the place of every number that may be one."""
    d = spec.definition
    free = {n: v for n, v in spec.hyperparameters.items() if n not in d.structural}
    new = {n: scheduled(v, d.annotations[n]) for n, v in free.items()}
    return d(*map(with_schedules, spec.inner), convention=spec.convention, **{**spec.hyperparameters, **new})


def is_scheduled(spec: Spec) -> bool:
    return any(callable(v) or (isinstance(v, tuple) and any(map(callable, v))) for v in spec.flat.values())


SPECIAL = {
    "schedule_free_sgd": schedule_free_sgd(lr=0.1),  # 1.0 diverges on this problem
    "skip_large_updates": skip_large_updates(adamw(), max_squared_norm=1e6),  # lets some through
    "shampoo": shampoo(eps=0.1),  # 1e-6 multiplies rounding by a thousand, schedules or not
}
SPECS = {name: with_schedules(SPECIAL.get(name, spec)) for name, spec in every_spec().items()}


@pytest.mark.parametrize("name", SPECS)
def test_every_number_may_be_a_schedule_and_every_backend_gives_the_same(name: str) -> None:
    spec = SPECS[name]
    assert is_scheduled(spec)
    report = parity(cases=[OptimizerCase(spec, steps=STEPS)], dtypes=("float64",))
    told = [f"{c.name}: {c.error:.2g} {c.note}" for row in report.rows for c in row.comparisons if c.bound is not None and c.error > c.bound]
    assert not told, told
    assert {c.name.partition(" ")[0] for row in report.rows for c in row.comparisons} >= {"jax", "torch"}


# ------------------------------------------------------------------------------------------------- by hand
WEIGHT_DECAY = get_schedule("cosine", lr=0.1, T_max=15, eta_min=0.01)
BETA = get_schedule("linear", lr=0.9, start_factor=0.5, total_iters=10)
EPS = get_schedule("exponential", lr=1e-3, gamma=0.8)
MOMENTUM = get_schedule("warmup_constant", lr=0.9, warmup_steps=10, start_factor=0.1)


def gradients(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(STEPS, 2, 3))


def by_hand(make: Callable[[Any], torch.optim.Optimizer], set_numbers: Callable[[dict[str, Any], int], None]) -> np.ndarray:
    """PyTorch's own optimizer, its numbers set before each update."""
    params = [torch.nn.Parameter(torch.ones(3, dtype=torch.float64)) for _ in range(2)]
    optimizer = make(params)
    for t, grads in enumerate(gradients()):
        for group in optimizer.param_groups:
            set_numbers(group, t)
        for p, g in zip(params, grads, strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()
    return np.stack([p.detach().numpy() for p in params])


def in_torch(spec: Spec, executor: str = "auto", groups: Any = None) -> np.ndarray:
    params = [(name, torch.nn.Parameter(torch.ones(3, dtype=torch.float64))) for name in ("weight", "bias")]
    optimizer = get_optimizer(spec, "torch", params=params, executor=executor, groups=groups)
    for grads in gradients():
        for (_, p), g in zip(params, grads, strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()
    return np.stack([p.detach().numpy() for _, p in params])


def in_numpy(spec: Spec, groups: Any = None) -> np.ndarray:
    optimizer = get_optimizer(spec, "numpy", groups=groups)
    params = {"weight": np.ones(3), "bias": np.ones(3)}
    state = optimizer.init(params)
    for grads in gradients():
        updates, state = optimizer.update(dict(zip(params, grads, strict=True)), state, params)
        params = {n: p + updates[n] for n, p in params.items()}
    return np.stack(list(params.values()))


def in_jax(spec: Spec, groups: Any = None) -> np.ndarray:
    """Jitted; an update that is traced twice is an error."""
    with jax.enable_x64(True):
        optimizer, traces = get_optimizer(spec, "jax", groups=groups), []

        @jax.jit
        def step(params: Any, state: Any, grads: Any) -> Any:
            traces.append(1)
            updates, state = optimizer.update(grads, state, params)
            return {n: p + updates[n] for n, p in params.items()}, state

        params = {"weight": jnp.ones(3, jnp.float64), "bias": jnp.ones(3, jnp.float64)}
        state = optimizer.init(params)
        for weight, bias in gradients():
            params, state = step(params, state, {"weight": jnp.asarray(weight), "bias": jnp.asarray(bias)})
        assert len(traces) == 1
        return np.stack([np.asarray(params["weight"]), np.asarray(params["bias"])])


def close(found: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("carried", [in_numpy, in_jax, in_torch, lambda spec: in_torch(spec, "replay"), lambda spec: in_torch(spec, "single")],
                         ids=["numpy", "jax", "torch", "replay", "single"])  # fmt: skip
def test_they_equal_pytorchs_own_optimizers_set_by_hand(carried: Callable[[Spec], np.ndarray]) -> None:
    def adamw_numbers(group: dict[str, Any], t: int) -> None:
        group.update(weight_decay=WEIGHT_DECAY(t), betas=(BETA(t), 0.99), eps=EPS(t))

    wanted = by_hand(lambda p: torch.optim.AdamW(p, lr=0.01), adamw_numbers)
    close(carried(adamw(lr=0.01, weight_decay=WEIGHT_DECAY, betas=(BETA, 0.99), eps=EPS)), wanted)
    plain = by_hand(lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, betas=(0.45, 0.99), eps=1e-3), lambda *_: None)
    assert np.abs(plain - wanted).max() > 1e-3

    def sgd_numbers(group: dict[str, Any], t: int) -> None:
        group.update(momentum=MOMENTUM(t), weight_decay=WEIGHT_DECAY(t), lr=EPS(t))

    wanted = by_hand(lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.5), sgd_numbers)
    close(carried(sgd(lr=EPS, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)), wanted)


@pytest.mark.parametrize("name", ["weight_decay", "eps"])
def test_the_second_beta_and_a_decay_from_zero(name: str) -> None:
    """A number that is 0 at the first step is one that will not be."""
    rising = get_schedule("warmup_constant", lr=0.2, warmup_steps=8)
    spec = adamw(lr=0.01, betas=(0.9, BETA), **{name: rising})
    wanted = by_hand(lambda p: torch.optim.AdamW(p, lr=0.01), lambda g, t: g.update({"betas": (0.9, BETA(t)), name: rising(t)}))
    for found in (in_numpy(spec), in_jax(spec), in_torch(spec), in_torch(spec, "single")):
        close(found, wanted)


def test_a_momentum_from_zero_keeps_its_buffer() -> None:
    """PyTorch's own SGD makes no buffer while momentum is 0; the average here begins with the first gradient all the same."""
    rising = get_schedule("warmup_constant", lr=0.9, warmup_steps=10)
    spec, buffer, param = sgd(lr=0.1, momentum=rising), np.zeros((2, 3)), np.ones((2, 3))
    for t, grads in enumerate(gradients()):
        buffer = rising(t) * buffer + grads
        param = param - 0.1 * buffer
    for found in (in_numpy(spec), in_jax(spec), in_torch(spec), in_torch(spec, "single")):
        close(found, param)


def test_schedules_in_groups() -> None:
    groups = {"bias": {"weight_decay": WEIGHT_DECAY, "lr": EPS, "betas": (BETA, 0.999)}}
    spec = chain(clip_by_global_norm(max_norm=get_schedule("linear", lr=2.0, total_iters=10)), adamw(lr=0.01, weight_decay=0.0))
    wanted = in_numpy(spec, groups)
    plain = in_numpy(spec, {"bias": {"weight_decay": 0.1, "lr": 1e-3, "betas": (0.45, 0.999)}})
    assert np.abs(plain[1] - wanted[1]).max() > 1e-3
    for found in (in_jax(spec, groups), in_torch(spec, groups=groups), in_torch(spec, "single", groups)):
        close(found, wanted)


def test_schedules_in_the_groups_of_a_torch_optimizer() -> None:
    p, q = (torch.nn.Parameter(torch.ones(1, dtype=torch.float64)) for _ in range(2))
    groups = [{"params": [p]}, {"params": [q], "weight_decay": WEIGHT_DECAY, "betas": (BETA, 0.999)}]
    optimizer = get_optimizer("adamw", "torch", params=groups, lr=0.01)
    for t in range(3):
        p.grad = q.grad = torch.ones(1, dtype=torch.float64)
        optimizer.step()
        first, second = optimizer.param_groups
        assert (first["weight_decay"], first["betas"]) == (0.01, (0.9, 0.999))
        assert (second["weight_decay"], second["betas"]) == (WEIGHT_DECAY(t), (BETA(t), 0.999))


def test_wrapped_optimizers_and_wrappers_take_them() -> None:
    decay = get_schedule("linear", lr=0.9, start_factor=0.5, total_iters=10)
    spec = ema(sgd(lr=0.1, weight_decay=WEIGHT_DECAY), decay=decay)
    close(in_jax(spec), in_numpy(spec))
    close(in_torch(spec), in_numpy(spec))


def test_a_saved_optimizer_continues_with_its_schedules() -> None:
    def make() -> tuple[Any, Any]:
        p = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
        return p, get_optimizer("adamw", "torch", params=[p], lr=0.01, weight_decay=WEIGHT_DECAY, betas=(BETA, 0.999))

    def run(p: Any, optimizer: Any, grads: Any) -> None:
        for g in grads:
            p.grad = torch.tensor(g)
            optimizer.step()

    grads = gradients()[:, 0]
    (p, optimizer), (q, again), file = make(), make(), io.BytesIO()
    run(p, optimizer, grads[:9])
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    again.load_state_dict(torch.load(file, weights_only=True))
    q.data.copy_(p.data)
    run(p, optimizer, grads[9:])
    run(q, again, grads[9:])
    assert torch.equal(p, q) and again.param_groups[0]["weight_decay"] == WEIGHT_DECAY(STEPS - 1)


def test_what_decides_the_state_is_no_schedule() -> None:
    with pytest.raises(ArgumentError, match="history_size decides the shape of the state, so it is a plain value, not a schedule"):
        get_optimizer("lbfgs", "numpy", history_size=get_schedule("linear", lr=3.0))


# ------------------------------------------------------------------------------------------------- torch schedulers
def own(name: str, **options: Any) -> torch.optim.Optimizer:
    return getattr(torch.optim, name)([torch.nn.Parameter(torch.ones(1))], **options)


def walked(scheduler: Any, read: Callable[[dict[str, Any]], Any], steps: int) -> list[Any]:
    found = []
    for _ in range(steps):
        found.append(read(scheduler.optimizer.param_groups[0]))
        scheduler.optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(("sets", "read"), [
    ("weight_decay", lambda g: g["weight_decay"]), ("betas[0]", lambda g: g["betas"][0]), ("betas[1]", lambda g: g["betas"][1]),
    ("beta1", lambda g: g["betas"][0]), ("b2", lambda g: g["betas"][1]), ("eps", lambda g: g["eps"]), ("epsilon", lambda g: g["eps"]),
])  # fmt: skip
@pytest.mark.parametrize("ours", [False, True], ids=["torch.optim", "lossopt"])
def test_a_scheduler_sets_any_number(sets: str, read: Callable[[dict[str, Any]], Any], ours: bool) -> None:
    p = [torch.nn.Parameter(torch.ones(1))]
    optimizer = get_optimizer("lamb" if ours else "adamw", "torch", params=p, lr=0.1, weight_decay=0.2)
    base, before = read(optimizer.param_groups[0]), dict(optimizer.param_groups[0])
    scheduler = get_schedule("cosine", "torch", optimizer=optimizer, sets=sets, T_max=10)
    assert isinstance(scheduler, lr_scheduler.LRScheduler)
    assert walked(scheduler, read, 15) == [get_schedule("cosine", lr=base, T_max=10)(t) for t in range(15)]
    assert scheduler.values == [read(optimizer.param_groups[0])] and scheduler.get_last_lr() == [0.1] == [optimizer.param_groups[0]["lr"]]
    changed = {"beta1": "betas", "b2": "betas", "epsilon": "eps"}.get(sets, sets.partition("[")[0])
    after = dict(optimizer.param_groups[0])
    assert {k: v for k, v in before.items() if k != changed} == {k: after[k] for k in before if k != changed}


def test_momentum_of_sgd_and_lr_by_its_other_name() -> None:
    optimizer = own("SGD", lr=0.1, momentum=0.9)
    scheduler = get_schedule("multi_step", "torch", sets="momentum", milestones=(2,), gamma=0.5)(optimizer)
    assert walked(scheduler, lambda g: g["momentum"], 4) == [0.9, 0.9, 0.45, 0.45]
    assert repr(scheduler) == "torch scheduler multi_step(milestones=(2,), gamma=0.5), which sets momentum"
    plain = get_schedule("step", "torch", optimizer=own("SGD", lr=0.1), sets="learning_rate", step_size=2)
    assert repr(plain) == "torch scheduler step(step_size=2)"


def test_each_group_has_its_own_base_and_a_tensor_is_filled_in_place() -> None:
    p, q, r = (torch.nn.Parameter(torch.zeros(1)) for _ in range(3))
    decay = torch.tensor(0.5)
    optimizer = torch.optim.SGD([{"params": [p], "weight_decay": 0.1}, {"params": [q], "weight_decay": decay}], lr=0.1)
    scheduler = get_schedule("exponential", "torch", optimizer=optimizer, sets="weight_decay", gamma=0.5)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[1]["weight_decay"] is decay and scheduler.values == [0.05, 0.25]
    optimizer.add_param_group({"params": [r], "weight_decay": 0.8})
    scheduler.step()
    assert scheduler.values == [0.025, 0.125, 0.2]


def test_it_stands_beside_schedulers_of_lr_and_in_their_compositions() -> None:
    optimizer = own("AdamW", lr=0.1, weight_decay=0.2)
    of_lr = get_schedule("cosine", "torch", optimizer=optimizer, T_max=10)
    of_decay = get_schedule("linear", "torch", optimizer=optimizer, sets="weight_decay", start_factor=1.0, end_factor=0.0, total_iters=10)
    both = lr_scheduler.ChainedScheduler([of_lr, of_decay])
    wanted = [(get_schedule("cosine", lr=0.1, T_max=10)(t), get_schedule("linear", lr=0.2, start_factor=1.0, end_factor=0.0,
                                                                        total_iters=10)(t)) for t in range(12)]  # fmt: skip
    assert walked(both, lambda g: (g["lr"], g["weight_decay"]), 12) == wanted

    optimizer = own("AdamW", lr=0.1, weight_decay=0.2)
    parts = [get_schedule("constant_factor", "torch", optimizer=optimizer, sets="weight_decay", factor=0.5, total_iters=99),
             get_schedule("exponential", "torch", optimizer=optimizer, sets="weight_decay", gamma=0.5)]  # fmt: skip
    joined = lr_scheduler.SequentialLR(optimizer, parts, [3])
    assert walked(joined, lambda g: g["weight_decay"], 6) == [0.1, 0.1, 0.1, 0.2, 0.1, 0.05]


def test_a_saved_scheduler_of_another_number_continues_exactly() -> None:
    def make() -> tuple[Any, Any]:
        optimizer = own("AdamW", lr=0.1, weight_decay=0.2)
        return optimizer, get_schedule("cosine", "torch", optimizer=optimizer, sets="weight_decay", T_max=20)

    def read(group: dict[str, Any]) -> float:
        return group["weight_decay"]

    (optimizer, scheduler), (again, resumed), file = make(), make(), io.BytesIO()
    walked(scheduler, read, 7)
    torch.save([optimizer.state_dict(), scheduler.state_dict()], file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    again.load_state_dict(saved[0])
    resumed.load_state_dict(saved[1])
    assert resumed.sets == "weight_decay" and walked(resumed, read, 9) == walked(scheduler, read, 9)


def test_a_plateau_of_another_number() -> None:
    optimizer = own("SGD", lr=0.1, momentum=0.9, weight_decay=0.4)
    plateau = get_schedule("reduce_on_plateau", "torch", optimizer=optimizer, sets="weight_decay", factor=0.5, patience=1)
    for metric in (3.0, 2.0, 2.0, 2.0):
        plateau.step(metric)
    assert optimizer.param_groups[0]["weight_decay"] == 0.2 and optimizer.param_groups[0]["lr"] == 0.1


ERRORS: dict[str, tuple[Callable[[], Any], str]] = {
    "no such number": (
        lambda: get_schedule("cosine", "torch", optimizer=own("SGD", lr=0.1), sets="weight_decy", T_max=5),
        "cosine: group 0 of SGD has no number 'weight_decy'; did you mean 'weight_decay'? It has: lr, momentum, dampening, weight_decay",
    ),
    "a pair": (
        lambda: get_schedule("cosine", "torch", optimizer=own("Adam", lr=0.1), sets="betas", T_max=5),
        "cosine: group 0 of Adam has no number 'betas'; did you mean 'betas[0]'? It has: lr, betas[0], betas[1], eps, weight_decay",
    ),
    "a switch": (
        lambda: get_schedule("cosine", "torch", optimizer=own("SGD", lr=0.1), sets="nesterov", T_max=5),
        "cosine: group 0 of SGD has no number 'nesterov'. It has: lr, momentum, dampening, weight_decay",
    ),
    "another base": (
        lambda: get_schedule("cosine", "torch", optimizer=own("SGD", lr=0.1, weight_decay=0.5), sets="weight_decay", lr=0.1, T_max=5),
        "cosine: lr=0.1 is given, but group 0 of the optimizer has weight_decay=0.5; with an optimizer the base is each group's own "
        "weight_decay: leave lr out, or give the optimizer weight_decay=0.1",
    ),
    "a momentum beside it": (
        lambda: get_schedule("one_cycle", "torch", optimizer=own("SGD", lr=0.1), sets="weight_decay", total_steps=5),
        "one_cycle has a momentum beside it, which goes with lr: write cycle_momentum=False",
    ),
    "scheduled twice": (
        lambda: get_schedule("cosine", "torch", sets="weight_decay", T_max=5, optimizer=get_optimizer(
            "adamw", "torch", params=[torch.nn.Parameter(torch.ones(1))], weight_decay=WEIGHT_DECAY)),
        f"cosine: weight_decay of group 0 is scheduled already, by the optimizer, which has weight_decay={WEIGHT_DECAY!r}: leave cosine "
        "out, or give the optimizer a number for weight_decay",
    ),
    "jax": (
        lambda: get_schedule("cosine", "jax", sets="weight_decay", T_max=5),
        "a JAX schedule sets nothing, it is a function of the count: get_optimizer(..., 'jax', weight_decay=schedule), without sets",
    ),
    "numpy": (
        lambda: get_schedule("cosine", "numpy", sets="eps", T_max=5),
        "a numpy schedule sets nothing, it is a function of the step: get_optimizer(..., 'numpy', eps=schedule), without sets",
    ),
    "no backend": (
        lambda: get_schedule("cosine", sets="eps", T_max=5),
        "a schedule sets eps of an optimizer in torch: get_schedule(..., backend='torch', sets='eps')",
    ),
}  # fmt: skip


@pytest.mark.parametrize("label", ERRORS)
def test_errors_say_what_to_do(label: str) -> None:
    act, message = ERRORS[label]
    with pytest.raises(ArgumentError) as error:
        act()
    assert str(error.value) == message


def test_a_schedule_in_the_place_of_a_switch_is_an_error() -> None:
    with pytest.raises(HyperparameterError, match="adamw: amsgrad must be True or False"):
        adamw(amsgrad=WEIGHT_DECAY)


# ------------------------------------------------------------------------------------------------- recipes
RECIPE = """\
loss: mse_loss
optimizer:
  name: adamw
  lr: 0.01
  weight_decay: {name: cosine, lr: 0.1, T_max: 15, eta_min: 0.01}
  betas: [{name: linear, lr: 0.9, start_factor: 0.5, total_iters: 10}, 0.999]
schedule: {name: warmup_constant, warmup_steps: 5}
groups:
  "*.bias": {weight_decay: {name: exponential, lr: 0.2, gamma: 0.9}}
"""


def test_a_recipe_holds_them_and_trains_the_same_in_both_frameworks() -> None:
    recipe = parse_recipe(RECIPE)
    assert recipe.optimizer.flat["weight_decay"] == WEIGHT_DECAY and recipe.optimizer.flat["betas"] == (BETA, 0.999)
    assert isinstance(recipe.groups["*.bias"]["weight_decay"], ScheduleSpec)
    assert parse_recipe(recipe.to_yaml()) == recipe
    x, y = np.random.default_rng(0).normal(size=(2, 8, 3))
    with jax.enable_x64(True):
        model = torch.nn.Sequential(torch.nn.Linear(3, 3).double())
        params = {"0": {"weight": jnp.asarray(model[0].weight.detach().numpy()), "bias": jnp.asarray(model[0].bias.detach().numpy())}}
        in_jax = recipe.build("jax", params, apply=lambda p, inputs: inputs @ p["0"]["weight"].T + p["0"]["bias"])
        in_torch = recipe.build("torch", model)
        for _ in range(12):
            ours, theirs = in_jax.train_step(jnp.asarray(x), jnp.asarray(y)), in_torch.train_step(torch.tensor(x), torch.tensor(y))
            np.testing.assert_allclose(float(ours), float(theirs), rtol=1e-12)
        np.testing.assert_allclose(in_jax.params["0"]["bias"], model[0].bias.detach().numpy(), rtol=1e-11)
