"""What there is by name: definitions, their aliases, and the backends that carry them."""

from __future__ import annotations

import fnmatch
import functools
import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from lossopt import definition as _definition
from lossopt.definition import Definition, Kind, Spec
from lossopt.errors import ArgumentError, InputError, MissingBackendError, UnknownNameError, suggest

FOLDERS: Mapping[str, str] = {
    "loss": "lossopt.losses",
    "optimizer": "lossopt.optimizers",
    "transform": "lossopt.transforms",
    "schedule": "lossopt.schedules",
}

_found: dict[Kind, dict[str, Definition]] = {"loss": {}, "optimizer": {}, "transform": {}, "schedule": {}}


# ------------------------------------------------------------------------------------------------- definitions
def register(new: Definition) -> None:
    """Let a definition join; two that claim one name are an error, unless the same text is defined anew."""
    known = _found[new.kind].get(new.name)
    if known is not None and known.text.__module__ != new.text.__module__:
        raise ArgumentError(f"the name {new.name!r} is taken by {known.text.__module__}; give yours another")
    _found[new.kind][new.name] = new


_definition.listeners.append(register)


@functools.cache
def load(kind: Kind) -> None:
    """Import every page of one folder; its decorators register what it defines."""
    package = importlib.import_module(FOLDERS[kind])
    for page in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{FOLDERS[kind]}.{page.name}")
    for name, found in _found[kind].items():
        setattr(package, name, found)  # lossopt.optimizers.adam is the definition, not the page of that name


def names(kind: Kind, pattern: str = "*") -> list[str]:
    """The canonical names of one kind that match a glob."""
    load(kind)
    return sorted(n for n in _found[kind] if fnmatch.fnmatch(n, pattern))


def own_names(kind: Kind) -> list[str]:
    """The canonical names that lossopt itself defines, on the pages of the kind's folder."""
    return [n for n in names(kind) if str(_found[kind][n].text.__module__).startswith(f"{FOLDERS[kind]}.")]


def list_losses(pattern: str = "*") -> list[str]:
    """Names of losses that match a glob.

    >>> list_losses("cross*")
    ['cross_entropy']
    """
    return names("loss", pattern)


def list_optimizers(pattern: str = "*") -> list[str]:
    """Names of optimizers that match a glob.

    >>> list_optimizers("nadam*")
    ['nadam', 'nadamw']
    """
    return names("optimizer", pattern)


def list_schedules(pattern: str = "*") -> list[str]:
    """Names of schedules that match a glob.

    >>> list_schedules("cosine*")
    ['cosine', 'cosine_warm_restarts']
    """
    return names("schedule", pattern)


def list_transforms(pattern: str = "*") -> list[str]:
    """Names of gradient transforms and wrappers that match a glob."""
    return names("transform", pattern)


def aliases(kind: Kind) -> dict[str, str]:
    """Every foreign name of one kind to ours: ``{"AdamW": "adamw", "optax.adamw": "adamw"}``."""
    load(kind)
    found: dict[str, str] = {}
    for name, d in _found[kind].items():
        for key, where in d.elsewhere.items():
            for full in foreign_names(where, dotted=key != "also"):
                found.setdefault(full, name)
                found.setdefault(full.rpartition(".")[2], name)
    return {alias: name for alias, name in found.items() if alias not in _found[kind]}


def foreign_names(where: str, *, dotted: bool) -> list[str]:
    """``"torch.nn.functional.l1_loss, torch.nn.L1Loss; of the mean"`` names two; after the semicolon comes prose."""
    words = [part.strip().split(" ")[0] if i == 0 else part.strip() for i, part in enumerate(where.partition(";")[0].split(","))]
    return [w for w in words if all(part.isidentifier() for part in w.split(".")) and ("." in w or not dotted)]


def attribute(module: str, kind: Kind, name: str) -> Definition:
    """A definition as an attribute of its folder's module: ``lossopt.optimizers.adamw``."""
    if name.startswith("_") or name not in names(kind):
        near = "" if name.startswith("_") else suggest(name, _found[kind])
        raise AttributeError(f"module {module!r} has no attribute {name!r}{near}")
    return _found[kind][name]


