"""Who is told of ``Tensor.backward`` and ``GradScaler.scale``, for as long as somebody listens."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor


class Listener(Protocol):
    """What wants to know of every backward pass of one number."""

    def before_backward(self) -> None: ...

    def after_backward(self, loss: Tensor, scale: Tensor | None) -> None:
        """`scale` is the factor that a GradScaler has put on the loss."""
        ...


class Watch:
    """The two functions of PyTorch that say what is being minimised, each under a wrapper while there are listeners."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self._own: dict[str, tuple[Any, Callable[..., Any]]] = {}
        self._scale: Tensor | None = None
        self._scaled = 0

    def add(self, listener: Listener) -> None:
        if not self._own:
            self._wrap("backward", torch.Tensor, self._backward)
            self._wrap("scale", torch.amp.GradScaler, self._scaling)
        self.listeners.append(listener)

    def remove(self, listener: Listener) -> None:
        self.listeners.remove(listener)
        if not self.listeners:
            for name, (owner, wrapper) in list(self._own.items()):
                if getattr(owner, name) is wrapper:  # else somebody has wrapped ours since: it stays, and tells nobody
                    setattr(owner, name, wrapper.__wrapped__)  # type: ignore[attr-defined]
                del self._own[name]

    def _wrap(self, name: str, owner: Any, around: Callable[..., Any]) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
            return around(original, self, *args, **kwargs)

        self._own[name] = owner, wrapper
        setattr(owner, name, wrapper)

    def _backward(self, original: Callable[..., Any], loss: Tensor, *args: Any, **kwargs: Any) -> Any:
        listening = list(self.listeners) if loss.numel() == 1 and not torch.compiler.is_compiling() else []
        for listener in listening:
            listener.before_backward()
        result = original(loss, *args, **kwargs)
        scale = self._scale if self._scaled > 0 else None
        self._scaled -= 1
        for listener in listening:
            listener.after_backward(loss.detach(), scale)
        return result

    def _scaling(self, original: Callable[..., Any], scaler: Any, outputs: Any) -> Any:
        scaled = original(scaler, outputs)
        if scaler.is_enabled():
            several = [outputs] if isinstance(outputs, Tensor) else list(outputs)
            self._scale = original(scaler, torch.ones((), device=several[0].device))
            self._scaled = len(several)
        return scaled


watch = Watch()
