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

_acprop_spellings = TypedDict("_acprop_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _acprop(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-16, eps_root: _Number = 1e-16, weight_decay: _Number = 0.0, centered_on: Literal["new", "old"] = 'new', convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_acprop_spellings]) -> Spec:
        """ACProp: the gradient over the root of its variance, which was estimated without this gradient."""

acprop: _acprop

_adabelief_spellings = TypedDict("_adabelief_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "decoupled_weight_decay": bool, "weight_decouple": bool}, total=False)

class _adabelief(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-16, eps_root: _Number = 1e-16, weight_decay: _Number = 0.0, decoupled: bool = True, nesterov: bool = False, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_adabelief_spellings]) -> Spec:
        """AdaBelief: large steps where the gradient is as its mean foretold, small ones where it is not."""

adabelief: _adabelief

_adadelta_spellings = TypedDict("_adadelta_spellings", {"learning_rate": _Number, "epsilon": _Number}, total=False)

class _adadelta(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, rho: _Number = 0.9, eps: _Number = 1e-06, weight_decay: _Number = 0.0, decoupled: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_adadelta_spellings]) -> Spec:
        """Adadelta: the gradient times the root mean square of past steps over that of past gradients."""

adadelta: _adadelta

_adafactor_spellings = TypedDict("_adafactor_spellings", {"learning_rate": _Number, "epsilon": tuple[_Number | None, _Number], "clipping_threshold": _Number, "clip_threshold": _Number, "weight_decay_rate": _Number, "beta_2_decay": _Number}, total=False)

class _adafactor(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, beta2_decay: _Number = -0.8, eps: tuple[_Number | None, _Number] = (None, 0.001), d: _Number = 1.0, weight_decay: _Number = 0.0, eps_added: bool = False, lr_capped: bool = True, decay_times_lr: bool = True, decay_first: bool = False, factored_dims: Literal["last", "largest"] = 'last', min_dim_size_to_factor: int = 1, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_adafactor_spellings]) -> Spec:
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

_adamax_spellings = TypedDict("_adamax_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "decoupled_weight_decay": bool}, total=False)

class _adamax(Optimizer):
    def __call__(self, *, lr: _Number = 0.002, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, decoupled: bool = False, eps_inside_max: bool = True, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_adamax_spellings]) -> Spec:
        """Adamax: the step is the mean gradient over the largest one, which is forgotten exponentially."""

adamax: _adamax

_adamaxw_spellings = TypedDict("_adamaxw_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "decoupled_weight_decay": bool}, total=False)

class _adamaxw(Optimizer):
    def __call__(self, *, lr: _Number = 0.002, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.01, decoupled: bool = True, eps_inside_max: bool = True, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_adamaxw_spellings]) -> Spec:
        """AdamaxW: Adamax whose weight decay acts on the parameter and does not pass through m and u."""

adamaxw: _adamaxw

_adamw_spellings = TypedDict("_adamw_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "decoupled_weight_decay": bool}, total=False)

class _adamw(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.01, decoupled: bool = True, amsgrad: bool = False, amsgrad_max: Literal["raw", "corrected"] = 'raw', eps_hat: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_adamw_spellings]) -> Spec:
        """AdamW: Adam whose weight decay acts on the parameter and does not pass through the moments."""

adamw: _adamw

_adan_spellings = TypedDict("_adan_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _adan(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number, _Number] = (0.98, 0.92, 0.99), eps: _Number = 1e-08, eps_root: _Number = 0.0, weight_decay: _Number = 0.0, proximal: bool = True, difference_weight: Literal["beta2", "1 - beta2"] = 'beta2', maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_adan_spellings]) -> Spec:
        """Adan: the gradient at the point ahead is foretold from how gradients change."""

adan: _adan

_ademamix_spellings = TypedDict("_ademamix_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "b3": _Number, "beta3": _Number}, total=False)

class _ademamix(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number, _Number] = (0.9, 0.999, 0.9999), alpha: _Number = 5.0, eps: _Number = 1e-08, eps_root: _Number = 0.0, weight_decay: _Number = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_ademamix_spellings]) -> Spec:
        """AdEMAMix: AdamW whose direction mixes a fast average of gradients with a slow one that remembers old ones."""

ademamix: _ademamix

