"""The parity suite: one row of every definition and convention here, all rows in `lossopt parity`; and the engine itself."""

from __future__ import annotations

import json
import math
import re

import jax
import numpy as np
import pytest
import torch
from helpers import assert_close, assert_ok
from rich.console import Console
from specs import own

from lossopt import registry
from lossopt.definition import optimizer
from lossopt.errors import ArgumentError, UnknownNameError
from lossopt.optimizers import adam, adamw, sgd
from lossopt.parity import ParityReport, measures, parity
from lossopt.parity.case import Allowed, LossCase, OptimizerCase, ScheduleCase
from lossopt.parity.engine import DTYPES, FOLDERS, describe, furthest, names_in, suite
from lossopt.parity.problem import SHAPES, flatten, gradient, standard, value
from lossopt.parity.report import Comparison, Row

ADAM = OptimizerCase(adam(lr=0.05), lambda torch, p: torch.optim.Adam(p, lr=0.05), lambda optax: optax.adam(0.05))
EVERY = suite()


def last_rows():
    """One row of every definition and convention in float64; of the first convention in the narrower dtypes too."""
    seen = set()
    for kind, case in furthest(EVERY):
        name, convention = describe(kind, case)[1:3]
        dtypes = ("float64",) if (kind, name) in seen else DTYPES
        seen.add((kind, name))
        yield pytest.param(case, dtypes, id=f"{kind}-{name}-{convention}")


# ------------------------------------------------------------------------------------------------- the suite
@pytest.mark.parametrize(("case", "dtypes"), last_rows())
def test_every_definition_and_convention_keeps_its_bounds(case, dtypes):
    assert_ok(parity(cases=[case], dtypes=dtypes))


IN_NEITHER = {"transform": {"cautious"}, "optimizer": {"psgd_kron", "shampoo", "soap", "stable_adamw"}}
"""What neither framework has: these are held to their published algorithms (tests/published)."""


@pytest.mark.parametrize("kind", FOLDERS)
def test_every_definition_has_rows(kind):
    covered = {name for k, case in EVERY if k == kind for name in names_in(case)}
    assert set(own(kind)) <= covered


@pytest.mark.parametrize("kind", FOLDERS)
def test_every_definition_that_a_framework_has_is_held_to_it(kind):
    held = {name for k, case in EVERY if k == kind and (case.torch or case.optax) for name in names_in(case)}
    assert set(own(kind)) - held == IN_NEITHER.get(kind, set())


def test_float32_adam_is_as_exact_as_float32_allows_and_optax_is_not():
    """optax forms 1 - beta**t in float32, which is off by 1e-5 for 0.999 and 1e-3 for 0.99999."""
    for beta2, optax_at_least in ((0.999, 5e-6), (0.99999, 5e-4)):
        case = OptimizerCase(adam(lr=0.05, betas=(0.9, beta2)), optax=lambda o, b2=beta2: o.adam(0.05, b2=b2))
        (row,) = parity(cases=[case], dtypes=["float32"]).rows
        errors = {c.name: c.error for c in row.comparisons}
        assert errors["jax float32"] <= 5e-7
        assert errors["torch float32"] <= 5e-7
        assert errors["optax float32"] >= optax_at_least


def test_the_callers_process_keeps_its_settings():
    before = jax.config.jax_enable_x64, torch.get_default_dtype(), torch.is_grad_enabled(), np.geterr()
    assert before[:2] == (False, torch.float32)
    assert_ok(parity(cases=[ADAM]))
    assert (jax.config.jax_enable_x64, torch.get_default_dtype(), torch.is_grad_enabled(), np.geterr()) == before


# ------------------------------------------------------------------------------------------------- what it must catch
def test_an_original_that_is_something_else_is_caught():
    wrong = OptimizerCase(adam(lr=0.05), lambda torch, p: torch.optim.Adam(p, lr=0.05, eps=1e-7), lambda optax: optax.adamw(0.05))
    report = parity(cases=[wrong], dtypes=["float64"])
    assert not report.ok
    assert sorted(c.name for _, c in report.failures) == ["optax", "torch.optim"]


def test_a_loss_whose_gradient_is_something_else_is_caught():
    def detached(torch, x, y):
        return torch.nn.functional.mse_loss(x, y) * 0.5 + torch.nn.functional.mse_loss(x, y).detach() * 0.5

    case = LossCase("mse_loss", {}, lambda rng: (rng.normal(size=(4, 3)), rng.normal(size=(4, 3))), torch=detached)
    report = parity(cases=[case], dtypes=["float64"])
    assert [c.name for _, c in report.failures] == ["torch.nn.functional gradient"]
    assert report.failures[0][1].error == pytest.approx(0.5)


