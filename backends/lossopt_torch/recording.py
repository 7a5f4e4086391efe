"""A PyTorch run recorded by hooks; `lossopt.record` says what of it is seen.

Whatever a step is measured by stays on its device until the step is over; then one vector per device goes to the host, and on
CUDA it is read a step later, when it has long arrived.
"""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lossopt.errors import InputError
from lossopt.recording.contents import Parameter, Step
from lossopt.recording.log import Log, Part, fields_of, with_loss
from lossopt.recording.plan import Plan, thinned
from lossopt_torch.alike import Alike
from lossopt_torch.described import averaged, buffers, check_average, inner, named, numbers, told
from lossopt_torch.measures import Norms, checksum, local, nonfinite, norms, tensors, wide, widened
from lossopt_torch.watch import watch

PASSES = 256
"""How many forward passes of one step are remembered: a model evaluated with gradients on must not fill the memory."""


def record(folder: str | Path, what: tuple[Any, ...], plan: Plan, *, logits: bool, overwrite: bool, loss_fn: Any = None,
           ema: Any = None) -> Run:  # fmt: skip
    """Hooks on a model and its optimizer."""
    models = [x for x in what if isinstance(x, nn.Module)]
    optimizers = [inner(x) for x in what if isinstance(x, torch.optim.Optimizer)]
    if len(models) != 1 or len(optimizers) != 1 or len(what) != 2:
        given = ", ".join(type(x).__name__ for x in what)
        raise InputError(f"record takes a model and one optimizer of it, got {given}: write lossopt.record(folder, model, optimizer), "
                         "and where there are several optimizers one recording for each, in a folder of its own")  # fmt: skip
    if loss_fn is not None and not isinstance(loss_fn, nn.Module):
        raise InputError(f"record: loss_fn is a torch.nn.Module such as nn.CrossEntropyLoss(), got {type(loss_fn).__name__}; "
                         "leave it out and tell the run its labels: run.labels(y)")  # fmt: skip
    if ema is not None:
        check_average(ema, models[0])
    distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
    log = Log(folder, "torch", plan, overwrite=overwrite, writes=not distributed or torch.distributed.get_rank() == 0)
    return Run(log, models[0], optimizers[0], loss_fn, ema, logits=logits)


@dataclass
class _Raw:
    """Gradients as a backward pass left them, and the factor of a GradScaler in them."""

    norms: list[Norms]
    scale: Tensor | None


@dataclass
class _Passes:
    """What the forward and backward passes before an update told: checksums by forward pass, and of labels."""

    losses: list[Tensor] = field(default_factory=list)
    raw: _Raw | None = None
    inputs: deque[list[Tensor]] = field(default_factory=lambda: deque(maxlen=PASSES))
    labels: deque[Tensor] = field(default_factory=lambda: deque(maxlen=PASSES))
    arrays: dict[str, Tensor] = field(default_factory=dict)

    def copy(self) -> _Passes:
        return _Passes([*self.losses], self.raw, self.inputs.copy(), self.labels.copy(), {**self.arrays})

    def keep(self, kind: str, x: Tensor) -> None:
        self.arrays[f"{kind}/{sum(name.startswith(f'{kind}/') for name in self.arrays)}"] = widened(x.detach()).clone()

    @property
    def batch(self) -> list[Tensor]:
        """The inputs of each pass and then its labels, as far as they can be told apart."""
        each, left = divmod(len(self.labels), max(1, len(self.inputs)))
        labels = iter(self.labels)
        found = [x for inputs in self.inputs for x in (*inputs, *(() if left else islice(labels, each)))]
        return [*found, *labels]


