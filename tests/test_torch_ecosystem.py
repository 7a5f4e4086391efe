"""What PyTorch's own tools ask of an optimizer: every emitted one keeps these contracts."""

from __future__ import annotations

import copy
import io
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from specs import every_spec, with_lr
from torch.optim import lr_scheduler

from lossopt import get_optimizer, get_schedule, optimizer, schedules
from lossopt.definition import Spec
from lossopt.errors import InputError, LossoptError
from lossopt.optimizers import adam, adamw, lion, prodigy, schedule_free_adamw, sgd
from lossopt.transforms import apply_if_finite, chain, clip_by_global_norm, ema, lookahead, route, schedule_free

SPECS = every_spec()
EXECUTORS = ("auto", "replay", "single")
X = torch.linspace(-1, 1, 24).reshape(6, 4)


def model(dtype: torch.dtype = torch.float64) -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2)).to(dtype)


def loss_of(m: torch.nn.Module, t: int = 0) -> torch.Tensor:
    x = X.to(next(m.parameters()).dtype)
    return (m(x) - 0.3).square().mean() + 0.05 * m(x * (t % 3)).sum()


def train(m: torch.nn.Module, opt: Any, steps: range | int, after: Callable[[], Any] | None = None) -> None:
    for t in range(steps) if isinstance(steps, int) else steps:

        def closure(t: int = t) -> torch.Tensor:
            opt.zero_grad()
            loss = loss_of(m, t)
            loss.backward()
            if getattr(getattr(opt, "spec", None), "per_example", False):
                for p in m.parameters():  # two examples with this mean
                    p.grad_sample = torch.stack([0.5 * p.grad, 1.5 * p.grad]) if p.grad is not None else None
            return loss

        asks = getattr(getattr(opt, "spec", None), "asks", frozenset())
        if asks & {"evaluate", "value"}:
            opt.step(closure)
        else:
            closure()
            given = {"metric": 1.0, "hessian": [torch.ones_like(p) for group in opt.param_groups for p in group["params"]]}
            opt.step(**{name: given[name] for name in given if name in asks})
        if after:
            after()


def flat(m: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().double() for p in m.parameters()])


def make(spec: Any, m: torch.nn.Module, executor: str = "auto", **kwargs: Any) -> Any:
    return get_optimizer(spec, "torch", params=m.named_parameters(), executor=executor, **kwargs)


@pytest.fixture(params=SPECS, ids=list(SPECS))
def spec(request: Any) -> Spec:
    return SPECS[request.param]


# ------------------------------------------------------------------------------------------------- every spec
def test_it_is_a_torch_optimizer_and_moves_the_parameters(spec: Spec) -> None:
    m = model()
    before, opt = flat(m), make(spec, m)
    assert isinstance(opt, torch.optim.Optimizer)
    train(m, opt, 6)
    assert torch.isfinite(flat(m)).all() and not torch.equal(before, flat(m))


def test_state_survives_a_weights_only_load_in_the_middle_of_a_run(spec: Spec) -> None:
    m = model()
    opt = make(spec, m)
    train(m, opt, 5)
    buffer = io.BytesIO()
    torch.save(opt.state_dict(), buffer)
    buffer.seek(0)
    resumed = copy.deepcopy(m)
    again = make(spec, resumed)
    again.load_state_dict(torch.load(buffer, weights_only=True))
    train(m, opt, range(5, 10))
    train(resumed, again, range(5, 10))
    assert torch.equal(flat(m), flat(resumed))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))], ids=["deepcopy", "pickle"])
def test_a_copy_goes_on_alike_and_by_itself(spec: Spec, copied: Callable[[Any], Any]) -> None:
    m = model()
    opt = make(spec, m)
    train(m, opt, 3)
    pair = copied({"model": m, "opt": opt})
    train(m, opt, range(3, 6))
    train(pair["model"], pair["opt"], range(3, 6))
    assert torch.equal(flat(m), flat(pair["model"]))


def slots_of(opt: Any) -> dict[tuple[Any, str], torch.Tensor]:
    """Every tensor in an optimizer's state, of parameters and shared."""
    owners = {**dict(enumerate(opt.state.values())), "shared": opt.param_groups[0].get("shared", {})}
    return {(i, n): v for i, own in owners.items() for n, v in own.items() if isinstance(v, torch.Tensor)}


