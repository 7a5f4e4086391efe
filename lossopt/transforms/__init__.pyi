# Generated from the definitions by `make stubs`; do not edit.
# pyright: reportIncompatibleMethodOverride=false
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypedDict, Unpack

from lossopt.definition import Transform, Spec

class _Scalar(Protocol):
    """A 0-d array of a framework."""

    @property
    def shape(self) -> Any: ...

_Number = float | Callable[[Any], Any] | _Scalar
"""A number, or where it changes a schedule or an array."""

_accumulate_spellings = TypedDict("_accumulate_spellings", {"every_k_schedule": int, "gradient_accumulation_steps": int, "accumulation_steps": int}, total=False)

class _accumulate(Transform):
    def __call__(self, inner: Spec, /, *, every: int = 4, reduction: Literal["mean", "sum"] = 'mean', convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_accumulate_spellings]) -> Spec:
        """Update once in `every` calls, with the mean (or the sum) of the gradients since the last update."""

accumulate: _accumulate

_adaptive_grad_clip_spellings = TypedDict("_adaptive_grad_clip_spellings", {"epsilon": _Number, "clip_factor": _Number}, total=False)

class _adaptive_grad_clip(Transform):
    def __call__(self, *, clipping: _Number = 0.01, eps: _Number = 0.001, units: Literal["first", "last"] = 'first', convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_adaptive_grad_clip_spellings]) -> Spec:
        """Shrink a unit's gradient where its norm exceeds a fraction of the norm of the unit's weights."""

adaptive_grad_clip: _adaptive_grad_clip

class _add_decayed_weights(Transform):
    def __call__(self, *, weight_decay: _Number = 0.0, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Add a multiple of the parameter to what passes through: an L2 penalty where it stands before an optimizer."""

add_decayed_weights: _add_decayed_weights

_add_noise_spellings = TypedDict("_add_noise_spellings", {"key": int}, total=False)

class _add_noise(Transform):
    def __call__(self, *, eta: _Number = 0.01, gamma: _Number = 0.55, seed: int = 0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_add_noise_spellings]) -> Spec:
        """Add normal noise of a variance that falls as training goes."""

add_noise: _add_noise

class _apply_if_finite(Transform):
    def __call__(self, inner: Spec, /, *, max_consecutive_errors: int | None = None, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Leave parameters and state alone when a gradient holds an infinity or a NaN, and count it."""

apply_if_finite: _apply_if_finite

class _cautious(Transform):
    def __call__(self, inner: Spec, /, *, floor: _Number = 0.001, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Leave out the elements of an update that point against the gradient at hand."""

cautious: _cautious

class _centralize(Transform):
    def __call__(self, *, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Take from each row of a gradient its mean: over every axis but the first."""

centralize: _centralize

class _chain(Transform):
    def __call__(self, *inner: Spec, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Several rules, one after the other: each receives what the one before it returned."""

chain: _chain

_clip_by_block_rms_spellings = TypedDict("_clip_by_block_rms_spellings", {"threshold": _Number, "d": _Number}, total=False)

class _clip_by_block_rms(Transform):
    def __call__(self, *, max_rms: _Number = 1.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_clip_by_block_rms_spellings]) -> Spec:
        """Shrink each parameter's gradient so that its root mean square is at most `max_rms`."""

clip_by_block_rms: _clip_by_block_rms

_clip_by_global_norm_spellings = TypedDict("_clip_by_global_norm_spellings", {"epsilon": _Number}, total=False)

class _clip_by_global_norm(Transform):
    def __call__(self, *, max_norm: _Number = 1.0, eps: _Number = 1e-06, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_clip_by_global_norm_spellings]) -> Spec:
        """Shrink all gradients together so that their common Euclidean norm is at most `max_norm`."""

clip_by_global_norm: _clip_by_global_norm

_clip_by_value_spellings = TypedDict("_clip_by_value_spellings", {"clip_value": _Number, "max_delta": _Number, "clipvalue": _Number}, total=False)

class _clip_by_value(Transform):
    def __call__(self, *, max_value: _Number = 1.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_clip_by_value_spellings]) -> Spec:
        """Bring every element of the gradient into ``[-max_value, max_value]``."""

clip_by_value: _clip_by_value

class _conditionally_transform(Transform):
    def __call__(self, inner: Spec, /, *, first: int = 0, last: int | None = None, every: int = 1, otherwise: Literal["pass", "hold"] = 'pass', convention: Literal["torch", "optax"] = ...) -> Spec:
        """Apply a rule at some steps, and at the others let the gradient pass, or hold the parameters."""

conditionally_transform: _conditionally_transform

class _ema(Transform):
    def __call__(self, inner: Spec, /, *, decay: _Number = 0.999, debias: bool = False, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Keep a moving average of the parameters beside the training, and evaluate the model there."""

ema: _ema

class _freeze(Transform):
    def __call__(self, inner: Spec, /, *, frozen: tuple[str, ...] = (), convention: Literal["torch", "optax"] = ...) -> Spec:
        """Train all parameters but some, which stay as they are."""

freeze: _freeze

_lookahead_spellings = TypedDict("_lookahead_spellings", {"k": int, "sync_period": int, "slow_step_size": _Number}, total=False)

class _lookahead(Transform):
    def __call__(self, inner: Spec, /, *, every: int = 5, alpha: _Number = 0.5, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_lookahead_spellings]) -> Spec:
        """Every few steps, go back part of the way towards where one was."""

lookahead: _lookahead

class _loss_scale(Transform):
    def __call__(self, inner: Spec, /, *, init_scale: float = 65536.0, growth_factor: _Number = 2.0, backoff_factor: _Number = 0.5, growth_interval: int = 2000, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Take the gradients of ``scale * loss``, undo the scale, skip what is not finite, and adapt the scale."""

loss_scale: _loss_scale

_mars_spellings = TypedDict("_mars_spellings", {"b1": _Number, "beta1": _Number}, total=False)

class _mars(Transform):
    def __call__(self, *, beta: _Number = 0.95, gamma: _Number = 0.025, max_norm: _Number | None = 1.0, first_corrected: bool = True, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_mars_spellings]) -> Spec:
        """Correct the gradient by how it changed since the step before, and shrink what is then too long."""

mars: _mars

class _masked(Transform):
    def __call__(self, inner: Spec, /, *, only: tuple[str, ...] = ('*',), convention: Literal["torch", "optax"] = ...) -> Spec:
        """Apply a rule to some parameters; for the others the gradient passes through unchanged."""

masked: _masked

class _maximize(Transform):
    def __call__(self, inner: Spec, /, *, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Let the wrapped rule climb: it sees the gradient with its sign turned."""

maximize: _maximize

_mechanize_spellings = TypedDict("_mechanize_spellings", {"epsilon": _Number, "s_decay": _Number}, total=False)

class _mechanize(Transform):
    def __call__(self, inner: Spec, /, *, weight_decay: _Number = 0.01, eps: _Number = 1e-08, s_init: float = 1e-06, num_betas: int = 6, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_mechanize_spellings]) -> Spec:
        """Learn by what factor to scale the wrapped rule's updates, from how far they led downhill so far."""

mechanize: _mechanize

_normalize_by_update_norm_spellings = TypedDict("_normalize_by_update_norm_spellings", {"epsilon": _Number}, total=False)

class _normalize_by_update_norm(Transform):
    def __call__(self, *, scale_factor: _Number = 1.0, eps: _Number = 1e-06, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_normalize_by_update_norm_spellings]) -> Spec:
        """Scale all gradients together to one norm, whatever theirs is."""

normalize_by_update_norm: _normalize_by_update_norm

class _route(Transform):
    def __call__(self, *inner: Spec, to: tuple[str, ...] = ('matrices', '*'), convention: Literal["torch", "optax"] = ...) -> Spec:
        """Several rules, each for its own parameters: muon for the matrices and adamw for the rest."""

route: _route

_sam_spellings = TypedDict("_sam_spellings", {"epsilon": _Number}, total=False)

class _sam(Transform):
    def __call__(self, inner: Spec, /, *, rho: _Number = 0.05, eps: _Number = 1e-12, adaptive: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_sam_spellings]) -> Spec:
        """Give the wrapped rule the gradient of the worst point near by."""

