# Generated from the definitions by `make stubs`; do not edit.
# pyright: reportIncompatibleMethodOverride=false
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypedDict, Unpack

from lossopt.definition import Loss
from lossopt.losses.spec import LossSpec

class _Scalar(Protocol):
    """A 0-d array of a framework."""

    @property
    def shape(self) -> Any: ...

_Number = float | Callable[[Any], Any] | _Scalar
"""A number, or where it changes a schedule or an array."""

class _binary_cross_entropy_with_logits(Loss):
    def __call__(self, predictions: Any, targets: Any, weight: Any = None, pos_weight: Any = None, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Binary cross-entropy of logits, element by element."""
    def configure(self, *, weight: Any = None, pos_weight: Any = None, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

binary_cross_entropy_with_logits: _binary_cross_entropy_with_logits

class _contrastive_loss(Loss):
    def __call__(self, x1: Any, x2: Any, targets: Any, margin: float = 1.0, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Contrastive loss of pairs: similar pairs together, dissimilar ones at least a margin apart."""
    def configure(self, *, margin: float = 1.0, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

contrastive_loss: _contrastive_loss

class _cosine_embedding_loss(Loss):
    def __call__(self, x1: Any, x2: Any, targets: Any, margin: float = 0.0, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Cosine embedding loss: similar pairs to cosine 1, dissimilar ones to at most the margin."""
    def configure(self, *, margin: float = 0.0, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

cosine_embedding_loss: _cosine_embedding_loss

_cross_entropy_spellings = TypedDict("_cross_entropy_spellings", {"ignore_class": int | None, "class_weight": Any}, total=False)

class _cross_entropy(Loss):
    def __call__(self, predictions: Any, targets: Any, weight: Any = None, ignore_index: int | None = -100, label_smoothing: float = 0.0, axis: int = 1, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_cross_entropy_spellings]) -> Any:
        """Cross-entropy of logits with class labels or class probabilities."""
    def configure(self, *, weight: Any = None, ignore_index: int | None = -100, label_smoothing: float = 0.0, axis: int = 1, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_cross_entropy_spellings]) -> LossSpec: ...

cross_entropy: _cross_entropy

_dice_ce_loss_spellings = TypedDict("_dice_ce_loss_spellings", {"squared_pred": bool}, total=False)

class _dice_ce_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, lambda_dice: float = 1.0, lambda_ce: float = 1.0, smooth: float = 1.0, squared: bool = False, label_smoothing: float = 0.0, axis: int | None = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_dice_ce_loss_spellings]) -> Any:
        """Dice and cross-entropy together, one value per sample."""
    def configure(self, *, lambda_dice: float = 1.0, lambda_ce: float = 1.0, smooth: float = 1.0, squared: bool = False, label_smoothing: float = 0.0, axis: int | None = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_dice_ce_loss_spellings]) -> LossSpec: ...

dice_ce_loss: _dice_ce_loss

_dice_loss_spellings = TypedDict("_dice_loss_spellings", {"class_weights": Any, "squared_pred": bool}, total=False)

class _dice_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, smooth: float = 1.0, squared: bool = False, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, smooth_on: Literal["sum", "mean"] = 'sum', axis: int | None = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_dice_loss_spellings]) -> Any:
        """Soft Dice loss for segmentation, one value per sample: the mean over its classes."""
    def configure(self, *, smooth: float = 1.0, squared: bool = False, activation: Literal["auto", "softmax", "sigmoid", "none"] = 'auto', weight: Any = None, ignore_background: bool = False, smooth_on: Literal["sum", "mean"] = 'sum', axis: int | None = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_dice_loss_spellings]) -> LossSpec: ...

dice_loss: _dice_loss

class _focal_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, alpha: float | tuple[float, ...] = 1.0, gamma: float = 2.0, ignore_index: int | None = -100, axis: int = 1, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Focal loss over several classes: cross-entropy that turns down what is already classified well."""
    def configure(self, *, alpha: float | tuple[float, ...] = 1.0, gamma: float = 2.0, ignore_index: int | None = -100, axis: int = 1, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

focal_loss: _focal_loss

class _huber_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, delta: float = 1.0, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Huber loss, element by element: squared up to delta, absolute beyond."""
    def configure(self, *, delta: float = 1.0, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

huber_loss: _huber_loss

class _kl_div(Loss):
    def __call__(self, predictions: Any, targets: Any, log_target: bool = False, axis: int | None = None, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum", "batchmean"] | None = None) -> Any:
        """Kullback-Leibler divergence of predicted log-probabilities from targets."""
    def configure(self, *, log_target: bool = False, axis: int | None = None, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum", "batchmean"] | None = None) -> LossSpec: ...

kl_div: _kl_div

class _l1_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Absolute error, element by element; its mean is the mean absolute error."""
    def configure(self, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

l1_loss: _l1_loss

class _mse_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Squared error, element by element; its mean is the mean squared error."""
    def configure(self, *, convention: Literal["torch", "optax", "keras"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

mse_loss: _mse_loss

class _nll_loss(Loss):
    def __call__(self, predictions: Any, targets: Any, weight: Any = None, ignore_index: int | None = -100, axis: int = 1, *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> Any:
        """Negative log-likelihood of class labels, given log-probabilities."""
    def configure(self, *, weight: Any = None, ignore_index: int | None = -100, axis: int = 1, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None) -> LossSpec: ...

nll_loss: _nll_loss

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

_triplet_margin_loss_spellings = TypedDict("_triplet_margin_loss_spellings", {"epsilon": float, "norm_degree": float}, total=False)

class _triplet_margin_loss(Loss):
    def __call__(self, anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0, eps: float = 1e-06, swap: bool = False, eps_in: Literal["difference", "root"] = 'difference', *, convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_triplet_margin_loss_spellings]) -> Any:
        """Triplet margin loss: the anchor nearer to the positive than to the negative, by a margin."""
    def configure(self, *, margin: float = 1.0, p: float = 2.0, eps: float = 1e-06, swap: bool = False, eps_in: Literal["difference", "root"] = 'difference', convention: Literal["torch", "optax"] = ..., reduction: Literal["none", "mean", "sum"] | None = None, **spellings: Unpack[_triplet_margin_loss_spellings]) -> LossSpec: ...

triplet_margin_loss: _triplet_margin_loss
