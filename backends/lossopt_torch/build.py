"""A recipe in PyTorch: a loss, a torch.optim optimizer, an LR scheduler, and the step that trains with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from lossopt import get_loss, get_optimizer, get_schedule
from lossopt.errors import InputError
from lossopt.precision import Precision
from lossopt.recipes import Recipe
from lossopt.recipes.build import Built as Base
from lossopt.recipes.build import Seen
from lossopt.tasks.task import predictions_and_targets
from lossopt_torch.curvature import for_optimizer
from lossopt_torch.precision import Policy, checkpoint_modules


class Built(Base):
    """A recipe for a module, which is trained in place.

    Args:
        recipe: what to make.
        model: the module; the precision's dtype and checkpointing are set on it.
        arguments: ``(predictions, targets) -> the loss's arguments``.
    """

    backend = "torch"

    def __init__(self, recipe: Recipe, model: nn.Module, *,
                 arguments: Callable[[Any, Any], tuple[Any, ...]] = predictions_and_targets) -> None:  # fmt: skip
        if not isinstance(model, nn.Module):
            raise InputError(f"a recipe is built for a torch.nn.Module, got {type(model).__name__}; give the model itself")
        super().__init__(recipe, model, arguments)
        self.policy: Policy = (recipe.precision or _as_it_is(model)).part("torch")
        if recipe.precision is not None:
            self.policy.cast_model(model)
        if recipe.checkpointed:
            checkpoint_modules(model, *recipe.checkpointed)
        self.loss_fn = get_loss(recipe.loss, "torch")
        self.optimizer = get_optimizer(self.policy.rule(recipe.optimizer), "torch", params=model.named_parameters(), groups=recipe.groups)
        self._base = _base_group(self.optimizer, recipe)
        self.scheduler = get_schedule(recipe.schedule, "torch", optimizer=self.optimizer) if recipe.schedule else None
        self._reduction = recipe.reduction if recipe.accumulate > 1 else "mean"

    def _step(self, inputs: Any, targets: Any, *, observe: bool) -> tuple[Seen, Any]:
        said: list[Tensor] = []
        batch = self._on_device(inputs, targets)

        def closure() -> Tensor:
            self.optimizer.zero_grad()
            return self._gradients(batch)

        self.optimizer.zero_grad()
        loss = self._gradients(batch, said)
        scale = self.policy.loss_scale(self.optimizer)
        norm = self._norm() / scale if self.recipe.analysis else None
        gradients = {name: _gradient(p) / scale for name, p in self.model.named_parameters()} if observe else None
        lr = float(self.optimizer.param_groups[self._base][name]) if (name := self.recipe.lr_name) else None
        asks = self.recipe.optimizer.asks
        if "evaluate" in asks:
            self.policy.update(self.optimizer, closure=closure)
        else:
            more = {"hessian": lambda step: self._hessian(batch, step)} if "hessian" in asks else {}
            self.policy.update(self.optimizer, **more, **({"value": loss} if "value" in asks else {}))
        if self.scheduler is not None:
            self.scheduler.step()
        return Seen(loss, lr, torch.cat(said) if observe else None, gradients), norm

    def _gradients(self, batch: tuple[Any, Any], said: list[Tensor] | None = None) -> Tensor:
        """Every ``p.grad``, and the loss; predictions are appended to `said`."""

        def loss_of(model: nn.Module, inputs: Any, targets: Any) -> Tensor:
            return self._loss(model, inputs, targets, said)

        return self.policy.gradients(loss_of, self.model, *batch, parts=self.recipe.accumulate, reduction=self._reduction)

    def _loss(self, model: nn.Module, inputs: Any, targets: Any, said: list[Tensor] | None = None) -> Tensor:
        predictions = self.policy.forward(model, inputs)
        if said is not None:
            said.append(predictions.detach())
        return self.loss_fn(*self.arguments(predictions, targets))

    def _hessian(self, batch: tuple[Any, Any], step: int) -> list[Tensor]:
        return for_optimizer(self.optimizer, lambda: self._loss(self.model, *batch), step, self.recipe.seed)

    def _norm(self) -> Tensor:
        norms = [torch.linalg.vector_norm(p.grad) for p in self.model.parameters() if p.grad is not None]
        return torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.zeros(())

    @torch.no_grad()
    def predict(self, inputs: Any) -> Tensor:
        modes = {module: module.training for module in self.model.modules()}
        self.model.eval()
        moves = hasattr(self.optimizer, "eval")  # schedule-free, EMA: the parameters to evaluate are others
        if moves:
            self.optimizer.eval()
        try:
            return self.policy.forward(self.model, inputs)
        finally:
            if moves:
                self.optimizer.train()
            for module, training in modes.items():
                module.training = training

    def probed(self) -> nn.Module:
        return self.model

    def _on_device(self, inputs: Any, targets: Any) -> tuple[Any, Any]:
        return tuple(self._cast(x) for x in (inputs, targets))  # type: ignore[return-value]

    def _cast(self, x: Any) -> Any:
        """Floating-point arrays as predictions come back: in float32, or in float64."""
        wide = torch.float64 if self.policy.params == torch.float64 else torch.float32
        return x.to(wide) if isinstance(x, Tensor) and x.is_floating_point() else x


def _as_it_is(model: nn.Module) -> Precision:
    """The precision that a module has."""
    found = {str(p.dtype).removeprefix("torch.") for p in model.parameters() if p.is_floating_point()}
    if len(found) > 1:
        raise InputError(f"the model's parameters are of several dtypes ({', '.join(sorted(found))}): say one in the recipe, "
                         "precision='float32'")  # fmt: skip
    dtype: Any = found.pop() if found else "float32"
    if dtype == "float16":
        raise InputError("the model's parameters are float16, in which small updates are lost: leave them in float32 and write "
                         "precision='float16'")  # fmt: skip
    return Precision(dtype, dtype)


def _base_group(optimizer: torch.optim.Optimizer, recipe: Recipe) -> int:
    """The parameter group whose learning rate is the recipe's own, which reports show: one that `groups` leaves as it is."""
    name = recipe.lr_name
    same = (i for i, group in enumerate(optimizer.param_groups) if name and group[name] == recipe.optimizer.flat[name])
    return next(same, 0)


def named_shapes(model: nn.Module) -> dict[str, tuple[str, tuple[int, ...]]]:
    """By each parameter's own name the name that it has in PyTorch, which is the same, and its shape."""
    return {name: (name, tuple(p.shape)) for name, p in model.named_parameters()}


def embeddings(model: nn.Module) -> set[str]:
    """The names of the parameters that are tables of embeddings."""
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding | nn.EmbeddingBag)}
    return {name for name, p in model.named_parameters() if id(p) in tables}


def _gradient(p: Tensor) -> Tensor:
    return torch.zeros_like(p) if p.grad is None else p.grad.clone()