_adopt_spellings = TypedDict("_adopt_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "decouple": bool}, total=False)

class _adopt(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.9999), eps: _Number = 1e-06, weight_decay: _Number = 0.0, decoupled: bool = False, clip_exponent: _Number | None = 0.25, nesterov: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_adopt_spellings]) -> Spec:
        """ADOPT: a mean of gradients, each over the root of the mean squared gradient of the steps before it."""

adopt: _adopt

_amsgrad_spellings = TypedDict("_amsgrad_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "decoupled_weight_decay": bool}, total=False)

class _amsgrad(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, decoupled: bool = False, amsgrad: bool = True, amsgrad_max: Literal["raw", "corrected"] = 'raw', eps_hat: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_amsgrad_spellings]) -> Spec:
        """AMSGrad: Adam that divides by the largest second moment so far, so that its rate never grows."""

amsgrad: _amsgrad

_asgd_spellings = TypedDict("_asgd_spellings", {"learning_rate": _Number}, total=False)

class _asgd(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, lambd: _Number = 0.0001, alpha: _Number = 0.75, t0: _Number = 1000000.0, weight_decay: _Number = 0.0, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_asgd_spellings]) -> Spec:
        """Averaged stochastic gradient descent: the steps shrink slowly, and from t0 on their points are averaged."""

asgd: _asgd

_cocob_spellings = TypedDict("_cocob_spellings", {"learning_rate": _Number, "epsilon": float}, total=False)

class _cocob(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, alpha: _Number = 100.0, eps: float = 1e-08, weight_decay: _Number = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_cocob_spellings]) -> Spec:
        """COCOB: each coordinate bets a part of what it has won so far on the sign of its next gradient."""

cocob: _cocob

_dadapt_adamw_spellings = TypedDict("_dadapt_adamw_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "estim_lr0": float}, total=False)

class _dadapt_adamw(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, d0: float = 1e-06, use_bias_correction: bool = True, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_dadapt_adamw_spellings]) -> Spec:
        """D-Adapted AdamW: a lower bound on the distance to the solution, which grows as training goes, scales AdamW's step."""

dadapt_adamw: _dadapt_adamw

_dog_spellings = TypedDict("_dog_spellings", {"learning_rate": _Number, "epsilon": _Number}, total=False)

class _dog(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, reps_rel: float = 1e-06, eps: _Number = 1e-08, weight_decay: _Number = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_dog_spellings]) -> Spec:
        """DoG: gradient descent, the step the farthest distance from the start over the root of the sum of squared gradients."""

dog: _dog

_dowg_spellings = TypedDict("_dowg_spellings", {"learning_rate": _Number, "epsilon": float, "init_estim_sq_dist": float | None}, total=False)

class _dowg(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, sq_distance0: float | None = None, eps: float = 0.0001, weight_decay: _Number = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_dowg_spellings]) -> Spec:
        """DoWG: gradient descent, the step the squared farthest distance over the root of gradients weighted by it."""

dowg: _dowg

_dpsgd_spellings = TypedDict("_dpsgd_spellings", {"learning_rate": _Number, "epsilon": _Number, "l2_norm_clip": _Number, "key": int}, total=False)

class _dpsgd(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, max_grad_norm: _Number = 1.0, noise_multiplier: _Number = 1.0, momentum: _Number = 0.0, nesterov: bool = False, eps: _Number = 1e-06, expected_batch_size: int | None = None, seed: int = 0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_dpsgd_spellings]) -> Spec:
        """Differentially private SGD: the gradient of each example is clipped, their sum gets noise as large as one of them."""

dpsgd: _dpsgd

_fromage_spellings = TypedDict("_fromage_spellings", {"learning_rate": _Number}, total=False)

class _fromage(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, min_norm: _Number = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_fromage_spellings]) -> Spec:
        """Fromage: Frobenius-matched gradient descent, which needs little tuning of its learning rate."""

fromage: _fromage

