"""Real loops, recorded as a user records them, given to ``lossopt diff``: PyTorch against nnx and against linen with a TrainState."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from planted.loops import Loop, run
from planted.rounding import drawn, measured
from planted.truth import Telling, Told

from lossopt import read_recording
from lossopt.cli.main import main
from lossopt.diff import diff
from lossopt.registry import definition

ADAMW = Loop(hyper={"weight_decay": 1e-2})
SGD = Loop(optimizer="sgd", hyper={"momentum": 0.9}, lr=0.05)
CNN = Loop(model="cnn", width=8, norm="batch", hyper={"weight_decay": 1e-2})
LAYER = dataclasses.replace(ADAMW, norm="layer")
SAMPLED = dataclasses.replace(ADAMW, width=400, steps=6, record={"budget": 0, "samples": 200})
"""Its second layer has 160,000 elements: arrays are sampled, and the norms of its updates are estimated."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The folder of a loop, which is run once."""
    room, found = tmp_path_factory.mktemp("loops"), {}

    def folder(o: Loop):
        if (key := repr(o)) not in found:
            found[key] = run(room / f"{o.framework}{len(found)}", o)
        return found[key]

    return folder


def told(o: Loop, *, jax: bool) -> Telling:
    """What `lossopt.identify` would say of a run."""
    hyper = {"weight_decay": 1e-4 if jax else 1e-2, **o.hyper} if o.optimizer == "adamw" else o.hyper
    return Telling(Told(definition(o.optimizer, "optimizer")(lr=o.lr, **hyper)))


def compared(recorded, a: Loop, b: Loop):
    pairs = {recorded(o).name: o for o in (a, b)}
    return diff(recorded(a), recorded(b), identify=lambda r, what: told(pairs[r.label], jax=r.info.framework == "jax") if what == "optimizer" else None)


EQUAL = {
    "adamw": ADAMW,
    "sgd, clipped, along a cosine": dataclasses.replace(SGD, clip=0.5, schedule="cosine"),
    "convolutions and BatchNorm": CNN,
    "LayerNorm of convolutions": dataclasses.replace(CNN, norm="layer"),
    "an average of the weights": dataclasses.replace(ADAMW, ema=0.9),
    "accumulated": dataclasses.replace(ADAMW, accumulate=4),
    "frozen": dataclasses.replace(ADAMW, frozen="fc1"),
    "bfloat16": dataclasses.replace(ADAMW, bfloat16=True),
    "sampled": SAMPLED,
    "norms alone": dataclasses.replace(SAMPLED, record={"first": 0, "every": 0}),
}


@pytest.mark.parametrize("o", EQUAL.values(), ids=EQUAL)
def test_equal_loops_are_equal_to_rounding(recorded, o):
    found = compared(recorded, o, dataclasses.replace(o, framework="nnx"))
    assert found.equal, found.verdict.sentence
    assert ("evaluation" in found.verdict.sentence) is (o.ema is not None)


@pytest.mark.parametrize("o", [ADAMW, CNN, dataclasses.replace(SGD, clip=0.5)], ids=["adamw", "cnn", "clipped"])
def test_a_train_state_is_equal_too(recorded, o):
    found = compared(recorded, o, dataclasses.replace(o, framework="linen"))
    assert found.equal, found.verdict.sentence
    again = compared(recorded, dataclasses.replace(o, framework="nnx"), dataclasses.replace(o, framework="linen"))
    assert again.equal, again.verdict.sentence


def test_pairs_of_the_measurement():
    for pair in drawn(2, seed=5):
        found = measured(pair, "nnx").found
        assert found.equal, found.verdict.sentence


