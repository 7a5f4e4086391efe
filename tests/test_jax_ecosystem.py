"""What optax, flax and orbax ask of a transformation: every emitted one keeps these contracts."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import nnx
from flax.training.train_state import TrainState
from specs import every_spec, with_lr

from lossopt import get_optimizer, schedules
from lossopt.optimizers import adagrad, adam, adamw, lion, rmsprop, sgd
from lossopt.transforms import accumulate

SPECS = every_spec()
PARAMS = {
    "dense": {"kernel": np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3), "bias": np.array([0.1, -0.2, 0.3], np.float32)},
    "out": {"kernel": np.linspace(0.5, -0.5, 6, dtype=np.float32).reshape(3, 2)},
}


def loss_fn(params: Any) -> jax.Array:
    """A smooth bowl whose gradient is nowhere zero at PARAMS."""
    return sum(jnp.sum((leaf - 0.3) ** 2 + 0.1 * leaf) for leaf in jax.tree.leaves(params))


def gradient(tx: Any, params: Any) -> Any:
    """The gradient at a point; of two examples with this mean for rules that take each."""
    grads = jax.grad(loss_fn)(params)
    if getattr(getattr(tx, "spec", tx), "per_example", False):
        return jax.tree.map(lambda g: jnp.stack([0.5 * g, 1.5 * g]), grads)
    return grads


def params_in(dtype: Any) -> Any:
    return jax.tree.map(lambda x: jnp.asarray(x, dtype), PARAMS)


def extras(spec: Any, params: Any) -> dict[str, Any]:
    given = {"value": loss_fn(params), "metric": jnp.float32(1.0), "hessian": jax.tree.map(lambda x: jnp.full_like(x, 2.0), params)}
    found = {k: v for k, v in given.items() if k in spec.asks}
    return {**found, "value_fn": loss_fn} if "evaluate" in spec.asks else found


def run(tx: Any, steps: int = 5, params: Any = None, more: Any = None) -> Any:
    params = params_in(jnp.float32) if params is None else params
    state = tx.init(params)

    @jax.jit
    def step(params: Any, state: Any) -> Any:
        updates, state = tx.update(gradient(tx, params), state, params, **(more(params) if more else {}))
        return optax.apply_updates(params, updates), state

    for _ in range(steps):
        params, state = step(params, state)
    return params, state


@pytest.fixture(autouse=True)
def _count_traces_anew() -> None:
    """chex counts by where a function stands, so one test's traces would be the next one's."""
    chex.clear_trace_counter()


@pytest.fixture(params=SPECS, ids=list(SPECS))
def spec(request: Any) -> Any:
    return SPECS[request.param]


# ------------------------------------------------------------------------------------------------- every spec
QUICK = {"xla_backend_optimization_level": 0}
"""For programs that are compiled once and run once: a third less to compile."""

SINGULAR = ("shampoo", "soap")
"""Few gradients make singular matrices, whose eigenvectors any rounding turns (1e-3 of the parameters): they need the same program."""

FACTOR = 2.0**-10
"""A learning rate so much smaller that also those feel it that only bound a step by it (momo)."""


class Compiled(NamedTuple):
    """A spec's training step, compiled once for the tests of this process, with its buffers donated."""

    tx: Any
    step: Callable[[Any, Any], Any]
    call: Any

    def start(self, factor: float = 1.0) -> tuple[Any, Any]:
        """Parameters and state that nobody else holds, with every learning rate times a factor."""
        params = params_in(jnp.float32)
        state = self.tx.init(params)
        return params, state._replace(hyperparams={n: v * factor for n, v in state.hyperparams.items()})

    def loop(self, factor: float, steps: int = 4) -> Any:
        params, state = self.start(factor)
        for _ in range(steps):
            params, state = self.call(params, state)  # a compiled program takes these shapes and dtypes, and no others
        return params, state.slots


@functools.cache
def compiled(name: str) -> Compiled:
    spec = SPECS[name]
    tx = get_optimizer(spec, "jax")

    def step(params: Any, state: Any) -> Any:
        updates, new = tx.update(gradient(tx, params), state, params, **extras(spec, params))
        chex.assert_trees_all_equal_shapes_and_dtypes(updates, params)
        chex.assert_trees_all_equal_structs(state, new)
        return optax.apply_updates(params, updates), new

    params = params_in(jnp.float32)
    return Compiled(tx, step, jax.jit(step, donate_argnums=(0, 1)).lower(params, tx.init(params)).compile())


