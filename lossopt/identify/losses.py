"""Which loss a run had: from recorded predictions, labels and values.

Every loss of two arrays is asked for its value at what was recorded, under each convention and reduction; its continuous
hyperparameters are fitted, and class weights solved for, where the defaults do not say it.
"""

from __future__ import annotations

import itertools
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np

from lossopt import registry
from lossopt.definition import Loss
from lossopt.errors import LossoptError
from lossopt.losses.spec import LossSpec
from lossopt.recording.contents import Recording

ROUNDING = 2.0**-23
"""Of a float32 value."""

EXACT = 200.0
"""Roundings up to which a loss fits: a mean over a batch in float32, made in another order, measures 1 to 30."""

STEPS = 24
"""How many recorded steps are looked at."""

FITTED = 6
"""On how many of them a fit descends; all of them judge it."""

STARTS: Mapping[str, Sequence[float]] = {
    "label_smoothing": (0.1,), "delta": (1.0, 0.1), "beta": (1.0, 0.1), "gamma": (2.0, 1.0, 0.5), "alpha": (0.25, 0.75),
    "margin": (1.0, 0.3), "epsilon": (1.0, 2.0), "smooth": (1.0, 1e-5), "quantile": (0.5, 0.9), "temperature": (1.0, 0.1),
}  # fmt: skip
"""Where a fit begins, besides the default."""


@dataclass(frozen=True)
class Sample:
    """One recorded step: what the model said, what was true, and the loss of it."""

    step: int
    predictions: np.ndarray
    targets: np.ndarray
    value: float


@dataclass(frozen=True)
class LossFit:
    """A loss that was tried.

    Attributes:
        spec: the loss with its hyperparameters and reduction.
        factor: what its value must be multiplied by; 1 but where nothing else fits (a loss divided for accumulation).
        residual: how far its values are from the recorded, in roundings of float32 (root mean square).
    """

    spec: LossSpec
    factor: float
    residual: float

    @property
    def exact(self) -> bool:
        return self.residual <= EXACT

    def __str__(self) -> str:
        times = "" if self.factor == 1 else f"{self.factor:.6g} * "
        return f"{times}{_said(self.spec)}"


@dataclass(frozen=True)
class LossIdentification:
    """The losses that were tried, the best first; `why_not` where none could be."""

    ranking: tuple[LossFit, ...]
    why_not: str = ""

    @property
    def best(self) -> LossFit | None:
        return self.ranking[0] if self.ranking and self.ranking[0].exact else None

    def __str__(self) -> str:
        if self.best is None:
            near = f"; the nearest is {self.ranking[0]}, {_times(self.ranking[0].residual)} roundings off" if self.ranking else ""
            return f"loss: not identified ({self.why_not or 'no loss of lossopt has these values'}{near})"
        others = [fit for fit in self.ranking[1:] if not fit.exact]
        next_best = f"; next best: {others[0]}, {_times(others[0].residual / max(self.best.residual, 1.0))} times worse" if others else ""
        same = [str(fit) for fit in self.ranking[1:4] if fit.exact]
        alike = f"; on these data the same as {', '.join(same)}" if same else ""
        return f"loss: {self.best}; residual {self.best.residual:.2g} roundings{alike}{next_best}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        shown = [{"loss": str(f), "name": f.spec.definition.name, "reduction": f.spec.reduction, "convention": f.spec.convention,
                  "factor": f.factor, "residual": f.residual, "exact": f.exact} for f in self.ranking[:8]]  # fmt: skip
        return {"identified": str(self.best) if self.best else None, "why_not": self.why_not, "ranking": shown}


def identify_loss(recording: Recording) -> LossIdentification:
    """The loss of a run, from its recorded logits, labels and values.

    Args:
        recording: made with logits and labels; see `lossopt.record`.

    Returns:
        A ranking; without logits or labels it is empty and says what was missing.
    """
    samples, why_not = _samples(recording)
    if not samples:
        return LossIdentification((), why_not)
    fits = [fit for spec in candidates(samples[0]) if (fit := _tried(spec, samples))]
    for improved in (_one_number, _labels_and_weights, _times_a_number, _two_numbers):
        if any(fit.exact for fit in fits):
            break
        fits += [better for fit in _nearest(fits, samples) for better in improved(fit.spec, samples)]
    fits.sort(key=lambda f: (not f.exact, 0.0 if f.exact else f.residual, f.factor != 1, _changes(f.spec), _rank(f.spec), f.residual))
    return LossIdentification(tuple({str(fit): fit for fit in reversed(fits)}.values())[::-1])


