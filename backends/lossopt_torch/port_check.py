"""PyTorch's side of ``lossopt port-check``: the plain loop, recorded, and what a forward pass shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import lossopt
from lossopt.errors import InputError
from lossopt.port_check import side
from lossopt.port_check.given import TORCH, Given, check_number
from lossopt.port_check.known import BATCH, EXACT, RUNNING, TANH
from lossopt.port_check.side import ARRAYS, Seen
from lossopt.port_check.source import told
from lossopt_torch.described import named


class Side(side.Side):
    """A ``torch.nn.Module`` and its loop.

    Args:
        made: what the user's function returned; `lossopt.port_check` says what that is.
        label: the function's name, for errors.
    """

    def __init__(self, made: Any, label: str) -> None:
        given = Given(made, TORCH, label)
        self.model: nn.Module = given.need("model", nn.Module)
        self.optimizer: torch.optim.Optimizer = given.need("optimizer", torch.optim.Optimizer)
        self.before_step = given.call("before_step", needed=False)
        self.scheduler = given.get("scheduler")
        if self.scheduler is not None and not callable(getattr(self.scheduler, "step", None)):
            raise given.wrong("scheduler")
        super().__init__(given, label)
        self._check_parameters()

    def _check_parameters(self) -> None:
        own = {id(p) for _, p in named(self.model)}
        if not any(id(p) in own for group in self.optimizer.param_groups for p in group["params"]):
            raise InputError(f"{self.label}: 'optimizer' has none of the model's parameters; make it of model.parameters()")

    # -- what both sides are given
    def parameters(self) -> dict[str, np.ndarray]:
        return {name: _array(p) for name, p in named(self.model)}

    @torch.no_grad()
    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        for name, p in named(self.model):
            if name in weights:
                p.copy_(torch.from_numpy(np.array(weights[name], np.float64)))

    def statistics(self) -> dict[str, np.ndarray]:
        return {name: _array(x) for name, x in self._statistics()}

    @torch.no_grad()
    def load_statistics(self, found: Mapping[str, np.ndarray]) -> None:
        for name, x in self._statistics():
            if name in found:
                x.copy_(torch.from_numpy(np.array(found[name], np.float64)))

    def _statistics(self) -> Iterator[tuple[str, Tensor]]:
        for name, x in self.model.named_buffers():
            module, _, leaf = name.rpartition(".")
            if leaf in ("running_mean", "running_var"):
                yield f"{module}.{leaf.removeprefix('running_')}", x

    # -- the loop
    def begin(self, folder: Path, steps: int, channels_last: Sequence[bool]) -> None:
        del channels_last  # it is PyTorch's order that both are recorded in
        self._run = lossopt.record(folder, self.model, self.optimizer, first=ARRAYS, every=max(steps - 1, 0), logits=True)

    def _step(self, batch: tuple[Any, ...]) -> None:
        *inputs, labels = (self._tensor(x) for x in batch)
        self.optimizer.zero_grad()
        with told(f"{self.label}: model(*inputs)"):
            outputs = self.model(*inputs)
        with told(f"{self.label}: loss(outputs, labels)"):
            loss = self.loss(outputs, labels)
        if not isinstance(loss, Tensor):
            raise InputError(f"{self.label}: loss(outputs, labels) gave a {type(loss).__name__}, and must give a tensor of one number")
        check_number(tuple(loss.shape), self.label)
        self._run.labels(labels)
        with told(f"{self.label}: loss.backward()"):
            loss.backward()
        if self.before_step is not None:
            with told(f"{self.label}: before_step(model)"):
                self.before_step(self.model)
        with told(f"{self.label}: optimizer.step()"):
            self.optimizer.step()
        if self.scheduler is not None:
            with told(f"{self.label}: scheduler.step()"):
                self.scheduler.step()

    def _settle(self) -> None:
        """The recorder writes a step when the next one begins, and waits for nothing else."""

    def _tensor(self, x: Any) -> Tensor:
        """On the model's device; NumPy's floating-point numbers in its precision."""
        like = next((p for _, p in named(self.model) if p.is_floating_point()), torch.empty(0))
        if isinstance(x, Tensor):
            return x.to(like.device)
        made = torch.from_numpy(np.array(x))
        return made.to(like.device, like.dtype if made.is_floating_point() else made.dtype)

    # -- what can be seen
    def seen(self) -> list[Seen]:
        inputs = [self._tensor(x) for x in self._first[:-1]]
        with torch.no_grad(), Look(self.model) as look:
            self.model(*inputs)
        return [*self._of_modules(), *look.seen]

    def _of_modules(self) -> Iterator[Seen]:
        for name, module in self.model.named_modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.track_running_stats:
                yield Seen("statistics", BATCH if module.training else RUNNING, name)
                if module.momentum is not None:
                    yield Seen("momentum", module.momentum, name)
        if any(isinstance(m, nn.modules.conv._ConvNd) for m in self.model.modules()):
            yield Seen("convolution", "")


class Look(TorchDispatchMode):
    """What the operations of a forward pass say of themselves, in order, with the module that they are called in.

    Attributes:
        seen: every eps, kind of gelu and draw of dropout.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.seen: list[Seen] = []
        self._inside: list[str] = []
        self._hooks = [h for name, m in model.named_modules() for h in self._watch(name, m)]
        self._added: tuple[int, float] | None = None

    def _watch(self, name: str, module: nn.Module) -> tuple[Any, ...]:
        def enter(*_: Any) -> None:
            self._inside.append(name)

        def leave(*_: Any) -> None:
            self._inside.pop()

        return module.register_forward_pre_hook(enter), module.register_forward_hook(leave)

    def __exit__(self, *error: Any) -> None:
        for hook in self._hooks:
            hook.remove()
        super().__exit__(*error)

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        names = [a.name for a in func._schema.arguments]
        given = {a.name: a.default_value for a in func._schema.arguments} | dict(zip(names, args, strict=False)) | kwargs
        kind = func._schema.name.rpartition("::")[2]
        result = func(*args, **kwargs)
        if isinstance(eps := given.get("eps", given.get("epsilon")), float):
            self._add("eps", eps)
        elif kind == "gelu":
            self._add("gelu", EXACT if given["approximate"] == "none" else TANH)
        elif "bernoulli" in kind or "dropout" in kind:
            self._add("dropout", "drawn")
        elif kind in ("rsqrt", "sqrt") and self._added is not None and id(given["self"]) == self._added[0]:
            self._add("eps", self._added[1])
        # A normalisation of several operations: a number is added, and the root is the next to take it.
        other = given.get("other")
        self._added = (id(result), float(other)) if kind in ("add", "add_") and isinstance(other, int | float) else None
        return result

    def _add(self, kind: str, value: float | str) -> None:
        self.seen.append(Seen(kind, value, self._inside[-1] if self._inside else ""))


def _array(x: Tensor) -> np.ndarray:
    x = x.detach().cpu()
    return (x.float() if x.dtype in (torch.bfloat16, torch.float16) else x).numpy().copy()
