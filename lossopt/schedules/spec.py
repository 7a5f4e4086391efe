"""A schedule with its hyperparameters: a plain function of the step, and what each backend emits."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lossopt.definition import Schedule
from lossopt.vector import State


class MathOps:
    """The words of a schedule on Python floats: float64, no framework."""

    pi = math.pi
    sqrt, cos, log = staticmethod(math.sqrt), staticmethod(math.cos), staticmethod(math.log)
    minimum, maximum = staticmethod(min), staticmethod(max)

    @staticmethod
    def floor(x: float) -> float:
        return float(math.floor(x))

    @staticmethod
    def power(base: float, exponent: float) -> float:
        return base**exponent

    @staticmethod
    def where(condition: Any, x: float, y: float) -> float:
        return x if condition else y


@dataclass(frozen=True)
class ScheduleSpec:
    """A schedule with its hyperparameters.

    >>> from lossopt.schedules import cosine
    >>> schedule = cosine(lr=0.1, T_max=100)
    >>> schedule(0), schedule(50)
    (0.1, 0.05)
    """

    definition: Schedule
    hyperparameters: Mapping[str, Any]
    convention: str = "torch"
    sets: str = "lr"

    @classmethod
    def make(cls, definition: Schedule, convention: str, hyperparameters: Mapping[str, Any]) -> ScheduleSpec:
        return cls(definition, definition.resolve(hyperparameters, convention), convention)

    @property
    def __name__(self) -> str:
        return self.definition.name if self.sets == "lr" else f"{self.definition.name}.{self.sets}"

    @property
    def waits_for_metric(self) -> bool:
        """True for a transition (reduce_on_plateau): it has `init` and `update`, and no value at a step."""
        return self.definition.start is not None

    def at(self, ops: Any, step: Any) -> Any:
        """The value at a step in the words of a backend."""
        text = self.definition.text if self.sets == "lr" else self.definition.also[self.sets]
        wanted = {k: v for k, v in self.hyperparameters.items()}
        return text(ops, step, **wanted)

    def __call__(self, step: Any) -> float:
        """The value at a step, as a Python float; step 0 is the first update."""
        if self.waits_for_metric:
            raise TypeError(f"{self.__name__} waits for a metric: state = s.init(); state = s.update(state, metric); state.lr")
        return float(self.at(MathOps, step))

    def with_lr(self, lr: float) -> ScheduleSpec:
        """The same schedule with another base value."""
        return replace(self, hyperparameters={**self.hyperparameters, "lr": lr})

    def companions(self) -> dict[str, ScheduleSpec]:
        """Schedules of other hyperparameters that go with this one: one_cycle's momentum."""
        return {name: replace(self, sets=name) for name in self.definition.also}

    def init(self, ops: Any = MathOps) -> State:
        """The state of a schedule that waits for a metric."""
        assert self.definition.start is not None
        return self.definition.start(ops, **self.hyperparameters)

    def update(self, state: State, metric: Any, ops: Any = MathOps) -> State:
        """The next state after a metric; ``state.lr`` is the value."""
        return self.definition.text(ops, state, metric, **self.hyperparameters)

    @functools.cached_property
    def momentum(self) -> ScheduleSpec:
        """The momentum that goes with this schedule."""
        return self.companions()["momentum"]

    def __repr__(self) -> str:
        defaults = self.definition.defaults_of(self.convention)
        given = [f"{k}={v!r}" for k, v in self.hyperparameters.items() if v != defaults[k]]
        if self.convention != "torch":
            given.append(f"convention={self.convention!r}")
        return f"{self.definition.name}({', '.join(given)})" + ("" if self.sets == "lr" else f".{self.sets}")
