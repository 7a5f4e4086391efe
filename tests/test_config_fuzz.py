"""Every field of both forms of a recipe, made wrong in every way: each is refused, with its line and a remedy, and none in silence.

The fields are those of the definitions' signatures, so a new definition is fuzzed too.  What a field may hold is said
here once more, from the documentation of its type, and not asked of the reader.
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest

from lossopt import hyper, registry
from lossopt.errors import ConfigError
from lossopt.readme import fill
from lossopt.recipes import parse_recipe
from lossopt.recipes.schema import markdown
from lossopt.recipes.writing import flow

MUTATIONS: dict[str, tuple[str, ...]] = {
    "wrong type": ("{a: 1}", "[[1], 2]", "true"),
    "NaN": (".nan", "[.nan]"),
    "inf": (".inf", "-.inf"),
    "negative": ("-1", "-0.5"),
    "huge": ("1e400", "9" * 400, "1e39"),
    "string number": ("'0.5'", '"3"'),
    "unicode": ("'höhe'", "'０.５'", "'\\u00b2'", "\U0001f4c9"),
    "missing": ("",),
}
"""What stands in the place of a value.  Beside these a key is given twice ("duplicate"), and one that nobody knows ("extra")."""

GIVEN = {"T_max": "10", "T_0": "5", "step_size": "10", "total_steps": "10", "gamma": "0.9", "milestones": "[3]",
         "schedules": "[{name: linear, total_iters: 3}, {name: cosine, T_max: 5}]",
         "warmup_steps": "2", "stable_steps": "3", "decay_steps": "10", "max_lr": "0.5", "swa_lr": "0.1", "d_model": "64"}  # fmt: skip
"""Values of the hyperparameters that have no default."""

PLACED = re.compile(r"recipe\.yaml:(\d+):(\d+) .+")
REMEDY = re.compile(r"must be|did you mean|It is one of|It takes|It has|[Ww]rite|stands twice|leave|expected|such as|give |shows all")


@dataclass(frozen=True)
class Field:
    """One field of a document: the text before its value, its value, the text after; and what it may hold."""

    name: str
    before: str
    value: str
    after: str
    holds: Any

    @property
    def line(self) -> int:
        """Where it stands."""
        return self.before.count("\n") + 1

    @property
    def key(self) -> str:
        return self.before.rpartition("\n")[2]

    def with_value(self, value: str) -> str:
        return f"{self.before}{value}\n{self.after}"


# ------------------------------------------------------------------------------------------------- what a field may hold
def allowed(text: str, holds: Any) -> bool:
    """Whether a mutation happens to be right: a negative number where any number is, a word where any word is."""
    if holds is Any:  # class weights: numbers, or nothing
        return text in ("", "-1", "-0.5")
    origin, parts = get_origin(holds), get_args(holds)
    if origin in (Annotated, tuple, Literal) or holds in (int, float, bool, str, None, type(None)):
        return _one(text, holds, origin, parts)
    return any(allowed(text, part) for part in parts)  # a union


def _one(text: str, holds: Any, origin: Any, parts: tuple[Any, ...]) -> bool:
    if holds in (None, type(None)):
        return text == ""
    if holds is bool:
        return text == "true"
    if holds is str:
        return text[0:1] in ("'", '"') or text == "\U0001f4c9"
    if origin is Annotated:
        number = {"-1": -1.0, "-0.5": -0.5, ".inf": math.inf, "-.inf": -math.inf}.get(text, math.nan)
        whole = parts[0] is not int or number == -1
        return whole and all(((number > r.low if r.open_low else number >= r.low) and number <= r.high and math.isfinite(number))
                             or (not r.finite and math.isinf(number)) for r in parts[1:])  # fmt: skip
    if holds in (int, float):
        return text == "-1" or (text == "-0.5" and holds is float)
    return False


# ------------------------------------------------------------------------------------------------- the fields
def definitions(*kinds: str) -> list[Any]:
    """Those of the package that a file can hold; other tests of the same run define some of their own."""
    found = [registry.definition(name, kind) for kind in kinds for name in registry.names(kind)]
    return [d for d in found if d.text.__module__.startswith("lossopt.") and not has_no_place_in_a_recipe(d)]


def has_no_place_in_a_recipe(definition: Any) -> bool:
    """What must be given a function (lambda_; its error is in test_more_schedules.py), or each example's gradient (dpsgd)."""
    return getattr(definition, "per_example", False) or any(v is hyper.REQUIRED and get_origin(definition.annotations[n]) is Callable for n, v in definition.defaults.items())