def test_a_schedule_that_is_something_else_is_caught():
    case = ScheduleCase("exponential", {"lr": 0.1, "gamma": 0.9}, torch=lambda torch, o: torch.optim.lr_scheduler.ExponentialLR(o, 0.91))
    assert [c.name for _, c in parity(cases=[case]).failures] == ["torch.optim.lr_scheduler"]


def test_an_update_that_compiles_twice_is_caught(monkeypatch):
    carrier = registry.backend("jax").part("optimizers").Carrier
    update = carrier.update

    def weaker(self, grads, state, params=None, **extras):
        updates, new = update(self, grads, state, params, **extras)
        return updates, new._replace(count=jax.numpy.where(True, new.count, 0) + 0.0)  # a dtype that changes

    monkeypatch.setattr(carrier, "update", weaker)
    (found,) = [c for _, c in parity(cases=[ADAM], dtypes=["float64"]).failures]
    assert (found.name, found.error) == ("jax", math.inf)
    assert found.note == "AssertionError: the update of adam(lr=0.05) was compiled 2 times"


def test_what_raises_is_out_of_bounds_and_says_why():
    def broken(torch, params):
        raise ValueError("no such thing\nmore lines")

    report = parity(cases=[OptimizerCase(sgd(lr=0.1), torch=broken)], dtypes=["float64", "float32"])
    assert [(c.name, c.note) for _, c in report.failures] == [
        ("torch.optim", "ValueError: no such thing"), ("torch.optim float32", "ValueError: no such thing")]  # fmt: skip


def test_a_referee_that_does_not_move_proves_nothing():
    report = parity(cases=[OptimizerCase(sgd(lr=0.0))], dtypes=["float64"])
    assert {c.note for _, c in report.failures} == {"AssertionError: the referee does not move, or not to a finite point"}


def test_a_wider_bound_stands_with_its_cause_only_where_it_is_needed():
    case = OptimizerCase(sgd(lr=0.05), lambda torch, p: torch.optim.SGD(p, lr=0.0500001), lambda optax: optax.sgd(0.05),
                         allowed={"torch.optim": Allowed(1e-5, "another rate"), "optax": Allowed(1e-5, "not needed")})  # fmt: skip
    report = parity(cases=[case], dtypes=["float64"])
    assert report.ok
    row = report.rows[0]
    assert [c.cause for c in (row.get("torch.optim"), row.get("optax"), row.get("torch single"))] == ["another rate", "", ""]
    assert any(line.startswith("* sgd, torch.optim: ") and line.endswith(": another rate") for line in report.notes())


def test_a_slot_that_rounds_is_caught_in_float32():
    @optimizer(slots=("average",))
    def coarse_average(ops, grad, state, param, *, lr=0.1):
        average = ops.cast(ops.cast(ops.lerp(state.average, grad, 0.1), "bfloat16"), param.dtype)
        return -lr * average, state.replace(average=average)

    try:
        report = parity(cases=[OptimizerCase(coarse_average())], dtypes=["float32"])
        assert sorted(c.name for _, c in report.failures) == ["jax float32", "torch float32"]
    finally:
        registry._found["optimizer"].pop("coarse_average")


# ------------------------------------------------------------------------------------------------- distances
def test_the_gradient_of_the_problem_is_the_derivative_of_its_value():
    problem = standard(3)
    with jax.enable_x64(True):
        data = problem.target, problem.weight, problem.noise_at(2)
        assert_close(jax.grad(value)(problem.start, *data), gradient(problem.start, *data), rtol=1e-12)
    assert {n: x.shape for n, x in problem.start.items()} == dict(SHAPES)


def test_distances():
    start, nan, inf = np.zeros(2), math.nan, math.inf
    run = np.array([[1.0, 0.0], [2.0, 4.0]])
    assert measures.distance_moved(run + np.array([[0.1, 0.0], [0.0, 0.1]]), run, start) == pytest.approx(0.1)
    assert measures.distance_moved(run, run, start) == 0
    assert measures.apart(np.array([nan, inf, 1.0, inf]), np.array([nan, inf, nan, 1.0])).tolist() == [0, 0, inf, inf]
    assert measures.relative(np.array([1.0, 2.2]), np.array([1.0, 2.0])) == pytest.approx(0.1)
    assert measures.relative(np.array([]), np.array([])) == 0
    assert measures.rms(np.array([1.1, 1.1]), np.array([1.0, 1.0])) == pytest.approx(0.1)
    assert measures.bfloat16_ulps(np.array([1.0 + 2**-7]), np.array([1.0]), np.array([0.5])) == 1
    with pytest.raises(AssertionError, match=r"^shape \(1,\) instead of \(2,\)$"):
        measures.relative(np.zeros(1), np.zeros(2))


