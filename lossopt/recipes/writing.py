"""A recipe as YAML in the short form.  Numbers are written so that every YAML reader takes them for numbers."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from lossopt.definition import Spec
from lossopt.errors import ArgumentError
from lossopt.losses.spec import LossSpec, LossSum
from lossopt.recipes.document import scalar
from lossopt.recipes.recipe import CLIPS, SETTINGS, Recipe
from lossopt.schedules.spec import ScheduleSpec

WIDTH = 110
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*")


def to_yaml(recipe: Recipe) -> str:
    """The recipe as a YAML text; reading it gives an equal recipe."""
    optimizer, ema = _without_ema(recipe.optimizer)
    optimizer, clip = _without_clip(optimizer)
    fields = {name: f.default for name, f in Recipe.__dataclass_fields__.items()}
    entries: dict[str, Any] = {"task": recipe.task, "loss": _loss(recipe.loss), "optimizer": _optimizer(optimizer)}
    if recipe.schedule is not None:
        entries["schedule"] = _named(recipe.schedule)
    entries |= {key: value for key, value in (("clip", clip), ("ema", ema)) if value}
    if recipe.groups:
        entries["groups"] = {pattern: {k: _value(v, k) for k, v in changes.items()} for pattern, changes in recipe.groups.items()}
    if recipe.precision is not None:
        entries["precision"] = recipe.precision.word
    always = ("steps", "batch_size", "seed")
    entries |= {name: getattr(recipe, name) for name in SETTINGS if name in always or getattr(recipe, name) != fields[name]}
    return "".join(_entry(key, value, 0) for key, value in entries.items())


def _without_ema(spec: Spec) -> tuple[Spec, Any]:
    h = spec.hyperparameters
    if spec.definition.name != "ema" or spec.convention != "torch" or h["debias"] or not isinstance(h["decay"], int | float):
        return spec, None
    return spec.inner[0], h["decay"]


def _without_clip(spec: Spec) -> tuple[Spec, dict[str, Any] | None]:
    """What a chain clips before its one last rule, in the words of `clip`."""
    if spec.definition.name != "chain" or spec.convention != "torch" or len(spec.inner) < 2:
        return spec, None
    keys = {name: (key, argument) for key, (name, argument) in CLIPS.items()}
    found: dict[str, Any] = {}
    for rule in spec.inner[:-1]:
        key, argument = keys.get(rule.definition.name, ("", ""))
        if not key or key in found or rule != rule.definition(**{argument: rule.hyperparameters[argument]}):
            return spec, None
        found[key] = _value(rule.hyperparameters[argument], argument)
    return spec.inner[-1], found


def _loss(loss: LossSpec | LossSum) -> Any:
    if isinstance(loss, LossSpec):
        return _named(loss)
    terms = ((weight, _named(term)) for weight, term in loss.terms)
    return [{**(named if isinstance(named, dict) else {"name": named}), **({"times": w} if w != 1 else {})} for w, named in terms]


def _optimizer(spec: Spec) -> Any:
    named = _named(spec)
    if not spec.inner:
        return named
    inner = [_optimizer(s) for s in spec.inner]
    return {**(named if isinstance(named, dict) else {"name": named}), "inner": inner[0] if len(inner) == 1 else inner}


def _named(spec: Any) -> Any:
    """A name, or a name with what differs from the defaults of its convention."""
    definition = spec.definition
    defaults = definition.defaults_of(spec.convention)
    given = {k: _value(v, k) for k, v in spec.hyperparameters.items() if _differs(v, defaults[k])}
    if isinstance(spec, LossSpec) and spec.reduction != definition.conventions[spec.convention].get("reduction", "mean"):
        given["reduction"] = spec.reduction
    if spec.convention != "torch":
        given["convention"] = spec.convention
    return {"name": definition.name, **given} if given else definition.name


def _differs(a: Any, b: Any) -> bool:
    return a is not b and (hasattr(a, "shape") or hasattr(b, "shape") or bool(a != b))


def _value(value: Any, name: str) -> Any:
    """A hyperparameter in the types of YAML."""
    spec = getattr(value, "spec", value)  # a schedule that was made for a backend
    if isinstance(spec, ScheduleSpec) and spec.sets == "lr":
        named = _named(spec)
        return named if isinstance(named, dict) else {"name": named}
    if isinstance(value, tuple | list):
        return [_value(v, name) for v in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    if callable(value):
        raise ArgumentError(f"{name} is a function, {value!r}, and code has no place in a file: give a schedule such as cosine(T_max=100)")
    return value


# ------------------------------------------------------------------------------------------------- text
def _entry(key: str, value: Any, indent: int) -> str:
    """``key: value`` on one line where there is room, else one line for each part."""
    head = " " * indent + _text(key) + ":"
    line = flow(value)
    if not isinstance(value, dict | list) or not value or len(head) + 1 + len(line) <= WIDTH:
        return f"{head} {line}\n"
    if isinstance(value, dict):
        return head + "\n" + "".join(_entry(k, v, indent + 2) for k, v in value.items())
    return head + "\n" + "".join(_item(v, indent + 2) for v in value)


def _item(value: Any, indent: int) -> str:
    line = flow(value)
    if not isinstance(value, dict) or indent + 2 + len(line) <= WIDTH:
        return " " * indent + f"- {line}\n"
    lines = "".join(_entry(k, v, indent + 2) for k, v in value.items())
    return " " * indent + "- " + lines[indent + 2 :]


def flow(value: Any) -> str:
    """A value of plain types on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return _number(value)
    return _text(str(value))


def _number(x: float) -> str:
    """
    >>> _number(1e-05), _number(0.1), _number(float("-inf")), _number(3)
    ('1.0e-05', '0.1', '-.inf', '3')
    """
    if isinstance(x, int):
        return str(int(x))
    if not math.isfinite(x):
        return ".nan" if math.isnan(x) else "-.inf" if x < 0 else ".inf"
    mantissa, e, exponent = repr(float(x)).partition("e")
    if not e:
        return mantissa
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent if exponent[0] in '+-' else '+' + exponent}"


def _text(text: str) -> str:
    """A word as it is, anything that could be taken for something else in quotes."""
    word = _PLAIN.fullmatch(text) and scalar(text) == text and text.lower() not in ("yes", "no", "on", "off", "y", "n")
    return text if word else json.dumps(text, ensure_ascii=False)
