"""Replays: what a rule would have added to the recorded parameters, from the recorded gradients.

Only the optimizer's state is carried from step to step, so that a small disagreement stays small.  A rule that goes element
by element is run for many hyperparameters at once: they are a leading axis.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lossopt import carry, registry
from lossopt.definition import Spec
from lossopt.identify.coordinates import Coordinate
from lossopt.identify.evidence import Evidence, rounded_to
from lossopt.vector import Lifted, Vector

CLIP = "max_norm before the rule"
"""The name of the bound at which gradients are clipped before a rule sees them."""


@dataclass(frozen=True)
class Rule:
    """A spec with its switches set, and the numbers that are still to be found.

    Attributes:
        spec: the tree, with a value for everything.
        free: what is searched for.
        together: parameters enter separately, and element by element: many hyperparameters may be tried at once.
        separable: each parameter's update depends on that parameter alone.
        lr_fitted: lr is among `free`, rather than recorded.
        half: the slots that are rounded to bfloat16 after each step; ``("*",)`` is all of them.
        clip: gradients are clipped first, by global ``"norm"`` or by ``"value"``, at the last of `free`.
        clip_at: or at this, where it is not searched for.
        uncorrected: its moments are not corrected for their start.
    """

    spec: Spec
    free: tuple[Coordinate, ...]
    together: bool = False
    separable: bool = False
    lr_fitted: bool = False
    half: tuple[str, ...] = ()
    clip: str | None = None
    clip_at: float | None = None
    uncorrected: bool = False
    lr_names: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        return " + ".join(s.definition.name for _, s in self.spec.walk() if not s.inner)

    def values(self, x: np.ndarray) -> dict[str, Any]:
        """The flat hyperparameters at one point."""
        found = dict(self.spec.flat)
        for c, own in zip(self.free, x, strict=True):
            put(found, c, float(c.to_value(np.asarray(own))))
        return found

    def point(self, values: Mapping[str, Any]) -> np.ndarray:
        """The point at which the free hyperparameters have these values."""
        return np.array([c.to_x(value_of(values, c)) for c in self.free])


def with_clip(rule: Rule, how: str, norms: np.ndarray, g: np.ndarray) -> Rule:
    """The rule after gradients are clipped, at a bound that is to be found."""
    sizes = norms if how == "norm" else np.abs(g).max(axis=tuple(range(1, g.ndim)))
    typical = (1.0, *(float(np.quantile(sizes, q)) for q in (0.1, 0.5, 0.9)), 0.5 * float(sizes.min()))
    bound = Coordinate(CLIP, None, "log", 0.0, np.inf, tuple(v for v in typical if v > 0))
    return replace(rule, free=(*rule.free, bound), clip=how)


def keeping(rule: Rule, x: np.ndarray, labels: Collection[str]) -> Rule:
    """The rule with some of its coordinates left where they are."""
    values, at = dict(rule.spec.flat), rule.clip_at
    for c, own in zip(rule.free, x, strict=True):
        if c.name == CLIP and c.label in labels:
            at = float(c.to_value(np.asarray(own)))
        elif c.label in labels:
            put(values, c, float(c.to_value(np.asarray(own))))
    free = tuple(c for c in rule.free if c.label not in labels)
    return replace(rule, spec=with_flat(rule.spec, values), free=free, clip_at=at)


def with_flat(spec: Spec, flat: Mapping[str, Any], path: tuple[int, ...] = (), names: Any = None) -> Spec:
    """The spec with hyperparameters by flat name, unchecked."""
    names = names or spec.flat_names
    own = {n: flat[names[path, n]] for n in spec.hyperparameters}
    inner = tuple(with_flat(s, flat, (*path, i), names) for i, s in enumerate(spec.inner))
    return replace(spec, hyperparameters=own, inner=inner)


def put(values: dict[str, Any], c: Coordinate, value: Any) -> None:
    """Set a coordinate in flat hyperparameters."""
    if c.index is None:
        values[c.name] = value
    else:
        whole = values[c.name]
        values[c.name] = (*whole[: c.index], value, *whole[c.index + 1:])


def value_of(values: Mapping[str, Any], c: Coordinate) -> float:
    found = values[c.name]
    return float(found if c.index is None else found[c.index])


# ------------------------------------------------------------------------------------------------- the words
@functools.cache
def words(uncorrected: bool) -> tuple[Any, Any]:
    """The referee's words and the same over all parameters; here a decay rate may be an array."""
    part = registry.backend("numpy").part("words")

    class Many(part.Words):
        @staticmethod
        def bias_correction(beta: Any, step: Any) -> Any:
            if uncorrected:
                return 1.0
            if isinstance(beta, np.ndarray):
                return np.where(beta > 0, -np.expm1(step * np.log(np.maximum(beta, 1e-300))), 1.0)
            return part.Words.bias_correction(beta, step)

        @staticmethod
        def lerp(start: Any, end: Any, weight: Any) -> Any:
            """Of a moment that JAX keeps in bfloat16 the decay is a bfloat16 number too."""
            if isinstance(start, Half):
                decay = rounded_to(np.asarray(1 - weight), "bfloat16")
                return decay * start.view(np.ndarray) + weight * end
            return part.Words.lerp(start, end, weight)

        @staticmethod
        def cast(x: Any, dtype: Any) -> Any:
            """A precision that a rule asks for is kept by every operation that follows, until it asks for another."""
            if str(dtype) == "bfloat16":
                return np.asarray(x, np.float64).view(Half)
            return np.asarray(x, np.float64).view(np.ndarray)

    made = Many()
    return made, Lifted(made)


