"""`lossopt identify`: what was planted is found, what the data leave open is said, and what nothing explains is not named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lossopt
from lossopt import optimizers, registry
from lossopt.errors import InputError, UnknownNameError
from lossopt.hyper import Range
from lossopt.identify import confusion
from lossopt.identify.clipping import clipping
from lossopt.identify.code import code
from lossopt.identify.coordinates import coordinate
from lossopt.identify.evidence import gather, rounded_to
from lossopt.identify.groups import patterns
from lossopt.identify.known import round_values
from lossopt.recording import Parameter, Recording, RunInfo, Step

SHAPES = {"body.kernel": (14, 12), "body.bias": (12,), "norm.scale": (12,), "head.kernel": (12, 6)}


def recorded(update: Callable[[int, dict[str, Any], dict[str, Any]], dict[str, Any]], *, steps: int = 20, lr: float | None = None,
             framework: str = "torch", rates: Callable[[int], float] | None = None) -> Recording:  # fmt: skip
    """A run in float32 whose updates a function of (step, gradients, parameters) gives."""
    rng, rows = np.random.default_rng(1), []
    p = {n: np.float32(0.4 * rng.normal(size=s)).astype(float) for n, s in SHAPES.items()}
    for t in range(steps):
        g = {n: np.float32(0.1 * x + 0.15 * rng.normal(size=x.shape)).astype(float) for n, x in p.items()}
        after = {n: np.float32(p[n] + u).astype(float) for n, u in update(t, g, p).items()}
        rows.append({f"{kind}/{n}": x[n] for kind, x in (("param", p), ("grad", g), ("update", {n: after[n] - p[n] for n in p})) for n in p})
        p = after
    info = RunInfo(framework, tuple(Parameter(n, s) for n, s in SHAPES.items()))
    told = [() if lr is None and rates is None else (rates(t) if rates else lr,) for t in range(steps)]
    made = tuple(Step(t, lr=told[t], loss=1.0, grad_norms={n: float(np.linalg.norm(rows[t][f"grad/{n}"])) for n in SHAPES})  # type: ignore[arg-type]
                 for t in range(steps))  # fmt: skip
    return Recording(info, made, tuple(range(steps)), lambda t: rows[t])


def by(spec: Any, groups: Any = None) -> Callable[[int, dict[str, Any], dict[str, Any]], dict[str, Any]]:
    """The referee, stepping."""
    made = lossopt.get_optimizer(spec, "numpy", groups=groups)
    state: list[Any] = []

    def update(t: int, g: dict[str, Any], p: dict[str, Any]) -> dict[str, Any]:
        state[:] = state or [made.init(p)]
        found, state[0] = made.update(g, state[0], p)
        return found

    return update


# ------------------------------------------------------------------------------------------------- planted runs
def test_too_few_steps_are_an_error() -> None:
    run = recorded(by(optimizers.sgd(lr=0.1)), steps=2)
    with pytest.raises(InputError) as error:
        lossopt.identify(run)
    assert str(error.value) == ("run has arrays of 2 steps from step 0 on, and 3 or more are needed: "
                                "record the first 20 with lossopt.record(..., first=20)")  # fmt: skip


def test_a_run_that_stands_still_is_an_error() -> None:
    run = recorded(lambda t, g, p: {n: np.zeros_like(x) for n, x in p.items()}, steps=5)
    with pytest.raises(InputError) as error:
        lossopt.identify(run)
    assert str(error.value) == "run: no parameter moved in the first 5 steps, so there is no optimizer to be found"


def test_clipping_is_read_off_the_norms() -> None:
    def run(got: Callable[[float, float], tuple[float, float]]) -> Recording:
        norms = [(0.3, 0.4), (3.0, 4.0), (0.8, 0.6 * 5), (2.0, 1.0)]
        steps = [Step(t, raw_grad_norms={"a": a, "b": b}, grad_norms=dict(zip("ab", got(a, b), strict=True))) for t, (a, b) in enumerate(norms)]
        return Recording(RunInfo("torch", (Parameter("a", (2,)), Parameter("b", (2,), group=1))), tuple(steps), (), dict)

    def whole(a: float, b: float) -> tuple[float, float]:
        factor = min(1.0, 2.0 / float(np.hypot(a, b)))
        return a * factor, b * factor

    assert clipping(run(lambda a, b: (a, b))) is None
    assert clipping(run(whole)).how == "global norm" and clipping(run(whole)).bound == 2.0
    assert clipping(run(lambda a, b: (min(a, 1.0), min(b, 1.0)))).how == "norm of each parameter"
    assert str(clipping(run(lambda a, b: (1024 * a, 1024 * b)))) == "gradients are multiplied by 1024 (2^10: a loss scale) before the optimizer"


def test_patterns_name_these_and_no_others() -> None:
    names = ["a.weight", "a.bias", "norm.weight", "norm.bias", "b.weight"]
    assert patterns(["a.bias", "norm.bias", "norm.weight"], names) == ("norm.*", "*.bias") or patterns(
        ["a.bias", "norm.bias", "norm.weight"], names) == ("*.bias", "norm.*")  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "torch", "jax"),
    [
        (optimizers.sgd(lr=0.1, momentum=0.9, weight_decay=1e-4), "torch.optim.SGD(params, lr=0.1, momentum=0.9, weight_decay=0.0001)",
         "optax.chain(optax.add_decayed_weights(0.0001), optax.sgd(0.1, momentum=0.9))"),
        (optimizers.adamw(lr=0.1, betas=(0.9, 0.95)), "torch.optim.AdamW(params, lr=0.1, betas=(0.9, 0.95))",
         "optax.adamw(0.1, b2=0.95, weight_decay=0.01)"),
        (optimizers.lamb(lr=0.1), "lossopt.get_optimizer('lamb', 'torch', params=model, lr=0.1)  # torch.optim has no lamb of this kind",
         "optax.lamb(0.1)"),
    ],
)  # fmt: skip
def test_what_to_type(spec: Any, torch: str, jax: str) -> None:
    assert (code(spec, "torch"), code(spec, "jax")) == (torch, jax)


def test_what_to_type_in_an_unknown_framework() -> None:
    with pytest.raises(UnknownNameError) as error:
        code(optimizers.adam(), "mxnet")
    assert str(error.value) == "code is for one of torch, jax, got 'mxnet'"


def test_coordinates_are_inverted_by_their_values() -> None:
    for interval, defaults, values in ((Range(0, 1, open_high=True), (0.9,), (0.0, 0.5, 0.999)), (Range(low=0), (1e-8,), (1e-12, 3.0)),
                                       (Range(low=0), (0.0,), (0.0, 0.3)), (Range(), (1.0,), (-2.0, 0.1))):  # fmt: skip
        c = coordinate("x", "x", None, interval, defaults)
        for v in values:
            assert float(c.to_value(np.asarray(c.to_x(v)))) == pytest.approx(v, rel=1e-9, abs=1e-15)


def test_updates_in_bfloat16_steps_are_counted_in_their_roundings() -> None:
    run = recorded(by(optimizers.adam(lr=0.01)), lr=0.01, steps=4)
    gathered = gather(run)
    assert gathered.on_grid
    assert rounded_to(np.array([1.0 + 2.0**-8, 1.0 + 2.0**-7]), "bfloat16").tolist() == [1.0, 1.0 + 2.0**-7]


def test_a_table_is_gone_on_with(tmp_path, capsys):
    """Rows of an earlier run stand where nothing is run again."""
    before = [{"name": name, "backend": backend, "setting": 0, "outcome": "none", "said": "", "worst": 0.0, "residual": 0.0, "seconds": 1.0}
              for name in ("dpsgd", "lion") for backend in ("torch", "jax")]  # fmt: skip
    (tmp_path / "rows.json").write_text(json.dumps(before))
    assert confusion.main(["dpsgd", "--backends", "torch", "--rows", str(tmp_path / "rows.json"), "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [(r["name"], r["backend"], r["outcome"]) for r in rows] == [
        ("dpsgd", "jax", "none"), ("dpsgd", "torch", "left out"), ("dpsgd", "torch", "left out"), ("lion", "torch", "none"), ("lion", "jax", "none")]  # fmt: skip


def test_the_published_table_has_every_optimizer() -> None:
    page = Path(confusion.__file__).with_name("CONFUSION.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")} - {"optimizer"}
    left = {line.split()[1] for line in page.partition("Left out:")[2].splitlines() if line.startswith("- ")}
    assert rows | left == {*registry.own_names("optimizer")}, "type: python -m lossopt.identify.confusion --page lossopt/identify/CONFUSION.md"


def test_round_values_stay_in_range() -> None:
    decay = coordinate("beta", "beta", None, Range(0, 1, open_high=True), (0.9,))
    found = round_values(decay, decay.high)
    assert found and max(found) < 1
    assert round_values(decay, 0.99900004)[1] == 0.999  # after 0, which a fraction may be
