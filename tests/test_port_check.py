"""``lossopt port-check``: which stage breaks, in which words, and what is refused."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import linen, nnx
from torch import nn
from torch.nn import functional as F

import lossopt
from lossopt.cli.main import main
from lossopt.errors import ArgumentError, InputError
from lossopt.port_check.check import check
from lossopt.port_check.known import differences, unseen
from lossopt.port_check.side import Seen
from lossopt.port_check.source import Maker
from lossopt.port_check.stages import names

CLASSES, LR = 5, 1e-2


def batches(seed: int = 0, scale: float = 1.0, count: int = 200, layout: str = "rows"):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        x = rng.normal(size=(16, 12)) * scale if layout == "rows" else rng.normal(size=(8, 3, 6, 6))
        y = rng.integers(CLASSES, size=len(x))
        yield (np.moveaxis(x, 1, -1) if layout == "last" else x), y


def cross_entropy(logits, labels):
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


class TorchModel(nn.Module):
    def __init__(self, *, eps=1e-5, approximate="none", p=0.0):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(12, 16), nn.LayerNorm(16, eps=eps), nn.Linear(16, CLASSES)
        self.approximate, self.drop = approximate, nn.Dropout(p)
        nn.init.normal_(self.norm.bias)
        with torch.no_grad():
            self.first.weight *= 0.1  # a small variance, which an eps is seen beside

    def forward(self, x):
        return self.last(self.drop(F.gelu(self.norm(self.first(x)), approximate=self.approximate)))


class FlaxModel(nnx.Module):
    def __init__(self, *, eps=1e-5, approximate=False, detached=False, rate=0.0):
        rngs = nnx.Rngs(0)
        self.first, self.last = nnx.Linear(12, 16, rngs=rngs), nnx.Linear(16, CLASSES, rngs=rngs)
        self.norm, self.drop = nnx.LayerNorm(16, epsilon=eps, rngs=rngs), nnx.Dropout(rate, rngs=rngs)
        self.approximate, self.detached = approximate, detached

    def __call__(self, x):
        x = self.drop(nnx.gelu(self.norm(self.first(x)), approximate=self.approximate))
        return jax.lax.stop_gradient(x @ self.last.kernel[...]) + self.last.bias[...] if self.detached else self.last(x)


def torch_side(model=None, optimizer=None, loss=None, **others):
    torch.manual_seed(0)
    model = TorchModel() if model is None else model
    made = {"model": model, "loss": loss or nn.CrossEntropyLoss(), "batches": batches()}
    return {**made, "optimizer": (optimizer or (lambda p: torch.optim.Adam(p, lr=LR)))(model.parameters()), **others}


def jax_side(model=None, **others):
    made = {"model": FlaxModel() if model is None else model, "loss": cross_entropy, "optimizer": optax.adam(LR), "lr": LR, "batches": batches()}
    return {**made, **others}


def ported(of_torch=None, of_jax=None, **options):
    """The check of what two functions give; nothing is identified unless it is asked for."""
    options = {"steps": 12, "copy_weights": "torch", "identify": lambda *_: None, **options}
    return check(Maker(of_torch or torch_side, "make_torch"), Maker(of_jax or jax_side, "make_jax"), **options)


def states(found):
    return {s.name: s.state for s in found.stages}


# ------------------------------------------------------------------------------------------------- what passes
def test_an_equal_pair_passes_every_stage():
    found = ported(steps=100)
    assert found.equal, found
    assert set(states(found).values()) == {"passes"}
    assert list(states(found)) == ["initial weights", "one batch", "forward", "loss", "gradients", "one update", "ten updates", "100 updates"]
    apart = {s.name: s.apart for s in found.stages}
    assert apart["initial weights"] == 0
    assert apart["forward"] < 1e-6
    assert found.stages[2].compared == "80 outputs of 16 samples"
    assert found.verdict.sentence.startswith("torch and jax are equal to rounding over 100 steps, in parameters, initial weights, data, loss, ")
    assert found.notes == ("6 parameters of torch were copied to the other side",)


def test_the_verb_takes_the_functions_themselves():
    found = lossopt.port_check(torch_side, lambda: SimpleNamespace(**jax_side()), steps=3, copy_weights="jax")
    assert found.equal
    assert list(states(found)) == list(names(3))
    assert repr(found) == found.verdict.sentence
    assert found.notes == ("6 parameters of jax were copied to the other side",)


class TorchNet(nn.Module):
    """A convolution, both normalisations, an embedding."""

    def __init__(self):
        super().__init__()
        self.conv, self.batch, self.layer = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.LayerNorm(4)
        self.table, self.head = nn.Embedding(7, 4), nn.Linear(4, CLASSES)
        for norm in (self.batch, self.layer):
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
        nn.init.normal_(self.batch.running_mean)
        nn.init.uniform_(self.batch.running_var, 0.5, 2)

    def forward(self, x):
        x = F.relu(self.batch(self.conv(x))).mean((2, 3))
        return self.head(self.layer(x) + self.table(torch.arange(len(x)) % 7))


class FlaxNet(nnx.Module):
    def __init__(self, *, evaluates=False, momentum=0.9):
        rngs = nnx.Rngs(0)
        self.conv, self.layer = nnx.Conv(3, 4, (3, 3), padding=1, rngs=rngs), nnx.LayerNorm(4, epsilon=1e-5, rngs=rngs)
        self.batch = nnx.BatchNorm(4, use_running_average=evaluates, momentum=momentum, rngs=rngs)
        self.table, self.head = nnx.Embed(7, 4, rngs=rngs), nnx.Linear(4, CLASSES, rngs=rngs)

    def __call__(self, x):
        x = nnx.relu(self.batch(self.conv(x))).mean((1, 2))
        return self.head(self.layer(x) + self.table(jnp.arange(len(x)) % 7))


@pytest.mark.parametrize("source", ["torch", "jax"])
@pytest.mark.parametrize("evaluates", [False, True])
def test_every_kind_of_weight_is_copied(source, evaluates):
    net = TorchNet()
    net.eval() if evaluates else net.train()
    found = ported(lambda: torch_side(net, batches=batches(layout="first")),
                   lambda: jax_side(FlaxNet(evaluates=evaluates), batches=batches(layout="last")), copy_weights=source, steps=3)  # fmt: skip
    assert found.equal, (found, found.stages)
    assert found.stages[0].apart == 0
    assert found.stages[1].apart < 1e-6  # images are compared in one layout
    assert found.notes == (f"9 parameters and 2 running statistics of {source} were copied to the other side",)


def test_a_bias_before_a_normalisation_is_left_out_of_what_is_shown():
    """Its gradient is rounding alone, of which Adam makes whole steps."""
    found = ported(lambda: torch_side(TorchNet(), batches=batches(layout="first")), lambda: jax_side(FlaxNet(), batches=batches(layout="last")))
    assert found.equal
    one = next(s for s in found.stages if s.name == "one update")
    assert one.compared == "updates of 8 parameters, without conv.bias: the gradient is rounding alone"
    assert one.apart < 1e-4


def test_batch_norms_momentum_is_told_although_training_does_not_show_it():
    found = ported(lambda: torch_side(TorchNet(), batches=batches(layout="first")),
                   lambda: jax_side(FlaxNet(momentum=0.99), batches=batches(layout="last")), steps=2)  # fmt: skip
    assert found.equal
    assert found.notes[-1] == ("BatchNorm's running averages will differ, which no training step shows: momentum=0.1 in PyTorch is momentum=0.9 in "
                               "Flax, and here it is 0.99")  # fmt: skip


def test_linen_and_plain_functions():
    class Net(linen.Module):
        @linen.compact
        def __call__(self, x):
            return linen.Dense(CLASSES, name="last")(x)

    model = Net()
    variables = model.init(jax.random.key(0), jnp.zeros((1, 12)))
    of_jax = {**without(jax_side(), "model"), "apply": model.apply, "params": variables}
    net = nn.Module()
    net.last = nn.Linear(12, CLASSES)
    net.forward = net.last.forward
    found = ported(lambda: torch_side(net), lambda: of_jax, steps=3)
    assert found.equal, found
    assert states(found)["3 updates"] == "passes"


def test_clipping_and_a_schedule_on_both_sides():
    def of_torch():
        made = torch_side(optimizer=lambda p: torch.optim.SGD(p, lr=0.1))
        made["scheduler"] = torch.optim.lr_scheduler.StepLR(made["optimizer"], 5, 0.5)
        made["before_step"] = lambda model: nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        return made

    schedule = optax.exponential_decay(0.1, 5, 0.5, staircase=True)
    found = ported(of_torch, lambda: jax_side(optimizer=[optax.clip_by_global_norm(0.1), optax.sgd(schedule)], lr=schedule))
    assert found.equal, found
    assert {link["link"]: link["steps_compared"] for link in found.links["links"]}["clipping"] == 12


# ------------------------------------------------------------------------------------------------- what breaks
FORWARD = r"From step 0 on the models compute other outputs from the same weights and inputs \(apart by [\d.e-]+(: .*)?\): "

PLANTED = {
    "weights": ({"copy_weights": None}, {}, {}, "initial weights", r"Before the first step .*: two frameworks never draw the same numbers; "
                r"--copy-weights torch \(or jax\) begins both with the weights of that side, and the check goes on\."),
    "batch": ({}, {}, {"batches": lambda: batches(seed=1)}, "one batch", "From step 0 on the batches hold other samples"),
    "input scale": ({}, {}, {"batches": lambda: batches(scale=2.0)}, "one batch", "the inputs of torch are 0.5 times those of jax"),
    "eps": ({}, {}, {"model": lambda: FlaxModel(eps=1e-6)}, "forward", FORWARD + r"the eps of a normalisation is 1e-05 in PyTorch \(norm\) and "
            r"1e-06 in JAX: in JAX epsilon=1e-05, or in PyTorch eps=1e-06\."),
    "gelu": ({}, {}, {"model": lambda: FlaxModel(approximate=True)}, "forward", FORWARD + "gelu is exact in PyTorch and the tanh approximation in "
             r"JAX: in JAX nnx.gelu\(x, approximate=False\), or in PyTorch nn.GELU\(approximate=\"tanh\"\)\."),
    "dropout in torch": ({}, {"model": lambda: TorchModel(p=0.1)}, {}, "forward", FORWARD + r"the PyTorch model draws dropout \(drop\), and each "
                         r"framework draws its own: in JAX model.eval\(\), or rate=0.0 \(linen: deterministic=True\), or in PyTorch model.eval\(\), or p=0.0"),
    "dropout in jax": ({}, {}, {"model": lambda: FlaxModel(rate=0.1)}, "forward", FORWARD + "the JAX model draws dropout, and"),
    "reduction": ({}, {"loss": lambda: nn.CrossEntropyLoss(reduction="sum")}, {}, "loss",
                  "the loss of torch is 16 times that of jax: torch sums over the 16 samples, and jax takes their mean"),
    "gradient": ({}, {}, {"model": lambda: FlaxModel(detached=True)}, "gradients", r"first.weight \(first.kernel\).* of jax gets no gradient"),
    "learning rate": ({}, {}, {"optimizer": lambda: optax.adam(2e-2), "lr": lambda: 2e-2}, "one update",
                      "From step 0 on the learning rate of torch is 0.5 times that of jax"),
    "decay rate": ({}, {}, {"optimizer": lambda: optax.adam(LR, b2=0.99)}, "ten updates", "From step 1 on the updates of every parameter differ"),
    "schedule": ({"steps": 30}, {}, {"optimizer": lambda: optax.adam(optax.piecewise_constant_schedule(LR, {15: 0.1})),
                                     "lr": lambda: optax.piecewise_constant_schedule(LR, {15: 0.1})}, "30 updates", "From step 15 on "),
    "data in another order": ({"steps": 30}, {}, {"batches": lambda: (b for i, b in sorted(enumerate(batches(count=60)), key=lambda ib: (
        [4, 3][ib[0] - 3] if ib[0] in (3, 4) else ib[0])))}, "ten updates", "From step 3 on the same batches come in another order"),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_difference_stops_at_its_stage(planted):
    options, of_torch, of_jax, stage, words = PLANTED[planted]
    found = ported(lambda: torch_side(**{k: v() for k, v in of_torch.items()}), lambda: jax_side(**{k: v() for k, v in of_jax.items()}), **options)
    assert found.broken == stage, (found, states(found))
    assert re.search(words, found.verdict.sentence), found
    order = list(states(found).values())
    at = order.index("breaks")
    assert set(order[:at]) <= {"passes"}
    assert set(order[at + 1 :]) <= {"not reached"}


def test_batches_that_end_on_one_side_are_a_difference():
    found = ported(of_jax=lambda: jax_side(batches=batches(count=7)), steps=20)
    assert found.broken == "ten updates"
    assert found.verdict.sentence.startswith("From step 7 on the batches of jax end after 7, and torch has more: ")


def test_batches_that_end_on_both_sides_leave_the_rest_unreached():
    found = ported(lambda: torch_side(batches=batches(count=12)), lambda: jax_side(batches=batches(count=12)), steps=50)
    assert found.equal
    assert (found.stages[-1].state, found.stages[-1].compared) == ("not reached", "the batches end after 12")
    assert states(found)["ten updates"] == "passes"


def test_what_is_seen_and_does_no_harm_is_a_note():
    """Two normalisations under another eps, beside a variance that it vanishes in."""
    found = ported(lambda: torch_side(Wide()), lambda: jax_side(FlaxWide()), steps=2)
    assert found.equal
    assert found.notes[-1] == ("seen, though the first outputs agree to rounding: the eps of a normalisation is 1e-05 in PyTorch (norm) and 1e-06 in "
                               "JAX: in JAX epsilon=1e-05, or in PyTorch eps=1e-06")  # fmt: skip


class Wide(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.last = nn.LayerNorm(12), nn.Linear(12, CLASSES)

    def forward(self, x):
        return self.last(self.norm(10 * x))


class FlaxWide(nnx.Module):
    def __init__(self):
        self.norm, self.last = nnx.LayerNorm(12, rngs=nnx.Rngs(0)), nnx.Linear(12, CLASSES, rngs=nnx.Rngs(0))

    def __call__(self, x):
        return self.last(self.norm(10 * x))


# ------------------------------------------------------------------------------------------------- known differences
def told(x, y):
    return [str(one) for one in differences(x, y)]


def test_what_two_passes_show_is_paired_by_order():
    x, y = ([Seen("eps", v, w) for v, w in zip(values, "abc", strict=True)] for values in ((1e-5, 1e-5, 1e-5), (1e-5, 1e-6, 1e-6)))
    assert told(x, [Seen(s.kind, s.value) for s in y]) == [
        "the eps of a normalisation is 1e-05 in PyTorch (b, c) and 1e-06 in JAX: in JAX epsilon=1e-05, or in PyTorch eps=1e-06"
    ]
    assert differences(x, [Seen("eps", np.float32(1e-5).item())] * 3) == []
    assert told(x, [Seen("eps", 1e-6)]) == [  # layers under a scan are traced once
        "the eps of a normalisation is 1e-05 in PyTorch and 1e-06 in JAX: in JAX epsilon=1e-05, or in PyTorch eps=1e-06"
    ]
    assert differences(x, []) == []
    assert told([Seen("statistics", "those of the batch")], [Seen("statistics", "the running ones")]) == [
        "what a BatchNorm normalises with is those of the batch in PyTorch and the running ones in JAX: in JAX model.train(), or in PyTorch model.eval()"
    ]
    assert unseen([Seen("momentum", 0.1)], [Seen("momentum", 1 - 0.9)]) == []


def test_a_normalisation_of_several_operations_is_seen():
    class Root(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Linear(12, CLASSES)

        def forward(self, x):
            return self.last(x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + 1e-2))

    class FlaxRoot(nnx.Module):
        def __init__(self):
            self.last = nnx.Linear(12, CLASSES, rngs=nnx.Rngs(0))

        def __call__(self, x):
            return self.last(x / jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-3))

    found = ported(lambda: torch_side(Root()), lambda: jax_side(FlaxRoot()), steps=2)
    assert found.broken == "forward"
    assert "the eps of a normalisation is 0.01 in PyTorch and 0.001 in JAX" in found.verdict.sentence


def test_flattened_convolutions_are_what_to_look_at():
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.last = nn.Conv2d(3, 4, 3), nn.Linear(64, CLASSES)

        def forward(self, x):
            return self.last(self.conv(x).flatten(1))

    class FlaxFlat(nnx.Module):
        def __init__(self):
            self.conv = nnx.Conv(3, 4, (3, 3), padding="VALID", rngs=nnx.Rngs(0))
            self.last = nnx.Linear(64, CLASSES, rngs=nnx.Rngs(0))

        def __call__(self, x):
            return self.last(self.conv(x).reshape(len(x), -1))

    found = ported(lambda: torch_side(Flat(), batches=batches(layout="first")), lambda: jax_side(FlaxFlat(), batches=batches(layout="last")))
    assert found.broken == "forward"
    assert found.verdict.sentence.endswith("; where a convolution's output is flattened, Flax has the channels last: x.transpose(0, 3, 1, 2)"
                                           ".reshape(len(x), -1) stands as PyTorch's.")  # fmt: skip


# ------------------------------------------------------------------------------------------------- what is refused
def refused(of_torch=None, of_jax=None, **options):
    with pytest.raises(InputError) as error:
        ported(of_torch, of_jax, **options)
    return str(error.value)


def without(made, name):
    return {k: v for k, v in made.items() if k != name}


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


# ------------------------------------------------------------------------------------------------- the command
TORCH_FILE = """
import torch
from beside import batches
print("building")

