"""A precision in PyTorch: autocast, GradScaler and activation checkpointing.

The interface is that of `lossopt.precision`, and lossopt_jax.precision has the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.utils.checkpoint import checkpoint as torch_checkpoint

from lossopt.definition import Spec
from lossopt.errors import ArgumentError, InputError
from lossopt.precision import Precision, check_reduction, chosen, parts_of
from lossopt_torch.curvature import for_optimizer

HALF = (torch.bfloat16, torch.float16)


class Policy:
    """What a training loop asks of a precision in PyTorch.

    Mixed precision is autocast: matrix products and convolutions in half precision, norms, softmax and losses in
    float32.  (On the CPU autocast leaves nn.GRU and nn.LSTM in float32.)  The loss scale is a GradScaler, made for the
    device of the first loss.

    Args:
        precision: dtypes and loss scale.

    Example:
        >>> policy = Precision.of("bfloat16").part("torch")
        >>> model = policy.cast_model(nn.Linear(2, 1))
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> loss = policy.step(model, optimizer, lambda m, x: policy.forward(m, x).square().mean(), torch.ones(4, 2))
        >>> loss.dtype, model.weight.grad.dtype
        (torch.float32, torch.float32)
    """

    def __init__(self, precision: Precision) -> None:
        self.precision = precision
        self.compute: torch.dtype = getattr(torch, precision.compute)
        self.params: torch.dtype = getattr(torch, precision.params)
        self._scaler: GradScaler | None = None
        self._saved: dict[str, Any] = {}

    # -- what every loop says
    def cast_model(self, model: nn.Module) -> nn.Module:
        """The model itself, its floating-point parameters and buffers now in the precision's `params`."""
        return model.to(self.params)

    def rule(self, spec: Spec) -> Spec:
        """The optimizer to emit: the spec itself, for GradScaler stands beside an optimizer."""
        return spec

    def forward(self, function: Callable[..., Any], *inputs: Any) -> Any:
        """``function(*inputs)`` computed in the precision's `compute`; half-precision outputs come back as float32.

        Args:
            function: a module, or a function of tensors.
            *inputs: tensors, or tuples, lists and dicts of them; floating-point ones take the parameters' dtype first.

        Raises:
            InputError: autocast knows nothing of the inputs' device.
        """
        inputs = tuple(_mapped(self._cast, x) for x in inputs)
        if not self.precision.mixed:
            return _mapped(_float32, function(*inputs))
        device = _device(inputs, function)
        if not torch.amp.is_autocast_available(device):
            raise InputError(f"autocast has no {self.precision.compute} for the device {device!r}: write compute='float32'")
        with torch.autocast(device, dtype=self.compute):
            outputs = function(*inputs)
        return _mapped(_float32, outputs)

    def step(self, model: nn.Module, optimizer: torch.optim.Optimizer, loss_of: Callable[..., Tensor], *batch: Any, parts: int = 1,
             reduction: str = "mean") -> Tensor:  # fmt: skip
        """One update; the loss before it.

        Args:
            model: as `cast_model` left it.
            optimizer: of the model's parameters.
            loss_of: ``(model, *batch) -> loss``, which calls `forward`.
            *batch: tensors whose first axis counts samples.
            parts: of how many equal micro-batches, one after the other, the gradient is gathered.
            reduction: what `loss_of` does with its samples: ``"mean"`` or ``"sum"``.

        Raises:
            ArgumentError: a rule that evaluates the loss at other points (sam), together with a loss scale.
            InputError: the batch has no so many equal parts.
        """

        def closure() -> Tensor:
            optimizer.zero_grad()
            return self.gradients(loss_of, model, *batch, parts=parts, reduction=reduction)

        loss = closure()
        asks = getattr(getattr(optimizer, "spec", None), "asks", ())
        if "evaluate" in asks:
            self.update(optimizer, closure=closure)
        else:
            more = {"hessian": lambda step: for_optimizer(optimizer, lambda: loss_of(model, *batch), step)} if "hessian" in asks else {}
            self.update(optimizer, **more, **({"value": loss} if "value" in asks else {}))
        return loss

    # -- its pieces
    def gradients(self, loss_of: Callable[..., Tensor], model: nn.Module, *batch: Any, parts: int = 1,
                  reduction: str = "mean") -> Tensor:  # fmt: skip
        """Add the loss's gradients, times the scale, to every ``p.grad``; the loss, detached.  Arguments as in `step`."""
        check_reduction(reduction)
        if parts == 1:
            loss = loss_of(model, *batch)
            self.backward(loss)
            return loss.detach()
        total: Any = 0.0
        for part in parts_of(batch, parts):
            loss = loss_of(model, *part)
            loss = loss / parts if reduction == "mean" else loss
            self.backward(loss)
            total = total + loss.detach()
        return total

    def backward(self, loss: Tensor) -> None:
        """``loss.backward()`` of the loss times the scale."""
        (loss if self.precision.scale is None else self._scaler_for(loss.device.type).scale(loss)).backward()

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Divide the gradients by the scale, in place, to look at them or to clip them; once before an update."""
        if self.precision.scale is not None:
            self._scaler_in_use().unscale_(optimizer)

    def update(self, optimizer: torch.optim.Optimizer, **given: Any) -> None:
        """``optimizer.step(**given)``, unless there is a loss scale and a gradient is not finite; then adapt the scale."""
        if self.precision.scale is None:
            optimizer.step(**given)
            return
        if "closure" in given:
            raise ArgumentError(f"{getattr(optimizer, 'spec', type(optimizer).__name__)!r} takes further gradients, of the loss without "
                                "its scale: leave the loss scale out, as with bfloat16")  # fmt: skip
        scaler = self._scaler_in_use()
        scaler.step(optimizer, **given)
        scaler.update(None if self.precision.loss_scale == "dynamic" else self.precision.scale["init_scale"])

    def loss_scale(self, optimizer: Any = None) -> float:
        """The scale in force; 1.0 where there is none."""
        if self.precision.scale is None:
            return 1.0
        if self._scaler is not None:
            return self._scaler.get_scale()
        return float(self._saved.get("scale", self.precision.scale["init_scale"]))

    # -- to be saved
    def state_dict(self) -> dict[str, Any]:
        """GradScaler's numbers; empty without a loss scale, or before the first loss."""
        return dict(self._saved) if self._scaler is None else self._scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from saved numbers."""
        self._saved = dict(state)
        if self._scaler is not None and state:
            self._scaler.load_state_dict(state)

    def _scaler_for(self, device: str) -> GradScaler:
        if self._scaler is None:
            scale = self.precision.scale or {}
            fixed = self.precision.loss_scale != "dynamic"  # GradScaler insists on factors that change the scale; `update` puts it back
            self._scaler = GradScaler(device, init_scale=scale["init_scale"]) if fixed else GradScaler(device, **scale)  # type: ignore[arg-type]
            if self._saved:
                self._scaler.load_state_dict(self._saved)
        return self._scaler

    def _scaler_in_use(self) -> GradScaler:
        if self._scaler is None:
            raise InputError("no loss has been scaled yet: call policy.backward(loss), not loss.backward()")
        return self._scaler

    def _cast(self, x: Tensor) -> Tensor:
        return x.to(self.params) if x.is_floating_point() else x

    def __repr__(self) -> str:
        return f"torch policy {self.precision!r}"


# ------------------------------------------------------------------------------------------------- memory
def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which keeps its inputs only and computes the rest again in the backward pass.

    ``torch.utils.checkpoint`` without reentrance; random numbers (dropout) are those of the first time.

    Args:
        function: of tensors; a module too.

    Example:
        >>> x = torch.ones(3, requires_grad=True)
        >>> checkpoint(lambda x: x.exp().sin())(x).sum().backward()
        >>> x.grad is not None
        True
    """
    return functools.partial(torch_checkpoint, function, use_reentrant=False)


