"""Losses: the published formulas, the meaning at kinks and extremes, and the contracts of the frameworks' transforms.

Values and gradients of every case against PyTorch's and optax's own code are the parity suite's.
"""

from __future__ import annotations

import doctest
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import jax.test_util
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_runs import close, everywhere, in_jax, in_torch, plain_torch
from published_losses import published, reduced

import lossopt
import lossopt_jax.losses
import lossopt_numpy.losses
import lossopt_torch.losses
from lossopt import get_loss, losses, registry
from lossopt.errors import InputError
from lossopt.losses.spec import LossSpec, LossSum
from lossopt.parity.case import LossCase
from lossopt.parity.engine import suite

NAN = float("nan")
INF = float("inf")
BACKENDS = ("numpy", "jax", "torch")
MAKE: dict[str, Callable[..., Any]] = {"numpy": np.asarray, "jax": jnp.asarray, "torch": torch.as_tensor}

NAMES = lossopt.list_losses()
LOSS_CASES: list[Any] = [case for _, case in suite(["loss"])]
PUBLISHED = published()


@pytest.fixture(autouse=True)
def x64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


# ------------------------------------------------------------------------------------------------- runners
def label(case: LossCase) -> str:
    shown = ",".join(f"{k}={getattr(v, '__name__', v)}" for k, v in case.options.items())
    return f"{case.name}({shown})"[:90]


def spec_of(case: LossCase) -> LossSpec:
    return get_loss(case.name, **case.options)


def arrays_of(case: LossCase, seed: int = 0) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(x) for x in case.inputs(np.random.default_rng(seed)))


def one_case_per_loss() -> list[LossCase]:
    """The first case of each, reduced to a number."""
    first: dict[str, LossCase] = {}
    for case in LOSS_CASES:
        if spec_of(case).reduction != "none":
            first.setdefault(case.name, case)
    return [first[name] for name in NAMES]


# ------------------------------------------------------------------------------------------------- the table and the papers
def test_every_loss_and_convention_has_a_parity_case() -> None:
    have = {(case.name, case.options.get("convention", "torch")) for case in LOSS_CASES}
    wanted = {(name, convention) for name in NAMES for convention in registry.definition(name, "loss").conventions}
    assert have == wanted


def test_every_native_row_is_a_loss_and_is_compared_with_its_text() -> None:
    assert set(lossopt_torch.losses.NATIVE) <= {case.name for case in LOSS_CASES if has_native(case)}


def has_native(case: LossCase) -> bool:
    spec = spec_of(case)
    inputs = tuple(torch.tensor(x) for x in arrays_of(case))
    return lossopt_torch.losses.native(spec.definition, inputs, spec.hyperparameters, spec.reduction) is not None


@pytest.mark.parametrize("case", [c for c in LOSS_CASES if c.name in lossopt_torch.losses.NATIVE], ids=label)
def test_pytorchs_own_function_equals_the_text(case: LossCase) -> None:
    spec, arrays = spec_of(case), arrays_of(case)
    wrt = [i for i, x in enumerate(arrays) if x.dtype.kind == "f"]
    value, grads = in_torch(spec, arrays, wrt)
    text_value, text_grads = in_torch(plain_torch(spec), arrays, wrt)
    close(value, text_value)
    for a, b in zip(grads, text_grads, strict=True):
        close(a, b)


@pytest.mark.parametrize("case", [c for c in LOSS_CASES if c.options.get("beta") != 0], ids=label)
def test_the_referee_follows_the_published_formula(case: LossCase) -> None:
    spec, arrays = spec_of(case), arrays_of(case, seed=1)
    values, divisor = PUBLISHED[case.name](*arrays, **spec.hyperparameters)
    # PyTorch adds 1e-12 to each squared length, which is not in the formula: that much of a cosine of vectors of length 1.
    atol = 1e-12 if case.name == "cosine_embedding_loss" else 1e-15
    batch = arrays[0].shape[0] if arrays[0].ndim else 1
    close(spec(*arrays), reduced(np.asarray(values), divisor, spec.reduction, batch), atol=atol)


