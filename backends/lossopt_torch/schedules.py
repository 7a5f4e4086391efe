"""Schedules as torch.optim.lr_scheduler objects.

One class carries every closed form, rather than PyTorch's own where it states the same.  Most of PyTorch's compute each lr
from the last one: they drift, and a schedule that has touched 0 (ConstantLR with factor 0) cannot come back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, SupportsFloat

import torch
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from lossopt.errors import ArgumentError
from lossopt.schedules.spec import ScheduleSpec
from lossopt.vector import State


def emit(spec: ScheduleSpec, *, optimizer: Any = None) -> Scheduler | PlateauScheduler | SchedulerFactory:
    """The schedule driving an optimizer's groups, each from its own base lr; without one a factory that takes it."""
    made = PlateauScheduler if spec.waits_for_metric else Scheduler
    return SchedulerFactory(made, spec) if optimizer is None else made(optimizer, spec)


class SchedulerFactory:
    """``factory(optimizer)`` is the scheduler."""

    def __init__(self, made: Callable[..., Any], spec: ScheduleSpec) -> None:
        self.made, self.spec = made, spec

    def __call__(self, optimizer: torch.optim.Optimizer) -> Any:
        """The scheduler that drives this optimizer."""
        return self.made(optimizer, self.spec)

    def __repr__(self) -> str:
        return f"torch scheduler {self.spec!r}, which takes an optimizer"


class Scheduler(LRScheduler):
    """A closed form as an LRScheduler: each group's lr is computed from the step and the group's own base lr.

    If something else has changed a group's lr since (another member of a ChainedScheduler, or you), the change stays
    as a factor, as it does with PyTorch's own; `outside` holds these factors.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, spec: ScheduleSpec, last_epoch: int = -1) -> None:
        _check(optimizer, spec)
        self.spec = spec
        self.companions = {name: (companion, _slot_for(optimizer, spec, name)) for name, companion in spec.companions().items()}
        self.outside = [1.0] * len(optimizer.param_groups)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The lr of each group at `last_epoch`."""
        last = [*self.base_lrs] if self._is_initial else [*self._last_lr]
        for group in self.optimizer.param_groups[len(last):]:  # a group added later starts from the lr that it came with
            group.setdefault("initial_lr", group["lr"])
            last.append(group["lr"])
            self.base_lrs.append(float(group["initial_lr"]))
            self.outside.append(1.0)
        for i, (group, expected) in enumerate(zip(self.optimizer.param_groups, last, strict=True)):
            found, left = float(group["lr"]), float(expected)
            before = 1.0 if self._is_initial else self.outside[i]
            self.outside[i] = before if found == left or left == 0 else before * (found / left)
        return self._lrs()

    def _get_closed_form_lr(self) -> list[Any]:
        """The lr of each group, whatever it is now; SequentialLR asks for this where a schedule begins."""
        self.outside = [1.0] * len(self.base_lrs)
        return self._lrs()

    def _lrs(self) -> list[Any]:
        for companion, slot in self.companions.values():
            value = companion(self.last_epoch)
            for group in self.optimizer.param_groups:
                _set(group, slot, value)
        bases = zip(self.base_lrs, self.outside, strict=True)
        return [self.spec.with_lr(float(base))(self.last_epoch) * factor for base, factor in bases]

    def state_dict(self) -> dict[str, Any]:
        """The numbers: no code, so that ``torch.load(weights_only=True)`` reads it."""
        return {k: v for k, v in super().state_dict().items() if k not in ("spec", "companions")}

    def __repr__(self) -> str:
        return f"torch scheduler {self.spec!r}"