def checkpoint_modules(model: nn.Module, *patterns: str) -> nn.Module:
    """The model itself, the modules of these names now checkpointed; names and parameters stay as they are.

    Args:
        model: whose modules they are.
        *patterns: names as in ``named_modules()``, with shell wildcards: ``"blocks.*"``.  Of modules inside each other
            the outer one is taken.

    Raises:
        ArgumentError: a pattern that matches nothing.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
        >>> checkpoint_modules(model, "0") is model
        True
    """
    modules = dict(model.named_modules())
    for name in chosen([n for n in modules if n], patterns):
        module: Any = modules[name]
        if getattr(module.forward, "func", None) is not torch_checkpoint:
            module.forward = checkpoint(module.forward)
    return model


# ------------------------------------------------------------------------------------------------- tensors
def _mapped(function: Callable[[Tensor], Tensor], x: Any) -> Any:
    """Every tensor among nested tuples, lists and dicts."""
    if isinstance(x, Tensor):
        return function(x)
    if isinstance(x, dict):
        return type(x)((k, _mapped(function, v)) for k, v in x.items())
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(_mapped(function, v) for v in x))
    return type(x)(_mapped(function, v) for v in x) if isinstance(x, tuple | list) else x


def _float32(x: Tensor) -> Tensor:
    return x.float() if x.dtype in HALF else x


def _device(inputs: tuple[Any, ...], function: Any) -> str:
    """The kind of device on which a module has its parameters, else that of the first tensor given."""
    found: list[Tensor] = []
    found.extend(function.parameters() if isinstance(function, nn.Module) else ())
    if not found:
        _mapped(lambda x: found.append(x) or x, inputs)  # type: ignore[func-returns-value]
    return found[0].device.type if found else "cpu"
