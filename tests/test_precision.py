"""A precision says in which dtype a step computes, keeps and returns, the same in both frameworks; what is none is refused."""

from __future__ import annotations

import copy
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from helpers import assert_close, assert_same
from precision_loops import BOTH, Jax, Torch, X, Y

import lossopt_jax.models as jax_models
import lossopt_torch.models as torch_models
from lossopt import get_optimizer
from lossopt.compare import compare
from lossopt.errors import ArgumentError, HyperparameterError, InputError
from lossopt.optimizers import adamw, sgd
from lossopt.precision import DYNAMIC, WORDS, Precision
from lossopt.recipes import Recipe
from lossopt.transforms import loss_scale, sam

HALF = {"bfloat16": 3e-2, "float16": 3e-3}
"""How far a gradient may be from its float32 value, of its largest element: 8 and 11 bits, over a few operations.
The largest measured: 1.4e-2, PyTorch's with parameters in bfloat16, and 1.2e-3."""


# ------------------------------------------------------------------------------------------------- the value
@pytest.mark.parametrize(("given", "expected"), [
    ("float32", ("float32", "float32", None)),
    ("float64", ("float64", "float64", None)),
    ("bfloat16", ("bfloat16", "float32", None)),
    ("float16", ("float16", "float32", "dynamic")),
    ({}, ("float32", "float32", None)),
    ({"compute": "float64"}, ("float64", "float64", None)),
    ({"params": "bfloat16"}, ("bfloat16", "bfloat16", None)),
    ({"compute": "bfloat16", "params": "bfloat16"}, ("bfloat16", "bfloat16", None)),
    ({"compute": "float16", "loss_scale": 1024}, ("float16", "float32", 1024)),
    (Precision(), ("float32", "float32", None)),
], ids=str)  # fmt: skip
def test_forms(given, expected):
    precision = Precision.of(given)
    assert (precision.compute, precision.params, precision.loss_scale) == expected
    assert Precision.of(precision.word) == precision == copy.deepcopy(precision)


NEEDS = "precision: float16 makes gradients below 6e-8 zero: write loss_scale: dynamic, or compute: bfloat16, which needs no loss scale"


@pytest.mark.parametrize(("given", "error", "message"), [
    ("bf16", HyperparameterError,
     "precision must be 'float32' or 'float64' or 'bfloat16' or 'float16', got 'bf16'; did you mean 'bfloat16'?"),
    (16, HyperparameterError, "precision must be 'float32' or 'float64' or 'bfloat16' or 'float16', or keys and values such as "
                              "{compute: bfloat16, params: float32}, got 16"),
    ({"computes": "float32"}, ArgumentError,
     "precision has no 'computes'; did you mean 'compute'? It has: compute, params, loss_scale"),
    ({"params": "float16"}, HyperparameterError, "precision: params must be 'float32' or 'float64' or 'bfloat16', got 'float16'"),
    ({"compute": "float32", "params": "float64"}, HyperparameterError,
     "precision: params 'float64' do not go with compute 'float32': write the same for both, or params: float32 with compute: bfloat16 "
     "or float16"),
    ({"compute": "float16", "params": "bfloat16"}, HyperparameterError,
     "precision: params 'bfloat16' do not go with compute 'float16': write the same for both, or params: float32 with compute: bfloat16 "
     "or float16"),
    ({"compute": "float16", "loss_scale": None}, HyperparameterError, NEEDS),
    ({"compute": "bfloat16", "loss_scale": "dynamic"}, HyperparameterError,
     "precision: loss_scale is for compute: float16; bfloat16 has the range that it needs: leave it out"),
    ({"compute": "float16", "loss_scale": 0}, HyperparameterError,
     "precision: loss_scale must be 'dynamic', a positive and finite number, or None, got 0"),
], ids=str)  # fmt: skip
def test_what_is_no_precision(given, error, message):
    with pytest.raises(error) as caught:
        Precision.of(given)
    assert str(caught.value) == message


