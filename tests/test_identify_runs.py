"""`lossopt identify` on whole runs: what was planted is found, with its numbers, its groups and what goes beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_identify import SHAPES, by, recorded

import lossopt
from lossopt import optimizers, schedules
from lossopt.cli.main import main
from lossopt.identify import confusion
from lossopt.identify.candidates import rule_of, rules
from lossopt.identify.evidence import gather, rounded_to
from lossopt.identify.ranking import rank
from lossopt.identify.replay import predict_values
from lossopt.recording import FolderWriter, Parameter, Recording, RunInfo
from lossopt.transforms import accumulate, chain, clip_by_global_norm


@pytest.mark.parametrize(("name", "backend"), [("sgd", "torch"), ("adamw", "jax"), ("lion", "torch"), ("radam", "jax")])
def test_a_planted_optimizer_is_found_with_its_numbers(name: str, backend: str) -> None:
    spec = list(confusion.specs(name, confusion.CONVENTION[backend]))[1]
    row = confusion.judged(spec, backend, 1)
    assert (row.outcome, row.worst <= 0.01) == ("right", True), row


@pytest.mark.parametrize("name", ["lamb"])
def test_a_rule_that_needs_whole_parameters_is_found(name: str) -> None:
    row = confusion.judged(next(confusion.specs(name, "torch")), "torch", 0)
    assert (row.outcome, row.worst <= 0.01) == ("right", True), row


def test_numbers_of_which_only_the_product_is_known_are_said_to_go_together() -> None:
    """In JAX nothing tells the learning rate, by which alpha and beta are multiplied: a default stays where it is put."""
    spec = optimizers.optimistic_gradient_descent(lr=0.0015, alpha=1.3, beta=1.3, convention="optax")
    found = lossopt.identify(confusion.planted(spec, "jax"))
    assert not any(k.determined for k in found.best.known)
    assert "  not determined: lr 0.00195, alpha 1, beta 1 (known together only: others fit as well if they change together)\n" in str(found)


def test_a_number_that_moves_nothing_where_it_is_is_searched_for_elsewhere() -> None:
    """With an eps of 1e-30, SM3's default in torch, slopes say nothing of it."""
    spec = list(confusion.specs("sm3", "optax"))[1]
    evidence = gather(confusion.planted(spec, "jax")).evidence
    own = tuple(rule for rule in rules(evidence, quick=False)[0] if rule.spec.definition.name == "sm3")
    best = rank(replace(evidence, tried=own)).best
    assert best is not None and best.residual < 1
    assert best.values["eps"] == pytest.approx(1.3e-8, rel=0.01)


def test_numbers_at_their_default_are_not_said() -> None:
    found = lossopt.identify(recorded(by(optimizers.adam(lr=1e-3)), lr=1e-3))
    assert found.best is not None and repr(found.best.spec) == "adam()"
    assert str(found).startswith("run: adam, torch convention, lr 0.001, betas (0.9, 0.999), eps 1e-08, weight_decay 0; residual ")
    assert found.best.code("torch") == "torch.optim.Adam(params, lr=0.001)"
    assert found.best.code("jax") == "optax.adam(0.001)"


def test_what_the_data_leave_open_is_said() -> None:
    found = lossopt.identify(recorded(by(optimizers.rmsprop(lr=0.01, eps=1e-30)), lr=0.01))
    eps = next(k for k in found.best.known if k.label == "eps")
    assert not eps.determined and eps.low <= 1e-12 < eps.high < 1e-3
    assert str(eps).startswith("eps: anything up to ")


def test_parameters_that_are_not_decayed_or_never_move_are_told_apart() -> None:
    step = by(optimizers.adamw(lr=2e-3, weight_decay=0.1), {"*.bias": {"weight_decay": 0.0}, "norm.*": {"weight_decay": 0.0}})

    def update(t: int, g: dict[str, Any], p: dict[str, Any]) -> dict[str, Any]:
        return {**step(t, g, p), "head.kernel": np.zeros(SHAPES["head.kernel"])}

    found = lossopt.identify(recorded(update, lr=2e-3))
    kinds = {name: (g.weight_decay, g.frozen) for g in found.groups for name in g.names}
    assert kinds == {"body.kernel": (0.1, False), "body.bias": (0.0, False), "norm.scale": (0.0, False), "head.kernel": (None, True)}


