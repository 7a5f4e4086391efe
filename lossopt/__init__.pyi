# Generated from the definitions by `make stubs`; do not edit.
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, overload

from lossopt.classes import AdvancedLossOptimizationExamples as AdvancedLossOptimizationExamples
from lossopt.classes import CustomLossOptimizationSchemes as CustomLossOptimizationSchemes
from lossopt.classes import LearningRateSchedulers as LearningRateSchedulers
from lossopt.classes import LossFunctions as LossFunctions
from lossopt.classes import LossOptimizationAnalyzer as LossOptimizationAnalyzer
from lossopt.classes import Optimizers as Optimizers
from lossopt.definition import loss as loss
from lossopt.definition import optimizer as optimizer
from lossopt.definition import schedule as schedule
from lossopt.definition import transform as transform
from lossopt.errors import LossoptError as LossoptError
from lossopt.explain import explain as explain
from lossopt.lint import lint as lint
from lossopt.precision import Precision as Precision
from lossopt.recipes.config import load_recipe as load_recipe
from lossopt.recipes.groups import groups as groups
from lossopt.recipes.recipe import Recipe as Recipe
from lossopt.registry import list_losses as list_losses
from lossopt.registry import list_optimizers as list_optimizers
from lossopt.registry import list_schedules as list_schedules
from lossopt.registry import list_transforms as list_transforms
from lossopt.vector import State as State

class _Scalar(Protocol):
    """A 0-d array of a framework."""

    @property
    def shape(self) -> Any: ...

_Number = float | Callable[[Any], Any] | _Scalar
"""A number, or where it changes a schedule or an array."""

__version__: str
__all__: list[str]

