# Generated from the definitions by `make stubs`; do not edit.
# pyright: reportIncompatibleMethodOverride=false
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypedDict, Unpack

from lossopt.definition import Optimizer, Spec

class _Scalar(Protocol):
    """A 0-d array of a framework."""

    @property
    def shape(self) -> Any: ...

_Number = float | Callable[[Any], Any] | _Scalar
"""A number, or where it changes a schedule or an array."""

_adadelta_spellings = TypedDict("_adadelta_spellings", {"learning_rate": _Number, "epsilon": _Number}, total=False)

class _adadelta(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, rho: _Number = 0.9, eps: _Number = 1e-06, weight_decay: _Number = 0.0, decoupled: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_adadelta_spellings]) -> Spec:
        """Adadelta: the gradient times the root mean square of past steps over that of past gradients."""

adadelta: _adadelta

_adafactor_spellings = TypedDict("_adafactor_spellings", {"learning_rate": _Number, "epsilon": tuple[_Number | None, _Number], "clipping_threshold": _Number, "weight_decay_rate": _Number}, total=False)

class _adafactor(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, beta2_decay: _Number = -0.8, eps: tuple[_Number | None, _Number] = (None, 0.001), d: _Number = 1.0, weight_decay: _Number = 0.0, eps_added: bool = False, lr_capped: bool = True, decay_times_lr: bool = True, factored_dims: Literal["last", "largest"] = 'last', min_dim_size_to_factor: int = 1, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_adafactor_spellings]) -> Spec:
        """Adafactor: adaptive steps with memory for rows and columns only, relative to the parameter's own size."""

adafactor: _adafactor

_adagrad_spellings = TypedDict("_adagrad_spellings", {"learning_rate": _Number, "epsilon": _Number}, total=False)

class _adagrad(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, lr_decay: _Number = 0.0, weight_decay: _Number = 0.0, initial_accumulator_value: float = 0.0, eps: _Number = 1e-10, eps_inside_root: bool = False, decoupled: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_adagrad_spellings]) -> Spec:
        """Adagrad: coordinates with small gradients so far take large steps."""

adagrad: _adagrad

_adam_spellings = TypedDict("_adam_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "decoupled_weight_decay": bool}, total=False)

class _adam(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, decoupled: bool = False, amsgrad: bool = False, amsgrad_max: Literal["raw", "corrected"] = 'raw', eps_hat: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_adam_spellings]) -> Spec:
        """Adam: the step is the mean gradient over the root of the mean squared gradient, both corrected for starting at zero."""

adam: _adam

_adamw_spellings = TypedDict("_adamw_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "decoupled_weight_decay": bool}, total=False)

class _adamw(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.01, decoupled: bool = True, amsgrad: bool = False, amsgrad_max: Literal["raw", "corrected"] = 'raw', eps_hat: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_adamw_spellings]) -> Spec:
        """AdamW: Adam whose weight decay acts on the parameter and does not pass through the moments."""

adamw: _adamw

_dog_spellings = TypedDict("_dog_spellings", {"learning_rate": _Number, "epsilon": _Number}, total=False)

class _dog(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, reps_rel: float = 1e-06, eps: _Number = 1e-08, weight_decay: _Number = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_dog_spellings]) -> Spec:
        """DoG: gradient descent, the step the farthest distance from the start over the root of the sum of squared gradients."""

dog: _dog

_lamb_spellings = TypedDict("_lamb_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _lamb(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-06, weight_decay: _Number = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_lamb_spellings]) -> Spec:
        """LAMB: large-batch training with one trust ratio for each parameter."""

lamb: _lamb

_lbfgs_spellings = TypedDict("_lbfgs_spellings", {"learning_rate": _Number, "memory_size": int}, total=False)

class _lbfgs(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, history_size: int = 100, min_curvature: _Number | None = 1e-10, first_norm: Literal[1, 2] = 1, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_lbfgs_spellings]) -> Spec:
        """L-BFGS: the gradient times an inverse Hessian that the last pairs (s, y) imply.  For losses without noise."""