def definition(name: str, *kinds: Kind) -> Definition:
    """The definition of a name or of one of its aliases.

    Raises:
        UnknownNameError: with the closest name.
    """
    kinds = kinds or ("optimizer", "loss", "schedule", "transform")
    if not isinstance(name, str):
        raise UnknownNameError(f"a name is a string such as 'adamw', got {name!r}")
    for kind in kinds:
        load(kind)
        ours = name if name in _found[kind] else aliases(kind).get(name)
        if ours is not None:
            return _found[kind][ours]
    for kind in _found:
        if kind not in kinds and name in names(kind):
            verb = "get_optimizer" if kind == "transform" else f"get_{kind}"
            raise UnknownNameError(f"{name!r} is {'an' if kind == 'optimizer' else 'a'} {kind}: use {verb}({name!r}, ...)")
    ours_first = [n for kind in kinds for n in _found[kind]]
    foreign = [n for kind in kinds for n in aliases(kind)]
    what = {"optimizer": "optimizer", "transform": "optimizer"}.get(kinds[0], kinds[0]) if len(set(kinds)) <= 2 else "name"
    plural = {"optimizer": "optimizers", "loss": "losses", "schedule": "schedules"}.get(what)
    more = f"lossopt list {plural}" if plural else "lossopt list"
    raise UnknownNameError(f"unknown {what} {name!r}{suggest(name, ours_first) or suggest(name, foreign)} ({more} shows all)")


# ------------------------------------------------------------------------------------------------- backends
@dataclass(frozen=True)
class Backend:
    """A backend's import package, and what must be installed for it."""

    name: str
    package: str
    needs: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(n for n in self.needs if importlib.util.find_spec(n) is None)

    def part(self, module: str) -> ModuleType:
        """One page of the backend: ``optimizers``, ``losses``, ``schedules``."""
        if found := _parts.get((self.package, module)):  # torch.compile cannot trace an import, but a dict it can
            return found
        if self.missing:
            are = "is" if len(self.missing) == 1 else "are"
            raise MissingBackendError(
                f"backend {self.name!r} needs {' and '.join(self.missing)}, which {are} not installed: pip install 'lossopt[{self.name}]'"
            )
        found = _parts[self.package, module] = importlib.import_module(f"{self.package}.{module}")
        return found

    @property
    def losses(self) -> ModuleType:
        return self.part("losses")

    @property
    def optimizers(self) -> ModuleType:
        return self.part("optimizers")

    @property
    def schedules(self) -> ModuleType:
        return self.part("schedules")


_parts: dict[tuple[str, str], ModuleType] = {}

BUILT_IN = {
    "numpy": Backend("numpy", "lossopt_numpy", ("numpy",)),
    "jax": Backend("jax", "lossopt_jax", ("jax", "optax")),
    "torch": Backend("torch", "lossopt_torch", ("torch",)),
}
NICKNAMES = {"pytorch": "torch", "optax": "jax", "flax": "jax", "np": "numpy"}


@functools.cache
def backends() -> dict[str, Backend]:
    """The three backends, and those that other packages offer under the entry point ``lossopt.backends``."""
    from importlib.metadata import entry_points

    found = dict(BUILT_IN)
    for entry in entry_points(group="lossopt.backends"):
        found.setdefault(entry.name, Backend(entry.name, entry.value, ()))
    return found


def backend(name: str) -> Backend:
    """The backend of that name.

    Raises:
        UnknownNameError: with the closest name.
    """
    if not isinstance(name, str) or (name not in BUILT_IN and name not in backends()):
        meant = NICKNAMES.get(name) if isinstance(name, str) else None
        near = f"; did you mean {meant!r}?" if meant else suggest(str(name), backends()) or "."
        raise UnknownNameError(f"unknown backend {name!r}{near} It is one of: {', '.join(backends())}")
    return BUILT_IN.get(name) or backends()[name]


FRAMEWORK_OF = {"torch": "torch", "jax": "jax", "jaxlib": "jax", "flax": "jax", "numpy": "numpy"}