_galore_spellings = TypedDict("_galore_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _galore(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, rank: int = 128, update_proj_gap: int = 200, scale: _Number = 0.25, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-06, weight_decay: _Number = 0.0, eps_hat: bool = True, project: Literal["shorter", "longer"] = 'shorter', maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_galore_spellings]) -> Spec:
        """GaLore: for a matrix, Adam on the gradient's components along its leading singular vectors."""

galore: _galore

_lamb_spellings = TypedDict("_lamb_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _lamb(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-06, weight_decay: _Number = 0.0, decay_first: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_lamb_spellings]) -> Spec:
        """LAMB: large-batch training with one trust ratio for each parameter."""

lamb: _lamb

_lars_spellings = TypedDict("_lars_spellings", {"learning_rate": _Number, "epsilon": _Number}, total=False)

class _lars(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, momentum: _Number = 0.9, weight_decay: _Number = 0.0, trust_coefficient: _Number = 0.001, eps: _Number = 0.0, nesterov: bool = False, norms_apart: bool = True, lr_before_momentum: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_lars_spellings]) -> Spec:
        """LARS: SGD for large batches, with one trust ratio for each parameter."""

lars: _lars

_lbfgs_spellings = TypedDict("_lbfgs_spellings", {"learning_rate": _Number, "memory_size": int, "line_search_fn": Literal["strong_wolfe"] | None}, total=False)

class _lbfgs(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, history_size: int = 100, min_curvature: _Number | None = 1e-10, first_norm: Literal[1, 2] = 1, line_search: Literal["strong_wolfe"] | None = None, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_lbfgs_spellings]) -> Spec:
        """L-BFGS: the gradient times an inverse Hessian that the last pairs (s, y) imply.  For losses without noise."""

lbfgs: _lbfgs

_lion_spellings = TypedDict("_lion_spellings", {"learning_rate": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _lion(Optimizer):
    def __call__(self, *, lr: _Number = 0.0001, betas: tuple[_Number, _Number] = (0.9, 0.99), weight_decay: _Number = 0.0, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_lion_spellings]) -> Spec:
        """Lion: every coordinate moves by lr, in the direction that gradient and momentum agree on."""

lion: _lion

_madgrad_spellings = TypedDict("_madgrad_spellings", {"learning_rate": _Number, "epsilon": _Number}, total=False)

class _madgrad(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, momentum: _Number = 0.9, weight_decay: _Number = 0.0, eps: _Number = 1e-06, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_madgrad_spellings]) -> Spec:
        """MADGRAD: from the start along a weighted sum of all gradients, over the cube root of that of their squares."""

madgrad: _madgrad

_momo_spellings = TypedDict("_momo_spellings", {"learning_rate": _Number, "lb": float, "use_fstar": bool}, total=False)

class _momo(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, beta: _Number = 0.9, lower_bound: float = 0.0, weight_decay: _Number = 0.0, adapt_lower_bound: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_momo_spellings]) -> Spec:
        """MoMo: along the mean gradient, as far as the mean of the loss's linear models must still fall, and at most lr."""

momo: _momo

_momo_adam_spellings = TypedDict("_momo_adam_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "lb": float, "use_fstar": bool}, total=False)

class _momo_adam(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, lower_bound: float = 0.0, weight_decay: _Number = 0.0, adapt_lower_bound: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_momo_adam_spellings]) -> Spec:
        """MoMo-Adam: Adam's direction, as far as the mean of the loss's linear models must still fall, and at most Adam's step."""

momo_adam: _momo_adam

_muon_spellings = TypedDict("_muon_spellings", {"learning_rate": _Number, "epsilon": _Number, "ns_coeffs": tuple[_Number, _Number, _Number], "beta": _Number}, total=False)

class _muon(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, weight_decay: _Number = 0.1, momentum: _Number = 0.95, nesterov: bool = True, ns_steps: int = 5, ns_coefficients: tuple[_Number, _Number, _Number] = (3.4445, -4.775, 2.0315), eps: _Number = 1e-07, adjust_lr_fn: Literal["original", "match_rms_adamw"] | None = None, eps_added: bool = False, bias_corrected: bool = False, summed: bool = False, input_axis: Literal[0, 1] = 1, ns_dtype: Literal["bfloat16"] | None = None, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_muon_spellings]) -> Spec:
        """Muon: for matrices, a step whose singular values are all about 1, along the momentum."""

muon: _muon