def make():
    torch.manual_seed(0)
    model = torch.nn.Sequential()
    model.add_module("last", torch.nn.Linear(12, 5))
    return {"model": model, "optimizer": torch.optim.SGD(model.parameters(), lr=0.1), "loss": torch.nn.CrossEntropyLoss(), "batches": batches()}

def fails():
    made = make()
    made["loss"] = lambda outputs, labels: outputs[99]
    return made

def raises():
    raise ValueError("no such\\ncheckpoint")
"""

JAX_FILE = """
from dataclasses import dataclass
from typing import Any
import jax
import jax.numpy as jnp
import optax
from beside import batches

@dataclass
class Side:
    apply: Any
    params: Any
    loss: Any
    optimizer: Any
    batches: Any

def loss(logits, labels):
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

def apply(params, x):
    return x @ params["last"]["kernel"] + params["last"]["bias"]

def make(lr=0.1):
    params = {"last": {"kernel": jax.random.normal(jax.random.key(0), (12, 5)), "bias": jnp.ones(5)}}
    return Side(apply, params, loss, optax.sgd(lr), batches())

def faster():
    return make(0.2)
"""

BESIDE = """
import numpy as np

def batches():
    random = np.random.default_rng(0)
    return [(random.normal(size=(8, 12)), random.integers(5, size=8)) for _ in range({count})]