class Scaled(torch.nn.Module):
    """With a parameter of no dimension: beside it a 0-d float64 tensor is no mere number, and would make float64 of it."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(4, 2, dtype=dtype)
        self.scale = torch.nn.Parameter(torch.tensor(1.5, dtype=dtype))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x) * self.scale


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_dtypes_stay_as_they_began(spec: Spec, dtype: torch.dtype) -> None:
    m = Scaled(dtype)
    opt = make(spec, m)
    train(m, opt, 1)
    first = {key: v.dtype for key, v in slots_of(opt).items()}
    train(m, opt, range(1, 3))
    assert {key: v.dtype for key, v in slots_of(opt).items()} == first
    assert {p.dtype for p in m.parameters()} == {dtype}
    assert {d for d in first.values() if d.is_floating_point} <= {torch.float32}
    assert torch.isfinite(flat(m)).all()


def test_a_slot_keeps_its_dtype_whatever_a_rule_puts_there() -> None:
    @optimizer(slots=("chosen",))
    def choosing(ops: Any, grad: Any, state: Any, param: Any, *, lr: float = 0.1) -> Any:
        chosen = ops.where(grad > 0, 0.25, 0.5) * state.chosen + ops.where(grad > 0, 1.0, 2.0)
        return -lr * chosen, state.replace(chosen=chosen)

    m = Scaled(torch.float32)
    opt = make(choosing(), m, "single")
    train(m, opt, 2)
    assert {v.dtype for v in slots_of(opt).values()} == {torch.float32}


def test_a_loaded_optimizer_shares_nothing_with_the_one_that_was_saved(spec: Spec) -> None:
    """https://github.com/pytorch/pytorch/issues/196083: state_dict() gives live tensors, and load_state_dict() keeps them."""
    m, n = model(), model()
    opt, again = make(spec, m), make(spec, n)
    if type(opt).__module__.startswith("torch.optim"):
        opt, again = make(spec, m, "single"), make(spec, n, "single")  # PyTorch's own class does as PyTorch does
    train(m, opt, 2)
    again.load_state_dict(opt.state_dict())
    places = [{v.data_ptr() for v in slots_of(o).values()} - {0} for o in (opt, again)]
    assert not places[0] & places[1]


def test_a_group_of_its_own_learning_rate(spec: Spec) -> None:
    """By pattern and by hand the same, and not as one group."""
    changes = {n: lr / 2 for n, lr in spec.flat.items() if n.rpartition(".")[2] == "lr"}
    if spec.definition.name == "prodigy":
        with pytest.raises(LossoptError) as caught:
            train(m := model(), make(spec, m, groups={"2.*": changes}), 1)
        assert str(caught.value) == "prodigy keeps one d for all parameters, so lr cannot differ between groups: give it outside of groups"
        return
    ends = []
    for how in ("pattern", "hand", "one group"):
        m = model()
        named = [*m.named_parameters()]
        params = [{"params": named[:2]}, {"params": named[2:], **changes}] if how == "hand" else named
        train(m, get_optimizer(spec, "torch", params=params, groups={"2.*": changes} if how == "pattern" else None), 4)
        ends.append(flat(m))
    assert torch.equal(ends[0], ends[1])
    if spec.definition.name != "cocob":  # whose bets are of a part of what was won: in what unit gradients are is all the same
        assert not torch.equal(ends[0], ends[2])


UNSCALED_ELSEWHERE = {
    "sam": "GradScaler.step takes no closure; the recipe's precision='float16' scales such rules, in tests/test_precision.py",
    "dpsgd": "GradScaler unscales p.grad, and dpsgd reads p.grad_sample",
}