_nadam_spellings = TypedDict("_nadam_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "decoupled_weight_decay": bool}, total=False)

class _nadam(Optimizer):
    def __call__(self, *, lr: _Number = 0.002, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, momentum_decay: _Number | None = 0.004, eps_root: _Number = 0.0, decoupled: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_nadam_spellings]) -> Spec:
        """NAdam: Adam that steps along the momentum of the step to come."""

nadam: _nadam

_nadamw_spellings = TypedDict("_nadamw_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "decoupled_weight_decay": bool}, total=False)

class _nadamw(Optimizer):
    def __call__(self, *, lr: _Number = 0.002, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.01, momentum_decay: _Number | None = 0.004, eps_root: _Number = 0.0, decoupled: bool = True, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_nadamw_spellings]) -> Spec:
        """NAdamW: NAdam whose weight decay acts on the parameter and does not pass through the moments."""

nadamw: _nadamw

_noisy_sgd_spellings = TypedDict("_noisy_sgd_spellings", {"learning_rate": _Number, "key": int}, total=False)

class _noisy_sgd(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, eta: _Number = 0.01, gamma: _Number = 0.55, seed: int = 0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_noisy_sgd_spellings]) -> Spec:
        """Gradient descent on a gradient with normal noise of a variance that falls as training goes."""

noisy_sgd: _noisy_sgd

_novograd_spellings = TypedDict("_novograd_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _novograd(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.95, 0.98), eps: _Number = 1e-08, eps_root: _Number = 0.0, weight_decay: _Number = 0.0, grad_averaging: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_novograd_spellings]) -> Spec:
        """NovoGrad: gradients of norm about 1 for each parameter, then momentum; half the memory of Adam."""

novograd: _novograd

_optimistic_adam_spellings = TypedDict("_optimistic_adam_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _optimistic_adam(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, eps_root: _Number = 0.0, nesterov: bool = True, alpha: _Number = 1.0, beta: _Number = 1.0, optimism: _Number | None = None, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_optimistic_adam_spellings]) -> Spec:
        """Optimistic Adam: for generative adversarial networks and other min-max problems, which Adam circles around."""

optimistic_adam: _optimistic_adam

_optimistic_adam_v2_spellings = TypedDict("_optimistic_adam_v2_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _optimistic_adam_v2(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, eps_root: _Number = 0.0, nesterov: bool = True, alpha: _Number = 1.0, beta: _Number = 1.0, optimism: _Number | None = None, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_optimistic_adam_v2_spellings]) -> Spec:
        """Optimistic Adam under the name of optax's second interface, where lr may be a schedule: here it always may."""

optimistic_adam_v2: _optimistic_adam_v2

_optimistic_gradient_descent_spellings = TypedDict("_optimistic_gradient_descent_spellings", {"learning_rate": _Number}, total=False)

class _optimistic_gradient_descent(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, alpha: _Number = 1.0, beta: _Number = 1.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_optimistic_gradient_descent_spellings]) -> Spec:
        """Optimistic gradient descent: converges on min-max problems that plain gradient descent circles around."""

optimistic_gradient_descent: _optimistic_gradient_descent

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

_psgd_kron_spellings = TypedDict("_psgd_kron_spellings", {"learning_rate": _Number, "b1": _Number, "preconditioner_lr": _Number}, total=False)

class _psgd_kron(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, momentum: _Number = 0.9, weight_decay: _Number = 0.0, precond_lr: _Number = 0.1, precond_init_scale: float = 1.0, update_probability: tuple[_Number, _Number, _Number, int] = (1.0, 0.03, 0.001, 500), max_size_triangular: int = 8192, min_ndim_triangular: int = 2, memory_save_mode: Literal["one_diag", "smart_one_diag", "all_diag"] | None = None, momentum_into_precond_update: bool = True, balance_every: int = 100, seed: int = 0, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_psgd_kron_spellings]) -> Spec:
        """PSGD Kron: momentum times Q^T Q, with Q a Kronecker product of triangular matrices that is learned to make it white."""

psgd_kron: _psgd_kron

_radam_spellings = TypedDict("_radam_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "decoupled_weight_decay": bool}, total=False)

class _radam(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, decoupled: bool = False, eps_hat: bool = True, eps_root: _Number = 0.0, threshold: _Number = 5.0, at_threshold: bool = False, nesterov: bool = False, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_radam_spellings]) -> Spec:
        """RAdam: momentum alone while few gradients have been seen, then Adam with a step that grows as its variance falls."""

radam: _radam

_rmsprop_spellings = TypedDict("_rmsprop_spellings", {"learning_rate": _Number, "epsilon": _Number, "decay": _Number, "rho": _Number, "eps_in_sqrt": bool}, total=False)

class _rmsprop(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, alpha: _Number = 0.99, eps: _Number = 1e-08, weight_decay: _Number = 0.0, momentum: _Number = 0.0, centered: bool = False, eps_inside_root: bool = False, lr_before_momentum: bool = False, decoupled: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_rmsprop_spellings]) -> Spec:
        """RMSprop: the gradient over the root of its running mean square."""

