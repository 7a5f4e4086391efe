"""The rules that are tried: every text of an optimizer with every setting of its switches, read from signatures and conventions."""

from __future__ import annotations

import functools
import itertools
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np

from lossopt import registry
from lossopt.definition import Optimizer, Spec
from lossopt.errors import LossoptError
from lossopt.identify.coordinates import Coordinate, coordinate, range_of, usual
from lossopt.identify.evidence import Evidence, Leaf
from lossopt.identify.replay import DECOMPOSITIONS, REDUCTIONS, Rule, heard, predict, predict_values

MOST_SETTINGS = 64
"""Of one text: where there are more, those within two switches of a convention's."""

WITHOUT_DEFAULT = {"fraction": 0.9, "log": 1e-3, "linear": 0.0}

REASONS = {
    "hessian": "asks for the Hessian's diagonal, which a recording does not hold",
    "example_grads": "takes the gradient of each example, which a recording does not hold",
    "value": "asks for the loss, which was not recorded",
    "whole": "cannot be judged from samples: it needs whole tensors",
    "matrices": "takes matrices only, and there are none",
}


@dataclass(frozen=True)
class Excluded:
    """A definition that is not tried, and why."""

    name: str
    why: str


def texts() -> dict[Any, list[Optimizer]]:
    """Each distinct text of an optimizer with the definitions that share it, the base first."""
    found: dict[Any, list[Optimizer]] = {}
    for name in registry.own_names("optimizer"):
        d = registry.definition(name, "optimizer")
        assert isinstance(d, Optimizer)
        found.setdefault(d.text, []).append(d)
    return {text: sorted(ds, key=lambda d: d.name != text.__name__) for text, ds in found.items()}


def rules(evidence: Evidence, *, quick: bool, ascending: bool = False) -> tuple[list[Rule], list[Excluded]]:
    """The rules that the evidence can judge, and the definitions that it cannot.

    Args:
        evidence: what is to be explained.
        quick: those that go element by element; else the others.
        ascending: the updates go along the gradient: rules that can maximize do.
    """
    if evidence.tried is not None:
        return ([_for(rule, evidence, ascending) for rule in evidence.tried] if quick else []), []
    found, excluded = [], []
    for text, definitions in texts().items():
        why = _excluded(definitions[0], evidence)
        if why:
            excluded += [Excluded(d.name, why) for d in definitions]
        elif _habits(text)[0] == quick:
            found += [_for(rule, evidence, ascending) for rule in _settings(text)]
    return found, excluded


def _excluded(d: Optimizer, evidence: Evidence) -> str | None:
    if d.per_example:
        return REASONS["example_grads"]
    if "hessian" in d.asks:
        return REASONS["hessian"]
    if "value" in d.asks and "value" not in d.asks_with and evidence.value is None:
        return REASONS["value"]
    if not _habits(d.text)[0] and not evidence.whole:
        return REASONS["whole"]
    if not all(leaf.matrix for leaf in evidence.leaves) and not takes_vectors(d.text):
        return REASONS["matrices"]
    return None


def _for(rule: Rule, evidence: Evidence, ascending: bool) -> Rule:
    """The rule for this evidence: lr recorded or to be found, uphill or downhill."""
    spec = rule.spec
    if ascending and "maximize" in spec.hyperparameters:
        spec = replace(spec, hyperparameters={**spec.hyperparameters, "maximize": True})
    rule = replace(rule, spec=spec, free=tuple(c for c in rule.free if (c.name, c.index) not in evidence.scheduled))
    return with_lr_fitted(rule) if not evidence.has_lr else _with_lr_recorded(rule)


def _with_lr_recorded(rule: Rule) -> Rule:
    return replace(rule, free=tuple(c for c in rule.free if c.name not in rule.lr_names), lr_fitted=False)


def with_lr_fitted(rule: Rule) -> Rule:
    """The same rule with each lr a number to be found."""
    if rule.lr_fitted:
        return rule
    added = []
    for (path, name), flat in rule.spec.flat_names.items():
        if flat in rule.lr_names:
            owner = dict(rule.spec.walk())[path].definition
            defaults = tuple(float(owner.defaults_of(c)[name]) for c in owner.conventions)
            added.append(replace(coordinate(flat, name, None, range_of(owner.annotations[name]), defaults), kind="log"))  # type: ignore[arg-type]
    return replace(rule, free=(*added, *rule.free), lr_fitted=True)


