"""Ready-made groups: the same parameters in both frameworks, and what the table says of them."""

from __future__ import annotations

import jax
import numpy as np
import pytest
import torch
from flax import nnx

import lossopt
from lossopt import get_optimizer, get_schedule, layer_decay, no_decay
from lossopt.errors import ArgumentError, HyperparameterError


def torch_model() -> torch.nn.Module:
    def block() -> torch.nn.Module:
        return torch.nn.ModuleDict({"norm": torch.nn.LayerNorm(4), "dense": torch.nn.Linear(4, 4)})

    parts = {"embed": torch.nn.Embedding(9, 4), "blocks": torch.nn.ModuleList([block(), block()]), "head": torch.nn.Linear(4, 2)}
    return torch.nn.ModuleDict(parts)


class Block(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.norm, self.dense = nnx.LayerNorm(4, rngs=rngs), nnx.Linear(4, 4, rngs=rngs)


class Flax(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.embed = nnx.Embed(9, 4, rngs=rngs)
        self.blocks = nnx.List([Block(rngs), Block(rngs)])
        self.head = nnx.Linear(4, 2, rngs=rngs)


MODELS = {"torch": torch_model, "flax": lambda: Flax(nnx.Rngs(0))}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


def settings(model, groups) -> dict[str, tuple[float, float]]:
    """By common name the lr and the decay of each parameter."""
    common = {"kernel": "weight", "scale": "weight", "embedding": "weight"}
    table = lossopt.groups(model, "adamw", groups)
    ends = {g.name: g.name.rpartition(".")[2] for g in table}
    names = {n: n.removesuffix(end) + common.get(end, end) for n, end in ends.items()}
    return {names[g.name]: (g.hyperparameters["lr"], g.hyperparameters["weight_decay"]) for g in table}


def test_biases_norms_and_embeddings_are_not_decayed(model):
    decayed = {name for name, (_, decay) in settings(model, no_decay(model)).items() if decay}
    assert decayed == {"blocks.0.dense.weight", "blocks.1.dense.weight", "head.weight"}


def test_some_may_be_decayed_all_the_same(model):
    found = settings(model, no_decay(model, but=("embed.*",)))
    assert found["embed.weight"][1] == 0.01 and found["head.bias"][1] == 0.0


def test_learning_rates_fall_with_depth_in_both_frameworks_alike(model):
    found = settings(model, no_decay(model) | layer_decay(model, 0.5, 0.8))
    by_layer = {name: lr for name, (lr, _) in found.items()}
    wanted = {"embed": 0.1, "blocks.0": 0.2, "blocks.1": 0.4, "head": 0.8}
    assert by_layer == {name: next(lr for layer, lr in wanted.items() if name.startswith(layer)) for name in by_layer}
    assert found["blocks.1.norm.weight"] == (0.4, 0.0)


def test_a_schedule_is_scaled_layer_by_layer(model):
    groups = layer_decay(model, 0.5, get_schedule("linear", lr=0.8, start_factor=0.5, total_iters=2))
    assert [groups[p]["lr"](0) for p in ("blocks.0.*", "blocks.1.*")] == [0.1, 0.2]
    assert groups["blocks.1.*"]["lr"](2) == 0.4


def test_the_optimizers_move_each_layer_by_its_own_rate():
    net = torch_model()
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    before = {n: p.detach().clone() for n, p in net.named_parameters()}
    get_optimizer("sgd", "torch", params=net.named_parameters(), groups=layer_decay(net, 0.5, 0.8)).step()
    moved = {n: float((before[n] - p.detach()).max()) for n, p in net.named_parameters()}
    assert moved["embed.weight"] == pytest.approx(0.1) and moved["head.bias"] == pytest.approx(0.8)

    params = nnx.to_pure_dict(nnx.state(Flax(nnx.Rngs(0)), nnx.Param))
    made = get_optimizer("sgd", "jax", groups=layer_decay(params, 0.5, 0.8))
    updates, _ = made.update(jax.tree.map(np.ones_like, params), made.init(params), params)
    assert float(updates["embed"]["embedding"].max()) == pytest.approx(-0.1)
    assert float(updates["blocks"][1]["dense"]["bias"].max()) == pytest.approx(-0.4)


def test_wrong_rules(model):
    with pytest.raises(ArgumentError, match=r"^no_decay: but='\*\.kernl' matched 0 of 11 parameters"):
        no_decay(model, but=("*.kernl",))
    with pytest.raises(HyperparameterError, match=r"^layer_decay: rate must be in \[0, 1\], got 1\.5$"):
        layer_decay(model, 1.5, 0.1)
    with pytest.raises(ArgumentError, match=r"^layer_decay: no numbered layers such as 'blocks\.0' among 2 parameters; names are like 'weight'\."):
        layer_decay(torch.nn.Linear(2, 2), 0.5, 0.1)