rmsprop: _rmsprop

_rprop_spellings = TypedDict("_rprop_spellings", {"learning_rate": _Number, "eta_minus": _Number, "eta_plus": _Number, "min_step_size": _Number, "max_step_size": _Number}, total=False)

class _rprop(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, etas: tuple[_Number, _Number] = (0.5, 1.2), step_sizes: tuple[_Number, _Number] = (1e-06, 50.0), bound_always: bool = True, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_rprop_spellings]) -> Spec:
        """Rprop: coordinates that keep their sign speed up, those that change it slow down and wait a step.  For full batches."""

rprop: _rprop

_schedule_free_adamw_spellings = TypedDict("_schedule_free_adamw_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _schedule_free_adamw(Optimizer):
    def __call__(self, *, lr: _Number = 0.0025, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, weight_lr_power: _Number = 2.0, decay_first: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_schedule_free_adamw_spellings]) -> Spec:
        """Schedule-free AdamW: gradients are taken between a fast sequence z and its average x, which is what to evaluate."""

schedule_free_adamw: _schedule_free_adamw

_schedule_free_sgd_spellings = TypedDict("_schedule_free_sgd_spellings", {"learning_rate": _Number, "b1": _Number}, total=False)

class _schedule_free_sgd(Optimizer):
    def __call__(self, *, lr: _Number = 1.0, momentum: _Number = 0.9, weight_decay: _Number = 0.0, weight_lr_power: _Number = 2.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_schedule_free_sgd_spellings]) -> Spec:
        """Schedule-free SGD: gradients are taken between a fast sequence z and its average x, which is what to evaluate."""

schedule_free_sgd: _schedule_free_sgd

_sgd_spellings = TypedDict("_sgd_spellings", {"learning_rate": _Number}, total=False)

class _sgd(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, momentum: _Number = 0.0, dampening: _Number = 0.0, weight_decay: _Number = 0.0, nesterov: bool = False, decoupled: bool = False, lr_before_momentum: bool = False, maximize: bool = False, convention: Literal["torch", "optax", "keras"] = ..., **spellings: Unpack[_sgd_spellings]) -> Spec:
        """Stochastic gradient descent: a step down the gradient, or down a decaying sum of gradients."""

sgd: _sgd

_shampoo_spellings = TypedDict("_shampoo_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "inv_root_override": int | None, "inverse_exponent_override": int | None, "preconditioning_compute_steps": int, "preconditioner_update_steps": int}, total=False)

class _shampoo(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, betas: tuple[_Number, _Number] = (0.9, 1.0), eps: _Number = 1e-06, weight_decay: _Number = 0.0, decoupled: bool = True, max_preconditioner_dim: int = 1024, precondition_frequency: int = 1, start_preconditioning_step: int = 1, exponent_override: int | None = None, use_bias_correction: bool = True, grafting: Literal["sgd", "adagrad", "adam"] | None = None, grafting_beta2: _Number = 0.999, grafting_eps: _Number = 1e-08, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_shampoo_spellings]) -> Spec:
        """Shampoo: the gradient times an inverse root of the second moments along each of its axes."""

shampoo: _shampoo

_sign_sgd_spellings = TypedDict("_sign_sgd_spellings", {"learning_rate": _Number, "beta": _Number}, total=False)

class _sign_sgd(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, momentum: _Number = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_sign_sgd_spellings]) -> Spec:
        """signSGD: the sign of the gradient, or of its moving average, times lr."""

sign_sgd: _sign_sgd

_signum_spellings = TypedDict("_signum_spellings", {"learning_rate": _Number, "beta": _Number}, total=False)