class PlateauScheduler(ReduceLROnPlateau):
    """A transition on a metric as PyTorch's ReduceLROnPlateau: ``step(metrics)`` after every evaluation.

    `slots` holds each group's state but for its lr, which is the group's; those of the first group, and the
    hyperparameters, can be read as attributes (``best``, ``num_bad_epochs``, ``patience``).
    """

    def __init__(self, optimizer: torch.optim.Optimizer, spec: ScheduleSpec) -> None:
        _check(optimizer, spec)
        self.spec, self.optimizer, self.last_epoch = spec, optimizer, 0
        self.slots = [self._begin(group) for group in optimizer.param_groups]
        self._last_lr = self._read_lrs()

    def _begin(self, group: dict[str, Any]) -> dict[str, Any]:
        slots = dict(self.spec.with_lr(float(group["lr"])).init().items())
        del slots["lr"]
        return slots

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:
        """Take a metric into account."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self.slots += [self._begin(group) for group in self.optimizer.param_groups[len(self.slots):]]
        for i, group in enumerate(self.optimizer.param_groups):
            lr = float(group["lr"])
            new = dict(self.spec.update(State(lr=lr, **self.slots[i]), float(metrics)).items())
            if (changed := new.pop("lr")) != lr:
                _set(group, "lr", changed)
            self.slots[i] = new
        self._last_lr = self._read_lrs()

    def _read_lrs(self) -> list[Any]:
        return [g["lr"].clone() if isinstance(g["lr"], torch.Tensor) else g["lr"] for g in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The numbers: no code, so that ``torch.load(weights_only=True)`` reads it."""
        slots = [dict(slot) for slot in self.slots]
        return {"last_epoch": self.last_epoch, "_last_lr": list(self._last_lr), "slots": slots}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken; the lr itself is in the optimizer's state."""
        self.__dict__.update({**state_dict, "slots": [dict(slot) for slot in state_dict["slots"]]})

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and "spec" in self.__dict__ and self.__dict__.get("slots"):
            found = {**self.spec.hyperparameters, **self.slots[0]}
            if name in found:
                return found[name]
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"torch scheduler {self.spec!r}"


# ------------------------------------------------------------------------------------------------- groups
def _check(optimizer: Any, spec: ScheduleSpec) -> None:
    """An optimizer whose groups' own lr is the only base there is."""
    name = spec.definition.name
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise ArgumentError(
            f"{name} drives a torch.optim.Optimizer, got {type(optimizer).__name__}: "
            f"get_schedule({name!r}, 'torch', optimizer=optimizer, ...)"
        )
    if "lr" not in spec.hyperparameters:
        raise ArgumentError(f"{name} has no hyperparameter lr, which each group's own lr would be given to: write lr: float = 1.0")
    for part in spec.hyperparameters.get("schedules", ()):
        if part.hyperparameters["lr"] != 1:
            raise ArgumentError(
                f"{name}: the joined {part.__name__} has lr={part.hyperparameters['lr']!r} of its own; with an optimizer "
                "the base is each group's own lr: leave lr out of the joined schedules"
            )
    lr = spec.hyperparameters["lr"]
    for i, group in enumerate(optimizer.param_groups):
        base = float(group.get("initial_lr", group["lr"]))
        if lr != 1 and not math.isclose(lr, base, rel_tol=1e-6):
            raise ArgumentError(
                f"{name}: lr={lr!r} is given, but group {i} of the optimizer has lr={base!r}; with an optimizer the base is "
                f"each group's own lr: leave lr out, or give the optimizer lr={lr!r}"
            )


def _slot_for(optimizer: torch.optim.Optimizer, spec: ScheduleSpec, name: str) -> str:
    """The key of the groups that a companion sets; momentum is the first of betas where there is no momentum."""
    for key in (name, "betas") if name == "momentum" else (name,):
        if all(key in group for group in optimizer.param_groups):
            return key
    raise ArgumentError(
        f"{spec.definition.name}: {type(optimizer).__name__} has neither momentum nor betas to cycle: write cycle_momentum=False"
        if name == "momentum"
        else f"{spec.definition.name}: {type(optimizer).__name__} has no {name} to cycle: write cycle_{name}=False"
    )


def _set(group: dict[str, Any], key: str, value: float) -> None:
    """A tensor is filled in place, so that a compiled or captured step sees the new number."""
    held = group[key][0] if key == "betas" else group[key]
    if isinstance(held, torch.Tensor):
        held.fill_(value)
    elif key == "betas":
        group[key] = (value, *group[key][1:])
    else:
        group[key] = value
