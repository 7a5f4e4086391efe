"""What is special to Adam's relatives: rows without gradients, number slots, thresholds, native classes and reasons for none."""

from __future__ import annotations

import decimal
import importlib

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import lossopt
import lossopt_jax.words
from lossopt.definition import Spec
from lossopt.errors import LossoptError
from lossopt.optimizers import adamax, adamaxw, adan, amsgrad, nadam, nadamw, radam, sparse_adam, yogi
from lossopt.transforms import chain, clip_by_global_norm
from lossopt_numpy.words import words

ROWS, WIDTH, STEPS = 7, 3, 12


# ------------------------------------------------------------------------------------------------- rows without gradients
def batches() -> list[list[int]]:
    rng = np.random.default_rng(3)
    return [list(rng.choice(ROWS, size=3)) for _ in range(STEPS)]  # some rows twice, most rows not at all


def embedding(sparse: bool, dtype: torch.dtype = torch.float64) -> torch.nn.Embedding:
    torch.manual_seed(0)
    return torch.nn.Embedding(ROWS, WIDTH, sparse=sparse, dtype=dtype)


def backward(made: torch.nn.Embedding, rows: list[int]) -> None:
    made.zero_grad()
    found = made(torch.tensor(rows))
    (found**2 + found).sum().backward()


def train(made: torch.nn.Embedding, opt: torch.optim.Optimizer) -> torch.Tensor:
    for rows in batches():
        backward(made, rows)
        opt.step()
    return made.weight.detach()


@pytest.mark.parametrize("sparse", [True, False])
def test_sparse_adam_is_pytorchs_on_an_embedding(sparse: bool) -> None:
    ours, theirs = embedding(sparse), embedding(True)
    opt = lossopt.get_optimizer("sparse_adam", "torch", params=ours.parameters(), lr=0.1, eps=1e-3)
    reference = torch.optim.SparseAdam(theirs.parameters(), lr=0.1, eps=1e-3)
    torch.testing.assert_close(train(ours, opt), train(theirs, reference), rtol=1e-12, atol=1e-13)
    for slot in ("exp_avg", "exp_avg_sq"):
        torch.testing.assert_close(opt.state[ours.weight][slot], reference.state[theirs.weight][slot], rtol=1e-12, atol=1e-15)
    assert opt.state[ours.weight]["step"] == reference.state[theirs.weight]["step"] == STEPS


def test_sparse_adam_in_jax_and_numpy_follows_pytorch() -> None:
    theirs = embedding(True)
    reference = torch.optim.SparseAdam(theirs.parameters(), lr=0.1)
    by_jax = lossopt.get_optimizer("sparse_adam", "jax", lr=0.1)
    by_numpy = lossopt.get_optimizer("sparse_adam", "numpy", lr=0.1)
    exact = theirs.weight.detach().numpy().copy()
    close = jnp.asarray(exact, jnp.float32)
    exact_state, close_state = by_numpy.init(exact), by_jax.init(close)
    for rows in batches():
        backward(theirs, rows)
        assert theirs.weight.grad is not None
        grad = theirs.weight.grad.to_dense().numpy()
        delta, exact_state = by_numpy.update(grad, exact_state, exact)
        change, close_state = by_jax.update(jnp.asarray(grad, jnp.float32), close_state, close)
        untouched = (grad == 0).all(axis=1)
        assert untouched.any() and not delta[untouched].any() and not np.asarray(change)[untouched].any()
        exact, close = exact + delta, close + change
        reference.step()
        np.testing.assert_allclose(exact, theirs.weight.detach().numpy(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(np.asarray(close), exact, rtol=1e-5, atol=1e-6)


def test_only_the_rows_of_a_sparse_gradient_are_written() -> None:
    made = embedding(True)
    opt = lossopt.get_optimizer("sparse_adam", "torch", params=made.parameters(), lr=0.1)
    backward(made, [1, 4])
    opt.step()
    with torch.no_grad():
        made.weight[0] = opt.state[made.weight]["exp_avg"][0] = torch.nan
    backward(made, [1, 1, 6])
    opt.step()
    assert made.weight.isnan().any(dim=1).tolist() == [True] + [False] * (ROWS - 1)


def test_a_gradient_of_nan_is_a_gradient() -> None:
    by_numpy = lossopt.get_optimizer("sparse_adam", "numpy")
    params = np.ones((2, 2))
    updates, _ = by_numpy.update(np.array([[np.nan, 0.0], [0.0, 0.0]]), by_numpy.init(params), params)
    assert np.isnan(updates[0, 0]) and not updates[1].any()


def test_rows_of_half_precision_are_updated_in_float32() -> None:
    made, exact = embedding(True, torch.bfloat16), embedding(True, torch.float32)
    with torch.no_grad():
        exact.weight.copy_(made.weight)
    for e in (made, exact):
        backward(e, [1, 4])
    assert exact.weight.grad is not None and made.weight.grad is not None
    exact.weight.grad = made.weight.grad.float()
    for e in (made, exact):
        lossopt.get_optimizer("sparse_adam", "torch", params=e.parameters(), lr=0.1).step()
    assert torch.equal(made.weight, exact.weight.bfloat16())


def test_a_sparse_gradient_of_elements_is_refused() -> None:
    p = torch.nn.Parameter(torch.ones(3, 2))
    opt = lossopt.get_optimizer("sparse_adam", "torch", params=[p])
    p.grad = torch.eye(3)[:, :2].to_sparse(2)
    with pytest.raises(LossoptError) as caught:
        opt.step()
    assert str(caught.value) == (
        "sparse_adam takes sparse gradients of whole rows, with one sparse dimension, got 2: give p.grad.to_dense()"
    )


def test_what_wraps_sparse_adam_takes_dense_gradients() -> None:
    made = embedding(True)
    opt = lossopt.get_optimizer(chain(clip_by_global_norm(), sparse_adam()), "torch", params=made.parameters())
    backward(made, [1])
    with pytest.raises(LossoptError) as caught:
        opt.step()
    assert str(caught.value) == "chain takes dense gradients: make the embedding with sparse=False"


# ------------------------------------------------------------------------------------------------- numbers
def test_radam_rectifies_at_the_threshold_only_if_told() -> None:
    page = importlib.import_module("lossopt.optimizers.radam")
    rho = page.averaged_steps(words, 0.99, 7)
    assert 5 < rho < 7
    steps = {}
    for at_threshold in (False, True):
        opt = lossopt.get_optimizer("radam", "numpy", betas=(0.9, 0.99), threshold=rho, at_threshold=at_threshold)
        params = np.array([1.0])
        state = opt.init(params)
        for _ in range(7):
            steps[at_threshold], state = opt.update(np.array([4.0]), state, params)
    assert -steps[False].item() == pytest.approx(4e-3) and -steps[True].item() < 1e-3


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.99, 0.999, 0.99999])
def test_the_length_of_the_average_is_the_difference_of_large_numbers(beta: float) -> None:
    page = importlib.import_module("lossopt.optimizers.radam")
    with decimal.localcontext(prec=60):
        b = decimal.Decimal(beta)
        for t in (1, 2, 6, 50, 1000, 2000, 3000, 100_000):
            exact = float(2 / (1 - b) - 1 - 2 * t * b**t / (1 - b**t))
            assert page.averaged_steps(words, beta, t) == pytest.approx(exact, rel=1e-15, abs=0)
            in_float32 = float(page.averaged_steps(lossopt_jax.words.Words(jnp.float32), beta, jnp.int32(t)))
            assert in_float32 == pytest.approx(exact, rel=3e-7, abs=0)