lbfgs: _lbfgs

_lion_spellings = TypedDict("_lion_spellings", {"learning_rate": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _lion(Optimizer):
    def __call__(self, *, lr: _Number = 0.0001, betas: tuple[_Number, _Number] = (0.9, 0.99), weight_decay: _Number = 0.0, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_lion_spellings]) -> Spec:
        """Lion: every coordinate moves by lr, in the direction that gradient and momentum agree on."""

lion: _lion

_muon_spellings = TypedDict("_muon_spellings", {"learning_rate": _Number, "epsilon": _Number, "ns_coeffs": tuple[_Number, _Number, _Number], "beta": _Number}, total=False)

class _muon(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, weight_decay: _Number = 0.1, momentum: _Number = 0.95, nesterov: bool = True, ns_steps: int = 5, ns_coefficients: tuple[_Number, _Number, _Number] = (3.4445, -4.775, 2.0315), eps: _Number = 1e-07, adjust_lr_fn: Literal["original", "match_rms_adamw"] | None = None, eps_added: bool = False, bias_corrected: bool = False, input_axis: Literal[0, 1] = 1, ns_dtype: Literal["bfloat16"] | None = None, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_muon_spellings]) -> Spec:
        """Muon: for matrices, a step whose singular values are all about 1, along the momentum."""

muon: _muon

_polyak_sgd_spellings = TypedDict("_polyak_sgd_spellings", {"learning_rate": _Number, "epsilon": _Number, "max_learning_rate": _Number, "scaling": _Number}, total=False)

class _polyak_sgd(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, f_min: _Number = 0.0, max_lr: _Number = 1.0, eps: _Number = 0.0, variant: Literal["sps", "sps+"] = 'sps', convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_polyak_sgd_spellings]) -> Spec:
        """SGD with Polyak's step size, from the value of the loss and the least value it can have."""

polyak_sgd: _polyak_sgd

_prodigy_spellings = TypedDict("_prodigy_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "estim_lr0": float, "estim_lr_coef": _Number}, total=False)

class _prodigy(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, betas: tuple[_Number, _Number] = (0.9, 0.999), beta3: _Number | None = None, eps: _Number = 1e-08, weight_decay: _Number = 0.0, d0: float = 1e-06, d_coef: _Number = 1.0, safeguard_warmup: bool = False, use_bias_correction: bool = True, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_prodigy_spellings]) -> Spec:
        """Prodigy: the distance to the solution, estimated as training goes, takes the place of a learning rate."""

prodigy: _prodigy

_rmsprop_spellings = TypedDict("_rmsprop_spellings", {"learning_rate": _Number, "epsilon": _Number, "decay": _Number, "rho": _Number, "eps_in_sqrt": bool}, total=False)

class _rmsprop(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, alpha: _Number = 0.99, eps: _Number = 1e-08, weight_decay: _Number = 0.0, momentum: _Number = 0.0, centered: bool = False, eps_inside_root: bool = False, lr_before_momentum: bool = False, decoupled: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_rmsprop_spellings]) -> Spec:
        """RMSprop: the gradient over the root of its running mean square."""

rmsprop: _rmsprop

_schedule_free_adamw_spellings = TypedDict("_schedule_free_adamw_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _schedule_free_adamw(Optimizer):
    def __call__(self, *, lr: _Number = 0.0025, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, weight_lr_power: _Number = 2.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_schedule_free_adamw_spellings]) -> Spec:
        """Schedule-free AdamW: gradients are taken between a fast sequence z and its average x, which is what to evaluate."""

schedule_free_adamw: _schedule_free_adamw

_sgd_spellings = TypedDict("_sgd_spellings", {"learning_rate": _Number}, total=False)

class _sgd(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, momentum: _Number = 0.0, dampening: _Number = 0.0, weight_decay: _Number = 0.0, nesterov: bool = False, decoupled: bool = False, lr_before_momentum: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_sgd_spellings]) -> Spec:
        """Stochastic gradient descent: a step down the gradient, or down a decaying sum of gradients."""

sgd: _sgd
