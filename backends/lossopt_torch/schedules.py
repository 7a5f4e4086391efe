"""Schedules as torch.optim.lr_scheduler objects.

One class carries every closed form, rather than PyTorch's own where it states the same.  Most of PyTorch's compute each lr
from the last one: they drift, and a schedule that has touched 0 (ConstantLR with factor 0) cannot come back.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, SupportsFloat

import torch
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from lossopt.errors import ArgumentError, suggest
from lossopt.schedules.spec import ScheduleSpec
from lossopt.spelling import COMMON
from lossopt.vector import State
from lossopt_torch import rates


def emit(spec: ScheduleSpec, *, optimizer: Any = None, sets: str = "lr") -> Any:
    """The schedule driving an optimizer's groups, each from its own base; without one a factory that takes it.

    Args:
        spec: the schedule.
        optimizer: whose groups it drives.
        sets: the number of a group that it sets: ``"lr"``, ``"weight_decay"``, ``"betas[0]"`` (or ``"beta1"``), ...
    """
    sets = COMMON.get(sets, sets)
    make: Callable[..., Any] = Scheduler
    if spec.waits_for_metric or sets != "lr":
        make = functools.partial(PlateauScheduler if spec.waits_for_metric else HyperparameterScheduler, sets=sets)
    return SchedulerFactory(make, spec) if optimizer is None else make(optimizer, spec)


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

    If something else has changed a group's lr since (another member of a ChainedScheduler, or you), the change stays,
    as it does with PyTorch's own: the base lr becomes the one that would have given what is found.  `outside` holds the
    factors of the bases.
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
            if self._is_initial:
                self.outside[i] = found / left if left else 1.0
            elif found != left:
                fixed = self.spec.with_lr(0.0)(self.last_epoch - 1)  # what does not come from lr: cosine's eta_min
                self.outside[i] *= (found - fixed) / (left - fixed) if left != fixed else 1.0
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
        return [self._lr(*each) for each in zip(self.optimizer.param_groups, self.base_lrs, self.outside, strict=True)]

    def _lr(self, group: dict[str, Any], base: Any, factor: float) -> Any:
        def at(base: Any) -> Any:
            return self.spec.with_lr(float(base) * factor)(self.last_epoch)

        rates.set_each(group, at, at(base))
        return at(base)

    def state_dict(self) -> dict[str, Any]:
        """The numbers: no code, so that ``torch.load(weights_only=True)`` reads it."""
        return {k: v for k, v in super().state_dict().items() if k not in ("spec", "companions")}

    def __repr__(self) -> str:
        return f"torch scheduler {self.spec!r}"


class HyperparameterScheduler(LRScheduler):
    """A closed form that sets another number of the groups than lr: weight_decay, momentum, one of betas.

    Each group's base is its value when the first such scheduler was made; it stands in the group as
    ``initial_weight_decay``, as ``initial_lr`` does.  `values` are the numbers that it has set; `get_last_lr` tells the
    learning rates, which it leaves alone.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, spec: ScheduleSpec, sets: str, last_epoch: int = -1) -> None:
        _check(optimizer, spec, sets)
        self.spec, self.sets = spec, sets
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """Each group's lr as it is; the number of this scheduler is set on the way."""
        for group in self.optimizer.param_groups:
            base = group.setdefault(f"initial_{self.sets}", _held(group, self.sets))
            _set(group, self.sets, self.spec.with_lr(base)(self.last_epoch))
        return [group["lr"] for group in self.optimizer.param_groups]

    def _get_closed_form_lr(self) -> list[Any]:
        """What SequentialLR asks for where a schedule begins."""
        return self.get_lr()

    @property
    def values(self) -> list[float]:
        """The number of each group, as it was set last."""
        return [_held(group, self.sets) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The numbers: no code, so that ``torch.load(weights_only=True)`` reads it."""
        return {k: v for k, v in super().state_dict().items() if k != "spec"}

    def __repr__(self) -> str:
        return f"torch scheduler {self.spec!r}, which sets {self.sets}"


class PlateauScheduler(ReduceLROnPlateau):
    """A transition on a metric as PyTorch's ReduceLROnPlateau: ``step(metrics)`` after every evaluation.

    `slots` holds each group's state but for its lr (or what it sets), which is the group's; those of the first group, and the
    hyperparameters, can be read as attributes (``best``, ``num_bad_epochs``, ``patience``).
    """

    def __init__(self, optimizer: torch.optim.Optimizer, spec: ScheduleSpec, sets: str = "lr") -> None:
        _check(optimizer, spec, sets)
        self.spec, self.sets, self.optimizer, self.last_epoch = spec, sets, optimizer, 0
        self.slots = [self._begin(group) for group in optimizer.param_groups]
        self._last_lr = self._read_lrs()

    def _begin(self, group: dict[str, Any]) -> dict[str, Any]:
        slots = dict(self.spec.with_lr(_held(group, self.sets)).init().items())
        del slots["lr"]
        return slots

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:
        """Take a metric into account."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self.slots += [self._begin(group) for group in self.optimizer.param_groups[len(self.slots):]]
        for i, group in enumerate(self.optimizer.param_groups):
            lr = _held(group, self.sets)
            new = dict(self.spec.update(State(lr=lr, **self.slots[i]), float(metrics)).items())
            if (changed := new.pop("lr")) != lr:
                _set(group, self.sets, changed)
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
def _check(optimizer: Any, spec: ScheduleSpec, sets: str = "lr") -> None:
    """An optimizer whose groups' own values are the only base there is."""
    name = spec.definition.name
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise ArgumentError(
            f"{name} drives a torch.optim.Optimizer, got {type(optimizer).__name__}: "
            f"get_schedule({name!r}, 'torch', optimizer=optimizer, ...)"
        )
    if "lr" not in spec.hyperparameters:
        raise ArgumentError(f"{name} has no hyperparameter lr, which each group's own {sets} would be given to: write lr: float = 1.0")
    if sets != "lr":
        _check_sets(optimizer, spec, sets)
    for slot in (sets, *(_slot_for(optimizer, spec, companion) for companion in spec.companions())):
        _check_free(optimizer, name, slot)
    for part in spec.hyperparameters.get("schedules", ()):
        if part.hyperparameters["lr"] != 1:
            raise ArgumentError(
                f"{name}: the joined {part.__name__} has lr={part.hyperparameters['lr']!r} of its own; with an optimizer "
                f"the base is each group's own {sets}: leave lr out of the joined schedules"
            )
    lr = spec.hyperparameters["lr"]
    for i, group in enumerate(optimizer.param_groups):
        base = float(group.get(f"initial_{sets}", _held(group, sets)))
        if lr != 1 and not math.isclose(lr, base, rel_tol=1e-6):
            raise ArgumentError(
                f"{name}: lr={lr!r} is given, but group {i} of the optimizer has {sets}={base!r}; with an optimizer the base is "
                f"each group's own {sets}: leave lr out, or give the optimizer {sets}={lr!r}"
            )


def _check_sets(optimizer: torch.optim.Optimizer, spec: ScheduleSpec, sets: str) -> None:
    """A number that every group has."""
    name, kind = spec.definition.name, type(optimizer).__name__
    if companions := spec.companions():
        raise ArgumentError(f"{name} has a {next(iter(companions))} beside it, which goes with lr: write cycle_momentum=False")
    for i, group in enumerate(optimizer.param_groups):
        known = _numbers(group)
        if sets not in known:
            near = suggest(f"{sets}[0]" if f"{sets}[0]" in known else sets, known) or "."
            raise ArgumentError(f"{name}: group {i} of {kind} has no number {sets!r}{near} It has: {', '.join(known)}")


def _check_free(optimizer: torch.optim.Optimizer, name: str, sets: str) -> None:
    """The optimizer sets what it was given as a schedule before every update: what a scheduler has set would be lost."""
    for i, group in enumerate(optimizer.param_groups):
        scheduled = group.get("schedules", {})
        own = sets.partition("[")[0]
        if taken := [own] if own in scheduled else [n for n in rates.names(scheduled) if sets == "lr"]:
            raise ArgumentError(
                f"{name}: {taken[0]} of group {i} is scheduled already, by the optimizer, which has {taken[0]}={scheduled[taken[0]]!r}: "
                f"leave {name} out, or give the optimizer a number for {taken[0]}"
            )


def _numbers(group: dict[str, Any]) -> list[str]:
    """The names of a group's hyperparameters that are numbers: ``lr``, ``betas[0]``, ``betas[1]``."""
    found = []
    for name, value in group.items():
        if name in ("params", "scheduled_step", "lr_base") or name.startswith("initial_"):
            continue
        parts = {f"{name}[{i}]": v for i, v in enumerate(value)} if isinstance(value, tuple) else {name: value}
        found += [n for n, v in parts.items() if _is_number(v)]
    return found


def _is_number(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or (isinstance(value, torch.Tensor) and value.ndim == 0)


def _slot_for(optimizer: torch.optim.Optimizer, spec: ScheduleSpec, name: str) -> str:
    """The number of the groups that a companion sets; momentum is the first of betas where there is no momentum."""
    for key in (name, "betas[0]") if name == "momentum" else (name,):
        if all(key.partition("[")[0] in group for group in optimizer.param_groups):
            return key
    raise ArgumentError(
        f"{spec.definition.name}: {type(optimizer).__name__} has neither momentum nor betas to cycle: write cycle_momentum=False"
        if name == "momentum"
        else f"{spec.definition.name}: {type(optimizer).__name__} has no {name} to cycle: write cycle_{name}=False"
    )


def _place(key: str) -> tuple[str, int | None]:
    """``"betas[0]"`` is the first of ``betas``."""
    name, _, index = key.partition("[")
    return name, int(index[:-1]) if index else None


def _held(group: dict[str, Any], key: str) -> float:
    name, index = _place(key)
    return float(group[name] if index is None else group[name][index])


def _set(group: dict[str, Any], key: str, value: float) -> None:
    """A tensor is filled in place, so that a compiled or captured step sees the new number."""
    name, index = _place(key)
    held = group[name] if index is None else group[name][index]
    if isinstance(held, torch.Tensor):
        held.fill_(value)
    elif index is None:
        group[name] = value
    else:
        group[name] = tuple(value if i == index else v for i, v in enumerate(group[name]))