def test_smooth_l1_with_beta_0_is_the_absolute_error() -> None:
    """The published formula divides by beta."""
    x, t = np.array([1.0, -2.0, 0.5]), np.array([1.0, 1.0, 1.0])
    close(losses.smooth_l1_loss(x, t, beta=0.0, reduction="none"), losses.l1_loss(x, t, reduction="none"))


# ------------------------------------------------------------------------------------------------- finite differences
@pytest.mark.parametrize("case", one_case_per_loss(), ids=label)
def test_torch_gradients_are_those_of_finite_differences(case: LossCase) -> None:
    arrays = arrays_of(case)
    tensors = [torch.tensor(x, requires_grad=i == 0 or (x.dtype.kind == "f" and len(arrays) == 3)) for i, x in enumerate(arrays)]
    assert torch.autograd.gradcheck(spec_of(case), tensors)
    assert torch.autograd.gradcheck(plain_torch(spec_of(case)), tensors)


@pytest.mark.parametrize("case", one_case_per_loss(), ids=label)
def test_jax_gradients_are_those_of_finite_differences(case: LossCase) -> None:
    spec, arrays = spec_of(case), [jnp.asarray(x) for x in arrays_of(case)]
    free = [i for i, x in enumerate(arrays) if i == 0 or (jnp.issubdtype(x.dtype, jnp.floating) and len(arrays) == 3)]

    @jax.jit
    def of_free(*given: Any) -> Any:
        full = list(arrays)
        for i, x in zip(free, given, strict=True):
            full[i] = x
        return spec(*full)

    jax.test_util.check_grads(of_free, [arrays[i] for i in free], order=1, modes=("fwd", "rev"), rtol=1e-6, atol=1e-6)


# ------------------------------------------------------------------------------------------------- kinks
HINGE = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([-1])  # cosine 0, so at the margin 0
KINKS = [
    ("l1_loss", ([1.0, -1.0, 0.0], [1.0, -1.0, -0.0]), {}, [0.0, 0.0, 0.0]),
    ("smooth_l1_loss", ([1.0], [1.0]), {"beta": 0.0}, [0.0]),
    ("smooth_l1_loss", ([1.0, 0.5, -0.5], [1.0, 0.0, 0.0]), {"beta": 0.5}, [0.0, 1.0, -1.0]),
    ("huber_loss", ([1.0, 0.5, -0.5], [1.0, 0.0, 0.0]), {"delta": 0.5}, [0.0, 0.5, -0.5]),
    ("huber_loss", ([INF, 1e300], [0.0, 0.0]), {"delta": 0.5}, [0.5, 0.5]),
    ("cosine_embedding_loss", HINGE, {}, [[0.0, 1 / (1 + 1e-12)]]),  # 1e-12 is added to each squared length
    ("triplet_margin_loss", ([[0.0, 0.0]], [[0.0, 0.0]], [[2.0, 0.0]]), {"margin": 2.0, "eps": 0.0}, [[1.0, 0.0]]),
    ("triplet_margin_loss", ([[0.0, 0.0]], [[0.0, 0.0]], [[0.0, 0.0]]), {"eps": 0.0}, [[0.0, 0.0]]),
    ("triplet_margin_loss", ([[0.0, 1.0]], [[0.0, 0.0]], [[0.0, 1.5]]), {"eps": 0.0, "p": 1.0}, [[0.0, 2.0]]),
    ("triplet_margin_loss", ([[0.0, 1.0]], [[0.0, 0.0]], [[0.0, 1.5]]), {"eps": 0.0, "p": 1.5, "convention": "optax"}, [[0.0, 2.0]]),
    ("contrastive_loss", ([[1.0, 2.0]], [[1.0, 2.0]], [0]), {}, [[0.0, 0.0]]),
    ("contrastive_loss", ([[1.0, 2.0]], [[1.0, 2.0]], [1]), {}, [[0.0, 0.0]]),
    ("contrastive_loss", ([[1.0, 0.0]], [[0.0, 0.0]], [0]), {"margin": 1.0}, [[0.0, 0.0]]),
    ("binary_cross_entropy_with_logits", ([0.0, 0.0], [1.0, 0.0]), {}, [-0.5, 0.5]),
    ("focal_loss", ([[800.0, 0.0]], [0]), {"gamma": 0.5}, [[0.0, 0.0]]),
    ("sigmoid_focal_loss", ([800.0, -800.0], [1.0, 0.0]), {"gamma": 0.5}, [0.0, 0.0]),
    ("focal_loss", ([[0.0, 0.0]], [0]), {"gamma": 0.0}, [[-0.5, 0.5]]),
]