@pytest.mark.parametrize("name", [n for n in SPECS if n not in UNSCALED_ELSEWHERE])
def test_under_grad_scaler_it_does_what_it_does_alone(name: str) -> None:
    """The scale is a power of two, so that nothing is rounded; a step with an infinite gradient leaves no trace."""
    spec, ends = SPECS[name], []
    for scale in (1.0, 2.0**10):
        m = model(torch.float32)
        opt, scaler = make(spec, m), torch.amp.GradScaler("cpu", init_scale=scale, enabled=scale > 1)
        for t in range(4):
            opt.zero_grad()
            loss = loss_of(m, t)
            scaler.scale(loss).backward()
            given = {"value": loss.detach(), "metric": 1.0, "hessian": [torch.ones_like(p) for p in m.parameters()]}
            spoilt = scale > 1 and t == 2
            before = flat(m), {key: v.clone() for key, v in slots_of(opt).items()}
            if spoilt:
                m[0].weight.grad[0, 0] = float("inf")
            if scale > 1 or t != 2:
                scaler.step(opt, **{n: given[n] for n in given if n in spec.asks})
            scaler.update()
            if spoilt:
                assert torch.equal(before[0], flat(m)) and scaler.get_scale() == scale / 2
                assert all(torch.equal(v, before[1][key]) for key, v in slots_of(opt).items())
        ends.append(flat(m))
    assert torch.equal(ends[0], ends[1])


def test_a_step_is_the_same_between_compiled_graphs(spec: Spec) -> None:
    """torch.compile leaves the step of a rule as it is; without that Dynamo fails in it."""
    torch.compiler.reset()
    m, n = model(), model()
    opt, plain = make(spec, m, "single"), make(spec, n, "single")
    train(n, plain, 2)
    opt.step = torch.compile(opt.step, backend="eager")
    train(m, opt, 2)
    assert torch.equal(flat(m), flat(n))


def test_half_precision_parameters_keep_float32_state(spec: Spec) -> None:
    m = model(torch.bfloat16)
    opt = make(spec, m)
    train(m, opt, 3)
    again = make(spec, copy.deepcopy(m))
    again.load_state_dict(opt.state_dict())  # PyTorch's own load would round the moments to bfloat16
    slots = [v for o in (opt, again) for s in o.state.values() for v in s.values() if isinstance(v, torch.Tensor)]
    assert all(v.dtype == torch.float32 for v in slots if v.is_floating_point())
    assert torch.isfinite(flat(m)).all()


def test_no_parameter_is_touched_without_a_gradient(spec: Spec) -> None:
    """grad None means: not this one, no decay, no momentum, no step count."""
    m = model()
    opt = make(spec, m)
    frozen = m[0].weight.requires_grad_(False)
    before = frozen.clone()
    train(m, opt, 4)
    assert torch.equal(before, frozen) and opt.state.get(frozen, {}).get("step", 0) == 0


# ------------------------------------------------------------------------------------------------- native classes
@pytest.mark.parametrize(("made", "cls"), [(adam(), torch.optim.Adam), (adamw(), torch.optim.AdamW), (sgd(), torch.optim.SGD)], ids=repr)
def test_pytorchs_own_class_where_it_is_the_same_mathematics(made: Spec, cls: type) -> None:
    opt = make(made, model())
    assert type(opt) is cls and opt.defaults["fused"] is True


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (adam(amsgrad=True, convention="optax"), "torch.optim.Adam keeps the maximum of the raw moment"),
        (prodigy(), "PyTorch ships no prodigy"),
        (adamw(lr=schedules.cosine(T_max=10)), "lr is a schedule; a torch.optim class takes numbers"),
    ],
    ids=lambda x: str(x)[:30],
)
def test_native_by_name_says_why_not(made: Spec, reason: str) -> None:
    with pytest.raises(LossoptError) as caught:
        make(made, model(), "native")
    assert str(caught.value) == f"no native executor for {made!r}: {reason}. Leave executor out, or name 'replay' or 'single'"


def test_repr_says_which_executor() -> None:
    assert repr(make(lion(), model())).startswith("RuleOptimizer lion(), executor 'replay'")
    assert repr(make(prodigy(), model())).startswith("RuleOptimizer prodigy(), executor 'single' (")


# ------------------------------------------------------------------------------------------------- PyTorch's schedulers
def test_a_scheduler_drives_every_learning_rate(spec: Spec) -> None:
    """Half the lr from the start is half of each lr, of specs with several too."""
    ours, theirs = model(), model()
    opt = make(spec, ours)
    scheduler = lr_scheduler.LambdaLR(opt, lambda _: 0.5)
    train(ours, opt, 4, scheduler.step)
    train(theirs, make(with_lr(spec, lambda lr: lr / 2), theirs), 4)
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-12, atol=1e-13)