class _signum(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, momentum: _Number = 0.9, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_signum_spellings]) -> Spec:
        """Signum: signSGD of the moving average of the gradient."""

signum: _signum

_simplified_ademamix_spellings = TypedDict("_simplified_ademamix_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _simplified_ademamix(Optimizer):
    def __call__(self, *, lr: _Number = 0.0001, betas: tuple[_Number, _Number] = (0.99, 0.95), alpha: _Number = 0.0, eps: _Number = 1e-08, eps_root: _Number = 0.0, weight_decay: _Number = 0.0, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_simplified_ademamix_spellings]) -> Spec:
        """Simplified AdEMAMix: a decaying sum of gradients plus a multiple of the newest, over the root mean squared gradient."""

simplified_ademamix: _simplified_ademamix

_sm3_spellings = TypedDict("_sm3_spellings", {"learning_rate": _Number, "epsilon": _Number}, total=False)

class _sm3(Optimizer):
    def __call__(self, *, lr: _Number = 0.1, momentum: float = 0.0, eps: _Number = 1e-30, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_sm3_spellings]) -> Spec:
        """SM3: the sum of squared gradients of an element is bounded by those of its row and its column."""

sm3: _sm3

_soap_spellings = TypedDict("_soap_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "precond_frequency": int, "max_precond_dim": int, "normalize_grads": bool}, total=False)

class _soap(Optimizer):
    def __call__(self, *, lr: _Number = 0.003, betas: tuple[_Number, _Number] = (0.95, 0.95), shampoo_beta: _Number | None = None, eps: _Number = 1e-08, weight_decay: _Number = 0.01, precondition_frequency: int = 10, max_precondition_dim: int = 10000, merge_dims: bool = False, precondition_1d: bool = False, normalize: bool = False, correct_bias: bool = True, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_soap_spellings]) -> Spec:
        """SOAP: Adam on the gradient as it looks in the eigenvectors of its second moments along each axis."""

soap: _soap

_sophia_spellings = TypedDict("_sophia_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "update_period": int, "rho": _Number | None}, total=False)

class _sophia(Optimizer):
    def __call__(self, *, lr: _Number = 0.0001, betas: tuple[_Number, _Number] = (0.96, 0.99), eps: _Number = 1e-12, weight_decay: _Number = 0.2, gamma: _Number = 0.01, clip_threshold: _Number | None = 1.0, update_interval: int = 10, bias_corrected: bool = False, delayed: bool = False, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_sophia_spellings]) -> Spec:
        """Sophia: a mean gradient over a mean of the Hessian's diagonal, no coordinate of which moves far."""

sophia: _sophia

_sparse_adam_spellings = TypedDict("_sparse_adam_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _sparse_adam(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_sparse_adam_spellings]) -> Spec:
        """SparseAdam, or lazy Adam: a row (an embedding's vector) and its moments change only when it has a gradient."""

sparse_adam: _sparse_adam

_stable_adamw_spellings = TypedDict("_stable_adamw_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number}, total=False)

class _stable_adamw(Optimizer):
    def __call__(self, *, lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.99), eps: _Number = 1e-06, weight_decay: _Number = 0.01, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_stable_adamw_spellings]) -> Spec:
        """StableAdamW: AdamW with Adafactor's update clipping, in place of clipping the gradient."""

stable_adamw: _stable_adamw

_yogi_spellings = TypedDict("_yogi_spellings", {"learning_rate": _Number, "epsilon": _Number, "b1": _Number, "b2": _Number, "beta1": _Number, "beta2": _Number, "beta_1": _Number, "beta_2": _Number, "decoupled_weight_decay": bool, "initial_accumulator": float}, total=False)

class _yogi(Optimizer):
    def __call__(self, *, lr: _Number = 0.01, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 0.001, initial_accumulator_value: float = 1e-06, weight_decay: _Number = 0.0, decoupled: bool = False, bias_correction: bool = True, maximize: bool = False, convention: Literal["torch", "optax"] = ..., **spellings: Unpack[_yogi_spellings]) -> Spec:
        """Yogi: the second moment grows and falls by at most ``(1 - betas[1]) * g**2``, so that the rate cannot jump up."""

yogi: _yogi