@pytest.mark.parametrize(("name", "inputs", "options", "slope"), KINKS, ids=[f"{i}-{k[0]}" for i, k in enumerate(KINKS)])
def test_a_kink_has_one_derivative_in_all_frameworks(name: str, inputs: Any, options: dict[str, Any], slope: Any) -> None:
    arrays = [np.asarray(x) for x in inputs]
    for where, (_, (grad,)) in everywhere(name, arrays, reduction="sum", **options).items():
        np.testing.assert_allclose(grad, slope, rtol=1e-12, atol=1e-300, err_msg=where)


def test_zero_vectors_give_cosine_0_and_pytorchs_gradient() -> None:
    arrays = np.zeros((1, 2)), np.array([[0.5, 0.5]]), np.array([1])
    wanted = in_torch(torch.nn.functional.cosine_embedding_loss, arrays, (0, 1))
    for value, grads in everywhere("cosine_embedding_loss", arrays, (0, 1)).values():
        assert value == 1.0
        close(grads[0], wanted[1][0])
        close(grads[1], wanted[1][1])


def test_a_kl_target_of_0_adds_0_and_has_no_derivative_of_its_own() -> None:
    arrays = np.log(np.array([0.5, 0.5])), np.array([0.0, 1.0])
    for value, grads in everywhere("kl_div", arrays, (0, 1), reduction="sum").values():
        close(value, np.log(2))
        close(grads[0], [0.0, -1.0])
        assert np.isnan(grads[1][0]) and np.isfinite(grads[1][1])


# ------------------------------------------------------------------------------------------------- extremes
EXTREMES = [
    ("cross_entropy", ([[1e4, -1e4, 0.0], [1e4, -1e4, 0.0]], [0, 1]), {}, [0.0, 2e4]),
    ("cross_entropy", ([[0.0, -INF], [0.0, -INF]], [0, 1]), {}, [0.0, INF]),
    ("cross_entropy", ([[0.0, -INF]], [0]), {"label_smoothing": 0.1}, [INF]),
    ("cross_entropy", ([[0.0, -INF]], [[1.0, 0.0]]), {}, [NAN]),
    ("cross_entropy", ([[-INF, -INF]], [0]), {}, [NAN]),
    ("nll_loss", ([[0.0, -INF], [0.0, -INF]], [0, 1]), {}, [0.0, INF]),
    ("binary_cross_entropy_with_logits", ([1e4, 1e4, -1e4, -1e4], [1.0, 0.0, 1.0, 0.0]), {}, [0.0, 1e4, 1e4, 0.0]),
    ("binary_cross_entropy_with_logits", ([INF, -INF, INF, -INF], [1.0, 0.0, 0.0, 1.0]), {}, [NAN, NAN, INF, NAN]),
    ("focal_loss", ([[1e4, -1e4], [1e4, -1e4]], [0, 1]), {}, [0.0, 2e4]),
    ("focal_loss", ([[0.0, -INF], [0.0, -INF]], [0, 1]), {"gamma": 0.5}, [0.0, INF]),
    ("sigmoid_focal_loss", ([1e4, 1e4, -1e4, -1e4], [1.0, 0.0, 1.0, 0.0]), {"alpha": None}, [0.0, 1e4, 1e4, 0.0]),
    ("dice_loss", ([[[1e4, -1e4], [-1e4, 1e4]]], [[0, 1]]), {}, [0.0]),
    ("dice_loss", ([[[-1e4, -1e4]]], [[[0.0, 0.0]]]), {}, [0.0]),
    ("dice_ce_loss", ([[[1e4, -1e4], [-1e4, 1e4]]], [[1, 0]]), {}, [2e4 + 2 / 3]),
    ("kl_div", ([-1e4, 0.0], [1.0, 0.0]), {}, [1e4, 0.0]),
    ("kl_div", ([-INF], [0.0]), {}, [NAN]),
    ("kl_div", ([0.0], [-INF]), {"log_target": True}, [NAN]),
    ("contrastive_loss", ([[1e4, 0.0]], [[0.0, 0.0]], [1]), {}, [5e7]),
    ("cosine_embedding_loss", ([[1e-30, 0.0]], [[1.0, 0.0]], [1]), {}, [1.0]),
    ("triplet_margin_loss", ([[1e4]], [[-1e4]], [[1e4]]), {"eps": 0.0}, [20001.0]),
]