SCHEDULERS = {
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 10),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=20),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.1, total_iters=4), lr_scheduler.ExponentialLR(o, 0.9)], [4]
    ),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, step_size_up=4),
}


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_schedulers_see_one_lr_of_every_spec(spec: Spec, scheduler: str) -> None:
    """What they set is what stands in the group, as of torch.optim.AdamW with that lr; steps do not change it."""
    m = model()
    opt = make(spec, m)
    base, name = opt.param_groups[0]["lr"], scheduler
    theirs = torch.optim.AdamW(model().parameters(), lr=base)
    made = []
    for o in (opt, theirs):
        cycles = "momentum" in o.param_groups[0] or "betas" in o.param_groups[0]
        wanted = {"cycle_momentum": cycles} if name in ("OneCycleLR", "CyclicLR") else {}
        own = {"OneCycleLR": lambda o, w: lr_scheduler.OneCycleLR(o, 0.1, total_steps=20, **w),
               "CyclicLR": lambda o, w: lr_scheduler.CyclicLR(o, 0.01, 0.1, step_size_up=4, **w)}.get(name)  # fmt: skip
        made.append(own(o, wanted) if own else SCHEDULERS[name](o))
    lrs: list[tuple[float, float]] = []

    def after() -> None:
        theirs.step()
        for s in made:
            s.step()
        lrs.append((opt.param_groups[0]["lr"], theirs.param_groups[0]["lr"]))

    train(m, opt, 3, after)
    assert [a for a, _ in lrs] == [b for _, b in lrs] and torch.isfinite(flat(m)).all()


SEVERAL = {
    "route": route(lion(lr=0.01), adamw(lr=0.05), to=("*.weight", "*")),
    "schedule_free": schedule_free(sgd(lr=0.05), lr=0.05),
}


def test_a_spec_with_several_learning_rates_has_one_for_schedulers() -> None:
    """`lr` is the first that is not 0; changed, it changes all by the same factor, as the lrs of separate groups are changed."""
    ours, theirs = model(), model()
    opt = make(SEVERAL["route"], ours)
    assert [opt.param_groups[0][n] for n in ("lr", "lion.lr", "adamw.lr")] == [0.01, 0.01, 0.05]
    named = dict(theirs.named_parameters())
    pair = [get_optimizer(made, "torch", params=[p for n, p in named.items() if n.endswith(kind)])
            for made, kind in ((lion(lr=0.01), "weight"), (adamw(lr=0.05), "bias"))]  # fmt: skip
    warm = lambda o: lr_scheduler.LambdaLR(o, lambda t: t / 4)  # noqa: E731  (it begins at 0)
    schedulers = [warm(o) for o in (opt, *pair)]
    for t in range(6):
        for o, m in ((opt, ours), (pair[0], theirs)):
            m.zero_grad()
            loss_of(m, t).backward()
            o.step()
        pair[1].step()
        for s in schedulers:
            s.step()
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-12, atol=1e-13)
    assert opt.param_groups[0]["adamw.lr"] == 0.05  # the base stays


@pytest.mark.parametrize("name", SEVERAL)
def test_each_of_several_learning_rates_may_be_set_by_hand(name: str) -> None:
    spec = SEVERAL[name]
    own = [n for n in spec.flat if n.endswith(".lr")]
    for chosen in own:
        a, b = model(), model()
        by_hand, made = make(spec, a), make(spec, b, groups={"*": {chosen: 0.002}})
        by_hand.param_groups[0][chosen] = 0.002
        train(a, by_hand, 3)
        train(b, made, 3)
        assert torch.equal(flat(a), flat(b))


@pytest.mark.parametrize("name", SEVERAL)
def test_our_schedules_set_each_of_several_from_its_own_base_as_in_jax(name: str) -> None:
    """With a part that does not come from lr (eta_min), which is added to each."""
    spec, schedule = SEVERAL[name], {"T_max": 5, "eta_min": 0.004}
    ours, theirs = model(), model()
    opt = make(spec, ours)
    scheduler = schedules.cosine(**schedule)
    train(ours, opt, 7, get_schedule(scheduler, "torch", optimizer=opt).step)
    train(theirs, make(with_lr(spec, lambda lr: schedules.cosine(lr=lr, **schedule)), theirs), 7)
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-12, atol=1e-13)
    saved = opt.state_dict()
    again = make(spec, model())
    again.load_state_dict(copy.deepcopy(saved))
    assert [again.param_groups[0][n] for n in saved["param_groups"][0] if n.endswith("lr")] == [
        v for n, v in saved["param_groups"][0].items() if n.endswith("lr")]  # fmt: skip