def framework_of(x: Any) -> str | None:
    """Whose array this is, by its type's module: no framework is imported to find out."""
    for cls in type(x).__mro__:
        if found := FRAMEWORK_OF.get(cls.__module__.partition(".")[0]):
            return found
    return None


def backend_of_arrays(owner: Definition, arrays: Mapping[str, Any], wanted: str | None) -> Backend:
    """The one backend whose arrays these are; mixed frameworks are an error."""
    of = {name: framework_of(x) for name, x in arrays.items()}
    for name, found in of.items():
        if found is None:
            x = arrays[name]
            make = {"torch": "torch.tensor", "jax": "jnp.asarray"}.get(wanted or "", "numpy.asarray")
            raise InputError(f"{owner.name}: {name} must be an array, got {type(x).__name__}; write {make}({name})")
    frameworks = set(of.values()) - ({"numpy"} if wanted == "jax" or {"jax"} <= set(of.values()) else set())
    if len(frameworks) > 1:
        told = ", ".join(f"{name} is {found}" for name, found in of.items())
        raise InputError(f"{owner.name}: arrays of different frameworks in one call ({told}); convert them to one")
    found = frameworks.pop() if frameworks else (wanted or "numpy")
    assert found is not None
    if wanted is not None and found != wanted:
        first = next(n for n, f in of.items() if f == found)
        make = {"torch": "torch.as_tensor", "jax": "jnp.asarray", "numpy": "numpy.asarray"}.get(wanted, wanted)
        remedy = f"write {make}({first}) or get_loss(..., backend={found!r})"
        raise InputError(f"{owner.name} was made for {wanted}, but {first} is {found}; {remedy}")
    return backend(found)


# ------------------------------------------------------------------------------------------------- the three verbs
def get_loss(name: Any, backend: str | None = None, *, convention: str = "torch", reduction: str | None = None,
             **hyperparameters: Any) -> Any:  # fmt: skip
    """A loss function, ``f(predictions, targets, ...)``.

    Args:
        name: a loss's name (or alias), a definition, or a sum of losses.
        backend: ``"torch"``, ``"jax"`` or ``"numpy"`` to accept that framework's arrays only; None takes any.
        convention: whose defaults and switches: ``"torch"``, ``"optax"``, ``"keras"``.
        reduction: ``"none"``, ``"mean"``, ``"sum"``; None is the convention's own (torch: mean, optax: none).
        **hyperparameters: as the definition's signature says; see ``lossopt explain NAME``.

    Returns:
        A callable that also adds and scales: ``0.5 * get_loss("mse_loss") + get_loss("l1_loss")``.

    Raises:
        UnknownNameError, ArgumentError, HyperparameterError: each with a remedy.

    Example:
        >>> import numpy as np
        >>> loss = get_loss("cross_entropy", label_smoothing=0.1)
        >>> round(float(loss(np.array([[2.0, 0.0]]), np.array([0]))), 4)
        0.2269
    """
    made = name
    if isinstance(name, str):
        name = definition(name, "loss")
    if isinstance(name, Definition):
        if name.kind != "loss":
            raise _wrong_kind(name, "loss")
        made = name.configure(convention=convention, reduction=reduction, **hyperparameters)  # type: ignore[attr-defined]
    elif hyperparameters or reduction is not None:
        raise ArgumentError(f"{made!r} has its hyperparameters already")
    if backend is not None:
        _backend(backend).losses  # noqa: B018  (raises when the framework is missing)
    return made.bind(backend)