@pytest.mark.parametrize(("name", "inputs", "options", "value"), EXTREMES, ids=[f"{i}-{e[0]}" for i, e in enumerate(EXTREMES)])
def test_extreme_inputs_are_finite_or_documented_and_the_same_in_all_frameworks(name: str, inputs: Any, options: Any, value: Any) -> None:
    arrays = [np.asarray(x) for x in inputs]
    np.testing.assert_allclose(get_loss(name, reduction="none", **options)(*arrays), value, rtol=1e-12, atol=1e-300)
    found = everywhere(name, arrays, reduction="none", **options)
    gradients = found["torch"][1][0]
    for where, (got, (grad,)) in found.items():
        np.testing.assert_allclose(got, value, rtol=1e-12, atol=1e-300, err_msg=where)
        np.testing.assert_allclose(grad, gradients, rtol=1e-12, atol=1e-300, err_msg=where)
    if np.isfinite(value).all():
        assert np.isfinite(gradients).all()


def test_the_focal_loss_keeps_its_gradient_where_the_label_rounds_to_certainty() -> None:
    """In float32 softmax(40, 0) is (1, 4e-18): 1 - p is 0, and (1 - p)**0.5 would have gradient NaN."""
    logits = np.array([[40.0, 0.0]], np.float32)
    for _, (grad,) in everywhere("focal_loss", (logits, np.array([0])), gamma=0.5).values():
        assert np.isfinite(grad).all()
    for _, (grad,) in everywhere("sigmoid_focal_loss", (logits, np.ones((1, 2), np.float32)), gamma=0.5).values():
        assert np.isfinite(grad).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("case", one_case_per_loss(), ids=label)
def test_half_precision_is_computed_in_float32_and_rounded_once(case: LossCase, dtype: str) -> None:
    spec = spec_of(case)
    halves = [torch.tensor(x).to(getattr(torch, dtype)) if x.dtype.kind == "f" else torch.tensor(x) for x in arrays_of(case)]
    wide = [x.float() if x.is_floating_point() else x for x in halves]
    jaxes = [jnp.asarray(w.numpy()).astype(dtype) if w.is_floating_point() else jnp.asarray(w.numpy()) for w in wide]
    ours, theirs = spec(*halves), spec(*jaxes)
    assert ours.dtype == getattr(torch, dtype) and theirs.dtype == dtype
    assert torch.equal(ours, spec(*wide).to(ours.dtype))
    ulp = torch.finfo(ours.dtype).eps
    close(float(theirs), float(ours), rtol=ulp)  # float32 rounds differently before: one unit in the last place at most


@pytest.mark.parametrize("name", NAMES)
def test_mixed_precision_gives_the_wider_dtype(name: str) -> None:
    case = next(c for c in one_case_per_loss() if c.name == name)
    arrays = arrays_of(case)
    first = torch.tensor(arrays[0], dtype=torch.float32, requires_grad=True)
    rest = [torch.tensor(x) for x in arrays[1:]]
    value = spec_of(case)(first, *rest)
    assert value.dtype == (torch.float64 if any(x.is_floating_point() for x in rest) else torch.float32)
    value.backward()
    assert first.grad is not None and first.grad.dtype == torch.float32