@pytest.mark.parametrize("name", SPECS)
def test_every_buffer_is_donated_and_no_learning_rate_compiles_it_anew(name: str) -> None:
    found = compiled(name)
    held = sum(x.nbytes for x in jax.tree.leaves(found.start()))
    assert found.call.memory_analysis().alias_size_in_bytes >= held
    whole, small = found.loop(1.0), found.loop(FACTOR)
    chex.assert_tree_all_finite(whole)
    assert not all(bool((a == b).all()) for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(small), strict=True))


@pytest.mark.parametrize("name", SPECS)
def test_a_sweep_of_learning_rates_in_a_scan_equals_the_loops(name: str) -> None:
    found = compiled(name)

    def train(factor: jax.Array) -> Any:
        (params, _), _ = jax.lax.scan(lambda carry, _: (found.step(*carry), None), found.start(factor), length=4)
        return params

    swept = jax.jit(jax.vmap(train), compiler_options=None if name in SINGULAR else QUICK)(jnp.array([1.0, FACTOR]))
    for i, factor in enumerate((1.0, FACTOR)):
        one = jax.tree.map(lambda x, i=i: x[i], swept)
        chex.assert_trees_all_close(one, found.loop(factor)[0], rtol=1e-5, atol=1e-6)  # float32 sums in another order


def test_init_is_pure_and_neither_it_nor_the_update_follows_the_process_wide_dtype(spec: Any) -> None:
    """Of the shapes alone; and with float64 switched on, float32 and bfloat16 parameters keep state and updates as they are."""
    tx, params = get_optimizer(spec, "jax"), params_in(jnp.float32)
    state = tx.init(params)
    chex.assert_trees_all_equal_shapes_and_dtypes(jax.eval_shape(tx.init, params), state)
    with jax.enable_x64(True):
        for own in (params, params_in(jnp.bfloat16)):
            given = extras(spec, own)
            updates, new = jax.eval_shape(lambda g, s, p, given=given: tx.update(g, s, p, **given), gradient(tx, own), state, own)
            chex.assert_trees_all_equal_shapes_and_dtypes(updates, own)
            chex.assert_trees_all_equal_shapes_and_dtypes(new, state)  # in float32 beside bfloat16 parameters too


NO_SUM_OF_EXAMPLES = {"dpsgd": "optax.MultiSteps gathers in the shape of the parameters, and dpsgd is given examples"}


@pytest.mark.parametrize("name", SPECS)
def test_in_all_of_optaxs_wrappers_at_once_in_bfloat16_it_does_what_it_does_alone(name: str) -> None:
    """partition, chain, masked, MultiSteps and inject_hyperparams, one in the other, on one half of the parameters.

    https://github.com/google-deepmind/optax/issues/1414: inject_hyperparams casts numbers to bfloat16, where beta2=0.999 is 1 and
    Adam divides by zero.
    """
    spec = SPECS[name]
    params = params_in(jnp.bfloat16)
    only, grads = {"dense": params["dense"]}, gradient(spec, params)

    def made(learning_rate: Any) -> Any:
        return get_optimizer(with_lr(spec, lambda _: learning_rate), "jax")

    tx = optax.inject_hyperparams(made)(learning_rate=0.01)
    if name not in NO_SUM_OF_EXAMPLES:
        steps = optax.MultiSteps(tx, 2)
        tx = optax.GradientTransformationExtraArgs(steps.init, steps.update)  # its own gradient_transformation() drops `value`
    tx = optax.masked(optax.chain(optax.identity(), tx), True)
    nested, plain = optax.partition({"a": tx, "b": optax.set_to_zero()}, {"dense": "a", "out": "b"}), made(0.01)

    @functools.partial(jax.jit, compiler_options=QUICK)
    def both(params: Any, grads: Any, state: Any) -> Any:
        given = extras(spec, only)
        inside = {**given, "hessian": {**given["hessian"], "out": optax.MaskedNode()}} if "hessian" in given else given
        alone, _ = plain.update({"dense": grads["dense"]}, plain.init(only), only, **given)
        return alone, nested.update(grads, state, params, **inside)

    state = nested.init(params)
    alone, (updates, new) = both(params, grads, state)
    chex.assert_trees_all_equal_shapes_and_dtypes(state, new)
    if name not in NO_SUM_OF_EXAMPLES:
        assert not any(bool(x.any()) for x in jax.tree.leaves(updates))
        _, (updates, _) = both(params, grads, new)  # the second of two equal gradients: their mean is each
    chex.assert_tree_all_finite(updates)
    chex.assert_trees_all_equal_shapes_and_dtypes(updates["dense"], params["dense"])
    assert not updates["out"]["kernel"].any()
    # one bfloat16 rounding; and that of a rule whose update is new point - old, in float32, beside parameters up to 1
    chex.assert_trees_all_close(updates["dense"], alone["dense"], rtol=2**-7, atol=2**-24)