def test_several_learning_rates_of_0_follow_nothing() -> None:
    m = model()
    opt = make(route(lion(lr=0.0), adamw(lr=0.0), to=("*.weight", "*")), m)
    opt.param_groups[0]["lr"] = 0.1
    with pytest.raises(InputError) as caught:
        train(m, opt, 1)
    assert str(caught.value) == (
        "lr of a group has changed from 0 to 0.1, and lion.lr and adamw.lr were 0 too: which follows it how is not known; set them "
        "by their own names"
    )


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_torch_schedulers_drive_it_as_they_drive_adamw(scheduler: str, executor: str) -> None:
    ours, theirs = model(), model()
    for m, opt in ((ours, make(adamw(lr=0.05), ours, executor)), (theirs, torch.optim.AdamW(theirs.parameters(), lr=0.05))):
        s = SCHEDULERS[scheduler](opt)
        train(m, opt, 12, s.step)
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_parameter_whose_gradient_comes_late_counts_its_own_steps(executor: str) -> None:
    ours, theirs = model(), model()
    for m, opt in ((ours, make(adamw(lr=0.05), ours, executor)), (theirs, torch.optim.AdamW(theirs.parameters(), lr=0.05))):
        for t in range(12):
            opt.zero_grad()
            loss_of(m, t).backward()
            if t < 4 or t % 3 == 0:
                m[0].bias.grad = None
            opt.step()
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("executor", ["replay", "single"])
def test_a_learning_rate_may_be_a_schedule_and_resumes(executor: str) -> None:
    lr = schedules.cosine(lr=0.05, T_max=10)
    ours, theirs = model(), model()
    opt = make(adamw(lr=lr), ours, executor)
    train(ours, opt, 5)
    saved, half = opt.state_dict(), copy.deepcopy(ours)
    again = make(adamw(lr=lr), half, executor)
    again.load_state_dict(copy.deepcopy(saved))
    reference = torch.optim.AdamW(theirs.parameters(), lr=0.05)
    scheduler = lr_scheduler.CosineAnnealingLR(reference, 10)
    train(theirs, reference, 10, scheduler.step)
    train(ours, opt, range(5, 10))
    train(half, again, range(5, 10))
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-12, atol=1e-13)
    assert torch.equal(flat(ours), flat(half))


@pytest.mark.parametrize("executor", ["replay", "single"])
@pytest.mark.parametrize("how", ["schedule", "by hand"])
def test_momentum_may_begin_at_zero(how: str, executor: str) -> None:
    p = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    momentum = (lambda step: 0.0 if step < 2 else 0.5) if how == "schedule" else 0.0
    opt = get_optimizer(sgd(lr=1.0, momentum=momentum), "torch", params=[p], executor=executor)
    moves = []
    for t in range(4):
        if how == "by hand":
            opt.param_groups[0]["momentum"] = 0.0 if t < 2 else 0.5
        before, p.grad = p.item(), torch.ones(1, dtype=torch.float64)
        opt.step()
        moves.append(p.item() - before)
    # with a schedule the buffer is there from the start; by hand it begins when it is asked for, as in torch.optim.SGD
    assert moves == ([-1.0, -1.0, -1.5, -1.75] if how == "schedule" else [-1.0, -1.0, -1.0, -1.5])


# ------------------------------------------------------------------------------------------------- groups
@pytest.mark.parametrize("executor", EXECUTORS)
def test_groups_by_pattern_equal_groups_by_hand(executor: str) -> None:
    ours, theirs = model(), model()
    opt = make(adamw(lr=0.05, weight_decay=0.1), ours, executor, groups={"*.bias": {"weight_decay": 0.0}, "2.*": {"lr": 0.01}})
    p = dict(theirs.named_parameters())
    reference = torch.optim.AdamW(
        [
            {"params": [p["0.weight"]]},
            {"params": [p["0.bias"]], "weight_decay": 0.0},
            {"params": [p["2.weight"]], "lr": 0.01},
            {"params": [p["2.bias"]], "lr": 0.01, "weight_decay": 0.0},
        ],
        lr=0.05,
        weight_decay=0.1,
    )
    train(ours, opt, 10)
    train(theirs, reference, 10)
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-12, atol=1e-13)


