"""``lossopt port-check`` walks its stages up to the one that breaks, and names what makes it break."""

from __future__ import annotations

import re
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import linen, nnx
from port_check_pairs import CLASSES, LR, FlaxModel, TorchModel, batches, jax_side, ported, states, torch_side, without
from torch import nn
from torch.nn import functional as F

import lossopt
from lossopt.port_check.known import differences, unseen
from lossopt.port_check.side import Seen
from lossopt.port_check.stages import names


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
    "input scale": ({}, {}, {"batches": lambda: batches(scale=2.0)}, "one batch", "the inputs of jax are 2 times those of torch"),
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
