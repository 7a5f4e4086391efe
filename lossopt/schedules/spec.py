"""A schedule with its hyperparameters: a plain function of the step, and what each backend emits."""

from __future__ import annotations

import functools
import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lossopt.definition import Schedule, keywords
from lossopt.errors import ArgumentError, InputError
from lossopt.vector import State


class MathOps:
    """`lossopt.ops.ScheduleOps` on Python numbers: float64, no framework."""

    pi = math.pi
    sqrt, sin, cos = staticmethod(math.sqrt), staticmethod(math.sin), staticmethod(math.cos)
    exp, log, floor = staticmethod(math.exp), staticmethod(math.log), staticmethod(math.floor)
    minimum: Any = staticmethod(min)
    maximum: Any = staticmethod(max)

    @staticmethod
    def power(base: Any, exponent: Any) -> Any:
        try:
            return base**exponent
        except OverflowError:  # where arrays say inf
            return math.inf

    @staticmethod
    def where(condition: Any, x: Any, y: Any) -> Any:
        return x if condition else y

    @staticmethod
    def call(fn: Callable[[Any], Any], step: int) -> Any:
        return fn(step)

    @staticmethod
    def tabulate(fn: Callable[[int], float], step: int, last: int | None) -> float:
        return fn(step)


@dataclass(frozen=True)
class ScheduleSpec:
    """A schedule with its hyperparameters.  A value: it prints, compares, is called with a step, and is emitted.

    Attributes:
        definition: the schedule.
        hyperparameters: all of them, in canonical names.
        convention: whose defaults and switches they are.
        sets: what it schedules: ``"lr"``, or the name of a companion such as ``"momentum"``.

    Example:
        >>> from lossopt.schedules import cosine
        >>> schedule = cosine(lr=0.1, T_max=100)
        >>> schedule
        cosine(lr=0.1, T_max=100)
        >>> schedule(0), round(schedule(50), 12), schedule(100)
        (0.1, 0.05, 0.0)
    """

    definition: Schedule
    hyperparameters: Mapping[str, Any]
    convention: str = "torch"
    sets: str = "lr"

    @classmethod
    def make(cls, definition: Schedule, convention: str, hyperparameters: Mapping[str, Any]) -> ScheduleSpec:
        resolved = definition.resolve(hyperparameters, convention)
        if definition.spec_check:
            definition.spec_check(**{n: resolved[n] for n in keywords(definition.spec_check)})
        return cls(definition, resolved, convention)

    @property
    def __name__(self) -> str:
        return self.definition.name if self.sets == "lr" else f"{self.definition.name}.{self.sets}"

    # -- a function of the step
    def __call__(self, step: Any) -> float:
        """The value at a step, as a Python float; step 0 is the first update.

        Raises:
            InputError: the step is not a whole number, or negative.
            ArgumentError: the schedule waits for a metric (reduce_on_plateau).
        """
        return float(self.at(MathOps, _whole_step(self, step)))

    def at(self, ops: Any, step: Any) -> Any:
        """The value at a step in the words of a backend."""
        if self.waits_for_metric:
            raise ArgumentError(
                f"{self.__name__} waits for a metric, so it has no value at a step: state = s.init(); "
                "state = s.update(state, metric); state.lr"
            )
        return self._call(self.definition.text if self.sets == "lr" else self.definition.also[self.sets], ops, step)

    def _call(self, text: Any, *arguments: Any) -> Any:
        return text(*arguments, **{n: self.hyperparameters[n] for n in keywords(text)})

    # -- a transition on a metric
    @property
    def waits_for_metric(self) -> bool:
        """True for a transition (reduce_on_plateau): it has `init` and `update`, and no value at a step."""
        return self.definition.start is not None

    def init(self, ops: Any = MathOps) -> State:
        """The state of a schedule that waits for a metric."""
        self._needs_transition("init")
        return self._call(self.definition.start, ops)

    def update(self, state: State, metric: Any, ops: Any = MathOps) -> State:
        """The next state after a metric; ``state.lr`` is the value."""
        self._needs_transition("update")
        return self._call(self.definition.text, ops, state, metric if ops is not MathOps else float(metric))

    def _needs_transition(self, verb: str) -> None:
        if not self.waits_for_metric:
            raise ArgumentError(f"{self.__name__} has no {verb}: it is a function of the step, schedule(step)")

    # -- others like it
    def with_lr(self, lr: Any) -> ScheduleSpec:
        """The same schedule with another base value."""
        if "lr" not in self.hyperparameters:
            raise ArgumentError(f"{self.definition.name} has no hyperparameter 'lr' to change")
        return replace(self, hyperparameters={**self.hyperparameters, "lr": lr})

    def companions(self) -> dict[str, ScheduleSpec]:
        """Schedules of other hyperparameters that go with this one and are in force: one_cycle's momentum."""
        return {n: replace(self, sets=n) for n in self.definition.also if self.hyperparameters.get(f"cycle_{n}", True)}

    @functools.cached_property
    def momentum(self) -> ScheduleSpec:
        """The momentum that goes with this schedule, for ``momentum=s.momentum`` or ``betas=(s.momentum, 0.999)``."""
        found = self.companions().get("momentum")
        if found is None:
            why = "cycle_momentum is False" if "momentum" in self.definition.also else "only its lr"
            raise ArgumentError(f"{self.definition.name} schedules no momentum: {why}")
        return found

    def __repr__(self) -> str:
        defaults = self.definition.defaults_of(self.convention)
        given = [f"{k}={v!r}" for k, v in self.hyperparameters.items() if v is not defaults[k] and not _same(v, defaults[k])]
        if self.convention != "torch":
            given.append(f"convention={self.convention!r}")
        return f"{self.definition.name}({', '.join(given)})" + ("" if self.sets == "lr" else f".{self.sets}")

    def __hash__(self) -> int:
        return hash((self.definition.name, self.convention, self.sets, tuple(self.hyperparameters)))


def _same(a: Any, b: Any) -> bool:
    """Equality of plain values; a framework's array is never a default."""
    return not hasattr(a, "shape") and bool(a == b)


def _whole_step(spec: ScheduleSpec, step: Any) -> int:
    try:
        real: Any = step if isinstance(step, numbers.Real) else step.item()
        whole = int(real)
        if whole == real and whole >= 0 and not isinstance(step, bool):
            return whole
    except (TypeError, ValueError, AttributeError, OverflowError):  # what no single number is; JAX's tracers raise TypeErrors
        pass
    raise InputError(
        f"{spec.__name__}: a step is a whole number, 0 or more, got {step!r}; for a step that JAX traces, "
        "get_schedule(..., backend='jax')"
    )