REDUCTIONS = ("sum", "max", "mean", "dot", "norm", "transpose", "reshape", "move_axis", "eye", "argsort", "select", "normal")
"""Words after which an element knows of others."""


DECOMPOSITIONS = ("eigh", "qr", "svd")
"""Words whose results in float32 are known to fewer digits than others'."""


def heard(rule: Rule, values: Mapping[str, Any], evidence: Evidence) -> set[str]:
    """The words that a rule says."""
    plain, said = words(False)[0], set()

    class Listening:
        def __getattr__(self, word: str) -> Any:
            said.add(word)
            return getattr(plain, word)

    leaf = Listening()
    with np.errstate(all="ignore"):
        _one(rule, values, evidence, (leaf, Lifted(leaf)))
    return said


class Half(np.ndarray):
    """Numbers that every operation rounds to bfloat16."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [x.view(np.ndarray) if isinstance(x, Half) else x for x in inputs]
        found = getattr(ufunc, method)(*plain, **kwargs)
        return rounded_to(np.asarray(found), "bfloat16").view(Half)


# ------------------------------------------------------------------------------------------------- predictions
def predict(rule: Rule, points: np.ndarray, evidence: Evidence) -> np.ndarray:
    """The updates at each point, as (points, steps, elements)."""
    with np.errstate(all="ignore"):
        if rule.together:
            return _at_once(rule, points, evidence)
        return np.stack([_one(rule, rule.values(x), evidence) for x in points])


def predict_values(rule: Rule, values: Mapping[str, Any], evidence: Evidence) -> np.ndarray:
    """The updates with these flat hyperparameters, as (steps, elements)."""
    with np.errstate(all="ignore"):
        return _one(rule, values, evidence)


def _at_once(rule: Rule, points: np.ndarray, evidence: Evidence) -> np.ndarray:
    values = dict(rule.spec.flat)
    for j, c in enumerate(rule.free):
        if c.name != CLIP:
            put(values, c, c.to_value(points[:, j])[:, None])
    shape = (len(points), evidence.size)
    p, g = (np.broadcast_to(evidence.joined(kind)[:, None], (evidence.steps, *shape)) for kind in ("p", "g"))
    if rule.clip:
        bound = rule.free[-1].to_value(points[:, -1])[:, None] if rule.clip_at is None else rule.clip_at
        g = clipped_gradients(rule.clip, bound, g, evidence.norms)
    steps = _walk(rule, [values], [p], [g], lr_at=_lr_of_elements(evidence, rule), evidence=evidence, names=("all",))
    return np.stack([np.broadcast_to(leaves[0], shape) for leaves in steps], axis=1)


def _one(rule: Rule, values: Mapping[str, Any], evidence: Evidence, spoken: tuple[Any, Any] | None = None) -> np.ndarray:
    leaves = evidence.leaves
    lrs = [leaf.lr for leaf in leaves] if evidence.has_lr and not rule.lr_fitted else None
    lr_at = (lambda t: [float(lr[t]) for lr in lrs]) if lrs else None  # type: ignore[index]
    g = [leaf.g for leaf in leaves]
    if rule.clip:
        bound = values[CLIP] if rule.clip_at is None else rule.clip_at
        g = [clipped_gradients(rule.clip, bound, x, evidence.norms) for x in g]
    values = {n: v for n, v in values.items() if n != CLIP}
    try:
        steps = _walk(rule, [values] * len(leaves), [leaf.p for leaf in leaves], g, lr_at=lr_at,
                      evidence=evidence, names=tuple(leaf.name for leaf in leaves), spoken=spoken)  # fmt: skip
    except ArithmeticError:  # numbers of Python raise where arrays become infinite: eta / step**gamma
        return np.full((evidence.steps, evidence.size), np.nan)
    return np.stack([np.concatenate([np.asarray(x).ravel() for x in found]) for found in steps])


def _lr_of_elements(evidence: Evidence, rule: Rule) -> Callable[[int], list[Any]] | None:
    if rule.lr_fitted or not evidence.has_lr:
        return None
    each = np.stack([leaf.lr for leaf in evidence.leaves], axis=1)  # type: ignore[arg-type]
    if (each == each[:, :1]).all():
        return lambda t: [float(each[t, 0])]
    long = np.repeat(each, [leaf.size for leaf in evidence.leaves], axis=1)
    return lambda t: [long[t]]


def _walk(rule: Rule, values: Sequence[Mapping[str, Any]], p: Sequence[np.ndarray], g: Sequence[np.ndarray], *,
          lr_at: Callable[[int], list[Any]] | None, evidence: Evidence, names: tuple[str, ...],
          spoken: tuple[Any, Any] | None = None) -> list[tuple[Any, ...]]:  # fmt: skip
    leaf, lifted = spoken or words(rule.uncorrected)
    shapes, flat_names = tuple(x.shape[1:] for x in p), rule.spec.flat_names
    wants_value = "value" in rule.spec.asks

    def run_at(t: int) -> carry.Run:
        each = tuple(values)
        if lr_at is not None:
            each = tuple({**v, **dict.fromkeys(rule.lr_names, lr)} for v, lr in zip(values, lr_at(t), strict=True))
        each = tuple(as_scheduled(v, evidence, t) for v in each)
        extras = {"value": float(evidence.value[t])} if wants_value else {}  # type: ignore[index]
        return carry.Run(leaf, lifted, names, shapes, each, flat_names, extras)

    def stored(path: tuple[Any, ...], slot: Any) -> Any:
        return _kept(rule.half, str(path[-1]), slot, evidence.framework == "jax")

    run = run_at(0)
    state, found = carry.start(rule.spec, run, Vector(x[0] for x in p)), []
    for t in range(evidence.steps):
        run = run_at(t) if lr_at is not None or wants_value or evidence.scheduled else run
        delta, state = carry.update(rule.spec, run, Vector(x[t] for x in g), state, Vector(x[t] for x in p))
        found.append(delta.leaves)
        if rule.half:
            typed = evidence.framework == "jax"
            state = state.map(lambda path, slot, typed=typed: _kept(rule.half, str(path[-1]), slot, typed))
    return found


def as_scheduled(values: Mapping[str, Any], evidence: Evidence, t: int) -> Mapping[str, Any]:
    """The hyperparameters of a step, those that were recorded to vary as they were."""
    if not evidence.scheduled:
        return values
    found = dict(values)
    for (name, index), series in evidence.scheduled.items():
        value = found.get(name)
        if index is None and isinstance(value, float | int | np.ndarray) and not isinstance(value, bool):
            found[name] = float(series[t])
        elif index is not None and isinstance(value, tuple) and index < len(value):
            found[name] = (*value[:index], float(series[t]), *value[index + 1:])
    return found


def _kept(half: tuple[str, ...], name: str, slot: Any, typed: bool) -> Any:
    """A slot as it is stored; in JAX what is computed with it next sees its precision."""
    if not isinstance(slot, Vector) or not (half == ("*",) or name in half):
        return slot
    stored = (rounded_to(np.asarray(x), "bfloat16") for x in slot.leaves)
    return Vector(x.view(Half) if typed else x for x in stored)


def clipped_gradients(how: str, bound: Any, g: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """Gradients (steps, ...) after clipping at `bound`; `norms` are the global ones of each step."""
    if how == "value":
        return np.clip(g, -bound, bound)
    norms = norms.reshape(-1, *[1] * (g.ndim - 1))
    return g * np.minimum(1.0, bound / (norms + 1e-6))
