"""What PyTorch's own tools ask of an optimizer: every emitted one keeps these contracts."""

from __future__ import annotations

import copy
import io
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from specs import every_spec
from torch.optim import lr_scheduler

from lossopt import get_optimizer, optimizer, schedules
from lossopt.definition import Spec
from lossopt.errors import LossoptError
from lossopt.optimizers import adam, adamw, lion, prodigy, schedule_free_adamw, sgd
from lossopt.transforms import apply_if_finite, chain, clip_by_global_norm, ema

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
            return loss

        asks = getattr(getattr(opt, "spec", None), "asks", frozenset())
        if asks & {"evaluate", "value"}:
            opt.step(closure)
        else:
            closure()
            opt.step(**({"metric": 1.0} if "metric" in asks else {}))
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


def test_a_deep_copy_goes_on_alike(spec: Spec) -> None:
    m = model()
    opt = make(spec, m)
    train(m, opt, 3)
    pair = copy.deepcopy({"model": m, "opt": opt})
    train(m, opt, range(3, 6))
    train(pair["model"], pair["opt"], range(3, 6))
    assert torch.equal(flat(m), flat(pair["model"]))


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
SCHEDULERS = {
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 10),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=20),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.1, total_iters=4), lr_scheduler.ExponentialLR(o, 0.9)], [4]
    ),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, step_size_up=4),
}


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


DISTRIBUTED = """
import os, sys, torch, torch.distributed as dist, torch.multiprocessing as mp
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from lossopt import get_optimizer
from lossopt.optimizers import adamw, lamb, lion
from lossopt.transforms import chain, clip_by_global_norm

SPECS = [lion(lr=0.01), adamw(lr=0.05, amsgrad=True, convention="optax"), lamb(lr=0.05),
         chain(clip_by_global_norm(max_norm=0.1), adamw(lr=0.05))]

def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 2)).double()

def train(m, spec, scale=1.0):
    opt = get_optimizer(spec, "torch", params=m.parameters())
    x = torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(6, 4)
    for t in range(5):
        opt.zero_grad()
        (m(x) - 0.3 * t).square().mean().backward()
        opt.step()

def full(p):
    p = p.detach()
    return (p.full_tensor() if hasattr(p, "full_tensor") else p).flatten()

def worker(rank, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port, RANK=str(rank), WORLD_SIZE="2")
    dist.init_process_group("gloo")
    mesh = init_device_mesh("cpu", (2,))
    for spec in SPECS:
        alone, sharded, replicated = model(), model(), model()
        train(alone, spec)
        fully_shard(sharded, mesh=mesh)
        train(sharded, spec)
        train(DistributedDataParallel(replicated), spec)
        for name, m in (("FSDP2", sharded), ("DDP", replicated)):
            for a, b in zip(alone.parameters(), m.parameters(), strict=True):
                torch.testing.assert_close(full(a), full(b), rtol=1e-12, atol=1e-13, msg=lambda s: f"{name} {spec}: {s}")
    print("rank", rank, "equal", flush=True)
    dist.barrier()
    os._exit(0)  # gloo's threads sometimes abort a process that closes its group: "terminate called without an active exception"

if __name__ == "__main__":
    for process in mp.spawn(worker, args=(sys.argv[1],), nprocs=2, join=False).processes:
        process.join()
"""


def test_ddp_and_fsdp2_give_the_numbers_of_one_process(tmp_path: Any) -> None:
    script = tmp_path / "distributed.py"
    script.write_text(DISTRIBUTED)
    port = str(20000 + os.getpid() % 20000)
    env = {**os.environ, "PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, str(script), port], env=env, capture_output=True, text=True, timeout=180)
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
