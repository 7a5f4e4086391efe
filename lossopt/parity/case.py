"""One row of the parity tables: what is compared with what, and how far apart the two may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from lossopt.definition import Spec


@dataclass(frozen=True)
class Allowed:
    """A bound wider than the suite's own, with the measured cause."""

    bound: float
    cause: str


@dataclass(frozen=True)
class OptimizerCase:
    """A spec, and the frameworks' own classes that state the same mathematics.

    Attributes:
        spec: what is emitted to every backend; its repr labels the row.
        torch: ``(torch, params) -> torch.optim.Optimizer``: PyTorch's own; the module is handed in, so that this
            table imports no framework.  `params` is a list of ``torch.nn.Parameter``.
        optax: ``(optax) -> GradientTransformation``: optax's own.
        keras: ``(keras) -> keras.optimizers.Optimizer``: Keras's own, on JAX.
        groups: hyperparameters by parameter-name pattern.
        steps: how many updates.
        allowed: wider bounds with their causes, by comparison: its name (``"torch.optim"``, ``"torch single"``, ``"optax"``,
            ``"jax float32"``), its framework's (``"torch"``, ``"jax"``) or its dtype (``"float32"``, ``"bfloat16"``).
        optax_extras: what optax's own update takes besides gradients and parameters, of ``value``, ``metric``, ``grad``,
            ``value_fn``, ``grad_fn``, ``hessian``.
        still: the same loss at every step (line searches and quasi-Newton methods), rather than a noisy one.
        poison: steps at which one element of the gradient is infinite.
    """

    spec: Spec
    torch: Callable[[ModuleType, list[Any]], Any] | None = None
    optax: Callable[[ModuleType], Any] | None = None
    keras: Callable[[ModuleType], Any] | None = None
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    steps: int = 100
    allowed: Mapping[str, Allowed] = field(default_factory=dict)
    optax_extras: tuple[str, ...] = ()
    still: bool = False
    poison: tuple[int, ...] = ()


@dataclass(frozen=True)
class LossCase:
    """A loss with options on given inputs, and the frameworks' own functions for the same.

    Attributes:
        name, options: what ``get_loss(name, **options)`` is given (convention and reduction among the options).
        inputs: ``(numpy.random.Generator) -> tuple of float64/int64 arrays``, in the loss's order.
        torch: ``(torch, *tensors) -> tensor``: PyTorch's own.
        optax: ``(optax, jnp, *arrays) -> array``: optax's own.
        keras: ``(keras, *arrays) -> array``: Keras's own.
        allowed: as in OptimizerCase; also ``"gradient"``.
    """

    name: str
    options: Mapping[str, Any]
    inputs: Callable[[Any], tuple[Any, ...]]
    torch: Callable[..., Any] | None = None
    optax: Callable[..., Any] | None = None
    keras: Callable[..., Any] | None = None
    allowed: Mapping[str, Allowed] = field(default_factory=dict)


@dataclass(frozen=True)
class ScheduleCase:
    """A schedule with options, and the frameworks' own.

    Attributes:
        name, options: what ``get_schedule(name, **options)`` is given.
        torch: ``(torch, optimizer) -> LRScheduler``: PyTorch's own, on an optimizer whose lr is ``options["lr"]``.
        optax: ``(optax) -> schedule``: optax's own.
        keras: ``(keras) -> schedule``: Keras's own.
        steps: how many steps are compared.
    """

    name: str
    options: Mapping[str, Any]
    torch: Callable[[ModuleType, Any], Any] | None = None
    optax: Callable[[ModuleType], Any] | None = None
    keras: Callable[[ModuleType], Any] | None = None
    steps: int = 120
    allowed: Mapping[str, Allowed] = field(default_factory=dict)