@overload
def get_loss(name: Literal["binary_cross_entropy_with_logits"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., weight: Any = None, pos_weight: Any = None) -> Any:
    """Binary cross-entropy of logits, element by element."""
@overload
def get_loss(name: Literal["contrastive_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., margin: float = 1.0) -> Any:
    """Contrastive loss of pairs: similar pairs together, dissimilar ones at least a margin apart."""
@overload
def get_loss(name: Literal["cosine_embedding_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., margin: float = 0.0) -> Any:
    """Cosine embedding loss: similar pairs to cosine 1, dissimilar ones to at most the margin."""
@overload
def get_loss(name: Literal["cross_entropy"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., weight: Any = None, ignore_index: int | None = -100, label_smoothing: float = 0.0, axis: int = 1) -> Any:
    """Cross-entropy of logits with class labels or class probabilities."""
@overload
def get_loss(name: Literal["dice_ce_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., lambda_dice: float = 1.0, lambda_ce: float = 1.0, smooth: float = 1.0, squared: bool = False, label_smoothing: float = 0.0, axis: int | None = 1) -> Any:
    """Dice and cross-entropy together, one value per sample."""
@overload
def get_loss(name: Literal["dice_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., smooth: float = 1.0, squared: bool = False, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, smooth_on: Literal["sum", "mean"] = 'sum', axis: int | None = 1) -> Any:
    """Soft Dice loss for segmentation, one value per sample: the mean over its classes."""
@overload
def get_loss(name: Literal["focal_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., alpha: float | tuple[float, ...] = 1.0, gamma: float = 2.0, ignore_index: int | None = -100, axis: int = 1) -> Any:
    """Focal loss over several classes: cross-entropy that turns down what is already classified well."""
@overload
def get_loss(name: Literal["huber_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., delta: float = 1.0) -> Any:
    """Huber loss, element by element: squared up to delta, absolute beyond."""
@overload
def get_loss(name: Literal["kl_div"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., log_target: bool = False, axis: int | None = None) -> Any:
    """Kullback-Leibler divergence of predicted log-probabilities from targets."""
@overload
def get_loss(name: Literal["l1_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ...) -> Any:
    """Absolute error, element by element; its mean is the mean absolute error."""
@overload
def get_loss(name: Literal["mse_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ...) -> Any:
    """Squared error, element by element; its mean is the mean squared error."""
@overload
def get_loss(name: Literal["nll_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., weight: Any = None, ignore_index: int | None = -100, axis: int = 1) -> Any:
    """Negative log-likelihood of class labels, given log-probabilities."""
@overload
def get_loss(name: Literal["sigmoid_focal_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., alpha: float | None = 0.25, gamma: float = 2.0) -> Any:
    """Focal loss of independent binary logits, element by element."""
@overload
def get_loss(name: Literal["smooth_l1_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., beta: float = 1.0) -> Any:
    """Smooth L1 loss, element by element: the absolute error with a corner rounded within beta."""
@overload
def get_loss(name: Literal["triplet_margin_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., margin: float = 1.0, p: float = 2.0, eps: float = 1e-06, swap: bool = False, eps_in: Literal["difference", "root"] = 'difference') -> Any:
    """Triplet margin loss: the anchor nearer to the positive than to the negative, by a margin."""
@overload
def get_loss(name: Any, backend: str | None = None, *, convention: str = ..., reduction: str | None = None, **hyperparameters: Any) -> Any: ...

@overload
def get_optimizer(name: Literal["adadelta"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 1.0, rho: _Number = 0.9, eps: _Number = 1e-06, weight_decay: _Number = 0.0, decoupled: bool = False, maximize: bool = False) -> Any:
    """Adadelta: the gradient times the root mean square of past steps over that of past gradients."""
@overload
def get_optimizer(name: Literal["adafactor"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.01, beta2_decay: _Number = -0.8, eps: tuple[_Number | None, _Number] = (None, 0.001), d: _Number = 1.0, weight_decay: _Number = 0.0, eps_added: bool = False, lr_capped: bool = True, decay_times_lr: bool = True, factored_dims: Literal["last", "largest"] = 'last', min_dim_size_to_factor: int = 1, maximize: bool = False) -> Any:
    """Adafactor: adaptive steps with memory for rows and columns only, relative to the parameter's own size."""
@overload
def get_optimizer(name: Literal["adagrad"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.01, lr_decay: _Number = 0.0, weight_decay: _Number = 0.0, initial_accumulator_value: float = 0.0, eps: _Number = 1e-10, eps_inside_root: bool = False, decoupled: bool = False, maximize: bool = False) -> Any:
    """Adagrad: coordinates with small gradients so far take large steps."""
@overload
def get_optimizer(name: Literal["adam"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, decoupled: bool = False, amsgrad: bool = False, amsgrad_max: Literal["raw", "corrected"] = 'raw', eps_hat: bool = False, maximize: bool = False) -> Any:
    """Adam: the step is the mean gradient over the root of the mean squared gradient, both corrected for starting at zero."""
@overload
def get_optimizer(name: Literal["adamw"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.01, decoupled: bool = True, amsgrad: bool = False, amsgrad_max: Literal["raw", "corrected"] = 'raw', eps_hat: bool = False, maximize: bool = False) -> Any:
    """AdamW: Adam whose weight decay acts on the parameter and does not pass through the moments."""
@overload
def get_optimizer(name: Literal["dog"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, reps_rel: float = 1e-06, eps: _Number = 1e-08, weight_decay: _Number = 0.0) -> Any:
    """DoG: gradient descent, the step the farthest distance from the start over the root of the sum of squared gradients."""
@overload
def get_optimizer(name: Literal["lamb"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-06, weight_decay: _Number = 0.0) -> Any:
    """LAMB: large-batch training with one trust ratio for each parameter."""
@overload
def get_optimizer(name: Literal["lbfgs"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, history_size: int = 100, min_curvature: _Number | None = 1e-10, first_norm: Literal[1, 2] = 1) -> Any:
    """L-BFGS: the gradient times an inverse Hessian that the last pairs (s, y) imply.  For losses without noise."""
@overload
def get_optimizer(name: Literal["lion"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.0001, betas: tuple[_Number, _Number] = (0.9, 0.99), weight_decay: _Number = 0.0) -> Any:
    """Lion: every coordinate moves by lr, in the direction that gradient and momentum agree on."""
@overload
def get_optimizer(name: Literal["muon"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, weight_decay: _Number = 0.1, momentum: _Number = 0.95, nesterov: bool = True, ns_steps: int = 5, ns_coefficients: tuple[_Number, _Number, _Number] = (3.4445, -4.775, 2.0315), eps: _Number = 1e-07, adjust_lr_fn: Literal["original", "match_rms_adamw"] | None = None, eps_added: bool = False, bias_corrected: bool = False, input_axis: Literal[0, 1] = 1, ns_dtype: Literal["bfloat16"] | None = None) -> Any:
    """Muon: for matrices, a step whose singular values are all about 1, along the momentum."""
@overload
def get_optimizer(name: Literal["polyak_sgd"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, f_min: _Number = 0.0, max_lr: _Number = 1.0, eps: _Number = 0.0, variant: Literal["sps", "sps+"] = 'sps') -> Any:
    """SGD with Polyak's step size, from the value of the loss and the least value it can have."""
@overload
def get_optimizer(name: Literal["prodigy"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, betas: tuple[_Number, _Number] = (0.9, 0.999), beta3: _Number | None = None, eps: _Number = 1e-08, weight_decay: _Number = 0.0, d0: float = 1e-06, d_coef: _Number = 1.0, safeguard_warmup: bool = False, use_bias_correction: bool = True) -> Any:
    """Prodigy: the distance to the solution, estimated as training goes, takes the place of a learning rate."""
@overload
def get_optimizer(name: Literal["rmsprop"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.01, alpha: _Number = 0.99, eps: _Number = 1e-08, weight_decay: _Number = 0.0, momentum: _Number = 0.0, centered: bool = False, eps_inside_root: bool = False, lr_before_momentum: bool = False, decoupled: bool = False, maximize: bool = False) -> Any:
    """RMSprop: the gradient over the root of its running mean square."""
@overload
def get_optimizer(name: Literal["schedule_free_adamw"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.0025, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, weight_lr_power: _Number = 2.0) -> Any:
    """Schedule-free AdamW: gradients are taken between a fast sequence z and its average x, which is what to evaluate."""
@overload
def get_optimizer(name: Literal["sgd"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.001, momentum: _Number = 0.0, dampening: _Number = 0.0, weight_decay: _Number = 0.0, nesterov: bool = False, decoupled: bool = False, lr_before_momentum: bool = False, maximize: bool = False) -> Any:
    """Stochastic gradient descent: a step down the gradient, or down a decaying sum of gradients."""
@overload
def get_optimizer(name: Literal["add_decayed_weights"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., weight_decay: _Number = 0.0) -> Any:
    """Add a multiple of the parameter to what passes through: an L2 penalty where it stands before an optimizer."""
@overload
def get_optimizer(name: Literal["clip_by_global_norm"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., max_norm: _Number = 1.0, eps: _Number = 1e-06) -> Any:
    """Shrink all gradients together so that their common Euclidean norm is at most `max_norm`."""
@overload
def get_optimizer(name: Literal["clip_by_value"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., max_value: _Number = 1.0) -> Any:
    """Bring every element of the gradient into ``[-max_value, max_value]``."""
@overload
def get_optimizer(name: Any, backend: str, *, convention: str = ..., params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, **hyperparameters: Any) -> Any: ...

@overload
def get_schedule(name: Literal["constant"], backend: str | None = None, *, optimizer: Any = None, convention: Literal["torch", "optax"] = ..., lr: float = 1.0, factor: float = 1.0, total_iters: int = 0) -> Any:
    """A constant value; with factor and total_iters a smaller (or larger) one for the first steps."""
@overload
def get_schedule(name: Literal["cosine"], backend: str | None = None, *, optimizer: Any = None, convention: Literal["torch", "optax"] = ..., lr: float = 1.0, T_max: int, eta_min: float = 0.0, past_end: Literal["climb", "stay"] = 'climb') -> Any:
    """Cosine annealing: half a cosine from lr at step 0 to eta_min at step T_max."""
@overload
def get_schedule(name: Literal["cosine_warm_restarts"], backend: str | None = None, *, optimizer: Any = None, convention: Literal["torch", "optax"] = ..., lr: float = 1.0, T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> Any:
    """Cosine annealing with warm restarts: cycles of half a cosine, the first T_0 steps long, each T_mult times the last."""
@overload
def get_schedule(name: Literal["exponential"], backend: str | None = None, *, optimizer: Any = None, convention: Literal["torch", "optax"] = ..., lr: float = 1.0, gamma: float, step_size: int = 1, staircase: bool = False) -> Any:
    """Exponential decay: the value is multiplied by gamma in the course of every step_size steps."""
@overload
def get_schedule(name: Literal["linear"], backend: str | None = None, *, optimizer: Any = None, convention: Literal["torch", "optax"] = ..., lr: float = 1.0, start_factor: float = 0.3333333333333333, end_factor: float = 1.0, total_iters: int = 5) -> Any:
    """A line from lr * start_factor at step 0 to lr * end_factor at step total_iters: the linear warm-up."""
@overload
def get_schedule(name: Literal["one_cycle"], backend: str | None = None, *, optimizer: Any = None, convention: Literal["torch", "optax"] = ..., lr: float = 1.0, total_steps: int, pct_start: float = 0.3, anneal_strategy: Literal["cos", "linear"] = 'cos', div_factor: float = 25.0, final_div_factor: float = 10000.0, three_phase: bool = False, cycle_momentum: bool = True, base_momentum: float = 0.85, max_momentum: float = 0.95, phase_ends: Literal["fractional", "whole"] = 'fractional') -> Any:
    """One cycle: from lr / div_factor up to the peak lr, then down to a value far below the first."""
@overload
def get_schedule(name: Literal["reduce_on_plateau"], backend: str | None = None, *, optimizer: Any = None, convention: Literal["torch", "optax"] = ..., lr: float = 1.0, mode: Literal["min", "max"] = 'min', factor: float = 0.1, patience: int = 10, threshold: float = 0.0001, threshold_mode: Literal["rel", "abs"] = 'rel', cooldown: int = 0, min_lr: float = 0.0, eps: float = 1e-08, drop_when: Literal["exceeded", "reached"] = 'exceeded') -> Any:
    """Reduce on plateau: multiply lr by factor after more than `patience` metrics in a row that are no improvement."""
@overload
def get_schedule(name: Literal["sequential"], backend: str | None = None, *, optimizer: Any = None, convention: Literal["torch", "optax"] = ..., lr: float = 1.0, schedules: tuple[Any, ...], milestones: tuple[int, ...]) -> Any:
    """Schedules one after the other: each begins at its milestone with its own step 0."""
@overload
def get_schedule(name: Literal["step"], backend: str | None = None, *, optimizer: Any = None, convention: Literal["torch", "optax"] = ..., lr: float = 1.0, step_size: int, gamma: float = 0.1) -> Any:
    """Step decay: the value is multiplied by gamma after every step_size steps."""
@overload
def get_schedule(name: Any, backend: str | None = None, *, convention: str = ..., optimizer: Any = None, **hyperparameters: Any) -> Any: ...