def test_slots_are_found_by_optax_by_name() -> None:
    state = get_optimizer("adamw", "jax").init(params_in(jnp.float32))
    found = optax.tree_utils.tree_get(state, "exp_avg")
    chex.assert_trees_all_equal_shapes(found, PARAMS)


def test_tree_map_params_reaches_the_slots_and_only_those() -> None:
    tx = get_optimizer("adamw", "jax")
    moved = optax.tree_utils.tree_map_params(tx, lambda v: v + 1, tx.init(params_in(jnp.float32)))
    assert float(moved.slots.exp_avg["dense"]["bias"][0]) == 1.0
    assert int(moved.count) == 0


# ------------------------------------------------------------------------------------------------- optax's own wrappers
WRAPPED = {
    "chain": lambda tx: optax.chain(optax.clip(0.5), tx, optax.ema(0.5)),
    "masked": lambda tx: optax.masked(tx, {"dense": True, "out": False}),
    "MultiSteps": lambda tx: optax.MultiSteps(tx, 3),
    "partition": lambda tx: optax.partition({"a": tx, "b": optax.set_to_zero()}, {"dense": "a", "out": "b"}),
    "apply_if_finite": lambda tx: optax.apply_if_finite(tx, 3),
    "schedule_free": lambda tx: optax.contrib.schedule_free(tx, 0.05),
    "named_chain": lambda tx: optax.named_chain(("clip", optax.clip(0.5)), ("tx", tx)),
}


@pytest.mark.parametrize("wrap", WRAPPED)
def test_inside_optax_wrappers_it_does_what_optax_does(wrap: str) -> None:
    ours = run(WRAPPED[wrap](get_optimizer("adamw", "jax", lr=0.05, weight_decay=0.1)), steps=7)[0]
    theirs = run(WRAPPED[wrap](optax.adamw(0.05, weight_decay=0.1)), steps=7)[0]
    # optax's bias correction is off by 1e-5 at beta2=0.999 in float32
    chex.assert_trees_all_close(ours, theirs, rtol=2e-5, atol=2e-6)


def test_inject_hyperparams_and_the_bfloat16_trap() -> None:
    """optax casts injected numbers to the parameters' dtype, where beta2=0.999 is 1 and Adam divides by zero."""
    factory = lambda learning_rate, weight_decay: get_optimizer("adamw", "jax", lr=learning_rate, weight_decay=weight_decay)  # noqa: E731
    tx = optax.inject_hyperparams(factory)(learning_rate=optax.constant_schedule(0.05), weight_decay=0.1)
    params, state = run(tx, params=params_in(jnp.bfloat16))
    chex.assert_tree_all_finite(params)
    assert set(state.hyperparams) == {"learning_rate", "weight_decay"}
    float32 = run(optax.inject_hyperparams(factory)(learning_rate=0.05, weight_decay=0.1))[0]
    chex.assert_trees_all_close(float32, run(get_optimizer("adamw", "jax", lr=0.05, weight_decay=0.1))[0], rtol=1e-6)


# ------------------------------------------------------------------------------------------------- learning rates
def test_twenty_learning_rates_one_compilation() -> None:
    tx = get_optimizer("adamw", "jax", lr=1e-3)
    params, grads = params_in(jnp.float32), params_in(jnp.float32)
    state = tx.init(params)
    update = jax.jit(chex.assert_max_traces(tx.update, n=1))
    for t in range(20):
        state = state._replace(hyperparams={"learning_rate": jnp.float32(1e-3 / (t + 1))})
        updates, state = update(grads, state, params)
    lion_like = jax.tree.leaves(updates)[0]
    assert float(jnp.abs(lion_like).max()) < 1e-3 / 10