"""


@pytest.fixture
def files(tmp_path):
    """Two folders, each with a file of its own called beside.py."""
    for name, text in (("torch", TORCH_FILE), ("jax", JAX_FILE)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "port.py").write_text(text)
        (tmp_path / name / "beside.py").write_text(BESIDE.format(count=9))
    return tmp_path / "torch" / "port.py", tmp_path / "jax" / "port.py"


def command(files, torch_function="make", jax_function="make", *more):
    return main(["port-check", "--torch", f"{files[0]}:{torch_function}", "--jax", f"{files[1]}:{jax_function}", "--steps", "5", *more])


def test_the_command_on_an_equal_pair(files, capsys, tmp_path):
    assert command(files, "make", "make", "--copy-weights", "torch", "--keep", str(tmp_path / "runs")) == 0
    printed = capsys.readouterr()
    assert printed.err == "building\n"
    assert "torch and jax are equal to rounding over 5 steps" in printed.out
    assert re.search(r"^ *5 updates +passes ", printed.out, re.M)
    assert printed.out.endswith(f"the recordings: lossopt diff {tmp_path / 'runs' / 'torch'} {tmp_path / 'runs' / 'jax'}\n")
    assert main(["diff", str(tmp_path / "runs" / "torch"), str(tmp_path / "runs" / "jax")]) == 0
    capsys.readouterr()
    assert command(files, "make", "make", "--keep", str(tmp_path / "runs")) == 2
    printed = capsys.readouterr()
    assert printed.err == f"building\nlossopt: --keep: {tmp_path / 'runs' / 'torch'} is there already; name another folder, or remove it\n"


def test_a_file_beside_each_is_its_own(files, capsys):
    (files[1].parent / "beside.py").write_text(BESIDE.format(count=3))
    assert command(files, "make", "make", "--copy-weights", "torch") == 1
    assert "From step 3 on the batches of jax end after 3, and torch has more" in capsys.readouterr().out


def test_the_command_on_other_weights_and_as_json(files, capsys):
    assert command(files) == 1
    out = capsys.readouterr().out
    assert "--copy-weights torch (or jax) begins both with the weights of that side" in out
    assert re.search(r"^ *initial weights +breaks ", out, re.M)
    assert command(files, "make", "faster", "--copy-weights", "jax", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["equal"], told["broken"]) == (False, "one update")
    assert [s["state"] for s in told["stages"]] == ["passes"] * 5 + ["breaks", "not reached"]
    assert told["stages"][3].keys() == {"stage", "state", "compared", "apart"}
    assert told["diff"]["first"]["finding"]["cause"] == "update scale"
    assert told["verdict"]["cause"] == "lr"


def test_the_users_own_exceptions_are_one_line(files, capsys):
    def said(**functions):
        assert command(files, **functions) == 2
        return capsys.readouterr().err.removeprefix("building\n")

    assert said(torch_function="mke") == f"lossopt: --torch: {files[0]} defines no function 'mke'; did you mean 'make'?\n"
    assert said(torch_function="raises") == f"lossopt: {files[0]}:raises() raised ValueError: no such checkpoint ({files[0]}, line 18)\n"
    assert said(torch_function="fails") == (
        f"lossopt: {files[0]}:fails: loss(outputs, labels) raised IndexError: index 99 is out of bounds for dimension 0 with size 8 ({files[0]}, line 14)\n"
    )
    files[1].write_text(JAX_FILE.replace("x @ params", "x.T @ params"))
    message = said()
    assert message.startswith(f"lossopt: {files[1]}:make: model(*inputs) raised TypeError: dot_general requires contracting dimensions ")
    assert message.endswith(f"({files[1]}, line 21)\n")
    files[1].write_text("import not_there\n")
    assert said() == f"lossopt: --jax: {files[1]} raised ModuleNotFoundError: No module named 'not_there' ({files[1]}, line 1)\n"
    files[1].write_text("def make(:\n")
    assert said() == f"lossopt: --jax: {files[1]} raised SyntaxError: invalid syntax ({files[1]}, line 1)\n"
    files[1].write_text("raise SystemExit(0)\n")
    assert said() == f"lossopt: --jax: {files[1]} raised SystemExit: 0 ({files[1]}, line 1)\n"
    files[1].unlink()
    assert said() == f"lossopt: --jax: there is no file {files[1]}\n"
    assert main(["port-check", "--torch", "port.txt:make", "--jax", "a.py:make"]) == 2
    assert capsys.readouterr().err == "lossopt: --torch takes FILE.py:FUNCTION, got 'port.txt:make'; write --torch port.py:make\n"


def test_the_example_finds_the_decay_that_nobody_wrote_down(root, capsys):
    pair = [str(root / "examples" / f"port_check_{framework}.py") + ":make" for framework in ("torch", "flax")]
    assert main(["port-check", "--torch", pair[0], "--jax", pair[1], "--copy-weights", "torch", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["broken"], told["verdict"]["cause"]) == ("one update", "weight_decay")
    assert "From step 0 on weight_decay is 0.01 in torch and 0.0001" in told["verdict"]["sentence"]


def test_a_missing_framework_says_what_to_install(python, tmp_path):
    program = ("import importlib.util as u; find = u.find_spec; u.find_spec = lambda n, *a: None if n == 'torch' else find(n, *a); "
               "from lossopt.cli.main import main; import sys; "
               f"open({str(tmp_path / 'a.py')!r}, 'w').write('def make(): pass'); "
               f"sys.exit(main(['port-check', '--torch', {str(tmp_path / 'a.py')!r}, '--jax', {str(tmp_path / 'a.py')!r}]))")  # fmt: skip
    ran = python("-c", program)
    assert (ran.returncode, ran.stderr) == (2, "lossopt: backend 'torch' needs torch, which is not installed: pip install 'lossopt[torch]'\n")
