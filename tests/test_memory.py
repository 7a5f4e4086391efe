"""A batch in parts and a model that is checkpointed give the numbers of the whole, in less memory."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from helpers import assert_close, assert_same
from precision_loops import BOTH, Jax, Torch, X, Y

from lossopt import get_loss
from lossopt.errors import ArgumentError, InputError
from lossopt.optimizers import adamw, sgd
from lossopt.precision import Precision, chosen, parts_of
from lossopt.transforms import accumulate, chain, clip_by_global_norm
from lossopt_jax import precision as in_jax
from lossopt_torch import precision as in_torch


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
