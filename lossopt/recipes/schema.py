"""The JSON Schema of a recipe's file, made from the definitions' signatures, so that editors complete and check it.

It says what JSON Schema can: names, types, ranges, and which hyperparameters a name takes.  `lossopt validate` says the
rest: two spellings of one thing, a schedule that cannot drive its optimizer, shapes that do not go together.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from lossopt import hyper, registry
from lossopt.definition import Definition, Kind
from lossopt.precision import FIELDS, WORDS
from lossopt.recipes.config import ALSO, RUN
from lossopt.recipes.config import KEYS as FLAT_KEYS
from lossopt.recipes.nested import SECTIONS, SWITCHES
from lossopt.recipes.reader import LARGEST, LARGEST_WHOLE
from lossopt.recipes.recipe import CLIPS, SETTINGS
from lossopt.spelling import COMMON

Schema = dict[str, Any]
KINDS: Mapping[str, tuple[Kind, ...]] = {"loss": ("loss",), "optimizer": ("optimizer", "transform"), "schedule": ("schedule",),
                                         "value": ("schedule",)}  # fmt: skip
"""What each part may be.  A "value" is a schedule in the place of a number, which has its own base."""

ABOUT = {
    "task": "the name of a built-in task",
    "loss": "what is minimised: a name, a name with hyperparameters, or a list of those: a sum",
    "optimizer": "a name, or a name with hyperparameters; a wrapper has what it wraps under inner",
    "schedule": "drives the learning rate; its base is optimizer.lr",
    "clip": "clipping before the optimizer; true is a global norm of 1.0",
    "ema": "the decay of a moving average of the parameters, at which the model is evaluated",
    "groups": "hyperparameters by pattern of parameter names; later patterns win",
    "precision": "in which floating-point types; bfloat16 and float16 are mixed: parameters stay float32",
    "steps": "updates of lossopt compare",
    "batch_size": "samples in each update",
    "seed": "of initial weights and batches",
    "accumulate": "the batch is taken apart into so many parts, whose gradients are averaged",
    "checkpoint": "modules whose activations are computed again in the backward pass: true, or patterns of names",
    "analysis": "report gradient norms, gradient flow, loss landscape and convergence",
    "monitoring": "report learning rate, step time, throughput and peak memory",
}
"""What each key means, for editors, documentation and errors."""


def schema() -> Schema:
    """The schema of both forms."""
    flat = _object({key: _key(key) for key in FLAT_KEYS}, required=("loss", "optimizer"))
    nested = _object({**{name: {"$ref": f"#/$defs/{name}"} for name in SECTIONS}, "task": _key("task"), **{key: _key(key) for key in RUN}})
    for form in (flat, nested):
        form["properties"] |= {also: form["properties"][key] for also, key in ALSO.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lossopt recipe",
        "if": {"anyOf": [{"required": [name]} for name in SECTIONS]},
        "then": {**nested, "required": ["loss_functions", "optimization_algorithms"]},
        "else": flat,
        "type": "object",
        "$defs": {**_definitions(), **{name: _section(section.part, section.default) for name, section in SECTIONS.items()}},
    }


# ------------------------------------------------------------------------------------------------- keys
def _key(key: str) -> Schema:
    about = {"description": ABOUT[key]}
    if key in KINDS:
        found: Schema = {"$ref": f"#/$defs/{key}"}
        return {**about, "anyOf": [found, {"type": "null"}]} if key == "schedule" else {**about, **found}
    if key == "task":
        from lossopt.tasks import BUILT_IN

        return {**about, "enum": list(BUILT_IN)}
    if key == "precision":
        fields = {name: of_annotation(annotation) for name, annotation in FIELDS.items()}
        return {**about, "anyOf": [{"enum": list(WORDS)}, _object(fields), {"type": "null"}]}
    if key == "clip":
        return {**about, "anyOf": [{"type": "boolean"}, {"type": "null"}, _clip()]}
    if key == "ema":
        return {**about, "anyOf": [of_annotation(hyper.Fraction), {"enum": [False]}, {"type": "null"}]}
    if key == "groups":
        return {**about, "type": ["object", "null"], "additionalProperties": {"type": "object"}}
    if key == "checkpoint":
        return {**about, "anyOf": [{"type": ["boolean", "string"]}, {"type": "array", "items": {"type": "string"}}]}
    return {**about, **of_annotation(SETTINGS[key])}


def _clip() -> Schema:
    return {**_object({key: of_annotation(hyper.NonNegative) for key in CLIPS}), "minProperties": 1}


def _section(part: str, default: str) -> Schema:
    """One of the three of the nested form: ``global``, and categories of definitions."""
    switches: Schema = {name: {"type": "boolean"} for name in SWITCHES}
    clipping = {"anyOf": [{"type": "boolean"}, of_annotation(hyper.NonNegative), _clip()]}
    switches |= {name: clipping for name, setting in SWITCHES.items() if setting == "clip"}
    named: Schema = {"$ref": f"#/$defs/{part}-name"}
    options = {default: {"anyOf": [named, {"type": "null"}]} if part == "schedule" else named, **switches}
    entries = {}
    for definition in _of(part):
        for name in _names(definition, part):
            entries[name] = {"$ref": f"#/$defs/{_id(definition, part)}-entry"}
    category = {"type": ["object", "null"], "properties": entries, "additionalProperties": False}
    found = {"type": "object", "properties": {"global": {**_object(options), "type": ["object", "null"]}}, "additionalProperties": category}
    return {**found, "type": ["object", "null"]} if part == "schedule" else found


# ------------------------------------------------------------------------------------------------- definitions
def _definitions() -> Schema:
    found: Schema = {}
    for part in KINDS:
        names: list[str] = []
        choices: list[Schema] = []
        for definition in _of(part):
            own = _names(definition, part)
            names += own
            body = _hyperparameters(definition, part)
            entry = {**{k: v for k, v in body.items() if k != "times"}, "enabled": {"type": "boolean"}}
            found[f"{_id(definition, part)}-entry"] = {**_object(entry), "type": ["object", "null"]}
            needed = ("inner",) if getattr(definition, "wraps", False) else ()
            found[_id(definition, part)] = _object({"name": {"enum": own}, **body}, required=("name", *needed))
            choices.append({"if": {"properties": {"name": {"enum": own}}}, "then": {"$ref": f"#/$defs/{_id(definition, part)}"}})
        found[f"{part}-name"] = {"enum": names}
        one = {"type": "object", "properties": {"name": {"$ref": f"#/$defs/{part}-name"}}, "required": ["name"], "allOf": choices}
        found[f"{part}-made"] = one
        forms: list[Schema] = [{"$ref": f"#/$defs/{part}-name"}, {"$ref": f"#/$defs/{part}-made"}]
        if part == "loss":
            forms.append({"type": "array", "minItems": 1, "items": {"anyOf": list(forms)}})
        found[part] = {"anyOf": forms}
    return found


def _of(part: str) -> list[Definition]:
    return [registry.definition(name, kind) for kind in KINDS[part] for name in registry.names(kind)]


def _id(definition: Definition, part: str) -> str:
    return f"{'value' if part == 'value' else definition.kind}-{definition.name}"


def _names(definition: Definition, part: str) -> list[str]:
    aliases = {alias: name for kind in KINDS[part] for alias, name in registry.aliases(kind).items()}
    return [definition.name, *(alias for alias, name in aliases.items() if name == definition.name)]


def _hyperparameters(definition: Definition, part: str) -> Schema:
    """The properties that a definition takes, other spellings included."""
    every: Schema = {}
    for name, annotation in definition.annotations.items():
        own = of_annotation(annotation, definition.defaults[name], live=True)
        default = definition.defaults[name]
        if default is not hyper.REQUIRED:
            own = {**own, "default": list(default) if isinstance(default, tuple) else default}
        every[name] = own
    if part == "schedule":
        every.pop("lr", None)  # a recipe's schedule starts from the optimizer's
    spelt = {**COMMON, **definition.spellings}
    for other, canonical in spelt.items():
        base, _, index = canonical.partition("[")
        if base in every and other not in definition.defaults:
            every[other] = of_annotation(_item_of(definition.annotations[base], int(index[:-1]))) if index else every[base]
        elif part == "schedule" and base == "lr" and other != "learning_rate":
            every[other] = of_annotation(hyper.NonNegative)  # one_cycle's max_lr, which is the base instead
    every["convention"] = {"enum": list(definition.conventions)}
    if part == "loss":
        every["reduction"] = {"enum": list(getattr(definition, "reductions", ()))}
        every["times"] = of_annotation(hyper.Finite)
    if getattr(definition, "wraps", False):
        one = {"$ref": "#/$defs/optimizer"}
        every["inner"] = {"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]}
    return every


def _item_of(annotation: Any, index: int) -> Any:
    return get_args(annotation)[index]


def of_annotation(annotation: Any, default: Any = None, *, live: bool = False) -> Schema:
    """The schema of one type of `lossopt.hyper`; `live`: a schedule may stand in the place of a number.

    >>> of_annotation(hyper.Fraction)
    {'type': 'number', 'minimum': 0, 'exclusiveMaximum': 1}
    >>> of_annotation(hyper.Count)
    {'type': 'integer', 'minimum': 1, 'maximum': 2147483647}
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _number(parts[0] is int, [p for p in parts[1:] if isinstance(p, hyper.Range)], live)
    if annotation in (int, float):
        return _number(annotation is int, [], live)
    if origin in (Union, types.UnionType):
        return {"anyOf": [of_annotation(p, live=live) for p in parts]}
    if origin is Literal:
        return {"enum": list(parts)}
    if origin is Callable:
        return {"not": {}}  # code has no place in a file
    if origin is tuple and Ellipsis in parts:
        item = {"$ref": "#/$defs/value-made"} if parts[0] is Any else of_annotation(parts[0], live=live)
        return {"type": "array", "items": item}
    if origin is tuple:
        items = [of_annotation(p, live=live) for p in parts]
        return {"type": "array", "prefixItems": items, "minItems": len(parts), "maxItems": len(parts)}
    simple = {bool: "boolean", str: "string", None: "null", type(None): "null"}.get(annotation)
    if simple:
        return {"type": simple}
    if isinstance(default, str):
        return {"type": "string"}
    return {"anyOf": [{"type": ["number", "null"]}, {"type": "array", "items": {"type": "number"}}]}


