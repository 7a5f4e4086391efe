"""linear_cross_entropy in chunks: the same numbers as the plain text, never the whole logits, under every transform."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from loss_runs import TEXT

from lossopt import bench, get_loss
from lossopt.errors import ArgumentError, InputError
from lossopt.losses.shared.parts import rows_at_a_time
from lossopt.losses.spec import evaluate

pytestmark = pytest.mark.usefixtures("x64")

TOKENS, FEATURES, CLASSES = 11, 4, 7


def arrays(seed: int = 0, *, soft: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, TOKENS)
    labels[2] = -100
    targets = rng.dirichlet(np.ones(CLASSES), TOKENS) if soft else labels
    return rng.normal(size=(TOKENS, FEATURES)), rng.normal(size=(CLASSES, FEATURES)), targets


BIAS, WEIGHT = np.linspace(-1, 1, CLASSES), np.linspace(0.5, 2, CLASSES)
EVERY = list(itertools.product(("none", "mean", "sum"), (0.0, 0.1), (False, True), (False, True)))


def in_torch(spec: Any, given: Any, bias: Any, upstream: Any) -> list[Any]:
    x, matrix = (torch.tensor(a, requires_grad=True) for a in given[:2])
    b = None if bias is None else torch.tensor(bias, requires_grad=True)
    value = spec(x, matrix, torch.tensor(given[2]), linear_bias=b)
    grads = torch.autograd.grad((value * torch.tensor(upstream)).sum(), [a for a in (x, matrix, b) if a is not None])
    return [value.detach().numpy(), *(g.numpy() for g in grads)]


@pytest.mark.parametrize(("reduction", "smoothing", "factors", "soft"), EVERY)
def test_chunks_give_the_plain_values_and_gradients_in_both_frameworks(reduction: str, smoothing: float, factors: bool, soft: bool) -> None:
    given, bias = arrays(soft=soft), BIAS if factors else None
    options: dict[str, Any] = {"reduction": reduction, "label_smoothing": smoothing, "weight": WEIGHT if factors else None}
    plain, spec = (get_loss("linear_cross_entropy", chunk_size=rows, **options) for rows in (TOKENS, 3))
    exact = plain(*given, linear_bias=bias)
    upstream = np.random.default_rng(1).normal(size=np.shape(exact))
    wanted = in_torch(plain, given, bias, upstream)

    def total(x: Any, matrix: Any, bias: Any) -> Any:
        return jnp.sum(spec(x, matrix, jnp.asarray(given[2]), linear_bias=bias) * upstream)

    slopes = jax.jit(jax.grad(total, argnums=(0, 1, 2) if factors else (0, 1)))(*given[:2], bias)
    value = jax.jit(lambda x, matrix: spec(x, matrix, given[2], linear_bias=bias))(*given[:2])
    for found in (in_torch(spec, given, bias, upstream), [value, *slopes]):
        np.testing.assert_allclose(found[0], exact, rtol=1e-12)
        for a, b in zip(found[1:], wanted[1:], strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * np.abs(b).max())


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_jax_never_makes_the_whole_logits(reduction: str) -> None:
    tokens, features, classes = 64, 2, 50
    inputs = np.ones((tokens, features)), np.ones((classes, features)), np.zeros(tokens, int)

    def largest(chunk: int) -> int:
        spec = get_loss("linear_cross_entropy", reduction=reduction, chunk_size=chunk)
        compiled = jax.jit(jax.grad(lambda x, matrix: jnp.sum(spec(x, matrix, inputs[2])), argnums=(0, 1))).lower(*inputs[:2]).compile()
        memory = compiled.memory_analysis()
        assert memory is not None
        return int(memory.temp_size_in_bytes)

    whole = 8 * tokens * classes
    assert largest(tokens) >= whole > largest(4)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_torch_never_makes_the_whole_logits(reduction: str, smoothing: float) -> None:
    from torch.utils._python_dispatch import TorchDispatchMode

    class Largest(TorchDispatchMode):
        seen = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            for x in out if isinstance(out, tuple | list) else [out]:
                self.seen = max(self.seen, x.numel() if isinstance(x, torch.Tensor) else 0)
            return out

    tokens, features, classes = 64, 2, 50
    x, matrix = torch.ones(tokens, features, requires_grad=True), torch.ones(classes, features, requires_grad=True)

    def largest(chunk: int) -> int:
        with Largest() as mode:
            spec = get_loss("linear_cross_entropy", reduction=reduction, chunk_size=chunk, label_smoothing=smoothing)
            spec(x, matrix, torch.zeros(tokens, dtype=torch.long)).sum().backward()
        return mode.seen

    assert largest(tokens) == tokens * classes
    assert largest(4) <= max(4 * classes, tokens * features)


# ------------------------------------------------------------------------------------------------- transforms
def pair(**options: Any) -> tuple[Any, Any]:
    """In chunks, and whole."""
    return tuple(get_loss("linear_cross_entropy", chunk_size=rows, **options) for rows in (3, TOKENS))  # type: ignore[return-value]


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1, "weight": [1.0, 2.0, 0.5, 1.0, 1.0, 3.0, 0.1]}, {"reduction": "none"}])
def test_second_derivatives_are_right(options: dict[str, Any]) -> None:
    given = arrays()
    found = []
    for spec in pair(**options):
        x, matrix = torch.tensor(given[0], requires_grad=True), torch.tensor(given[1], requires_grad=True)
        (g,) = torch.autograd.grad(spec(x, matrix, torch.tensor(given[2])).sum() ** 2, x, create_graph=True)
        found += [[s.numpy() for s in torch.autograd.grad((g**2).sum(), [x, matrix])]]
        slope = jax.grad(lambda x, matrix, spec=spec: jnp.sum(spec(x, matrix, given[2])) ** 2)
        found += [jax.grad(lambda x, matrix, slope=slope: jnp.sum(slope(x, matrix) ** 2), argnums=(0, 1))(*given[:2])]
    for other in found[1:]:
        for a, b in zip(other, found[0], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_torch_func_and_compile_see_the_chunks() -> None:
    given = arrays()
    x, matrix, labels = map(torch.tensor, given)
    chunked, whole = pair()
    for spec in (chunked, whole):
        torch._dynamo.reset()
        assert torch.allclose(torch.compile(spec, backend="eager", fullgraph=True)(x, matrix, labels), whole(x, matrix, labels))
    both = torch.stack([x, 2 * x])
    for fn in (lambda spec: torch.func.grad(spec)(x, matrix, labels),
               lambda spec: torch.func.vmap(spec, in_dims=(0, None, None))(both, matrix, labels),
               lambda spec: torch.func.jacrev(torch.func.grad(spec))(x, matrix, labels)):  # fmt: skip
        assert torch.allclose(fn(chunked), fn(whole), rtol=1e-12)


def test_jax_forward_mode_and_vmap_see_the_chunks() -> None:
    x, matrix, labels = arrays()
    chunked, whole = pair(label_smoothing=0.1)
    for fn in (lambda spec: jax.jacfwd(spec)(x, matrix, labels), lambda spec: jax.hessian(spec)(x, matrix, labels),
               lambda spec: jax.vmap(spec, in_axes=(0, None, None))(np.stack([x, 2 * x]), matrix, labels)):  # fmt: skip
        np.testing.assert_allclose(fn(chunked), fn(whole), rtol=1e-10, atol=1e-13)


def test_class_weights_and_probabilities_can_be_differentiated() -> None:
    x, matrix, targets = arrays(soft=True)
    labels = arrays()[2]
    chunked, whole = pair()
    for spec in (chunked, whole):
        found = jax.grad(lambda w, spec=spec: spec(jnp.asarray(x), jnp.asarray(matrix), jnp.asarray(labels), weight=w))(jnp.asarray(WEIGHT))
        w = torch.tensor(WEIGHT, requires_grad=True)
        value = evaluate(spec.definition, TEXT, tuple(map(torch.tensor, (x, matrix, labels))), {**spec.hyperparameters, "weight": w}, "mean")
        np.testing.assert_allclose(found, torch.autograd.grad(value, w)[0], rtol=1e-10, atol=1e-14)
        t = torch.tensor(targets, requires_grad=True)
        (theirs,) = torch.autograd.grad(spec(torch.tensor(x), torch.tensor(matrix), t), t)
        np.testing.assert_allclose(jax.grad(spec, argnums=2)(x, matrix, targets), theirs, rtol=1e-10)


@pytest.mark.parametrize("frozen", [0, 1])
def test_a_part_that_is_not_trained_gets_no_gradient(frozen: int) -> None:
    given = arrays()
    tensors = [torch.tensor(a, requires_grad=i != frozen) for i, a in enumerate(given[:2])]
    get_loss("linear_cross_entropy", chunk_size=3)(*tensors, torch.tensor(given[2])).backward()
    assert tensors[frozen].grad is None
    free = tensors[1 - frozen].grad
    assert free is not None
    np.testing.assert_allclose(jax.grad(get_loss("linear_cross_entropy", chunk_size=3), argnums=1 - frozen)(*given), free, rtol=1e-12)


def test_a_backward_pass_can_be_repeated() -> None:
    given = arrays()
    x = torch.tensor(given[0], requires_grad=True)
    value = get_loss("linear_cross_entropy", chunk_size=3)(x, torch.tensor(given[1]), torch.tensor(given[2]))
    first, second = (torch.autograd.grad(value, x, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)


# ------------------------------------------------------------------------------------------------- edges
def test_autocast_leaves_the_chunks_in_full_precision() -> None:
    given = [torch.tensor(a) for a in arrays()]
    given[0], given[1] = given[0].float().requires_grad_(), given[1].float()
    spec = get_loss("linear_cross_entropy", chunk_size=3)
    wanted = torch.autograd.grad(spec(*given), given[0])[0]
    with torch.autocast("cpu", torch.bfloat16):
        value = spec(*given)
    assert torch.equal(torch.autograd.grad(value, given[0])[0], wanted)


def test_extreme_logits_are_finite_and_the_same_everywhere() -> None:
    x, matrix = np.array([[1e4], [-1e4], [0.0]]), np.array([[1.0], [-1.0]])
    labels = np.array([0, 0, 1])
    for chunk in (1, 2, 3):
        spec = get_loss("linear_cross_entropy", chunk_size=chunk, reduction="none")
        for found in (spec(x, matrix, labels), spec(*map(jnp.asarray, (x, matrix, labels))), spec(*map(torch.tensor, (x, matrix, labels)))):
            np.testing.assert_allclose(np.asarray(found), [0.0, 2e4, np.log(2)], rtol=1e-12)
        g = torch.tensor(x, requires_grad=True)
        (theirs,) = torch.autograd.grad(spec(g, torch.tensor(matrix), torch.tensor(labels)).sum(), g)
        np.testing.assert_allclose(theirs, [[0.0], [-2.0], [1.0]], rtol=1e-12)
        np.testing.assert_allclose(jax.grad(lambda x, spec=spec: jnp.sum(spec(x, matrix, labels)))(x), theirs, rtol=1e-12)


@pytest.mark.parametrize("chunk", [1, 2, None])
def test_all_labels_ignored_gives_nan_as_a_mean_and_0_as_a_sum(chunk: int | None) -> None:
    given = np.ones((3, 2)), np.ones((4, 2)), np.full(3, -100)
    for make in (np.asarray, jnp.asarray, torch.tensor):
        inputs = [make(a) for a in given]
        assert np.isnan(float(get_loss("linear_cross_entropy", chunk_size=chunk)(*inputs)))
        assert float(get_loss("linear_cross_entropy", chunk_size=chunk, reduction="sum")(*inputs)) == 0.0


def test_an_empty_batch_sums_to_0() -> None:
    given = np.ones((0, 2)), np.ones((4, 2)), np.zeros(0, int)
    for make in (np.asarray, jnp.asarray, torch.tensor):
        inputs = [make(a) for a in given]
        assert float(get_loss("linear_cross_entropy", reduction="sum")(*inputs)) == 0.0
        assert get_loss("linear_cross_entropy", reduction="none")(*inputs).shape == (0,)


def test_unseen_labels_of_no_class_give_nan_in_chunks_too() -> None:
    x, matrix, _ = arrays()
    labels = np.zeros(TOKENS, int)
    labels[4] = CLASSES
    spec = get_loss("linear_cross_entropy", chunk_size=3, reduction="none")
    found = np.isnan(np.asarray(jax.jit(spec)(x, matrix, labels)))
    assert found.tolist() == [i == 4 for i in range(TOKENS)]
    words = torch.func.vmap(lambda y: spec(torch.tensor(x), torch.tensor(matrix), y))(torch.tensor(labels)[None])
    assert torch.isnan(words[0]).tolist() == found.tolist()


def test_a_chunk_holds_eight_mega_logits_unless_told() -> None:
    assert rows_at_a_time(None, 32768) == 256
    assert rows_at_a_time(None, 10**9) == 1
    assert rows_at_a_time(5, 32768) == 5


ERRORS: list[tuple[Any, Any, Any, dict[str, Any], str]] = [
    (np.ones(()), np.ones((3, 2)), np.array(0), {},
     "linear_cross_entropy: input must have the features on its last axis, got shape (); write input.reshape((1, -1))"),
    (np.ones((4, 2)), np.ones((2, 3)), np.zeros(4, int), {},
     "linear_cross_entropy: linear_weight must have shape (classes, 2) for input of shape (4, 2), got (2, 3); write linear_weight.T"),
    (np.ones((4, 2)), np.ones((3, 5, 2)), np.zeros(4, int), {},
     "linear_cross_entropy: linear_weight must have shape (classes, 2) for input of shape (4, 2), got (3, 5, 2)"),
    (np.ones((4, 2)), np.ones((3, 2)), np.zeros(3, int), {},
     "linear_cross_entropy: targets must hold one label per sample, shape (4,), got (3,)"),
    (np.ones((4, 2)), np.ones((3, 2)), np.ones(4), {},
     "linear_cross_entropy: targets of class probabilities must have shape (4, 3), got (4,)"),
    (np.ones((4, 2)), np.ones((3, 2)), np.ones(4, bool), {},
     "linear_cross_entropy: targets must be integer labels or floating-point probabilities, got bool"),
    (np.ones((4, 2)), np.ones((3, 2)), np.zeros(4, int), {"linear_bias": [1.0]},
     "linear_cross_entropy: linear_bias must hold one number for each of the 3 classes, got shape (1,)"),
    (np.ones((4, 2)), np.ones((3, 2)), np.full(4, 3), {},
     "linear_cross_entropy: targets has the label 3 at index (0,), but there are 3 classes, 0 to 2; to leave it out of the loss write "
     "ignore_index=3"),
]  # fmt: skip


@pytest.mark.parametrize(("x", "matrix", "targets", "options", "message"), ERRORS)
def test_errors_say_what_is_wrong(x: Any, matrix: Any, targets: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as found:
        get_loss("linear_cross_entropy", **options)(x, matrix, targets)
    assert str(found.value) == message


def test_z_loss_adds_up_with_cross_entropy() -> None:
    combined = get_loss("cross_entropy") + 1e-4 * get_loss("z_loss")
    logits, labels = np.random.default_rng(0).normal(size=(5, 3)), np.array([0, -100, 1, 2, 2])
    kept = logits[labels >= 0]
    penalty = (np.log(np.exp(kept).sum(1)) ** 2).mean()
    assert np.isclose(combined(logits, labels), get_loss("cross_entropy")(logits, labels) + 1e-4 * penalty, rtol=1e-12)


# ------------------------------------------------------------------------------------------------- the benchmark
def test_the_benchmark_of_losses_has_a_baseline_in_every_framework() -> None:
    rows = bench.bench(what="losses", size="tiny", rounds=1)
    assert [(r.backend, r.variant) for r in rows if r.ratio == 1.0][:1] == [("torch", "torch.nn.functional.linear_cross_entropy")]
    assert {r.backend for r in rows if r.variant == "lossopt"} == {"torch", "jax"}
    with pytest.raises(ArgumentError, match="no benchmark of 'schedules'"):
        bench.bench(what="schedules")
