"""Wrong answers that others give without a word: none of them in what is emitted here.

Those that a test elsewhere owns already:

=====================================================================  =====================================================
the bug                                                                its test
=====================================================================  =====================================================
inject_hyperparams makes beta2 = 1 in bfloat16, then NaN               test_jax_ecosystem.py: test_in_all_of_optaxs_wrappers_
(google-deepmind/optax#1414)                                           at_once_in_bfloat16_it_does_what_it_does_alone,
                                                                       test_inject_hyperparams_and_the_bfloat16_trap
a learning rate that Python closes over compiles anew, or is not       test_jax_ecosystem.py: test_twenty_learning_rates_one_
seen (google-deepmind/optax#577)                                       compilation, test_every_buffer_is_donated_and_no_...
a slot that is a parameter cannot be donated                           test_jax_ecosystem.py: test_every_buffer_is_donated_
(google-deepmind/optax#1059)                                           and_no_learning_rate_compiles_it_anew
a norm under jit with sharded arrays, or of a shard in shard_map       test_jax_ecosystem.py: test_on_eight_devices_the_
                                                                       numbers_and_the_shards_are_the_same
a norm of a DTensor's shard (pytorch/pytorch#144054)                   test_torch_compiled_and_distributed.py: test_ddp_and_
                                                                       fsdp2_give_the_numbers_of_one_process
float32 moments loaded as bfloat16 (pytorch/pytorch#43706)             test_torch_contract.py: test_half_precision_
                                                                       parameters_keep_float32_state
a loaded optimizer goes on with another's tensors                      test_torch_contract.py: test_a_loaded_optimizer_shares_
(pytorch/pytorch#196083)                                               nothing_with_the_one_that_was_saved
no gradient taken for a gradient of zero                               test_torch_contract.py: test_no_parameter_is_touched_
                                                                       without_a_gradient; test_torch_optimizers.py: test_a_
                                                                       parameter_whose_gradient_comes_late_counts_its_own_...
NaN or infinity swallowed by a faster executor                         test_replay.py: test_nan_and_infinity_pass_as_in_the_
                                                                       plain_rule
an infinite gradient clipped to zeros and one NaN, which stays         test_transforms.py: test_skipped_updates_are_counted_
                                                                       and_change_nothing; test_torch_optimizers.py:
                                                                       test_apply_if_finite_leaves_the_inner_count_alone
labels of -100: NaN in optax, and -1 is its last class                 test_loss_inputs.py: test_ignored_labels_count_
                                                                       nowhere_even_as_small_integers, test_an_unseen_label_
                                                                       of_no_class_gives_nan_never_another_class (JAX, and
                                                                       torch.func)
labels out of range, where they can be read                            test_loss_errors.py: test_a_mistake_in_the_arrays_...
a logit of -infinity makes the loss NaN                                test_masked_losses.py: test_a_class_that_is_not_there_
                                                                       has_a_logit_of_minus_infinity
AMSGrad's maximum of another moment (google-deepmind/optax#1389)       test_torch_optimizers.py: test_native_by_name_says_why_
                                                                       not, and the rows of the parity suite
YAML 1.1 reads 1e-3 as text, `no` as False, 12:30:45 as 45045          test_recipes.py: test_scalars_are_those_of_yaml_1_2
a key that stands twice                                                test_recipes.py: test_errors_say_where_what_and_how
=====================================================================  =====================================================

One is kept, because a formula would have to change: in float32 the square of a gradient beyond 1.8e19 is infinite, and Adam's step is
0 there ever after, as in torch.optim and in optax.  A test below says what keeps it out.
"""

from __future__ import annotations

import copy
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from specs import every_spec, own
from torch_runs import make, model, slots_of, train

from lossopt import Recipe, get_optimizer, get_schedule, optimizers, registry
from lossopt.errors import ArgumentError, ConfigError, HyperparameterError, InputError
from lossopt.optimizers import adam, adamw, lion, muon, sgd
from lossopt.recipes.config import parse_recipe
from lossopt.schedules import cosine
from lossopt.transforms import accumulate, chain, clip_by_global_norm, clip_by_value, freeze, route