def test_the_referee_computes_in_float64_and_warns_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    logits = np.array([[0.1, 0.2]], np.float32)
    assert losses.cross_entropy(logits, np.array([1], np.int8)).dtype == np.float64
    assert np.isnan(losses.cross_entropy(logits, np.array([-100])))
    assert not recwarn.list


# ------------------------------------------------------------------------------------------------- labels
UNSEEN = [
    ("cross_entropy", {}),
    ("cross_entropy", {"label_smoothing": 0.1, "weight": [1.0, 2.0, 3.0]}),
    ("nll_loss", {}),
    ("focal_loss", {"alpha": [1.0, 2.0, 3.0]}),
    ("dice_loss", {}),
    ("dice_ce_loss", {}),
]


@pytest.mark.parametrize("bad", [-1, 3, 255, -100])
@pytest.mark.parametrize(("name", "options"), UNSEEN, ids=[u[0] + ("+" if u[1] else "") for u in UNSEEN])
def test_an_unseen_label_of_no_class_gives_nan_never_another_class(name: str, options: dict[str, Any], bad: int) -> None:
    if "ignore_index" in registry.definition(name, "loss").defaults:
        options = {**options, "ignore_index": None}
    spec = get_loss(name, reduction="none", **options)
    logits, labels = np.random.default_rng(0).normal(size=(2, 3, 4)), np.array([[0, 1, bad, 2], [0, 1, 2, 0]])
    wrong = np.isnan(np.asarray(jax.jit(spec)(logits, labels)))
    assert wrong.any() and wrong[0].any() and not wrong[1].any()
    words = torch.func.vmap(lambda x, y: spec(x[None], y[None])[0])(torch.tensor(logits), torch.tensor(labels))
    np.testing.assert_array_equal(np.isnan(words.numpy()), wrong)
    with pytest.raises(InputError, match=f"the label {bad}"):
        spec(logits, labels)


@pytest.mark.parametrize(("name", "bad"), [("cosine_embedding_loss", 0), ("contrastive_loss", 2)])
def test_an_unseen_pair_target_of_no_meaning_gives_nan(name: str, bad: int) -> None:
    a, b = np.ones((2, 3)), np.zeros((2, 3))
    spec, targets = get_loss(name, reduction="none"), np.array([1, bad])
    assert np.isnan(np.asarray(jax.jit(spec)(a, b, targets))).tolist() == [False, True]


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss", "focal_loss"])
def test_ignored_labels_count_nowhere_even_as_small_integers(name: str) -> None:
    logits = np.log(np.array([[0.5, 0.5], [0.25, 0.75], [0.1, 0.9]]))
    labels = np.array([0, -100, 1])
    for backend in BACKENDS:
        make = MAKE[backend]
        kept = get_loss(name)(make(logits[[0, 2]]), make(labels[[0, 2]]))
        close(get_loss(name)(make(logits), make(labels)), kept)
        close(get_loss(name)(make(logits), make(labels.astype(np.int8))), kept)
        everything = make(np.full(3, -100))
        assert np.isnan(np.asarray(get_loss(name)(make(logits), everything)))
        assert float(get_loss(name, reduction="sum")(make(logits), everything)) == 0
    unsigned = np.array([0, 255, 1], np.uint8)
    for backend in BACKENDS:
        make = MAKE[backend]
        close(get_loss(name, ignore_index=255)(make(logits), make(unsigned)), get_loss(name)(logits[[0, 2]], labels[[0, 2]]))


