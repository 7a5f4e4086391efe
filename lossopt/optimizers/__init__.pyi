# Generated from the definitions by `make stubs`; do not edit.
# pyright: reportIncompatibleMethodOverride=false
from collections.abc import Callable
from typing import Any, Literal, Protocol

from lossopt.definition import Optimizer, Spec

class _Scalar(Protocol):
    """A 0-d array of a framework."""

    @property
    def shape(self) -> Any: ...

_Number = float | Callable[[Any], Any] | _Scalar
"""A number, or where it changes a schedule or an array."""

class _adadelta(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, rho: _Number = 0.9, eps: _Number = 1e-06, weight_decay: _Number = 0.0, decoupled: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ...) -> Spec:
        """Adadelta: the gradient times the root mean square of past steps over that of past gradients."""

adadelta: _adadelta

class _adafactor(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, beta2_decay: _Number = -0.8, eps: tuple[_Number | None, _Number] = (None, 0.001), d: _Number = 1.0, weight_decay: _Number = 0.0, eps_added: bool = False, lr_capped: bool = True, decay_times_lr: bool = True, factored_dims: Literal["last", "largest"] = 'last', min_dim_size_to_factor: int = 1, maximize: bool = False, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Adafactor: adaptive steps with memory for rows and columns only, relative to the parameter's own size."""

adafactor: _adafactor

class _adagrad(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, lr_decay: _Number = 0.0, weight_decay: _Number = 0.0, initial_accumulator_value: float = 0.0, eps: _Number = 1e-10, eps_inside_root: bool = False, decoupled: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ...) -> Spec:
        """Adagrad: coordinates with small gradients so far take large steps."""

adagrad: _adagrad

class _adam(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, decoupled: bool = False, amsgrad: bool = False, amsgrad_max: Literal["raw", "corrected"] = 'raw', eps_hat: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ...) -> Spec:
        """Adam: the step is the mean gradient over the root of the mean squared gradient, both corrected for starting at zero."""

adam: _adam

class _adamw(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.01, decoupled: bool = True, amsgrad: bool = False, amsgrad_max: Literal["raw", "corrected"] = 'raw', eps_hat: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ...) -> Spec:
        """AdamW: Adam whose weight decay acts on the parameter and does not pass through the moments."""

adamw: _adamw

class _dog(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, reps_rel: float = 1e-06, eps: _Number = 1e-08, weight_decay: _Number = 0.0, convention: Literal["torch", "optax"] = ...) -> Spec:
        """DoG: gradient descent, the step the farthest distance from the start over the root of the sum of squared gradients."""

dog: _dog

class _lamb(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-06, weight_decay: _Number = 0.0, convention: Literal["torch", "optax"] = ...) -> Spec:
        """LAMB: large-batch training with one trust ratio for each parameter."""

lamb: _lamb

class _lbfgs(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, history_size: int = 100, min_curvature: _Number | None = 1e-10, first_norm: Literal[1, 2] = 1, convention: Literal["torch", "optax"] = ...) -> Spec:
        """L-BFGS: the gradient times an inverse Hessian that the last pairs (s, y) imply.  For losses without noise."""

lbfgs: _lbfgs

class _lion(Optimizer):
    def __call__(self, *, lr: _Number = 0.0001, betas: tuple[_Number, _Number] = (0.9, 0.99), weight_decay: _Number = 0.0, convention: Literal["torch", "optax", "keras"] = ...) -> Spec:
        """Lion: every coordinate moves by lr, in the direction that gradient and momentum agree on."""

lion: _lion

class _muon(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, weight_decay: _Number = 0.1, momentum: _Number = 0.95, nesterov: bool = True, ns_steps: int = 5, ns_coefficients: tuple[_Number, _Number, _Number] = (3.4445, -4.775, 2.0315), eps: _Number = 1e-07, adjust_lr_fn: Literal["original", "match_rms_adamw"] | None = None, eps_added: bool = False, bias_corrected: bool = False, input_axis: Literal[0, 1] = 1, ns_dtype: Literal["bfloat16"] | None = None, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Muon: for matrices, a step whose singular values are all about 1, along the momentum."""

muon: _muon

class _polyak_sgd(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, f_min: _Number = 0.0, max_lr: _Number = 1.0, eps: _Number = 0.0, variant: Literal["sps", "sps+"] = 'sps', convention: Literal["torch", "optax"] = ...) -> Spec:
        """SGD with Polyak's step size, from the value of the loss and the least value it can have."""

polyak_sgd: _polyak_sgd

class _prodigy(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, betas: tuple[_Number, _Number] = (0.9, 0.999), beta3: _Number | None = None, eps: _Number = 1e-08, weight_decay: _Number = 0.0, d0: float = 1e-06, d_coef: _Number = 1.0, safeguard_warmup: bool = False, use_bias_correction: bool = True, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Prodigy: the distance to the solution, estimated as training goes, takes the place of a learning rate."""

prodigy: _prodigy

class _rmsprop(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, alpha: _Number = 0.99, eps: _Number = 1e-08, weight_decay: _Number = 0.0, momentum: _Number = 0.0, centered: bool = False, eps_inside_root: bool = False, lr_before_momentum: bool = False, decoupled: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ...) -> Spec:
        """RMSprop: the gradient over the root of its running mean square."""

rmsprop: _rmsprop

class _schedule_free_adamw(Optimizer):
    def __call__(self, *, lr: _Number = 0.0025, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, weight_lr_power: _Number = 2.0, convention: Literal["torch", "optax"] = ...) -> Spec:
        """Schedule-free AdamW: gradients are taken between a fast sequence z and its average x, which is what to evaluate."""

schedule_free_adamw: _schedule_free_adamw

class _sgd(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, momentum: _Number = 0.0, dampening: _Number = 0.0, weight_decay: _Number = 0.0, nesterov: bool = False, decoupled: bool = False, lr_before_momentum: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ...) -> Spec:
        """Stochastic gradient descent: a step down the gradient, or down a decaying sum of gradients."""

sgd: _sgd