def _nearest(fits: Sequence[LossFit], samples: Sequence[Sample], count: int = 10) -> list[LossFit]:
    """The nearest of each loss and reduction, those first that go up and down with the recorded values, whatever their size."""
    shapes = {id(fit): scaled.residual for fit in fits if fit.factor == 1 and (scaled := _scaled(fit.spec, samples))}
    best: dict[tuple[str, str], LossFit] = {}
    for fit in sorted(fits, key=lambda f: min(f.residual, shapes.get(id(f), f.residual))):
        best.setdefault((fit.spec.definition.name, fit.spec.reduction), fit)
    return list(best.values())[:count]


# ------------------------------------------------------------------------------------------------- what was recorded
def _samples(recording: Recording) -> tuple[list[Sample], str]:
    found = []
    values = {s.step: s.loss for s in recording}
    for step in recording.array_steps:
        arrays, value = recording.arrays(step), values.get(step)
        if "logits/0" not in arrays or "labels/0" not in arrays:
            missing = "logits" if "logits/0" not in arrays else "labels"
            return [], f"no {missing} were recorded; record with logits and labels"
        if value is not None and np.isfinite(value):
            found.append(Sample(step, np.asarray(arrays["logits/0"], np.float64), np.asarray(arrays["labels/0"]), value))
        if len(found) == STEPS:
            break
    return found, "" if found else "no value of the loss was recorded"


# ------------------------------------------------------------------------------------------------- what is tried
def candidates(sample: Sample) -> Iterator[LossSpec]:
    """Every loss of predictions and targets, under each convention and reduction, with the class axis where it can be."""
    for name in registry.own_names("loss"):
        definition = registry.definition(name, "loss")
        assert isinstance(definition, Loss)
        if definition.inputs != ("predictions", "targets") or definition.made_from:
            continue
        axes = ({"axis": a} for a in _axes(sample)) if "axis" in definition.defaults else iter([{}])
        for axis, (convention, switches) in itertools.product(list(axes), list(_variants(definition))):
            for reduction in definition.reductions:
                if reduction == "none":
                    continue
                try:
                    yield definition.configure(convention=convention, reduction=reduction, **switches, **axis)
                except LossoptError:  # switches that do not go together
                    continue


def _axes(sample: Sample) -> list[int]:
    ndim = sample.predictions.ndim
    return [1] if ndim <= 2 else [1, ndim - 1]


def _variants(definition: Loss) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each convention as it is, and torch's with each switch turned."""
    seen: list[dict[str, Any]] = []
    for convention in definition.conventions:
        own = {k: v for k, v in definition.defaults_of(convention).items() if k != "axis"}
        if own not in seen:
            seen.append(own)
            yield convention, {}
    for name, default in definition.defaults.items():
        annotation = definition.annotations[name]
        choices = (True, False) if annotation is bool else get_args(annotation) if get_origin(annotation) is Literal else ()
        for choice in choices:
            if choice != default and name != "axis" and {**definition.defaults, name: choice} not in seen:
                yield "torch", {name: choice}


def _tried(spec: LossSpec, samples: Sequence[Sample]) -> LossFit | None:
    """The loss as it is; None where it does not take such arrays."""
    found = _values(spec, samples)
    return None if found is None else LossFit(spec, 1.0, _residual(found, samples))


def _values(spec: LossSpec, samples: Sequence[Sample]) -> np.ndarray | None:
    try:
        with np.errstate(all="ignore"):
            found = np.array([np.float64(spec(s.predictions, _targets(s))) for s in samples])
    except (LossoptError, ValueError, TypeError, IndexError, FloatingPointError):
        return None
    return found if np.isfinite(found).all() else None


def _targets(sample: Sample) -> np.ndarray:
    targets = sample.targets
    return targets.astype(np.int64) if targets.dtype.kind in "iub" else targets.astype(np.float64)


def _residual(found: np.ndarray, samples: Sequence[Sample]) -> float:
    values = np.array([s.value for s in samples])
    return float(np.sqrt(np.mean(((found - values) / (ROUNDING * np.maximum(np.abs(values), 1e-30))) ** 2)))


