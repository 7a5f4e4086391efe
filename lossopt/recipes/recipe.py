"""A whole training recipe as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossopt import carry, hyper, loop, registry
from lossopt.definition import Definition, Spec
from lossopt.errors import ArgumentError, HyperparameterError, UnknownNameError
from lossopt.losses.spec import LossSpec, LossSum
from lossopt.precision import Precision
from lossopt.recipes.reader import too_large
from lossopt.schedules.spec import ScheduleSpec

if TYPE_CHECKING:
    from lossopt.recipes.build import Built

SETTINGS: Mapping[str, Any] = {
    "steps": hyper.Count,
    "batch_size": hyper.Count,
    "seed": hyper.NaturalNumber,
    "accumulate": hyper.Count,
    "checkpoint": bool | tuple[str, ...],
    "analysis": bool,
    "monitoring": bool,
}
"""How to run it: the type and range of each."""

CLIPS: Mapping[str, tuple[str, str]] = {"global_norm": ("clip_by_global_norm", "max_norm"), "value": ("clip_by_value", "max_value")}
"""The keys of `clip`: the transform that each stands for, and the argument that its value is."""

MAX_NORM = 1.0
"""The global norm that ``clip: true`` stands for."""


@dataclass(frozen=True, repr=False)
class Recipe:
    """Loss, optimizer and schedule, and how to run them.

    It is a value: it prints, compares, hashes and goes to YAML and back; `build` makes it the objects of a framework.

    Args:
        clip: ``{"global_norm": 1.0}``, ``{"value": 0.5}`` or both in their order, or True for a global norm of 1.0: put
            before the optimizer.  The optimizer is then ``chain(clip_by_global_norm(max_norm=1.0), ...)``.
        ema: the decay of a moving average of the parameters, put around the optimizer: ``ema(..., decay=0.999)``.

    Attributes:
        loss: what is minimised: a loss with its hyperparameters, a sum of losses, or a name.
        optimizer: a spec, clipping and wrappers included: ``chain(clip_by_global_norm(max_norm=1.0), adamw(lr=1e-3))``,
            or a name.
        schedule: drives the optimizer's ``lr``, which is its base value; and what goes with it (one_cycle's momentum).
        groups: hyperparameters by pattern of parameter names: ``{"*.bias": {"weight_decay": 0.0}}``; later patterns win.
            A pattern is matched against a parameter's own name and against the one that it has in PyTorch.
        task: the name of a built-in task.
        steps: updates of `lossopt compare`.
        batch_size: samples in each, before `accumulate` takes it apart.
        seed: of initial weights and batches.
        precision: in which floating-point types: "float32", "float64", "bfloat16" or "float16" (mixed),
            ``{"compute": "bfloat16", "params": "float32"}``, or None for the types that the model has.
        accumulate: the batch is taken apart into so many equal parts, whose gradients are averaged (summed, for a loss
            that sums): less memory, the same update.
        checkpoint: the modules of these names (``("blocks.*",)``) keep only their inputs for the backward pass and compute
            the rest again: less memory, more time.  True is the model's own children, one by one.
        analysis: gradient norms are kept, and reports hold gradient flow, loss landscape and convergence.
        monitoring: learning rate, step time, throughput and peak memory are kept, and reports hold them.

    Raises:
        HyperparameterError: a setting out of its range.
        ArgumentError: a schedule that cannot drive the optimizer, groups that it does not take.

    Example:
        >>> from lossopt.optimizers import adamw
        >>> recipe = Recipe("cross_entropy", adamw(lr=0.01), clip={"global_norm": 1.0}, steps=100)
        >>> recipe
        Recipe(
            loss=cross_entropy(),
            optimizer=chain(clip_by_global_norm(), adamw(lr=0.01)),
            steps=100,
        )
        >>> Recipe.from_yaml(recipe.to_yaml()) == recipe
        True
    """

    loss: LossSpec | LossSum
    optimizer: Spec
    schedule: ScheduleSpec | None = None
    task: str = "digits"
    steps: int = 200
    batch_size: int = 64
    seed: int = 0
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: Groups())
    precision: Precision | None = None
    accumulate: int = 1
    checkpoint: bool | tuple[str, ...] = False
    analysis: bool = False
    monitoring: bool = False
    clip: InitVar[Any] = None
    ema: InitVar[float | None] = None

    if TYPE_CHECKING:  # what it takes is wider than what it holds

        def __init__(self, loss: Any, optimizer: Any, schedule: Any = None, task: str = "digits", steps: int = 200, batch_size: int = 64,
                     seed: int = 0, groups: Mapping[str, Mapping[str, Any]] = ..., precision: Any = None, accumulate: int = 1,
                     checkpoint: bool | str | tuple[str, ...] = False, analysis: bool = False, monitoring: bool = False,
                     clip: Any = None, ema: float | None = None) -> None: ...  # fmt: skip

    def __post_init__(self, clip: Any, ema: float | None) -> None:
        optimizer = with_ema(with_clip(_optimizer(self.optimizer), clips(clip)), ema)
        made = {"loss": _loss(self.loss), "optimizer": optimizer, "groups": _groups(optimizer, self.groups)}
        if self.schedule is not None:
            made["schedule"] = _schedule(self.schedule)
        if self.precision is not None:
            made["precision"] = Precision.of(self.precision)
        if isinstance(self.checkpoint, str):
            made["checkpoint"] = (self.checkpoint,)
        for name, value in made.items():
            object.__setattr__(self, name, value)
        for name, annotation in SETTINGS.items():
            hyper.check("recipe", name, getattr(self, name), annotation)
            if problem := too_large(getattr(self, name), annotation):
                raise HyperparameterError(f"recipe: {name} {problem}")
        if self.optimizer.per_example:
            raise ArgumentError(f"recipe: {self.optimizer!r} takes the gradient of each example, and a recipe's step that of the batch: "
                                "write get_optimizer(...) and a loop of your own")  # fmt: skip
        if self.accumulate > 1:
            self.reduction  # noqa: B018  (raises where the parts' losses could not be put together)
        if self.schedule is not None:
            _check_schedule(self.schedule, self.optimizer)

    # -- what follows from it
    @property
    def lr_name(self) -> str | None:
        """The flat name of the learning rate that reports show: the first of the optimizer's tree."""
        return next((name for name in self.optimizer.flat if name.rpartition(".")[2] == "lr"), None)

    @property
    def reduction(self) -> str:
        """How the losses of a batch become one number: "mean" or "sum".

        Raises:
            ArgumentError: the loss is not reduced, or its terms are in different ways.
        """
        found = {term.reduction for _, term in self.loss.terms}
        if len(found) != 1 or "none" in found:
            told = " and ".join(sorted(found))
            raise ArgumentError(f"{self.loss!r} is reduced by {told}; accumulate takes a loss that is one mean or one sum")
        return found.pop()

    def scheduled_optimizer(self) -> Spec:
        """The optimizer with the schedule in the place of each ``lr``, and the schedule's companions in theirs.

        What a transformation needs that computes its learning rate from its own count; a torch optimizer keeps numbers
        and has them set by an LRScheduler.
        """
        return self.optimizer if self.schedule is None else _driven(self.optimizer, self.schedule)

    def scheduled_groups(self) -> dict[str, dict[str, Any]]:
        """The groups, with the schedule in the place of each learning rate that one of them sets: from that base."""
        schedule = self.schedule
        if schedule is None:
            return {pattern: dict(changes) for pattern, changes in self.groups.items()}
        return {p: {flat: _scheduled(flat, value, schedule) for flat, value in changes.items()} for p, changes in self.groups.items()}

    @property
    def checkpointed(self) -> tuple[str, ...]:
        """The patterns of the modules that are computed again."""
        return ("*",) if self.checkpoint is True else self.checkpoint or ()

    # -- to objects and to text
    def build(self, backend: str, model: Any, **options: Any) -> Built:
        """The recipe's loss, optimizer and schedule as a framework's own objects, and a train step of the model.

        Args:
            backend: ``"torch"`` or ``"jax"``.
            model: a ``torch.nn.Module``; a ``flax.nnx.Module``, or a tree of JAX parameters with `apply`.  It is trained
                in place; a tree is not: ``built.params`` are the new ones.
            **options: ``apply``, JAX: ``apply(params, inputs) -> predictions``, for a tree of parameters.
                ``arguments``: ``(predictions, targets) -> the loss's arguments``, where they are others.

        Returns:
            A `Built`: ``loss_fn``, ``optimizer``, ``scheduler``, and ``train_step(inputs, targets)``, which does forward,
            loss, backward, accumulation, clipping, optimizer, schedule and moving average, and returns the loss.

        Raises:
            InputError: a model that is not the backend's, or a pattern of groups that matches no parameter.
            MissingBackendError: the framework is not installed.

        Example:
            >>> import torch
            >>> recipe = Recipe("mse_loss", "sgd", schedule={"name": "step", "step_size": 1})
            >>> built = recipe.build("torch", torch.nn.Linear(2, 1))
            >>> loss = built.train_step(torch.ones(4, 2), torch.zeros(4, 1))
            >>> type(built.optimizer).__name__, built.scheduler.get_last_lr()
            ('SGD', [0.0001])
        """
        from lossopt.recipes.build import build

        return build(self, backend, model, **options)

    def to_yaml(self) -> str:
        """The recipe as a YAML text in the short form; `from_yaml` gives an equal recipe.

        Raises:
            ArgumentError: it holds a function, which is code and has no place in a file.
        """
        from lossopt.recipes.writing import to_yaml

        return to_yaml(self)

    @classmethod
    def from_yaml(cls, text: str) -> Recipe:
        """The recipe in a YAML text, of the short or of the nested form.

        Raises:
            ConfigError: with line, column, what was given and what is allowed.
        """
        from lossopt.recipes.config import parse_recipe

        return parse_recipe(text)

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """The recipe in a YAML file."""
        from lossopt.recipes.config import load_recipe

        return load_recipe(path)

    def as_dict(self) -> dict[str, Any]:
        """The recipe in words and numbers, for a report."""
        schedule = None if self.schedule is None else repr(self.schedule)
        return {"task": self.task, "loss": repr(self.loss), "optimizer": repr(self.optimizer), "schedule": schedule,
                "groups": {p: dict(changes) for p, changes in self.groups.items()},
                "precision": None if self.precision is None else self.precision.word,
                **{name: getattr(self, name) for name in SETTINGS}}  # fmt: skip

    def __hash__(self) -> int:
        settings = tuple(getattr(self, name) for name in SETTINGS)
        return hash((self.loss, self.optimizer, self.schedule, tuple(self.groups), self.task, self.precision, settings))

    def __repr__(self) -> str:
        default = {name: f.default for name, f in self.__dataclass_fields__.items()}
        shown = ["loss", "optimizer", "schedule", "groups", "task", "precision", *SETTINGS]
        lines = []
        for name in shown:
            value = getattr(self, name)
            if value != default[name] and not (name == "groups" and not value):
                told = value.word if isinstance(value, Precision) else value
                lines.append(f"    {name}={told!r},\n")
        return f"Recipe(\n{''.join(lines)})"

    def _repr_html_(self) -> str:
        from lossopt.recipes.html import to_html

        return to_html(self)


