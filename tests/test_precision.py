"""Precision and memory: dtypes, the loss scale, checkpointing and micro-batches, the same in both frameworks."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from helpers import assert_close, assert_same
from hypothesis import given, settings
from hypothesis import strategies as st

import lossopt_jax.models as jax_models
import lossopt_torch.models as torch_models
from lossopt import get_loss, get_optimizer
from lossopt.compare import compare
from lossopt.errors import ArgumentError, HyperparameterError, InputError
from lossopt.optimizers import adam, adamw, polyak_sgd, sgd
from lossopt.precision import DYNAMIC, WORDS, Precision, chosen, parts_of
from lossopt.recipes import Recipe
from lossopt.transforms import accumulate, chain, clip_by_global_norm, loss_scale, sam
from lossopt_jax import precision as in_jax
from lossopt_torch import precision as in_torch

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 64))
Y = RNG.integers(0, 10, 24)
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


# ------------------------------------------------------------------------------------------------- the loss scale
def scaler_like(**options: Any) -> tuple[Any, Any, Any]:
    """A GradScaler that has its scale, an optimizer and its only parameter."""
    param = torch.nn.Parameter(torch.ones(3))
    scaler = torch.amp.GradScaler("cpu", **options)
    scaler.scale(torch.zeros(()))
    return scaler, torch.optim.SGD([param], lr=0.25, momentum=0.5), param


FINITE = st.lists(st.sampled_from([True, True, True, False]), min_size=1, max_size=40)
FACTORS = st.sampled_from([
    dict(init_scale=2.0**16, growth_factor=2.0, backoff_factor=0.5),
    dict(init_scale=2.0**126, growth_factor=2.0, backoff_factor=0.25),  # GradScaler does not grow beyond float32
    dict(init_scale=1.0, growth_factor=4.0, backoff_factor=0.5),
    dict(init_scale=1024.0, growth_factor=1.5, backoff_factor=0.75),  # no powers of two: float32 rounds, and so does JAX
])  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(FINITE, FACTORS, st.integers(1, 6), st.sampled_from([math.inf, -math.inf, math.nan]))
def test_the_transition_is_grad_scaler_s(finite: list[bool], factors: dict[str, float], interval: int, bad: float) -> None:
    options = {**factors, "growth_interval": interval}
    scaler, theirs, param = scaler_like(**options)
    spec = loss_scale(sgd(lr=0.25, momentum=0.5), **options)
    referee, ours = get_optimizer(spec, "numpy"), torch.nn.Parameter(torch.ones(3))
    rule = get_optimizer(spec, "torch", params=[ours], executor="single")
    values, state = np.ones(3), referee.init(np.ones(3))
    rounding = 1e-5 if factors["growth_factor"] == 1.5 else 0.0
    for step, good in enumerate(finite):
        grads = np.array([scaler.get_scale() * (1 + step % 3) / 4, 0.0, 1.0])
        if not good:
            grads[step % 3] = bad
        param.grad, ours.grad = (torch.tensor(grads, dtype=torch.float32) for _ in range(2))
        with np.errstate(invalid="ignore"):
            updates, state = referee.update(grads, state, values)
        values = values + updates
        rule.step()
        scaler.step(theirs)
        scaler.update()
        slots, shared = state[1], rule.param_groups[0]["shared"]
        for scale, tracker in ((slots.scale, slots.growth_tracker), (shared["scale"], shared["growth_tracker"])):
            np.testing.assert_allclose(float(scale), scaler.get_scale(), rtol=rounding)
            assert float(tracker) == scaler._get_growth_tracker()
        assert_close(values, param, rtol=1e-5)
        assert_close(ours, param, rtol=1e-5)


@settings(max_examples=30, deadline=None)
@given(FINITE)
def test_the_compiled_transition_is_grad_scaler_s(finite: list[bool]) -> None:
    for good, (scale, tracker), scaler in zip(finite, walk(finite), scales(finite), strict=True):
        assert (scale, tracker) == scaler, good


def scales(finite: list[bool]) -> list[tuple[float, int]]:
    scaler, optimizer, param = scaler_like(growth_interval=3)
    found = []
    for good in finite:
        param.grad = torch.full((3,), 1.0 if good else math.inf)
        scaler.step(optimizer)
        scaler.update()
        found.append((scaler.get_scale(), scaler._get_growth_tracker()))
    return found


TX = get_optimizer(loss_scale(sgd(lr=0.25), growth_interval=3), "jax")
UPDATE = jax.jit(TX.update)


def walk(finite: list[bool]) -> list[tuple[float, int]]:
    params, found = jnp.ones(3), []
    state = TX.init(params)
    for good in finite:
        _, state = UPDATE(jnp.full(3, 1.0 if good else jnp.inf), state, params)
        found.append((float(state.slots.scale), float(state.slots.growth_tracker)))
    return found


def test_a_skipped_step_leaves_parameters_and_moments_and_time_goes_on_for_the_next():
    tx = get_optimizer(loss_scale(adam(lr=0.1), init_scale=4.0), "jax")
    plain = get_optimizer(adam(lr=0.1), "jax")
    params, g = jnp.array([1.0, 2.0]), jnp.array([0.5, -1.0])
    skipped, state = tx.update(jnp.array([jnp.inf, 1.0]), tx.init(params), params)
    assert_same(skipped, jnp.zeros(2))
    updates, state = tx.update(g * 2.0, state, params)  # the scale is 2 now
    assert_same(updates, plain.update(g, plain.init(params), params)[0])
    assert float(state.slots.scale) == 2.0


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: loss_scale(sam(sgd())), ArgumentError,
     "loss_scale() cannot wrap sam(sgd()), which takes further gradients, of the loss without its scale: leave the loss scale out, "
     "as with bfloat16"),
    (lambda: loss_scale(sgd(), growth_factor=0.5), HyperparameterError,
     "loss_scale: growth_factor must be at least 1, and finite, got 0.5"),
    (lambda: loss_scale(sgd(), backoff_factor=0.0), HyperparameterError, "loss_scale: backoff_factor must be in (0, 1], got 0.0"),
    (lambda: loss_scale(sgd(), init_scale=0), HyperparameterError, "loss_scale: init_scale must be positive, and finite, got 0"),
    (lambda: loss_scale(sgd(), growth_interval=0), HyperparameterError,
     "loss_scale: growth_interval must be at least 1, and finite, got 0"),
], ids=["sam", "growth", "backoff", "scale", "interval"])  # fmt: skip
def test_errors_of_the_loss_scale(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == message


# ------------------------------------------------------------------------------------------------- a model in both frameworks
class TorchNet(torch.nn.Module):
    """Two layers over the same weights as JaxNet's."""

    def __init__(self) -> None:
        super().__init__()
        generator = np.random.default_rng(1)
        self.up, self.norm, self.down = torch.nn.Linear(64, 48).double(), torch.nn.LayerNorm(48), torch.nn.Linear(48, 10).double()
        with torch.no_grad():
            for layer in (self.up, self.down):
                layer.weight.copy_(torch.tensor(generator.normal(size=layer.weight.shape) / 8))
                layer.bias.copy_(torch.tensor(generator.normal(size=layer.bias.shape) / 8))

    def forward(self, x: Any) -> Any:
        return self.down(self.norm(torch.tanh(self.up(x))))


