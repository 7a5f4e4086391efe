"""Noise that is the same in every backend: the generator against its published answers, the draws, and the rules that take them."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from published.noisy import normals, threefry2x32_20
from scipy import stats

from lossopt import Recipe, explain, get_optimizer, noise, optimizer
from lossopt.errors import ArgumentError, HyperparameterError, InputError
from lossopt.lint import lint
from lossopt.optimizers import adamw, dpsgd, noisy_sgd, sgd
from lossopt.transforms import accumulate, add_noise, chain, clip_by_global_norm, route
from lossopt_jax.words import Words as JaxWords
from lossopt_numpy.words import words as numpy_words
from lossopt_torch.replay import why_not
from lossopt_torch.words import BLOCK
from lossopt_torch.words import words as torch_words

# ------------------------------------------------------------------------------------------------- the generator
KNOWN = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
]
"""Random123's kat_vectors, threefry2x32 with 20 rounds: counter, key, answer.  https://github.com/DEShawResearch/random123"""

IN = {
    "python": (int, int),
    "numpy": (lambda x: np.full(2, x, np.uint32), np.uint32),
    "jax": (lambda x: jnp.full(2, x, jnp.uint32), np.uint32),
    "torch": (lambda x: torch.full((2,), x), int),
}


@pytest.mark.parametrize("kind", IN)
@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_threefry_gives_the_published_answers(kind: str, counter: tuple[int, int], key: tuple[int, int], answer: tuple[int, int]) -> None:
    array, word = IN[kind]
    found = noise.threefry2x32(key, (array(counter[0]), array(counter[1])), word)
    assert [np.unique(np.asarray(x)).tolist() for x in found] == [[answer[0]], [answer[1]]]
    assert threefry2x32_20(counter, key) == answer


def draw(kind: str, shape: tuple[int, ...], seed: int = 0, step: int = 1, name: str = "w", dtype: str = "float64") -> np.ndarray:
    key = noise.key_of(seed, name)
    if kind == "numpy":
        return numpy_words.normal(np.zeros(shape), key, step)
    if kind == "torch":
        return torch_words.normal(torch.zeros(shape, dtype=getattr(torch, dtype)), key, step).numpy()
    with jax.enable_x64(dtype == "float64"):
        words = JaxWords(jnp.dtype(dtype))
        return np.asarray(jax.jit(lambda like, step: words.normal(like, key, step))(jnp.zeros(shape, dtype), jnp.int32(step)))


@pytest.mark.parametrize("shape", [(), (1,), (7,), (4, 3), (0,), (2 * BLOCK + 5,)], ids=str)
@pytest.mark.parametrize("kind", ["torch", "jax"])
def test_every_backend_draws_the_same(kind: str, shape: tuple[int, ...]) -> None:
    exact = draw("numpy", shape, seed=2**32 - 1, step=2**31)
    assert exact.shape == shape
    found = draw(kind, shape, seed=2**32 - 1, step=2**31 - 1)
    assert not exact.size or not np.allclose(found, exact)
    exact = draw("numpy", shape, seed=2**32 - 1, step=2**31 - 1)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-12)
    single = draw(kind, shape, seed=2**32 - 1, step=2**31 - 1, dtype="float32")
    assert single.dtype == np.float32 and single.shape == shape
    np.testing.assert_allclose(single, exact, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("seed", "step", "name"), [(0, 1, "0"), (7, 100, "body.0.weight"), (2**32 - 1, 2**31, "x")])
def test_the_draws_are_those_of_the_papers(seed: int, step: int, name: str) -> None:
    np.testing.assert_allclose(draw("numpy", (5, 3), seed, step, name), normals((5, 3), seed, step, name), rtol=0, atol=1e-14)


def test_one_draw_is_normal() -> None:
    n = 400_000
    x = draw("numpy", (n,), seed=3)
    assert stats.kstest(x, "norm").pvalue > 0.01
    expected = {1: (0, 1), 2: (1, 2), 3: (0, 15), 4: (3, 96)}  # moment: its mean and variance under the normal law
    for power, (mean, variance) in expected.items():
        assert abs(np.mean(x**power) - mean) < 4 * np.sqrt(variance / n)
    assert 4.5 < np.abs(x).max() < 5.77
    assert len(np.unique(x)) > 0.999 * n


