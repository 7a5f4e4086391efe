"""What the user's function returns: a dict, or an object with these attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lossopt.errors import InputError, suggest

COMMON = {
    "loss": "a function, loss(outputs, labels), that gives one number",
    "batches": "an iterable of tuples (inputs, ..., labels), one for each update",
}

TORCH = {
    "model": "a torch.nn.Module",
    "optimizer": "a torch.optim.Optimizer of the model's parameters",
    **COMMON,
    "scheduler": "an object whose step() follows every update",
    "before_step": "a function of the model, called between backward() and optimizer.step()",
}

JAX = {
    "model": "an nnx.Module",
    "apply": "a function, apply(params, *inputs), that gives the outputs, with `params` beside it",
    "params": "the parameters that `apply` takes",
    "optimizer": "an optax transformation, or a list of them",
    **COMMON,
    "lr": "the learning rate that the transformation was made with: a number, or a schedule",
}

OPTIONAL = ("scheduler", "before_step", "lr")


class Given:
    """What one function returned, by name; None for what it left out.

    Args:
        made: what it returned.
        known: what can be in it, and what each is.
        label: of the function.

    Raises:
        InputError: it is None, or a dict with a name that nothing reads.
    """

    def __init__(self, made: Any, known: Mapping[str, str], label: str) -> None:
        self._known, self._label = known, label
        bare = isinstance(made, str | int | float | list | tuple) and not hasattr(made, "_fields")
        if made is None or bare:
            needed = ", ".join(name for name in known if name not in OPTIONAL)
            raise InputError(f"{label} returned {'None' if made is None else f'a {type(made).__name__}'}; it returns a dict, or an "
                             f"object with attributes, of: {needed}")  # fmt: skip
        if isinstance(made, Mapping):
            for name in made:
                if name not in known:
                    near = suggest(str(name), known) or f"; it is one of: {', '.join(known)}"
                    raise InputError(f"{label} returns {name!r}, which nothing reads{near}")
        self._values = {name: made.get(name) if isinstance(made, Mapping) else getattr(made, name, None) for name in known}

    def get(self, name: str) -> Any:
        """What was given, or None."""
        return self._values[name]

    def need(self, name: str, right: type | tuple[type, ...] | None = None) -> Any:
        """What must be there, of a type.

        Raises:
            InputError: it is not there, or of another type.
        """
        value = self._values[name]
        if value is None:
            raise InputError(f"{self._label} returns no {name!r}: {self._known[name]}")
        if right is not None and not isinstance(value, right):
            raise self.wrong(name)
        return value

    def call(self, name: str, *, needed: bool = True) -> Any:
        """What must be callable."""
        value = self.need(name) if needed else self._values[name]
        if value is not None and not callable(value):
            raise self.wrong(name)
        return value

    def batches(self) -> Iterable[Any]:
        value = self.need("batches")
        if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping):
            raise self.wrong("batches")
        return value

    def wrong(self, name: str, instead: str = "") -> InputError:
        """The error for what is of another type."""
        value = self._values[name]
        given = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        return InputError(f"{self._label}: {name!r} is {self._known[name]}, got {given}{f'; {instead}' if instead else ''}")


def parts(batch: Any, number: int, label: str) -> tuple[Any, ...]:
    """The arrays of a batch, the labels last.

    Raises:
        InputError: it is not a tuple of two arrays or more.
    """
    if not isinstance(batch, tuple | list) or len(batch) < 2:
        given = f"{type(batch).__name__} of {len(batch)}" if isinstance(batch, tuple | list) else type(batch).__name__
        raise InputError(f"{label}: batch {number} is a tuple (inputs, ..., labels) of arrays, got {given}")
    for x in batch:
        if not hasattr(x, "shape") or not hasattr(x, "dtype"):
            raise InputError(f"{label}: batch {number} holds arrays, got {type(x).__name__}; numpy.asarray makes an array of it")
    return tuple(batch)


def check_number(shape: tuple[int, ...], label: str) -> None:
    """Raise InputError unless a loss is one number."""
    if any(n != 1 for n in shape):
        raise InputError(f"{label}: loss(outputs, labels) gave an array of shape {tuple(shape)}, and must give one number; write "
                         ".mean() after it")  # fmt: skip
