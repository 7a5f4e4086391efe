"""PyTorch's schedulers, and schedules of our own, drive every learning rate of an emitted optimizer as they drive PyTorch's."""

from __future__ import annotations

import copy

import pytest
import torch
from specs import with_lr
from torch.optim import lr_scheduler
from torch_runs import EVERY_SPEC, EXECUTORS, flat, loss_of, make, model, train

from lossopt import get_optimizer, get_schedule, schedules
from lossopt.definition import Spec
from lossopt.errors import InputError
from lossopt.optimizers import adamw, lion, sgd
from lossopt.transforms import route, schedule_free


# ------------------------------------------------------------------------------------------------- one learning rate
@EVERY_SPEC
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
@EVERY_SPEC
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


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_torch_schedulers_drive_it_as_they_drive_adamw(scheduler: str, executor: str) -> None:
    ours, theirs = model(), model()
    for m, opt in ((ours, make(adamw(lr=0.05), ours, executor)), (theirs, torch.optim.AdamW(theirs.parameters(), lr=0.05))):
        s = SCHEDULERS[scheduler](opt)
        train(m, opt, 12, s.step)
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-12, atol=1e-13)


# ------------------------------------------------------------------------------------------------- several learning rates
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


# ------------------------------------------------------------------------------------------------- hyperparameters that are schedules
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