# ------------------------------------------------------------------------------------------------- what is fitted
def _numbers(spec: LossSpec) -> list[str]:
    """The continuous hyperparameters of a loss."""

    def is_number(annotation: Any) -> bool:
        if get_origin(annotation) in (Union, types.UnionType):
            return any(map(is_number, get_args(annotation)))
        return get_origin(annotation) is Annotated and get_args(annotation)[0] is float

    return [n for n, a in spec.definition.annotations.items() if is_number(a) and n not in ("eps", "smooth")]


def _one_number(spec: LossSpec, samples: Sequence[Sample]) -> Iterator[LossFit]:
    """One hyperparameter fitted."""
    for name in _numbers(spec):
        if fit := _fitted(spec, (name,), samples):
            yield fit


def _two_numbers(spec: LossSpec, samples: Sequence[Sample]) -> Iterator[LossFit]:
    """Two hyperparameters fitted together."""
    for names in itertools.combinations(_numbers(spec), 2):
        if len(samples) > 3 and (fit := _fitted(spec, names, samples)):
            yield fit


def _labels_and_weights(spec: LossSpec, samples: Sequence[Sample]) -> Iterator[LossFit]:
    """A label left out, with label smoothing or without it; class weights."""
    if "ignore_index" in spec.hyperparameters and samples[0].targets.dtype.kind in "iu":
        for label in np.unique(np.concatenate([s.targets.ravel() for s in samples])):
            changed = _with(spec, {"ignore_index": int(label)})
            if fit := changed and _tried(changed, samples):
                yield fit
                if "label_smoothing" in spec.hyperparameters and (smoothed := _fitted(fit.spec, ("label_smoothing",), samples)):
                    yield smoothed
    if spec.definition.name == "cross_entropy" and (fit := _weighted(spec, samples)):
        yield fit


def _times_a_number(spec: LossSpec, samples: Sequence[Sample]) -> Iterator[LossFit]:
    if fit := _scaled(spec, samples):
        yield fit


def _fitted(spec: LossSpec, names: tuple[str, ...], samples: Sequence[Sample]) -> LossFit | None:
    """Gauss-Newton from several starts, then the nearest number with few digits that fits as well."""
    best = None
    for start in itertools.product(*({float(spec.hyperparameters[n] or 0.0), *STARTS.get(n, ())} for n in names)):
        fit = _descended(spec, names, np.array(start), samples[:FITTED])
        if fit and (best is None or fit.residual < best.residual):
            best = fit
        if best and best.exact:
            break
    return _rounded(best, names, samples) if best else None


def _descended(spec: LossSpec, names: tuple[str, ...], x: np.ndarray, samples: Sequence[Sample]) -> LossFit | None:
    values = np.array([s.value for s in samples])
    unit = ROUNDING * np.maximum(np.abs(values), 1e-30)

    def at(point: np.ndarray) -> tuple[LossSpec, np.ndarray] | None:
        changed = _with(spec, dict(zip(names, map(float, point), strict=True)))
        found = _values(changed, samples) if changed else None
        return (changed, (found - values) / unit) if changed and found is not None else None

    here = at(x)
    for _ in range(12):
        if here is None:
            return None
        columns = []
        for i in range(len(x)):
            h = 1e-6 * max(1.0, abs(x[i]))
            there = at(x + h * np.eye(len(x))[i]) or at(x - (h := -h) * -np.eye(len(x))[i])
            if there is None:
                return None
            columns.append((there[1] - here[1]) / h)
        step = np.linalg.lstsq(np.stack(columns, 1), -here[1], rcond=1e-10)[0]
        for share in (1.0, 0.5, 0.1, 0.01):
            there = at(x + share * step)
            if there is not None and there[1] @ there[1] < here[1] @ here[1]:
                x, here = x + share * step, there
                break
        else:
            break
        if np.abs(step).max() < 1e-9:
            break
    return LossFit(here[0], 1.0, float(np.sqrt(np.mean(here[1] ** 2)))) if here else None