@pytest.mark.parametrize("lr", [schedules.cosine(lr=0.05, T_max=10), optax.cosine_decay_schedule(0.05, 10)], ids=["lossopt", "optax"])
def test_a_learning_rate_may_be_a_schedule(lr: Any) -> None:
    ours = run(get_optimizer("sgd", "jax", lr=lr, momentum=0.9), steps=8)[0]
    theirs = run(optax.sgd(optax.cosine_decay_schedule(0.05, 10), 0.9), steps=8)[0]
    chex.assert_trees_all_close(ours, theirs, rtol=1e-5)


def test_a_schedule_inside_accumulate_counts_calls_in_every_backend() -> None:
    """As its page says; optax.MultiSteps counts updates."""
    spec = accumulate(sgd(lr=lambda t: 0.1 * (t + 1)), every=2)
    tx, referee = get_optimizer(spec, "jax"), get_optimizer(spec, "numpy")
    state, truth = tx.init(jnp.zeros(1)), referee.init(np.zeros(1))
    p = torch.nn.Parameter(torch.zeros(1))
    opt, moves = get_optimizer(spec, "torch", params=[p]), []
    for _ in range(4):
        ours, state = tx.update(jnp.ones(1), state, jnp.zeros(1))
        exact, truth = referee.update(np.ones(1), truth, np.zeros(1))
        before, p.grad = p.item(), torch.ones(1)
        opt.step()
        moves.append([float(ours[0]), float(exact[0]), p.item() - before])
    np.testing.assert_allclose(moves, [[0.0] * 3, [-0.2] * 3, [0.0] * 3, [-0.4] * 3], atol=1e-7)


def test_a_vmap_over_learning_rates_is_a_sweep() -> None:
    params = params_in(jnp.float32)

    def final_loss(lr: jax.Array) -> jax.Array:
        tx = get_optimizer("adamw", "jax", lr=lr)
        updates, _ = tx.update(jax.grad(loss_fn)(params), tx.init(params), params)
        return loss_fn(optax.apply_updates(params, updates))

    losses = jax.jit(jax.vmap(final_loss))(jnp.linspace(0.0, 0.1, 64))
    assert losses.shape == (64,) and bool((jnp.diff(losses) < 0).all())


def test_a_parameter_in_a_box_of_flax_is_called_by_the_name_of_its_box() -> None:
    model = nnx.Sequential(nnx.Linear(2, 3, rngs=nnx.Rngs(0)))
    before = np.asarray(model.layers[0].bias[...])
    tx = get_optimizer("sgd", "jax", lr=0.1, groups={"*.bias": {"lr": 0.0}})
    nnx.Optimizer(model, tx, wrt=nnx.Param).update(model, jax.tree.map(jnp.ones_like, nnx.state(model, nnx.Param)))
    np.testing.assert_array_equal(model.layers[0].bias[...], before)


def test_groups_have_their_own_live_learning_rates() -> None:
    tx = get_optimizer("sgd", "jax", lr=0.1, groups={"*.bias": {"lr": 0.01}})
    params = params_in(jnp.float32)
    ones = jax.tree.map(jnp.ones_like, params)
    state = tx.init(params)
    assert set(state.hyperparams) == {"learning_rate", "*.bias:learning_rate"}
    updates, state = tx.update(ones, state, params)
    assert float(updates["dense"]["kernel"][0, 0]) == pytest.approx(-0.1)
    assert float(updates["dense"]["bias"][0]) == pytest.approx(-0.01)
    state = state._replace(hyperparams={**state.hyperparams, "*.bias:learning_rate": jnp.float32(0.5)})
    updates, _ = tx.update(ones, state, params)
    assert float(updates["dense"]["bias"][0]) == pytest.approx(-0.5)