def test_a_group_with_a_rate_of_its_own_is_found() -> None:
    found = lossopt.identify(recorded(by(optimizers.sgd(lr=0.1, momentum=0.9), {"head.*": {"lr": 0.01}}), lr=0.1))
    assert [(g.patterns, g.lr_factor) for g in found.groups] == [(("*",), 1.0), (("head.*",), 0.1)]
    assert found.options() == {"head.*": {"lr": pytest.approx(0.01)}}


def test_an_unrecorded_schedule_is_read_off_the_updates() -> None:
    found = lossopt.identify(recorded(by(optimizers.adam(lr=schedules.cosine(lr=0.02, T_max=40))), framework="jax"))
    assert found.best.name == "adam"
    assert str(found.schedule) == "cosine(lr=0.02, T_max=40)"


def test_gathered_gradients_are_seen() -> None:
    found = lossopt.identify(recorded(by(accumulate(optimizers.sgd(lr=0.1, momentum=0.9), every=4)), lr=0.1, steps=24))
    assert (found.best.name, found.best.spec.hyperparameters["momentum"]) == ("sgd", 0.9)
    assert found.parts[0].told == ("gradients are gathered over 4 steps (mean), with one update for each 4",)


def test_clipping_inside_is_seen() -> None:
    found = lossopt.identify(recorded(by(chain(clip_by_global_norm(max_norm=2.1), optimizers.sgd(lr=0.1, momentum=0.9))), lr=0.1))
    assert found.best.name == "sgd"
    assert found.best.before.hyperparameters["max_norm"] == pytest.approx(2.1, rel=1e-3)


def test_a_jax_recipe_is_taken_apart() -> None:
    """Clipping, a schedule and a mask, all inside one transformation, of which only gradients and updates are recorded."""
    rule = optimizers.adamw(lr=schedules.warmup_cosine(lr=3e-3, warmup_steps=4, decay_steps=40), betas=(0.9, 0.95), weight_decay=0.05)
    plain = {"*.bias": {"weight_decay": 0.0}, "norm.*": {"weight_decay": 0.0}}
    found = lossopt.identify(recorded(by(chain(clip_by_global_norm(max_norm=2.5), rule), plain), framework="jax", steps=12))
    h = found.best.spec.hyperparameters
    assert (found.best.name, h["lr"], h["betas"], h["weight_decay"]) == ("adamw", 3e-3, (0.9, 0.95), 0.05)
    assert str(found.schedule) == "warmup_cosine(lr=0.003, warmup_steps=4, decay_steps=40)"
    assert found.best.before.hyperparameters["max_norm"] == pytest.approx(2.5, rel=0.01)
    assert found.options() == {"*.bias": {"weight_decay": 0.0}, "*.scale": {"weight_decay": 0.0}}


