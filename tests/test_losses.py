"""What every loss keeps: the published formula, finite differences, the frameworks' dtypes and transforms, a page of its own.

Values and gradients of every case against PyTorch's and optax's own code are the parity suite's.
"""

from __future__ import annotations

import doctest
from typing import Any

import jax
import jax.numpy as jnp
import jax.test_util
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_runs import close, in_torch, plain_torch
from published_losses import published, reduced

import lossopt_jax.losses
import lossopt_torch.losses
from lossopt import get_loss, losses, registry
from lossopt.losses.spec import LossSpec
from lossopt.parity.case import LossCase
from lossopt.parity.engine import suite

pytestmark = pytest.mark.usefixtures("x64")

NAMES = registry.own_names("loss")
LOSS_CASES: list[Any] = [case for _, case in suite(["loss"])]
PUBLISHED = published()


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


# ------------------------------------------------------------------------------------------------- PyTorch's own functions
def test_pytorchs_own_probabilities_are_used_only_where_they_are_the_same() -> None:
    row = lossopt_torch.losses.NATIVE["binary_cross_entropy"]
    p, t = torch.tensor([0.5]), torch.tensor([1.0])
    given: dict[str, Any] = {"weight": None, "clip": None, "reduction": "mean"}
    assert row(p, t, **given) is not None
    assert row(p, t, **{**given, "clip": 0.1}) is None
    assert row(p, t.requires_grad_(), **given) is None


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_a_weight_per_element_is_the_texts(name: str) -> None:
    options = {"delta": 1.0} if name == "huber_loss" else {}
    row = lossopt_torch.losses.NATIVE[name]
    assert row(torch.ones(2), torch.ones(2), weight=None, reduction="mean", **options) is not None
    assert row(torch.ones(2), torch.ones(2), weight=[1.0, 2.0], reduction="mean", **options) is None


def test_jax_has_no_function_of_its_own_to_fall_back_on() -> None:
    spec = get_loss("mse_loss")
    assert lossopt_jax.losses.native(spec.definition, (), spec.hyperparameters, "mean") is None


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


# ------------------------------------------------------------------------------------------------- dtypes
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


# ------------------------------------------------------------------------------------------------- parts of a batch
OF_A_BATCH = {"ntxent_loss", "supcon_loss", "info_nce_loss", "clip_loss", "siglip_loss", "arcface_loss", "cosface_loss",
              "linear_cross_entropy", "ctc_loss"}
"""Whose samples are compared with each other, so that a part of a batch is another batch; or that take a layer's weights
besides, or have frames first."""


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([c for c in LOSS_CASES if c.options.get("reduction") == "sum" and c.name not in OF_A_BATCH]), st.integers(0, 3))
def test_sums_over_parts_of_a_batch_add_up(case: LossCase, cut: int) -> None:
    spec, arrays = spec_of(case), arrays_of(case)
    close(spec(*(x[:cut] for x in arrays)) + spec(*(x[cut:] for x in arrays)), spec(*arrays))


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
