"""The examples in the docstrings of definitions, which pytest's own collector does not see: they are values, not functions."""

from __future__ import annotations

import doctest
import importlib
import re

import pytest
from specs import own

from lossopt import registry

EVERY = [(kind, name) for kind in ("loss", "optimizer", "schedule", "transform") for name in own(kind)]


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=[f"{k}-{n}" for k, n in EVERY])
def test_the_example_of_a_definition(kind, name):
    definition = registry.definition(name, kind)
    page = importlib.import_module(definition.text.__module__)
    test = doctest.DocTestParser().get_doctest(definition.doc, dict(vars(page)), name, page.__file__, None)
    assert test.examples, "every page has an example that runs"
    told: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert result.failed == 0, "".join(told)


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=[f"{k}-{n}" for k, n in EVERY])
def test_a_page_names_its_paper_and_its_arguments(kind, name):
    definition = registry.definition(name, kind)
    sections = set(re.findall(r"^(Args|Raises|References|Paper|Example):", definition.doc, re.M))
    assert "Example" in sections
    assert "Args" in sections or not definition.defaults