def test_numpy_has_no_precision_to_choose():
    with pytest.raises(ArgumentError) as caught:
        Precision().part("numpy")
    assert str(caught.value) == "numpy is the float64 referee and has no precision to choose; the backends that have are jax and torch"


def test_the_dynamic_scale_is_the_rule_s_own_defaults():
    assert dict(loss_scale.defaults) == dict(DYNAMIC)
    assert Precision.of("float16").part("jax").rule(sgd(lr=0.1)) == loss_scale(sgd(lr=0.1))
    assert Precision.of("float16").part("torch").rule(sgd(lr=0.1)) == sgd(lr=0.1)  # GradScaler stands beside it
    assert repr(Precision().part("torch")) == "torch policy Precision(compute='float32', params='float32', loss_scale=None)"
    assert repr(Precision().part("jax")) == "jax policy Precision(compute='float32', params='float32', loss_scale=None)"


def test_words_are_all_precisions():
    assert {Precision.of(word).compute for word in WORDS} == set(WORDS)


# ------------------------------------------------------------------------------------------------- a model in both frameworks
PRECISIONS = ["float32", "bfloat16", {"compute": "bfloat16", "params": "bfloat16"}, "float16", {"compute": "float16", "loss_scale": 64}]


@BOTH
@pytest.mark.parametrize("precision", PRECISIONS, ids=str)
def test_a_step_computes_keeps_and_returns_what_the_precision_says(make, precision):
    loop = make(precision, adamw(lr=1e-2))
    losses = [loop.step(X, Y) for _ in range(15)]
    assert losses[-1] < 0.5 * losses[0]
    wanted = Precision.of(precision)
    kept = {str(p.dtype).removeprefix("torch.") for p in
            (loop.model.parameters() if make is Torch else jax.tree.leaves(nnx.state(loop.model, nnx.Param)))}  # fmt: skip
    assert kept == {wanted.params}
    assert str(loop.predictions).removeprefix("torch.") == "float32"
    assert loop.scale() == {None: 1.0, "dynamic": 2.0**16}.get(wanted.loss_scale, wanted.loss_scale)


@BOTH
@pytest.mark.parametrize("precision", ["bfloat16", {"compute": "bfloat16", "params": "bfloat16"}, "float16"], ids=str)
def test_gradients_of_half_precision_are_those_of_float32_to_its_bits(make, precision):
    compute = Precision.of(precision).compute
    half, full = make(precision, sgd()).gradients(X, Y), make("float32", sgd()).gradients(X, Y)
    seen = 0.0
    for name, g in full.items():
        off = np.abs(half[name] - g).max() / np.abs(g).max()
        assert off < HALF[compute], (name, off)
        seen = max(seen, off)
    assert seen > 1e-5, "nothing was computed in half precision"


def test_the_gradient_of_a_bias_is_summed_in_float32():
    """4,096 equal terms: in bfloat16, XLA on the CPU stops adding where one more is less than half a bit."""
    model = nnx.Conv(1, 16, (1, 1), rngs=nnx.Rngs(0))
    policy, x = Precision.of("bfloat16").part("jax"), jnp.ones((64, 8, 8, 1))
    _, grads = jax.jit(lambda m, x: policy.gradients(lambda m, x: policy.forward(m, x).sum(), m, None, x))(model, x)
    assert_same(grads["bias"][...], jnp.full(16, 4096.0))
    plain = jax.jit(lambda g: jax.vjp(lambda b: jnp.zeros((64, 8, 8, 16), jnp.bfloat16) + b, jnp.zeros(16, jnp.bfloat16))[1](g)[0])
    assert float(plain(jnp.ones((64, 8, 8, 16), jnp.bfloat16))[0]) < 1024  # else the detour in lossopt_jax.precision is not needed