def test_groups_in_torchs_own_form_and_foreign_spelling() -> None:
    m = model()
    opt = get_optimizer("lion", "torch", params=[{"params": m[0].parameters()}, {"params": m[2].parameters(), "learning_rate": 0.5}])
    assert [g["lr"] for g in opt.param_groups] == [1e-4, 0.5]


def test_a_group_added_later_joins() -> None:
    m = model()
    opt = get_optimizer("prodigy", "torch", params=m[0].parameters())
    train(m, opt, 2)
    before = m[2].weight.clone()
    opt.add_param_group({"params": list(m[2].parameters())})
    train(m, opt, range(2, 4))
    assert not torch.equal(before, m[2].weight)


def test_a_half_precision_group_added_later_leaves_replay_for_single() -> None:
    m, half = model(), torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
    opt = make(lion(lr=0.1), m)
    opt.add_param_group({"params": [("half", half)], "learning_rate": 0.5})
    half.grad = torch.ones_like(half)
    opt.step()
    assert half.tolist() == [0.5] * 3 and opt.state[half]["exp_avg"].dtype == torch.float32
    assert "executor 'single' (" in repr(opt)


# ------------------------------------------------------------------------------------------------- scaler, hooks, averages
@pytest.mark.parametrize("executor", ["replay", "single"])
def test_grad_scaler_skips_a_step_with_infinite_gradients(executor: str) -> None:
    m = model(torch.float32)
    opt = make(lion(), m, executor)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    before = flat(m)
    scaler.scale(loss_of(m)).backward()
    m[0].weight.grad[0, 0] = float("inf")
    scaler.step(opt)
    scaler.update()
    assert torch.equal(before, flat(m)) and not opt.state and scaler.get_scale() == 2.0**9
    opt.zero_grad()
    scaler.scale(loss_of(m)).backward()
    scaler.step(opt)
    assert not torch.equal(before, flat(m))


def test_step_hooks_run() -> None:
    m = model()
    opt, seen = make(lion(), m), []
    opt.register_step_pre_hook(lambda *_: seen.append("pre"))
    opt.register_step_post_hook(lambda *_: seen.append("post"))
    train(m, opt, 2)
    assert seen == ["pre", "post"] * 2


def test_the_evaluation_point_of_ema_is_torchs_averaged_model() -> None:
    ours, theirs = model(), model()
    opt = make(ema(adamw(lr=0.05), decay=0.9), ours)
    reference = torch.optim.AdamW(theirs.parameters(), lr=0.05)
    average = torch.optim.swa_utils.AveragedModel(theirs, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    train(ours, opt, 10)
    train(theirs, reference, 10, lambda: average.update_parameters(theirs))
    training = flat(ours)
    opt.eval()
    torch.testing.assert_close(flat(ours), flat(average.module), rtol=1e-12, atol=1e-13)
    with pytest.raises(LossoptError) as caught:
        opt.step()
    assert str(caught.value) == "the parameters are at the evaluation point: call optimizer.train() before step()"
    opt.train()
    assert torch.equal(flat(ours), training)


def test_schedule_free_evaluates_elsewhere_and_comes_back() -> None:
    m = model()
    opt = make(schedule_free_adamw(lr=0.05), m)
    train(m, opt, 10)
    training = flat(m)
    opt.eval()
    assert not torch.equal(training, flat(m))
    opt.train()
    assert torch.equal(training, flat(m))


def test_apply_if_finite_leaves_the_inner_count_alone() -> None:
    ours, theirs = model(), model()
    for m, opt in ((ours, make(apply_if_finite(adamw(lr=0.05)), ours)), (theirs, torch.optim.AdamW(theirs.parameters(), lr=0.05))):
        for t in range(8):
            opt.zero_grad()
            loss_of(m, t).backward()
            if t in (3, 5):
                if m is theirs:
                    continue
                m[0].weight.grad[0, 0] = float("nan")
            opt.step()
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-12, atol=1e-13)


