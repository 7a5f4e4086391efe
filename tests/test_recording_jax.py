"""Recordings of JAX runs: the folder says what the run did, under jit, scan, MultiSteps."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import serialization
from recorded_runs import batches, flat, jax_loss, jax_params, train_in_jax

import lossopt
from lossopt import read_recording
from lossopt.recording.contents import checksum


@pytest.mark.parametrize("jit", [True, False])
def test_a_jax_run_is_what_the_folder_says(tmp_path, jit):
    tx = lossopt.record(tmp_path, optax.inject_hyperparams(optax.adam)(optax.linear_schedule(0.1, 0.0, 10)), first=2, every=4)
    seen, losses, *_ = train_in_jax(tx, jit=jit)
    tx.run.close()
    assert repr(tx.run) == f"recording of 6 steps in {tmp_path}"
    found = read_recording(tmp_path)
    assert (found.info.framework, found.array_steps) == ("jax", (0, 1, 4))
    assert [(p.name, p.shape, p.dtype) for p in found.info.parameters] == [("b", (3,), "float32"), ("out", (5, 3), "float32"), ("w.kernel", (6, 5), "float32")]
    np.testing.assert_allclose([s.loss for s in found], losses, rtol=1e-7)
    np.testing.assert_allclose([s.lr for s in found], [[0.1 - 0.01 * i] for i in range(6)], rtol=1e-6)
    for step, (params, grads, updates) in zip(found, seen, strict=True):
        assert (step.raw_grad_norms, step.nonfinite) == ({}, 0)
        for kind, tree in (("param", params), ("grad", grads), ("update", updates)):
            for name, x in flat(tree).items():
                assert getattr(step, f"{kind}_norms")[name] == pytest.approx(np.linalg.norm(x.astype(np.float64)), rel=1e-6)
                if step.step in found.array_steps:
                    np.testing.assert_array_equal(found.of(kind, step.step)[name], x)


def test_recording_changes_no_number_in_jax(tmp_path):
    tx = lossopt.record(tmp_path, optax.adam(0.1))
    *_, recorded, _ = train_in_jax(tx)
    *_, plain, _ = train_in_jax(optax.adam(0.1), value=False)
    tx.run.close()
    for a, b in zip(jax.tree.leaves(recorded), jax.tree.leaves(plain), strict=True):
        np.testing.assert_array_equal(a, b)
    before = (tmp_path / "steps.jsonl").read_bytes()
    train_in_jax(tx, 2)  # a closed recording takes no notice
    assert (tmp_path / "steps.jsonl").read_bytes() == before


def test_a_step_is_one_call_of_the_host_and_no_effect(tmp_path):
    tx = lossopt.record(tmp_path, optax.adam(0.1))
    params = jax_params()
    traced = jax.make_jaxpr(tx.update)(params, tx.init(params), params)
    assert not traced.effects
    calls, own = [], tx.run.receive
    tx.run.receive = lambda *args: calls.append(len(args)) or own(*args)
    train_in_jax(tx, 30)
    tx.run.close()
    assert len(calls) == 30
    assert len(read_recording(tmp_path)) == 30


def test_the_transformations_given_apart_show_clipping(tmp_path):
    tx = lossopt.record(tmp_path, optax.clip_by_global_norm(0.1), optax.adam(0.1))
    _, _, params, _ = train_in_jax(tx)
    tx.run.close()
    *_, chained, _ = train_in_jax(optax.chain(optax.clip_by_global_norm(0.1), optax.adam(0.1)), value=False)
    for a, b in zip(jax.tree.leaves(params), jax.tree.leaves(chained), strict=True):
        np.testing.assert_allclose(a, b, rtol=2.5e-7)  # XLA fuses the recorded step otherwise: 1.2e-7, the last bit
    for step in read_recording(tmp_path):
        raw, received = (np.linalg.norm(list(norms.values())) for norms in (step.raw_grad_norms, step.grad_norms))
        assert raw > received == pytest.approx(0.1, rel=1e-5)


@pytest.mark.parametrize("inside", [True, False])
def test_inside_and_around_optax_chain_and_multi_steps(tmp_path, inside):
    one, two = tmp_path / "chain", tmp_path / "several"
    if inside:
        clipped = lossopt.record(one, optax.sgd(0.1))
        chain, run = optax.chain(optax.clip_by_global_norm(0.1), clipped), clipped.run
        small = lossopt.record(two, optax.sgd(0.1), accumulate=3)
        several, other = optax.MultiSteps(small, 3).gradient_transformation(), small.run
    else:
        chain = lossopt.record(one, optax.chain(optax.clip_by_global_norm(0.1), optax.sgd(0.1)))
        several = lossopt.record(two, optax.MultiSteps(optax.sgd(0.1), 3).gradient_transformation())
        run, other = chain.run, several.run
    train_in_jax(chain)
    run.close()
    for step in read_recording(one):
        norm = np.linalg.norm(list(step.grad_norms.values()))
        assert norm == pytest.approx(0.1, rel=1e-5) if inside else norm > 0.1
        assert np.linalg.norm(list(step.update_norms.values())) == pytest.approx(0.01, rel=1e-5)
    train_in_jax(several, value=False, tell=lambda x, y, _: other.batch(x, y))
    other.close()
    found = read_recording(two).steps
    assert [len(s.batch) for s in found] == ([6, 6] if inside else [2] * 6)
    assert [s.update_norms["b"] > 0 for s in found] == ([True, True] if inside else [False, False, True] * 2)
    np.testing.assert_allclose([x for s in found for x in s.batch], [checksum(z) for pair in batches(6) for z in pair])


def test_what_is_told_outside_jit_meets_its_step(tmp_path):
    tx = lossopt.record(tmp_path, optax.adam(0.1), first=2, every=3, lr=0.1)
    pairs = iter(tx.run.batches(batches(7)))
    next(pairs)

    def tell(x, y, loss):
        tx.run.loss(loss)
        tx.run.logits(jnp.asarray(x[:, :3]), y)
        next(pairs, None)

    with tx.run:
        _, losses, *_ = train_in_jax(tx, 7, value=False, tell=tell)
    found = read_recording(tmp_path)
    assert found.array_steps == (0, 1, 3, 6)
    np.testing.assert_allclose([s.loss for s in found], losses)
    assert [s.lr for s in found] == [(pytest.approx(0.1),)] * 7
    for step, (x, y) in zip(found, batches(7), strict=True):
        np.testing.assert_allclose(step.batch, [checksum(x), checksum(y)])
        if step.step in found.array_steps:
            np.testing.assert_array_equal(found.arrays(step.step)["logits/0"], x[:, :3])
            np.testing.assert_array_equal(found.arrays(step.step)["labels/0"], y)


def test_under_scan(tmp_path):
    tx = lossopt.record(tmp_path, optax.sgd(0.1), first=2, every=5)
    params = jax_params()

    def body(carry, batch):
        loss, grads = jax.value_and_grad(jax_loss)(carry[0], *batch)
        updates, state = tx.update(grads, carry[1], carry[0], value=loss)
        return (optax.apply_updates(carry[0], updates), state), loss

    x, y = (jnp.stack([jnp.asarray(pair[i]) for pair in batches(8)]) for i in (0, 1))
    run = jax.jit(lambda params, state: jax.lax.scan(body, (params, state), (x, y)))
    (_, state), losses = run(params, tx.init(params))
    tx.run.close()
    found = read_recording(tmp_path)
    assert [s.step for s in found] == [*range(8)]
    np.testing.assert_allclose([s.loss for s in found], losses, rtol=1e-7)
    assert found.array_steps == (0, 1, 5)
    assert int(state.count) == 8


def test_a_restored_state_goes_on_counting(tmp_path):
    tx = lossopt.record(tmp_path / "a", optax.adam(0.1))
    _, _, params, state = train_in_jax(tx, 3)
    tx.run.close()
    kept = serialization.to_bytes(state)
    again = lossopt.record(tmp_path / "b", optax.adam(0.1), first=4)
    state = serialization.from_bytes(again.init(params), kept)
    train_in_jax(again, 3, params=params, state=state)
    again.run.close()
    found = read_recording(tmp_path / "b")
    assert [s.step for s in found] == [3, 4, 5]
    assert found.array_steps == (3,)


def test_what_has_come_can_be_read_before_the_end(tmp_path):
    tx = lossopt.record(tmp_path, optax.adam(0.1))
    tx.run.flush()  # nothing has come yet
    *_, state = train_in_jax(tx, 4)
    jax.block_until_ready(state)
    tx.run.flush()
    assert [s.step for s in read_recording(tmp_path)] == [0, 1, 2]
    tx.run.close()
    tx.run.flush()  # nothing more can come
    assert [s.step for s in read_recording(tmp_path)] == [0, 1, 2, 3]


ON_ONE_CORE = """
import functools, os, sys
if hasattr(os, "sched_setaffinity"):  # elsewhere than on Linux on all of them
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import jax, jax.numpy as jnp, numpy as np, optax, lossopt
params = [(jnp.ones((512, 512)) / 512, jnp.zeros(512), jnp.ones(512, jnp.bfloat16)) for _ in range(4)]
tx = lossopt.record(sys.argv[1], optax.adamw(1e-4))
def loss(params, x):
    for matrix, bias, scale in params:
        x = jnp.tanh(x @ matrix + bias) * scale.astype(jnp.float32)
    return optax.losses.softmax_cross_entropy_with_integer_labels(x, jnp.zeros(1024, jnp.int32)).mean()
@functools.partial(jax.jit, donate_argnums=(0, 1))
def step(params, state, x):
    value, grads = jax.value_and_grad(loss)(params, x)
    updates, state = tx.update(grads, state, params, value=value)
    return optax.apply_updates(params, updates), state
state = tx.init(params)
for _ in range(4):
    params, state = step(params, state, np.ones((1024, 512), np.float32))  # its copy, too, waits for the client's one thread
tx.run.close()
found = lossopt.read_recording(sys.argv[1])
assert found.array_steps == (0, 1, 2, 3)
assert (found.of("param", 0)["0.0"] == 1 / 512).all() and (found.of("param", 0)["0.2"] == 1).all()
"""


def test_large_arrays_arrive_on_one_core(tmp_path, python):
    """`jax.pure_callback` would wait for ever: https://github.com/jax-ml/jax/issues/24255"""
    ran = python("-c", ON_ONE_CORE, str(tmp_path / "run"))
    assert ran.returncode == 0, ran.stderr