SPECS = every_spec()


def one_step(spec: Any, params: np.ndarray, grads: np.ndarray, **torch_options: Any) -> dict[str, np.ndarray]:
    """The parameter after one step in PyTorch and in JAX, in its own dtype, told as float64."""
    p = torch.nn.Parameter(torch.from_numpy(params.copy()))
    p.grad = torch.from_numpy(grads.copy())
    get_optimizer(spec, "torch", params=[("w", p)], **torch_options).step()
    tx, w = get_optimizer(spec, "jax"), jnp.asarray(params)
    updates, _ = tx.update(jnp.asarray(grads), tx.init(w), w)
    return {"torch": p.detach().double().numpy(), "jax": np.asarray(w + updates, np.float64)}


# ------------------------------------------------------------------------------------------------- half precision
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_second_moment_beside_bfloat16_parameters_does_not_stall(backend: str) -> None:
    """In bfloat16 it stands still at 0.5, where 0.999 * v + 0.001 rounds back to v: https://github.com/google-deepmind/optax/issues/1552."""
    steps, spec = 1500, adam(lr=0.0)
    if backend == "torch":
        p = torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
        opt = get_optimizer(spec, "torch", params=[p])
        p.grad = torch.ones_like(p)
        for _ in range(steps):
            opt.step()
        found = opt.state[p]["exp_avg_sq"].item()
    else:
        tx, w = get_optimizer(spec, "jax"), jnp.ones(1, jnp.bfloat16)
        state, _ = jax.lax.scan(lambda s, _: (tx.update(w, s, w)[1], None), tx.init(w), length=steps)
        found = float(state.slots.exp_avg_sq[0])
    assert found == pytest.approx(1 - 0.999**steps, rel=1e-4)


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_training_in_bfloat16_moves_parameters_that_bfloat16_would_hold_still(backend: str) -> None:
    """1 - 0.001 is 1 in bfloat16, so that 100 steps of Adam lead nowhere: a recipe's parameters stay float32.

    https://github.com/pytorch/pytorch/issues/120376, https://github.com/pytorch/ao/pull/1124
    """
    recipe = Recipe("l1_loss", adam(lr=1e-3), precision="bfloat16")
    x, far = np.ones((1, 1), np.float32), np.full((1, 1), -1e3, np.float32)
    if backend == "torch":
        net: Any = torch.nn.Linear(1, 1)
        torch.nn.init.ones_(net.weight)
        built = recipe.build("torch", net)
        weight = lambda: net.weight.item()  # noqa: E731
        x, far = torch.from_numpy(x), torch.from_numpy(far)
    else:
        built = recipe.build("jax", {"w": jnp.ones((1, 1))}, apply=lambda params, x: x @ params["w"])
        weight = lambda: float(built.params["w"][0, 0])  # noqa: E731
    for _ in range(100):
        built.train_step(x, far)
    assert weight() == pytest.approx(0.9, abs=1e-4)


