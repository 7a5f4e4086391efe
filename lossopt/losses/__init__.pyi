# Generated from the definitions by `make stubs`; do not edit.
# pyright: reportIncompatibleMethodOverride=false
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypedDict, Unpack

from lossopt.definition import Loss
from lossopt.losses.functions import ctc_loss_with_forward_probs as ctc_loss_with_forward_probs
from lossopt.losses.functions import smooth_labels as smooth_labels
from lossopt.losses.spec import LossSpec
from lossopt.losses.spec import combine_losses as combine_losses

class _Scalar(Protocol):
    """A 0-d array of a framework."""

    @property
    def shape(self) -> Any: ...

_Number = float | Callable[[Any], Any] | _Scalar
"""A number, or where it changes a schedule or an array."""

_arcface_loss_spellings = TypedDict("_arcface_loss_spellings", {"epsilon": float, "s": float, "m": float}, total=False)

class _arcface_loss(Loss):
    def __call__(self, embeddings: Any, centers: Any, targets: Any, scale: float = 64.0, margin: float = 0.5, margin_on: Literal["angle", "cosine"] = 'angle', easy_margin: bool = False, eps: float = 1e-12, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_arcface_loss_spellings]) -> Any:
        """ArcFace: cross-entropy of cosines to class centers, with a margin added to the angle of the label's."""
    def configure(self, *, scale: float = 64.0, margin: float = 0.5, margin_on: Literal["angle", "cosine"] = 'angle', easy_margin: bool = False, eps: float = 1e-12, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_arcface_loss_spellings]) -> LossSpec: ...

arcface_loss: _arcface_loss

_binary_cross_entropy_spellings = TypedDict("_binary_cross_entropy_spellings", {"epsilon": float | None}, total=False)

class _binary_cross_entropy(Loss):
    def __call__(self, predictions: Any, targets: Any, weight: Any = None, clip: float | None = None, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_binary_cross_entropy_spellings]) -> Any:
        """Binary cross-entropy of probabilities, element by element."""
    def configure(self, *, weight: Any = None, clip: float | None = None, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_binary_cross_entropy_spellings]) -> LossSpec: ...

binary_cross_entropy: _binary_cross_entropy

class _binary_cross_entropy_with_logits(Loss):
    def __call__(self, predictions: Any, targets: Any, weight: Any = None, pos_weight: Any = None, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Binary cross-entropy of logits, element by element."""
    def configure(self, *, weight: Any = None, pos_weight: Any = None, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

binary_cross_entropy_with_logits: _binary_cross_entropy_with_logits

_binary_dice_loss_spellings = TypedDict("_binary_dice_loss_spellings", {"class_weights": Any, "squared_pred": bool}, total=False)

class _binary_dice_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, smooth: float = 1.0, squared: bool = False, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, smooth_on: Literal["sum", "mean"] = 'sum', smooth_in: Literal["both", "denominator"] = 'both', batch: bool = False, axis: int | None = None, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_binary_dice_loss_spellings]) -> Any:
        """Soft Dice loss of binary masks, one value per sample."""
    def configure(self, *, smooth: float = 1.0, squared: bool = False, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, smooth_on: Literal["sum", "mean"] = 'sum', smooth_in: Literal["both", "denominator"] = 'both', batch: bool = False, axis: int | None = None, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_binary_dice_loss_spellings]) -> LossSpec: ...

binary_dice_loss: _binary_dice_loss

_clip_loss_spellings = TypedDict("_clip_loss_spellings", {"epsilon": float}, total=False)

class _clip_loss(Loss):
    def __call__(self, queries: Any, keys: Any, temperature: _Number = 0.07, logit_scale: _Number | None = None, symmetric: bool = True, normalize: bool = True, eps: float = 1e-12, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_clip_loss_spellings]) -> Any:
        """CLIP's loss: each image to find its text among all texts of the batch, and each text its image, one value per pair."""
    def configure(self, *, temperature: _Number = 0.07, logit_scale: _Number | None = None, symmetric: bool = True, normalize: bool = True, eps: float = 1e-12, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_clip_loss_spellings]) -> LossSpec: ...

clip_loss: _clip_loss

