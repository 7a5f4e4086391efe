"""Replay equals the plain rule: values, state, NaN, whatever the numbers do; and it allocates no more than its scratch."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from lossopt import definition, transforms
from lossopt import optimizers as rules
from lossopt.errors import DefinitionError
from lossopt.vector import State
from lossopt_torch.optimizers import emit
from lossopt_torch.replay import Replay, executor, why_not


def rule(**data):
    """`lossopt.optimizer`, kept out of the registry: other tests list every optimizer there is."""

    def decorate(text):
        heard = definition.listeners[:]
        definition.listeners.clear()
        try:
            return definition.optimizer(**data)(text)
        finally:
            definition.listeners.extend(heard)

    return decorate


# ------------------------------------------------------------------------------------------------- rules that strain it
@rule(slots=("a", "b"))
def exchanging(ops, grad, state, param, *, lr=0.1):
    """Two slots that need each other's old values."""
    return -lr * (state.a - state.b), state.replace(a=state.b + grad, b=state.a - grad)


@rule(slots=("a", "b", "c"))
def copying(ops, grad, state, param, *, lr=0.1):
    """Slots that hold an input, another slot's old value, and another slot's new value."""
    return -lr * (grad + state.b), state.replace(a=grad, b=state.a, c=grad)


@rule(slots=("old",))
def reading_late(ops, grad, state, param, *, lr=0.1):
    """The old slot is read after a reduction over the new one, which is read by another reduction."""
    new = state.old + grad
    scale = 1 / (1 + ops.norm(new))
    direction = scale * state.old + grad
    return -lr / (1 + ops.mean(ops.abs(direction))) * direction, state.replace(old=new)


def counting_start(ops, param, *, begin):
    return State(average=param, product=ops.number(1.0), count=ops.number(begin))


@rule(start=counting_start)
def counting(ops, grad, state, param, step, *, lr=0.1, begin=2.0, power=0.5):
    """Number slots, a hyperparameter called as a function of the host is, and a branch on the step."""
    product = state.product * (1 - 0.5 * 0.96 ** (step * power))
    count = ops.maximum(state.count + 1, ops.sqrt(lr)) % 5
    average = ops.cond(step % 3 == 0, lambda: param, lambda: ops.lerp(state.average, param, 1 / (1 + count)))
    delta = -lr / (1 - product) * ops.where(count > 2, grad, grad - 0.1 * average)
    return delta, state.replace(average=average, product=product, count=count)


@rule(slots=("sum", "k0"))
def masking(ops, grad, state, param, *, lr=0.1, low=-0.5):
    """Conditions as tensors; slots called as something in the program is."""
    agree = (grad * state.sum > 0) | (state.k0 <= low)
    share = ops.mean(ops.cast(agree, param.dtype))
    update = ops.where(agree & (grad != 0), grad, 0.0) / ops.maximum(share, 0.25)
    return -lr * update, state.replace(sum=ops.minimum(state.sum + grad, 0.7), k0=ops.zeros_like(param) - update)


@rule(slots=("v",))
def transcendental(ops, grad, state, param, step, *, lr=0.1, eps=1e-3):
    v = ops.maximum(state.v, ops.abs(-2 * grad)) + 0.01
    scale = ops.exp(-v) * ops.log(1 + v) * (v**1.5 + 1 / (v + 1)) + v**2
    bound = ops.minimum(lr, 1 / ops.sqrt(step))
    return -bound * ops.sign(-3 * grad) * ops.sqrt(scale + eps) / ops.maximum(scale, v), state.replace(v=v)


@rule()
def normalizing(ops, grad, state, param, *, lr=0.1, eps=1e-8):
    total = ops.sum(grad) + ops.dot(grad, param)
    return -lr * (grad / (ops.norm(2 * grad) + eps) + ops.where(total > 0, 1.0, -1.0) * 0.1), state


