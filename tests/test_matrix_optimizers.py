"""Options and edges of the optimizers with matrices and curvature, and of the words they need, that the general contracts do not reach."""

from __future__ import annotations

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import nnx

import lossopt_jax.curvature
import lossopt_numpy.curvature
import lossopt_torch.curvature
from lossopt import explain, get_optimizer
from lossopt.errors import ArgumentError, HyperparameterError, InputError
from lossopt.optimizers import adam, galore, lbfgs, psgd_kron, sgd, shampoo, soap, sophia
from lossopt.optimizers.psgd_kron import norm_bound, triangular_axes
from lossopt.optimizers.shared.kronecker import eigenbasis, multiply
from lossopt.optimizers.soap import merged
from lossopt.precision import Precision
from lossopt.recipes import Recipe
from lossopt.transforms import apply_if_finite, route
from lossopt_jax.words import Words as JaxWords
from lossopt_numpy.words import words as numpy_own
from lossopt_torch.words import words as torch_own

numpy_words: Any = numpy_own
torch_words: Any = torch_own
SHAPES = {"number": (), "vector": (4,), "long": (9, 2), "cube": (3, 1, 4), "filter": (2, 3, 2, 2)}
EVERY = [shampoo(lr=0.02, grafting="adam"), soap(lr=0.02, precondition_frequency=1), soap(lr=0.02, merge_dims=True, precondition_1d=True),
         psgd_kron(lr=0.02), psgd_kron(lr=0.02, min_ndim_triangular=1, memory_save_mode="one_diag"),
         galore(lr=0.02, rank=1, update_proj_gap=2), sophia(lr=0.02)]  # fmt: skip


def jax_words() -> Any:
    return JaxWords(jnp.float64)