class _contrastive_loss(Loss):
    def __call__(self, x1: Any, x2: Any, targets: Any, margin: float = 1.0, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Contrastive loss of pairs: similar pairs together, dissimilar ones at least a margin apart."""
    def configure(self, *, margin: float = 1.0, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

contrastive_loss: _contrastive_loss

_cosface_loss_spellings = TypedDict("_cosface_loss_spellings", {"epsilon": float, "s": float, "m": float}, total=False)

class _cosface_loss(Loss):
    def __call__(self, embeddings: Any, centers: Any, targets: Any, scale: float = 64.0, margin: float = 0.35, margin_on: Literal["angle", "cosine"] = 'cosine', easy_margin: bool = False, eps: float = 1e-12, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_cosface_loss_spellings]) -> Any:
        """CosFace: cross-entropy of cosines to class centers, with a margin taken from the label's."""
    def configure(self, *, scale: float = 64.0, margin: float = 0.35, margin_on: Literal["angle", "cosine"] = 'cosine', easy_margin: bool = False, eps: float = 1e-12, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_cosface_loss_spellings]) -> LossSpec: ...

cosface_loss: _cosface_loss

_cosine_distance_spellings = TypedDict("_cosine_distance_spellings", {"epsilon": float, "dim": int | None}, total=False)

class _cosine_distance(Loss):
    def __call__(self, predictions: Any, targets: Any, axis: int | None = -1, eps: float = 1e-08, eps_on: Literal["norm", "squared"] = 'norm', where: Any = None, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_cosine_distance_spellings]) -> Any:
        """Cosine distance of pairs of vectors: 0 where they point the same way, 2 where they are opposite."""
    def configure(self, *, axis: int | None = -1, eps: float = 1e-08, eps_on: Literal["norm", "squared"] = 'norm', where: Any = None, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_cosine_distance_spellings]) -> LossSpec: ...

cosine_distance: _cosine_distance

