"""The functions of lossopt gathered into classes, by what they are for.

Each method is one of the functions under another name: it takes PyTorch's arrays, models and optimizers or JAX's, and
every hyperparameter that ``lossopt explain NAME`` tells of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lossopt import analysis, demonstrations, loop, registry, schemes
from lossopt.errors import ArgumentError, InputError


def _loss(name: str, *arrays: Any, **hyperparameters: Any) -> Any:
    return registry.definition(name, "loss")(*arrays, **hyperparameters)  # type: ignore[operator]


class LossFunctions:
    """Losses of predictions and targets: ``LossFunctions.focal_loss(predictions, targets, gamma=2.0)``."""

    @staticmethod
    def cross_entropy_loss(predictions: Any, targets: Any, **hyperparameters: Any) -> Any:
        """Cross-entropy of logits with labels or probabilities; ``label_smoothing``, ``weight``: `lossopt.losses.cross_entropy`."""
        return _loss("cross_entropy", predictions, targets, **hyperparameters)

    @staticmethod
    def focal_loss(predictions: Any, targets: Any, **hyperparameters: Any) -> Any:
        """Cross-entropy that turns down what is classified well; ``alpha``, ``gamma``: `lossopt.losses.focal_loss`."""
        return _loss("focal_loss", predictions, targets, **hyperparameters)

    @staticmethod
    def mse_loss(predictions: Any, targets: Any, **hyperparameters: Any) -> Any:
        """Squared error: `lossopt.losses.mse_loss`."""
        return _loss("mse_loss", predictions, targets, **hyperparameters)

    @staticmethod
    def mae_loss(predictions: Any, targets: Any, **hyperparameters: Any) -> Any:
        """Absolute error: `lossopt.losses.l1_loss`."""
        return _loss("l1_loss", predictions, targets, **hyperparameters)

    @staticmethod
    def huber_loss(predictions: Any, targets: Any, **hyperparameters: Any) -> Any:
        """Squared error up to ``delta``, absolute beyond; of numbers, not of class labels: `lossopt.losses.huber_loss`."""
        return _loss("huber_loss", predictions, targets, **hyperparameters)

    @staticmethod
    def smooth_l1_loss(predictions: Any, targets: Any, **hyperparameters: Any) -> Any:
        """Absolute error, rounded off within ``beta``: `lossopt.losses.smooth_l1_loss`."""
        return _loss("smooth_l1_loss", predictions, targets, **hyperparameters)

    @staticmethod
    def dice_loss(predictions: Any, targets: Any, **hyperparameters: Any) -> Any:
        """Overlap of masks, for segmentation; ``smooth``: `lossopt.losses.dice_loss`."""
        return _loss("dice_loss", predictions, targets, **hyperparameters)

    @staticmethod
    def kl_divergence_loss(predictions: Any, targets: Any, *, reduction: str = "batchmean", **hyperparameters: Any) -> Any:
        """Divergence of log-probabilities from probabilities, by default for each sample: `lossopt.losses.kl_div`."""
        return _loss("kl_div", predictions, targets, reduction=reduction, **hyperparameters)

    @staticmethod
    def cosine_embedding_loss(x1: Any, x2: Any, targets: Any, **hyperparameters: Any) -> Any:
        """Pairs alike (target 1) or not (-1) by their angle; ``margin``: `lossopt.losses.cosine_embedding_loss`."""
        return _loss("cosine_embedding_loss", x1, x2, targets, **hyperparameters)

    @staticmethod
    def triplet_loss(anchor: Any, positive: Any, negative: Any, **hyperparameters: Any) -> Any:
        """The anchor nearer to the positive by a ``margin``: `lossopt.losses.triplet_margin_loss`."""
        return _loss("triplet_margin_loss", anchor, positive, negative, **hyperparameters)

    @staticmethod
    def contrastive_loss(x1: Any, x2: Any, targets: Any, **hyperparameters: Any) -> Any:
        """Similar pairs (target 1) together, others (0) a ``margin`` apart: `lossopt.losses.contrastive_loss`."""
        return _loss("contrastive_loss", x1, x2, targets, **hyperparameters)

    @staticmethod
    def custom_loss(loss: Any, **hyperparameters: Any) -> Callable[..., Any]:
        """A loss function to call later: ``custom_loss("focal_loss", gamma=1.0)(predictions, targets)``.

        Args:
            loss: a name; a function ``(predictions, targets, **hyperparameters)``; or names with weights to be added,
                ``{"cross_entropy": 0.7, "focal_loss": 0.3}``.
            **hyperparameters: of the loss or the function; a sum takes none.

        Raises:
            UnknownNameError, ArgumentError, HyperparameterError: each with a remedy.
        """
        if isinstance(loss, Mapping):
            if hyperparameters or not loss:
                raise ArgumentError("a sum of losses is {name: weight, ...}, with at least one name and no hyperparameters beside it; "
                                    "for those add losses: 0.7 * get_loss('focal_loss', gamma=1.0) + ...")  # fmt: skip
            return sum(weight * registry.get_loss(name) for name, weight in loss.items())  # type: ignore[return-value]
        if callable(loss) and not hasattr(loss, "terms") and not hasattr(loss, "kind"):
            return _with(loss, hyperparameters)
        return registry.get_loss(loss, **hyperparameters)

    @staticmethod
    def demonstrate_loss_optimization() -> dict[str, Any]:
        """Each loss on small arrays, and training with three of them; prints, and returns what it measured."""
        return demonstrations.demonstrate_losses()


class Optimizers:
    """Optimizers of a model: a torch.nn.Module, a flax.nnx.Module or a tree of JAX parameters (`lossopt.loop.optimizer_for`)."""

    @staticmethod
    def sgd_optimizer(model: Any, lr: float = 0.01, momentum: float = 0.0, **hyperparameters: Any) -> Any:
        """Stochastic gradient descent; ``momentum``, ``nesterov``, ``weight_decay``: `lossopt.optimizers.sgd`."""
        return loop.optimizer_for(model, "sgd", lr=lr, momentum=momentum, **hyperparameters)

    @staticmethod
    def adam_optimizer(model: Any, lr: float = 0.001, **hyperparameters: Any) -> Any:
        """Adam; ``betas``, ``eps``, ``amsgrad``: `lossopt.optimizers.adam`."""
        return loop.optimizer_for(model, "adam", lr=lr, **hyperparameters)

    @staticmethod
    def adamw_optimizer(model: Any, lr: float = 0.001, **hyperparameters: Any) -> Any:
        """Adam with decoupled weight decay; ``weight_decay``: `lossopt.optimizers.adamw`."""
        return loop.optimizer_for(model, "adamw", lr=lr, **hyperparameters)

    @staticmethod
    def rmsprop_optimizer(model: Any, lr: float = 0.01, **hyperparameters: Any) -> Any:
        """RMSprop; ``alpha``, ``momentum``, ``centered``: `lossopt.optimizers.rmsprop`."""
        return loop.optimizer_for(model, "rmsprop", lr=lr, **hyperparameters)

    @staticmethod
    def adagrad_optimizer(model: Any, lr: float = 0.01, **hyperparameters: Any) -> Any:
        """Adagrad: `lossopt.optimizers.adagrad`."""
        return loop.optimizer_for(model, "adagrad", lr=lr, **hyperparameters)

    @staticmethod
    def adadelta_optimizer(model: Any, lr: float = 1.0, **hyperparameters: Any) -> Any:
        """Adadelta; ``rho``: `lossopt.optimizers.adadelta`."""
        return loop.optimizer_for(model, "adadelta", lr=lr, **hyperparameters)

    @staticmethod
    def lion_optimizer(model: Any, lr: float = 1e-4, **hyperparameters: Any) -> Any:
        """Lion, with or without the package lion-pytorch; ``betas``, ``weight_decay``: `lossopt.optimizers.lion`."""
        return loop.optimizer_for(model, "lion", lr=lr, **hyperparameters)

    @staticmethod
    def custom_optimizer(model: Any, optimizer: Any, **hyperparameters: Any) -> Any:
        """Any optimizer by name, spec or function: ``custom_optimizer(model, torch.optim.NAdam, lr=1e-3)``."""
        return loop.optimizer_for(model, optimizer, **hyperparameters)


class LearningRateSchedulers:
    """Schedulers of an optimizer, a torch.optim.Optimizer or an nnx.Optimizer (`lossopt.loop.scheduler_for`).

    They begin at the optimizer's own learning rate; one_cycle has it as its peak.
    """

    @staticmethod
    def step_scheduler(optimizer: Any, step_size: int = 30, gamma: float = 0.1, **hyperparameters: Any) -> Any:
        """Times ``gamma`` every ``step_size`` steps: `lossopt.schedules.step`."""
        return loop.scheduler_for(optimizer, "step", step_size=step_size, gamma=gamma, **hyperparameters)

    @staticmethod
    def exponential_scheduler(optimizer: Any, gamma: float = 0.95, **hyperparameters: Any) -> Any:
        """Times ``gamma`` every step: `lossopt.schedules.exponential`."""
        return loop.scheduler_for(optimizer, "exponential", gamma=gamma, **hyperparameters)

    @staticmethod
    def cosine_scheduler(optimizer: Any, T_max: int = 100, eta_min: float = 0.0, **hyperparameters: Any) -> Any:
        """Half a cosine down to ``eta_min`` in ``T_max`` steps: `lossopt.schedules.cosine`."""
        return loop.scheduler_for(optimizer, "cosine", T_max=T_max, eta_min=eta_min, **hyperparameters)

    @staticmethod
    def cosine_warm_restart_scheduler(optimizer: Any, T_0: int = 10, T_mult: int = 1, eta_min: float = 0.0, **hyperparameters: Any) -> Any:
        """Half cosines, the first of ``T_0`` steps, each ``T_mult`` times as long: `lossopt.schedules.cosine_warm_restarts`."""
        return loop.scheduler_for(optimizer, "cosine_warm_restarts", T_0=T_0, T_mult=T_mult, eta_min=eta_min, **hyperparameters)

    @staticmethod
    def reduce_lr_on_plateau_scheduler(optimizer: Any, patience: int = 10, factor: float = 0.1, **hyperparameters: Any) -> Any:
        """Times ``factor`` when a metric has not improved for ``patience`` calls of ``step(metric)``: `reduce_on_plateau`."""
        return loop.scheduler_for(optimizer, "reduce_on_plateau", patience=patience, factor=factor, **hyperparameters)

    @staticmethod
    def one_cycle_scheduler(optimizer: Any, total_steps: int = 100, **hyperparameters: Any) -> Any:
        """Up to the optimizer's learning rate and down, in ``total_steps``; in JAX with ``cycle_momentum=False``: `one_cycle`."""
        return loop.scheduler_for(optimizer, "one_cycle", total_steps=total_steps, **hyperparameters)

    @staticmethod
    def custom_scheduler(optimizer: Any, scheduler: Any, **hyperparameters: Any) -> Any:
        """Any schedule by name or spec, or a function of the step that gives a factor: ``lambda step: 0.95**step``."""
        return loop.scheduler_for(optimizer, scheduler, **hyperparameters)