def start(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {n: np.asarray(rng.normal(size=s)) for n, s in SHAPES.items()}


NOISE = [{n: np.asarray(np.random.default_rng(100 + t).normal(size=s)) for n, s in SHAPES.items()} for t in range(8)]


def slope(params: Any, noise: Any) -> Any:
    return {n: p**3 + 0.5 * p + noise[n] for n, p in params.items()}


def bend(params: Any) -> Any:
    return {n: 3 * p**2 + 0.5 for n, p in params.items()}


def by_numpy(spec: Any, params: Any) -> Any:
    made = get_optimizer(spec, "numpy")
    state = made.init(params)
    for noise in NOISE:
        more = {"hessian": bend(params)} if "hessian" in spec.asks else {}
        updates, state = made.update(slope(params, noise), state, params, **more)
        params = {n: p + updates[n] for n, p in params.items()}
    return params


def by_torch(spec: Any, params: Any) -> Any:
    leaves = {n: torch.nn.Parameter(torch.tensor(p)) for n, p in params.items()}
    made = get_optimizer(spec, "torch", params=leaves.items())
    for noise in NOISE:
        now = {n: p.detach() for n, p in leaves.items()}
        for n, g in slope(now, {n: torch.tensor(x) for n, x in noise.items()}).items():
            leaves[n].grad = g
        made.step(**({"hessian": [*bend(now).values()]} if "hessian" in spec.asks else {}))
    return {n: p.detach().numpy() for n, p in leaves.items()}


def by_jax(spec: Any, params: Any) -> Any:
    with jax.enable_x64(True):
        made, params = get_optimizer(spec, "jax"), {n: jnp.asarray(p) for n, p in params.items()}
        state = made.init(params)
        step = jax.jit(lambda p, s, noise: made.update(slope(p, noise), s, p, **({"hessian": bend(p)} if "hessian" in spec.asks else {})))
        for noise in NOISE:
            updates, state = step(params, state, noise)
            params = {n: p + updates[n] for n, p in params.items()}
        return {n: np.asarray(p) for n, p in params.items()}


@pytest.mark.parametrize("spec", EVERY, ids=repr)
def test_numbers_vectors_and_many_axes_are_alike_in_every_backend(spec: Any) -> None:
    exact = by_numpy(spec, start())
    for found in (by_torch(spec, start()), by_jax(spec, start())):
        for name, p in exact.items():
            assert np.abs(p - start()[name]).max() > 1e-3 and np.isfinite(p).all()
            np.testing.assert_allclose(found[name], p, rtol=0, atol=1e-9, err_msg=name)


# ------------------------------------------------------------------------------------------------- the words
def in_every_backend(word: str, *arrays: np.ndarray) -> list[list[np.ndarray]]:
    found = [getattr(numpy_words, word)(*arrays), getattr(torch_words, word)(*map(torch.tensor, arrays))]
    with jax.enable_x64(True):
        found.append(getattr(jax_words(), word)(*map(jnp.asarray, arrays)))
        return [[np.asarray(x) for x in (f if isinstance(f, tuple | list) else (f,))] for f in found]


@pytest.mark.parametrize("shape", [(3, 3), (5, 2), (2, 5)], ids=str)
def test_decompositions_have_the_same_signs_everywhere(shape: tuple[int, int]) -> None:
    x = np.random.default_rng(1).normal(size=shape)
    for word in ("qr", "svd"):
        exact, *others = in_every_backend(word, x)
        for found in others:
            for mine, other in zip(exact, found, strict=True):
                np.testing.assert_allclose(other, mine, rtol=0, atol=1e-13)
    (q, r), (u, s, vh) = numpy_words.qr(x), numpy_words.svd(x)
    assert (np.diagonal(r) > 0).all() and (u[np.abs(u).argmax(0), range(u.shape[1])] > 0).all()
    np.testing.assert_allclose(q @ r, x, atol=1e-14)
    np.testing.assert_allclose(u * s @ vh, x, atol=1e-14)


@pytest.mark.parametrize("word", ["eigh", "qr", "svd"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_decomposition_of_what_is_not_finite_is_nan(word: str, bad: float) -> None:
    x = np.eye(3)
    x[1, 2] = x[2, 1] = bad
    for found in in_every_backend(word, x):
        assert all(np.isnan(part).any() for part in found)


def test_triangular_systems_and_orders() -> None:
    rng = np.random.default_rng(2)
    lower, x = np.tril(rng.normal(size=(4, 4))) + 3 * np.eye(4), rng.normal(size=(4, 2))
    for (found,) in in_every_backend("solve_triangular", lower, x):
        np.testing.assert_allclose(lower @ found, x, atol=1e-14)
    for (found,) in in_every_backend("argsort", np.array([2.0, -1.0, 2.0, 0.0])):
        assert found.tolist() == [1, 3, 0, 2]


def test_a_null_space_has_one_basis_everywhere() -> None:
    g = np.random.default_rng(3).normal(size=(6, 2))
    exact = eigenbasis(numpy_words, g @ g.T)
    np.testing.assert_allclose(exact.T @ exact, np.eye(6), atol=1e-14)
    with jax.enable_x64(True):
        others = [np.asarray(eigenbasis(jax_words(), jnp.asarray(g @ g.T)))]
    others.append(eigenbasis(torch_words, torch.tensor(g @ g.T)).numpy())
    for found in others:
        np.testing.assert_allclose(np.abs(found), np.abs(exact), atol=1e-12)  # but for signs, which cancel
    assert np.array_equal(np.abs(eigenbasis(numpy_words, np.zeros((3, 3)))), np.eye(3))


def test_the_bound_of_the_norm_is_one() -> None:
    for seed in range(5):
        x = np.random.default_rng(seed).normal(size=(5, 3))
        largest = np.linalg.norm(x @ x.T, 2)
        assert 0.8 * largest < norm_bound(numpy_words, x @ x.T) <= largest * (1 + 1e-12)
    assert norm_bound(numpy_words, np.zeros((2, 2))) == 0


def test_a_product_along_an_axis_may_change_its_length() -> None:
    x, matrix = np.random.default_rng(4).normal(size=(2, 3, 4)), np.random.default_rng(5).normal(size=(5, 3))
    np.testing.assert_allclose(multiply(numpy_words, matrix, x, 1), np.einsum("ab,ibj->iaj", matrix, x), atol=1e-14)


# ------------------------------------------------------------------------------------------------- shampoo, soap, galore, psgd_kron
def test_shampoo_without_history_makes_a_matrix_orthogonal() -> None:
    g = np.random.default_rng(6).normal(size=(4, 3))
    made = get_optimizer(shampoo(lr=1.0, betas=(0.0, 1.0), eps=1e-14), "numpy")
    updates, _ = made.update(g, made.init(g), g)
    u, _, vh = np.linalg.svd(g, full_matrices=False)
    np.testing.assert_allclose(updates, -u @ vh, atol=1e-5)


def test_a_graft_has_the_length_of_the_method_grafted() -> None:
    params = np.random.default_rng(7).normal(size=(4, 3))
    grafted = get_optimizer(shampoo(lr=0.1, betas=(0.9, 0.99), grafting="adam"), "numpy")
    other = get_optimizer(adam(lr=0.1), "numpy")
    states = grafted.init(params), other.init(params)
    for seed in range(4):
        g = np.random.default_rng(seed).normal(size=(4, 3))
        (mine, first), (theirs, second) = grafted.update(g, states[0], params), other.update(g, states[1], params)
        states = first, second
        assert np.linalg.norm(mine) == pytest.approx(np.linalg.norm(theirs), rel=1e-12)
        assert not np.allclose(mine, theirs)


def test_shampoo_grafts_until_it_preconditions() -> None:
    params = np.random.default_rng(8).normal(size=(4, 3))
    late = get_optimizer(shampoo(lr=0.1, betas=(0.0, 1.0), grafting="sgd", start_preconditioning_step=3), "numpy")
    plain = get_optimizer(sgd(lr=0.1), "numpy")
    state = late.init(params)
    same = []
    for _ in range(4):
        updates, state = late.update(params, state, params)
        same.append(np.allclose(updates, plain.update(params, plain.init(params), params)[0]))
    assert same == [True, True, False, False]


def test_soap_of_vectors_is_adam_from_the_second_update_on() -> None:
    params = np.array([1.0, -2.0, 0.5])
    made = get_optimizer(soap(lr=0.1, betas=(0.9, 0.99), weight_decay=0.0), "numpy")
    updates, state = made.update(params, made.init(params), params)
    assert not updates.any()
    other = get_optimizer(adam(lr=0.1, betas=(0.9, 0.99), eps_hat=True), "numpy")
    kept = other.init(params)
    for seed in range(5):
        g = np.random.default_rng(seed).normal(size=3)
        mine, state = made.update(g, state, params)
        theirs, kept = other.update(g, kept, params)
        np.testing.assert_allclose(mine, theirs, rtol=1e-12)


def test_axes_are_merged_as_far_as_they_may() -> None:
    assert merged((16, 3, 3, 3), 30) == (16, 27)
    assert merged((4, 3, 3), 100) == (36,)
    assert merged((50, 60), 10) == (50, 60)
    assert merged((1, 1), 10) == (1,)


def test_galore_of_full_rank_turns_the_gradient_whole_and_keeps_small_moments() -> None:
    params = {"tall.weight": np.random.default_rng(9).normal(size=(6, 3)), "bias": np.ones(3)}
    made = get_optimizer(galore(rank=2), "numpy")
    slots = made.init(params)[1]
    assert [x.shape for x in slots.exp_avg.leaves] == [(6, 2), (3,)]
    assert [None if x is None else x.shape for x in slots.projector.leaves] == [(3, 2), None]
    longer = get_optimizer(galore(rank=2, convention="optax"), "numpy").init(params)[1]
    assert [x.shape for x in longer.exp_avg.leaves] == [(2, 3), (3,)]


def test_galore_without_a_new_subspace_needs_no_signs() -> None:
    """Each vector's sign comes in twice: optax's own agrees, but for its float32, within one subspace."""
    rng = np.random.default_rng(10)
    grads = [rng.normal(size=(5, 3)) for _ in range(6)]
    with jax.enable_x64(True):
        mine, theirs = get_optimizer(galore(lr=0.1, rank=2, convention="optax"), "jax"), optax.contrib.galore(0.1, 2)
        params = jnp.zeros((5, 3))
        states = mine.init(params), theirs.init(params)
        for g in map(jnp.asarray, grads):
            (x, first), (y, second) = mine.update(g, states[0], params), theirs.update(g, states[1], params)
            states = first, second
            np.testing.assert_allclose(np.asarray(x), np.asarray(y), atol=1e-6)


def test_which_factors_are_triangular() -> None:
    assert triangular_axes((4, 9), 8192, 2, None) == (True, True)
    assert triangular_axes((4, 9), 8, 2, None) == (True, False)
    assert triangular_axes((4, 9), 8192, 2, "one_diag") == (True, False)
    assert triangular_axes((4, 4), 8192, 2, "one_diag") == (True, False)
    assert triangular_axes((4, 4), 8192, 2, "smart_one_diag") == (True, True)
    assert triangular_axes((9, 4), 8192, 2, "smart_one_diag") == (False, True)
    assert triangular_axes((4, 9), 8192, 2, "all_diag") == (False, False)
    assert triangular_axes((4, 1, 9), 8192, 2, None) == (True, False, True)
    assert triangular_axes((4,), 8192, 2, None) == (False,)
    assert triangular_axes((4,), 8192, 1, None) == (True,)


def test_kron_learns_q_when_it_is_due() -> None:
    made = get_optimizer(psgd_kron(update_probability=(1.0, 0.25, 10.0, 3), balance_every=2), "numpy")
    params = np.random.default_rng(11).normal(size=(3, 2))
    state, learned = made.init(params), []
    for _ in range(12):
        before = state[1].Q_0.leaves[0]
        _, state = made.update(params, state, params)
        learned.append(not np.array_equal(before, state[1].Q_0.leaves[0]))
    assert learned == [True] * 4 + [False, False, False, True] * 2
    assert state[1].updates.leaves[0] == 6


# ------------------------------------------------------------------------------------------------- sophia
def test_sophia_calls_for_a_hessian_only_when_it_is_due() -> None:
    asked = []

    def hessian(step: int) -> np.ndarray:
        asked.append(step)
        return np.ones(2)

    made, params = get_optimizer(sophia(update_interval=3), "numpy"), np.array([1.0, 2.0])
    state, counts = made.init(params), []
    for _ in range(7):
        _, state = made.update(params, state, params, hessian=hessian)
        counts.append(len(asked))
    assert counts == [1, 1, 1, 2, 2, 2, 3] and asked == [1, 4, 7]


def test_sophia_without_a_hessian_says_what_to_give() -> None:
    message = ("sophia needs 'hessian': give the diagonal of the Hessian to this update, hessian=..., one array for each parameter, or a "
               "function of the step that estimates it")  # fmt: skip
    made, params = get_optimizer("sophia", "numpy"), np.ones(2)
    with pytest.raises(ArgumentError, match=f"^{re.escape(message)}$"):
        made.update(params, made.init(params), params)
    p = torch.nn.Parameter(torch.ones(2))
    p.grad = torch.ones(2)
    with pytest.raises(ArgumentError, match=f"^{re.escape(message)}$"):
        get_optimizer("sophia", "torch", params=[p]).step()
    with pytest.raises(InputError, match=r"^hessian has 2 tensors for 1 parameters: give one for each, in the order of param_groups$"):
        get_optimizer("sophia", "torch", params=[p]).step(hessian=[p, p])


def test_a_route_gives_each_rule_its_part_of_the_hessian() -> None:
    spec = route(sophia(lr=0.1, betas=(0.0, 0.0), gamma=1.0, weight_decay=0.0, clip_threshold=None), sgd(lr=0.1), to=("b", "*"))
    made, params = get_optimizer(spec, "numpy"), {"a": np.array([1.0]), "b": np.array([6.0])}
    updates, _ = made.update(params, made.init(params), params, hessian={"a": np.array([5.0]), "b": np.array([2.0])})
    assert updates["a"] == pytest.approx([-0.1]) and updates["b"] == pytest.approx([-0.3])


def test_hutchinson_draws_the_same_signs_everywhere() -> None:
    """x^T A x / 2 with an A that is not diagonal: the estimate depends on the signs, its mean does not."""
    a = np.random.default_rng(12).normal(size=(4, 4))
    a, params = a + a.T, {"w": np.random.default_rng(13).normal(size=4)}
    for step in (0, 3):
        exact = lossopt_numpy.curvature.hutchinson(lambda p: {"w": a @ p["w"]}, params, step=step, samples=2, seed=5)["w"]
        with jax.enable_x64(True):
            found = lossopt_jax.curvature.hutchinson(lambda p: p["w"] @ jnp.asarray(a) @ p["w"] / 2, {"w": jnp.asarray(params["w"])},
                                                     step=step, samples=2, seed=5)["w"]  # fmt: skip
        np.testing.assert_allclose(found, exact, atol=1e-9)
        w = torch.tensor(params["w"], requires_grad=True)
        (other,) = lossopt_torch.curvature.hutchinson(lambda w=w: w @ torch.tensor(a) @ w / 2, [("w", w)], step=step, samples=2, seed=5)
        np.testing.assert_allclose(other.numpy(), exact, atol=1e-9)
        assert w.grad is None
    many = lossopt_numpy.curvature.hutchinson(lambda p: {"w": a @ p["w"]}, params, samples=2000)["w"]
    np.testing.assert_allclose(many, np.diagonal(a), atol=0.3)


def test_hutchinson_of_a_linear_loss_is_zero() -> None:
    w, unused = torch.ones(3, requires_grad=True), torch.ones(2, requires_grad=True)
    found = lossopt_torch.curvature.hutchinson(lambda: w.sum(), [w, unused])
    assert [x.tolist() for x in found] == [[0.0] * 3, [0.0] * 2]


def test_sophia_trains_on_its_own_estimates_in_both_frameworks() -> None:
    scale = np.array([1.0, 30.0])
    w = torch.nn.Parameter(torch.tensor([2.0, -2.0]))
    made = get_optimizer(sophia(lr=0.05, gamma=1.0, weight_decay=0.0, betas=(0.5, 0.9)), "torch", params=[w])
    for _ in range(100):
        made.zero_grad()
        loss = (torch.tensor(scale) * w**2).sum() / 2
        loss.backward()
        made.step(hessian=lambda step: lossopt_torch.curvature.hutchinson(lambda: (torch.tensor(scale) * w**2).sum() / 2, [w], step=step))
    assert w.detach().abs().max() < 0.05
    tx = get_optimizer(sophia(lr=0.05, gamma=1.0, weight_decay=0.0, betas=(0.5, 0.9)), "jax")
    loss_fn = lambda p: (jnp.asarray(scale) * p**2).sum() / 2  # noqa: E731
    params = jnp.array([2.0, -2.0])
    state = tx.init(params)

    @jax.jit
    def step(params: Any, state: Any) -> Any:
        estimate = lambda t: lossopt_jax.curvature.hutchinson(loss_fn, params, step=t)  # noqa: E731
        updates, state = tx.update(jax.grad(loss_fn)(params), state, params, hessian=estimate)
        return params + updates, state

    for _ in range(100):
        params, state = step(params, state)
    assert float(jnp.abs(params).max()) < 0.05


# ------------------------------------------------------------------------------------------------- L-BFGS with a line search
def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
    a, b = x
    return float((1 - a) ** 2 + 100 * (b - a * a) ** 2), np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])


@pytest.mark.parametrize("lr", [1.0, 1e-4, 50.0])
def test_every_step_of_the_line_search_is_strong_wolfe(lr: float) -> None:
    made, x = get_optimizer(lbfgs(lr=lr, line_search="strong_wolfe"), "numpy"), np.array([-1.2, 1.0])
    state = made.init(x)
    for _ in range(100):
        value, grad = rosenbrock(x)
        if np.abs(grad).max() < 1e-8:
            break
        d, state = made.update(grad, state, x, value=value, evaluate=rosenbrock)
        after, slope_after = rosenbrock(x + d)
        assert after <= value + 1e-4 * grad @ d and abs(slope_after @ d) <= 0.9 * abs(grad @ d)
        x = x + d
    np.testing.assert_allclose(x, [1.0, 1.0], atol=1e-6)


def test_the_line_search_reaches_the_minimum_that_optax_reaches() -> None:
    """Its zoom tries other points; the minimum is the same."""
    with jax.enable_x64(True):
        loss_fn = lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2  # noqa: E731
        theirs, mine = optax.lbfgs(), get_optimizer(lbfgs(line_search="strong_wolfe", convention="optax"), "jax")

        def run(tx: Any, *, optax: bool) -> float:
            params = jnp.array([-1.2, 1.0])
            state = tx.init(params)

            @jax.jit
            def step(params: Any, state: Any) -> Any:
                value, grad = jax.value_and_grad(loss_fn)(params)
                given = {"grad": grad} if optax else {}
                updates, state = tx.update(grad, state, params, value=value, value_fn=loss_fn, **given)
                return params + updates, state

            for _ in range(60):
                params, state = step(params, state)
            return float(loss_fn(params))

        assert run(mine, optax=False) < 1e-20 and run(theirs, optax=True) < 1e-20


def test_lbfgs_asks_for_the_loss_only_with_a_line_search() -> None:
    assert lbfgs().asks == frozenset() and lbfgs(line_search="strong_wolfe").asks == {"value", "evaluate"}
    assert explain("lbfgs").asks["value"].endswith("step(value=loss)), with line_search only")
    made, x = get_optimizer(lbfgs(line_search="strong_wolfe"), "numpy"), np.ones(2)
    with pytest.raises(ArgumentError, match=r"^lbfgs needs 'value': give the loss to this update, value=loss \(torch: step\(closure\) or"):
        made.update(x, made.init(x), x)
    with pytest.raises(ArgumentError, match=r"^lbfgs needs 'evaluate': give the loss function to this update"):
        made.update(x, made.init(x), x, value=1.0)
    with pytest.raises(HyperparameterError, match=r"^lbfgs: line_search must be 'strong_wolfe', got 'zoom'$|^lbfgs: line_search"):
        lbfgs(line_search="zoom")


def test_a_gradient_that_is_not_finite_is_an_answer_and_can_be_skipped() -> None:
    for spec in (shampoo(), soap(), galore(rank=1), psgd_kron()):
        made, params = get_optimizer(apply_if_finite(spec), "torch", params=[p := torch.nn.Parameter(torch.ones(3, 2))]), torch.ones(3, 2)
        p.grad = torch.full((3, 2), torch.nan)
        made.step()
        assert torch.equal(p.detach(), params)


@pytest.mark.parametrize(
    "spec",
    [
        sophia(lr=0.1, weight_decay=0.0, update_interval=2, gamma=1.0, betas=(0.9, 0.9)),
        lbfgs(line_search="strong_wolfe", history_size=3),
    ],
    ids=["sophia", "lbfgs"],
)
def test_a_recipe_gives_what_is_asked_for_in_both_frameworks(spec: Any) -> None:
    rng = np.random.default_rng(14)
    x, w = rng.normal(size=(16, 3)), rng.normal(size=(3, 2))
    y, recipe = x @ w, Recipe("mse_loss", spec, accumulate=2)
    layer = torch.nn.Linear(3, 2, bias=False)
    torch.nn.init.zeros_(layer.weight)
    in_torch = recipe.build("torch", layer)
    in_jax = recipe.build("jax", {"weight": jnp.zeros((2, 3))}, apply=lambda p, x: x @ p["weight"].T)
    data = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    losses = [(float(in_torch.train_step(*data)), float(in_jax.train_step(x, y))) for _ in range(40)]
    np.testing.assert_allclose(*zip(*losses, strict=True), rtol=1e-3, atol=1e-9)
    assert losses[-1][0] < 0.05 * losses[0][0]


def test_a_policys_step_gives_sophia_an_estimate_in_both_frameworks() -> None:
    rng = np.random.default_rng(15)
    x, y = rng.normal(size=(8, 3)).astype(np.float32), rng.normal(size=(8, 1)).astype(np.float32)
    spec = sophia(lr=0.05, weight_decay=0.0, gamma=1.0)
    layer, policy = torch.nn.Linear(3, 1), Precision.of("float32").part("torch")
    made = get_optimizer(spec, "torch", params=layer.parameters())
    by_hand = [float(policy.step(layer, made, lambda m, x, y: ((m(x) - y) ** 2).mean(), torch.tensor(x), torch.tensor(y))) for _ in range(20)]
    model, policy = nnx.Linear(3, 1, rngs=nnx.Rngs(0)), Precision.of("float32").part("jax")
    held = nnx.Optimizer(model, get_optimizer(spec, "jax"), wrt=nnx.Param)
    step = nnx.jit(lambda m, o, x, y: policy.step(m, o, lambda m, x, y: ((m(x) - y) ** 2).mean(), x, y))
    in_jax = [float(step(model, held, x, y)) for _ in range(20)]
    assert by_hand[-1] < by_hand[0] and in_jax[-1] < in_jax[0]