SPECS = {
    "adam": rules.adam(),
    "adam coupled decay": rules.adam(weight_decay=0.1),
    "adam amsgrad": rules.adam(amsgrad=True, maximize=True),
    "adam amsgrad corrected": rules.adam(amsgrad=True, convention="optax"),
    "adamw": rules.adamw(weight_decay=0.1),
    "lion": rules.lion(weight_decay=0.1),
    "sgd": rules.sgd(lr=0.1),
    "sgd momentum": rules.sgd(lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.1),
    "sgd nesterov": rules.sgd(lr=0.1, momentum=0.9, nesterov=True, maximize=True),
    "sgd keras": rules.sgd(momentum=0.9, weight_decay=0.1, convention="keras"),
    "rmsprop": rules.rmsprop(weight_decay=0.1, momentum=0.9),
    "rmsprop optax": rules.rmsprop(momentum=0.9, convention="optax"),
    "adagrad": rules.adagrad(lr_decay=0.1, initial_accumulator_value=0.2),
    "adagrad keras": rules.adagrad(weight_decay=0.1, convention="keras"),
    "adadelta": rules.adadelta(weight_decay=0.1),
    "lamb": rules.lamb(weight_decay=0.1),
    "schedule_free_adamw": rules.schedule_free_adamw(weight_decay=0.1),
    "lr 0": rules.adamw(lr=0.0),
    "eps 0": rules.adam(eps=0.0),
    "betas 0": rules.adamw(betas=(0.0, 0.0)),
    "beta 0": rules.lion(betas=(0.0, 0.9)),
    "tiny lr and large decay": rules.adamw(lr=1e-30, weight_decay=1e20),
    **{r.name: r() for r in (exchanging, copying, reading_late, counting, masking, transcendental, normalizing)},
}
TABLE = pytest.mark.parametrize("spec", [pytest.param(s, id=name) for name, s in SPECS.items()])


@pytest.fixture(params=["blocks", "lists"])
def path(request, monkeypatch):
    """Everything in blocks of 50 elements, or everything in lists."""
    monkeypatch.setattr(executor, "BLOCK", 50)
    monkeypatch.setattr(executor, "SMALL", 1 if request.param == "blocks" else 10**9)
    return request.param


def make_params(dtype, seed=0):
    """A scalar, one block, two, two and a rest; channels last; transposed; nothing at all."""
    random = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=random, dtype=torch.float64).to(dtype)

    image = normal(2, 3, 4, 5).to(memory_format=torch.channels_last)
    tensors = [normal(), normal(7), normal(10, 10), normal(125), image, normal(9, 8).T, normal(0)]
    return [torch.nn.Parameter(t) for t in tensors]


def set_gradients(step, *sides, spoil=None):
    """New gradient tensors with the same values on every side, as after zero_grad(set_to_none=True)."""
    for params in sides:
        random = torch.Generator().manual_seed(100 + step)
        for p in params:
            p.grad = torch.empty_like(p).copy_(torch.randn(p.shape, generator=random, dtype=torch.float64))  # strides of p
            if spoil is not None and p.dim() == 1 and len(p):
                p.grad[:5] = torch.tensor(spoil, dtype=p.dtype)


def states(optimizer, params):
    return [{"param": p.detach(), **optimizer.state[p]} for p in params]


def assert_near(replayed, plain, tolerance):
    """Every value within `tolerance` of the largest of its slot: an element alone may be the rest of a sum that cancels."""
    largest = {}
    for own in plain:
        for name, value in own.items():
            finite = torch.as_tensor(value).flatten()
            largest[name] = max([largest.get(name, 0.0), *finite[finite.isfinite()].abs().tolist()])
    for i, (a, b) in enumerate(zip(replayed, plain, strict=True)):
        assert a.keys() == b.keys()
        for name in a:
            x, y = (torch.as_tensor(v, dtype=torch.float64) for v in (a[name], b[name]))
            allowed = tolerance * largest[name]
            torch.testing.assert_close(x, y, rtol=0, atol=allowed, equal_nan=True, msg=lambda m, i=i, n=name: f"{i} {n}: {m}")


def pair(spec, dtype):
    """The spec by replay and by the plain rule, on equal parameters; each with its parameters."""
    made = []
    for kind in ("replay", "single"):
        params = make_params(dtype)
        made.append((emit(spec, params=params, executor=kind), params))
    return made


