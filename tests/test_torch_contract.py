"""What PyTorch asks of an optimizer, kept by every one that is emitted: saving and copying, dtypes, groups, GradScaler."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
import torch
from torch_runs import EVERY_SPEC, SPECS, flat, loss_of, make, model, slots_of, train

from lossopt import get_optimizer, optimizer
from lossopt.definition import Spec
from lossopt.errors import LossoptError


@EVERY_SPEC
def test_it_is_a_torch_optimizer_and_moves_the_parameters(spec: Spec) -> None:
    m = model()
    before, opt = flat(m), make(spec, m)
    assert isinstance(opt, torch.optim.Optimizer)
    train(m, opt, 6)
    assert torch.isfinite(flat(m)).all() and not torch.equal(before, flat(m))


# ------------------------------------------------------------------------------------------------- saved and copied
@EVERY_SPEC
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


@EVERY_SPEC
def test_a_copy_goes_on_alike_and_by_itself(spec: Spec) -> None:
    m = model()
    opt = make(spec, m)
    train(m, opt, 3)
    pair = copy.deepcopy({"model": m, "opt": opt})
    train(m, opt, range(3, 6))
    train(pair["model"], pair["opt"], range(3, 6))
    assert torch.equal(flat(m), flat(pair["model"]))


@EVERY_SPEC
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


# ------------------------------------------------------------------------------------------------- dtypes
class Scaled(torch.nn.Module):
    """With a parameter of no dimension: beside it a 0-d float64 tensor is no mere number, and would make float64 of it."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(4, 2, dtype=dtype)
        self.scale = torch.nn.Parameter(torch.tensor(1.5, dtype=dtype))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x) * self.scale


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@EVERY_SPEC
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


@EVERY_SPEC
def test_half_precision_parameters_keep_float32_state(spec: Spec) -> None:
    m = model(torch.bfloat16)
    opt = make(spec, m)
    train(m, opt, 3)
    again = make(spec, copy.deepcopy(m))
    again.load_state_dict(opt.state_dict())  # PyTorch's own load would round the moments to bfloat16
    slots = [v for o in (opt, again) for s in o.state.values() for v in s.values() if isinstance(v, torch.Tensor)]
    assert all(v.dtype == torch.float32 for v in slots if v.is_floating_point())
    assert torch.isfinite(flat(m)).all()


# ------------------------------------------------------------------------------------------------- groups, and parameters without a gradient
@EVERY_SPEC
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


@EVERY_SPEC
def test_no_parameter_is_touched_without_a_gradient(spec: Spec) -> None:
    """grad None means: not this one, no decay, no momentum, no step count."""
    m = model()
    opt = make(spec, m)
    frozen = m[0].weight.requires_grad_(False)
    before = frozen.clone()
    train(m, opt, 4)
    assert torch.equal(before, frozen) and opt.state.get(frozen, {}).get("step", 0) == 0


# ------------------------------------------------------------------------------------------------- GradScaler
UNSCALED_ELSEWHERE = {
    "sam": "GradScaler.step takes no closure; precision='float16' refuses such rules, in tests/test_precision.py",
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