def test_moments_in_bfloat16_are_seen() -> None:
    m, v = {n: np.zeros(s) for n, s in SHAPES.items()}, {n: np.zeros(s) for n, s in SHAPES.items()}

    def update(t: int, g: dict[str, Any], p: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for n in p:
            first, second = 0.9 * m[n] + 0.1 * g[n], 0.99 * v[n] + 0.01 * g[n] ** 2
            found[n] = -0.01 * first / (1 - 0.9 ** (t + 1)) / (np.sqrt(second / (1 - 0.99 ** (t + 1))) + 1e-8)
            m[n], v[n] = rounded_to(first, "bfloat16"), rounded_to(second, "bfloat16")
        return found

    found = lossopt.identify(recorded(update, lr=0.01, steps=10))
    assert found.best.name == "adam" and found.best.spec.hyperparameters["betas"] == (0.9, 0.99)
    assert found.parts[0].told == ("its state is kept in bfloat16",)


def test_a_missing_bias_correction_is_seen() -> None:
    m, v = {n: np.zeros(s) for n, s in SHAPES.items()}, {n: np.zeros(s) for n, s in SHAPES.items()}

    def update(t: int, g: dict[str, Any], p: dict[str, Any]) -> dict[str, Any]:
        for n in p:
            m[n], v[n] = 0.9 * m[n] + 0.1 * g[n], 0.99 * v[n] + 0.01 * g[n] ** 2
        return {n: -0.01 * m[n] / (np.sqrt(v[n]) + 1e-4) for n in p}

    found = lossopt.identify(recorded(update, lr=0.01, steps=10))
    assert found.parts[0].told == ("the bias of the moments is not corrected",), str(found)


def test_updates_that_come_late_are_seen() -> None:
    step, before = by(optimizers.adam(lr=0.01)), []

    def update(t: int, g: dict[str, Any], p: dict[str, Any]) -> dict[str, Any]:
        before.append(g)
        return {n: np.zeros_like(x) for n, x in p.items()} if t == 0 else step(t, before[-2], p)

    found = lossopt.identify(recorded(update, lr=0.01, steps=10))
    assert found.best.name == "adam"
    assert found.parts[0].told == ("updates come one step late: each belongs to the gradient before",)


def test_plain_descent_is_called_by_its_plain_name() -> None:
    """An Adadelta with an eps of 1e8 does the same, and JAX's lr in float32 looks like a momentum of 1e-8."""
    lr = float(np.float32(0.05))
    found = lossopt.identify(recorded(lambda t, g, p: {n: -lr * g[n] for n in p}, lr=0.05, framework="jax"))
    assert repr(found.best.spec) == "sgd(lr=0.05)" or repr(found.best.spec) == "sgd(lr=0.05, convention='optax')"


def test_of_decay_rates_that_give_nearly_the_same_signs_the_usual_ones_are_named() -> None:
    found = lossopt.identify(recorded(by(optimizers.lion(lr=1e-3, betas=(0.9, 0.999), weight_decay=0.01)), lr=1e-3))
    assert (found.best.name, found.best.spec.hyperparameters["betas"]) == ("lion", (0.9, 0.999))


# ------------------------------------------------------------------------------------------------- what cannot be found
def written(run: Recording, folder: Any) -> str:
    writer = FolderWriter(folder)
    writer.begin(run.info)
    for step in run.steps:
        writer.write(step, {n: np.float32(x) for n, x in run.arrays(step.step).items()})
    writer.close()
    return str(folder)


def test_noise_is_not_named(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    run = recorded(lambda t, g, p: {n: 0.01 * rng.normal(size=x.shape) for n, x in p.items()}, steps=4, lr=0.01)
    assert main(["identify", written(run, tmp_path / "noise")]) == 1
    assert "noise: no definition explains the updates of 4 steps; the closest is " in capsys.readouterr().out


def test_rules_of_norms_are_not_judged_from_samples() -> None:
    whole = recorded(by(optimizers.adam(lr=0.01)), lr=0.01, steps=8)

    def sampled(t: int) -> dict[str, Any]:
        return {n: np.asarray(x).ravel()[:10] for n, x in whole.arrays(t).items()}

    info = RunInfo("torch", tuple(Parameter(n, s, samples=10) for n, s in SHAPES.items()))
    found = lossopt.identify(Recording(info, whole.steps, whole.array_steps, sampled))
    assert found.best.name == "adam"
    assert {e.name: e.why for e in found.excluded}["lamb"] == "cannot be judged from samples: it needs whole tensors"


def test_the_command_prints_json(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = recorded(by(optimizers.sgd(lr=0.1, momentum=0.9)), lr=0.1, steps=8)
    assert main(["identify", written(run, tmp_path / "run"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["parts"][0]["family"][0]["hyperparameters"]["momentum"] == 0.9


def test_it_runs_without_a_framework() -> None:
    program = ("import sys, lossopt.identify.identification, lossopt.identify.report; "
               "print([m for m in ('torch', 'jax', 'scipy') if m in sys.modules])")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_numbers_far_out_predict_nothing_and_stop_nothing() -> None:
    """2**-1e5 is 0, by which Python does not divide."""
    spec = optimizers.noisy_sgd(lr=0.01)
    evidence = gather(confusion.planted(spec, "jax")).evidence
    found = predict_values(rule_of(spec), {**spec.flat, "gamma": -1e5}, evidence)
    assert np.isnan(found).all() and found.shape == evidence.flat[0].shape