sam: _sam

_scale_by_trust_ratio_spellings = TypedDict("_scale_by_trust_ratio_spellings", {"epsilon": _Number}, total=False)

class _scale_by_trust_ratio(Transform):
    def __call__(self, *, min_norm: _Number = 0.0, trust_coefficient: _Number = 1.0, eps: _Number = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_scale_by_trust_ratio_spellings]) -> Spec:
        """Scale what passes through to the norm of the parameter: the layerwise step of LARS and LAMB."""

scale_by_trust_ratio: _scale_by_trust_ratio

_schedule_free_spellings = TypedDict("_schedule_free_spellings", {"learning_rate": _Number, "b1": _Number, "momentum": _Number}, total=False)

class _schedule_free(Transform):
    def __call__(self, inner: Spec, /, *, lr: _Number = 1.0, beta: _Number = 0.9, weight_lr_power: _Number = 2.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_schedule_free_spellings]) -> Spec:
        """Let the wrapped rule move a fast sequence z, take gradients between z and its average x, and evaluate at x."""

schedule_free: _schedule_free

class _skip_large_updates(Transform):
    def __call__(self, inner: Spec, /, *, max_squared_norm: _Number = 100.0, max_consecutive_errors: int | None = None, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Leave parameters and state alone when the gradient's squared norm is not below a limit, and count it."""

skip_large_updates: _skip_large_updates

class _swa(Transform):
    def __call__(self, inner: Spec, /, *, first: int = 0, every: int = 1, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Keep the plain mean of the parameters beside the training, and evaluate the model there."""

swa: _swa

class _zero_nans(Transform):
    def __call__(self, *, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Put 0 where a gradient is NaN, and count how many elements were."""

zero_nans: _zero_nans