# ------------------------------------------------------------------------------------------------- the contract
@TABLE
def test_replay_is_the_plain_rule_for_100_steps(spec, path):
    (replay, ours), (plain, theirs) = pair(spec, torch.float64)
    for step in range(100):
        set_gradients(step, ours, theirs)
        for optimizer in (replay, plain):
            optimizer.param_groups[0]["lr"] = spec.flat["lr"] * (1 + 0.1 * (step % 7))
            optimizer.step()
    assert_near(states(replay, ours), states(plain, theirs), 1e-12)


@TABLE
def test_an_update_in_float32_is_the_plain_one(spec, path):
    (replay, ours), (plain, theirs) = pair(spec, torch.float32)
    for step in range(6):
        set_gradients(step, ours, theirs)
        replay.step()
        plain.step()
        assert_near(states(replay, ours), states(plain, theirs), 1e-6)
        plain.load_state_dict(copy.deepcopy(replay.state_dict()))
        for a, b in zip(ours, theirs, strict=True):
            b.data.copy_(a)


@TABLE
@pytest.mark.parametrize("spoiled", [0, 2])
@pytest.mark.parametrize("spoil", [[0.0, -0.0, 1.0, float("nan"), 0.0], [float("inf"), float("-inf"), 0.0, 1.0, -1.0]], ids=["nan", "inf"])
def test_nan_and_infinity_pass_as_in_the_plain_rule(spec, spoil, spoiled, path):
    """In one update.  After it the parameter itself may be infinite, and there the two differ by design: a decay of
    exactly 0 does not read the parameter, as it does not in PyTorch, and the plain rule adds ``0 * inf``."""
    (replay, ours), (plain, theirs) = pair(spec, torch.float64)
    for step in range(spoiled + 1):
        set_gradients(step, ours, theirs, spoil=spoil if step == spoiled else None)
        replay.step()
        plain.step()
    assert_near(states(replay, ours), states(plain, theirs), 1e-12)


@pytest.mark.parametrize("name", ["adamw", "lamb", "masking"])
def test_real_sizes(name):
    """Several blocks and a rest, one block, and a list in one step; the sizes of the module."""
    shapes = [(executor.BLOCK + 70_001,), (300, 300), (64,), (5,)]
    made = []
    for kind in ("replay", "single"):
        random = torch.Generator().manual_seed(0)
        params = [torch.nn.Parameter(torch.randn(s, generator=random)) for s in shapes]
        made.append((emit(SPECS[name], params=params, executor=kind), params))
    (replay, ours), (plain, theirs) = made
    for step in range(2):
        set_gradients(step, ours, theirs)
        replay.step()
        plain.step()
    assert_near(states(replay, ours), states(plain, theirs), 2e-6)


# ------------------------------------------------------------------------------------------------- numbers and programs
def one_step(replay, group, value=1.0, seed=0):
    random = torch.Generator().manual_seed(seed)
    param, grad = (torch.randn(5000, generator=random) for _ in range(2))
    slots = {"exp_avg": torch.full((5000,), value), "exp_avg_sq": torch.full((5000,), value), "step": 3}
    replay.step([(group, param, grad, slots)])
    return param


def test_changed_numbers_record_nothing_anew():
    replay = Replay(rules.adamw())
    group = dict(replay.spec.flat)
    for lr, betas, eps, decay in [(1e-3, (0.9, 0.999), 1e-8, 0.01), (0.3, (0.5, 0.9), 1e-3, 0.2), (1e-7, (0.0, 0.0), 1e-12, 0.3)]:
        one_step(replay, {**group, "lr": lr, "betas": betas, "eps": eps, "weight_decay": decay})
    assert len(replay.plans) == 1


def test_a_plan_prints_as_the_source_that_runs():
    replay = Replay(rules.adamw())
    one_step(replay, replay.spec.flat)
    printed = str(replay.plans[0])
    compile(printed, "printed", "exec")
    assert [line for line in printed.splitlines() if line.startswith("def ")] == [
        "def numbers(lr, betas_0, betas_1, eps, weight_decay, step):",
        "def run(tensors, k0, k1, k2, k3, k4):",
        "def run(param, grad, exp_avg, exp_avg_sq, k0, k1, k2, k3, k4):",
    ]


