"""Schedules as traceable functions of the step, and as pure transitions on a metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

import lossopt_jax.trees  # noqa: F401  (the state of a plateau is a tree)
from lossopt.errors import ArgumentError
from lossopt.schedules.spec import ScheduleSpec
from lossopt.vector import State
from lossopt_jax.steps import ScheduleWords, Steps


def emit(spec: ScheduleSpec, *, optimizer: Any = None, sets: str = "lr") -> TraceableSchedule | PlateauSchedule:
    """The schedule for JAX: a function of the count, or for a schedule that waits for a metric a pair of pure functions."""
    if sets != "lr":
        raise ArgumentError(
            f"a JAX schedule sets nothing, it is a function of the count: get_optimizer(..., 'jax', {sets}=schedule), without sets"
        )
    if optimizer is not None:
        raise ArgumentError(
            "a JAX schedule is a function of the count and takes no optimizer: "
            "get_optimizer(..., 'jax', lr=schedule), or learning_rate=schedule in optax"
        )
    return PlateauSchedule(spec) if spec.waits_for_metric else TraceableSchedule(spec)


def traceable(spec: ScheduleSpec, dtype: Any) -> Callable[[Any], Any]:
    """The schedule as a function of a traced count, in one floating dtype."""
    words = ScheduleWords(dtype)

    def at(count: Any) -> jax.Array:
        count = jnp.asarray(count)
        whole = jnp.issubdtype(count.dtype, jnp.integer)
        value = spec.at(words, Steps(count.astype(jnp.int32), 1, dtype) if whole else count.astype(dtype))
        return jnp.asarray(value.real if isinstance(value, Steps) else value, dtype)

    return at


class TraceableSchedule:
    """``schedule(count)``: the value at a count, traced or not; optax takes it as a learning rate.

    The value is float32, or float64 where JAX computes in it.  Count 0 is the first update.
    """

    def __init__(self, spec: ScheduleSpec) -> None:
        self.spec = spec

    def __call__(self, count: Any) -> jax.Array:
        """The value at a count."""
        return traceable(self.spec, jnp.result_type(float))(count)

    @property
    def momentum(self) -> TraceableSchedule:
        """The momentum that goes with this schedule (one_cycle)."""
        return TraceableSchedule(self.spec.momentum)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TraceableSchedule) and self.spec == other.spec

    def __hash__(self) -> int:
        return hash(self.spec)

    def __repr__(self) -> str:
        return f"jax schedule {self.spec!r}"


class PlateauSchedule:
    """``state = s.init()``; ``state = s.update(state, metric)``; ``state.lr``: pure, and the state is a tree.

    ``opt_state.hyperparams["learning_rate"] = state.lr`` hands it to an optimizer without a recompilation.
    """

    def __init__(self, spec: ScheduleSpec) -> None:
        self.spec = spec

    def init(self) -> State:
        """The state before the first metric."""
        words = ScheduleWords(jnp.result_type(float))
        return State(**{name: jnp.asarray(slot, _dtype_of(slot, words.dtype)) for name, slot in self.spec.init(words).items()})

    def update(self, state: State, metric: Any) -> State:
        """The state after a metric."""
        words = ScheduleWords(state.lr.dtype)
        new = self.spec.update(state, jnp.asarray(metric, words.dtype), words)
        return State(**{name: jnp.asarray(slot, getattr(state, name).dtype) for name, slot in new.items()})

    def __call__(self, count: Any) -> Any:
        return self.spec.at(None, count)  # raises: there is no value at a count

    def __repr__(self) -> str:
        return f"jax schedule {self.spec!r}"


def _dtype_of(slot: Any, floating: Any) -> Any:
    return jnp.int32 if isinstance(slot, int) else floating
