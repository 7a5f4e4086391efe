"""What a definition says of itself, read from the definition: every page answers, and the answers are true."""

from __future__ import annotations

import json

import pytest
from specs import own

import lossopt
from lossopt import explain, registry
from lossopt.cli.output import plain
from lossopt.definition import Optimizer
from lossopt.errors import UnknownNameError

EVERY = [(kind, name) for kind in ("loss", "optimizer", "schedule", "transform") for name in own(kind)]


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=[f"{k}-{n}" for k, n in EVERY])
def test_every_page_explains_itself(kind, name):
    definition = registry.definition(name, kind)
    found = explain(definition)
    assert (found.name, found.kind, found.note) == (name, kind, "")
    assert found.summary.endswith("."), "a docstring begins with a sentence"
    assert len(found.summary) < 140
    assert found.formula or found.description, "a page states its formula, or says what it does"
    assert [h.name for h in found.hyperparameters] == [*definition.defaults, *(["reduction"] if kind == "loss" else [])]
    assert [h.name for h in found.hyperparameters if not h.meaning] == [], "every argument is described under Args"
    assert found.elsewhere or kind == "transform", "the page says where the same thing is elsewhere"
    assert name in str(found)
    json.dumps(plain(found.to_dict()), allow_nan=False)


BYTES = {
    "sgd": 0, "adam": 8, "adamw": 8, "lion": 4, "adagrad": 4, "adadelta": 8, "rmsprop": 4, "lamb": 8, "muon": 4, "prodigy": 16,
    "schedule_free_adamw": 8, "ema": 4, "lookahead": 4, "sam": 0, "clip_by_global_norm": 0,
    "adafactor": 4 * (512 + 256) / (512 * 256),
}  # fmt: skip


@pytest.mark.parametrize("name", BYTES)
def test_bytes_of_state_per_parameter(name):
    assert explain(name).bytes_per_parameter == BYTES[name]


def test_a_slot_that_needs_a_switch_is_shown_but_not_counted():
    found = explain("adam")
    assert [(s.name, s.shape, s.needs) for s in found.state] == [
        ("exp_avg", "(m, n)", None), ("exp_avg_sq", "(m, n)", None), ("max_exp_avg_sq", "(m, n)", "amsgrad"),
    ]  # fmt: skip


def test_shapes_of_a_state_that_is_computed():
    assert [(s.name, s.shape) for s in explain("adafactor").state] == [("row_var", "(m, 1)"), ("col_var", "(1, n)")]


@pytest.mark.parametrize(
    ("asked", "note"),
    [
        ("AdamW", "'AdamW' is torch's and keras's name for adamw"),
        ("optax.adamw", "'optax.adamw' is optax's name for adamw"),
        ("CrossEntropyLoss", "'CrossEntropyLoss' is torch's name for cross_entropy"),
        ("CosineAnnealingLR", "'CosineAnnealingLR' is torch's name for cosine"),
        ("cross_entropy_loss", "'cross_entropy_loss' is another name for cross_entropy"),
    ],
)
def test_an_alias_says_whose_it_is(asked, note):
    assert explain(asked).note == note


@pytest.mark.parametrize("kind", ["loss", "optimizer", "schedule", "transform"])
def test_every_alias_explains(kind):
    aliases = registry.aliases(kind)
    assert {explain(registry.definition(alias, kind)).name for alias in aliases} == set(aliases.values())


def test_an_unknown_name_suggests():
    with pytest.raises(UnknownNameError) as caught:
        explain("adamww")
    assert str(caught.value) == "unknown name 'adamww'; did you mean 'adamw'? (lossopt list shows all)"


def test_a_spec_explains_its_outermost_rule():
    assert explain(lossopt.optimizers.lion(lr=1e-4)).name == "lion"


def test_defaults_by_convention_are_those_that_the_definition_resolves():
    for h in explain("adamw").hyperparameters:
        for convention, value in h.conventions.items():
            assert registry.definition("adamw").defaults_of(convention)[h.name] == value
    assert {h.name for h in explain("adamw").hyperparameters if h.differs} >= {"weight_decay", "eps"}


def test_what_an_update_must_be_given():
    asked = {name: set(explain(name).asks) for name in ("sam", "polyak_sgd", "adamw")}
    assert asked == {"sam": {"evaluate"}, "polyak_sgd": {"value"}, "adamw": set()}


def test_a_citation_over_two_lines_is_one_and_two_are_two():
    papers = explain("rmsprop").papers
    assert len(papers) == 2
    assert papers[0].startswith("Tijmen Tieleman")
    assert papers[1].startswith("Alex Graves")


def test_a_definition_of_ones_own_without_a_docstring():
    @lossopt.optimizer(slots=("trace",))
    def undocumented_rule(ops, grad, state, param, *, lr=0.1):
        return -lr * grad, state

    try:
        found = explain(undocumented_rule)
        assert isinstance(undocumented_rule, Optimizer)
        assert (found.summary, found.formula, found.bytes_per_parameter) == ("", "", 4.0)
        assert [(h.name, h.default, h.allowed) for h in found.hyperparameters] == [("lr", 0.1, "positive or zero, and finite")]
    finally:
        registry._found["optimizer"].pop("undocumented_rule")
