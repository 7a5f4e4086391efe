"""What a training loop holds beside its loss: an optimizer of a model, and a scheduler of that optimizer.

Whose model it is, and so which framework's objects these are, is found from its type; no framework is imported to find out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossopt import registry
from lossopt.definition import Definition, Spec
from lossopt.errors import ArgumentError, InputError
from lossopt.schedules.spec import ScheduleSpec


def framework_among(x: Any) -> str | None:
    """The framework of an object, or of the first that has one among nested dicts, lists and tuples."""
    found = registry.framework_of(x)
    if found in ("torch", "jax"):
        return found
    inside = x.values() if isinstance(x, Mapping) else x if isinstance(x, list | tuple) else ()
    return next((found for item in inside if (found := framework_among(item))), None)


def framework_of(model: Any) -> str:
    """``"torch"`` or ``"jax"``, whose model it is.

    Raises:
        InputError: it is nobody's.
    """
    found = framework_among(model)
    if found is None:
        raise InputError(f"a model is a torch.nn.Module, a flax.nnx.Module or a tree of JAX parameters, got {type(model).__name__}; "
                         "give the model itself, not model.parameters()")  # fmt: skip
    return found


def optimizer_for(model: Any, optimizer: Any, **hyperparameters: Any) -> Any:
    """An optimizer of a model.

    Args:
        model: a ``torch.nn.Module`` gives a ``torch.optim.Optimizer`` of its named parameters; a ``flax.nnx.Module`` an
            ``nnx.Optimizer`` of its ``nnx.Param``s; a tree of JAX parameters (Flax linen's) an optax transformation.
        optimizer: a name, ``{"name": ..., hyperparameters}``, a definition, a spec; or a function of the framework:
            ``(parameters, **hyperparameters)`` to a ``torch.optim.Optimizer``, ``(**hyperparameters)`` to an optax
            transformation.
        **hyperparameters: as the definition or the function takes them.

    Raises:
        InputError: a model of neither framework.

    Example:
        >>> import torch
        >>> type(optimizer_for(torch.nn.Linear(2, 1), "adam", lr=0.001)).__name__
        'Adam'
    """
    part = registry.backend(framework_of(model)).part("loop")
    spec, rest = resolve(optimizer, hyperparameters, "optimizer", "transform")
    if isinstance(spec, Spec):
        return part.optimizer(model, spec)
    if not callable(spec) and not hasattr(spec, "update"):
        raise ArgumentError(f"an optimizer is a name such as 'adamw', a spec such as adamw(lr=1e-3) or a function, got {spec!r}")
    return part.optimizer_by(model, spec, rest)


def scheduler_for(optimizer: Any, scheduler: Any, **hyperparameters: Any) -> Any:
    """A scheduler of an optimizer: ``step()`` after every update, or every epoch.

    Args:
        optimizer: a ``torch.optim.Optimizer`` gives an ``LRScheduler``; an ``nnx.Optimizer`` or an optax transformation
            an object of the same methods that sets the live learning rate, without a recompilation.
        scheduler: a name, ``{"name": ..., hyperparameters}``, a definition, a spec, or a function of the step that
            gives a factor of the learning rate.
        **hyperparameters: as the definition takes them.

    Example:
        >>> import torch
        >>> optimizer = optimizer_for(torch.nn.Linear(2, 1), "sgd", lr=0.1)
        >>> scheduler = scheduler_for(optimizer, "step", step_size=1, gamma=0.5)
        >>> optimizer.step(); scheduler.step(); scheduler.get_last_lr()
        [0.05]
    """
    found = registry.framework_of(optimizer)
    if found is None and hasattr(optimizer, "init") and hasattr(optimizer, "update"):
        found = "jax"
    if found is None:
        raise InputError(f"a scheduler drives a torch.optim.Optimizer or an nnx.Optimizer, got {type(optimizer).__name__}")
    part = registry.backend(found).part("loop")
    spec, rest = resolve(scheduler, hyperparameters, "schedule")
    if isinstance(spec, ScheduleSpec):
        return part.scheduler(optimizer, spec)
    if not callable(spec):
        raise ArgumentError("a scheduler is a name such as 'cosine', a spec such as cosine(T_max=100) or a function of the step, "
                            f"got {spec!r}")  # fmt: skip
    return part.scheduler_by(optimizer, spec, rest)


def resolve(given: Any, hyperparameters: Mapping[str, Any], *kinds: Any) -> tuple[Any, dict[str, Any]]:
    """A spec and nothing, or what is none (a function) and its hyperparameters."""
    rest = dict(hyperparameters)
    if isinstance(given, Mapping):
        if "name" not in given:
            raise ArgumentError(f"which {kinds[0]}? Write {{'name': ..., {', '.join(map(repr, given))}}}")
        rest = {**{k: v for k, v in given.items() if k != "name"}, **rest}
        given = given["name"]
    if isinstance(given, str):
        given = registry.definition(given, *kinds)
    if isinstance(given, Definition):
        if given.kind not in kinds:
            raise ArgumentError(f"{given.name} is no {kinds[0]} but a {given.kind}")
        return given(**rest), {}  # type: ignore[operator]
    if isinstance(given, Spec | ScheduleSpec) and rest:
        raise ArgumentError(f"{given!r} has its hyperparameters already; got also {', '.join(rest)}")
    return given, rest