# ------------------------------------------------------------------------------------------------- switches
@functools.cache
def _settings(text: Any) -> tuple[Rule, ...]:
    """Every setting of a text's switches that does something of its own."""
    definitions = texts()[text]
    base = definitions[0]
    switches = {n: _options(definitions, n) for n in base.defaults if n != "maximize"}
    switches = {n: options for n, options in switches.items() if len(options) > 1}
    conventions = [{n: d.defaults_of(c)[n] for n in switches} for d in definitions for c in d.conventions]
    conventions = [{n: _option_of(v, switches[n]) for n, v in c.items()} for c in conventions]
    chosen = _combinations(switches, conventions)
    made = [rule for rule in (_rule(base, setting) for setting in chosen) if rule is not None]
    unique: dict[Any, Rule] = {}
    for rule in made:
        unique.setdefault(_fingerprint(rule), rule)
    return tuple(unique.values())


def _none_pattern(value: Any) -> Any:
    return tuple(v is None for v in value) if isinstance(value, tuple) else ()


def _options(definitions: list[Optimizer], name: str) -> tuple[Any, ...]:
    """The settings of one switch; one alone where it is none."""
    d = definitions[0]
    annotation, default = d.annotations[name], d.defaults[name]
    if annotation is bool:
        return (default, not default)
    if name in d.asks_with.values():
        return (None,)
    parts = get_args(annotation)
    if get_origin(annotation) is Literal:
        return (default, *(v for v in parts if v != default))
    if get_origin(annotation) in (Union, types.UnionType) and type(None) in parts:
        other = next(p for p in parts if p is not type(None))
        if get_origin(other) is Literal:
            return (default, *(v for v in (*get_args(other), None) if v != default))
        if range_of(other) is not None:
            known = [v for d in definitions for c in d.conventions if isinstance(v := d.defaults_of(c)[name], float)]
            return (None, known[0] if known else _anything(name, other))
    known = [o.defaults_of(c)[name] for o in definitions for c in o.conventions]
    if get_origin(annotation) is Annotated and parts[0] is int:
        return tuple(dict.fromkeys(known))
    return tuple({_none_pattern(v): v for v in reversed(known)}.values())


def _anything(name: str, annotation: Any) -> float:
    """A value for a number that by default is None."""
    interval = range_of(annotation)
    assert interval is not None
    return WITHOUT_DEFAULT[coordinate(name, name, None, interval, ()).kind]


def _option_of(value: Any, options: tuple[Any, ...]) -> Any:
    if value in options:
        return value
    same = (v for v in options if v is not None and _none_pattern(v) == _none_pattern(value))
    return next(same)


