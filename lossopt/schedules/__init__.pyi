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

_chained_spellings = TypedDict("_chained_spellings", {"learning_rate": float, "schedulers": tuple[Any, ...]}, total=False)

class _chained(Schedule):
    def __call__(self, *, lr: float = 1.0, schedules: tuple[Any, ...], convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_chained_spellings]) -> ScheduleSpec:
        """Schedules at the same time: lr times the product of what each gives from 1."""

chained: _chained

_constant_spellings = TypedDict("_constant_spellings", {"learning_rate": float, "value": float}, total=False)

class _constant(Schedule):
    def __call__(self, *, lr: float = 1.0, factor: float = 1.0, total_iters: int = 0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_constant_spellings]) -> ScheduleSpec:
        """A constant value; with factor and total_iters a smaller (or larger) one for the first steps."""

constant: _constant

_constant_factor_spellings = TypedDict("_constant_factor_spellings", {"learning_rate": float, "value": float}, total=False)

class _constant_factor(Schedule):
    def __call__(self, *, lr: float = 1.0, factor: float = 0.3333333333333333, total_iters: int = 5, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_constant_factor_spellings]) -> ScheduleSpec:
        """A constant factor for the first steps, then the base value: `constant` with PyTorch's defaults."""

constant_factor: _constant_factor

_cosine_spellings = TypedDict("_cosine_spellings", {"learning_rate": float, "initial_learning_rate": float, "init_value": float, "decay_steps": int, "min_lr": float, "min_lr_rate": float | None}, total=False)

class _cosine(Schedule):
    def __call__(self, *, lr: float = 1.0, T_max: int, eta_min: float = 0.0, past_end: Literal["climb", "stay"] = 'climb', alpha: float | None = None, exponent: float = 1.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_cosine_spellings]) -> ScheduleSpec:
        """Cosine annealing: half a cosine from lr at step 0 to eta_min at step T_max."""

cosine: _cosine

_cosine_warm_restarts_spellings = TypedDict("_cosine_warm_restarts_spellings", {"learning_rate": float, "initial_learning_rate": float, "first_decay_steps": int, "t_mul": int}, total=False)

class _cosine_warm_restarts(Schedule):
    def __call__(self, *, lr: float = 1.0, T_0: int, T_mult: int = 1, eta_min: float = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_cosine_warm_restarts_spellings]) -> ScheduleSpec:
        """Cosine annealing with warm restarts: cycles of half a cosine, the first T_0 steps long, each T_mult times the last."""

cosine_warm_restarts: _cosine_warm_restarts

_cyclic_spellings = TypedDict("_cyclic_spellings", {"learning_rate": float, "base_lr": float}, total=False)

class _cyclic(Schedule):
    def __call__(self, *, lr: float = 1.0, max_lr: float, step_size_up: int = 2000, step_size_down: int | None = None, mode: Literal["triangular", "triangular2", "exp_range"] = 'triangular', gamma: float = 1.0, scale_fn: Any | None = None, scale_mode: Literal["cycle", "iterations"] = 'cycle', cycle_momentum: bool = True, base_momentum: float = 0.8, max_momentum: float = 0.9, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_cyclic_spellings]) -> ScheduleSpec:
        """Cyclical learning rate: from lr up to max_lr in step_size_up steps, down in step_size_down, again and again."""

cyclic: _cyclic

_exponential_spellings = TypedDict("_exponential_spellings", {"learning_rate": float, "initial_learning_rate": float, "init_value": float, "transition_steps": int, "decay_steps": int, "decay_rate": float}, total=False)

class _exponential(Schedule):
    def __call__(self, *, lr: float = 1.0, gamma: float, step_size: int = 1, staircase: bool = False, transition_begin: int = 0, end_value: float | None = None, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_exponential_spellings]) -> ScheduleSpec:
        """Exponential decay: the value is multiplied by gamma in the course of every step_size steps."""

exponential: _exponential

_inverse_sqrt_spellings = TypedDict("_inverse_sqrt_spellings", {"learning_rate": float, "peak_value": float, "num_warmup_steps": int, "warmup_updates": int}, total=False)

class _inverse_sqrt(Schedule):
    def __call__(self, *, lr: float = 1.0, warmup_steps: int, timescale: int | None = None, start_factor: float = 0.0, warmup: Literal["linear", "constant"] = 'linear', convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_inverse_sqrt_spellings]) -> ScheduleSpec:
        """The inverse square root of the step, after a warm-up."""

