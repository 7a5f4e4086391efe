"""What an emitted optimizer is in PyTorch: which class runs it, its groups, hooks and averages, its rounding, what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch_runs import EXECUTORS, flat, loss_of, make, model, train

from lossopt import get_optimizer, schedules
from lossopt.definition import Spec
from lossopt.errors import LossoptError
from lossopt.optimizers import adam, adamw, lion, prodigy, schedule_free_adamw, sgd
from lossopt.transforms import apply_if_finite, chain, clip_by_global_norm, ema


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


def test_clip_then_adamw_is_torchs_clip_then_adamw() -> None:
    ours, theirs = model(), model()
    train(ours, make(chain(clip_by_global_norm(max_norm=0.1), adamw(lr=0.05)), ours), 10)
    reference = torch.optim.AdamW(theirs.parameters(), lr=0.05)

    def clip(*_: Any) -> None:
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.1)

    reference.register_step_pre_hook(clip)
    train(theirs, reference, 10)
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-12, atol=1e-13)


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