def test_draws_are_independent_of_each_other() -> None:
    n = 200_000
    base = draw("numpy", (n,))
    others = {
        "seed": draw("numpy", (n,), seed=1), "step": draw("numpy", (n,), step=2), "name": draw("numpy", (n,), name="v"),
        "neighbour": np.roll(base, 1), "other of the pair": np.roll(base, n // 2),
    }  # fmt: skip
    for what, other in others.items():
        for f in (lambda x: x, np.square, np.sign):
            assert abs(np.corrcoef(f(base), f(other))[0, 1]) < 4 / np.sqrt(n), what


def test_all_bits_of_the_words_are_fair() -> None:
    pair = np.arange(100_000, dtype=np.uint32)
    for word in noise.threefry2x32(noise.key_of(0, "w"), (pair, np.full(1, 1, np.uint32)), np.uint32):
        ones = [int((word >> bit & 1).sum()) for bit in range(32)]
        assert max(abs(count - 50_000) for count in ones) < 4.5 * np.sqrt(25_000)


# ------------------------------------------------------------------------------------------------- which parameter
def first_update(backend: str, spec: Any, params: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The first update with a gradient of zero: the noise by itself."""
    if backend == "torch":
        own = {n: torch.nn.Parameter(torch.tensor(x)) for n, x in params.items()}
        made = get_optimizer(spec, backend, params=own.items())
        for p in own.values():
            p.grad = torch.zeros_like(p)
        made.step()
        return {n: p.detach().numpy() - params[n] for n, p in own.items()}
    made = get_optimizer(spec, backend)
    with jax.enable_x64(True):
        zeros = {n: np.zeros_like(x) for n, x in params.items()}
        given, grads = (jax.tree.map(jnp.asarray, t) if backend == "jax" else t for t in (params, zeros))
        return {n: np.asarray(u) for n, u in made.update(grads, made.init(given), given)[0].items()}


PLAIN = noisy_sgd(lr=1.0, eta=1.0, seed=5)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_noise_goes_by_the_name_and_nothing_else(backend: str) -> None:
    some = {"b.kernel": np.zeros((3, 2)), "a.bias": np.zeros(4)}
    torchs = {"a.bias": np.zeros(4), "c.weight": np.zeros(2), "b.weight": np.zeros((3, 2))}
    first, second = first_update(backend, PLAIN, some), first_update("numpy", PLAIN, torchs)
    np.testing.assert_allclose(first["b.kernel"], second["b.weight"], atol=1e-12)
    np.testing.assert_allclose(first["a.bias"], second["a.bias"], atol=1e-12)
    routed = first_update(backend, route(sgd(lr=1.0), PLAIN, to=("a.*", "*")), torchs)
    np.testing.assert_allclose(routed["b.weight"], second["b.weight"], atol=1e-12)
    np.testing.assert_array_equal(routed["a.bias"], 0.0)
    np.testing.assert_allclose(second["b.weight"], -normals((3, 2), 5, 1, "b.weight"), atol=1e-14)


def test_a_parameter_without_a_name_is_called_by_its_place() -> None:
    alone = get_optimizer(PLAIN, "numpy")
    expected = -normals((3,), 5, 1, "0")
    np.testing.assert_allclose(alone.update(np.zeros(3), alone.init(np.zeros(3)), np.zeros(3))[0], expected, atol=1e-14)
    params = [torch.nn.Parameter(torch.zeros(3, dtype=torch.float64)) for _ in range(2)]
    opt = get_optimizer(PLAIN, "torch", params=params)
    for p in params:
        p.grad = torch.zeros_like(p)
    opt.step()
    np.testing.assert_allclose(params[0].detach(), expected, atol=1e-12)
    np.testing.assert_allclose(params[1].detach(), -normals((3,), 5, 1, "1"), atol=1e-12)


def test_a_parameter_that_joins_late_or_stands_still_changes_no_other_draw() -> None:
    def parameter() -> torch.nn.Parameter:
        return torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))

    a, b, c = parameter(), parameter(), parameter()
    opt = get_optimizer(PLAIN, "torch", params=[("a", a), ("b", b)])
    b.grad = torch.zeros(3, dtype=torch.float64)
    opt.step()
    assert not a.detach().any()
    opt.add_param_group({"params": [("c", c)]})
    a.grad, b.grad, c.grad = (torch.zeros(3, dtype=torch.float64) for _ in range(3))
    opt.step()
    for p, name, steps in ((a, "a", 1), (b, "b", 2), (c, "c", 1)):  # each counts its own steps, as everywhere in PyTorch
        expected = -sum(normals((3,), 5, t, name) / t**0.275 for t in range(1, steps + 1))
        np.testing.assert_allclose(p.detach(), expected, atol=1e-12)


def test_two_parameters_of_one_name_are_refused() -> None:
    made, params = get_optimizer(PLAIN, "numpy"), {"a.kernel": np.zeros(2), "a.weight": np.zeros(2)}
    with pytest.raises(InputError) as caught:
        made.update(params, made.init(params), params)
    assert str(caught.value) == (
        "the parameters 'a.kernel' and 'a.weight' would draw the same noise: both are 'a.weight' to PyTorch; rename one of them"
    )


# ------------------------------------------------------------------------------------------------- rules that take noise
def test_noisy_sgd_is_a_chain_of_add_noise_and_sgd() -> None:
    params = {"w": np.zeros((3, 2))}
    chained = chain(add_noise(eta=1.0, seed=5), sgd(lr=1.0))
    np.testing.assert_allclose(first_update("jax", PLAIN, params)["w"], first_update("torch", chained, params)["w"], atol=1e-12)


def test_the_noise_fades_as_optaxs_does() -> None:
    size, theirs = 50_000, optax.add_noise(0.3, 0.8, 1)
    ours = get_optimizer("add_noise", "jax", eta=0.3, gamma=0.8)
    zeros = jnp.zeros(size)
    states = [ours.init(zeros), theirs.init(zeros)]
    for t in range(1, 6):
        for i, tx in enumerate((ours, theirs)):
            found, states[i] = jax.jit(tx.update)(zeros, states[i], zeros)
            assert abs(float(jnp.var(found)) / (0.3 / t**0.8) - 1) < 4 * (2 / size) ** 0.5
            assert stats.kstest(np.asarray(found), "norm", args=(0, (0.3 / t**0.8) ** 0.5)).pvalue > 1e-3


def test_every_step_draws_anew_in_one_compilation() -> None:
    tx, traces = get_optimizer(PLAIN, "jax"), []

    @jax.jit
    def step(state: Any) -> Any:
        traces.append(1)
        return tx.update(jnp.zeros(4), state, jnp.zeros(4))

    state, seen = tx.init(jnp.zeros(4)), []
    for _ in range(5):
        updates, state = step(state)
        seen.append(np.asarray(updates))
    assert len(traces) == 1 and len(np.unique(np.stack(seen), axis=0)) == 5


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        (-1, "noisy_sgd: seed must be in [0, 4.29497e+09], got -1"),
        (2**32, "noisy_sgd: seed must be in [0, 4.29497e+09], got 4294967296"),
        (0.5, "noisy_sgd: seed must be a whole number, got 0.5"),
        (lambda step: 0, "noisy_sgd: seed must be a whole number that is known now, not a schedule or an array"),
    ],
)
def test_a_seed_is_a_plain_word(seed: Any, message: str) -> None:
    with pytest.raises(HyperparameterError) as caught:
        noisy_sgd(seed=seed)
    assert str(caught.value) == message


def test_lint_sees_a_branch_on_noise_and_replay_says_why_it_does_not_carry_it() -> None:
    @optimizer
    def coward(ops, grad, state, param, step, noise, *, lr=1.0):
        bold = noise(0, 1)
        return (-lr * grad if bold > 0 else grad), state

    (found,) = lint(coward)
    assert (found.code, found.problem) == ("bold > 0", "branches on a number")
    assert why_not(PLAIN, [torch.zeros(2)]) == "noisy_sgd asks for 'noise'"
    assert get_optimizer(PLAIN, "torch", params=[torch.nn.Parameter(torch.zeros(2))]).reason == "noisy_sgd asks for 'noise'"


# ------------------------------------------------------------------------------------------------- gradients of examples
X = np.random.default_rng(0).normal(size=(6, 3))
Y = X @ np.array([[1.0, -1.0], [2.0, 0.5], [0.0, 3.0]])
START = {"weight": np.full((3, 2), 0.1), "bias": np.zeros(2)}


def one_loss(params: Any, x: Any, y: Any) -> Any:
    return ((x @ params["weight"] + params["bias"] - y) ** 2).sum()


def in_jax(spec: Any, steps: int) -> dict[str, np.ndarray]:
    with jax.enable_x64(True):
        params: Any = jax.tree.map(jnp.asarray, START)
        tx = get_optimizer(spec, "jax")
        state = tx.init(params)
        for _ in range(steps):
            grads = jax.vmap(jax.grad(one_loss), in_axes=(None, 0, 0))(params, X, Y)
            updates, state = tx.update(grads, state, params)
            params = optax.apply_updates(params, updates)
        return {n: np.asarray(p) for n, p in params.items()}


def in_torch(spec: Any, steps: int) -> dict[str, np.ndarray]:
    params: dict[str, Any] = {n: torch.nn.Parameter(torch.tensor(x)) for n, x in START.items()}
    opt = get_optimizer(spec, "torch", params=params.items())
    each = torch.func.vmap(torch.func.grad(one_loss), in_dims=(None, 0, 0))
    for _ in range(steps):
        opt.zero_grad()
        assert all(p.grad_sample is None for p in params.values())
        for n, g in each({n: p.detach() for n, p in params.items()}, torch.tensor(X), torch.tensor(Y)).items():
            params[n].grad_sample = g
        opt.step()
    return {n: p.detach().numpy() for n, p in params.items()}


@pytest.mark.parametrize("spec", [dpsgd(lr=0.1, momentum=0.9), chain(dpsgd(lr=1.0, seed=3, expected_batch_size=8), adamw(lr=0.1))], ids=repr)
def test_a_private_run_is_the_same_in_both_frameworks_noise_and_all(spec: Any) -> None:
    ours, theirs = in_jax(spec, 10), in_torch(spec, 10)
    for n, start in START.items():
        assert np.abs(ours[n] - start).max() > 0.01
        np.testing.assert_allclose(ours[n], theirs[n], rtol=0, atol=1e-12)


def test_one_example_moves_the_update_by_no_more_than_its_share() -> None:
    made, params, rng = get_optimizer(dpsgd(lr=1.0, max_grad_norm=2.0, seed=1), "numpy"), np.zeros((3, 2)), np.random.default_rng(1)
    grads = rng.normal(size=(5, 3, 2)) * 10.0 ** rng.integers(-3, 4, size=(5, 1, 1))
    other = grads.copy()
    other[2] = -1e6 * rng.normal(size=(3, 2))
    updates = [made.update(g, made.init(params), params)[0] for g in (grads, other)]
    assert np.linalg.norm(updates[0] - updates[1]) <= 2 * 2.0 / 5 + 1e-12


def test_noise_is_as_large_as_one_example() -> None:
    made, params = get_optimizer(dpsgd(lr=1.0, max_grad_norm=3.0, noise_multiplier=2.0), "numpy"), np.zeros(100_000)
    updates, _ = made.update(np.zeros((4, *params.shape)), made.init(params), params)
    assert updates.std() == pytest.approx(3.0 * 2.0 / 4, rel=0.01)


def message_of(error: type[Exception], call: Any) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def test_a_gradient_without_examples_is_refused() -> None:
    made, params = get_optimizer("dpsgd", "numpy"), np.zeros((3, 2))
    for grads, shape in ((np.zeros((3, 2)), "(3, 2)"), (np.zeros((4, 2, 3)), "(4, 2, 3)")):
        assert message_of(InputError, functools.partial(made.update, grads, made.init(params), params)) == (
            "dpsgd takes the gradient of each example, on a leading axis: for a parameter of shape (3, 2) one of shape "
            f"(examples, 3, 2), got {shape}"
        )
    scalar = np.float64(1.0)
    assert message_of(InputError, functools.partial(made.update, scalar, made.init(scalar), scalar)).endswith("shape (examples,), got ()")


def test_torch_says_where_the_gradients_of_examples_belong() -> None:
    p: Any = torch.nn.Parameter(torch.zeros(2))
    opt = get_optimizer("dpsgd", "torch", params=[("w", p)])
    opt.step()  # no gradient at all: nothing to do
    p.grad = torch.zeros(2)
    begin = (
        "dpsgd() takes the gradient of each example in p.grad_sample, of shape (examples, *p.shape), which "
        "torch.func.vmap(torch.func.grad(f)) and opacus.GradSampleModule give; 'w' "
    )
    assert message_of(InputError, opt.step) == begin + "has only p.grad"
    p.grad_sample = [torch.zeros(3, 2), torch.zeros(3, 2)]
    assert message_of(InputError, opt.step) == begin + "has 2 of them: take a step after each backward()"


@pytest.mark.parametrize("wrap", [lambda: chain(clip_by_global_norm(), dpsgd()), lambda: accumulate(dpsgd())], ids=["chain", "accumulate"])
def test_nothing_may_change_the_gradients_of_examples(wrap: Any) -> None:
    said = message_of(ArgumentError, wrap)
    assert said.endswith("() cannot wrap dpsgd() here, which takes the gradient of each example as it came: put it first, chain(dpsgd(...), ...)")


def test_a_recipe_does_not_take_gradients_of_examples() -> None:
    assert message_of(ArgumentError, lambda: Recipe("mse_loss", dpsgd())) == (
        "recipe: dpsgd() takes the gradient of each example, and a recipe's step that of the batch: "
        "write get_optimizer(...) and a loop of your own"
    )


def test_explain_says_what_dpsgd_is_given() -> None:
    assert "vmap" in explain("dpsgd").asks["example_grads"]