def test_a_number_that_is_zero_has_a_program_of_its_own():
    replay = Replay(rules.adamw())
    group = dict(replay.spec.flat)
    for decay in (0.01, 0.0, 0.02, 0.0):
        one_step(replay, {**group, "weight_decay": decay})
    assert len(replay.plans) == 2
    with_decay, without = sorted(replay.plans, key=lambda plan: -plan.blocks.source.count("\n"))
    assert (with_decay.blocks.source.count("torch."), without.blocks.source.count("torch.")) == (7, 6)


def test_the_result_depends_on_the_numbers_of_the_step_alone():
    """Bit for bit: which program runs is no matter of history, so that a resumed run is the run."""
    travelled, group = Replay(rules.adamw()), dict(rules.adamw().flat)
    for change in ({"weight_decay": 0.0}, {"lr": 0.0}, {"eps": 0.0}, {"lr": 1.0, "weight_decay": 1.0}):
        one_step(travelled, {**group, **change})
    assert torch.equal(one_step(travelled, group), one_step(Replay(rules.adamw()), group))


def test_a_switch_records_anew():
    replay = Replay(rules.adamw())
    for switch in (False, True):
        one_step(replay, {**replay.spec.flat, "maximize": switch})
    assert len(replay.plans) == 2


def test_programs_kept_are_few(monkeypatch):
    monkeypatch.setattr(executor, "PLANS", 2)
    replay = Replay(rules.adamw())
    for change in ({}, {"weight_decay": 0.0}, {"lr": 0.0}, {"lr": 1e-30, "weight_decay": 1e20}):
        one_step(replay, {**replay.spec.flat, **change})
    assert len(replay.plans) == 2


def test_groups_and_steps_of_their_own():
    """Two groups, and a parameter that had no gradient at first: each has its own lr and its own step count."""
    made = []
    for kind in ("replay", "single"):
        params = make_params(torch.float64)
        groups = [{"params": params[:3], "lr": 0.1}, {"params": params[3:], "weight_decay": 0.2}]
        made.append((emit(rules.adamw(), params=groups, executor=kind), params))
    (replay, ours), (plain, theirs) = made
    for step in range(4):
        set_gradients(step, ours, theirs)
        if step < 2:
            ours[1].grad = theirs[1].grad = None
        replay.step()
        plain.step()
    assert replay.state[ours[1]]["step"] == 2
    assert replay.state[ours[0]]["step"] == 4
    assert_near(states(replay, ours), states(plain, theirs), 1e-12)


def test_number_slots_are_updated_on_the_host():
    optimizer, params = pair(counting(), torch.float64)[0]
    set_gradients(0, params)
    optimizer.step()
    assert {n: v for n, v in optimizer.state[params[0]].items() if n != "average"} == {
        "product": 1 - 0.5 * 0.96**0.5, "count": 3.0, "step": 1}  # fmt: skip


def test_a_replay_is_copied_as_its_spec():
    replay = Replay(rules.adamw(lr=0.5))
    one_step(replay, replay.spec.flat)
    for other in (copy.copy(replay), copy.deepcopy(replay)):
        assert other.spec == replay.spec
        assert torch.equal(one_step(other, other.spec.flat), one_step(replay, replay.spec.flat))


# ------------------------------------------------------------------------------------------------- memory
class Watch(TorchDispatchMode):
    """The bytes of every storage that operations return and that was not there before; and every wait for a number."""

    def __init__(self, known):
        super().__init__()
        self.known, self.new, self.waits = {t.untyped_storage().data_ptr() for t in known}, {}, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.waits += "_local_scalar_dense" in str(func)
        result = func(*args, **(kwargs or {}))
        for out in result if isinstance(result, list | tuple) else [result]:
            if isinstance(out, torch.Tensor) and out.untyped_storage().data_ptr() not in self.known:
                self.new[out.untyped_storage().data_ptr()] = out.untyped_storage().nbytes()
        return result


@pytest.mark.parametrize("name", ["adamw", "lion", "lamb", "rmsprop", "schedule_free_adamw"])
def test_large_tensors_take_scratch_of_one_block_and_never_wait(name):
    param = torch.nn.Parameter(torch.randn(3 * executor.BLOCK + 1))
    optimizer = emit(SPECS[name], params=[param], executor="replay")
    set_gradients(0, [param])
    optimizer.step()
    watch = Watch([param, param.grad, *(v for v in optimizer.state[param].values() if isinstance(v, torch.Tensor))])
    optimizer._replay = Replay(SPECS[name])  # its scratch is made again, in sight
    with watch:
        optimizer.step()
    assert max(watch.new.values()) == executor.BLOCK * 4
    assert sum(watch.new.values()) <= 3 * executor.BLOCK * 4
    assert watch.waits == 0