class LossOptimizationAnalyzer:
    """Questions about a training run, on the class or on an instance (`lossopt.analysis`)."""

    analyze_loss_landscape = staticmethod(analysis.analyze_loss_landscape)
    analyze_gradient_flow = staticmethod(analysis.analyze_gradient_flow)
    check_optimization_convergence = staticmethod(analysis.check_optimization_convergence)


class CustomLossOptimizationSchemes:
    """``(loss_fn, optimizer, scheduler)`` by task (`lossopt.schemes`)."""

    classification_scheme = staticmethod(schemes.classification_scheme)
    regression_scheme = staticmethod(schemes.regression_scheme)
    segmentation_scheme = staticmethod(schemes.segmentation_scheme)
    metric_learning_scheme = staticmethod(schemes.metric_learning_scheme)


class AdvancedLossOptimizationExamples:
    """Small real trainings that print what they do and return what they measured.

    Args:
        backends: ``("torch", "jax")`` or one of them; by default those that are installed.
        steps: how long each training is; all of them take about a minute with the 300 of the default.
    """

    def __init__(self, backends: tuple[str, ...] | None = None, steps: int = demonstrations.STEPS) -> None:
        self.backends = demonstrations.available() if backends is None else tuple(backends)
        self.steps = steps
        if not self.backends:
            raise InputError("the examples train models, and neither PyTorch nor JAX with Flax is installed: pip install 'lossopt[torch]'")

    def run_all_advanced_examples(self) -> dict[str, Any]:
        """Every demonstration of this class, one after the other."""
        return {
            "task_specific_schemes": self.demonstrate_task_specific_schemes(),
            "custom_model_integration": self.demonstrate_custom_model_integration(),
            "optimizers": demonstrations.demonstrate_optimizers(self.backends, self.steps),
            "schedulers": demonstrations.demonstrate_schedulers(self.backends, self.steps),
        }

    def demonstrate_task_specific_schemes(self) -> dict[str, Any]:
        """Each scheme on a real task, with the score on held-out data."""
        return demonstrations.demonstrate_schemes(self.backends, self.steps)

    def demonstrate_custom_model_integration(self, models: Mapping[str, demonstrations.Case] | None = None) -> dict[str, Any]:
        """A classification scheme and every analysis on models of yours.

        Args:
            models: ``{name: (model, data, targets, num_classes)}``, models of either framework with NumPy arrays;
                by default the built-in perceptron and convolutional network on handwritten digits.
        """
        return demonstrations.demonstrate_models(models, self.backends, self.steps)


def _with(loss: Callable[..., Any], hyperparameters: Mapping[str, Any]) -> Callable[..., Any]:
    """A function with some of its arguments given, which keeps its name."""
    if not hyperparameters:
        return loss

    def configured(*arrays: Any, **more: Any) -> Any:
        return loss(*arrays, **{**hyperparameters, **more})

    configured.__name__ = getattr(loss, "__name__", type(loss).__name__)
    configured.__doc__ = loss.__doc__
    return configured