# ------------------------------------------------------------------------------------------------- the frameworks' transforms
@pytest.mark.parametrize("name", NAMES)
def test_jax_vmap_and_scan_see_one_sample_at_a_time(name: str) -> None:
    case = next(c for c in one_case_per_loss() if c.name == name)
    spec, arrays = spec_of(case), [np.stack([a, b]) for a, b in zip(arrays_of(case, 0), arrays_of(case, 1), strict=True)]
    wanted = [float(spec(*arrays_of(case, seed))) for seed in (0, 1)]
    close(jax.jit(jax.vmap(spec))(*arrays), wanted)
    close(jax.lax.map(lambda inputs: spec(*inputs), tuple(map(jnp.asarray, arrays))), wanted)


@pytest.mark.parametrize("name", NAMES)
def test_torch_func_and_compile_carry_every_loss(name: str) -> None:
    case = next(c for c in one_case_per_loss() if c.name == name)
    spec, inputs = spec_of(case), [torch.tensor(x) for x in arrays_of(case)]
    value, (grad,) = in_torch(spec, arrays_of(case))
    close(torch.func.grad(spec)(*inputs), grad)
    both = [torch.stack([x, x]) for x in inputs]
    close(torch.func.vmap(spec)(*both), [value, value])
    torch._dynamo.reset()
    close(torch.compile(spec, backend="eager", fullgraph=True)(*inputs), value)


def test_jax_arrays_and_numpy_arrays_go_together_in_jax() -> None:
    found = get_loss("cross_entropy", "jax")(np.zeros((2, 3)), np.array([0, 1]))
    assert isinstance(found, jax.Array)
    assert isinstance(losses.mse_loss(jnp.ones(3), np.ones(3)), jax.Array)


# ------------------------------------------------------------------------------------------------- algebra
@lossopt.loss
def ratio_loss(ops: Any, predictions: Any, targets: Any, *, scale: float = 1.0) -> Any:
    """A user's loss: the absolute logarithm of the ratio."""
    return scale * ops.abs(ops.log(predictions) - ops.log(targets))


@lossopt.loss
def weighted_square(ops: Any, predictions: Any, targets: Any, sizes: Any) -> Any:
    """A user's loss with a third input and a weighted mean."""
    return sizes * (predictions - targets) ** 2, sizes


def test_a_users_loss_works_in_every_backend() -> None:
    x, t, n = np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 1.0])
    for backend in BACKENDS:
        make = MAKE[backend]
        close(ratio_loss(make(x), make(t), scale=3.0), 2 * np.log(2))
        close(get_loss("ratio_loss", backend, reduction="sum")(make(x), make(t)), 2 * np.log(2))
        close(weighted_square(make(x), make(t), make(n)), (2 * 1 + 1 * 4) / 4)
    for _, (grad,) in everywhere("ratio_loss", (x, t), reduction="sum").values():
        close(grad, [0.0, 0.5, 0.25])  # 0 where the two are equal


@pytest.mark.parametrize("backend", [None, *BACKENDS])
def test_losses_add_and_scale_before_and_after_get_loss(backend: str | None) -> None:
    make = MAKE[backend or "numpy"]
    logits, labels = make(np.random.default_rng(0).normal(size=(6, 3))), make(np.array([0, 1, 2, 0, 1, 2]))
    parts = float(losses.cross_entropy(logits, labels)), float(losses.focal_loss(logits, labels))
    from_pages = get_loss(0.5 * losses.cross_entropy + 0.5 * losses.focal_loss, backend)
    from_names = 0.5 * get_loss("cross_entropy", backend) + get_loss("focal_loss", backend) * 0.5
    assert isinstance(from_pages, LossSum) and isinstance(from_names, LossSum)
    for combined in (from_pages, from_names):
        close(combined(logits, labels), 0.5 * sum(parts))
        close(combined(predictions=logits, targets=labels), 0.5 * sum(parts))
    close(sum([get_loss("cross_entropy"), get_loss("focal_loss")])(logits, labels), sum(parts))
    assert repr(from_pages) == "0.5 * cross_entropy() + 0.5 * focal_loss()"


