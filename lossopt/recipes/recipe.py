"""A whole training recipe as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from lossopt import hyper
from lossopt.definition import Spec
from lossopt.errors import ArgumentError
from lossopt.losses.spec import LossSpec, LossSum
from lossopt.schedules.spec import ScheduleSpec

Dtype = Literal["float32", "float64"]

SETTINGS: Mapping[str, Any] = {
    "steps": hyper.Count,
    "batch_size": hyper.Count,
    "seed": hyper.NaturalNumber,
    "dtype": Dtype,
}
"""How to run it: the type and range of each."""


@dataclass(frozen=True)
class Recipe:
    """Loss, optimizer and schedule, and how to run them.

    Attributes:
        loss: what is minimised.
        optimizer: a spec, clipping and wrappers included: ``chain(clip_by_global_norm(max_norm=1.0), adamw(lr=1e-3))``.
        schedule: drives the optimizer's ``lr``, which is its base value; and what goes with it (one_cycle's momentum).
        task: the name of a built-in task.
        steps, batch_size, seed, dtype: how to run it.

    Raises:
        HyperparameterError: a setting out of its range.
        ArgumentError: a schedule that cannot drive the optimizer.

    Example:
        >>> from lossopt.losses import cross_entropy
        >>> from lossopt.optimizers import adamw
        >>> Recipe(loss=cross_entropy.configure(), optimizer=adamw(lr=0.01), steps=100).steps
        100
    """

    loss: LossSpec | LossSum
    optimizer: Spec
    schedule: ScheduleSpec | None = None
    task: str = "digits"
    steps: int = 200
    batch_size: int = 64
    seed: int = 0
    dtype: Dtype = "float64"

    def __post_init__(self) -> None:
        for name, annotation in SETTINGS.items():
            hyper.check("recipe", name, getattr(self, name), annotation)
        if self.schedule is not None:
            _check_schedule(self.schedule, self.optimizer)

    @property
    def lr_name(self) -> str | None:
        """The flat name of the learning rate that reports show: the first of the optimizer's tree."""
        return next((name for name in self.optimizer.flat if name.rpartition(".")[2] == "lr"), None)

    def scheduled_optimizer(self) -> Spec:
        """The optimizer with the schedule in the place of each ``lr``, and the schedule's companions in theirs.

        What a transformation needs that computes its learning rate from its own count; a torch optimizer keeps numbers
        and has them set by an LRScheduler.
        """
        return self.optimizer if self.schedule is None else _driven(self.optimizer, self.schedule)

    def as_dict(self) -> dict[str, Any]:
        """The recipe in words and numbers, for a report."""
        schedule = None if self.schedule is None else repr(self.schedule)
        return {"task": self.task, "loss": repr(self.loss), "optimizer": repr(self.optimizer), "schedule": schedule,
                **{name: getattr(self, name) for name in SETTINGS}}  # fmt: skip


def with_lr(spec: Spec, lr: float) -> Spec:
    """The same tree of rules with another base learning rate, wherever there is one."""
    new = {**spec.hyperparameters, "lr": lr} if "lr" in spec.hyperparameters else spec.hyperparameters
    return replace(spec, hyperparameters=new, inner=tuple(with_lr(inner, lr) for inner in spec.inner))


def _driven(spec: Spec, schedule: ScheduleSpec) -> Spec:
    new = dict(spec.hyperparameters)
    if isinstance(lr := new.get("lr"), int | float):
        new["lr"] = schedule.with_lr(lr)
        for name, companion in schedule.companions().items():
            if name in new:
                new[name] = companion
            elif name == "momentum" and "betas" in new:  # as with PyTorch's OneCycleLR: Adam's first beta is its momentum
                new["betas"] = (companion, *new["betas"][1:])
    return replace(spec, hyperparameters=new, inner=tuple(_driven(inner, schedule) for inner in spec.inner))


def _check_schedule(schedule: ScheduleSpec, optimizer: Spec) -> None:
    name = schedule.definition.name
    if schedule.waits_for_metric:
        raise ArgumentError(f"{name} waits for a metric; a recipe's schedule is a function of the step")
    if "lr" not in schedule.hyperparameters:
        raise ArgumentError(f"{name} has no hyperparameter lr, which the optimizer's would be given to: write lr: float = 1.0")
    every = {n: v for n, v in optimizer.flat.items() if n.rpartition(".")[2] == "lr"}
    if not every:
        raise ArgumentError(f"{optimizer.definition.name} has no learning rate that {name} could drive: leave the schedule out")
    base = schedule.hyperparameters["lr"]
    for flat, lr in every.items():
        if base not in (1, lr):
            raise ArgumentError(f"{name} has lr={base!r} and the optimizer {flat}={lr!r}; the optimizer's is the base: leave the other out")
    has = {flat.rpartition(".")[2] for flat in optimizer.flat}
    for companion in schedule.companions():
        if companion not in has and not (companion == "momentum" and "betas" in has):
            lacks = "neither momentum nor betas" if companion == "momentum" else f"no {companion}"
            raise ArgumentError(f"{name}: {optimizer!r} has {lacks} to cycle: write cycle_{companion}=False")