@pytest.mark.parametrize("name", ["cnn", "transformer", "rnn", "unet"])
def test_every_built_in_model_trains_in_bfloat16(name):
    rng = np.random.default_rng(0)
    sizes, x = ((64, 10), rng.normal(size=(4, 64))) if name == "cnn" else ((1, 3), rng.normal(size=(2, 1, 8, 8)))
    if name in ("transformer", "rnn"):
        sizes, x = (12, 12), rng.integers(0, 12, (2, 6))
    policy = Precision.of("bfloat16").part("torch")
    model = policy.cast_model(torch_models.build(name, sizes))
    policy.gradients(lambda m, x: policy.forward(m, x).square().mean(), model, torch.tensor(x))
    assert {p.grad.dtype for p in model.parameters()} == {torch.float32}
    policy = Precision.of("bfloat16").part("jax")
    module = policy.cast_model(jax_models.build(name, sizes, nnx.Rngs(0)))
    graph, state = nnx.split(module)

    def run(state: Any) -> Any:
        model = nnx.merge(graph, state, copy=True)
        return policy.gradients(lambda m, x: (policy.forward(m, x) ** 2).mean(), model, None, jnp.asarray(x))

    assert {str(x.dtype) for x in jax.tree.leaves(jax.eval_shape(run, state))} == {"float32"}
    forward = jax.make_jaxpr(lambda state: policy.forward(nnx.merge(graph, state, copy=True), jnp.asarray(x)))(state)
    assert factors(forward.jaxpr) == {"bfloat16"}


def factors(jaxpr: Any) -> set[str]:
    """The dtypes of what is multiplied in matrix products and convolutions."""
    found: set[str] = set()
    for equation in jaxpr.eqns:
        if equation.primitive.name in ("dot_general", "conv_general_dilated"):
            found |= {str(v.aval.dtype) for v in equation.invars}
        for inside in equation.params.values():
            found |= factors(getattr(inside, "jaxpr", inside)) if hasattr(getattr(inside, "jaxpr", inside), "eqns") else set()
    return found


def test_a_tree_of_parameters_and_a_function_in_jax():
    policy = Precision.of("float16").part("jax")
    params = policy.cast_model({"w": jnp.ones((64, 2)) / 8, "rate": jnp.asarray(3)})
    seen = {}

    def apply(params: Any, x: Any) -> Any:
        seen.update(w=params["w"].dtype, rate=params["rate"].dtype, x=x.dtype)
        return x @ params["w"]

    params.pop("rate")
    tx = get_optimizer(policy.rule(sgd(lr=0.1)), "jax")
    state = tx.init(params)
    with pytest.raises(KeyError):
        policy.forward(apply, params, jnp.asarray(X, jnp.float32))
    params["rate"] = jnp.asarray(3)
    assert policy.forward(apply, params, jnp.asarray(X, jnp.float32)).dtype == jnp.float32
    assert seen == {"w": jnp.float16, "rate": jnp.int32, "x": jnp.float16}
    params.pop("rate")
    loss_of = lambda params, x: (policy.forward(lambda p, x: x @ p["w"], params, x) ** 2).mean()  # noqa: E731
    _, grads = policy.gradients(loss_of, params, state, jnp.asarray(X, jnp.float32))
    assert float(jnp.abs(grads["w"]).max()) > 1e3  # the scale is in them
    updates, _ = tx.update(grads, state, params)
    assert_close(updates["w"], -0.1 * policy.unscale(grads, state)["w"], rtol=1e-6)


def test_statistics_and_random_counts_of_an_nnx_module_change_as_in_a_call():
    class Net(nnx.Module):
        def __init__(self) -> None:
            self.norm, self.dropout = nnx.BatchNorm(64, rngs=nnx.Rngs(0)), nnx.Dropout(0.5, rngs=nnx.Rngs(dropout=1))

        def __call__(self, x: Any) -> Any:
            return self.dropout(self.norm(x))

    x, plain, cast = jnp.asarray(X, jnp.float32), Net(), Net()
    policy = Precision.of("bfloat16").part("jax")
    expected, found = plain(x), policy.forward(cast, x)
    assert cast.norm.mean.dtype == jnp.float32 and int(cast.dropout.rngs.count[...]) == 1
    assert_close(found, expected, rtol=2e-2, atol=2e-2)
    assert_close(cast.norm.mean[...], plain.norm.mean[...], rtol=1e-2, atol=1e-3)