def test_a_sum_of_losses_trains_alike_in_both_frameworks() -> None:
    combined = losses.dice_loss + 0.5 * get_loss("cross_entropy", weight=[1.0, 2.0])
    logits, labels = np.random.default_rng(0).normal(size=(2, 2, 5)), np.array([[0, 1, 0, 1, 1], [1, 0, 0, 1, 0]])
    close(in_torch(combined, (logits, labels))[1][0], in_jax(combined, (logits, labels))[1][0])


def test_a_call_may_change_hyperparameters_in_any_spelling() -> None:
    logits, labels = np.random.default_rng(0).normal(size=(4, 3)), np.array([0, 1, 2, 2])
    spec = get_loss("cross_entropy", weight=[1.0, 2.0, 3.0])
    close(spec(logits, labels, class_weight=[3.0, 2.0, 1.0]), losses.cross_entropy(logits, labels, [3.0, 2.0, 1.0]))
    close(spec(logits, labels, reduction="sum"), get_loss("cross_entropy", reduction="sum", weight=[1.0, 2.0, 3.0])(logits, labels))


def test_a_loss_is_a_value_that_can_be_a_static_argument_of_jit() -> None:
    step = jax.jit(lambda spec, x, t: spec(x, t), static_argnums=0)
    x, t = jnp.ones(3), jnp.zeros(3)
    close(step(get_loss("huber_loss", delta=0.5), x, t), 0.375)
    close(step(get_loss("huber_loss", delta=2.0), x, t), 0.5)
    assert step._cache_size() == 2
    close(step(get_loss("huber_loss", delta=2.0), x, t), 0.5)
    assert step._cache_size() == 2
    weighted = get_loss("cross_entropy", weight=np.ones(2))
    assert weighted == weighted.bind(None) and weighted != get_loss("cross_entropy", weight=np.ones(3)) and weighted != 1


# ------------------------------------------------------------------------------------------------- names and pages
@pytest.mark.parametrize(("alias", "name"), [
    ("CrossEntropyLoss", "cross_entropy"), ("cross_entropy_loss", "cross_entropy"), ("torch.nn.functional.cross_entropy", "cross_entropy"),
    ("softmax_cross_entropy_with_integer_labels", "cross_entropy"), ("optax.softmax_cross_entropy", "cross_entropy"),
    ("SparseCategoricalCrossentropy", "cross_entropy"), ("NLLLoss", "nll_loss"), ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits"),
    ("sigmoid_binary_cross_entropy", "binary_cross_entropy_with_logits"), ("squared_error", "mse_loss"), ("MSELoss", "mse_loss"),
    ("L1Loss", "l1_loss"), ("mae", "l1_loss"), ("HuberLoss", "huber_loss"), ("optax.huber_loss", "huber_loss"),
    ("SmoothL1Loss", "smooth_l1_loss"), ("kl_divergence", "kl_div"), ("kl_divergence_loss", "kl_div"), ("KLDivLoss", "kl_div"),
    ("CosineEmbeddingLoss", "cosine_embedding_loss"), ("TripletMarginLoss", "triplet_margin_loss"), ("triplet_loss", "triplet_margin_loss"),
    ("DiceCELoss", "dice_ce_loss"),
])  # fmt: skip
def test_names_that_people_type(alias: str, name: str) -> None:
    assert get_loss(alias) == get_loss(name)


@pytest.mark.parametrize("alias", ["l2_loss", "binary_dice_loss", "hinge_loss", "with", "targets"])
def test_names_of_other_mathematics_are_no_aliases(alias: str) -> None:
    assert alias not in registry.aliases("loss")


@pytest.mark.parametrize("name", NAMES)
def test_every_page_states_its_formula_arguments_errors_paper_and_a_true_example(name: str) -> None:
    definition = registry.definition(name, "loss")
    for section in ("    l", "Args:", "Returns:", "Raises:", "References:", "Example:"):
        assert section in definition.doc, section
    for argument in (*definition.inputs, *definition.defaults):  # type: ignore[attr-defined]
        assert argument in definition.doc, argument
    example = doctest.DocTestParser().get_doctest(definition.doc, {}, name, None, 0)
    assert example.examples
    results = doctest.DocTestRunner().run(example)
    assert results.failed == 0


