"""The unit of definition: a pure function whose signature says everything, and the decorators that read it.

>>> from lossopt import optimizer
>>> @optimizer(slots=("exp_avg",))
... def slow_sign(ops, grad, state, param, *, lr=1e-3, beta=0.9):
...     average = ops.lerp(state.exp_avg, grad, 1 - beta)
...     return -lr * ops.sign(average), state.replace(exp_avg=average)
>>> slow_sign(lr=0.1)
slow_sign(lr=0.1)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, overload

from lossopt.errors import DefinitionError
from lossopt.kinds import (
    ASKABLE,
    Conventions,
    Definition,
    Kind,
    Loss,
    Optimizer,
    Schedule,
    Slot,
    Spec,
    Transform,
    announce,
    keywords,
    listeners,
)
from lossopt.vector import State

__all__ = ["Conventions", "Definition", "Kind", "Loss", "Optimizer", "Schedule", "Slot", "Spec", "Transform", "keywords", "listeners",
           "loss", "optimizer", "schedule", "transform"]  # fmt: skip

# ------------------------------------------------------------------------------------------------- the decorators
Text = Callable[..., Any]


def _optimizer(made: type[Optimizer], text: Text, slots: tuple[str, ...], start: Callable[..., State] | None,
               conventions: Conventions | None, eval_point: Text | None, data: dict[str, Any]) -> Optimizer:  # fmt: skip
    positional, hyperparameters = _read(text)
    per_example = positional[1:4] == ["example_grads", "state", "params"]
    plural = per_example or positional[1:4] == ["grads", "state", "params"]
    if not plural and positional[:4] != ["ops", "grad", "state", "param"]:
        raise DefinitionError(
            f"{text.__name__}({', '.join(positional)}) must begin with (ops, grad, state, param) to see one parameter, "
            "or (ops, grads, state, params) to see all of them"
        )
    asks = tuple(positional[4:])
    if unknown := sorted(set(asks) - set(ASKABLE)):
        raise DefinitionError(
            f"{text.__name__} asks for {', '.join(unknown)}; a rule may ask for {', '.join(ASKABLE)}; "
            f"hyperparameters come after *"
        )
    if "check" in data:
        data["spec_check"] = data.pop("check")
    parsed = tuple(Slot.parse(s) for s in slots)
    for slot in parsed:
        if slot.needs and slot.needs not in hyperparameters:
            raise DefinitionError(f"{text.__name__}: slot {slot.name!r} needs {slot.needs!r}, which the signature lacks")
    if start and slots:
        raise DefinitionError(f"{text.__name__}: give slots (they start at zero) or start, not both")
    definition = made(text.__name__, text, hyperparameters, conventions or {"torch": {}}, doc=_doc(text), slots=parsed,
                      start=start, asks=asks, plural=plural, per_example=per_example, eval_point=eval_point, **data)  # fmt: skip
    announce(definition)
    return definition


@overload
def optimizer(text: Text, /) -> Optimizer: ...
@overload
def optimizer(*, slots: tuple[str, ...] = ..., start: Callable[..., State] | None = ..., conventions: Conventions | None = ...,
              eval_point: Text | None = ..., parts: Callable[..., Any] | None = ..., check: Callable[..., None] | None = ...,
              by_rows: bool = ..., asks_with: Mapping[str, str] = ..., spellings: Mapping[str, str] = ...,
              elsewhere: Mapping[str, str] = ...) -> Callable[[Text], Optimizer]: ...  # fmt: skip
def optimizer(text: Text | None = None, /, *, slots: tuple[str, ...] = (), start: Callable[..., State] | None = None,
              conventions: Conventions | None = None, eval_point: Text | None = None, **data: Any) -> Any:  # fmt: skip
    """Define an optimizer: read the rule's signature, which is its schema, and let it join the registry.

    Args:
        text: ``(ops, grad, state, param, *, lr=...)`` for one parameter at a time, or ``(ops, grads, state, params,
            ...)`` for all of them as one vector.  Between ``param`` and ``*`` stands what the rule asks for: ``step``
            (1 at the first update), ``value``, ``metric``, ``evaluate``, ``hessian``, ``noise``, ``inner``, ``inners``.  Called
            ``example_grads``, gradients are those of each example.
        slots: names of state slots that start at zero; ``"momentum_buffer if momentum"`` is there only when needed.
        start: ``start(ops, param, *, the hyperparameters it reads) -> State`` where zeros will not do.
        conventions: per convention the defaults and switches that differ.
        eval_point: ``(ops, state, param, *, ...)``: where to evaluate the model, if not at the parameters.
        parts: ``(names, shapes, *, ...)``: for each wrapped rule, which parameters it sees; all, if not given.
        check: ``(*inner, **hyperparameters)``, raising an error where what was given does not go together.
        asks_with: what is asked for only where a hyperparameter is not None: ``{"evaluate": "line_search"}``; else it is None.
        by_rows: rows whose gradient is zero keep everything: sparse gradients will do (sparse_adam).
        passes_on: a wrapper that hands its gradients to the first rule it wraps, of each example too.
        spellings: hyperparameter names that other frameworks use, to ours.
        elsewhere: the name in torch, optax and keras, and any difference.

    Raises:
        DefinitionError: the signature is not one that a backend can carry.

    Example:
        >>> from lossopt import optimizer
        >>> @optimizer(slots=("momentum_buffer",))
        ... def heavy_ball(ops, grad, state, param, *, lr=0.1, momentum=0.9):
        ...     buffer = momentum * state.momentum_buffer + grad
        ...     return -lr * buffer, state.replace(momentum_buffer=buffer)
        >>> heavy_ball()
        heavy_ball()
    """
    if text is None:
        return lambda text: _optimizer(Optimizer, text, slots, start, conventions, eval_point, data)
    return _optimizer(Optimizer, text, slots, start, conventions, eval_point, data)


def transform(text: Text | None = None, /, *, slots: tuple[str, ...] = (), start: Callable[..., State] | None = None,
              conventions: Conventions | None = None, eval_point: Text | None = None, **data: Any) -> Any:  # fmt: skip
    """Define a gradient transform or a wrapper; the arguments are those of `optimizer`."""
    if text is None:
        return lambda text: _optimizer(Transform, text, slots, start, conventions, eval_point, data)
    return _optimizer(Transform, text, slots, start, conventions, eval_point, data)


def loss(text: Text | None = None, /, *, conventions: Conventions | None = None, **data: Any) -> Any:
    """Define a loss: ``(ops, predictions, targets, *, hyperparameters)`` to elementwise or per-sample values.

    Args:
        text: the pure function; it may return ``(values, weights)``, and then its mean is weighted.
        conventions: per convention the defaults that differ; ``"reduction"`` is one of them (torch: ``"mean"``).
        reductions: the reductions it takes, by default none, mean and sum.
        check: ``(*inputs, **hyperparameters)``, raising InputError before any arithmetic.
        made_from: the hyperparameter that a call takes in place of arrays, to give the loss that it makes.
        spellings, elsewhere: as in `optimizer`.

    Example:
        >>> from lossopt import loss
        >>> @loss
        ... def cubic_loss(ops, predictions, targets, *, scale=1.0):
        ...     return scale * ops.abs(predictions - targets) ** 3
        >>> import numpy as np
        >>> float(cubic_loss(np.array([2.0, 0.0]), np.array([0.0, 0.0])))
        4.0
    """
    if text is None:
        return lambda text: loss(text, conventions=conventions, **data)
    positional, hyperparameters = _read(text)
    if positional[:1] != ["ops"] or len(positional) < 2:
        raise DefinitionError(f"{text.__name__}({', '.join(positional)}) must begin with (ops, predictions, targets)")
    if "check" in data:
        data["input_check"] = data.pop("check")
    definition = Loss(text.__name__, text, hyperparameters, conventions or {"torch": {}, "optax": {"reduction": "none"}},
                      doc=_doc(text), inputs=tuple(positional[1:]), **data)  # fmt: skip
    announce(definition)
    return definition


def schedule(text: Text | None = None, /, *, conventions: Conventions | None = None, **data: Any) -> Any:
    """Define a schedule: ``(ops, step, *, lr=1.0, ...)`` to the value at that step; step 0 is the first update.

    Args:
        text: the closed form; or a transition ``(ops, state, metric, *, ...) -> state`` with `start`.
        conventions, spellings, elsewhere: as in `optimizer`.
        start: ``start(ops, *, the hyperparameters it reads) -> State`` with a slot ``lr``.
        also: schedules of other hyperparameters that go with it, ``{"momentum": (ops, step, *, ...) -> value}``; one is
            out of force where a hyperparameter ``cycle_<name>`` is False.
        check: ``(**hyperparameters)``, raising an error where what was given does not go together.

    Example:
        >>> from lossopt import schedule
        >>> @schedule
        ... def halving(ops, step, *, lr=1.0, every=10):
        ...     return lr * ops.power(0.5, ops.floor(step / every))
        >>> halving(lr=0.8)(20)
        0.2
    """
    if text is None:
        return lambda text: schedule(text, conventions=conventions, **data)
    positional, hyperparameters = _read(text)
    expected = ["ops", "state", "metric"] if "start" in data else ["ops", "step"]
    if positional != expected:
        raise DefinitionError(f"{text.__name__}({', '.join(positional)}) must begin with ({', '.join(expected)})")
    if "check" in data:
        data["spec_check"] = data.pop("check")
    definition = Schedule(text.__name__, text, hyperparameters, conventions or {"torch": {}, "optax": {}}, doc=_doc(text), **data)
    announce(definition)
    return definition


def _read(text: Text) -> tuple[list[str], dict[str, Any]]:
    parameters = inspect.signature(text).parameters.values()
    hyperparameters = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    if missing := [n for n, v in hyperparameters.items() if v is inspect.Parameter.empty]:
        raise DefinitionError(f"{text.__name__}: every hyperparameter has a default; missing for {', '.join(missing)}")
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD], hyperparameters


def _doc(text: Text) -> str:
    return inspect.cleandoc(text.__doc__) if text.__doc__ else ""
