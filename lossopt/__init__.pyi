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
from lossopt.identify import identify as identify
from lossopt.lint import lint as lint
from lossopt.port_check import port_check as port_check
from lossopt.precision import Precision as Precision
from lossopt.recipes.config import load_recipe as load_recipe
from lossopt.recipes.groups import groups as groups
from lossopt.recipes.recipe import Recipe as Recipe
from lossopt.recipes.rules import layer_decay as layer_decay
from lossopt.recipes.rules import no_decay as no_decay
from lossopt.recording.folder import read_recording as read_recording
from lossopt.recording.record import record as record
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
def get_loss(name: Literal["arcface_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., scale: float = 64.0, margin: float = 0.5, margin_on: Literal["angle", "cosine"] = 'angle', easy_margin: bool = False, eps: float = 1e-12) -> Any:
    """ArcFace: cross-entropy of cosines to class centers, with a margin added to the angle of the label's."""
@overload
def get_loss(name: Literal["binary_cross_entropy"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., weight: Any = None, clip: float | None = None) -> Any:
    """Binary cross-entropy of probabilities, element by element."""
@overload
def get_loss(name: Literal["binary_cross_entropy_with_logits"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., weight: Any = None, pos_weight: Any = None) -> Any:
    """Binary cross-entropy of logits, element by element."""
@overload
def get_loss(name: Literal["binary_dice_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., smooth: float = 1.0, squared: bool = False, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, smooth_on: Literal["sum", "mean"] = 'sum', smooth_in: Literal["both", "denominator"] = 'both', batch: bool = False, axis: int | None = None) -> Any:
    """Soft Dice loss of binary masks, one value per sample."""
@overload
def get_loss(name: Literal["clip_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., temperature: _Number = 0.07, logit_scale: _Number | None = None, symmetric: bool = True, normalize: bool = True, eps: float = 1e-12) -> Any:
    """CLIP's loss: each image to find its text among all texts of the batch, and each text its image, one value per pair."""
@overload
def get_loss(name: Literal["contrastive_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., margin: float = 1.0) -> Any:
    """Contrastive loss of pairs: similar pairs together, dissimilar ones at least a margin apart."""
@overload
def get_loss(name: Literal["cosface_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., scale: float = 64.0, margin: float = 0.35, margin_on: Literal["angle", "cosine"] = 'cosine', easy_margin: bool = False, eps: float = 1e-12) -> Any:
    """CosFace: cross-entropy of cosines to class centers, with a margin taken from the label's."""
@overload
def get_loss(name: Literal["cosine_distance"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., axis: int | None = -1, eps: float = 1e-08, eps_on: Literal["norm", "squared"] = 'norm', where: Any = None) -> Any:
    """Cosine distance of pairs of vectors: 0 where they point the same way, 2 where they are opposite."""
@overload
def get_loss(name: Literal["cosine_embedding_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., margin: float = 0.0) -> Any:
    """Cosine embedding loss: similar pairs to cosine 1, dissimilar ones to at most the margin."""
@overload
def get_loss(name: Literal["cosine_similarity"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., axis: int | None = 1, eps: float = 1e-08, eps_on: Literal["norm", "squared"] = 'norm', negate: bool = False, where: Any = None) -> Any:
    """Cosine similarity of pairs of vectors: 1 where they point the same way, -1 where they are opposite."""
@overload
def get_loss(name: Literal["cross_entropy"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., weight: Any = None, ignore_index: int | None = -100, label_smoothing: float = 0.0, axis: int = 1) -> Any:
    """Cross-entropy of logits with class labels or class probabilities."""
@overload
def get_loss(name: Literal["ctc_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., blank: int = 0, zero_infinity: bool = False, log_epsilon: float | None = None, lengths_are: Literal["lengths", "paddings"] = 'lengths', time_major: bool = True, mean_per_label: bool = True) -> Any:
    """Connectionist temporal classification: label sequences without an alignment to the frames."""
@overload
def get_loss(name: Literal["dice_ce_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., lambda_dice: float = 1.0, lambda_ce: float = 1.0, smooth: float = 1.0, squared: bool = False, label_smoothing: float = 0.0, axis: int | None = 1) -> Any:
    """Dice and cross-entropy together, one value per sample."""
@overload
def get_loss(name: Literal["dice_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., smooth: float = 1.0, squared: bool = False, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, smooth_on: Literal["sum", "mean"] = 'sum', smooth_in: Literal["both", "denominator"] = 'both', batch: bool = False, axis: int | None = 1) -> Any:
    """Soft Dice loss for segmentation, one value per sample: the mean over its classes."""
@overload
def get_loss(name: Literal["distillation_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., temperature: float = 2.0, alpha: float = 0.5, ignore_index: int | None = -100, axis: int = 1) -> Any:
    """Knowledge distillation: cross-entropy with the labels, and divergence from a teacher at a temperature."""
@overload
def get_loss(name: Literal["dpo_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., beta: float = 0.1, loss_type: Literal["sigmoid", "hinge", "ipo", "robust", "exo_pair", "nca_pair", "apo_zero", "apo_down", "sppo_hard"] = 'sigmoid', label_smoothing: float = 0.0, reference_free: bool = False) -> Any:
    """Direct preference optimization: the policy against a reference on pairs of a chosen and a rejected answer."""
@overload
def get_loss(name: Literal["focal_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., alpha: float | tuple[float, ...] = 1.0, gamma: float = 2.0, ignore_index: int | None = -100, axis: int = 1) -> Any:
    """Focal loss over several classes: cross-entropy that turns down what is already classified well."""
@overload
def get_loss(name: Literal["focal_tversky_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., alpha: float = 0.3, beta: float = 0.7, gamma: float = 1.3333333333333333, alpha_on: Literal["false_positives", "false_negatives"] = 'false_positives', smooth: float = 1.0, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, batch: bool = False, axis: int | None = 1) -> Any:
    """Focal Tversky loss for segmentation, one value per sample: the mean over its classes."""
@overload
def get_loss(name: Literal["gaussian_nll_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., full: bool = False, eps: float = 1e-06) -> Any:
    """Negative log-likelihood under a normal distribution whose mean and variance are predicted, element by element."""
@overload
def get_loss(name: Literal["generalized_kl_divergence"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., axis: int | None = None, where: Any = None) -> Any:
    """Generalized Kullback-Leibler divergence: of densities that need not sum to 1."""
@overload
def get_loss(name: Literal["hinge_embedding_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., margin: float = 1.0) -> Any:
    """Hinge embedding loss of distances, element by element: similar pairs to 0, others beyond a margin."""
@overload
def get_loss(name: Literal["hinge_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., zero_is_negative: bool = False) -> Any:
    """Hinge loss of scores and signs, element by element."""
@overload
def get_loss(name: Literal["huber_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., delta: float = 1.0, weight: Any = None) -> Any:
    """Huber loss, element by element: squared up to delta, absolute beyond."""
@overload
def get_loss(name: Literal["info_nce_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., temperature: _Number = 0.07, logit_scale: _Number | None = None, symmetric: bool = False, normalize: bool = True, eps: float = 1e-12) -> Any:
    """InfoNCE: each query to find its own key among all keys of the batch, one value per query."""
@overload
def get_loss(name: Literal["jsd_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., beta: float = 0.5, axis: int | None = None) -> Any:
    """Generalized Jensen-Shannon divergence of predicted log-probabilities from targets."""
@overload
def get_loss(name: Literal["kl_div"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., log_target: bool = False, axis: int | None = None, where: Any = None) -> Any:
    """Kullback-Leibler divergence of predicted log-probabilities from targets."""
@overload
def get_loss(name: Literal["kl_divergence_with_log_targets"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., log_target: bool = True, axis: int | None = None, where: Any = None) -> Any:
    """Kullback-Leibler divergence of predicted log-probabilities from targets that are logarithms too: kl_div(log_target=True)."""
@overload
def get_loss(name: Literal["l1_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., weight: Any = None) -> Any:
    """Absolute error, element by element; its mean is the mean absolute error."""
@overload
def get_loss(name: Literal["l2_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ...) -> Any:
    """Half the squared error, element by element: its derivative is the error."""
@overload
def get_loss(name: Literal["linear_cross_entropy"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., linear_bias: Any = None, weight: Any = None, ignore_index: int | None = -100, label_smoothing: float = 0.0, chunk_size: int | None = None) -> Any:
    """Cross-entropy of a linear projection, which need not hold all its logits at once."""
@overload
def get_loss(name: Literal["log_cosh_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ...) -> Any:
    """Logarithm of the hyperbolic cosine of the error, element by element: a smooth absolute error."""
@overload
def get_loss(name: Literal["make_fenchel_young_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., max_fun: Literal["logsumexp", "max"] | Any = 'logsumexp') -> Any:
    """The Fenchel-Young loss of a smooth maximum: ``make_fenchel_young_loss(max_fun)`` is a loss."""
@overload
def get_loss(name: Literal["margin_ranking_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., margin: float = 0.0) -> Any:
    """Margin loss of pairs of scores, element by element: the one that ranks higher above the other, by a margin."""
@overload
def get_loss(name: Literal["mse_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., weight: Any = None) -> Any:
    """Squared error, element by element; its mean is the mean squared error."""
@overload
def get_loss(name: Literal["multi_margin_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., p: Literal[1, 2] = 1, margin: float = 1.0, weight: Any = None, axis: int = 1) -> Any:
    """Margin loss of a label against every other class, summed over the classes and divided by their number."""
@overload
def get_loss(name: Literal["multiclass_generalized_dice_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., smooth: float = 1.0, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', ignore_background: bool = False, eps: float = 1e-07, axis: int = 1) -> Any:
    """Generalized Dice loss for segmentation, one value per sample: the weighted mean over its classes."""
@overload
def get_loss(name: Literal["multiclass_hinge_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., rival_at_least_zero: bool = False, axis: int = 1) -> Any:
    """Hinge loss over several classes: a label against its strongest rival."""
@overload
def get_loss(name: Literal["multiclass_perceptron_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., axis: int = 1) -> Any:
    """Perceptron loss over several classes: how far the best score is above the label's."""
@overload
def get_loss(name: Literal["multiclass_sparsemax_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., axis: int = 1) -> Any:
    """Sparsemax loss over several classes: 0 as soon as the label's score is 1 above every other."""
@overload
def get_loss(name: Literal["multilabel_margin_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ...) -> Any:
    """Margin loss of a sample's labels against the classes that are none of them, divided by the number of classes."""
@overload
def get_loss(name: Literal["multilabel_soft_margin_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., weight: Any = None) -> Any:
    """Binary cross-entropy of several labels: the mean over a sample's classes."""
@overload
def get_loss(name: Literal["nll_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., weight: Any = None, ignore_index: int | None = -100, axis: int = 1) -> Any:
    """Negative log-likelihood of class labels, given log-probabilities."""
@overload
def get_loss(name: Literal["ntxent_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., temperature: float = 0.07, eps: float = 1e-08) -> Any:
    """NT-Xent: samples of one label together, away from those of other labels, one value per sample."""
@overload
def get_loss(name: Literal["perceptron_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ...) -> Any:
    """Perceptron loss of scores and signs, element by element: the hinge loss without its margin."""
@overload
def get_loss(name: Literal["poisson_nll_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., log_input: bool = True, full: bool = False, eps: float = 1e-08) -> Any:
    """Negative log-likelihood of counts under a Poisson distribution, element by element."""
@overload
def get_loss(name: Literal["poly_loss_cross_entropy"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., epsilon: float = 2.0, where: Any = None, axis: int = 1) -> Any:
    """PolyLoss: cross-entropy with epsilon more on the first term of its expansion in powers of 1 - p."""
@overload
def get_loss(name: Literal["quantile_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., quantile: float = 0.5) -> Any:
    """Quantile (pinball) loss, element by element: least where x is that quantile of t."""
@overload
def get_loss(name: Literal["ranking_softmax_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., where: Any = None, weight: Any = None) -> Any:
    """Softmax loss of a ranked list, one value per list: the items of high relevance to the top."""
@overload
def get_loss(name: Literal["safe_softmax_cross_entropy"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., axis: int = 1) -> Any:
    """Cross-entropy of logits and class probabilities in which a class of probability 0 may have the logit -inf."""
@overload
def get_loss(name: Literal["siglip_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., logit_scale: _Number = 10.0, logit_bias: _Number = -10.0, normalize: bool = True, eps: float = 1e-12) -> Any:
    """SigLIP: of every image and every text, whether they belong together, one value per image."""
@overload
def get_loss(name: Literal["sigmoid_focal_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., alpha: float | None = 0.25, gamma: float = 2.0) -> Any:
    """Focal loss of independent binary logits, element by element."""
@overload
def get_loss(name: Literal["smooth_l1_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., beta: float = 1.0) -> Any:
    """Smooth L1 loss, element by element: the absolute error with a corner rounded within beta."""
@overload
def get_loss(name: Literal["soft_margin_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ...) -> Any:
    """Logistic loss of scores and signs, element by element."""
@overload
def get_loss(name: Literal["sparsemax_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ...) -> Any:
    """Sparsemax loss of one binary score, element by element: a logistic loss that reaches 0."""
@overload
def get_loss(name: Literal["supcon_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., temperature: float = 0.07, base_temperature: float = 0.07, normalize: bool = True, eps: float = 1e-12) -> Any:
    """Supervised contrastive loss, one value per sample: L_out of the paper, its equation 2."""
@overload
def get_loss(name: Literal["triplet_margin_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., margin: float = 1.0, p: float = 2.0, eps: float = 1e-06, swap: bool = False, eps_in: Literal["difference", "root"] = 'difference') -> Any:
    """Triplet margin loss: the anchor nearer to the positive than to the negative, by a margin."""
@overload
def get_loss(name: Literal["triplet_margin_with_distance_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., distance_function: Any | None = None, margin: float = 1.0, swap: bool = False) -> Any:
    """Triplet margin loss with a distance of one's own: the anchor nearer to the positive than to the negative, by a margin."""
@overload
def get_loss(name: Literal["tversky_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax", "keras"] = ..., alpha: float = 0.3, beta: float = 0.7, alpha_on: Literal["false_positives", "false_negatives"] = 'false_positives', smooth: float = 1.0, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, smooth_in: Literal["both", "denominator"] = 'both', batch: bool = False, axis: int | None = 1) -> Any:
    """Tversky loss for segmentation, one value per sample: the mean over its classes."""
@overload
def get_loss(name: Literal["z_loss"], backend: str | None = None, *, reduction: str | None = None, convention: Literal["torch", "optax"] = ..., ignore_index: int | None = -100, axis: int = 1) -> Any:
    """The z-loss: the squared logarithm of the softmax's normaliser, which keeps logits from drifting."""
@overload
def get_loss(name: Any, backend: str | None = None, *, convention: str = ..., reduction: str | None = None, **hyperparameters: Any) -> Any: ...

@overload
def get_optimizer(name: Literal["acprop"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-16, eps_root: _Number = 1e-16, weight_decay: _Number = 0.0, centered_on: Literal["new", "old"] = 'new') -> Any:
    """ACProp: the gradient over the root of its variance, which was estimated without this gradient."""
@overload
def get_optimizer(name: Literal["adabelief"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-16, eps_root: _Number = 1e-16, weight_decay: _Number = 0.0, decoupled: bool = True, nesterov: bool = False, maximize: bool = False) -> Any:
    """AdaBelief: large steps where the gradient is as its mean foretold, small ones where it is not."""
@overload
def get_optimizer(name: Literal["adadelta"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 1.0, rho: _Number = 0.9, eps: _Number = 1e-06, weight_decay: _Number = 0.0, decoupled: bool = False, maximize: bool = False) -> Any:
    """Adadelta: the gradient times the root mean square of past steps over that of past gradients."""
@overload
def get_optimizer(name: Literal["adafactor"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.01, beta2_decay: _Number = -0.8, eps: tuple[_Number | None, _Number] = (None, 0.001), d: _Number = 1.0, weight_decay: _Number = 0.0, eps_added: bool = False, lr_capped: bool = True, decay_times_lr: bool = True, decay_first: bool = False, factored_dims: Literal["last", "largest"] = 'last', min_dim_size_to_factor: int = 1, maximize: bool = False) -> Any:
    """Adafactor: adaptive steps with memory for rows and columns only, relative to the parameter's own size."""
@overload
def get_optimizer(name: Literal["adagrad"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.01, lr_decay: _Number = 0.0, weight_decay: _Number = 0.0, initial_accumulator_value: float = 0.0, eps: _Number = 1e-10, eps_inside_root: bool = False, decoupled: bool = False, maximize: bool = False) -> Any:
    """Adagrad: coordinates with small gradients so far take large steps."""
@overload
def get_optimizer(name: Literal["adam"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, decoupled: bool = False, amsgrad: bool = False, amsgrad_max: Literal["raw", "corrected"] = 'raw', eps_hat: bool = False, maximize: bool = False) -> Any:
    """Adam: the step is the mean gradient over the root of the mean squared gradient, both corrected for starting at zero."""
@overload
def get_optimizer(name: Literal["adamax"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.002, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, decoupled: bool = False, eps_inside_max: bool = True, maximize: bool = False) -> Any:
    """Adamax: the step is the mean gradient over the largest one, which is forgotten exponentially."""
@overload
def get_optimizer(name: Literal["adamaxw"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.002, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.01, decoupled: bool = True, eps_inside_max: bool = True, maximize: bool = False) -> Any:
    """AdamaxW: Adamax whose weight decay acts on the parameter and does not pass through m and u."""
@overload
def get_optimizer(name: Literal["adamw"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.01, decoupled: bool = True, amsgrad: bool = False, amsgrad_max: Literal["raw", "corrected"] = 'raw', eps_hat: bool = False, maximize: bool = False) -> Any:
    """AdamW: Adam whose weight decay acts on the parameter and does not pass through the moments."""
@overload
def get_optimizer(name: Literal["adan"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number, _Number] = (0.98, 0.92, 0.99), eps: _Number = 1e-08, eps_root: _Number = 0.0, weight_decay: _Number = 0.0, proximal: bool = True, difference_weight: Literal["beta2", "1 - beta2"] = 'beta2', maximize: bool = False) -> Any:
    """Adan: the gradient at the point ahead is foretold from how gradients change."""
@overload
def get_optimizer(name: Literal["ademamix"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number, _Number] = (0.9, 0.999, 0.9999), alpha: _Number = 5.0, eps: _Number = 1e-08, eps_root: _Number = 0.0, weight_decay: _Number = 0.0) -> Any:
    """AdEMAMix: AdamW whose direction mixes a fast average of gradients with a slow one that remembers old ones."""
@overload
def get_optimizer(name: Literal["adopt"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.9999), eps: _Number = 1e-06, weight_decay: _Number = 0.0, decoupled: bool = False, clip_exponent: _Number | None = 0.25, nesterov: bool = False) -> Any:
    """ADOPT: a mean of gradients, each over the root of the mean squared gradient of the steps before it."""
@overload
def get_optimizer(name: Literal["amsgrad"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, decoupled: bool = False, amsgrad: bool = True, amsgrad_max: Literal["raw", "corrected"] = 'raw', eps_hat: bool = False, maximize: bool = False) -> Any:
    """AMSGrad: Adam that divides by the largest second moment so far, so that its rate never grows."""
@overload
def get_optimizer(name: Literal["asgd"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.01, lambd: _Number = 0.0001, alpha: _Number = 0.75, t0: _Number = 1000000.0, weight_decay: _Number = 0.0, maximize: bool = False) -> Any:
    """Averaged stochastic gradient descent: the steps shrink slowly, and from t0 on their points are averaged."""
@overload
def get_optimizer(name: Literal["cocob"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, alpha: _Number = 100.0, eps: float = 1e-08, weight_decay: _Number = 0.0) -> Any:
    """COCOB: each coordinate bets a part of what it has won so far on the sign of its next gradient."""
@overload
def get_optimizer(name: Literal["dadapt_adamw"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, d0: float = 1e-06, use_bias_correction: bool = True) -> Any:
    """D-Adapted AdamW: a lower bound on the distance to the solution, which grows as training goes, scales AdamW's step."""
@overload
def get_optimizer(name: Literal["dog"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, reps_rel: float = 1e-06, eps: _Number = 1e-08, weight_decay: _Number = 0.0) -> Any:
    """DoG: gradient descent, the step the farthest distance from the start over the root of the sum of squared gradients."""
@overload
def get_optimizer(name: Literal["dowg"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, sq_distance0: float | None = None, eps: float = 0.0001, weight_decay: _Number = 0.0) -> Any:
    """DoWG: gradient descent, the step the squared farthest distance over the root of gradients weighted by it."""
@overload
def get_optimizer(name: Literal["dpsgd"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, max_grad_norm: _Number = 1.0, noise_multiplier: _Number = 1.0, momentum: _Number = 0.0, nesterov: bool = False, eps: _Number = 1e-06, expected_batch_size: int | None = None, seed: int = 0) -> Any:
    """Differentially private SGD: the gradient of each example is clipped, their sum gets noise as large as one of them."""
@overload
def get_optimizer(name: Literal["fromage"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.01, min_norm: _Number = 0.0) -> Any:
    """Fromage: Frobenius-matched gradient descent, which needs little tuning of its learning rate."""
@overload
def get_optimizer(name: Literal["galore"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, rank: int = 128, update_proj_gap: int = 200, scale: _Number = 0.25, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-06, weight_decay: _Number = 0.0, eps_hat: bool = True, project: Literal["shorter", "longer"] = 'shorter', maximize: bool = False) -> Any:
    """GaLore: for a matrix, Adam on the gradient's components along its leading singular vectors."""
@overload
def get_optimizer(name: Literal["lamb"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-06, weight_decay: _Number = 0.0, decay_first: bool = False) -> Any:
    """LAMB: large-batch training with one trust ratio for each parameter."""
@overload
def get_optimizer(name: Literal["lars"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, momentum: _Number = 0.9, weight_decay: _Number = 0.0, trust_coefficient: _Number = 0.001, eps: _Number = 0.0, nesterov: bool = False, norms_apart: bool = True, lr_before_momentum: bool = False) -> Any:
    """LARS: SGD for large batches, with one trust ratio for each parameter."""
@overload
def get_optimizer(name: Literal["lbfgs"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, history_size: int = 100, min_curvature: _Number | None = 1e-10, first_norm: Literal[1, 2] = 1, line_search: Literal["strong_wolfe"] | None = None) -> Any:
    """L-BFGS: the gradient times an inverse Hessian that the last pairs (s, y) imply.  For losses without noise."""
@overload
def get_optimizer(name: Literal["lion"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.0001, betas: tuple[_Number, _Number] = (0.9, 0.99), weight_decay: _Number = 0.0) -> Any:
    """Lion: every coordinate moves by lr, in the direction that gradient and momentum agree on."""
@overload
def get_optimizer(name: Literal["madgrad"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.01, momentum: _Number = 0.9, weight_decay: _Number = 0.0, eps: _Number = 1e-06) -> Any:
    """MADGRAD: from the start along a weighted sum of all gradients, over the cube root of that of their squares."""
@overload
def get_optimizer(name: Literal["momo"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, beta: _Number = 0.9, lower_bound: float = 0.0, weight_decay: _Number = 0.0, adapt_lower_bound: bool = False) -> Any:
    """MoMo: along the mean gradient, as far as the mean of the loss's linear models must still fall, and at most lr."""
@overload
def get_optimizer(name: Literal["momo_adam"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.01, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, lower_bound: float = 0.0, weight_decay: _Number = 0.0, adapt_lower_bound: bool = False) -> Any:
    """MoMo-Adam: Adam's direction, as far as the mean of the loss's linear models must still fall, and at most Adam's step."""
@overload
def get_optimizer(name: Literal["muon"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.001, weight_decay: _Number = 0.1, momentum: _Number = 0.95, nesterov: bool = True, ns_steps: int = 5, ns_coefficients: tuple[_Number, _Number, _Number] = (3.4445, -4.775, 2.0315), eps: _Number = 1e-07, adjust_lr_fn: Literal["original", "match_rms_adamw"] | None = None, eps_added: bool = False, bias_corrected: bool = False, summed: bool = False, input_axis: Literal[0, 1] = 1, ns_dtype: Literal["bfloat16"] | None = None) -> Any:
    """Muon: for matrices, a step whose singular values are all about 1, along the momentum."""
@overload
def get_optimizer(name: Literal["nadam"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.002, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, momentum_decay: _Number | None = 0.004, eps_root: _Number = 0.0, decoupled: bool = False, maximize: bool = False) -> Any:
    """NAdam: Adam that steps along the momentum of the step to come."""
@overload
def get_optimizer(name: Literal["nadamw"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.002, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.01, momentum_decay: _Number | None = 0.004, eps_root: _Number = 0.0, decoupled: bool = True, maximize: bool = False) -> Any:
    """NAdamW: NAdam whose weight decay acts on the parameter and does not pass through the moments."""
@overload
def get_optimizer(name: Literal["noisy_sgd"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, eta: _Number = 0.01, gamma: _Number = 0.55, seed: int = 0) -> Any:
    """Gradient descent on a gradient with normal noise of a variance that falls as training goes."""
@overload
def get_optimizer(name: Literal["novograd"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.95, 0.98), eps: _Number = 1e-08, eps_root: _Number = 0.0, weight_decay: _Number = 0.0, grad_averaging: bool = False) -> Any:
    """NovoGrad: gradients of norm about 1 for each parameter, then momentum; half the memory of Adam."""
@overload
def get_optimizer(name: Literal["optimistic_adam"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, eps_root: _Number = 0.0, nesterov: bool = True, alpha: _Number = 1.0, beta: _Number = 1.0, optimism: _Number | None = None) -> Any:
    """Optimistic Adam: for generative adversarial networks and other min-max problems, which Adam circles around."""
@overload
def get_optimizer(name: Literal["optimistic_adam_v2"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, eps_root: _Number = 0.0, nesterov: bool = True, alpha: _Number = 1.0, beta: _Number = 1.0, optimism: _Number | None = None) -> Any:
    """Optimistic Adam under the name of optax's second interface, where lr may be a schedule: here it always may."""
@overload
def get_optimizer(name: Literal["optimistic_gradient_descent"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, alpha: _Number = 1.0, beta: _Number = 1.0) -> Any:
    """Optimistic gradient descent: converges on min-max problems that plain gradient descent circles around."""
@overload
def get_optimizer(name: Literal["polyak_sgd"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, f_min: _Number = 0.0, max_lr: _Number = 1.0, eps: _Number = 0.0, variant: Literal["sps", "sps+"] = 'sps') -> Any:
    """SGD with Polyak's step size, from the value of the loss and the least value it can have."""
@overload
def get_optimizer(name: Literal["prodigy"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, betas: tuple[_Number, _Number] = (0.9, 0.999), beta3: _Number | None = None, eps: _Number = 1e-08, weight_decay: _Number = 0.0, d0: float = 1e-06, d_coef: _Number = 1.0, safeguard_warmup: bool = False, use_bias_correction: bool = True) -> Any:
    """Prodigy: the distance to the solution, estimated as training goes, takes the place of a learning rate."""
@overload
def get_optimizer(name: Literal["psgd_kron"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, momentum: _Number = 0.9, weight_decay: _Number = 0.0, precond_lr: _Number = 0.1, precond_init_scale: float = 1.0, update_probability: tuple[_Number, _Number, _Number, int] = (1.0, 0.03, 0.001, 500), max_size_triangular: int = 8192, min_ndim_triangular: int = 2, memory_save_mode: Literal["one_diag", "smart_one_diag", "all_diag"] | None = None, momentum_into_precond_update: bool = True, balance_every: int = 100, seed: int = 0, maximize: bool = False) -> Any:
    """PSGD Kron: momentum times Q^T Q, with Q a Kronecker product of triangular matrices that is learned to make it white."""
@overload
def get_optimizer(name: Literal["radam"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, decoupled: bool = False, eps_hat: bool = True, eps_root: _Number = 0.0, threshold: _Number = 5.0, at_threshold: bool = False, nesterov: bool = False, maximize: bool = False) -> Any:
    """RAdam: momentum alone while few gradients have been seen, then Adam with a step that grows as its variance falls."""
@overload
def get_optimizer(name: Literal["rmsprop"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.01, alpha: _Number = 0.99, eps: _Number = 1e-08, weight_decay: _Number = 0.0, momentum: _Number = 0.0, centered: bool = False, eps_inside_root: bool = False, lr_before_momentum: bool = False, decoupled: bool = False, maximize: bool = False) -> Any:
    """RMSprop: the gradient over the root of its running mean square."""
@overload
def get_optimizer(name: Literal["rprop"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.01, etas: tuple[_Number, _Number] = (0.5, 1.2), step_sizes: tuple[_Number, _Number] = (1e-06, 50.0), bound_always: bool = True, maximize: bool = False) -> Any:
    """Rprop: coordinates that keep their sign speed up, those that change it slow down and wait a step.  For full batches."""
@overload
def get_optimizer(name: Literal["schedule_free_adamw"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.0025, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, weight_decay: _Number = 0.0, weight_lr_power: _Number = 2.0, decay_first: bool = False) -> Any:
    """Schedule-free AdamW: gradients are taken between a fast sequence z and its average x, which is what to evaluate."""
@overload
def get_optimizer(name: Literal["schedule_free_sgd"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 1.0, momentum: _Number = 0.9, weight_decay: _Number = 0.0, weight_lr_power: _Number = 2.0) -> Any:
    """Schedule-free SGD: gradients are taken between a fast sequence z and its average x, which is what to evaluate."""
@overload
def get_optimizer(name: Literal["sgd"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax", "keras"] = ..., lr: _Number = 0.001, momentum: _Number = 0.0, dampening: _Number = 0.0, weight_decay: _Number = 0.0, nesterov: bool = False, decoupled: bool = False, lr_before_momentum: bool = False, maximize: bool = False) -> Any:
    """Stochastic gradient descent: a step down the gradient, or down a decaying sum of gradients."""
@overload
def get_optimizer(name: Literal["shampoo"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.01, betas: tuple[_Number, _Number] = (0.9, 1.0), eps: _Number = 1e-06, weight_decay: _Number = 0.0, decoupled: bool = True, max_preconditioner_dim: int = 1024, precondition_frequency: int = 1, start_preconditioning_step: int = 1, exponent_override: int | None = None, use_bias_correction: bool = True, grafting: Literal["sgd", "adagrad", "adam"] | None = None, grafting_beta2: _Number = 0.999, grafting_eps: _Number = 1e-08, maximize: bool = False) -> Any:
    """Shampoo: the gradient times an inverse root of the second moments along each of its axes."""
@overload
def get_optimizer(name: Literal["sign_sgd"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, momentum: _Number = 0.0) -> Any:
    """signSGD: the sign of the gradient, or of its moving average, times lr."""
@overload
def get_optimizer(name: Literal["signum"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, momentum: _Number = 0.9) -> Any:
    """Signum: signSGD of the moving average of the gradient."""
@overload
def get_optimizer(name: Literal["simplified_ademamix"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.0001, betas: tuple[_Number, _Number] = (0.99, 0.95), alpha: _Number = 0.0, eps: _Number = 1e-08, eps_root: _Number = 0.0, weight_decay: _Number = 0.0) -> Any:
    """Simplified AdEMAMix: a decaying sum of gradients plus a multiple of the newest, over the root mean squared gradient."""
@overload
def get_optimizer(name: Literal["sm3"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.1, momentum: float = 0.0, eps: _Number = 1e-30) -> Any:
    """SM3: the sum of squared gradients of an element is bounded by those of its row and its column."""
@overload
def get_optimizer(name: Literal["soap"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.003, betas: tuple[_Number, _Number] = (0.95, 0.95), shampoo_beta: _Number | None = None, eps: _Number = 1e-08, weight_decay: _Number = 0.01, precondition_frequency: int = 10, max_precondition_dim: int = 10000, merge_dims: bool = False, precondition_1d: bool = False, normalize: bool = False, correct_bias: bool = True, maximize: bool = False) -> Any:
    """SOAP: Adam on the gradient as it looks in the eigenvectors of its second moments along each axis."""
@overload
def get_optimizer(name: Literal["sophia"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.0001, betas: tuple[_Number, _Number] = (0.96, 0.99), eps: _Number = 1e-12, weight_decay: _Number = 0.2, gamma: _Number = 0.01, clip_threshold: _Number | None = 1.0, update_interval: int = 10, bias_corrected: bool = False, delayed: bool = False, maximize: bool = False) -> Any:
    """Sophia: a mean gradient over a mean of the Hessian's diagonal, no coordinate of which moves far."""
@overload
def get_optimizer(name: Literal["sparse_adam"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 1e-08, maximize: bool = False) -> Any:
    """SparseAdam, or lazy Adam: a row (an embedding's vector) and its moments change only when it has a gradient."""
@overload
def get_optimizer(name: Literal["stable_adamw"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.001, betas: tuple[_Number, _Number] = (0.9, 0.99), eps: _Number = 1e-06, weight_decay: _Number = 0.01, maximize: bool = False) -> Any:
    """StableAdamW: AdamW with Adafactor's update clipping, in place of clipping the gradient."""
@overload
def get_optimizer(name: Literal["yogi"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., lr: _Number = 0.01, betas: tuple[_Number, _Number] = (0.9, 0.999), eps: _Number = 0.001, initial_accumulator_value: float = 1e-06, weight_decay: _Number = 0.0, decoupled: bool = False, bias_correction: bool = True, maximize: bool = False) -> Any:
    """Yogi: the second moment grows and falls by at most ``(1 - betas[1]) * g**2``, so that the rate cannot jump up."""
@overload
def get_optimizer(name: Literal["adaptive_grad_clip"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., clipping: _Number = 0.01, eps: _Number = 0.001, units: Literal["first", "last"] = 'first') -> Any:
    """Shrink a unit's gradient where its norm exceeds a fraction of the norm of the unit's weights."""
@overload
def get_optimizer(name: Literal["add_decayed_weights"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., weight_decay: _Number = 0.0) -> Any:
    """Add a multiple of the parameter to what passes through: an L2 penalty where it stands before an optimizer."""
@overload
def get_optimizer(name: Literal["add_noise"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., eta: _Number = 0.01, gamma: _Number = 0.55, seed: int = 0) -> Any:
    """Add normal noise of a variance that falls as training goes."""
@overload
def get_optimizer(name: Literal["centralize"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ...) -> Any:
    """Take from each row of a gradient its mean: over every axis but the first."""
@overload
def get_optimizer(name: Literal["clip_by_block_rms"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., max_rms: _Number = 1.0) -> Any:
    """Shrink each parameter's gradient so that its root mean square is at most `max_rms`."""
@overload
def get_optimizer(name: Literal["clip_by_global_norm"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., max_norm: _Number = 1.0, eps: _Number = 1e-06) -> Any:
    """Shrink all gradients together so that their common Euclidean norm is at most `max_norm`."""
@overload
def get_optimizer(name: Literal["clip_by_value"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., max_value: _Number = 1.0) -> Any:
    """Bring every element of the gradient into ``[-max_value, max_value]``."""
@overload
def get_optimizer(name: Literal["mars"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., beta: _Number = 0.95, gamma: _Number = 0.025, max_norm: _Number | None = 1.0, first_corrected: bool = True) -> Any:
    """Correct the gradient by how it changed since the step before, and shrink what is then too long."""
@overload
def get_optimizer(name: Literal["normalize_by_update_norm"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., scale_factor: _Number = 1.0, eps: _Number = 1e-06) -> Any:
    """Scale all gradients together to one norm, whatever theirs is."""
@overload
def get_optimizer(name: Literal["scale_by_trust_ratio"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ..., min_norm: _Number = 0.0, trust_coefficient: _Number = 1.0, eps: _Number = 0.0) -> Any:
    """Scale what passes through to the norm of the parameter: the layerwise step of LARS and LAMB."""
@overload
def get_optimizer(name: Literal["zero_nans"], backend: str, *, params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, convention: Literal["torch", "optax"] = ...) -> Any:
    """Put 0 where a gradient is NaN, and count how many elements were."""
@overload
def get_optimizer(name: Any, backend: str, *, convention: str = ..., params: Any = None, executor: str = "auto", groups: Mapping[str, Mapping[str, Any]] | None = None, **hyperparameters: Any) -> Any: ...

@overload
def get_schedule(name: Literal["chained"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, schedules: tuple[Any, ...]) -> Any:
    """Schedules at the same time: lr times the product of what each gives from 1."""
@overload
def get_schedule(name: Literal["constant"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, factor: float = 1.0, total_iters: int = 0) -> Any:
    """A constant value; with factor and total_iters a smaller (or larger) one for the first steps."""
@overload
def get_schedule(name: Literal["constant_factor"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, factor: float = 0.3333333333333333, total_iters: int = 5) -> Any:
    """A constant factor for the first steps, then the base value: `constant` with PyTorch's defaults."""
@overload
def get_schedule(name: Literal["cosine"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, T_max: int, eta_min: float = 0.0, past_end: Literal["climb", "stay"] = 'climb', alpha: float | None = None, exponent: float = 1.0) -> Any:
    """Cosine annealing: half a cosine from lr at step 0 to eta_min at step T_max."""
@overload
def get_schedule(name: Literal["cosine_warm_restarts"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> Any:
    """Cosine annealing with warm restarts: cycles of half a cosine, the first T_0 steps long, each T_mult times the last."""
@overload
def get_schedule(name: Literal["cyclic"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, max_lr: float, step_size_up: int = 2000, step_size_down: int | None = None, mode: Literal["triangular", "triangular2", "exp_range"] = 'triangular', gamma: float = 1.0, scale_fn: Any | None = None, scale_mode: Literal["cycle", "iterations"] = 'cycle', cycle_momentum: bool = True, base_momentum: float = 0.8, max_momentum: float = 0.9) -> Any:
    """Cyclical learning rate: from lr up to max_lr in step_size_up steps, down in step_size_down, again and again."""
@overload
def get_schedule(name: Literal["exponential"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, gamma: float, step_size: int = 1, staircase: bool = False, transition_begin: int = 0, end_value: float | None = None) -> Any:
    """Exponential decay: the value is multiplied by gamma in the course of every step_size steps."""
@overload
def get_schedule(name: Literal["inverse_sqrt"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, warmup_steps: int, timescale: int | None = None, start_factor: float = 0.0, warmup: Literal["linear", "constant"] = 'linear') -> Any:
    """The inverse square root of the step, after a warm-up."""
@overload
def get_schedule(name: Literal["lambda_"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, lr_lambda: Any, total_iters: int | None = None) -> Any:
    """A function of the step, as a factor of lr."""
@overload
def get_schedule(name: Literal["linear"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, start_factor: float = 0.3333333333333333, end_factor: float = 1.0, total_iters: int = 5, transition_begin: int = 0) -> Any:
    """A line from lr * start_factor at step 0 to lr * end_factor at step total_iters: the linear warm-up."""
@overload
def get_schedule(name: Literal["multi_step"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, milestones: tuple[int, ...], gamma: float | tuple[float, ...] = 0.1) -> Any:
    """A piecewise constant: the value is multiplied by gamma, or by a factor of its own, at each milestone."""
@overload
def get_schedule(name: Literal["multiplicative"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, lr_lambda: Any, total_iters: int | None = None) -> Any:
    """lr times the product of a function's values at the steps 1, 2, ..., t."""
@overload
def get_schedule(name: Literal["noam"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, d_model: int, warmup_steps: int = 4000) -> Any:
    """The Transformer's schedule: a line up for warmup_steps steps, then the inverse square root of the step."""
@overload
def get_schedule(name: Literal["one_cycle"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, total_steps: int, pct_start: float = 0.3, anneal_strategy: Literal["cos", "linear"] = 'cos', div_factor: float = 25.0, final_div_factor: float = 10000.0, three_phase: bool = False, cycle_momentum: bool = True, base_momentum: float = 0.85, max_momentum: float = 0.95, phase_ends: Literal["fractional", "whole"] = 'fractional', pct_final: float | None = None) -> Any:
    """One cycle: from lr / div_factor up to the peak lr, then down to a value far below the first."""
@overload
def get_schedule(name: Literal["piecewise_interpolate"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, milestones: tuple[int, ...], gamma: float | tuple[float, ...], interpolation: Literal["linear", "cosine"] = 'linear') -> Any:
    """Values joined by lines or half cosines: each milestone's is the one before it times a factor."""
@overload
def get_schedule(name: Literal["polynomial"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax", "keras"] = ..., lr: float = 1.0, total_iters: int = 5, power: float = 1.0, end_value: float = 0.0, transition_begin: int = 0, cycle: bool = False) -> Any:
    """A power of the time that is left: from lr at step 0 to end_value at step total_iters."""
@overload
def get_schedule(name: Literal["reduce_on_plateau"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, mode: Literal["min", "max"] = 'min', factor: float = 0.1, patience: int = 10, threshold: float = 0.0001, threshold_mode: Literal["rel", "abs"] = 'rel', cooldown: int = 0, min_lr: float = 0.0, eps: float = 1e-08, drop_when: Literal["exceeded", "reached"] = 'exceeded') -> Any:
    """Reduce on plateau: multiply lr by factor after more than `patience` metrics in a row that are no improvement."""
@overload
def get_schedule(name: Literal["sequential"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, schedules: tuple[Any, ...], milestones: tuple[int, ...]) -> Any:
    """Schedules one after the other: each begins at its milestone with its own step 0."""
@overload
def get_schedule(name: Literal["step"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, step_size: int, gamma: float = 0.1) -> Any:
    """Step decay: the value is multiplied by gamma after every step_size steps."""
@overload
def get_schedule(name: Literal["swa_lr"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, swa_lr: float, anneal_epochs: int = 10, anneal_strategy: Literal["cos", "linear"] = 'cos') -> Any:
    """From lr to a constant swa_lr, at which weights are averaged."""
@overload
def get_schedule(name: Literal["warmup_constant"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, warmup_steps: int, start_factor: float = 0.0) -> Any:
    """A line from lr * start_factor to lr in warmup_steps steps, then lr."""
@overload
def get_schedule(name: Literal["warmup_cosine"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax", "keras"] = ..., lr: float = 1.0, warmup_steps: int, decay_steps: int, start_factor: float = 0.0, eta_min: float = 0.0, alpha: float | None = None, exponent: float = 1.0, past_end: Literal["climb", "stay"] = 'climb', includes_warmup: bool = True) -> Any:
    """A line from lr * start_factor up to lr in warmup_steps steps, then half a cosine down to eta_min."""
@overload
def get_schedule(name: Literal["warmup_exponential"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, warmup_steps: int, gamma: float, step_size: int = 1, start_factor: float = 0.0, staircase: bool = False, transition_begin: int = 0, end_value: float | None = None) -> Any:
    """A line from lr * start_factor up to lr in warmup_steps steps, then exponential decay."""
@overload
def get_schedule(name: Literal["warmup_linear"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, warmup_steps: int, total_steps: int, start_factor: float = 0.0, end_factor: float = 0.0) -> Any:
    """A line from lr * start_factor up to lr in warmup_steps steps, then one down to lr * end_factor at step total_steps."""
@overload
def get_schedule(name: Literal["wsd"], backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: Literal["torch", "optax"] = ..., lr: float = 1.0, warmup_steps: int, stable_steps: int, decay_steps: int, decay_shape: Literal["linear", "cosine", "1-sqrt"] = 'linear', start_factor: float = 0.0, end_factor: float = 0.0) -> Any:
    """Warm-up, stable, decay: a line up to lr, lr for stable_steps steps, then a cool-down to lr * end_factor."""
@overload
def get_schedule(name: Any, backend: str | None = None, *, convention: str = ..., optimizer: Any = None, sets: str = "lr", **hyperparameters: Any) -> Any: ...
