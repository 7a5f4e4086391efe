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

class _add_decayed_weights(Transform):
    def __call__(self, *, weight_decay: _Number = 0.0, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Add a multiple of the parameter to what passes through: an L2 penalty where it stands before an optimizer."""

add_decayed_weights: _add_decayed_weights

class _apply_if_finite(Transform):
    def __call__(self, inner: Spec, /, *, max_consecutive_errors: int | None = None, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Leave parameters and state alone when a gradient holds an infinity or a NaN, and count it."""

apply_if_finite: _apply_if_finite

class _cautious(Transform):
    def __call__(self, inner: Spec, /, *, floor: _Number = 0.001, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Leave out the elements of an update that point against the gradient at hand."""

cautious: _cautious

class _chain(Transform):
    def __call__(self, *inner: Spec, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Several rules, one after the other: each receives what the one before it returned."""

chain: _chain

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

class _ema(Transform):
    def __call__(self, inner: Spec, /, *, decay: _Number = 0.999, debias: bool = False, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Keep a moving average of the parameters beside the training, and evaluate the model there."""

ema: _ema

_lookahead_spellings = TypedDict("_lookahead_spellings", {"k": int, "sync_period": int, "slow_step_size": _Number}, total=False)

class _lookahead(Transform):
    def __call__(self, inner: Spec, /, *, every: int = 5, alpha: _Number = 0.5, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_lookahead_spellings]) -> Spec:
        """Every few steps, go back part of the way towards where one was."""

lookahead: _lookahead

class _loss_scale(Transform):
    def __call__(self, inner: Spec, /, *, init_scale: float = 65536.0, growth_factor: _Number = 2.0, backoff_factor: _Number = 0.5, growth_interval: int = 2000, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Take the gradients of ``scale * loss``, undo the scale, skip what is not finite, and adapt the scale."""

loss_scale: _loss_scale

class _maximize(Transform):
    def __call__(self, inner: Spec, /, *, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Let the wrapped rule climb: it sees the gradient with its sign turned."""

maximize: _maximize

class _route(Transform):
    def __call__(self, *inner: Spec, to: tuple[str, ...] = ('matrices', '*'), convention: Literal["torch", "optax"] = ...) -> Spec:
        """Several rules, each for its own parameters: muon for the matrices and adamw for the rest."""

route: _route

_sam_spellings = TypedDict("_sam_spellings", {"epsilon": _Number}, total=False)

class _sam(Transform):
    def __call__(self, inner: Spec, /, *, rho: _Number = 0.05, eps: _Number = 1e-12, adaptive: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_sam_spellings]) -> Spec:
        """Give the wrapped rule the gradient of the worst point near by."""

sam: _sam