class JaxNet(nnx.Module):
    def __init__(self) -> None:
        generator, rngs = np.random.default_rng(1), nnx.Rngs(0)
        self.up, self.down = nnx.Linear(64, 48, rngs=rngs), nnx.Linear(48, 10, rngs=rngs)
        self.norm = nnx.LayerNorm(48, epsilon=1e-5, rngs=rngs)
        for layer in (self.up, self.down):
            shape = layer.kernel.shape
            layer.kernel.set_value(jnp.asarray(generator.normal(size=shape[::-1]).T / 8))
            layer.bias.set_value(jnp.asarray(generator.normal(size=shape[-1]) / 8))

    def __call__(self, x: Any) -> Any:
        return self.down(self.norm(jnp.tanh(self.up(x))))


class Torch:
    """One training loop; `Jax` has the same methods."""

    backend = "torch"

    def __init__(self, precision: Any, spec: Any, reduction: str = "mean") -> None:
        self.policy = Precision.of(precision).part("torch")
        self.model = self.policy.cast_model(TorchNet())
        self.optimizer = get_optimizer(self.policy.rule(spec), "torch", params=self.model.named_parameters())
        self.loss, self.reduction = get_loss("cross_entropy", "torch", reduction=reduction), reduction

    def loss_of(self, model: Any, x: Any, y: Any) -> Any:
        predictions = self.policy.forward(model, x)
        self.predictions = predictions.dtype
        return self.loss(predictions, y)

    def step(self, x: np.ndarray, y: np.ndarray, parts: int = 1) -> float:
        batch = torch.tensor(x, dtype=self.policy.params), torch.tensor(y)
        loss = self.policy.step(self.model, self.optimizer, self.loss_of, *batch, parts=parts, reduction=self.reduction)
        assert not loss.requires_grad
        return float(loss)

    def gradients(self, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        self.policy.gradients(self.loss_of, self.model, torch.tensor(x, dtype=self.policy.params), torch.tensor(y))
        self.policy.unscale(self.optimizer)
        return {n: p.grad.float().numpy() for n, p in self.model.named_parameters()}

    def parameters(self) -> dict[str, Any]:
        return {n: p.detach() for n, p in self.model.named_parameters()}

    def scale(self) -> float:
        return self.policy.loss_scale(self.optimizer)


class Jax:
    backend = "jax"

    def __init__(self, precision: Any, spec: Any, reduction: str = "mean") -> None:
        self.policy = Precision.of(precision).part("jax")
        self.model = self.policy.cast_model(JaxNet())
        self.optimizer = nnx.Optimizer(self.model, get_optimizer(self.policy.rule(spec), "jax"), wrt=nnx.Param)
        self.loss, self.reduction = get_loss("cross_entropy", "jax", reduction=reduction), reduction
        self.compiled = nnx.jit(self.policy.step, static_argnames=("loss_of", "parts", "reduction"), static_argnums=(2,))

    def loss_of(self, model: Any, x: Any, y: Any) -> Any:
        predictions = self.policy.forward(model, x)
        self.predictions = predictions.dtype
        return self.loss(predictions, y)

    def step(self, x: np.ndarray, y: np.ndarray, parts: int = 1) -> float:
        batch = jnp.asarray(x, self.policy.params), jnp.asarray(y)
        return float(self.compiled(self.model, self.optimizer, self.loss_of, *batch, parts=parts, reduction=self.reduction))

    def gradients(self, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        batch = jnp.asarray(x, self.policy.params), jnp.asarray(y)
        _, gradients = self.policy.gradients(self.loss_of, self.model, self.optimizer, *batch)
        return named(self.policy.unscale(gradients, self.optimizer))

    def parameters(self) -> dict[str, Any]:
        return named(nnx.state(self.model, nnx.Param))

    def scale(self) -> float:
        return float(self.policy.loss_scale(self.optimizer))


TO_TORCH = {"kernel": "weight", "scale": "weight", "bias": "bias"}


def named(state: Any) -> dict[str, Any]:
    """PyTorch's names and layouts."""
    found = {}
    for module, leaves in nnx.to_pure_dict(state).items():
        for name, x in leaves.items():
            found[f"{module}.{TO_TORCH[name]}"] = (x.T if name == "kernel" else x).astype(jnp.promote_types(x.dtype, jnp.float32))
    return found


BOTH = pytest.mark.parametrize("make", [Torch, Jax], ids=["torch", "jax"])
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
    sizes, x = ((64, 10), RNG.normal(size=(4, 64))) if name == "cnn" else ((1, 3), RNG.normal(size=(2, 1, 8, 8)))
    if name in ("transformer", "rnn"):
        sizes, x = (12, 12), RNG.integers(0, 12, (2, 6))
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


# ------------------------------------------------------------------------------------------------- overflow and saving
@BOTH
def test_a_loss_that_overflows_is_skipped_and_the_scale_halved_in_both(make):
    loop = make({"compute": "float16", "loss_scale": "dynamic"}, sgd(lr=0.1))
    before = {n: np.asarray(p).copy() for n, p in loop.parameters().items()}
    loop.step(X * 1e6, Y)  # more than float16 holds
    assert_same(loop.parameters(), before)
    assert loop.scale() == 2.0**15
    loop.step(X, Y)
    assert any((np.asarray(p) != before[n]).any() for n, p in loop.parameters().items())
    assert loop.scale() == 2.0**15


@BOTH
def test_a_fixed_scale_stays_after_an_overflow(make):
    loop = make({"compute": "float16", "loss_scale": 128}, sgd(lr=0.1))
    before = {n: np.asarray(p).copy() for n, p in loop.parameters().items()}
    loop.step(X * 1e6, Y)
    assert_same(loop.parameters(), before)
    assert loop.scale() == 128.0


def test_the_scale_in_torch_is_saved_and_goes_on():
    a, b = (Torch("float16", sgd(lr=0.1)) for _ in range(2))
    assert a.policy.state_dict() == {}
    assert a.scale() == 2.0**16
    a.step(X * 1e6, Y)
    b.policy.load_state_dict(a.policy.state_dict())
    assert b.policy.state_dict() == a.policy.state_dict()
    assert b.scale() == 2.0**15  # before its first loss
    b.step(X, Y)
    assert b.scale() == 2.0**15
    b.policy.load_state_dict({**b.policy.state_dict(), "scale": 4.0})
    assert b.scale() == 4.0


@BOTH
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_rules_that_read_the_loss_are_given_it_without_the_scale(make, precision):
    loop = make(precision, polyak_sgd(max_lr=0.1))
    assert loop.step(X, Y) > loop.step(X, Y)


@BOTH
def test_rules_that_look_at_other_points(make):
    loop = make("bfloat16", sam(sgd(lr=0.2), rho=0.05))
    losses = [loop.step(X, Y, parts=2) for _ in range(10)]
    assert losses[-1] < 0.8 * losses[0]


# ------------------------------------------------------------------------------------------------- micro-batches
@BOTH
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_micro_batches_equal_one_large_batch_in_float64(make, reduction):
    with jax.enable_x64(True):
        spec = chain(clip_by_global_norm(max_norm=0.5), adamw(lr=1e-2))
        whole, micro = make("float64", spec, reduction), make("float64", spec, reduction)
        for _ in range(3):
            np.testing.assert_allclose(micro.step(X, Y, parts=4), whole.step(X, Y), rtol=1e-12)
        for name, p in whole.parameters().items():
            np.testing.assert_allclose(micro.parameters()[name], p, rtol=1e-12, atol=1e-14)


def test_the_frameworks_agree_on_micro_batches_and_with_the_rule_accumulate():
    with jax.enable_x64(True):
        spec = sgd(lr=0.1, momentum=0.9)
        a, b, rule = Torch("float64", spec), Jax("float64", spec), Torch("float64", accumulate(spec, every=4))
        for _ in range(3):
            np.testing.assert_allclose(a.step(X, Y, 4), b.step(X, Y, 4), rtol=1e-12)
            for x, y in parts_of((X, Y), 4):
                rule.step(x, y)
        for name, p in a.parameters().items():
            np.testing.assert_allclose(b.parameters()[name], p, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(rule.parameters()[name], p, rtol=1e-12, atol=1e-14)


def test_statistics_see_every_micro_batch_in_jax():
    def model() -> Any:
        return nnx.Sequential(nnx.BatchNorm(64, rngs=nnx.Rngs(0)), nnx.Linear(64, 10, rngs=nnx.Rngs(0)))

    policy, loss = Precision().part("jax"), get_loss("cross_entropy", "jax")
    at_once, by_hand = model(), model()
    x, y = jnp.asarray(X, jnp.float32), jnp.asarray(Y)
    policy.gradients(lambda m, x, y: loss(m(x), y), at_once, None, x, y, parts=3)
    for part, _ in parts_of((x, y), 3):
        by_hand(part)
    assert_close(at_once.layers[0].mean[...], by_hand.layers[0].mean[...], rtol=1e-6)


@BOTH
@pytest.mark.parametrize(("batch", "parts", "error", "message"), [
    ((X, Y), 5, InputError, "a batch of 24 has no 5 equal parts, and the mean of unequal ones is another: write parts=4"),
    ((X, Y), 0, ArgumentError, "parts must be a whole number, 1 or more, got 0"),
    ((X, Y), 2.5, ArgumentError, "parts must be a whole number, 1 or more, got 2.5"),
    ((X, Y[:4]), 2, InputError, "the arrays of a batch have one first axis; got lengths 24, 4"),
    ((), 2, InputError, "there is no batch to part: give its arrays after the loss function, step(model, optimizer, loss_of, x, y)"),
], ids=["unequal", "none", "half", "lengths", "nothing"])  # fmt: skip
def test_batches_that_have_no_such_parts(make, batch, parts, error, message):
    loop = make("float32", sgd())
    with pytest.raises(error) as caught:
        loop.policy.step(loop.model, loop.optimizer, loop.loss_of, *batch, parts=parts)
    assert str(caught.value) == message


@BOTH
def test_a_reduction_that_is_none(make):
    loop = make("float32", sgd())
    with pytest.raises(ArgumentError) as caught:
        loop.policy.step(loop.model, loop.optimizer, loop.loss_of, X, Y, reduction="none")
    assert str(caught.value) == "reduction must be 'mean' or 'sum', as the loss function's own, got 'none'"


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


# ------------------------------------------------------------------------------------------------- checkpointing
class TorchBlocks(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.blocks = torch.nn.ModuleList(
            torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Tanh(), torch.nn.Linear(64, 64), torch.nn.Dropout(0.2)) for _ in range(4)
        )

    def forward(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        return x


class JaxBlock(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.up, self.down = nnx.Linear(64, 64, rngs=rngs), nnx.Linear(64, 64, rngs=rngs)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.dropout(jnp.sin(self.down(jnp.tanh(self.up(x)))))


class JaxBlocks(nnx.Module):
    def __init__(self) -> None:
        self.blocks = nnx.List([JaxBlock(nnx.Rngs(i, dropout=9)) for i in range(4)])

    def __call__(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        return x


def torch_saved(run: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, int]:
    """What a run returns, and the bytes of what it saves for the backward pass, parameters and repetitions aside."""
    saved = {}
    with torch.autograd.graph.saved_tensors_hooks(lambda x: saved.setdefault(x.data_ptr(), x), lambda x: x):
        result = run()
    return result, sum(x.nbytes for x in saved.values() if not isinstance(x, torch.nn.Parameter))


def jax_saved(run: Callable[..., Any], *args: Any) -> int:
    """The bytes that a function saves for its backward pass."""
    return sum(x.nbytes for x in jax.tree.leaves(jax.vjp(run, *args)[1]))


def test_checkpointed_modules_in_torch_save_less_and_give_the_same():
    x = torch.ones(256, 64)
    plain, kept = TorchBlocks(), in_torch.checkpoint_modules(TorchBlocks(), "blocks.*")
    assert in_torch.checkpoint_modules(kept, "blocks.*") is kept  # twice is once
    assert [n for n, _ in kept.named_parameters()] == [n for n, _ in plain.named_parameters()]
    results = []
    for model in (plain, kept, copy.deepcopy(kept)):
        torch.manual_seed(1)
        loss, size = torch_saved(lambda model=model: model(x).square().sum())
        loss.backward()
        results.append((loss.detach(), {n: p.grad for n, p in model.named_parameters()}, size))
    assert_same(results[1][:2], results[0][:2])  # dropout draws the same again
    assert_same(results[2][:2], results[0][:2])
    assert results[1][2] < 0.5 * results[0][2]


def test_checkpointed_modules_in_jax_save_less_and_give_the_same():
    x = jnp.ones((256, 64))
    plain, kept = JaxBlocks(), in_jax.checkpoint_modules(JaxBlocks(), "blocks.*")
    assert in_jax.checkpoint_modules(kept, "blocks.*") is kept
    assert type(kept.blocks[0]) is type(kept.blocks[1]) and isinstance(kept.blocks[0], JaxBlock)
    assert nnx.graphdef(kept) == nnx.graphdef(in_jax.checkpoint_modules(JaxBlocks(), "blocks.*"))
    sizes, results = [], []
    for model in (plain, kept):
        graph, params, rest = nnx.split(model, nnx.Param, ...)

        def loss_of(params: Any, graph: Any = graph, rest: Any = rest) -> Any:
            return (nnx.merge(graph, params, rest, copy=True)(x) ** 2).mean()

        sizes.append(jax_saved(loss_of, params))
        results.append(nnx.to_pure_dict(jax.grad(loss_of)(params)))
    assert_close(results[1], results[0], rtol=1e-5, atol=1e-5)
    assert sizes[1] < 0.6 * sizes[0]


def test_a_checkpointed_function_in_jax_needs_less_memory_when_compiled():
    weights, x = jnp.ones((16, 64, 64)) / 64, jnp.ones((1024, 64))

    def layer(x: Any, w: Any) -> Any:
        for _ in range(4):
            x = jnp.tanh(x @ w)
        return x

    def temporary(layer: Any) -> int:
        grad = jax.grad(lambda w: jax.lax.scan(lambda x, w: (layer(x, w), None), x, w)[0].sum())
        return jax.jit(grad).lower(weights).compile().memory_analysis().temp_size_in_bytes

    plain, kept = temporary(layer), temporary(in_jax.checkpoint(layer))
    assert kept < 0.6 * plain
    assert_close(in_jax.checkpoint(layer)(x, weights[0]), layer(x, weights[0]), rtol=1e-6)


def test_a_checkpointed_function_in_torch_saves_less():
    x = torch.randn(64, 64, dtype=torch.float64, requires_grad=True)

    def function(x: Any) -> Any:
        return x.exp().sin().tanh().exp().sum()

    (a, many), (b, few) = torch_saved(lambda: function(x)), torch_saved(lambda: in_torch.checkpoint(function)(x))
    assert_same(torch.autograd.grad(b, x), torch.autograd.grad(a, x))
    assert few == x.nbytes < many / 2


@BOTH
def test_checkpointing_and_half_precision_go_together(make):
    part = in_torch if make is Torch else in_jax
    plain, kept = make("bfloat16", sgd()), make("bfloat16", sgd())
    part.checkpoint_modules(kept.model, "up")
    assert_close(kept.gradients(X, Y), plain.gradients(X, Y), rtol=1e-2, atol=1e-3)
    assert kept.step(X, Y) == pytest.approx(plain.step(X, Y), rel=1e-3)


@pytest.mark.parametrize(("part", "make"), [(in_torch, TorchBlocks), (in_jax, JaxBlocks)], ids=["torch", "jax"])
def test_a_pattern_that_matches_nothing(part, make):
    with pytest.raises(ArgumentError) as caught:
        part.checkpoint_modules(make(), "block.*")
    assert str(caught.value).startswith("'block.*' matches none of the model's modules; did you mean 'blocks")
    with pytest.raises(ArgumentError) as caught:
        part.checkpoint_modules(make())
    assert str(caught.value) == "which modules? Name them, such as checkpoint_modules(model, 'blocks.*')"


def test_of_modules_inside_each_other_the_outer_one_is_chosen():
    names = ["blocks.0", "blocks.0.up", "blocks.1", "blocks.10", "output"]
    assert chosen(names, ("blocks.*",)) == ["blocks.0", "blocks.1", "blocks.10"]
    assert chosen(names, ("*.up", "output")) == ["blocks.0.up", "output"]


def test_words_are_all_precisions():
    assert {Precision.of(word).compute for word in WORDS} == set(WORDS)
