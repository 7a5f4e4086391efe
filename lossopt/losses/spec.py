"""A loss with its hyperparameters, and sums of losses: values that are called, added and scaled."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lossopt.definition import Loss
from lossopt.errors import ArgumentError, HyperparameterError, InputError, suggest
from lossopt.losses.reduction import check_not_empty, reduce
from lossopt.ops import LossOps
from lossopt.spelling import to_canonical

DEFAULT_REDUCTION = "mean"


class _Composable:
    """Addition and scaling, for one loss and for sums alike."""

    if TYPE_CHECKING:

        @property
        def terms(self) -> tuple[tuple[float, LossSpec], ...]:
            """What is added up: (weight, loss)."""
            ...

    def __add__(self, other: Any) -> LossSum:
        if isinstance(other, numbers.Real) and other == 0:  # sum([...]) begins with 0
            return LossSum(self.terms)
        if isinstance(other, Loss):
            other = other.configure()
        if not isinstance(other, _Composable):
            raise ArgumentError(f"a loss adds to a loss, got {other!r}")
        return LossSum((*self.terms, *other.terms))

    __radd__ = __add__

    def __mul__(self, factor: Any) -> LossSum:
        if isinstance(factor, bool) or not isinstance(factor, numbers.Real):
            raise ArgumentError(f"a loss is scaled by a number, got {factor!r}")
        return LossSum(tuple((float(factor) * weight, spec) for weight, spec in self.terms))

    __rmul__ = __mul__


@dataclass(frozen=True)
class LossSpec(_Composable):
    """A loss with its hyperparameters and its reduction.

    >>> from lossopt import get_loss
    >>> get_loss("huber_loss", delta=2.0)
    huber_loss(delta=2.0)
    """

    definition: Loss
    hyperparameters: Mapping[str, Any]
    reduction: str
    convention: str = "torch"
    backend: str | None = None

    @classmethod
    def make(cls, definition: Loss, convention: str, reduction: str | None, hyperparameters: Mapping[str, Any]) -> LossSpec:
        resolved = definition.resolve(hyperparameters, convention)
        if reduction is None:
            reduction = definition.conventions[convention].get("reduction", DEFAULT_REDUCTION)
        if reduction not in definition.reductions:
            near = suggest(str(reduction), definition.reductions)
            raise HyperparameterError(
                f"{definition.name}: reduction must be {' or '.join(map(repr, definition.reductions))}, got {reduction!r}{near}"
            )
        return cls(definition, resolved, reduction, convention)

    @property
    def __name__(self) -> str:
        return self.definition.name

    @property
    def terms(self) -> tuple[tuple[float, LossSpec], ...]:
        return ((1.0, self),)

    def bind(self, backend: str | None) -> LossSpec:
        """The same loss for the arrays of one backend only."""
        return replace(self, backend=backend)

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        from lossopt import registry

        inputs, changes = self.definition._inputs(arrays, named)
        hyperparameters, reduction = self.hyperparameters, self.reduction
        if changes:
            reduction = changes.pop("reduction", None) or reduction
            changes = to_canonical(self.definition, changes, self.hyperparameters)
            changed = LossSpec.make(self.definition, self.convention, reduction, {**self.hyperparameters, **changes})
            hyperparameters, reduction = changed.hyperparameters, changed.reduction
        backend = registry.backend_of_arrays(self.definition, dict(zip(self.definition.inputs, inputs, strict=True)), self.backend)
        return evaluate(self.definition, backend.losses, inputs, hyperparameters, reduction)

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, LossSpec):
            return NotImplemented
        mine, theirs = self.hyperparameters, other.hyperparameters
        named = self.definition == other.definition and (self.reduction, self.backend) == (other.reduction, other.backend)
        return named and self.convention == other.convention and not any(_differs(mine[k], theirs[k]) for k in mine)

    def __hash__(self) -> int:
        return hash((self.definition.name, self.reduction, self.convention, self.backend))

    def __repr__(self) -> str:
        d = self.definition
        defaults = d.defaults_of(self.convention)
        given = [f"{k}={v!r}" for k, v in self.hyperparameters.items() if _differs(v, defaults[k])]
        if self.reduction != d.conventions[self.convention].get("reduction", DEFAULT_REDUCTION):
            given.append(f"reduction={self.reduction!r}")
        if self.convention != "torch":
            given.append(f"convention={self.convention!r}")
        return f"{d.name}({', '.join(given)})"


@dataclass(frozen=True)
class LossSum(_Composable):
    """A weighted sum of losses of the same predictions and targets.

    >>> from lossopt.losses import l1_loss, mse_loss
    >>> import numpy as np
    >>> combined = 0.5 * mse_loss + 0.5 * l1_loss
    >>> float(combined(np.array([3.0]), np.array([1.0])))
    3.0
    """

    parts: tuple[tuple[float, LossSpec], ...]

    @property
    def terms(self) -> tuple[tuple[float, LossSpec], ...]:
        return self.parts

    @property
    def __name__(self) -> str:
        return "_plus_".join(spec.__name__ for _, spec in self.parts)

    def bind(self, backend: str | None) -> LossSum:
        return LossSum(tuple((weight, spec.bind(backend)) for weight, spec in self.parts))

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        total = None
        for weight, spec in self.parts:
            value = weight * spec(*arrays, **named)
            total = value if total is None else total + value
        return total

    def __repr__(self) -> str:
        return " + ".join(f"{weight:g} * {spec!r}" for weight, spec in self.parts)


def combine_losses(*losses: Any, weights: Sequence[float] | None = None) -> LossSum:
    """A weighted sum of losses of the same arrays: ``0.5 * a + 0.5 * b`` for losses given by name or in a list.

    Args:
        *losses: names, definitions, losses with their hyperparameters, or sums.
        weights: the factor of each; None is 1 each.

    Returns:
        A loss that is called, added and scaled as any other, in every framework.

    Raises:
        ArgumentError: no loss, something that is none, or not one weight for each.
        UnknownNameError: a name that there is not.

    Example:
        >>> from lossopt.losses import combine_losses, dice_loss
        >>> combine_losses("cross_entropy", dice_loss.configure(smooth=0.5), weights=(0.3, 0.7))
        0.3 * cross_entropy() + 0.7 * dice_loss(smooth=0.5)
    """
    from lossopt import registry

    factors = [1.0] * len(losses) if weights is None else list(weights)
    if not losses or len(factors) != len(losses):
        have, given = ("loss" if len(losses) == 1 else "losses"), ("weight" if len(factors) == 1 else "weights")
        raise ArgumentError(f"combine_losses() takes a weight for each loss, got {len(losses)} {have} and {len(factors)} {given}: write "
                            "combine_losses('cross_entropy', 'dice_loss', weights=(0.5, 0.5))")  # fmt: skip
    for given in losses:
        if not isinstance(given, str | Loss | _Composable):
            remedy = "; write combine_losses(*losses)" if isinstance(given, list | tuple) else ""
            raise ArgumentError(f"combine_losses() takes losses by name or as values, got {given!r}{remedy}")
    return LossSum(()) + sum(factor * registry.get_loss(given) for factor, given in zip(factors, losses, strict=True))


def evaluate(definition: Loss, emitted: Any, inputs: tuple[Any, ...], hyperparameters: Mapping[str, Any], reduction: str) -> Any:
    """Check, compute, reduce.

    `emitted` is a backend's ``losses`` module: ``words``; ``carry``, which runs a body in the precision it is to be
    computed in; and ``native``, its framework's own function for the same mathematics, where there is one.
    """
    try:
        if definition.input_check:
            definition.input_check(emitted.words, *inputs, **hyperparameters)
        check_not_empty(definition.inputs[0], inputs[0].shape, reduction)
    except InputError as problem:
        raise InputError(f"{definition.name}: {problem}") from None

    def body(*arrays: Any) -> Any:
        native = emitted.native(definition, arrays, hyperparameters, reduction)
        return compute(definition, emitted.words, arrays, hyperparameters, reduction) if native is None else native()

    return emitted.carry(body, inputs)


def compute(definition: Loss, words: LossOps, inputs: tuple[Any, ...], hyperparameters: Mapping[str, Any], reduction: str) -> Any:
    """The definition's own text, and its reduction."""
    found = definition.text(words, *inputs, **hyperparameters)
    values, weights = found if isinstance(found, tuple) else (found, None)
    return reduce(words, values, weights, reduction, batch=inputs[0].shape[0] if inputs[0].shape else 1)


def _differs(a: Any, b: Any) -> bool:
    try:
        return a is not b and bool(a != b)
    except (ValueError, RuntimeError, TypeError):  # arrays, such as class weights
        return True