# ------------------------------------------------------------------------------------------------- compile and processes
def test_twenty_learning_rates_one_recording() -> None:
    """Nothing is recorded or compiled again when numbers change."""
    runs = []

    @optimizer(slots=("exp_avg",))
    def counting_lion(ops: Any, grad: Any, state: Any, param: Any, *, lr: float = 1e-4, beta: float = 0.9) -> Any:
        runs.append(1)
        average = ops.lerp(state.exp_avg, grad, 1 - beta)
        return -lr * ops.sign(average), state.replace(exp_avg=average)

    m = model()
    opt = make(counting_lion(), m, "replay")
    train(m, opt, 1)
    recorded = len(runs)
    for t in range(20):
        opt.param_groups[0]["lr"] = 1e-3 / (t + 1)
        opt.param_groups[0]["beta"] = 0.9 - t / 100
        train(m, opt, 1)
    assert len(runs) == recorded


COMPILED = {"native": adamw(lr=0.05), "replay": lion(lr=0.01), "single": chain(clip_by_global_norm(max_norm=0.1), adamw(lr=0.05)),
            "cond": lookahead(adamw(lr=0.05), every=2)}  # fmt: skip


@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_training_step_is_the_plain_one_and_no_learning_rate_compiles_it_anew(name: str) -> None:
    """A few specs, each carried in another way; Inductor itself is PyTorch's affair, and takes seconds."""
    torch.compiler.reset()
    ends, graphs = [], []
    for compiled in (True, False):
        m = model()
        opt = make(COMPILED[name], m)
        scheduler = lr_scheduler.ExponentialLR(opt, 0.9)

        def step(t: int, m: Any = m, opt: Any = opt) -> None:
            opt.zero_grad()
            (m(X.double()) - 0.1).square().mean().backward()
            opt.step()

        take = torch.compile(step, backend="aot_eager") if compiled else step
        for _ in range(6):
            take(0)
            scheduler.step()
            graphs.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
        ends.append(flat(m))
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-12, atol=1e-13)
    assert 0 < graphs[2] == graphs[5], graphs


DISTRIBUTED = """
import os, sys, traceback, torch, torch.distributed as dist, torch.multiprocessing as mp
from specs import every_spec
from test_torch_ecosystem import make, train
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from lossopt.optimizers import adamw, lamb
from lossopt.transforms import chain, clip_by_global_norm

OTHERS = {"amsgrad of optax": adamw(lr=0.05, amsgrad=True, convention="optax"), "large lamb": lamb(lr=0.05),
          "clip that bites": chain(clip_by_global_norm(max_norm=0.1), adamw(lr=0.05))}
LOOSER = {"soap": 1e-9}  # 5e-12 measured: eigenvectors of sums that two processes add in another order

def model(size):
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, size), torch.nn.Tanh(), torch.nn.Linear(size, 2)).double()

def full(p):
    p = p.detach()
    return (p.full_tensor() if hasattr(p, "full_tensor") else p).flatten()

def worker(rank, port):
    try:
        compare_all(rank, port)
    except BaseException:
        traceback.print_exc()  # the first process would be waited for by the other
        os._exit(1)

def compare_all(rank, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port, RANK=str(rank), WORLD_SIZE="2")
    dist.init_process_group("gloo")
    mesh = init_device_mesh("cpu", (2,))
    for name, spec in {**OTHERS, **every_spec()}.items():
        size = 3 if name in OTHERS else 4  # 3: shards of 2 rows and of 1, of which a DTensor refuses some reshapes
        alone, sharded, replicated = model(size), model(size), model(size)
        train(alone, make(spec, alone), 3)
        fully_shard(sharded, mesh=mesh)
        train(sharded, make(spec, sharded), 3)
        runs = {"FSDP2": sharded}
        if name in OTHERS:
            runs["DDP"] = wrapped = DistributedDataParallel(replicated)
            train(wrapped, make(spec, wrapped), 3)
        for how, m in runs.items():
            for a, b in zip(alone.parameters(), m.parameters(), strict=True):
                bound = LOOSER.get(name, 1e-12)
                torch.testing.assert_close(full(a), full(b), rtol=bound, atol=bound / 10, msg=lambda s: f"{how} {spec}: {s}")
    os.write(1, f"rank {rank} equal\\n".encode())  # in one piece, whatever the other process writes
    dist.barrier()
    os._exit(0)  # gloo's threads sometimes abort a process that closes its group: "terminate called without an active exception"

if __name__ == "__main__":
    for process in mp.spawn(worker, args=(sys.argv[1],), nprocs=2, join=False).processes:
        process.join()
"""


