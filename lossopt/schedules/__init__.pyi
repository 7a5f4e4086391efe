# Generated from the definitions by `make stubs`; do not edit.
# pyright: reportIncompatibleMethodOverride=false
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypedDict, Unpack

from lossopt.definition import Schedule
from lossopt.schedules.spec import ScheduleSpec

class _Scalar(Protocol):
    """A 0-d array of a framework."""

    @property
    def shape(self) -> Any: ...

_Number = float | Callable[[Any], Any] | _Scalar
"""A number, or where it changes a schedule or an array."""

_constant_spellings = TypedDict("_constant_spellings", {"learning_rate": float, "value": float}, total=False)

class _constant(Schedule):
    def __call__(self, *, lr: float = 1.0, factor: float = 1.0, total_iters: int = 0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_constant_spellings]) -> ScheduleSpec:
        """A constant value; with factor and total_iters a smaller (or larger) one for the first steps."""

constant: _constant

_cosine_spellings = TypedDict("_cosine_spellings", {"learning_rate": float, "initial_learning_rate": float, "init_value": float, "decay_steps": int}, total=False)

class _cosine(Schedule):
    def __call__(self, *, lr: float = 1.0, T_max: int, eta_min: float = 0.0, past_end: Literal["climb", "stay"] = 'climb', convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_cosine_spellings]) -> ScheduleSpec:
        """Cosine annealing: half a cosine from lr at step 0 to eta_min at step T_max."""

cosine: _cosine

_cosine_warm_restarts_spellings = TypedDict("_cosine_warm_restarts_spellings", {"learning_rate": float, "initial_learning_rate": float, "first_decay_steps": int, "t_mul": int}, total=False)

class _cosine_warm_restarts(Schedule):
    def __call__(self, *, lr: float = 1.0, T_0: int, T_mult: int = 1, eta_min: float = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_cosine_warm_restarts_spellings]) -> ScheduleSpec:
        """Cosine annealing with warm restarts: cycles of half a cosine, the first T_0 steps long, each T_mult times the last."""

cosine_warm_restarts: _cosine_warm_restarts

_exponential_spellings = TypedDict("_exponential_spellings", {"learning_rate": float, "initial_learning_rate": float, "init_value": float, "transition_steps": int, "decay_steps": int, "decay_rate": float}, total=False)

class _exponential(Schedule):
    def __call__(self, *, lr: float = 1.0, gamma: float, step_size: int = 1, staircase: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_exponential_spellings]) -> ScheduleSpec:
        """Exponential decay: the value is multiplied by gamma in the course of every step_size steps."""

exponential: _exponential

_linear_spellings = TypedDict("_linear_spellings", {"learning_rate": float, "init_value": float, "end_value": float, "transition_steps": int, "warmup_steps": int, "decay_steps": int}, total=False)

class _linear(Schedule):
    def __call__(self, *, lr: float = 1.0, start_factor: float = 0.3333333333333333, end_factor: float = 1.0, total_iters: int = 5, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_linear_spellings]) -> ScheduleSpec:
        """A line from lr * start_factor at step 0 to lr * end_factor at step total_iters: the linear warm-up."""

linear: _linear

_one_cycle_spellings = TypedDict("_one_cycle_spellings", {"learning_rate": float, "max_lr": float, "peak_value": float, "transition_steps": int}, total=False)

class _one_cycle(Schedule):
    def __call__(self, *, lr: float = 1.0, total_steps: int, pct_start: float = 0.3, anneal_strategy: Literal["cos", "linear"] = 'cos', div_factor: float = 25.0, final_div_factor: float = 10000.0, three_phase: bool = False, cycle_momentum: bool = True, base_momentum: float = 0.85, max_momentum: float = 0.95, phase_ends: Literal["fractional", "whole"] = 'fractional', convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_one_cycle_spellings]) -> ScheduleSpec:
        """One cycle: from lr / div_factor up to the peak lr, then down to a value far below the first."""

one_cycle: _one_cycle

_reduce_on_plateau_spellings = TypedDict("_reduce_on_plateau_spellings", {"learning_rate": float, "epsilon": float, "rtol": float}, total=False)

class _reduce_on_plateau(Schedule):
    def __call__(self, *, lr: float = 1.0, mode: Literal["min", "max"] = 'min', factor: float = 0.1, patience: int = 10, threshold: float = 0.0001, threshold_mode: Literal["rel", "abs"] = 'rel', cooldown: int = 0, min_lr: float = 0.0, eps: float = 1e-08, drop_when: Literal["exceeded", "reached"] = 'exceeded', convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_reduce_on_plateau_spellings]) -> ScheduleSpec:
        """Reduce on plateau: multiply lr by factor after more than `patience` metrics in a row that are no improvement."""

reduce_on_plateau: _reduce_on_plateau

_sequential_spellings = TypedDict("_sequential_spellings", {"learning_rate": float, "schedulers": tuple[Any, ...], "boundaries": tuple[int, ...]}, total=False)

class _sequential(Schedule):
    def __call__(self, *, lr: float = 1.0, schedules: tuple[Any, ...], milestones: tuple[int, ...], convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_sequential_spellings]) -> ScheduleSpec:
        """Schedules one after the other: each begins at its milestone with its own step 0."""

sequential: _sequential

_step_spellings = TypedDict("_step_spellings", {"learning_rate": float, "initial_learning_rate": float, "init_value": float, "transition_steps": int, "decay_steps": int, "decay_rate": float}, total=False)

class _step(Schedule):
    def __call__(self, *, lr: float = 1.0, step_size: int, gamma: float = 0.1, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_step_spellings]) -> ScheduleSpec:
        """Step decay: the value is multiplied by gamma after every step_size steps."""

step: _step