def values(definition: Any) -> dict[str, str]:
    """Every hyperparameter with a right value."""
    found = {n: GIVEN[n] if v is hyper.REQUIRED else flow(v) for n, v in definition.defaults.items()}
    if definition.kind == "schedule":
        found.pop("lr", None)  # which is refused, with a test of its own in test_recipes.py
    if definition.name == "route":
        found["to"] = "['*']"
    return found


def inner(definition: Any, indent: str) -> str:
    return f"{indent}inner: [sgd]\n" if getattr(definition, "wraps", False) else ""


def of_definition(definition: Any, head: str, indent: str, foot: str):
    """The fields of one definition between a head and a foot."""
    every = values(definition)
    for name, value in every.items():
        others = "".join(f"{indent}{n}: {v}\n" for n, v in every.items() if n != name)
        yield Field(f"{definition.name}.{name}", f"{head}{indent}{name}: ", value, others + foot, definition.annotations[name])
    others = "".join(f"{indent}{n}: {v}\n" for n, v in every.items()) + foot
    yield Field(f"{definition.name}.convention", f"{head}{indent}convention: ", "torch", others, Literal["torch"])


def short_form():
    """loss, optimizer and schedule, and how to run them."""
    for d in definitions("loss"):
        yield from of_definition(d, f"loss:\n  name: {d.name}\n", "  ", "optimizer: sgd\n")
        yield Field(f"{d.name}.reduction", f"loss:\n  name: {d.name}\n  reduction: ", "mean", "optimizer: sgd\n", Literal["mean"])
    for d in definitions("optimizer", "transform"):
        yield from of_definition(d, f"loss: mse_loss\noptimizer:\n  name: {d.name}\n{inner(d, '  ')}", "  ", "")
    for d in definitions("schedule"):
        if d.start is None:  # a recipe's schedule is a function of the step
            momentum = "{name: sgd, momentum: 0.9}"
            yield from of_definition(d, f"loss: mse_loss\noptimizer: {momentum}\nschedule:\n  name: {d.name}\n", "  ", "")
    base = "loss: mse_loss\noptimizer: sgd\n"
    for name, value, holds in RUN:
        yield Field(name, f"{base}{name}: ", value, "", holds)
    for name, value, holds in WITHIN:
        outer, _, key = name.rpartition("/")
        yield Field(name, f"{base}{outer}:\n  {key}: ", value, "", holds)
    yield Field("groups/*.bias/lr", f"{base}groups:\n  '*.bias':\n    lr: ", "0.1", "", hyper.NonNegative)
    for part, other in (("loss", "optimizer: sgd\n"), ("optimizer", "loss: mse_loss\n"), ("schedule", base)):
        right = {"loss": "mse_loss", "optimizer": "sgd", "schedule": "constant"}[part]
        yield Field(f"{part}.name", f"{other}{part}:\n  name: ", right, "", Literal["none of these"])
        yield Field(part, f"{other}{part}: ", right, "", type(None) if part == "schedule" else Literal["none of these"])


def nested_form():
    """The three sections, their switches, and every entry that they may have."""
    heads = {
        "loss": ("loss_functions", "default_loss: mse_loss", "optimization_algorithms:\n  global: {default_optimizer: sgd}\n"),
        "optimizer": ("optimization_algorithms", "default_optimizer: sgd", "loss_functions:\n  global: {default_loss: mse_loss}\n"),
        "schedule": ("learning_rate_schedulers", "default_scheduler: constant",
                     "loss_functions:\n  global: {default_loss: mse_loss}\noptimization_algorithms:\n  global: {default_optimizer: sgd}\n"),
    }  # fmt: skip
    for part, (section, default, others) in heads.items():
        kinds = ("optimizer", "transform") if part == "optimizer" else (part,)
        for d in definitions(*kinds):
            head = f"{section}:\n  global: {{{default}}}\n  heading:\n    {d.name}:\n{inner(d, '      ')}"
            yield from of_definition(d, head, "      ", others)
            body = "".join(f"      {n}: {v}\n" for n, v in values(d).items())
            yield Field(f"{d.name}.enabled", f"{head}      enabled: ", "true", body + others, bool)
        key, _, value = default.partition(": ")
        yield Field(key, f"{section}:\n  global:\n    {key}: ", value, others, type(None) if part == "schedule" else Literal["none of these"])
        for switch in ("enable_analysis", "enable_monitoring"):
            yield Field(f"{section}.{switch}", f"{section}:\n  global:\n    {default}\n    {switch}: ", "true", others, bool)
        for switch in ("gradient_clipping", "enable_gradient_clipping"):
            for name, right in ((switch, "false"), (f"{switch}/global_norm", "1.0")):
                between = "\n      global_norm: " if name != switch else " "
                holds = bool if name == switch else hyper.NonNegative
                yield Field(f"{section}.{name}", f"{section}:\n  global:\n    {default}\n    {switch}:{between}", right, others, holds)