class Groups(dict[str, dict[str, Any]]):
    """Hyperparameters by pattern; the order counts, because later patterns win."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and [*self.items()] == [*other.items()]

    __hash__ = None  # type: ignore[assignment]


# ------------------------------------------------------------------------------------------------- parts as they are given
def _loss(given: Any) -> LossSpec | LossSum:
    if isinstance(given, Mapping):
        given = registry.get_loss(_name(given, "loss"), **_rest(given))
    elif isinstance(given, str | Definition):
        given = registry.get_loss(given)
    if not isinstance(given, LossSpec | LossSum):
        raise UnknownNameError(f"a recipe's loss is a name such as 'cross_entropy' or such as get_loss('cross_entropy'), got {given!r}")
    return given.bind(None)


def _optimizer(given: Any) -> Spec:
    if isinstance(given, str | Mapping | Definition):
        given, _ = loop.resolve(given, {}, "optimizer", "transform")
    if not isinstance(given, Spec):
        raise UnknownNameError(f"a recipe's optimizer is a name such as 'adamw' or a spec such as adamw(lr=1e-3), got {given!r}")
    return given


def _schedule(given: Any) -> ScheduleSpec:
    if isinstance(given, str | Mapping | Definition):
        given, _ = loop.resolve(given, {}, "schedule")
    given = getattr(given, "spec", given)  # one that was made for a backend
    if not isinstance(given, ScheduleSpec):
        raise UnknownNameError(f"a recipe's schedule is a name such as 'constant' or a spec such as cosine(T_max=100), got {given!r}")
    return given


def _groups(optimizer: Spec, given: Any) -> Groups:
    for pattern, changes in given.items() if isinstance(given, Mapping) else ((None, given),):
        if not isinstance(pattern, str) or not isinstance(changes, Mapping):
            raise ArgumentError(f"groups are {{'*.bias': {{'weight_decay': 0.0}}}}: hyperparameters by pattern of names, got {given!r}")
    return Groups(carry.check_groups(optimizer, given))


def _name(given: Mapping[str, Any], kind: str) -> Any:
    if "name" not in given:
        raise ArgumentError(f"which {kind}? Write {{'name': ..., {', '.join(map(repr, given))}}}")
    return given["name"]


def _rest(given: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in given.items() if k != "name"}


def clips(given: Any) -> list[Spec]:
    """The transforms that a `clip` stands for."""
    if given is None or given is False:
        return []
    if given is True:
        given = {"global_norm": MAX_NORM}
    if not isinstance(given, Mapping):
        raise ArgumentError(f"clip is {{'global_norm': 1.0}}, {{'value': 0.5}} or True, got {given!r}")
    if unknown := [k for k in given if k not in CLIPS]:
        raise ArgumentError(f"clip has no {unknown[0]!r}. It has: {', '.join(CLIPS)}")
    return [clip_by(key, value) for key, value in given.items()]


def clip_by(key: str, value: Any) -> Spec:
    """One transform that clips."""
    name, argument = CLIPS[key]
    clip: Any = registry.definition(name, "transform")
    return clip(**{argument: value})


def with_clip(optimizer: Spec, rules: list[Spec]) -> Spec:
    """The optimizer behind its clipping."""
    if not rules:
        return optimizer
    chain: Any = registry.definition("chain", "transform")
    return chain(*rules, optimizer)


def with_ema(optimizer: Spec, decay: float | None) -> Spec:
    """The optimizer within a moving average of the parameters."""
    if decay is None:
        return optimizer
    ema: Any = registry.definition("ema", "transform")
    return ema(optimizer, decay=decay)


def with_lr(spec: Spec, lr: float) -> Spec:
    """The same tree of rules with another base learning rate, wherever there is one."""
    new = {**spec.hyperparameters, "lr": lr} if "lr" in spec.hyperparameters else spec.hyperparameters
    return replace(spec, hyperparameters=new, inner=tuple(with_lr(inner, lr) for inner in spec.inner))


# ------------------------------------------------------------------------------------------------- the schedule's drive
def _driven(spec: Spec, schedule: ScheduleSpec) -> Spec:
    new = dict(spec.hyperparameters)
    if isinstance(new.get("lr"), int | float):
        has = set(new)
        new = {n: v if n == "betas" and "momentum" in has else _scheduled(n, v, schedule) for n, v in new.items()}
    return replace(spec, hyperparameters=new, inner=tuple(_driven(inner, schedule) for inner in spec.inner))


def _scheduled(flat: str, value: Any, schedule: ScheduleSpec) -> Any:
    """A hyperparameter's value while the schedule drives: the schedule or a companion of it, or as it is."""
    name = flat.rpartition(".")[2]
    if name == "lr":
        return schedule.with_lr(value) if isinstance(value, int | float) else value
    companions = schedule.companions()
    if name in companions:
        return companions[name]
    if name == "betas" and "momentum" in companions:  # as with PyTorch's OneCycleLR: Adam's first beta is its momentum
        return (companions["momentum"], *value[1:])
    return value


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
        if hyper.is_live(lr):
            raise ArgumentError(f"the optimizer's {flat} is scheduled by {lr!r} already: leave that or {name} out")
        if base not in (1, lr):
            raise ArgumentError(f"{name} has lr={base!r} and the optimizer {flat}={lr!r}; the optimizer's is the base: leave the other out")
    has = {flat.rpartition(".")[2] for flat in optimizer.flat}
    for companion in schedule.companions():
        if companion not in has and not (companion == "momentum" and "betas" in has):
            lacks = "neither momentum nor betas" if companion == "momentum" else f"no {companion}"
            raise ArgumentError(f"{name}: {optimizer!r} has {lacks} to cycle: write cycle_{companion}=False")