def test_names_order_a_flattened_tree():
    assert flatten({"b": np.array([2.0]), "a": np.array([1.0])}).tolist() == [1.0, 2.0]


# ------------------------------------------------------------------------------------------------- the report
def made_up() -> ParityReport:
    good = Row("optimizer", "adam", "torch", "lr=0.05", (Comparison("jax", 4e-15, 1e-12), Comparison("optax float32", 7e-6, None)))
    bad = Row("optimizer", "sgd", "optax", "", (
        Comparison("jax", 1e-3, 1e-12), Comparison("torch single", 1e-9, 1e-8, cause="float32 inside")))  # fmt: skip
    return ParityReport((good, bad), {"torch": "needs torch, which is not installed"}, 1.5)


def test_the_report_as_one_line_as_data_and_as_a_table():
    report = made_up()
    assert report.summary() == ("2 rows, 3 comparisons, worst float64 error 1e-03 (sgd() [optax], jax), "
                                "1 with a wider bound and its cause, 1 unexplained")  # fmt: skip
    told = json.loads(json.dumps(report.to_dict()))
    assert (told["ok"], told["absent"]) == (False, {"torch": "needs torch, which is not installed"})
    assert told["rows"][1]["comparisons"][1] == {
        "name": "torch single", "error": 1e-9, "bound": 1e-8, "ok": True, "cause": "float32 inside"}  # fmt: skip
    assert report.notes() == [
        "torch is absent: needs torch, which is not installed",
        "OUT OF BOUNDS sgd() [optax]: jax 1e-03 > 1e-12",
        "* sgd, torch single: 1e-09: float32 inside",
    ]
    console = Console(width=160, record=True, force_terminal=True, file=open("/dev/null", "w"))  # noqa: SIM115
    (table,) = report.tables(worst_first=True)
    console.print(table)
    shown = console.export_text(styles=True)
    assert "\x1b[1;31msgd" in shown
    assert re.search("\x1b\\[1;31m +1e-03", shown)
    assert "1e-09*" in shown
    assert shown.index("sgd") < shown.index("adam")
    assert [table.columns[i].header for i in range(3, 6)] == ["jax / numpy", "torch / numpy", "float32 optax"]


def test_a_missing_framework_is_an_absent_column(monkeypatch):
    monkeypatch.setitem(registry.BUILT_IN, "jax", registry.Backend("jax", "lossopt_jax", ("no_such_framework",)))
    report = parity(cases=[ADAM], dtypes=["float64"])
    assert report.ok
    assert report.absent == {"jax": "needs no_such_framework, which is not installed"}
    assert {c.name for c in report.rows[0].comparisons} == {"torch single", "torch replay", "torch native", "torch.optim"}


def test_progress_is_told_row_by_row():
    told = []
    parity(cases=[OptimizerCase(sgd(lr=0.1)), OptimizerCase(adamw())], dtypes=["float64"], progress=lambda *a: told.append(a))
    assert told == [(1, 2, "sgd"), (2, 2, "adamw")]


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: parity(["adm"], kinds=["optimizer"]), UnknownNameError,
     "no parity case is named 'adm'; did you mean 'adam'? (lossopt list shows all names)"),
    (lambda: parity(kinds=["optimizers"]), UnknownNameError,
     "unknown kind 'optimizers'; did you mean 'optimizer'? It is one of: optimizer, transform, loss, schedule"),
    (lambda: parity(dtypes=["int8"]), UnknownNameError, "unknown dtype 'int8'. It is one of: float64, float32, bfloat16"),
    (lambda: parity(cases=ADAM), ArgumentError, "cases is a list of cases, got one: write cases=[case]"),
], ids=["pattern", "kind", "dtype", "one case"])  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_a_pattern_finds_what_is_inside_a_wrapper():
    found = {describe(kind, case)[1] for kind, case in EVERY if "lion" in names_in(case)}
    assert {"lion", "cautious"} <= found