DIFFERENT = {
    "AdamW's default weight decay": (Loop(), {}, "update", "weight_decay"),
    "a decay on biases": (ADAMW, {"decay_biases": False}, "update", "decay on biases"),
    "eps": (ADAMW, {"hyper": {"weight_decay": 1e-2, "eps": 1e-4}}, "update", "eps"),
    "eps of a sampled model": (SAMPLED, {"hyper": {"weight_decay": 1e-2, "eps": 1e-4}}, "update", "eps"),
    "momentum": (SGD, {"hyper": {"momentum": 0.8}}, "update", "momentum"),
    "a layer that the optimizer freezes": (ADAMW, {"frozen": "fc1"}, "update", "frozen layer"),
    "a sum over the batch": (ADAMW, {"reduction": "sum"}, "loss", "reduction"),
    "label smoothing": (ADAMW, {"smoothing": 0.1}, "loss", "loss function"),
    "dropout": (ADAMW, {"dropout": 0.1}, "loss", "forward pass"),
    "BatchNorm's eps": (CNN, {"norm_eps": 1e-3}, "loss", "forward pass"),
    "LayerNorm's default eps": (LAYER, {"norm_eps": 1e-6}, "loss", "forward pass"),
    "a schedule off by one": (dataclasses.replace(ADAMW, schedule="cosine"), {"schedule": "cosine late"}, "learning rate", "schedule off by one"),
    "no schedule": (dataclasses.replace(ADAMW, schedule="cosine"), {"schedule": ""}, "learning rate", "schedule"),
    "no clipping": (dataclasses.replace(SGD, clip=0.5), {"clip": None}, "clipping", "only one clips"),
    "clipping to another norm": (dataclasses.replace(SGD, clip=0.5), {"clip": 0.4}, "clipping", "clip size"),
    "other initial weights": (ADAMW, {"seed": 1}, "initial weights", "initialisation"),
    "another order of the data": (ADAMW, {"order": 1}, "data", "data order"),
    "no average": (dataclasses.replace(ADAMW, ema=0.9), {"ema": None}, "evaluation", "missing EMA"),
    "another average": (dataclasses.replace(ADAMW, ema=0.9), {"ema": 0.99}, "evaluation", "EMA decay"),
    "autocast on the other side": (dataclasses.replace(ADAMW, bfloat16=True), {"bfloat16": False}, "parameters", "compute precision"),
    "an accumulated sum on the other side": (dataclasses.replace(ADAMW, accumulate=4, accumulate_sum=True), {"accumulate_sum": False}, "loss", "accumulation"),
    "a layer that the other side freezes": (dataclasses.replace(ADAMW, frozen="fc1"), {"frozen": ""}, "gradient", "frozen layer"),
}  # fmt: skip


@pytest.mark.parametrize(("a", "change", "link", "cause"), DIFFERENT.values(), ids=DIFFERENT)
def test_the_first_link_and_its_cause(recorded, a, change, link, cause):
    found = compared(recorded, a, dataclasses.replace(a, framework="nnx", **change))
    assert found.first is not None, found.verdict.sentence
    assert (found.first.link, found.verdict.cause) == (link, cause), found.verdict.sentence


def test_the_momentum_of_a_batch_norm_is_not_seen_in_training(recorded):
    """It acts in evaluation alone, and running statistics are no parameters."""
    assert compared(recorded, CNN, dataclasses.replace(CNN, framework="nnx", norm_momentum=0.01)).equal


def test_accumulated_batches_are_one_step_with_their_losses(recorded):
    o = dataclasses.replace(ADAMW, accumulate=4)
    a, b = (read_recording(recorded(x)) for x in (o, dataclasses.replace(o, framework="nnx")))
    for s, t in zip(a, b, strict=True):
        np.testing.assert_allclose(s.losses, t.losses, rtol=1e-4)
        assert (len(s.losses), len(s.batch), t.loss) == (4, 8, sum(t.losses))
    assert a.steps[0].grad_norms["fc1.weight"] == pytest.approx(b.steps[0].grad_norms["fc1.kernel"], rel=1e-5)


def test_norms_of_updates_of_large_parameters_are_the_same_estimate(recorded):
    """Both estimate it by the same elements: what they differ by is rounding, and not the error of the estimate."""
    a, b = (read_recording(recorded(x)) for x in (SAMPLED, dataclasses.replace(SAMPLED, framework="nnx")))
    for s, t in zip(a, b, strict=True):
        assert s.update_norms["fc2.weight"] == pytest.approx(t.update_norms["fc2.kernel"], rel=1e-3)


# ------------------------------------------------------------------------------------------------- the examples
def test_the_examples_and_the_command(tmp_path, root, python, capsys):
    for name in ("torch", "flax"):
        ran = python(str(root / "examples" / f"record_{name}.py"), str(tmp_path / name))
        assert ran.returncode == 0, ran.stderr
    assert main(["diff", str(tmp_path / "torch"), str(tmp_path / "flax")]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "weight_decay is 0.01 in torch and 0.000" in out
    assert "optax.adamw(0.01, weight_decay=0.01)" in out
    assert "0.bias (layers.0.bias)" in out