# ------------------------------------------------------------------------------------------------- what cannot be replayed
@rule()
def branching(ops, grad, state, param, *, lr=0.1):
    return (-lr * grad if lr > 0 else grad), state


@rule()
def branching_on_tensors(ops, grad, state, param, *, lr=0.1):
    return (-lr * grad if ops.norm(grad) > 1 else grad), state


@rule()
def unpacking(ops, grad, state, param, *, lr=0.1):
    return -float(lr) * grad, state


@pytest.mark.parametrize(("spec", "message"), [
    (branching(), "branching branches on a number; use ops.where"),
    (branching_on_tensors(), "branching_on_tensors branches on a tensor; use ops.where"),
    (unpacking(), "unpacking takes a number out of the program (float, math); use the words of ops, such as ops.sqrt"),
], ids=lambda x: x.definition.name if hasattr(x, "definition") else "")  # fmt: skip
def test_rules_that_branch_are_refused(spec, message):
    with pytest.raises(DefinitionError) as error:
        why_not(spec, [torch.zeros(3)])
    assert str(error.value) == message


@rule()
def asking(ops, grad, state, param, value, *, lr=0.1):
    return -lr * value * grad, state


@rule(slots=("rows",))
def averaging_rows(ops, grad, state, param, *, lr=0.1):
    return -lr * ops.mean(grad, -1), state


@rule()
def multiplying(ops, grad, state, param, *, lr=0.1):
    return -lr * grad @ grad, state


@rule()
def waiting(ops, grad, state, param, *, lr=0.1):
    return ops.cond(ops.norm(grad) > 1, lambda: -lr * grad, lambda: grad), state


def distance_start(ops, param):
    return State(distance=ops.number(0.0))


@rule(start=distance_start)
def measuring(ops, grad, state, param, *, lr=0.1):
    return -lr * grad, state.replace(distance=state.distance + ops.norm(grad))


@rule()
def casting(ops, grad, state, param, *, lr=0.1):
    return -lr * ops.cast(grad, "bfloat16"), state


@rule()
def shaping(ops, grad, state, param, *, lr=0.1):
    return -lr / param.shape[0] * grad, state


class Tagged(torch.Tensor):
    pass


REASONS = {
    "prodigy reads all parameters at once": (rules.prodigy(), None),
    "ema wraps other rules": (transforms.ema(rules.adamw()), None),
    "asking asks for 'value'": (asking(), None),
    "averaging_rows uses ops.mean along an axis, which replay cannot record": (averaging_rows(), None),
    "multiplying multiplies matrices, which replay cannot record": (multiplying(), None),
    "waiting uses ops.cond on a tensor, which replay cannot record": (waiting(), None),
    "measuring keeps a number of each parameter's tensors in the slot 'distance', which replay cannot record": (measuring(), None),
    "casting casts to bfloat16, which replay cannot record": (casting(), None),
    "shaping reads .shape of a tensor, which replay cannot record": (shaping(), None),
    "a parameter is a Tagged, which has operations of its own": (rules.adamw(), torch.zeros(3).as_subclass(Tagged)),
    "a parameter is not dense (torch.sparse_coo)": (rules.adamw(), torch.eye(3).to_sparse()),
    "a parameter is torch.bfloat16; replay takes torch.float32 and torch.float64": (rules.adamw(), torch.zeros(3, dtype=torch.bfloat16)),
    "a parameter is torch.complex64; replay takes torch.float32 and torch.float64": (rules.adamw(), torch.zeros(3, dtype=torch.complex64)),
}


@pytest.mark.parametrize("reason", REASONS)
def test_what_cannot_be_replayed_is_said_in_words(reason):
    spec, param = REASONS[reason]
    assert why_not(spec, [torch.zeros(3) if param is None else param]) == reason


@TABLE
def test_everything_in_the_table_can_be_replayed(spec):
    assert why_not(spec, make_params(torch.float64)) is None