# ------------------------------------------------------------------------------------------------- properties
LOGITS = st.integers(0, 2**31 - 1).map(lambda seed: np.random.default_rng(seed).normal(size=(6, 4)) * 5)
LABELS = st.lists(st.integers(0, 3), min_size=6, max_size=6).map(np.array)
few = settings(max_examples=40, deadline=None)


@few
@given(LOGITS, LABELS, st.floats(-1e3, 1e3), st.floats(0, 1))
def test_cross_entropy_does_not_see_a_shift_of_all_logits(logits: Any, labels: Any, shift: float, smoothing: float) -> None:
    options = {"label_smoothing": smoothing, "reduction": "none"}
    close(losses.cross_entropy(logits + shift, labels, **options), losses.cross_entropy(logits, labels, **options), rtol=1e-9, atol=1e-11)


@few
@given(LOGITS, LABELS, st.permutations(range(6)), st.permutations(range(4)))
def test_order_of_samples_and_of_classes_does_not_matter(logits: Any, labels: Any, rows: list[int], classes: list[int]) -> None:
    weight, place = np.array([1.0, 2.0, 0.5, 3.0]), np.argsort(classes)
    for loss in (losses.cross_entropy, losses.focal_loss):
        name = "weight" if loss is losses.cross_entropy else "alpha"
        whole = loss(logits, labels, **{name: weight})
        close(loss(logits[rows], labels[rows], **{name: weight}), whole)
        close(loss(logits[:, classes], place[labels], **{name: weight[classes]}), whole)


OF_A_BATCH = {"ntxent_loss", "supcon_loss", "info_nce_loss", "clip_loss", "siglip_loss", "arcface_loss", "cosface_loss",
              "linear_cross_entropy", "ctc_loss"}
"""Whose samples are compared with each other, so that a part of a batch is another batch; or that take a layer's weights
besides, or have frames first."""


@few
@given(st.sampled_from([c for c in LOSS_CASES if c.options.get("reduction") == "sum" and c.name not in OF_A_BATCH]), st.integers(0, 3))
def test_sums_over_parts_of_a_batch_add_up(case: LossCase, cut: int) -> None:
    spec, arrays = spec_of(case), arrays_of(case)
    close(spec(*(x[:cut] for x in arrays)) + spec(*(x[cut:] for x in arrays)), spec(*arrays))


@few
@given(LOGITS, LABELS, st.floats(0, 0.5))
def test_labels_are_one_hot_probabilities(logits: Any, labels: Any, smoothing: float) -> None:
    hot = np.eye(4)[labels]
    close(losses.cross_entropy(logits, hot, label_smoothing=smoothing), losses.cross_entropy(logits, labels, label_smoothing=smoothing))
    close(losses.focal_loss(logits, labels, gamma=0.0), losses.cross_entropy(logits, labels))
    shaped = logits.reshape(2, 4, 3), labels.reshape(2, 3)
    masks = np.moveaxis(np.eye(4)[shaped[1]], -1, 1)
    close(losses.dice_loss(*shaped), losses.dice_loss(shaped[0], masks))
    close(losses.dice_ce_loss(*shaped), losses.dice_loss(*shaped) + losses.cross_entropy(*shaped))


@few
@given(LOGITS, st.floats(1e-3, 10))
def test_huber_is_delta_times_smooth_l1(x: Any, delta: float) -> None:
    close(losses.huber_loss(x, x[::-1], delta=delta), delta * losses.smooth_l1_loss(x, x[::-1], beta=delta))


@few
@given(LOGITS, LABELS)
def test_cross_entropy_is_nll_of_log_softmax(logits: Any, labels: Any) -> None:
    close(losses.nll_loss(lossopt_numpy.losses.words.log_softmax(logits, 1), labels), losses.cross_entropy(logits, labels))


def test_jax_has_no_function_of_its_own_to_fall_back_on() -> None:
    spec = get_loss("mse_loss")
    assert lossopt_jax.losses.native(spec.definition, (), spec.hyperparameters, "mean") is None