@pytest.mark.parametrize("name", SPECS)
def test_zero_gradients_in_float16_are_no_nan(name: str) -> None:
    """eps is 0 in float16, and 0 / 0 NaN, in optax and in torch.optim.Adam: https://github.com/google-deepmind/optax/issues/1754."""
    m = model(torch.float16)
    opt = make(SPECS[name], m)

    class Still(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return m(x) * 0

    train_still(Still(), m, opt)
    assert all(torch.isfinite(p).all() for p in m.parameters())
    assert all(torch.isfinite(v).all() for v in slots_of(opt).values())


def train_still(still: torch.nn.Module, m: torch.nn.Module, opt: Any) -> None:
    still.parameters = m.parameters  # type: ignore[method-assign]
    train(still, opt, 2)
    assert not any(p.grad is None or p.grad.any() for p in m.parameters())


@pytest.mark.parametrize("name", ["adamw", "amsgrad", "nadam", "radam", "lamb", "adabelief", "rmsprop", "adafactor", "yogi"])
def test_zero_gradients_in_float16_are_no_nan_in_jax_either(name: str) -> None:
    """https://github.com/google-deepmind/optax/issues/1754; Adam itself is in test_jax_ecosystem.py."""
    tx, w = get_optimizer(name, "jax"), jnp.ones((2, 3), jnp.float16)
    state = tx.init(w)
    for _ in range(2):
        updates, state = tx.update(jnp.zeros_like(w), state, w)
        assert bool(jnp.isfinite(updates).all()) and updates.dtype == jnp.float16


def test_a_norm_of_float16_gradients_does_not_overflow() -> None:
    """300^2 is infinite in float16, and so is optax.global_norm, which makes zeros of all gradients.

    https://github.com/AI-Hypercomputer/maxtext/pull/5143
    """
    spec = chain(clip_by_global_norm(max_norm=60.0, convention="optax"), sgd(lr=1.0))
    found = one_step(spec, np.zeros(4, np.float16), np.full(4, 300.0, np.float16))
    for backend in found:
        np.testing.assert_allclose(found[backend], -30.0, rtol=1e-3, err_msg=backend)


# ------------------------------------------------------------------------------------------------- what is not finite
@pytest.mark.parametrize("executor", ["auto", "replay", "single"])
def test_a_nan_in_the_gradient_is_seen_in_the_parameter(executor: str) -> None:
    """torch.sign(nan) is 0, so that lion-pytorch takes a step of nothing; jnp.sign(nan) is NaN.

    https://github.com/pytorch/pytorch/issues/41245
    """
    found = one_step(lion(lr=0.5), np.ones(3), np.array([np.nan, 2.0, -2.0]), executor=executor)
    for backend in found:
        np.testing.assert_array_equal(found[backend], [np.nan, 0.5, 1.5], err_msg=backend)
    tx = get_optimizer(lion(lr=0.5), "numpy")
    updates, _ = tx.update(np.array([np.nan]), tx.init(np.ones(1)), np.ones(1))
    assert np.isnan(updates).all()


def test_one_huge_gradient_ends_adam_unless_it_is_bounded_first() -> None:
    """(1e25)^2 is infinite in float32, and a moment stays infinite: torch.optim.Adam and optax.adam take steps of 0 from then on.

    https://github.com/google-deepmind/optax/blob/v0.2.8/optax/_src/transform.py (scale_by_adam)
    """
    p = {"bounded": torch.nn.Parameter(torch.ones(1)), "unbounded": torch.nn.Parameter(torch.ones(1))}
    bounded = chain(clip_by_value(max_value=1e3), adam(lr=0.1))
    opts = [get_optimizer(made, "torch", params=[p[n]]) for n, made in (("bounded", bounded), ("unbounded", adam(lr=0.1)))]
    tx, w = get_optimizer(bounded, "jax"), jnp.ones(1)
    state, ends = tx.init(w), {n: [] for n in (*p, "jax")}
    for grad in (1e25, *[1.0] * 3):
        for own_p, opt in zip(p.values(), opts, strict=True):
            own_p.grad = torch.full_like(own_p, grad)
            opt.step()
        updates, state = tx.update(jnp.full(1, grad), state, w)
        w = w + updates
        for n, value in (*((n, v.item()) for n, v in p.items()), ("jax", float(w[0]))):
            ends[n].append(value)
    assert len(set(ends["bounded"])) == len(set(ends["jax"])) == 4
    assert set(ends["unbounded"]) == {1.0}  # as PyTorch's own class, which this is


# ------------------------------------------------------------------------------------------------- the wrong way
DESCENTS = [(name, convention) for name in own("optimizer") for convention in registry.definition(name, "optimizer").conventions]


@pytest.mark.parametrize(("name", "convention"), DESCENTS)
def test_every_optimizer_goes_downhill_under_every_convention(name: str, convention: str) -> None:
    """optax.adadelta() goes uphill: its lr of None leaves the sign out.

    https://github.com/google-deepmind/optax/blob/v0.2.8/optax/_src/alias.py (adadelta)
    """
    optimizer = get_optimizer(getattr(optimizers, name)(convention=convention), "numpy")
    spec, begin = optimizer.spec, {"w": np.array([[1.0, -2.0, 0.5], [-1.5, 3.0, -0.25]])}
    params, state = begin, optimizer.init(begin)
    for _ in range(5):
        value, grads = 0.5 * float((params["w"] ** 2).sum()), dict(params)
        offered = {"value": value, "metric": value, "hessian": {"w": np.ones((2, 3))},
                   "evaluate": lambda point: (0.5 * float((point["w"] ** 2).sum()), dict(point))}  # fmt: skip
        given = {"w": np.stack([0.5 * grads["w"], 1.5 * grads["w"]])} if spec.per_example else grads
        updates, state = optimizer.update(given, state, params, **{n: offered[n] for n in spec.asks})
        params = {"w": params["w"] + updates["w"]}
    assert ((params["w"] - begin["w"]) * begin["w"]).sum() < 0


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_parameters_that_are_left_out_stay_as_they_are(backend: str) -> None:
    """optax.masked passes the raw gradient of what it leaves out, which then is added to the parameter.

    https://github.com/google-deepmind/optax/issues/159; `freeze` is what is meant, or `route`.
    """
    spec = freeze(adamw(lr=0.1, weight_decay=0.1), frozen=("*.bias",))
    start = {"a.kernel": np.ones(2), "a.bias": np.ones(2)}
    if backend == "torch":
        params = {n: torch.nn.Parameter(torch.from_numpy(x.copy())) for n, x in start.items()}
        opt = get_optimizer(spec, "torch", params=params.items())
        for p in params.values():
            p.grad = torch.ones_like(p)
        opt.step()
        moved = {n: p.detach().numpy() - start[n] for n, p in params.items()}
    else:
        tx = get_optimizer(spec, backend)
        given: Any = start if backend == "numpy" else {n: jnp.asarray(x) for n, x in start.items()}
        moved, _ = tx.update(given, tx.init(given), given)
    assert not np.asarray(moved["a.bias"]).any() and (np.asarray(moved["a.kernel"]) < 0).all()


# ------------------------------------------------------------------------------------------------- numbers that are not what they seem
def test_accumulated_gradients_keep_float64() -> None:
    """optax.MultiSteps gathers in float32, whatever the gradients are.

    https://github.com/google-deepmind/optax/pull/1039
    """
    grads, spec = [0.1, 1e-9, 1 / 3], accumulate(sgd(lr=1.0), every=3, reduction="sum")
    p = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    opt = get_optimizer(spec, "torch", params=[p])
    for g in grads:
        p.grad = torch.full_like(p, g)
        opt.step()
    with jax.enable_x64(True):
        tx, w = get_optimizer(spec, "jax"), jnp.zeros(1, jnp.float64)
        state = tx.init(w)
        for g in grads:
            updates, state = tx.update(jnp.full(1, g, jnp.float64), state, w)
        assert state.slots.gathered.dtype == jnp.float64
        np.testing.assert_allclose([p.item(), float(updates[0])], -sum(grads), rtol=1e-15)


def test_a_number_that_is_text_is_no_number() -> None:
    """PyYAML reads ``lr: 1e-3`` as text, and what multiplies by it fails far away or not at all.

    https://github.com/hiyouga/LLaMA-Factory/issues/4014
    """
    assert parse_recipe("loss: mse_loss\noptimizer: {name: sgd, lr: 1e-3}").optimizer == sgd(lr=0.001)
    with pytest.raises(ConfigError) as caught:
        parse_recipe("loss: mse_loss\noptimizer: {name: sgd, lr: '1e-3'}")
    assert str(caught.value) == "recipe.yaml:2:28 optimizer.lr: must be a number, got '1e-3', a string: write 1e-3 without quotes"
    with pytest.raises(HyperparameterError) as caught_too:
        sgd(lr="1e-3")
    assert str(caught_too.value) == "sgd: lr must be a number, got '1e-3', a string: write 1e-3 without quotes"


# ------------------------------------------------------------------------------------------------- two that set one number
def scheduled(lr: Any) -> Any:
    return get_optimizer(adamw(lr=lr), "torch", params=[torch.nn.Parameter(torch.ones(2))])


OURS = {
    "a scheduler": (lambda: get_schedule("step", "torch", optimizer=scheduled(cosine(lr=0.1, T_max=10)), step_size=2),
                    "step: lr of group 0 is scheduled already, by the optimizer, which has lr=cosine(lr=0.1, T_max=10): leave step out, or give "
                    "the optimizer a number for lr"),
    "on a metric": (lambda: get_schedule("reduce_on_plateau", "torch", optimizer=scheduled(cosine(lr=0.1, T_max=10))),
                    "reduce_on_plateau: lr of group 0 is scheduled already, by the optimizer, which has lr=cosine(lr=0.1, T_max=10): leave "
                    "reduce_on_plateau out, or give the optimizer a number for lr"),
    "one of several": (lambda: get_schedule("step", "torch", step_size=2, optimizer=get_optimizer(
                           route(muon(lr=cosine(lr=0.1, T_max=10)), sgd(lr=0.1)), "torch",
                           params=torch.nn.Linear(2, 2).named_parameters())),
                       "step: muon.lr of group 0 is scheduled already, by the optimizer, which has muon.lr=cosine(lr=0.1, T_max=10): leave "
                       "step out, or give the optimizer a number for muon.lr"),
    "the momentum beside it": (lambda: get_schedule("one_cycle", "torch", total_steps=9, optimizer=get_optimizer(
                                   adamw(betas=(cosine(lr=0.9, T_max=10), 0.99)), "torch", params=[torch.nn.Parameter(torch.ones(2))])),
                               "one_cycle: betas of group 0 is scheduled already, by the optimizer, which has betas=(cosine(lr=0.9, T_max=10), "
                               "0.99): leave one_cycle out, or give the optimizer a number for betas"),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "message"), OURS.values(), ids=OURS)
