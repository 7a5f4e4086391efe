"""The lint finds every branch on a number in a planted rule, none in a good one, and none in what lossopt ships."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from specs import own

from lossopt import lint, registry, transforms
from lossopt.errors import DefinitionError

PLANTED = Path(__file__).parent / "planted_rules.py"


@pytest.fixture(scope="module")
def planted():
    """The planted rules; they leave the registry again."""
    spec = importlib.util.spec_from_file_location("planted_rules", PLANTED)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in ("planted_bad_rule", "planted_good_rule"):
        registry._found["optimizer"].pop(name)


EVERY = [(kind, name) for kind in ("loss", "optimizer", "schedule", "transform") for name in own(kind)]


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=[f"{k}-{n}" for k, n in EVERY])
def test_what_is_shipped_branches_on_no_number(kind, name):
    assert [str(f) for f in lint(registry.definition(name, kind))] == []


def test_each_planted_line_is_found_and_no_other(planted):
    wrong = {i: line.partition("# BAD: ")[2] for i, line in enumerate(PLANTED.read_text().splitlines(), 1) if "# BAD: " in line}
    assert len(wrong) == 18
    assert {f.line: f.problem for f in lint(planted.planted_bad_rule)} == wrong


def test_switches_shapes_and_structure_may_decide(planted):
    assert lint(planted.planted_good_rule) == []


def test_a_spec_is_read_with_what_it_wraps(planted):
    whole = lint(transforms.chain(transforms.clip_by_value(), planted.planted_bad_rule()))
    assert whole == lint(planted.planted_bad_rule)


def test_a_finding_says_where_what_and_what_to_write(planted):
    first = next(f for f in lint(planted.planted_bad_rule) if f.code == "lr > 0")
    assert str(first) == (
        f"{PLANTED}:{first.line}: planted_bad_rule: `lr > 0` branches on a number: write ops.where(condition, x, y), "
        "or ops.cond(condition, then, otherwise) where one side must not run"
    )


def test_a_text_without_source_is_an_error():
    from lossopt import optimizer

    namespace: dict = {}
    exec("def sourceless_rule(ops, grad, state, param, *, lr=0.1): return -lr * grad, state", namespace)
    made = optimizer(namespace["sourceless_rule"])
    try:
        with pytest.raises(DefinitionError) as caught:
            lint(made)
        assert str(caught.value) == "sourceless_rule: the source of sourceless_rule cannot be read; define it in a file"
    finally:
        registry._found["optimizer"].pop("sourceless_rule")