def test_nested_inputs_and_outputs_are_cast_in_torch():
    seen = {}

    def function(pair: Any, options: Any) -> Any:
        seen.update(x=pair[0].dtype, index=pair[1].dtype, named=options["mask"].dtype)
        product = pair[0] @ pair[0].T
        return {"product": product, "list": [product, 3], "max": product.max(dim=0)}

    policy = Precision.of("bfloat16").part("torch")
    found = policy.forward(function, (torch.ones(2, 2, dtype=torch.float64), torch.arange(2)), {"mask": torch.ones(2)})
    assert seen == {"x": torch.float32, "index": torch.int64, "named": torch.float32}
    assert found["product"].dtype == found["list"][0].dtype == found["max"].values.dtype == torch.float32
    assert found["list"][1] == 3


# ------------------------------------------------------------------------------------------------- errors of the policies
def no_scale() -> None:
    loop = Jax("float32", sgd())
    Precision.of("float16").part("jax").step(loop.model, loop.optimizer, loop.loss_of, X, Y)


def unscaled() -> None:
    loop = Torch("float16", sgd())
    loop.policy.update(loop.optimizer)


def sam_in_float16() -> None:
    Torch("float16", sam(sgd())).step(X, Y)


@pytest.mark.parametrize(("run", "error", "message"), [
    (no_scale, InputError, "this optimizer has no loss scale: make it with get_optimizer(policy.rule(spec), 'jax')"),
    (unscaled, InputError, "no loss has been scaled yet: call policy.backward(loss), not loss.backward()"),
    (sam_in_float16, ArgumentError,
     "sam(sgd()) takes further gradients, of the loss without its scale: leave the loss scale out, as with bfloat16"),
    (lambda: Jax("float16", sam(sgd())), ArgumentError,
     "loss_scale() cannot wrap sam(sgd()), which takes further gradients, of the loss without its scale: leave the loss scale out, "
     "as with bfloat16"),
    (lambda: Precision.of("float64").part("jax").cast_model({"w": jnp.ones(2)}), InputError,
     "JAX computes in float32 until it is told otherwise: write jax.config.update('jax_enable_x64', True), or compute='float32'"),
    (lambda: Precision().part("jax").step({"w": jnp.ones(2)}, None, lambda p, x: p, X), InputError,
     "step() changes an nnx module and its nnx.Optimizer, got dict; with a tree of parameters write loss, grads = "
     "policy.gradients(loss_of, params, state, *batch), and then tx.update(grads, state, params)"),
    (lambda: Precision.of("bfloat16").part("torch").forward(torch.relu, torch.ones(1, device="meta")), InputError,
     "autocast has no bfloat16 for the device 'meta': write compute='float32'"),
], ids=["no rule", "no loss", "sam in torch", "sam in jax", "x64", "tree", "device"])  # fmt: skip
def test_errors_say_what_to_type(run, error, message):
    with pytest.raises(error) as caught:
        run()
    assert str(caught.value) == message


# ------------------------------------------------------------------------------------------------- a comparison
@pytest.mark.parametrize("dtype", list(HALF))
def test_the_frameworks_agree_in_half_precision_on_the_digits(dtype):
    found = compare(Recipe("cross_entropy", adamw(lr=1e-3)), dtype=dtype, steps=50)
    assert not found.diverged
    assert found.recipe.precision == Precision.of(dtype)
    assert found.rows[0].differences["gradient"].size < HALF[dtype]
    assert 1e-7 < max(row.differences["loss"].size for row in found.rows) < 2e-2  # measured: 2.0e-4 and 1.0e-4


def test_another_learning_rate_is_seen_in_half_precision_too():
    other = {"torch": Recipe("cross_entropy", sgd(lr=0.1001))}
    found = compare(Recipe("cross_entropy", sgd(lr=0.1)), dtype="bfloat16", steps=2, recipe_for=other)
    assert found.breach is not None and found.breach.difference.stage == "schedule"