# ------------------------------------------------------------------------------------------------- flax, orbax, devices
@pytest.mark.parametrize("made", [adamw(lr=0.05, weight_decay=0.1), lion(lr=0.01), sgd(lr=0.05, momentum=0.9)], ids=repr)
def test_nnx_optimizer_under_nnx_jit(made: Any) -> None:
    theirs = {"adamw": optax.adamw(0.05, weight_decay=0.1), "lion": optax.lion(0.01, weight_decay=0.0), "sgd": optax.sgd(0.05, 0.9)}
    x = jnp.linspace(-1, 1, 12).reshape(4, 3)

    @nnx.jit
    def train(model: Any, optimizer: Any) -> None:
        optimizer.update(model, nnx.grad(lambda m: (m(x) ** 2).mean())(model))

    kernels = []
    for tx in (get_optimizer(made, "jax"), theirs[made.definition.name]):
        model = nnx.Linear(3, 2, rngs=nnx.Rngs(0))
        optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
        for _ in range(5):
            train(model, optimizer)
        kernels.append(np.asarray(model.kernel[...]))
    np.testing.assert_allclose(kernels[0], kernels[1], rtol=2e-5, atol=2e-6)  # optax's float32 bias correction


def test_nnx_optimizer_reads_and_sets_the_learning_rate() -> None:
    model = nnx.Linear(3, 2, rngs=nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, get_optimizer("adamw", "jax", lr=0.05), wrt=nnx.Param)
    optimizer.opt_state.hyperparams["learning_rate"][...] = jnp.float32(0.0)
    before = np.asarray(model.kernel[...])
    optimizer.update(model, nnx.grad(lambda m: (m(jnp.ones((4, 3))) ** 2).mean())(model))
    np.testing.assert_array_equal(np.asarray(model.kernel[...]), before)


def test_linen_train_state() -> None:
    params = params_in(jnp.float32)
    state = TrainState.create(apply_fn=None, params=params, tx=get_optimizer("adamw", "jax", lr=0.05))
    for _ in range(3):
        state = jax.jit(lambda s: s.apply_gradients(grads=jax.grad(loss_fn)(s.params)))(state)
    assert int(state.step) == 3 and float(loss_fn(state.params)) < float(loss_fn(params))


def test_orbax_restores_the_same_state(tmp_path: Any) -> None:
    import orbax.checkpoint as ocp

    tx = get_optimizer("adamw", "jax", lr=0.05)
    _, state = run(tx)
    with ocp.StandardCheckpointer() as saver:
        saver.save(tmp_path / "state", state)
        saver.wait_until_finished()
        restored = saver.restore(tmp_path / "state", jax.eval_shape(tx.init, params_in(jnp.float32)))
    chex.assert_trees_all_equal(restored, state)
    assert type(restored) is type(state)


SHARDED = """
import jax, jax.numpy as jnp, numpy as np, optax, sys
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from lossopt import get_optimizer
from lossopt.optimizers import adamw, lamb
from lossopt.transforms import chain, clip_by_global_norm
mesh = Mesh(np.array(jax.devices()), ("d",))
assert len(jax.devices()) == 8
params = {"w": jnp.linspace(-1, 1, 64).reshape(16, 4)}
def steps(params, tx):
    state = jax.jit(tx.init)(params)
    def step(params, state):
        updates, state = tx.update(jax.tree.map(lambda x: x * 3 + 1, params), state, params)
        return optax.apply_updates(params, updates), state
    for _ in range(3):
        params, state = jax.jit(step)(params, state)
    return params, state
for spec in (chain(clip_by_global_norm(), adamw(lr=0.1)), lamb(lr=0.1)):
    tx = get_optimizer(spec, "jax")
    one, _ = steps(params, tx)
    many, state = steps(jax.device_put(params, NamedSharding(mesh, P("d"))), tx)
    np.testing.assert_allclose(np.asarray(one["w"]), np.asarray(many["w"]), rtol=1e-6)
    assert many["w"].sharding.spec == P("d"), many["w"].sharding
    slots = state.slots.inners[1] if hasattr(state.slots, "inners") else state.slots
    assert slots.exp_avg["w"].sharding.spec == P("d"), slots.exp_avg["w"].sharding
def refused(update, *given):
    try:
        update(*given)
    except Exception as error:
        return str(error)
    return "nothing was said"

spec = chain(clip_by_global_norm(convention="optax"), adamw(lr=0.1))
grads = {"w": params["w"] * 3 + 1}
for name, made, rows in (("elementwise", adamw(lr=0.1), P("d")), ("clipped", spec, P("d")), ("replicated", spec, P())):
    tx = get_optimizer(made, "jax")
    begun, whole = tx.init(params), tx.update(grads, tx.init(params), params)[0]["w"]
    spread = jax.tree.map(lambda x: rows if x.ndim else P(), begun)
    update = jax.jit(jax.shard_map(lambda g, s, p: tx.update(g, s, p)[0], mesh=mesh, in_specs=(rows, spread, rows), out_specs=rows))
    if name == "clipped":
        print(refused(update, grads, begun, params))
    else:
        np.testing.assert_allclose(np.asarray(update(grads, begun, params)["w"]), np.asarray(whole), rtol=1e-6, err_msg=name)
print("sharded")
"""
SHARDED_SAYS = """\
inside shard_map the rule was given one device's part (it varies over d), and its sum or norm would be of that part: \
average gradients first (jax.lax.pmean), and call update on sharded parameters outside of shard_map, under jit
sharded
"""