inverse_sqrt: _inverse_sqrt

_lambda__spellings = TypedDict("_lambda__spellings", {"learning_rate": float, "fn": Any}, total=False)

class _lambda_(Schedule):
    def __call__(self, *, lr: float = 1.0, lr_lambda: Any, total_iters: int | None = None, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_lambda__spellings]) -> ScheduleSpec:
        """A function of the step, as a factor of lr."""

lambda_: _lambda_

_linear_spellings = TypedDict("_linear_spellings", {"learning_rate": float, "init_value": float, "end_value": float, "transition_steps": int, "warmup_steps": int, "decay_steps": int}, total=False)

class _linear(Schedule):
    def __call__(self, *, lr: float = 1.0, start_factor: float = 0.3333333333333333, end_factor: float = 1.0, total_iters: int = 5, transition_begin: int = 0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_linear_spellings]) -> ScheduleSpec:
        """A line from lr * start_factor at step 0 to lr * end_factor at step total_iters: the linear warm-up."""

linear: _linear

_multi_step_spellings = TypedDict("_multi_step_spellings", {"learning_rate": float, "init_value": float, "boundaries": tuple[int, ...], "scales": float | tuple[float, ...]}, total=False)

class _multi_step(Schedule):
    def __call__(self, *, lr: float = 1.0, milestones: tuple[int, ...], gamma: float | tuple[float, ...] = 0.1, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_multi_step_spellings]) -> ScheduleSpec:
        """A piecewise constant: the value is multiplied by gamma, or by a factor of its own, at each milestone."""

multi_step: _multi_step

_multiplicative_spellings = TypedDict("_multiplicative_spellings", {"learning_rate": float, "fn": Any}, total=False)

class _multiplicative(Schedule):
    def __call__(self, *, lr: float = 1.0, lr_lambda: Any, total_iters: int | None = None, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_multiplicative_spellings]) -> ScheduleSpec:
        """lr times the product of a function's values at the steps 1, 2, ..., t."""

multiplicative: _multiplicative

_noam_spellings = TypedDict("_noam_spellings", {"learning_rate": float, "factor": float, "model_size": int, "warmup": int}, total=False)

class _noam(Schedule):
    def __call__(self, *, lr: float = 1.0, d_model: int, warmup_steps: int = 4000, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_noam_spellings]) -> ScheduleSpec:
        """The Transformer's schedule: a line up for warmup_steps steps, then the inverse square root of the step."""

noam: _noam

_one_cycle_spellings = TypedDict("_one_cycle_spellings", {"learning_rate": float, "max_lr": float, "peak_value": float, "transition_steps": int}, total=False)

class _one_cycle(Schedule):
    def __call__(self, *, lr: float = 1.0, total_steps: int, pct_start: float = 0.3, anneal_strategy: Literal["cos", "linear"] = 'cos', div_factor: float = 25.0, final_div_factor: float = 10000.0, three_phase: bool = False, cycle_momentum: bool = True, base_momentum: float = 0.85, max_momentum: float = 0.95, phase_ends: Literal["fractional", "whole"] = 'fractional', pct_final: float | None = None, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_one_cycle_spellings]) -> ScheduleSpec:
        """One cycle: from lr / div_factor up to the peak lr, then down to a value far below the first."""

one_cycle: _one_cycle

_piecewise_interpolate_spellings = TypedDict("_piecewise_interpolate_spellings", {"learning_rate": float, "init_value": float, "boundaries": tuple[int, ...], "scales": float | tuple[float, ...], "interpolate_type": Literal["linear", "cosine"]}, total=False)

class _piecewise_interpolate(Schedule):
    def __call__(self, *, lr: float = 1.0, milestones: tuple[int, ...], gamma: float | tuple[float, ...], interpolation: Literal["linear", "cosine"] = 'linear', convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_piecewise_interpolate_spellings]) -> ScheduleSpec:
        """Values joined by lines or half cosines: each milestone's is the one before it times a factor."""

piecewise_interpolate: _piecewise_interpolate

_polynomial_spellings = TypedDict("_polynomial_spellings", {"learning_rate": float, "init_value": float, "initial_learning_rate": float, "end_learning_rate": float, "lr_end": float, "transition_steps": int, "decay_steps": int}, total=False)

