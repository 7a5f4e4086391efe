"""What the two functions of a port check return is looked at, and refused in words that say what they are to return."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import linen, nnx
from port_check_pairs import LR, FlaxModel, TorchModel, jax_side, ported, torch_side, without
from torch import nn

import lossopt
from lossopt.errors import ArgumentError, InputError


def refused(of_torch=None, of_jax=None, **options):
    with pytest.raises(InputError) as error:
        ported(of_torch, of_jax, **options)
    return str(error.value)


GIVEN = {
    "nothing": (lambda: None, None, "make_torch returned None; it returns a dict, or an object with attributes, of: model, optimizer, loss, batches"),
    "a pair": (lambda: (1, 2), None,
               "make_torch returned a tuple; it returns a dict, or an object with attributes, of: model, optimizer, loss, batches"),
    "another name": (lambda: {**torch_side(), "optimiser": 1}, None, "make_torch returns 'optimiser', which nothing reads; did you mean 'optimizer'?"),
    "a name that is nothing": (None, lambda: {**jax_side(), "zzz": 1}, "make_jax returns 'zzz', which nothing reads; it is one of: model, apply, params, "
                               "optimizer, loss, batches, lr"),
    "no loss": (lambda: without(torch_side(), "loss"), None, "make_torch returns no 'loss': a function, loss(outputs, labels), that gives one number"),
    "no optimizer": (None, lambda: without(jax_side(), "optimizer"), "make_jax returns no 'optimizer': an optax transformation, or a list of them"),
    "a class": (lambda: {**torch_side(), "model": TorchModel}, None, "make_torch: 'model' is a torch.nn.Module, got the class TorchModel"),
    "an nnx.Optimizer": (None, lambda: jax_side(optimizer=nnx.Optimizer(FlaxModel(), optax.adam(LR), wrt=nnx.Param)),
                         "make_jax: 'optimizer' is an optax transformation, or a list of them, got Optimizer; return its transformation: optimizer.tx"),
    "a number for an optimizer": (None, lambda: jax_side(optimizer=0.1), "make_jax: 'optimizer' is an optax transformation, or a list of them, got float"),
    "a linen module": (None, lambda: jax_side(linen.Dense(3)), "make_jax: 'model' is an nnx.Module, got Dense; of a linen module return "
                       "apply=model.apply and params=model.init(key, x)"),
    "no model": (None, lambda: without(jax_side(), "model"),
                 "make_jax returns neither 'model', an nnx.Module, nor 'apply' and 'params', a function and what it takes"),
    "both": (None, lambda: jax_side(apply=lambda *_: 0), "make_jax returns both 'model' and 'apply'; return the nnx.Module, or 'apply' and 'params'"),
    "another model's optimizer": (lambda: torch_side(optimizer=lambda p: torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)), None,
                                  "make_torch: 'optimizer' has none of the model's parameters; make it of model.parameters()"),
    "a scheduler without a step": (lambda: torch_side(scheduler=3), None,
                                   "make_torch: 'scheduler' is an object whose step() follows every update, got int"),
    "batches in words": (lambda: torch_side(batches="train"), None,
                         "make_torch: 'batches' is an iterable of tuples (inputs, ..., labels), one for each update, got str"),
    "no batches": (None, lambda: jax_side(batches=[]), "make_jax: 'batches' is empty; one is needed for each update"),
    "inputs alone": (None, lambda: jax_side(batches=[np.zeros((3, 12))]), "make_jax: batch 0 is a tuple (inputs, ..., labels) of arrays, got ndarray"),
    "lists": (lambda: torch_side(batches=[([1.0], [2])]), None,
              "make_torch: batch 0 holds arrays, got list; numpy.asarray makes an array of it"),
    "a loss of samples": (None, lambda: jax_side(loss=optax.softmax_cross_entropy_with_integer_labels),
                          "make_jax: loss(outputs, labels) gave an array of shape (16,), and must give one number; write .mean() after it"),
    "a loss of samples in torch": (lambda: torch_side(loss=nn.CrossEntropyLoss(reduction="none")), None,
                                   "make_torch: loss(outputs, labels) gave an array of shape (16,), and must give one number; write .mean() after it"),
    "a float": (lambda: torch_side(loss=lambda x, y: 1.0), None,
                "make_torch: loss(outputs, labels) gave a float, and must give a tensor of one number"),
}  # fmt: skip


@pytest.mark.parametrize("given", GIVEN)
def test_what_a_function_returns_is_looked_at(given):
    of_torch, of_jax, message = GIVEN[given]
    assert refused(of_torch, of_jax) == message


def test_weights_without_a_counterpart_are_not_copied():
    class More(FlaxModel):
        def __init__(self):
            super().__init__()
            self.scale = nnx.Param(jnp.ones(3))

    assert refused(of_jax=lambda: jax_side(More())) == (
        "--copy-weights torch: scale of jax has no counterpart; say which parameter is which in a YAML file, {JAX's name: PyTorch's}, and give it as "
        "--map FILE"
    )
    narrow = TorchModel()
    narrow.last = nn.Linear(16, 3)
    assert refused(lambda: torch_side(narrow)) == (
        "--copy-weights torch: last.weight (last.kernel) is (3, 16) in torch and (5, 16) in jax, both in PyTorch's layout; give both models the same sizes"
    )


def test_rules_say_which_parameter_is_which():
    class Renamed(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = TorchModel()
            self.forward = self.inner.forward

    rules = {"*.kernel": "inner.*.weight", "*.bias": "inner.*.bias", "norm.scale": "inner.norm.weight"}
    found = ported(lambda: torch_side(Renamed()), steps=2, rules=rules)
    assert found.equal
    assert found.notes == ("6 parameters of torch were copied to the other side",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "port-check: steps is a whole number from 1, got 0"),
        ({"copy_weights": "both"}, "port-check: copy_weights is 'torch' or 'jax', the side whose weights both begin with, got 'both'"),
    ],
)
def test_options_are_refused(options, message):
    with pytest.raises(ArgumentError) as error:
        lossopt.port_check(torch_side, jax_side, **options)
    assert str(error.value) == message