def test_a_scheduler_of_what_the_optimizer_schedules_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        wrong()
    assert str(caught.value) == message


def test_a_change_that_the_optimizers_own_schedule_would_undo_is_refused() -> None:
    """A scheduler of PyTorch's, or a hand, sets ``group["lr"]``, and the next update would set it back."""
    opt = scheduled(cosine(lr=0.1, T_max=10))
    scheduler = torch.optim.lr_scheduler.StepLR(opt, step_size=1, gamma=0.5)
    p = opt.param_groups[0]["params"][0]
    p.grad = torch.ones_like(p)
    opt.step()
    scheduler.step()
    before = p.detach().clone()
    with pytest.raises(InputError) as caught:
        opt.step()
    assert str(caught.value) == (
        "lr of group 0 was set to 0.05 since the last update, by a scheduler or by hand, and the optimizer schedules it, "
        "lr=cosine(lr=0.1, T_max=10), so that this would be lost: leave it alone, or give the optimizer a number for lr"
    )
    assert torch.equal(p, before)


def test_a_schedule_goes_on_where_another_left_off() -> None:
    """What was loaded is no change by another hand, though the schedule it was set by is not the one that goes on."""
    old, new = scheduled(cosine(lr=0.1, T_max=10)), scheduled(cosine(lr=0.2, T_max=10))
    for opt in (old, new):
        p = opt.param_groups[0]["params"][0]
        p.grad = torch.ones_like(p)
        opt.step()
        opt.step()
    new.load_state_dict(old.state_dict())
    for opt in (new, old := copy.deepcopy(old)):
        for p in opt.param_groups[0]["params"]:
            p.grad = torch.ones_like(p)
        opt.step()
    assert [opt.param_groups[0]["lr"] for opt in (new, old)] == [cosine(lr=lr, T_max=10)(2) for lr in (0.2, 0.1)]
