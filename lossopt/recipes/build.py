"""A recipe made into a framework's objects: what is the same in every framework."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lossopt import loop, registry
from lossopt.errors import InputError, UnknownNameError
from lossopt.recipes.recipe import Recipe
from lossopt.tasks.task import predictions_and_targets

TRAINERS = ("jax", "torch")
LANDSCAPE_POINTS = 25
"""How many points of the loss landscape a report looks at."""


def build(recipe: Recipe, backend: str, model: Any, **options: Any) -> Built:
    """The recipe for a model; see `Recipe.build`."""
    found = registry.backend(backend)
    if backend not in TRAINERS:
        raise UnknownNameError(f"backend {backend!r} trains no model; a recipe is built for {' or '.join(TRAINERS)}")
    framework = loop.framework_of(model)
    if framework != backend:
        raise InputError(f"the model is {framework}'s: write recipe.build({framework!r}, model)")
    return found.part("build").Built(recipe, model, **options)


@dataclass(frozen=True)
class Seen:
    """One training step, in the framework's own arrays.

    Attributes:
        loss: of the batch, before the update.
        lr: the learning rate that the update used; None where the optimizer has none.
        predictions: what the model said of the batch.
        gradients: by the parameters' own names, before any clipping and without a loss scale.
    """

    loss: Any
    lr: Any
    predictions: Any = None
    gradients: Mapping[str, Any] | None = None


class Built(abc.ABC):
    """A recipe in one framework: its three objects, and the step that trains with them.

    Attributes:
        recipe: what it was made of.
        model: what it trains.
        loss_fn: the loss, ``loss_fn(predictions, targets)``.
        optimizer: torch: a ``torch.optim.Optimizer``; jax: an optax transformation, whose state is ``state``.
        scheduler: torch: an LRScheduler; jax: a function of the count, which the optimizer calls by itself.  None
            without a schedule.
        monitor: times every step, where the recipe's `monitoring` is on; else None.
        history: ``"lr"`` of every step with `monitoring`; ``"loss"`` and ``"gradient_norm"`` with `analysis`.
    """

    backend: str
    loss_fn: Any
    optimizer: Any
    scheduler: Any

    def __init__(self, recipe: Recipe, model: Any, arguments: Callable[[Any, Any], tuple[Any, ...]] = predictions_and_targets) -> None:
        self.recipe, self.model, self.arguments = recipe, model, arguments
        self.history: dict[str, list[Any]] = {}
        self.monitor: Any = None
        if recipe.monitoring:
            from lossopt.analysis import PerformanceMonitor

            self.monitor, self.history["lr"] = PerformanceMonitor(), []
        if recipe.analysis:
            self.history |= {"loss": [], "gradient_norm": []}
        self._batch: tuple[Any, Any] | None = None

    # -- what a backend says
    @abc.abstractmethod
    def _step(self, inputs: Any, targets: Any, *, observe: bool) -> tuple[Seen, Any]:
        """One update; with `observe` predictions and gradients too.  And the gradients' norm, where analysis wants it."""

    @abc.abstractmethod
    def predict(self, inputs: Any) -> Any:
        """What the model, in evaluation mode and with the averaged parameters if there are such, says of inputs."""

    @abc.abstractmethod
    def probed(self) -> Any:
        """The model as `lossopt.analysis` takes it."""

    def settings(self) -> contextlib.AbstractContextManager[Any]:
        """What holds while this computes."""
        return contextlib.nullcontext()

    # -- one step
    def train_step(self, inputs: Any, targets: Any) -> Any:
        """One update: forward, loss, backward, accumulation, clipping, optimizer, schedule, moving average; the loss before it.

        Args:
            inputs: a batch, which the model is called with; the first axis counts samples.
            targets: what the loss holds the predictions against.

        Returns:
            The loss, an array of no axes.

        Raises:
            InputError: the batch has no `accumulate` equal parts.
        """
        return self._train(inputs, targets, observe=False).loss

    def observe(self, inputs: Any, targets: Any) -> Seen:
        """A `train_step` that also gives what it saw on the way."""
        return self._train(inputs, targets, observe=True)

    def _train(self, inputs: Any, targets: Any, *, observe: bool) -> Seen:
        with self.settings(), self._timed(len(inputs)) as done:
            seen, norm = self._step(inputs, targets, observe=observe)
            done(seen.loss)
        if self.recipe.monitoring:
            self.history["lr"].append(seen.lr)
        if self.recipe.analysis:
            self.history["loss"].append(seen.loss)
            self.history["gradient_norm"].append(norm)
            self._batch = inputs, targets
        return seen

    @contextlib.contextmanager
    def _timed(self, samples: int) -> Iterator[Callable[[Any], Any]]:
        if self.monitor is None:
            yield lambda result: result
            return
        with self.monitor.step(samples=samples) as done:
            yield done

    # -- what has been seen
    def report(self) -> dict[str, Any]:
        """What `monitoring` and `analysis` have found so far, in plain numbers.

        Returns:
            With monitoring ``{"monitoring": {"learning_rate", "step_time", "throughput", "peak_memory", ...}}``; with
            analysis ``{"analysis": {"convergence", "gradient_norm", "gradient_flow", "landscape"}}``, of which the last
            two look at the last batch with the parameters as they are now.

        Raises:
            InputError: no step has been made.
        """
        found: dict[str, Any] = {}
        if self.recipe.monitoring:
            found["monitoring"] = self._monitoring()
        if self.recipe.analysis:
            found["analysis"] = self._analysis()
        return found

    def _monitoring(self) -> dict[str, Any]:
        if len(self.monitor.times) == 1:
            self.monitor.warmup = 0  # the first step, which compiles, is all there is
        timed = dict(self.monitor.summary())
        timed.pop("times")
        rates = [None if lr is None else float(lr) for lr in self.history["lr"]]
        return {"learning_rate": rates, **timed}

    def _analysis(self) -> dict[str, Any]:
        from lossopt.analysis import analyze_gradient_flow, analyze_loss_landscape, check_optimization_convergence

        if self._batch is None:
            raise InputError("there is nothing to report yet: call train_step first")
        inputs, targets = self._batch

        def loss_fn(outputs: Any, targets: Any) -> Any:
            return self.loss_fn(*self.arguments(outputs, targets))

        with self.settings():
            model, batch = self.probed(), self._on_device(inputs, targets)
            flow = analyze_gradient_flow(model, loss_fn, *batch)
            landscape: dict[str, Any] = dict(analyze_loss_landscape(model, *batch, loss_fn, num_points=LANDSCAPE_POINTS, move_vectors=True))
        losses = [float(loss) for loss in self.history["loss"]]
        return {
            "convergence": dict(check_optimization_convergence(losses)),
            "gradient_norm": [float(norm) for norm in self.history["gradient_norm"]],
            "gradient_flow": flow,
            "landscape": {k: v.tolist() if hasattr(v, "tolist") else v for k, v in landscape.items()},
        }

    def _on_device(self, inputs: Any, targets: Any) -> tuple[Any, Any]:
        """A batch as the model takes it."""
        return inputs, targets

    def __repr__(self) -> str:
        return f"{self.recipe!r}\nbuilt for {self.backend}: {type(self.model).__name__}, {type(self.optimizer).__name__}"