def _number(whole: bool, ranges: Iterable[hyper.Range], live: bool) -> Schema:
    found: Schema = {"type": "integer" if whole else "number"}
    for r in ranges:
        if not math.isinf(r.low):
            found["exclusiveMinimum" if r.open_low else "minimum"] = r.low
        if not math.isinf(r.high):
            found["exclusiveMaximum" if r.open_high else "maximum"] = r.high
        elif r.finite:
            found["maximum"] = LARGEST_WHOLE if whole else LARGEST
    return {"if": {"type": "object"}, "then": {"$ref": "#/$defs/value-made"}, "else": found} if live else found


def _object(properties: Schema, required: Iterable[str] = ()) -> Schema:
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": list(required)} if required else found


# ------------------------------------------------------------------------------------------------- documentation
HOLDS = {
    "task": "a name: `digits`",
    "loss": "`cross_entropy`, `{name: huber_loss, delta: 2}`, `[{name: dice_loss, times: 0.5}, cross_entropy]`",
    "optimizer": "`adamw`, `{name: adamw, lr: 1e-3}`, `{name: lookahead, inner: {name: sgd, lr: 0.1}}`",
    "schedule": "`{name: cosine, T_max: 500}`; without it the learning rate stays",
    "clip": "`{global_norm: 1.0}`, `{value: 0.5}`, both, or `true`",
    "ema": "a number in [0, 1)",
    "groups": "`{'*.bias': {weight_decay: 0}}`",
    "precision": "`float32`, `float64`, `bfloat16`, `float16`, `{compute: bfloat16, params: float32}`",
    "checkpoint": "`true`, `blocks.*`, `[encoder.*, decoder.*]`",
}


def markdown() -> str:
    """The keys of the short form as a table."""
    rows = [f"| `{key}` | {HOLDS.get(key) or _in_words(SETTINGS[key])} | {ABOUT[key]} |" for key in FLAT_KEYS]
    return "\n".join(["| key | holds | meaning |", "|---|---|---|", *rows])


def _in_words(annotation: Any) -> str:
    return "`true` or `false`" if annotation is bool else hyper.describe(annotation).removesuffix(", and finite")