def get_optimizer(name: Any, backend: str, *, params: Any = None, convention: str = "torch", executor: str = "auto",
                  groups: Mapping[str, Mapping[str, Any]] | None = None, **hyperparameters: Any) -> Any:  # fmt: skip
    """A native optimizer object of one framework.

    Args:
        name: an optimizer's name (or alias), a definition, or a spec such as ``chain(clip_by_global_norm(), adamw())``.
        backend: ``"jax"`` gives an ``optax.GradientTransformationExtraArgs``, ``"torch"`` a ``torch.optim.Optimizer``,
            ``"numpy"`` the float64 referee with ``init`` and ``update``.
        params: torch only: ``parameters()``, ``named_parameters()`` or groups; without it a factory that takes them.
        convention: whose defaults and switches: ``"torch"``, ``"optax"``, ``"keras"``.
        executor: torch only: ``"auto"``, ``"native"``, ``"replay"``, ``"single"``.
        groups: hyperparameters by parameter-name pattern: ``{"*.bias": {"weight_decay": 0.0}}``.  Later patterns win;
            a pattern that matches nothing is an error.
        **hyperparameters: as the definition's signature says; ``learning_rate``, ``b1``, ``b2`` are understood.  A
            number may be a schedule.

    Raises:
        UnknownNameError, ArgumentError, HyperparameterError: each with a remedy.
        MissingBackendError: the framework is not installed.

    Example:
        >>> get_optimizer("lion", backend="numpy", lr=1e-4)
        numpy optimizer lion()
    """
    spec = name
    if isinstance(name, str):
        name = definition(name, "optimizer", "transform")
    if isinstance(name, Definition):
        if name.kind not in ("optimizer", "transform"):
            raise _wrong_kind(name, "optimizer")
        spec = name(convention=convention, **hyperparameters)  # type: ignore[operator]
    elif hyperparameters:
        raise ArgumentError(f"{spec!r} has its hyperparameters already; got also {', '.join(hyperparameters)}")
    if not isinstance(spec, Spec):
        raise UnknownNameError(f"an optimizer is a name such as 'adamw' or a spec such as adamw(lr=1e-3), got {spec!r}")
    return _backend(backend).optimizers.emit(spec, params=params, executor=executor, groups=groups or {})


def get_schedule(name: Any, backend: str | None = None, *, optimizer: Any = None, sets: str = "lr", convention: str = "torch",
                 **hyperparameters: Any) -> Any:  # fmt: skip
    """A schedule: a function of the step, or a framework's scheduler.

    Args:
        name: a schedule's name (or alias), a definition, or a spec.
        backend: None gives a plain Python function of the step, ``"jax"`` a traceable one, ``"torch"`` a
            ``torch.optim.lr_scheduler.LRScheduler`` for `optimizer` (without one, a factory that takes it).
        optimizer: torch only: the optimizer whose groups it drives, each from its own base lr.
        sets: torch only: the number of the groups that it drives, if not lr: ``"weight_decay"``, ``"momentum"``,
            ``"betas[0]"``.  Elsewhere the optimizer takes the schedule itself: ``get_optimizer(..., weight_decay=schedule)``.
        convention: whose defaults and switches.
        **hyperparameters: ``lr`` is the base value (default 1.0: the bare schedule is a factor).

    Example:
        >>> get_schedule("step", lr=0.8, step_size=30, gamma=0.5)(30)
        0.4
    """
    spec = name
    if isinstance(name, str):
        name = definition(name, "schedule")
    if isinstance(name, Definition):
        if name.kind != "schedule":
            raise _wrong_kind(name, "schedule")
        spec = name(convention=convention, **hyperparameters)  # type: ignore[operator]
    elif hyperparameters:
        raise ArgumentError(f"{spec!r} has its hyperparameters already; got also {', '.join(hyperparameters)}")
    if backend is None:
        if optimizer is not None:
            raise ArgumentError("a schedule drives an optimizer in torch: get_schedule(..., backend='torch', optimizer=optimizer)")
        if sets != "lr":
            raise ArgumentError(f"a schedule sets {sets} of an optimizer in torch: get_schedule(..., backend='torch', sets={sets!r})")
        return spec
    return _backend(backend).schedules.emit(spec, optimizer=optimizer, **({} if sets == "lr" else {"sets": sets}))


def _wrong_kind(given: Definition, wanted: str) -> ArgumentError:
    article = "an" if given.kind == "optimizer" else "a"
    verb = "optimizer" if given.kind == "transform" else given.kind
    return ArgumentError(f"{given.name} is no {wanted} but {article} {given.kind}: use get_{verb}")


_backend = backend  # the verbs above take an argument of that name