class _polynomial(Schedule):
    def __call__(self, *, lr: float = 1.0, total_iters: int = 5, power: float = 1.0, end_value: float = 0.0, transition_begin: int = 0, cycle: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_polynomial_spellings]) -> ScheduleSpec:
        """A power of the time that is left: from lr at step 0 to end_value at step total_iters."""

polynomial: _polynomial

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

_swa_lr_spellings = TypedDict("_swa_lr_spellings", {"learning_rate": float, "end_value": float}, total=False)

class _swa_lr(Schedule):
    def __call__(self, *, lr: float = 1.0, swa_lr: float, anneal_epochs: int = 10, anneal_strategy: Literal["cos", "linear"] = 'cos', convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_swa_lr_spellings]) -> ScheduleSpec:
        """From lr to a constant swa_lr, at which weights are averaged."""

swa_lr: _swa_lr

_warmup_constant_spellings = TypedDict("_warmup_constant_spellings", {"learning_rate": float, "peak_value": float, "num_warmup_steps": int}, total=False)

class _warmup_constant(Schedule):
    def __call__(self, *, lr: float = 1.0, warmup_steps: int, start_factor: float = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_warmup_constant_spellings]) -> ScheduleSpec:
        """A line from lr * start_factor to lr in warmup_steps steps, then lr."""

warmup_constant: _warmup_constant

_warmup_cosine_spellings = TypedDict("_warmup_cosine_spellings", {"learning_rate": float, "peak_value": float, "warmup_target": float, "end_value": float, "min_lr": float, "min_lr_rate": float | None, "num_warmup_steps": int, "num_training_steps": int}, total=False)

class _warmup_cosine(Schedule):
    def __call__(self, *, lr: float = 1.0, warmup_steps: int, decay_steps: int, start_factor: float = 0.0, eta_min: float = 0.0, alpha: float | None = None, exponent: float = 1.0, past_end: Literal["climb", "stay"] = 'climb', includes_warmup: bool = True, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_warmup_cosine_spellings]) -> ScheduleSpec:
        """A line from lr * start_factor up to lr in warmup_steps steps, then half a cosine down to eta_min."""

warmup_cosine: _warmup_cosine

_warmup_exponential_spellings = TypedDict("_warmup_exponential_spellings", {"learning_rate": float, "peak_value": float, "transition_steps": int, "decay_rate": float, "num_warmup_steps": int}, total=False)

class _warmup_exponential(Schedule):
    def __call__(self, *, lr: float = 1.0, warmup_steps: int, gamma: float, step_size: int = 1, start_factor: float = 0.0, staircase: bool = False, transition_begin: int = 0, end_value: float | None = None, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_warmup_exponential_spellings]) -> ScheduleSpec:
        """A line from lr * start_factor up to lr in warmup_steps steps, then exponential decay."""

warmup_exponential: _warmup_exponential

_warmup_linear_spellings = TypedDict("_warmup_linear_spellings", {"learning_rate": float, "peak_value": float, "num_warmup_steps": int, "num_training_steps": int}, total=False)

class _warmup_linear(Schedule):
    def __call__(self, *, lr: float = 1.0, warmup_steps: int, total_steps: int, start_factor: float = 0.0, end_factor: float = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_warmup_linear_spellings]) -> ScheduleSpec:
        """A line from lr * start_factor up to lr in warmup_steps steps, then one down to lr * end_factor at step total_steps."""

warmup_linear: _warmup_linear

_wsd_spellings = TypedDict("_wsd_spellings", {"learning_rate": float, "peak_value": float, "num_warmup_steps": int, "num_stable_steps": int, "num_decay_steps": int, "decay_type": Literal["linear", "cosine", "1-sqrt"], "min_lr_ratio": float}, total=False)

class _wsd(Schedule):
    def __call__(self, *, lr: float = 1.0, warmup_steps: int, stable_steps: int, decay_steps: int, decay_shape: Literal["linear", "cosine", "1-sqrt"] = 'linear', start_factor: float = 0.0, end_factor: float = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_wsd_spellings]) -> ScheduleSpec:
        """Warm-up, stable, decay: a line up to lr, lr for stable_steps steps, then a cool-down to lr * end_factor."""

wsd: _wsd