def _rounded(fit: LossFit, names: tuple[str, ...], samples: Sequence[Sample]) -> LossFit:
    """0.1 rather than 0.1000003, where that fits as well as rounding lets one tell."""
    whole = _tried(fit.spec, samples) or fit
    for digits in (1, 2, 3, 4):
        rounded = {n: float(f"{fit.spec.hyperparameters[n]:.{digits}g}") for n in names}
        changed = _with(fit.spec, rounded)
        tried = _tried(changed, samples) if changed else None
        if tried and tried.residual <= max(2 * whole.residual, 20.0):
            return tried
    return whole


def _weighted(spec: LossSpec, samples: Sequence[Sample]) -> LossFit | None:
    """Class weights: the mean is ``sum(w_y l) / sum(w_y)``, the sum ``sum(w_y l)``; both are linear in w."""
    classes = samples[0].predictions.shape[1]
    if samples[0].targets.dtype.kind not in "iu" or len(samples) < classes:
        return None
    each = spec.definition.configure(convention=spec.convention, reduction="none", **spec.hyperparameters)
    rows = []
    for s in samples:
        losses, labels = np.asarray(each(s.predictions, _targets(s))).ravel(), s.targets.ravel()
        per_class = np.array([[losses[labels == k].sum(), (labels == k).sum()] for k in range(classes)])
        rows.append(per_class[:, 0] - s.value * per_class[:, 1] if spec.reduction == "mean" else per_class[:, 0])
    matrix = np.stack(rows)
    if spec.reduction == "mean":
        weights = np.linalg.svd(matrix)[2][-1]
        weights = weights / weights[np.argmax(np.abs(weights))]  # of a mean only their proportions show: the largest is called 1
    else:
        weights = np.linalg.lstsq(matrix, np.array([s.value for s in samples]), rcond=None)[0]
    weights = np.where(np.abs(weights) < 1e-5 * np.abs(weights).max(), 0.0, weights)
    if (weights < 0).any() or np.ptp(weights) < 1e-5 * weights.max():  # all alike: that is a factor
        return None
    changed = _with(spec, {"weight": tuple(float(f"{w:.5g}") for w in weights)})
    return _tried(changed, samples) if changed else None


def _scaled(spec: LossSpec, samples: Sequence[Sample]) -> LossFit | None:
    """The loss times a number that is the same at every step."""
    found = _values(spec, samples)
    values = np.array([s.value for s in samples])
    if found is None or len(samples) < 2 or not (found * found).sum():
        return None
    factor = float(f"{(found @ values) / (found @ found):.6g}")
    return LossFit(spec, factor, _residual(factor * found, samples)) if abs(factor) > 1e-6 else None


def _with(spec: LossSpec, changes: Mapping[str, Any]) -> LossSpec | None:
    try:
        return LossSpec.make(spec.definition, spec.convention, spec.reduction, {**spec.hyperparameters, **changes})
    except LossoptError:  # out of its range
        return None


# ------------------------------------------------------------------------------------------------- what is said
def _changes(spec: LossSpec) -> int:
    """How many hyperparameters are not torch's defaults, the reduction among them."""
    own = spec.definition.defaults
    changed = sum(repr(own[n]) != repr(v) for n, v in spec.hyperparameters.items() if n not in ("axis", "ignore_index"))
    return changed + (spec.reduction != "mean")


WELL_KNOWN = ("cross_entropy", "mse_loss", "binary_cross_entropy_with_logits", "l1_loss", "huber_loss", "smooth_l1_loss", "nll_loss",
              "kl_div")  # fmt: skip
"""Named first where several say the same."""


def _rank(spec: LossSpec) -> tuple[int, int]:
    name = spec.definition.name
    return (WELL_KNOWN.index(name) if name in WELL_KNOWN else len(WELL_KNOWN), list(spec.definition.conventions).index(spec.convention))


def _said(spec: LossSpec) -> str:
    plain = replace(spec, convention="torch")
    own = spec.definition.defaults
    given = [f"{k}={_short(v)}" for k, v in plain.hyperparameters.items() if repr(v) != repr(own[k]) and (k, v) != ("ignore_index", None)]
    return f"{spec.definition.name}({', '.join([*given, f'reduction={spec.reduction!r}'])})"


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"({', '.join(map(_short, value))})" if isinstance(value, tuple) else repr(value)


def _times(x: float) -> str:
    return f"{x:.0f}" if x < 1000 else f"{x:.0e}"