def test_ddp_and_fsdp2_give_the_numbers_of_one_process(tmp_path: Any) -> None:
    """Every spec under FSDP2: a norm of a shard in the place of the whole one's would show at once.

    https://github.com/pytorch/pytorch/issues/144054: ``p.grad.norm().item()`` of a DTensor is that of its shard.
    """
    script = tmp_path / "distributed.py"
    script.write_text(DISTRIBUTED)
    port = str(20000 + os.getpid() % 20000)
    here = os.path.dirname(__file__)
    env = {**os.environ, "PYTHONPATH": ":".join([here, *sys.path]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-W", "ignore", str(script), port], env=env, capture_output=True, text=True, timeout=300)
    assert sorted(done.stdout.splitlines()) == ["rank 0 equal", "rank 1 equal"], done.stderr[-3000:]


# ------------------------------------------------------------------------------------------------- numbers and errors
@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("beta2", [0.999, 0.99999])
@pytest.mark.parametrize("step", [1, 10, 100])
def test_a_float32_adam_update_is_within_5e7_of_the_truth(beta2: float, step: int, executor: str) -> None:
    generator = torch.Generator().manual_seed(0)
    made, referee = adam(betas=(0.9, beta2)), get_optimizer(adam(betas=(0.9, beta2)), "numpy")
    p = torch.nn.Parameter(torch.zeros(500))
    opt, truth = get_optimizer(made, "torch", params=[p], executor=executor), referee.init({"w": p.detach().double().numpy()})
    for _ in range(step):
        p.grad = torch.randn(500, generator=generator)
        p.data.zero_()  # so that the parameter is the update, unrounded
        exact, truth = referee.update({"w": p.grad.double().numpy()}, truth, {"w": p.detach().double().numpy()})
        opt.step()
    error = p.detach().double() - torch.from_numpy(exact["w"])
    assert (error.square().mean().sqrt() / torch.from_numpy(exact["w"]).square().mean().sqrt()).item() < 5e-7


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (list, "lion got an empty parameter list: give model.parameters(), a fresh one if it is a generator used before"),
        (model, "lion takes parameters, not a module: write params=model.parameters() or model.named_parameters()"),
        (lambda: torch.zeros(3), "lion takes an iterable of parameters, got one tensor: write params=[tensor]"),
        (lambda: 3, "lion takes an iterable of parameters, got int: write params=model.parameters()"),
        (lambda: [1.0], "lion: parameters must be torch tensors, got float"),
        (lambda: [torch.zeros(3, dtype=torch.long)], "lion takes floating-point parameters, got torch.int64"),
        (lambda: [torch.zeros(3, dtype=torch.cfloat)], "lion takes real parameters, got torch.complex64: optimize torch.view_as_real(p)"),
        (lambda: [{"param": []}], "lion: every group is a dict with 'params', got {'param': []}"),
    ],
)
def test_wrong_parameters(params: Any, message: str) -> None:
    with pytest.raises(LossoptError) as caught:
        get_optimizer("lion", "torch", params=params())
    assert str(caught.value) == message


def test_sparse_gradients_are_refused() -> None:
    embedding = torch.nn.Embedding(5, 2, sparse=True)
    opt = get_optimizer("lion", "torch", params=embedding.parameters())
    embedding(torch.tensor([1])).sum().backward()
    with pytest.raises(LossoptError) as caught:
        opt.step()
    assert str(caught.value) == "lion takes dense gradients: make the embedding with sparse=False"


def test_a_rule_that_needs_the_loss_says_so() -> None:
    m = model()
    opt = get_optimizer("polyak_sgd", "torch", params=m.parameters())
    loss_of(m).backward()
    with pytest.raises(LossoptError) as caught:
        opt.step()
    assert str(caught.value) == (
        "polyak_sgd needs 'value': give the loss to this update, value=loss (torch: step(closure) or step(value=loss))"
    )


def test_clip_then_adamw_is_torchs_clip_then_adamw() -> None:
    ours, theirs = model(), model()
    train(ours, make(chain(clip_by_global_norm(max_norm=0.1), adamw(lr=0.05)), ours), 10)
    reference = torch.optim.AdamW(theirs.parameters(), lr=0.05)

    def clip(*_: Any) -> None:
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.1)

    reference.register_step_pre_hook(clip)
    train(theirs, reference, 10)
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-12, atol=1e-13)