def test_the_products_of_momentum_are_pytorchs() -> None:
    ours, theirs = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(3))
    opt = lossopt.get_optimizer("nadam", "torch", params=[ours])
    reference = torch.optim.NAdam([theirs])
    for _ in range(4):
        for p, o in ((ours, opt), (theirs, reference)):
            p.grad = torch.ones(3)
            o.step()
    assert opt.state[ours]["mu_product"] == pytest.approx(reference.state[theirs]["mu_product"].item(), rel=1e-6)


def test_the_first_difference_of_adan_is_zero() -> None:
    opt = lossopt.get_optimizer("adan", "numpy")
    params = np.array([2.0])
    _, (_, slots) = opt.update(np.array([5.0]), opt.init(params), params)
    assert slots.exp_avg_diff.leaves[0].item() == 0 and slots.previous_grad.leaves[0].item() == 5


# ------------------------------------------------------------------------------------------------- executors
def make(spec: Spec, executor: str = "auto") -> torch.optim.Optimizer:
    return lossopt.get_optimizer(spec, "torch", params=[torch.nn.Parameter(torch.ones(4))], executor=executor)


def test_pytorchs_own_class_where_it_is_as_fast() -> None:
    assert type(make(amsgrad())) is torch.optim.Adam
    assert type(make(adamax())) is torch.optim.Adamax
    assert type(make(radam(), "native")) is torch.optim.RAdam
    assert "executor 'replay'" in repr(make(radam()))
    assert "executor 'replay'" in repr(make(nadam()))


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (adamax(convention="keras"), "torch.optim.Adamax adds eps inside the maximum"),
        (adamaxw(), "torch.optim.Adamax adds the decay to the gradient"),
        (nadamw(), "torch.optim.NAdam keeps mu_product in the default dtype: float32 for float64 parameters, and 1e-8 off"),
        (radam(convention="optax"), "torch.optim.RAdam adds eps to the root of the uncorrected moment"),
        (radam(nesterov=True), "torch.optim.RAdam rectifies above 5, and does not look ahead"),
        (sparse_adam(), "torch.optim.SparseAdam takes sparse gradients only"),
        (adan(), "PyTorch ships no adan"),
    ],
    ids=repr,
)
def test_native_by_name_says_why_not(spec: Spec, reason: str) -> None:
    with pytest.raises(LossoptError) as caught:
        make(spec, "native")
    assert str(caught.value) == f"no native executor for {spec!r}: {reason}. Leave executor out, or name 'replay' or 'single'"


# ------------------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: radam(threshold=4.0), "radam: threshold must be above 4, and finite, got 4.0"),
        (lambda: adan(betas=(0.9, 0.99)), "adan: betas must be 3 numbers, each in [0, 1), got (0.9, 0.99)"),
        (
            lambda: adan(difference_weight="beta1"),
            "adan: difference_weight must be 'beta2' or '1 - beta2', got 'beta1'",
        ),
        (
            lambda: yogi(initial_accumulator_value=lambda step: 0.1),
            "yogi: initial_accumulator_value decides the shape of the state, so it is a plain value, not a schedule",
        ),
        (lambda: nadam(momentum_decay=-1.0), "nadam: momentum_decay must be positive or zero, and finite, got -1.0"),
    ],
)
def test_what_is_wrong_is_said(wrong, message: str) -> None:
    with pytest.raises(LossoptError) as caught:
        wrong()
    assert str(caught.value) == message