def test_on_eight_devices_the_numbers_and_the_shards_are_the_same() -> None:
    """Under jit a norm is the whole one; in shard_map, where it would be of a shard, it is refused (optax clips by each device's own)."""
    env = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", SHARDED], env=env, capture_output=True, text=True, timeout=120)
    assert done.stdout == SHARDED_SAYS, done.stderr[-2000:]


# ------------------------------------------------------------------------------------------------- numbers and errors
@pytest.mark.parametrize("beta2", [0.999, 0.99999])
@pytest.mark.parametrize("step", [1, 10, 100])
def test_a_float32_adam_update_is_within_5e7_of_the_truth(beta2: float, step: int) -> None:
    rng = np.random.default_rng(0)
    grads = rng.normal(size=(step, 500)).astype(np.float32)
    spec = adam(betas=(0.9, beta2))
    params, tx, referee = {"w": jnp.zeros(500)}, get_optimizer(spec, "jax"), get_optimizer(spec, "numpy")
    state, truth = tx.init(params), referee.init({"w": np.zeros(500)})
    update = jax.jit(tx.update)
    for g in grads:
        ours, state = update({"w": jnp.asarray(g)}, state, params)
        exact, truth = referee.update({"w": g.astype(np.float64)}, truth, {"w": np.zeros(500)})
    error = np.asarray(ours["w"], np.float64) - exact["w"]
    assert np.sqrt((error**2).mean() / (exact["w"] ** 2).mean()) < 5e-7


@pytest.mark.parametrize("made", [rmsprop(convention="optax"), adagrad(), adam(), sgd(momentum=0.9)], ids=repr)
def test_a_decay_of_zero_neither_reads_nor_copies_the_parameters(made: Any) -> None:
    """A slot that depended on the old parameter, if only as 0 * param, would make XLA copy it before it is overwritten."""
    tx, params = get_optimizer(made, "jax"), {"w": jnp.ones(1_000_000)}

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(params: Any, state: Any, grads: Any) -> Any:
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    memory = step.lower(params, tx.init(params), params).compile().memory_analysis()
    assert memory.temp_size_in_bytes < 100_000
    updates, _ = tx.update(params, tx.init(params), {"w": jnp.full(1_000_000, jnp.nan)})
    chex.assert_tree_all_finite(updates)


def test_half_precision_parameters_keep_float32_moments() -> None:
    """bfloat16 moments stall: 0.999 * v + 0.001 * g * g rounds back to v."""
    state = get_optimizer("adam", "jax").init(params_in(jnp.bfloat16))
    assert state.slots.exp_avg_sq["dense"]["kernel"].dtype == jnp.float32


def test_float16_zero_gradients_make_no_nan() -> None:
    params = params_in(jnp.float16)
    tx = get_optimizer("adam", "jax")
    updates, _ = tx.update(jax.tree.map(jnp.zeros_like, params), tx.init(params), params)
    chex.assert_trees_all_equal(updates, jax.tree.map(jnp.zeros_like, params))


def test_errors_say_what_to_type() -> None:
    params = params_in(jnp.float32)
    tx = get_optimizer("adamw", "jax")
    with pytest.raises(Exception) as caught:
        tx.update(params, tx.init(params))
    assert str(caught.value) == "adamw reads the parameters: update(grads, state, params)"
    with pytest.raises(Exception) as caught:
        get_optimizer("adamw", "jax", params=params)
    assert str(caught.value) == "a JAX optimizer takes its parameters in init(params), not here"
    with pytest.raises(Exception) as caught:
        get_optimizer("adamw", "jax", executor="replay")
    assert str(caught.value) == "the jax backend has no executor 'replay'; XLA compiles the update: leave executor out"