RUN = [
    ("task", "digits", type(None)),
    ("steps", "3", hyper.Count),
    ("batch_size", "3", hyper.Count),
    ("seed", "3", hyper.NaturalNumber),
    ("accumulate", "3", hyper.Count),
    ("checkpoint", "false", bool | str),
    ("analysis", "false", bool),
    ("monitoring", "false", bool),
    ("ema", "0.9", hyper.Fraction | None),
    ("clip", "false", bool | None),
    ("precision", "float32", type(None)),
    ("dtype", "float32", type(None)),
    ("groups", "", type(None)),
]  # fmt: skip
WITHIN = [
    ("clip/global_norm", "1.0", hyper.NonNegative),
    ("clip/value", "1.0", hyper.NonNegative),
    ("precision/compute", "float32", Literal["none of these"]),
    ("precision/params", "float32", Literal["none of these"]),
    ("precision/loss_scale", "", type(None)),
]

FORMS = {"short form": short_form, "nested form": nested_form}


# ------------------------------------------------------------------------------------------------- the cases
def cases(field: Field):
    """(mutation, text, the lines that an error may name)."""
    lines = range(max(1, field.line - 8), field.line + 2)
    for mutation, texts in MUTATIONS.items():
        for text in texts:
            if not allowed(text, field.holds):
                yield mutation, field.with_value(text), lines
    yield "duplicate", f"{field.before}{field.value}\n{field.key}{field.value}\n{field.after}", range(field.line + 1, field.line + 2)
    if ":" in field.key and not field.before.startswith("loss: mse_loss\noptimizer: sgd\ngroups"):
        name = field.key.strip().partition(":")[0]
        extra = field.key.replace(name, name + "_strange")
        yield "extra", f"{field.before}{field.value}\n{extra}{field.value}\n{field.after}", range(field.line + 1, field.line + 2)


def refused(text: str) -> ConfigError | None:
    """The error, if there is one; any other error than ours goes through and fails the test."""
    try:
        parse_recipe(text)
    except ConfigError as error:
        return error
    return None


def count_cases() -> Counter[str]:
    return Counter(mutation for form in FORMS.values() for field in form() for mutation, _, _ in cases(field))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_right_value_is_accepted(form):
    for field in form():
        error = refused(field.with_value(field.value))
        assert error is None, f"{field.name}: {error}\n{field.with_value(field.value)}"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_wrong_value_is_refused_where_it_stands_and_with_a_remedy(form):
    accepted, elsewhere, useless = [], [], []
    for field in form():
        for mutation, text, lines in cases(field):
            error = refused(text)
            told = f"{field.name}, {mutation}: {error}\n{text[:300]}"
            if error is None:
                accepted.append(told)
                continue
            for problem in map(str, error.problems):
                placed = PLACED.fullmatch(problem)
                if placed is None or int(placed[1]) not in lines:
                    elsewhere.append(told)
                elif not REMEDY.search(problem):
                    useless.append(told)
    assert not accepted, f"{len(accepted)} accepted in silence, such as {accepted[0]}"
    assert not elsewhere, f"{len(elsewhere)} told elsewhere, such as {elsewhere[0]}"
    assert not useless, f"{len(useless)} without a remedy, such as {useless[0]}"


def published() -> dict[str, str]:
    """What configs/README.md says of the keys and of these tests."""
    counted = count_cases()
    kinds = ", ".join(f"{mutation} {counted[mutation]:,}" for mutation in (*MUTATIONS, "extra", "duplicate"))
    told = f"{counted.total():,} wrong recipes, made from every field of both forms, are refused in the tests: {kinds}."
    return {"keys": markdown(), "fuzz": told}


def test_the_number_of_cases_is_the_one_that_is_published(root):
    text = (root / "configs" / "README.md").read_text(encoding="utf-8")
    assert fill(text, published()) == text, "a definition or a key has come or gone: python tests/test_config_fuzz.py configs/README.md"


if __name__ == "__main__":
    readme = Path(sys.argv[1])
    readme.write_text(fill(readme.read_text(encoding="utf-8"), published()), encoding="utf-8")