def _combinations(switches: Mapping[str, tuple[Any, ...]], conventions: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    everything = [dict(zip(switches, each, strict=True)) for each in itertools.product(*switches.values())]
    if len(everything) > MOST_SETTINGS:
        everything = [s for s in everything if any(sum(s[n] != c[n] for n in switches) <= 2 for c in conventions)]
    chosen: list[dict[str, Any]] = []
    for setting in (*conventions, *everything):
        if setting not in chosen:
            chosen.append(setting)
    return iter(chosen)


# ------------------------------------------------------------------------------------------------- one rule
def rule_of(spec: Spec, held: frozenset[str] = frozenset()) -> Rule:
    """A rule that searches for every continuous hyperparameter of a spec, but for those in `held` and lr."""
    free, lr_names = [], []
    for (path, name), flat in spec.flat_names.items():
        owner = dict(spec.walk())[path]
        if name == "lr":
            lr_names.append(flat)
        elif flat not in held:
            free += _coordinates(owner, name, flat)
    return Rule(spec, tuple(free), lr_names=tuple(lr_names))


def _coordinates(spec: Spec, name: str, flat: str) -> list[Coordinate]:
    d, value, annotation = spec.definition, spec.hyperparameters[name], spec.definition.annotations[name]
    owners = [o for o in texts().get(d.text, [d]) if isinstance(o, Optimizer)]
    defaults = [o.defaults_of(c)[name] for o in owners for c in o.conventions]
    if isinstance(value, tuple):
        parts = get_args(annotation)
        if len(parts) != len(value) or any(get_args(p)[:1] == (int,) for p in parts):
            return []
        intervals = [range_of(without_none(p)) for p in parts]
        if any(i is None or i == range_of(float) for i in intervals):
            return []
        each = [[v[i] for v in defaults if isinstance(v, tuple) and isinstance(v[i], float | int)] for i in range(len(value))]
        return [coordinate(flat, name, i, interval, tuple(map(float, each[i])))
                for i, interval in enumerate(intervals) if interval is not None and value[i] is not None]  # fmt: skip
    interval = range_of(without_none(annotation))
    if interval is None or interval.plain or value is None or isinstance(value, bool):
        return []
    known = tuple(float(v) for v in defaults if isinstance(v, float | int) and not isinstance(v, bool)) or (float(value),)
    return [coordinate(flat, name, None, interval, known)]


def without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(p for p in get_args(annotation) if p is not type(None))
    return annotation


def _rule(base: Optimizer, setting: Mapping[str, Any]) -> Rule | None:
    """The rule with these switches; None where they do not go together."""
    given = {n: v for n, v in setting.items() if v is not base.defaults[n]}
    try:
        rule = rule_of(base(**given))
    except LossoptError:
        return None
    return with_habits(rule)


def with_habits(rule: Rule) -> Rule:
    """The rule with what is known of it by trying: whether it goes element by element, and parameter by parameter."""
    together, separable = _habits(rule.spec.definition.text) if not rule.spec.inner else (False, False)
    return replace(rule, together=together, separable=separable)


# ------------------------------------------------------------------------------------------------- habits
def _probe() -> Evidence:
    """A small problem with matrices, a vector, and a gradient that is now and then zero."""
    rng = np.random.default_rng(7)
    leaves = []
    for name, shape in (("a.kernel", (4, 3)), ("a.bias", (3,)), ("b.kernel", (2, 5))):
        p, g = rng.normal(size=(6, *shape)), rng.normal(size=(6, *shape))
        if len(shape) > 1:
            g[1, 0, 0] = g[4, 0, 0] = 0.0
        leaves.append(Leaf(name, 0, True, p, g, p, p, 0.01 * np.array([1.0, 2.0, 0.5, 1.5, 1.0, 3.0])))
    return Evidence(tuple(leaves), np.array([3.0, 2.0, 2.5, 1.0, 1.5, 1.2]))


def _generic(rule: Rule, factor: float = 1.0) -> np.ndarray:
    """A point at which nothing is at a default, or nothing at all."""
    usual_x = np.array([c.to_x(c.typical[0]) for c in rule.free])
    kinds = np.array([{"fraction": 0.3, "log": 0.2, "linear": 0.4}[c.kind] for c in rule.free])
    return usual_x + factor * kinds


@functools.cache
def takes_vectors(text: Any) -> bool:
    """Whether it takes a parameter with one axis."""
    return _fingerprint(rule_of(texts()[text][0]()))[0] == "all"


@functools.cache
def _habits(text: Any) -> tuple[bool, bool]:
    """(element by element, parameter by parameter)."""
    base = texts()[text][0]
    if "noise" in base.asks:
        return False, not base.plural
    rule, probe = rule_of(base()), _probe()
    points = np.stack([_generic(rule), _generic(rule, 1.5)])
    try:
        if heard(rule, rule.values(points[0]), probe) & {*REDUCTIONS}:
            return False, not base.plural
        alone = np.stack([predict_values(rule, rule.values(x), probe) for x in points])
        return np.allclose(predict(replace(rule, together=True), points, probe), alone, rtol=1e-9, atol=0, equal_nan=True), not base.plural
    except (LossoptError, ValueError, TypeError):
        return False, not base.plural


@functools.cache
def decomposes(text: Any) -> bool:
    """Whether it takes a matrix apart: eigenvectors, or an orthogonal basis."""
    rule, probe = rule_of(texts()[text][0]()), _probe()
    for evidence in (probe, probe.take([0, 2])):
        try:
            return bool(heard(rule, rule.values(_generic(rule)), evidence) & {*DECOMPOSITIONS})
        except (LossoptError, ValueError, TypeError):
            continue
    return False


def _fingerprint(rule: Rule) -> Any:
    """What it does, as a key: two settings that do the same are one."""
    probe = _probe()
    for what, evidence in (("all", probe), ("matrices", probe.take([0, 2]))):
        try:
            found = predict_values(rule, rule.values(_generic(rule)), evidence)
        except LossoptError:
            continue
        return (what, *(float(f"{v:.9e}") for v in found.ravel()))
    return ("none", repr(rule.spec))


def same_updates(one: Spec, other: Spec) -> bool:
    """Whether two specs of one text do the same on a small problem."""
    probe = _probe()
    try:
        found = [predict_values(Rule(spec, ()), spec.flat, probe) for spec in (one, other)]
    except (LossoptError, ValueError, TypeError):
        return False
    return np.allclose(*found, rtol=1e-9, atol=0, equal_nan=True)


__all__ = ["Excluded", "rule_of", "rules", "same_updates", "texts", "usual", "with_habits", "with_lr_fitted"]