@dataclass
class _Step:
    """What an update is measured by; `parts` and `vectors` say and hold the same numbers."""

    lr: list[float | Tensor] = field(default_factory=list)
    numbers: dict[str, tuple[float, ...]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    vectors: list[Tensor] = field(default_factory=list)
    arrays: dict[str, Tensor] = field(default_factory=dict)

    def add(self, field: str, found: Sequence[Norms], factors: Mapping[str, float] | None = None) -> None:
        for names, values in found:
            self.parts.append(Part.by_name(field, names, factors))
            self.vectors.append(values)

    def add_numbers(self, field: str, values: Tensor) -> None:
        self.parts.append(Part(field, count=values.numel()))
        self.vectors.append(wide(values).reshape(-1))


class Run:
    """A recording under way; `lossopt.record` makes it.

    Attributes:
        folder: where it is written.
        steps: how many updates it has seen.
    """

    def __init__(self, log: Log, model: nn.Module, optimizer: torch.optim.Optimizer, loss_fn: nn.Module | None, ema: nn.Module | None, *,
                 logits: bool) -> None:  # fmt: skip
        self.folder, self.steps = log.folder, 0
        self._log, self._model, self._optimizer, self._ema, self._keeps_outputs = log, model, optimizer, ema, logits
        self._known: tuple[int, ...] = ()
        self._names: dict[Tensor, str] = {}
        self._alike: list[Alike] = []
        self._before: list[Alike] = []
        self._passes, self._step, self._on_way = _Passes(), _Step(), None
        self._hooks: list[Any] = []
        if not log.open:  # another process writes
            return
        self._describe()
        self._hooks = [optimizer.register_step_pre_hook(self._before_step), optimizer.register_step_post_hook(self._after_step),
                       model.register_forward_pre_hook(_Hook(self._on_inputs), with_kwargs=True)]  # fmt: skip
        if loss_fn is not None:
            self._hooks.append(loss_fn.register_forward_pre_hook(_Hook(self._on_loss_fn), with_kwargs=True))
        elif logits:
            self._hooks.append(model.register_forward_hook(_Hook(self._on_outputs)))
        watch.add(self)
        atexit.register(self.close)

    # -- what the user calls
    @torch.no_grad()
    def labels(self, *labels: Any) -> None:
        """The labels of a batch, before its update."""
        for y in tensors(labels):
            self._passes.labels.append(checksum(y))
            self._keep("labels", y)

    def close(self) -> None:
        """Write what is on its way, and let the model and the optimizer be what they were."""
        if not self._log.open:
            return
        self._arrive()
        for hook in self._hooks:
            hook.remove()
        watch.remove(self)
        atexit.unregister(self.close)
        self._log.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"recording of {self.steps} steps in {self.folder}"

    # -- the model
    @torch.no_grad()
    def _on_inputs(self, _: nn.Module, args: Any, kwargs: Mapping[str, Any]) -> None:
        if "labels" in kwargs:
            self.labels(kwargs["labels"])
        inputs = {name: x for name, x in kwargs.items() if name != "labels"}
        self._passes.inputs.append([checksum(x) for x in tensors((args, inputs))])

    def _on_outputs(self, _: nn.Module, _args: Any, outputs: Any) -> None:
        found = getattr(outputs, "logits", outputs)
        for x in islice((x for x in tensors(found) if x.is_floating_point()), 1):
            self._keep("logits", x)

    def _on_loss_fn(self, _: nn.Module, args: Any, kwargs: Any) -> None:
        found = [*tensors((args, kwargs))]
        for x in found[:1]:
            self._keep("logits", x)
        self.labels(found[1:2])

    def _keep(self, kind: str, x: Tensor) -> None:
        if self._keeps_outputs and self._log.plan.has_arrays(self.steps):
            self._passes.keep(kind, x)

    # -- the loss
    def before_backward(self) -> None:
        if all(p.grad is None for p in self._own()):  # they have been set to None: an accumulation begins
            self._passes.losses.clear()

    @torch.no_grad()
    def after_backward(self, loss: Tensor, scale: Tensor | None) -> None:
        self._describe()
        found = self._gradient_norms()
        if not found:  # another model's loss
            return
        value = wide(loss.reshape(()))
        self._passes.losses.append(value if scale is None else value / scale.to(value.device))
        self._passes.raw = _Raw(found, scale)

    # -- the optimizer
    @torch.no_grad()
    def _before_step(self, _: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._describe()
        self._step = _Step()
        self._before = [some for alike in self._alike if (some := alike.moving()).params]
        self._step.add("param_norms", [some.watch() for some in self._before], self._log.factors)
        if self.steps == 0:
            moving = {p for some in self._before for p in some.params}
            still = [(name, local(p)) for p, name in self._names.items() if p not in moving]
            self._step.add("param_norms", [norms((name,), [thinned(x, self._log.distances[name])]) for name, x in still], self._log.factors)
        if self._log.plan.has_arrays(self.steps):
            self._step.arrays |= {f"param/{name}": self._some(name, local(p)) for p, name in self._names.items()}
        closure = args[1] if len(args) > 1 else kwargs.get("closure")
        if not callable(closure):
            self._receive()
            return None
        told = self._telling(closure)
        return ((args[0], told, *args[2:]), kwargs) if len(args) > 1 else (args, {**kwargs, "closure": told})

    def _telling(self, closure: Callable[[], Any]) -> Callable[[], Any]:
        """The closure; after its first call the gradients are what the optimizer receives, and of the others nothing is kept."""
        first: list[_Passes] = []

        def call() -> Any:
            result = closure()
            if not first:
                if not self._passes.losses and isinstance(result, Tensor):
                    self._passes.losses = [wide(result.detach().reshape(()))]
                self._receive()
                first.append(self._passes)
            self._passes = first[0].copy()
            return result

        return call

    @torch.no_grad()
    def _receive(self) -> None:
        """The gradients as the optimizer receives them."""
        step, raw, found = self._step, self._passes.raw, self._gradient_norms()
        scale = getattr(self._optimizer, "grad_scale", None)  # a fused optimizer under a GradScaler divides by it itself
        step.add("grad_norms", _over(found, scale))
        if raw is not None:
            step.add("raw_grad_norms", _over(raw.norms, raw.scale))
        for count in nonfinite(found, lambda: [g for alike in self._alike for g in alike.gradients()[1]]):
            step.add_numbers("nonfinite", count)
        if self._log.plan.has_arrays(self.steps):
            for p in self._own():
                if (g := p.grad) is not None:
                    whole = local(g.to_dense() if g.is_sparse else g)
                    step.arrays[f"grad/{self._names[p]}"] = self._some(self._names[p], whole if scale is None else whole / scale)

    @torch.no_grad()
    def _after_step(self, optimizer: torch.optim.Optimizer, _args: Any, _kwargs: Any) -> None:
        step, passes = self._step, self._passes
        if self._log.plan.has_arrays(self.steps):
            for name, p in ((name, p) for some in self._before for name, p in zip(some.names, some.params, strict=True)):
                step.arrays[f"update/{name}"] = self._some(name, local(p)).sub_(step.arrays[f"param/{name}"])
            step.arrays |= self._buffers()
        step.add("update_norms", [some.moved() for some in self._before], self._log.factors)
        for field_, found in (("losses", passes.losses), ("batch", passes.batch)):
            for x in found:
                step.add_numbers(field_, x)
        step.numbers = numbers(optimizer.param_groups)
        step.lr = [group["lr"] for group in optimizer.param_groups if "lr" in group]
        for lr in step.lr:
            if isinstance(lr, Tensor):
                step.add_numbers("lr", lr)
        step.arrays |= passes.arrays
        self._arrive()
        self._on_way = _OnWay(self.steps, self._log.seconds(), step)
        self.steps += 1
        self._passes, self._step = _Passes(), _Step()
        if self._on_way.is_here and not self._has_average(self._on_way):
            self._arrive()

    # -- from step to step
    def _arrive(self) -> None:
        if self._on_way is not None:
            step, arrays = self._on_way.read()
            self._log.write(step, {**arrays, **self._average()} if self._has_average(self._on_way) else arrays)
            self._on_way = None

    def _has_average(self, step: _OnWay) -> bool:
        """Whether a step's arrays are not complete before the loop has made its average."""
        return self._ema is not None and self._log.plan.has_arrays(step.number)

    @torch.no_grad()
    def _average(self) -> dict[str, np.ndarray]:
        own = ((name, local(p)) for name, p in averaged(self._ema) if name in self._log.positions)
        return {f"ema/{name}": _to_host(self._some(name, p)).numpy() for name, p in own}

    def _buffers(self) -> dict[str, Tensor]:
        held = {name: local(x) for name, x in buffers(self._model)}
        places = self._log.buffers({name: tuple(x.shape) for name, x in held.items()})
        return {f"buffer/{name}": _copy(x, places[name]) for name, x in held.items()}

    def _own(self) -> Iterator[Tensor]:
        return (p for group in self._optimizer.param_groups for p in group["params"])

    def _gradient_norms(self) -> list[Norms]:
        given = [alike.gradients() for alike in self._alike]
        return [norms(names, grads) for names, grads in given if grads]

    def _some(self, name: str, x: Tensor) -> Tensor:
        """A copy of what the arrays hold of a parameter, or of what has its shape."""
        return _copy(x, self._log.positions[name])

    def _describe(self) -> None:
        """Name the parameters; again when the optimizer has been given others."""
        own = [*self._own()]
        if self._known == (known := tuple(map(id, own))) or any(map(nn.parameter.is_lazy, own)):
            return
        self._known = known
        self._names = {p: name for name, p in named(self._model)}
        groups = {}
        for i, group in enumerate(self._optimizer.param_groups):
            for j, p in enumerate(group["params"]):
                self._names.setdefault(p, f"group{i}.{j}")
                groups[p] = i
        parameters = [Parameter(name, tuple(local(p).shape), str(p.dtype).removeprefix("torch."), groups.get(p, -1))
                      for p, name in self._names.items()]  # fmt: skip
        kinds: dict[Any, list[tuple[str, Tensor]]] = {}
        for p in own:
            kinds.setdefault((p.device, p.dtype), []).append((self._names[p], p))
        self._log.begin(parameters, told(self._model, self._optimizer, any(local(p) is not p for p in self._names)))
        self._alike = [Alike(some, self._log) for some in kinds.values()]


class _OnWay:
    """A step whose numbers go to the host."""

    def __init__(self, number: int, seconds: float, step: _Step) -> None:
        self.number, self.seconds, self.step = number, seconds, step
        self._groups: dict[torch.device, list[int]] = {}
        for i, x in enumerate(step.vectors):
            self._groups.setdefault(x.device, []).append(i)
        self._numbers = {device: _to_host(torch.cat([step.vectors[i] for i in these])) for device, these in self._groups.items()}
        self._arrays = {name: _to_host(x) for name, x in step.arrays.items()}
        self._events = [event for device in self._groups if (event := _event(device)) is not None]

    @property
    def is_here(self) -> bool:
        return not self._events

    def read(self) -> tuple[Step, Mapping[str, np.ndarray]]:
        for event in self._events:
            event.synchronize()
        step, found = self.step, {}
        parts = [step.parts[i] for these in self._groups.values() for i in these]
        found = with_loss(fields_of(parts, [x for numbers in self._numbers.values() for x in numbers.tolist()]))
        of_tensors = iter(found.pop("lr", ()))
        lr = tuple(next(of_tensors) if isinstance(x, Tensor) else float(x) for x in step.lr)
        told = Step(self.number, lr=lr, numbers=step.numbers, seconds=self.seconds, **found)
        return told, {name: x.numpy() for name, x in self._arrays.items()}


class _Hook:
    """A hook that a copy of the model does not keep: an average of the weights is not what is trained."""

    def __init__(self, call: Callable[..., None] | None = None) -> None:
        self._call = call

    def __call__(self, *args: Any) -> None:
        if self._call is not None and torch.is_grad_enabled() and not torch.compiler.is_compiling():
            self._call(*args)

    def __deepcopy__(self, _: Any) -> _Hook:
        return _Hook()

    def __reduce__(self) -> Any:
        return _Hook, ()


# ------------------------------------------------------------------------------------------------- tensors
def _copy(x: Tensor, at: np.ndarray | None) -> Tensor:
    """A copy of an array, or of some places of it, as float32 at least."""
    return widened(x).clone() if at is None else widened(torch.take(x, torch.as_tensor(at, device=x.device)))


def _to_host(x: Tensor) -> Tensor:
    return x.to("cpu", non_blocking=x.is_cuda)


def _event(device: torch.device) -> Any:
    """What happens when all that has been asked of a device is done; None where asking has waited for it."""
    if device.type != "cuda":
        return None
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(device))
    return event


def _over(found: Sequence[Norms], scale: Tensor | None) -> list[Norms]:
    return [*found] if scale is None else [Norms(names, values / scale.to(values.device)) for names, values in found]