class _cosine_embedding_loss(Loss):
    def __call__(self, x1: Any, x2: Any, targets: Any, margin: float = 0.0, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Cosine embedding loss: similar pairs to cosine 1, dissimilar ones to at most the margin."""
    def configure(self, *, margin: float = 0.0, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

cosine_embedding_loss: _cosine_embedding_loss

_cosine_similarity_spellings = TypedDict("_cosine_similarity_spellings", {"epsilon": float, "dim": int | None}, total=False)

class _cosine_similarity(Loss):
    def __call__(self, predictions: Any, targets: Any, axis: int | None = 1, eps: float = 1e-08, eps_on: Literal["norm", "squared"] = 'norm', negate: bool = False, where: Any = None, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_cosine_similarity_spellings]) -> Any:
        """Cosine similarity of pairs of vectors: 1 where they point the same way, -1 where they are opposite."""
    def configure(self, *, axis: int | None = 1, eps: float = 1e-08, eps_on: Literal["norm", "squared"] = 'norm', negate: bool = False, where: Any = None, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_cosine_similarity_spellings]) -> LossSpec: ...

cosine_similarity: _cosine_similarity

_cross_entropy_spellings = TypedDict("_cross_entropy_spellings", {"ignore_class": int | None, "class_weight": Any}, total=False)

class _cross_entropy(Loss):
    def __call__(self, predictions: Any, targets: Any, weight: Any = None, ignore_index: int | None = -100, label_smoothing: float = 0.0, axis: int = 1, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_cross_entropy_spellings]) -> Any:
        """Cross-entropy of logits with class labels or class probabilities."""
    def configure(self, *, weight: Any = None, ignore_index: int | None = -100, label_smoothing: float = 0.0, axis: int = 1, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_cross_entropy_spellings]) -> LossSpec: ...

cross_entropy: _cross_entropy

_ctc_loss_spellings = TypedDict("_ctc_loss_spellings", {"blank_id": int}, total=False)

class _ctc_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0, zero_infinity: bool = False, log_epsilon: float | None = None, lengths_are: Literal["lengths", "paddings"] = 'lengths', time_major: bool = True, mean_per_label: bool = True, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_ctc_loss_spellings]) -> Any:
        """Connectionist temporal classification: label sequences without an alignment to the frames."""
    def configure(self, *, blank: int = 0, zero_infinity: bool = False, log_epsilon: float | None = None, lengths_are: Literal["lengths", "paddings"] = 'lengths', time_major: bool = True, mean_per_label: bool = True, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_ctc_loss_spellings]) -> LossSpec: ...

ctc_loss: _ctc_loss

_dice_ce_loss_spellings = TypedDict("_dice_ce_loss_spellings", {"squared_pred": bool}, total=False)

class _dice_ce_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, lambda_dice: float = 1.0, lambda_ce: float = 1.0, smooth: float = 1.0, squared: bool = False, label_smoothing: float = 0.0, axis: int | None = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_dice_ce_loss_spellings]) -> Any:
        """Dice and cross-entropy together, one value per sample."""
    def configure(self, *, lambda_dice: float = 1.0, lambda_ce: float = 1.0, smooth: float = 1.0, squared: bool = False, label_smoothing: float = 0.0, axis: int | None = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_dice_ce_loss_spellings]) -> LossSpec: ...

dice_ce_loss: _dice_ce_loss

_dice_loss_spellings = TypedDict("_dice_loss_spellings", {"class_weights": Any, "squared_pred": bool}, total=False)

class _dice_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, smooth: float = 1.0, squared: bool = False, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, smooth_on: Literal["sum", "mean"] = 'sum', smooth_in: Literal["both", "denominator"] = 'both', batch: bool = False, axis: int | None = 1, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_dice_loss_spellings]) -> Any:
        """Soft Dice loss for segmentation, one value per sample: the mean over its classes."""
    def configure(self, *, smooth: float = 1.0, squared: bool = False, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, smooth_on: Literal["sum", "mean"] = 'sum', smooth_in: Literal["both", "denominator"] = 'both', batch: bool = False, axis: int | None = 1, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_dice_loss_spellings]) -> LossSpec: ...

dice_loss: _dice_loss

_distillation_loss_spellings = TypedDict("_distillation_loss_spellings", {"T": float}, total=False)

class _distillation_loss(Loss):
    def __call__(self, predictions: Any, teacher: Any, targets: Any, temperature: float = 2.0, alpha: float = 0.5, ignore_index: int | None = -100, axis: int = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_distillation_loss_spellings]) -> Any:
        """Knowledge distillation: cross-entropy with the labels, and divergence from a teacher at a temperature."""
    def configure(self, *, temperature: float = 2.0, alpha: float = 0.5, ignore_index: int | None = -100, axis: int = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_distillation_loss_spellings]) -> LossSpec: ...

distillation_loss: _distillation_loss

class _dpo_loss(Loss):
    def __call__(self, policy_chosen: Any, policy_rejected: Any, reference_chosen: Any, reference_rejected: Any, beta: float = 0.1, loss_type: Literal["sigmoid", "hinge", "ipo", "robust", "exo_pair", "nca_pair", "apo_zero", "apo_down", "sppo_hard"] = 'sigmoid', label_smoothing: float = 0.0, reference_free: bool = False, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Direct preference optimization: the policy against a reference on pairs of a chosen and a rejected answer."""
    def configure(self, *, beta: float = 0.1, loss_type: Literal["sigmoid", "hinge", "ipo", "robust", "exo_pair", "nca_pair", "apo_zero", "apo_down", "sppo_hard"] = 'sigmoid', label_smoothing: float = 0.0, reference_free: bool = False, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

dpo_loss: _dpo_loss

class _focal_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, alpha: float | tuple[float, ...] = 1.0, gamma: float = 2.0, ignore_index: int | None = -100, axis: int = 1, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Focal loss over several classes: cross-entropy that turns down what is already classified well."""
    def configure(self, *, alpha: float | tuple[float, ...] = 1.0, gamma: float = 2.0, ignore_index: int | None = -100, axis: int = 1, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

focal_loss: _focal_loss

_focal_tversky_loss_spellings = TypedDict("_focal_tversky_loss_spellings", {"class_weights": Any}, total=False)

class _focal_tversky_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, alpha: float = 0.3, beta: float = 0.7, gamma: float = 1.3333333333333333, alpha_on: Literal["false_positives", "false_negatives"] = 'false_positives', smooth: float = 1.0, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, batch: bool = False, axis: int | None = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_focal_tversky_loss_spellings]) -> Any:
        """Focal Tversky loss for segmentation, one value per sample: the mean over its classes."""
    def configure(self, *, alpha: float = 0.3, beta: float = 0.7, gamma: float = 1.3333333333333333, alpha_on: Literal["false_positives", "false_negatives"] = 'false_positives', smooth: float = 1.0, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, batch: bool = False, axis: int | None = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_focal_tversky_loss_spellings]) -> LossSpec: ...

focal_tversky_loss: _focal_tversky_loss

_gaussian_nll_loss_spellings = TypedDict("_gaussian_nll_loss_spellings", {"epsilon": float}, total=False)

class _gaussian_nll_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, var: Any, full: bool = False, eps: float = 1e-06, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_gaussian_nll_loss_spellings]) -> Any:
        """Negative log-likelihood under a normal distribution whose mean and variance are predicted, element by element."""
    def configure(self, *, full: bool = False, eps: float = 1e-06, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_gaussian_nll_loss_spellings]) -> LossSpec: ...

gaussian_nll_loss: _gaussian_nll_loss

class _generalized_kl_divergence(Loss):
    def __call__(self, predictions: Any, targets: Any, axis: int | None = None, where: Any = None, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum", "batchmean"] | None = None) -> Any:
        """Generalized Kullback-Leibler divergence: of densities that need not sum to 1."""
    def configure(self, *, axis: int | None = None, where: Any = None, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum", "batchmean"] | None = None) -> LossSpec: ...

generalized_kl_divergence: _generalized_kl_divergence

class _hinge_embedding_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, margin: float = 1.0, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Hinge embedding loss of distances, element by element: similar pairs to 0, others beyond a margin."""
    def configure(self, *, margin: float = 1.0, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

hinge_embedding_loss: _hinge_embedding_loss

class _hinge_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, zero_is_negative: bool = False, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Hinge loss of scores and signs, element by element."""
    def configure(self, *, zero_is_negative: bool = False, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

hinge_loss: _hinge_loss

class _huber_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, delta: float = 1.0, weight: Any = None, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Huber loss, element by element: squared up to delta, absolute beyond."""
    def configure(self, *, delta: float = 1.0, weight: Any = None, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

huber_loss: _huber_loss

_info_nce_loss_spellings = TypedDict("_info_nce_loss_spellings", {"epsilon": float}, total=False)

class _info_nce_loss(Loss):
    def __call__(self, queries: Any, keys: Any, temperature: _Number = 0.07, logit_scale: _Number | None = None, symmetric: bool = False, normalize: bool = True, eps: float = 1e-12, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_info_nce_loss_spellings]) -> Any:
        """InfoNCE: each query to find its own key among all keys of the batch, one value per query."""
    def configure(self, *, temperature: _Number = 0.07, logit_scale: _Number | None = None, symmetric: bool = False, normalize: bool = True, eps: float = 1e-12, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_info_nce_loss_spellings]) -> LossSpec: ...

info_nce_loss: _info_nce_loss

class _jsd_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, beta: float = 0.5, axis: int | None = None, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum", "batchmean"] | None = None) -> Any:
        """Generalized Jensen-Shannon divergence of predicted log-probabilities from targets."""
    def configure(self, *, beta: float = 0.5, axis: int | None = None, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum", "batchmean"] | None = None) -> LossSpec: ...

jsd_loss: _jsd_loss

class _kl_div(Loss):
    def __call__(self, predictions: Any, targets: Any, log_target: bool = False, axis: int | None = None, where: Any = None, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum", "batchmean"] | None = None) -> Any:
        """Kullback-Leibler divergence of predicted log-probabilities from targets."""
    def configure(self, *, log_target: bool = False, axis: int | None = None, where: Any = None, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum", "batchmean"] | None = None) -> LossSpec: ...

kl_div: _kl_div

class _kl_divergence_with_log_targets(Loss):
    def __call__(self, predictions: Any, targets: Any, log_target: bool = True, axis: int | None = None, where: Any = None, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum", "batchmean"] | None = None) -> Any:
        """Kullback-Leibler divergence of predicted log-probabilities from targets that are logarithms too: kl_div(log_target=True)."""
    def configure(self, *, log_target: bool = True, axis: int | None = None, where: Any = None, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum", "batchmean"] | None = None) -> LossSpec: ...

kl_divergence_with_log_targets: _kl_divergence_with_log_targets

class _l1_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, weight: Any = None, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Absolute error, element by element; its mean is the mean absolute error."""
    def configure(self, *, weight: Any = None, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

l1_loss: _l1_loss

class _l2_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Half the squared error, element by element: its derivative is the error."""
    def configure(self, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

l2_loss: _l2_loss

class _linear_cross_entropy(Loss):
    def __call__(self, input: Any, linear_weight: Any, targets: Any, linear_bias: Any = None, weight: Any = None, ignore_index: int | None = -100, label_smoothing: float = 0.0, chunk_size: int | None = None, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Cross-entropy of a linear projection, which need not hold all its logits at once."""
    def configure(self, *, linear_bias: Any = None, weight: Any = None, ignore_index: int | None = -100, label_smoothing: float = 0.0, chunk_size: int | None = None, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

linear_cross_entropy: _linear_cross_entropy

class _log_cosh_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Logarithm of the hyperbolic cosine of the error, element by element: a smooth absolute error."""
    def configure(self, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

log_cosh_loss: _log_cosh_loss

class _make_fenchel_young_loss(Loss):
    def __call__(self, max_fun: Literal["logsumexp", "max"] | Any = 'logsumexp', *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec:
        """The Fenchel-Young loss of a smooth maximum: ``make_fenchel_young_loss(max_fun)`` is a loss."""

make_fenchel_young_loss: _make_fenchel_young_loss

class _margin_ranking_loss(Loss):
    def __call__(self, x1: Any, x2: Any, targets: Any, margin: float = 0.0, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Margin loss of pairs of scores, element by element: the one that ranks higher above the other, by a margin."""
    def configure(self, *, margin: float = 0.0, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

margin_ranking_loss: _margin_ranking_loss

class _mse_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, weight: Any = None, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Squared error, element by element; its mean is the mean squared error."""
    def configure(self, *, weight: Any = None, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

mse_loss: _mse_loss

class _multi_margin_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, p: Literal[1, 2] = 1, margin: float = 1.0, weight: Any = None, axis: int = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Margin loss of a label against every other class, summed over the classes and divided by their number."""
    def configure(self, *, p: Literal[1, 2] = 1, margin: float = 1.0, weight: Any = None, axis: int = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

multi_margin_loss: _multi_margin_loss

_multiclass_generalized_dice_loss_spellings = TypedDict("_multiclass_generalized_dice_loss_spellings", {"epsilon": float}, total=False)

class _multiclass_generalized_dice_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, smooth: float = 1.0, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', ignore_background: bool = False, eps: float = 1e-07, axis: int = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_multiclass_generalized_dice_loss_spellings]) -> Any:
        """Generalized Dice loss for segmentation, one value per sample: the weighted mean over its classes."""
    def configure(self, *, smooth: float = 1.0, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', ignore_background: bool = False, eps: float = 1e-07, axis: int = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_multiclass_generalized_dice_loss_spellings]) -> LossSpec: ...

multiclass_generalized_dice_loss: _multiclass_generalized_dice_loss

class _multiclass_hinge_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, rival_at_least_zero: bool = False, axis: int = 1, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Hinge loss over several classes: a label against its strongest rival."""
    def configure(self, *, rival_at_least_zero: bool = False, axis: int = 1, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

multiclass_hinge_loss: _multiclass_hinge_loss

class _multiclass_perceptron_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, axis: int = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Perceptron loss over several classes: how far the best score is above the label's."""
    def configure(self, *, axis: int = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

multiclass_perceptron_loss: _multiclass_perceptron_loss

class _multiclass_sparsemax_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, axis: int = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Sparsemax loss over several classes: 0 as soon as the label's score is 1 above every other."""
    def configure(self, *, axis: int = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

multiclass_sparsemax_loss: _multiclass_sparsemax_loss

class _multilabel_margin_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Margin loss of a sample's labels against the classes that are none of them, divided by the number of classes."""
    def configure(self, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

multilabel_margin_loss: _multilabel_margin_loss

class _multilabel_soft_margin_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, weight: Any = None, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Binary cross-entropy of several labels: the mean over a sample's classes."""
    def configure(self, *, weight: Any = None, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

multilabel_soft_margin_loss: _multilabel_soft_margin_loss

class _nll_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, weight: Any = None, ignore_index: int | None = -100, axis: int = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Negative log-likelihood of class labels, given log-probabilities."""
    def configure(self, *, weight: Any = None, ignore_index: int | None = -100, axis: int = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

nll_loss: _nll_loss

_ntxent_loss_spellings = TypedDict("_ntxent_loss_spellings", {"epsilon": float}, total=False)

class _ntxent_loss(Loss):
    def __call__(self, embeddings: Any, labels: Any, temperature: float = 0.07, eps: float = 1e-08, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_ntxent_loss_spellings]) -> Any:
        """NT-Xent: samples of one label together, away from those of other labels, one value per sample."""
    def configure(self, *, temperature: float = 0.07, eps: float = 1e-08, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_ntxent_loss_spellings]) -> LossSpec: ...

ntxent_loss: _ntxent_loss

class _perceptron_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Perceptron loss of scores and signs, element by element: the hinge loss without its margin."""
    def configure(self, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

perceptron_loss: _perceptron_loss

_poisson_nll_loss_spellings = TypedDict("_poisson_nll_loss_spellings", {"epsilon": float}, total=False)

class _poisson_nll_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, log_input: bool = True, full: bool = False, eps: float = 1e-08, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_poisson_nll_loss_spellings]) -> Any:
        """Negative log-likelihood of counts under a Poisson distribution, element by element."""
    def configure(self, *, log_input: bool = True, full: bool = False, eps: float = 1e-08, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_poisson_nll_loss_spellings]) -> LossSpec: ...

poisson_nll_loss: _poisson_nll_loss

class _poly_loss_cross_entropy(Loss):
    def __call__(self, predictions: Any, targets: Any, epsilon: float = 2.0, where: Any = None, axis: int = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """PolyLoss: cross-entropy with epsilon more on the first term of its expansion in powers of 1 - p."""
    def configure(self, *, epsilon: float = 2.0, where: Any = None, axis: int = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

poly_loss_cross_entropy: _poly_loss_cross_entropy

_quantile_loss_spellings = TypedDict("_quantile_loss_spellings", {"q": float, "alpha": float, "tau": float}, total=False)

class _quantile_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, quantile: float = 0.5, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_quantile_loss_spellings]) -> Any:
        """Quantile (pinball) loss, element by element: least where x is that quantile of t."""
    def configure(self, *, quantile: float = 0.5, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_quantile_loss_spellings]) -> LossSpec: ...

quantile_loss: _quantile_loss

_ranking_softmax_loss_spellings = TypedDict("_ranking_softmax_loss_spellings", {"weights": Any}, total=False)

class _ranking_softmax_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, where: Any = None, weight: Any = None, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_ranking_softmax_loss_spellings]) -> Any:
        """Softmax loss of a ranked list, one value per list: the items of high relevance to the top."""
    def configure(self, *, where: Any = None, weight: Any = None, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_ranking_softmax_loss_spellings]) -> LossSpec: ...

ranking_softmax_loss: _ranking_softmax_loss

class _safe_softmax_cross_entropy(Loss):
    def __call__(self, predictions: Any, targets: Any, axis: int = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Cross-entropy of logits and class probabilities in which a class of probability 0 may have the logit -inf."""
    def configure(self, *, axis: int = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

safe_softmax_cross_entropy: _safe_softmax_cross_entropy

_siglip_loss_spellings = TypedDict("_siglip_loss_spellings", {"epsilon": float, "t": _Number, "b": _Number}, total=False)

class _siglip_loss(Loss):
    def __call__(self, queries: Any, keys: Any, logit_scale: _Number = 10.0, logit_bias: _Number = -10.0, normalize: bool = True, eps: float = 1e-12, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_siglip_loss_spellings]) -> Any:
        """SigLIP: of every image and every text, whether they belong together, one value per image."""
    def configure(self, *, logit_scale: _Number = 10.0, logit_bias: _Number = -10.0, normalize: bool = True, eps: float = 1e-12, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_siglip_loss_spellings]) -> LossSpec: ...

siglip_loss: _siglip_loss

class _sigmoid_focal_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, alpha: float | None = 0.25, gamma: float = 2.0, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Focal loss of independent binary logits, element by element."""
    def configure(self, *, alpha: float | None = 0.25, gamma: float = 2.0, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

sigmoid_focal_loss: _sigmoid_focal_loss

class _smooth_l1_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, beta: float = 1.0, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Smooth L1 loss, element by element: the absolute error with a corner rounded within beta."""
    def configure(self, *, beta: float = 1.0, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

smooth_l1_loss: _smooth_l1_loss

class _soft_margin_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Logistic loss of scores and signs, element by element."""
    def configure(self, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

soft_margin_loss: _soft_margin_loss

class _sparsemax_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Sparsemax loss of one binary score, element by element: a logistic loss that reaches 0."""
    def configure(self, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

sparsemax_loss: _sparsemax_loss

_supcon_loss_spellings = TypedDict("_supcon_loss_spellings", {"epsilon": float}, total=False)

class _supcon_loss(Loss):
    def __call__(self, embeddings: Any, labels: Any, temperature: float = 0.07, base_temperature: float = 0.07, normalize: bool = True, eps: float = 1e-12, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_supcon_loss_spellings]) -> Any:
        """Supervised contrastive loss, one value per sample: L_out of the paper, its equation 2."""
    def configure(self, *, temperature: float = 0.07, base_temperature: float = 0.07, normalize: bool = True, eps: float = 1e-12, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_supcon_loss_spellings]) -> LossSpec: ...

supcon_loss: _supcon_loss

_triplet_margin_loss_spellings = TypedDict("_triplet_margin_loss_spellings", {"epsilon": float, "norm_degree": float}, total=False)

class _triplet_margin_loss(Loss):
    def __call__(self, anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0, eps: float = 1e-06, swap: bool = False, eps_in: Literal["difference", "root"] = 'difference', *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_triplet_margin_loss_spellings]) -> Any:
        """Triplet margin loss: the anchor nearer to the positive than to the negative, by a margin."""
    def configure(self, *, margin: float = 1.0, p: float = 2.0, eps: float = 1e-06, swap: bool = False, eps_in: Literal["difference", "root"] = 'difference', convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_triplet_margin_loss_spellings]) -> LossSpec: ...

triplet_margin_loss: _triplet_margin_loss

class _triplet_margin_with_distance_loss(Loss):
    def __call__(self, anchor: Any, positive: Any, negative: Any, distance_function: Any | None = None, margin: float = 1.0, swap: bool = False, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Triplet margin loss with a distance of one's own: the anchor nearer to the positive than to the negative, by a margin."""
    def configure(self, *, distance_function: Any | None = None, margin: float = 1.0, swap: bool = False, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

triplet_margin_with_distance_loss: _triplet_margin_with_distance_loss

_tversky_loss_spellings = TypedDict("_tversky_loss_spellings", {"class_weights": Any}, total=False)

class _tversky_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, alpha: float = 0.3, beta: float = 0.7, alpha_on: Literal["false_positives", "false_negatives"] = 'false_positives', smooth: float = 1.0, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, smooth_in: Literal["both", "denominator"] = 'both', batch: bool = False, axis: int | None = 1, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_tversky_loss_spellings]) -> Any:
        """Tversky loss for segmentation, one value per sample: the mean over its classes."""
    def configure(self, *, alpha: float = 0.3, beta: float = 0.7, alpha_on: Literal["false_positives", "false_negatives"] = 'false_positives', smooth: float = 1.0, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, smooth_in: Literal["both", "denominator"] = 'both', batch: bool = False, axis: int | None = 1, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_tversky_loss_spellings]) -> LossSpec: ...

tversky_loss: _tversky_loss

class _z_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, ignore_index: int | None = -100, axis: int = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """The z-loss: the squared logarithm of the softmax's normaliser, which keeps logits from drifting."""
    def configure(self, *, ignore_index: int | None = -100, axis: int = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

z_loss: _z_loss
