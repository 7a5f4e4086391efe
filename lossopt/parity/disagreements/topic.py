"""One difference between two frameworks: what each runs, why they part, and what says the one or the other in lossopt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from types import ModuleType
from typing import Any, Literal

from lossopt.definition import Spec
from lossopt.parity.case import LossCase, OptimizerCase, ScheduleCase
from lossopt.schedules.spec import ScheduleSpec

About = Literal["value", "gradient", "float32"]


@dataclass(frozen=True)
class Side:
    """What one framework runs.

    Attributes:
        shown: what is typed there.
        case: lossopt's statement of the same, and the framework's own in the field of its name.
        unlike: why lossopt's statement is not the framework's to rounding; "" where it is.
    """

    shown: str
    case: OptimizerCase | LossCase | ScheduleCase
    unlike: str = ""

    @property
    def framework(self) -> str:
        """``"torch"``, ``"optax"`` or ``"keras"``: whose own it is."""
        return next(name for name in ("torch", "optax", "keras") if getattr(self.case, name) is not None)


@dataclass(frozen=True)
class Topic:
    """What is to be run for one row.

    Attributes:
        slug: the row's anchor on the page; other pages point at it, so it stays when the wording changes.
        name: what both call the same.
        left, right: the two sides; distances are relative to the left one.
        why: the cause.
        bridge: the switches, or the convention, that say the one or the other in lossopt.
        upstream: issues and pull requests where it is discussed, such as ``"google-deepmind/optax#1389"``.
        about: of a loss its ``"value"`` or its ``"gradient"``; ``"float32"`` compares single-precision numbers.
        scale: of an optimizer's problem: 1e-5 has gradients as they are late in training.
    """

    slug: str
    name: str
    left: Side
    right: Side
    why: str
    bridge: str
    upstream: tuple[str, ...] = ()
    about: About = "value"
    scale: float = 1.0

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.left, self.right


# ------------------------------------------------------------------------------------------------- sides that are one call
def torch_optim(ours: Spec, name: str, **options: Any) -> Side:
    """A class of ``torch.optim``: what is shown is what is called."""
    return Side(shown(f"torch.optim.{name}", **options), OptimizerCase(ours, torch=lambda t, p: getattr(t.optim, name)(p, **options)))


def optax_call(ours: Spec, name: str, *args: Any, **options: Any) -> Side:
    """A function of ``optax``, by its dotted name."""
    return Side(shown(f"optax.{name}", *args, **options), OptimizerCase(ours, optax=lambda o: _within(o, name)(*args, **options)))


def keras_optimizer(ours: Spec, name: str, *args: Any, **options: Any) -> Side:
    """A class of ``keras.optimizers``."""
    return Side(shown(f"keras.optimizers.{name}", *args, **options),
                OptimizerCase(ours, keras=lambda k: getattr(k.optimizers, name)(*args, **options)))  # fmt: skip


def lr_scheduler(ours: ScheduleSpec, name: str, *args: Any, steps: int, **options: Any) -> Side:
    """A class of ``torch.optim.lr_scheduler``."""
    own: Callable[[ModuleType, Any], Any] = lambda t, o: getattr(t.optim.lr_scheduler, name)(o, *args, **options)  # noqa: E731
    return Side(shown(f"torch.optim.lr_scheduler.{name}", *args, **options), schedule_case(ours, steps, torch=own))


def optax_schedule(ours: ScheduleSpec, name: str, *args: Any, steps: int, **options: Any) -> Side:
    """A schedule of ``optax``, by its dotted name."""
    return Side(shown(f"optax.{name}", *args, **options),
                schedule_case(ours, steps, optax=lambda o: _within(o, name)(*args, **options)))  # fmt: skip


def keras_schedule(ours: ScheduleSpec, name: str, *args: Any, steps: int, unlike: str = "", **options: Any) -> Side:
    """A class of ``keras.optimizers.schedules``."""
    own: Callable[[ModuleType], Any] = lambda k: getattr(k.optimizers.schedules, name)(*args, **options)  # noqa: E731
    return Side(shown(f"keras.optimizers.schedules.{name}", *args, **options), schedule_case(ours, steps, keras=own), unlike)


def schedule_case(ours: ScheduleSpec, steps: int, **own: Any) -> ScheduleCase:
    """A schedule as the suite's cases have it: by name and options."""
    return ScheduleCase(ours.definition.name, {**ours.hyperparameters, "convention": ours.convention}, steps=steps, **own)


def shown(name: str, *args: Any, **options: Any) -> str:
    """A call as one types it.

    >>> shown("optax.adamw", 0.05, weight_decay=0.1)
    'optax.adamw(0.05, weight_decay=0.1)'
    """
    return f"{name}({', '.join([*map(repr, args), *(f'{k}={v!r}' for k, v in options.items())])})"


def _within(module: ModuleType, dotted: str) -> Any:
    return reduce(getattr, dotted.split("."), module)
